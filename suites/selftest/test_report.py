"""The report says all of a run, the same bytes each time, and marks what is simulated."""

from dataclasses import asdict
from pathlib import Path

import pytest
from pypdf import PdfReader
from rig.evidence import RunFolder, read_json, slug, write_json

from reports.pdf import page_png, write_report
from rig.analysis.uncertainty import WeighingUncertainty, delivered_volume
from rig.clock import SimClock
from rig.record.reading import read_run
from rig.verdicts.limits import Measurement
from suites.selftest.synthetic_run import (
    BASAL,
    BOLUS,
    OCCLUSION,
    STOPPED,
    change,
    close_run,
    forget_measurements,
    make_run,
)

SIMULATED = "SIMULATED — no evidence about any device"


def pages(run: Path) -> list[str]:
    """Write the report and get the text of each page, on one line each."""
    return [" ".join(page.extract_text().split()) for page in PdfReader(write_report(run)).pages]


def text(run: Path) -> str:
    return " ".join(pages(run))


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return make_run(tmp_path / "run")


def test_every_page_of_a_simulated_run_says_so_above_its_text_and_across_it(run: Path) -> None:
    texts = pages(run)
    assert len(texts) >= 5
    for number, page in enumerate(texts, start=1):
        assert SIMULATED in page
        assert page.count("SIMULATED") >= 2
        assert f"page {number} of {len(texts)}" in page
        assert "2026-11-23T08-15-02Z-virtual" in page
    assert texts[-1].count("End of report 2026-11-23T08-15-02Z-virtual") == 1


def test_a_run_on_a_real_bench_is_not_called_simulated(tmp_path: Path) -> None:
    said = text(make_run(tmp_path / "run", run_id="a", virtual=False, seed=None, bench={"name": "Lab"}))
    assert "simulated" not in said.lower()
    assert "The results relate only to the item tested" in said


def test_every_page_of_an_interrupted_run_says_so(tmp_path: Path) -> None:
    for page in pages(make_run(tmp_path / "run", outcome="interrupted")):
        assert "INTERRUPTED — this run was stopped before its end" in page


def test_the_same_run_folder_gives_the_same_bytes_also_elsewhere(tmp_path: Path) -> None:
    first = write_report(make_run(tmp_path / "a")).read_bytes()
    assert write_report(tmp_path / "a").read_bytes() == first
    assert write_report(make_run(tmp_path / "elsewhere" / "b")).read_bytes() == first


def test_the_summary_holds_every_requirement_with_value_uncertainty_limit_and_verdict(run: Path) -> None:
    summary = " ".join(pages(run)[1:3])
    for row in read_json(run / "results.json")["requirements"]:
        assert row["id"] in summary
        assert row["text"] in summary
    assert "missed volume at the alarm 2.7500 ± 0.0056 U ≤ 5 U PASS" in summary
    assert "highest pressure during an occlusion 106.80 ± 0.50 kPa ≤ 240 kPa PASS" in summary
    assert "delivered while stopped −0.0009 ± 0.0012 U ±0.05 U" in summary
    assert "never measured: remaining at the low-reservoir warning" in summary


def test_the_rule_of_decision_stands_with_each_requirement_and_only_the_rules_used_are_explained(run: Path) -> None:
    said = text(run)
    assert "Rule: guard band." in said
    assert "Simple acceptance" not in said
    results = read_json(run / "results.json")
    assert results["requirements"][0]["id"] == "PR-D1.1"
    results["requirements"][0]["measurements"][0]["rule"] = "simple acceptance"
    write_json(run / "results.json", results)
    said = text(run)
    assert "Rule: simple acceptance." in said
    assert "Simple acceptance: a value passes when it lies inside its limit" in said
    assert "Guard band: a value passes when value ± U lies inside its limit" in said


def test_the_cover_counts_every_verdict(run: Path) -> None:
    cover = pages(run)[0]
    assert "UNSET At least one requirement was never measured." in cover
    assert "5 0 0 0 1 0 PASS FAIL INCONCLUSIVE ERROR UNSET NOT APPLICABLE" in cover
    for fact in ("Open Rig RC-1", "RC1-000001", "2026-11-23 08:15:02 UTC", "2026-11-23 08:15:31 UTC", "Virtual bench"):
        assert fact in cover


def test_a_partial_run_names_what_it_left_out_and_does_not_count_it(tmp_path: Path) -> None:
    partial = text(make_run(tmp_path / "run", selected="not reservoir"))
    assert "Not in the scope of this run: PR-F2.1." in partial
    assert "only tests selected by “not reservoir”" in partial
    assert "5 0 0 0 0 0 PASS FAIL" in partial


def test_failures_of_the_pump_and_of_the_rig_are_told_apart(tmp_path: Path) -> None:
    folder = RunFolder(make_run(tmp_path / "run"))
    folder.failed_before_start(STOPPED, "NoReplyError: balance on ASRL1: no reply within 2 s to S; is it on?")
    folder.failed_before_start(BOLUS, "NoReplyError: balance on ASRL1: no reply within 2 s to S; is it on?")
    close_run(folder)
    said = text(folder.path)
    assert (
        "Tests that the rig could not finish • Consecutive boluses, each weighed to its plateau. [1 U]; "
        "A stopped pump, weighed for 30 min: balance on ASRL1: no reply within 2 s to S; is it on?" in said
    )
    assert "Tests that the pump failed None." in said


@pytest.mark.parametrize(
    ("value", "u", "cover"),
    [
        (8.0, 0.2, "FAIL At least one requirement is not met."),
        (5.1, 0.2, "INCONCLUSIVE At least one value lies too close to its limit to be decided."),
    ],
)
def test_the_worst_verdict_stands_on_the_cover(tmp_path: Path, value: float, u: float, cover: str) -> None:
    folder = RunFolder(make_run(tmp_path / "run"))
    record = folder.test(BASAL, clock=SimClock())
    record.measure("PR-D1.1", Measurement("mean basal error", value, "%", u))
    record.end("failed", "it is not")
    close_run(folder)
    assert cover in pages(folder.path)[0]


def test_each_analysis_has_a_section_with_what_must_stand_beside_its_figure(run: Path) -> None:
    said = text(run)
    for needed in (
        "Basal delivery at 1 U/h Decides PR-D1.1 (PASS), PR-D1.2 (PASS).",
        "Stabilisation, then analysis 24 h, 25 h",
        "Sample interval of the curve 15 min",
        "Every window holds a whole number of doses",
        "Mean SD within ±5 % within ±10 % within ±15 % within ±20 % within ±30 %",
        "25 boluses of 1 U",
        "Command 25 × 1 U",
        "From closing to the alarm 2 h 45 min",
        "Missed up to the alarm 2.75 U",
        "Compliance of pump and line –",
    ):
        assert needed in said
    with_letters = [
        page for page in PdfReader(run / "report.pdf").pages if "length of the observation" in page.extract_text()
    ]
    assert len(with_letters) == 1  # figures keep their letters: they can be searched and read aloud


def test_tests_whose_names_hold_a_slash_keep_their_numbers_apart(run: Path) -> None:
    slow, fast = slug(OCCLUSION), slug(OCCLUSION.replace("1 U/h", "10 U/h"))
    assert (slow, fast) == ("occlusion-Occlusion_At_1_U_h", "occlusion-Occlusion_At_10_U_h")
    assert [test for test, _ in read_run(run).analyses] == [BASAL, BOLUS, OCCLUSION]


def test_windows_without_a_whole_number_of_doses_are_named_with_the_error_that_makes(run: Path) -> None:
    change(next(run.glob("analysis/*/trumpet.json")), dose_interval_s=3600.0)
    said = text(run)
    assert "15 min (−100.0 % to +300.0 %)" in said
    assert "150 min (−20.0 % to +20.0 %)" in said
    assert "60 min (" not in said


def test_a_pump_that_never_alarmed_is_reported_so(run: Path) -> None:
    change(next(run.glob("analysis/*/occlusion.json")), alarm_at_s=None, time_to_alarm_s=None)
    said = text(run)
    assert "From closing to the alarm no alarm" in said
    assert "Missed up to giving up 2.75 U" in said
    assert "up to the alarm" not in said


def test_an_analysis_of_another_kind_is_shown_as_a_list(run: Path) -> None:
    write_json(run / "analysis" / "elsewhere" / "x.json", {"kind": "leak", "title": "Leak", "leak_ul_per_h": 0.25})
    assert "leak ul per h 0.25" in text(run)


def test_equipment_tests_air_software_and_files_are_listed(run: Path) -> None:
    said = text(run)
    assert "B831204417 2026-03-02 2027-03-02 in date" in said
    assert "repeatability 2.5 µg, readability 1 µg" in said
    assert "21.6 °C 1005 hPa 49 % RH" in said
    assert "insulin-pump-rig 0.1.0" in said
    for file in read_run(run).files:
        assert file.sha256 in said


def test_what_was_changed_for_the_run_is_a_deviation(tmp_path: Path) -> None:
    said = text(make_run(tmp_path / "run", overrides={"virtual.seed": 2}, commit=None))
    assert "Bench setting virtual.seed: set to 2 for this run" in said
    assert "the revision of the rig software is not recorded" in said


def test_a_blocked_run_has_a_report_too_and_says_why(tmp_path: Path) -> None:
    folder = RunFolder.create(
        tmp_path / "run",
        read_json(make_run(tmp_path / "other") / "manifest.json")
        | {"dut": None, "problems": {"pump": "no reply within 2 s; is it powered?"}},
    )
    close_run(folder, "blocked")
    said = text(folder.path)
    assert "BLOCKED — the bench was not fit, nothing was tested" in said
    assert "Device not identified" in said
    assert "No test was carried out." in said
    assert "Bench check, pump: no reply within 2 s; is it powered?" in said


def test_the_raw_record_is_attached_byte_for_byte(run: Path) -> None:
    attachments = PdfReader(write_report(run)).attachments
    names = {file.path for file in read_run(run).files if not file.path.startswith("wire")}
    assert {name.removeprefix("record/") for name in attachments} == names
    for name in names:
        assert attachments[f"record/{name}"] == [(run / name).read_bytes()]


def test_the_pdf_declares_itself_archival_and_accessible_and_embeds_its_fonts(run: Path) -> None:
    reader = PdfReader(write_report(run))
    metadata = reader.xmp_metadata
    assert metadata is not None
    declared = metadata.stream.get_data().decode()
    assert "<pdfaid:part>3</pdfaid:part>" in declared
    assert "<pdfaid:conformance>A</pdfaid:conformance>" in declared
    assert "<pdfuaid:part>1</pdfuaid:part>" in declared
    assert reader.metadata is not None
    assert reader.metadata.title == "Test report 2026-11-23T08-15-02Z-virtual"


def test_a_page_can_be_drawn_as_a_picture(run: Path) -> None:
    picture = page_png(run, 1, ppi=40.0)
    assert picture.startswith(b"\x89PNG")
    assert (int.from_bytes(picture[16:20]), int.from_bytes(picture[20:24])) == (331, 468)  # A4 at 40 pixels an inch
    with pytest.raises(ValueError, match=r"the report has pages 1 … \d+, got 0"):
        page_png(run, 0)


def test_every_verdict_can_be_printed(tmp_path: Path) -> None:
    folder = RunFolder(make_run(tmp_path / "run"))
    record = folder.test(BASAL, clock=SimClock())
    record.measure("PR-D1.1", Measurement("mean basal error", 8.0, "%", 0.2))
    record.measure("PR-D1.2", Measurement("largest error of a 60 min window", 15.1, "%", 0.2))
    record.end("failed", "two values are not inside their limits")
    folder.failed_before_start(BOLUS, "the balance is mute")
    forget_measurements(folder.path, STOPPED)
    folder.test(STOPPED, clock=SimClock()).end("not applicable", "this pump cannot be stopped")
    close_run(folder)
    said = pages(folder.path)
    assert "1 1 1 1 1 1 PASS FAIL INCONCLUSIVE ERROR UNSET NOT APPLICABLE" in said[0]
    whole = " ".join(said)
    assert "PR-D1.2 is INCONCLUSIVE: value ± U reaches across the limit" in whole
    assert "PR-D7.1 is NOT APPLICABLE: this pump cannot be stopped" in whole


def test_every_source_of_a_budget_is_printed_with_its_share(run: Path) -> None:
    volume = delivered_volume(
        0.0, 0.010, hours=1.0, z_ul_per_mg=1.0029, uncertainty=WeighingUncertainty(3e-6, 1e-6, 0.005, 0.02, 0.01)
    )
    content = {
        "kind": "budget",
        "title": "Uncertainty of one dose",
        "budgets": [
            {
                "quantity": "dose",
                "note": "A note beside it.",
                **asdict(volume),
                "degrees_of_freedom": None,
                "rows": rows,
            }
            for rows in [[asdict(row) | {"degrees_of_freedom": None} for row in volume.rows]]
        ],
    }
    write_json(run / "analysis" / slug(BASAL) / "uncertainty.json", content)
    said = text(run)
    assert "Dose: 10.049 ± 0.022 µL (u = 0.011 µL, ν = ∞, k = 2.00, 95.45 %)." in said
    assert "evaporation A 0.020 mg/h 0.010 mg/h ∞ 1.0 µL/(mg/h) 0.010 µL 84.4 %" in said
    assert "calibration of the balance B" in said
    assert "A note beside it." in said
