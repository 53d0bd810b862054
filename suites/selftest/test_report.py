"""The report says all of a run, the same bytes each time, and marks what is simulated."""

import shutil
from dataclasses import asdict
from pathlib import Path

import pytest
from pypdf import PdfReader

from reports.pdf import page_png, write_annex_of
from reports.words import value_and_uncertainty
from rig.analysis.uncertainty import WeighingUncertainty, delivered_volume
from rig.record.analyses import Budgets, OcclusionNumbers, Trumpet
from rig.record.files import read_json, slug, write_json
from rig.record.folder import read_model
from rig.record.reading import read_run
from rig.run.begin import end_run
from rig.run.reading import read_whole_run
from suites.selftest.recorded import (
    BASAL,
    BOLUS,
    OCCLUSION,
    STOPPED,
    blocked,
    change,
    computed,
    ended,
    ended_otherwise,
    framed,
    keep,
    measured,
    reopened,
    required,
    results,
    sealed,
    unmeasured,
    without_further_curves,
)
from suites.selftest.reported import write_report

SIMULATED = "SIMULATED — no evidence about any device"


def said_by(report: PdfReader) -> list[str]:
    """The text of each page, on one line each."""
    return [" ".join(page.extract_text().split()) for page in report.pages]


def pages(run: Path) -> list[str]:
    """Write the report and get the text of each page."""
    return said_by(PdfReader(write_report(run)))


def annex(run: Path) -> str:
    """Write the annex and get its text."""
    return " ".join(said_by(PdfReader(write_annex_of(read_whole_run(run), run))))


def text(run: Path) -> str:
    """What report and annex say together, paths in one piece."""
    return " ".join([*pages(run), annex(run)]).replace("\N{ZERO WIDTH SPACE}", "")


def cover(run: Path) -> str:
    """The first page, and the page that sums up."""
    said = pages(run)
    return " ".join([said[0], *(page for page in said if "Verdict of this run" in page)])


@pytest.fixture
def run(run: Path) -> Path:
    """The copy without its budgets and without what is drawn beside a trumpet curve: less to draw."""
    without_further_curves(run)
    return run


@pytest.fixture(scope="module")
def whole(recorded: Path, tmp_path_factory: pytest.TempPathFactory) -> PdfReader:
    """The report of the whole run as it is."""
    return PdfReader(write_report(Path(shutil.copytree(recorded, tmp_path_factory.mktemp("whole") / "run"))))


@pytest.fixture
def real(run: Path) -> Path:
    """The run, as if it had been made on a laboratory's bench."""
    framed(run, virtual=False, seed=None, bench={"name": "Lab"})
    return run


def test_every_page_of_a_simulated_run_says_so_above_its_text_and_across_it(whole: PdfReader, recorded: Path) -> None:
    texts, run_id = said_by(whole), read_run(recorded).manifest.run_id
    assert len(texts) >= 5
    for number, page in enumerate(texts, start=1):
        assert SIMULATED in page
        assert page.count("SIMULATED") >= 2
        assert f"page {number} of {len(texts)}" in page
        assert run_id in page
    assert texts[-1].count(f"End of report {run_id}") == 1


def test_a_run_on_a_real_bench_is_not_called_simulated(real: Path) -> None:
    framed(real, run_id="a", bench_file="lab.toml")
    said = text(real)
    assert "simulated" not in said.lower().replace("simulated: parameters of the virtual world", "")
    assert "The results relate only to the item tested" in said


def test_every_page_of_an_interrupted_run_says_so(run: Path) -> None:
    ended(run, "interrupted")
    for page in pages(run):
        assert "INTERRUPTED — this run was stopped before its end" in page


def test_the_same_run_folder_gives_the_same_bytes_also_elsewhere(run: Path, tmp_path: Path) -> None:
    elsewhere = Path(shutil.copytree(run, tmp_path / "elsewhere" / "b"))
    shutil.rmtree(run / "reports")
    shutil.rmtree(elsewhere / "reports")
    first, again = write_report(run), write_report(run)
    assert write_report(elsewhere).read_bytes() == first.read_bytes()
    assert write_report(elsewhere).read_bytes() == again.read_bytes()
    assert "revision 2" in said_by(PdfReader(again))[0]


def test_a_report_is_never_overwritten(run: Path) -> None:
    shutil.rmtree(run / "reports")
    written = [write_report(run), write_report(run)]
    (run / "reports" / "rev-2 (copy)").mkdir()
    written.append(write_report(run))
    assert written == [run / "reports" / f"rev-{number}" / "report.pdf" for number in (1, 2, 3)]


def test_the_summary_holds_every_requirement_with_value_uncertainty_limit_and_verdict(run: Path) -> None:
    measured(run, OCCLUSION, {"occlusion.largest_missed": (2.75, 0.0056), "occlusion.highest_pressure": (106.8, 0.5)})
    measured(run, STOPPED, {"stopped.delivered": (-0.0009, 0.0012)})
    summary = annex(run)
    rows = [row for row in results(run).requirements if row.in_scope]
    assert len(rows) == 6
    for row in rows:
        assert row.id in summary
        assert row.text in summary
        for each in row.measurements:
            value, u = value_and_uncertainty(each.value, each.expanded_uncertainty)
            assert f"{each.name} {value} ± {u} {each.unit}" in summary
    assert "PASS largest missed volume at 1 U/h 2.7500 ± 0.0056 U ≤ 5 U" in summary
    assert "PASS highest pressure at 1 U/h 106.80 ± 0.50 kPa ≤ 240 kPa" in summary
    assert "delivered while stopped −0.0009 ± 0.0012 U ±0.05 U" in summary


def test_what_was_never_measured_is_named(run: Path) -> None:
    computed(run, STOPPED, "measured").unlink()
    end_run(reopened(run), "complete")
    assert "never measured: delivered while stopped" in " ".join(pages(run))


def test_the_rule_of_decision_stands_with_each_requirement_and_only_the_rules_used_are_explained(
    run: Path, whole: PdfReader
) -> None:
    said = " ".join(said_by(whole))
    assert "Guard band: a value passes" in said
    assert "Simple acceptance" not in said
    required(run, 'id = "PR-D1.1"\n', 'id = "PR-D1.1"\nrule = "simple acceptance"\n')
    said = text(run)
    assert "Rule: simple acceptance." in said
    assert "Simple acceptance: a value passes when it lies inside its limit" in said
    assert "Guard band: a value passes when value ± U lies inside its limit" in said


def test_the_cover_counts_every_verdict(run: Path) -> None:
    computed(run, STOPPED, "measured").unlink()
    end_run(reopened(run), "complete")
    first, manifest = cover(run), read_run(run).manifest
    assert manifest.ended_utc is not None
    assert "UNSET At least one requirement was never measured." in first
    assert "5 0 0 0 1 0 PASS FAIL INCONCLUSIVE ERROR UNSET NOT APPLICABLE" in first
    times = [f"{at:%Y-%m-%d %H:%M:%S} UTC" for at in (manifest.started_utc, manifest.ended_utc)]
    for fact in ("Open Rig RC-1", "RC1-000001", *times, "Virtual bench"):
        assert fact in first


def test_a_partial_run_names_what_it_left_out_and_does_not_count_it(run: Path) -> None:
    framed(run, selected="not reservoir")
    partial = text(run)
    assert "Not in the scope of this run: PR-F2.1." in partial
    assert "only tests selected by “not reservoir”" in partial
    assert "6 0 0 0 0 0 PASS FAIL" in partial


def test_failures_of_the_pump_and_of_the_rig_are_told_apart(run: Path) -> None:
    mute = "NoReplyError: balance on ASRL1: no reply within 2 s to S; is it on?"
    ended_otherwise(run, STOPPED, "error", mute)
    ended_otherwise(run, BOLUS, "error", mute)
    said = text(run)
    assert (
        "Tests that the rig could not finish • Consecutive boluses, each weighed to its plateau. [1 U]; "
        "A stopped pump, weighed for half an hour. [30 min]: balance on ASRL1: no reply within 2 s to S; is it on?"
        in said
    )
    assert "Tests that the pump failed None." in said


@pytest.mark.parametrize(
    ("value", "u", "said"),
    [
        (8.0, 0.2, "FAIL At least one requirement is not met."),
        (5.1, 0.2, "INCONCLUSIVE At least one value lies too close to its limit to be decided."),
    ],
)
def test_the_worst_verdict_stands_on_the_cover(run: Path, value: float, u: float, said: str) -> None:
    measured(run, BASAL, {"basal.mean_error": (value, u)})
    assert said in cover(run)


def test_a_value_of_any_size_is_printed(run: Path) -> None:
    measured(run, STOPPED, {"stopped.delivered": (-1.25e15, 3e12)})
    said = text(run)
    assert "delivered while stopped −1250000000000000 ± 3000000000000 U" in said.replace("\N{NO-BREAK SPACE}", " ")


def test_each_analysis_has_a_section_with_what_must_stand_beside_its_figure(run: Path) -> None:
    occlusion = read_model(computed(run, OCCLUSION, "occlusion-1"), OcclusionNumbers)
    keep(run, OCCLUSION, "occlusion-1", occlusion.model_copy(update={"time_to_alarm_s": 9900.0, "missed_u": 2.75}))
    report = PdfReader(write_annex_of(read_whole_run(run), run))
    said = " ".join(said_by(report))
    for needed in (
        "Basal delivery at 1 U/h Decides PR-D1.1 (PASS), PR-D1.2 (PASS).",
        "Stabilisation, then analysis 1 h, 3 h",
        "Sample interval of the curve 15 min",
        "Every window holds a whole number of doses",
        "Mean SD within ±5 % within ±10 % within ±15 % within ±20 % within ±30 %",
        "5 boluses of 1 U",
        "Command 5 × 1 U",
        "From closing to the alarm 2 h 45 min",
        "Missed up to the alarm 2.75 U",
        f"Compliance of pump and line {occlusion.compliance_ul_per_kpa or '–':.3}",
    ):
        assert needed in said, needed
    with_letters = [page for page in report.pages if "length of the observation" in page.extract_text()]
    assert len(with_letters) == 1  # figures keep their letters: they can be searched and read aloud


def test_tests_whose_names_hold_a_slash_keep_their_numbers_apart(run: Path) -> None:
    slow, fast = (slug(OCCLUSION.replace("The Intermediate Rate", rate)) for rate in ("1 U/h", "10 U/h"))
    assert (slow, fast) == ("occlusion-Occlusion_At_1_U_h", "occlusion-Occlusion_At_10_U_h")
    assert list(dict.fromkeys(each.test for each in read_run(run).analyses)) == [BASAL, BOLUS, OCCLUSION]


def test_windows_without_a_whole_number_of_doses_are_named_with_the_error_that_makes(run: Path) -> None:
    trumpet = read_model(computed(run, BASAL, "trumpet"), Trumpet)
    keep(run, BASAL, "trumpet", trumpet.model_copy(update={"dose_interval_s": 3600.0}))
    said = text(run)
    assert "15 min (−100.0 % to +300.0 %)" in said
    assert "150 min (−20.0 % to +20.0 %)" in said
    assert "60 min (" not in said


def test_a_pump_that_never_alarmed_is_reported_so(run: Path) -> None:
    occlusion = read_model(computed(run, OCCLUSION, "occlusion-1"), OcclusionNumbers)
    silent = {"alarm_at_s": None, "time_to_alarm_s": None, "missed_u": 2.75}
    keep(run, OCCLUSION, "occlusion-1", occlusion.model_copy(update=silent))
    said = text(run)
    assert "From closing to the alarm no alarm" in said
    assert "Missed up to giving up 2.75 U" in said
    assert "up to the alarm 2" not in said


def test_an_analysis_of_another_kind_is_shown_as_a_list(run: Path) -> None:
    write_json(computed(run, STOPPED, "x"), {"kind": "leak", "title": "Leak", "leak_ul_per_h": 0.25})
    sealed(run)
    assert "leak ul per h 0.25" in text(run)


def test_equipment_tests_air_software_and_files_are_listed(whole: PdfReader, recorded: Path, tmp_path: Path) -> None:
    run = Path(shutil.copytree(recorded, tmp_path / "run"))
    said, read = f"{' '.join(said_by(whole))} {annex(run)}", read_run(recorded)
    assert "B831204417" in said
    assert "2026-03-02, 2027-03-02: in date" in said
    assert "repeatability 2.5 µg, readability 1 µg" in said
    air = read.air[STOPPED]
    assert f"{air.temperature_c[0]:.1f}" in said
    assert f"{air.pressure_hpa[0]:.0f}" in said
    assert "insulin-pump-rig 0.1.0" in said
    for file in read.files:
        assert file.sha256 in said


def test_what_was_changed_for_the_run_is_a_deviation(run: Path) -> None:
    framed(run, overrides={"virtual.seed": 2}, commit=None)
    said = text(run)
    assert "Bench setting virtual.seed: set to 2 for this run" in said
    assert "the revision of the rig software is not recorded" in said


def test_a_blocked_run_has_a_report_too_and_says_why(run: Path) -> None:
    blocked(run, {"pump": "no reply within 2 s; is it powered?"})
    said = text(run)
    assert "BLOCKED — the bench was not fit, nothing was tested" in said
    assert "Device not identified" in said
    assert "Bench check, pump: no reply within 2 s; is it powered?" in said
    assert "the run was blocked before this test" in said


def test_a_run_without_a_test_has_a_report_too(run: Path) -> None:
    (run / "record" / "collected.jsonl").unlink()
    shutil.rmtree(run / "record" / "tests")
    end_run(reopened(run), "blocked")
    assert "No test was carried out." in text(run)


def test_the_raw_record_is_attached_byte_for_byte(whole: PdfReader, recorded: Path) -> None:
    attachments, run = dict(whole.attachments), recorded
    left_out = (".log", ".elf")  # the wires, and the image of the firmware
    names = {file.path for file in read_run(run).files if not file.path.endswith(left_out)}
    trail = attachments.pop("record/trail.jsonl")[0]  # as it was before this report was entered
    assert trail
    assert (run / "trail.jsonl").read_bytes().startswith(trail)
    assert {name.removeprefix("record/") for name in attachments} == names
    for name in names:
        assert attachments[f"record/{name}"] == [(run / name).read_bytes()]


def test_a_run_of_format_1_has_a_report_as_it_had_one(old_run: Path) -> None:
    said = text(old_run)
    assert SIMULATED in said
    for row in read_run(old_run).results.requirements:
        if row.in_scope:
            assert row.text in said
            for each in row.measurements:
                value, u = value_and_uncertainty(each.value, each.expanded_uncertainty)
                assert f"{each.name} {value}" + (f" ± {u} {each.unit}" if u else f" {each.unit}") in said
    assert "missed volume at the alarm 2.8" in said
    assert "Basal delivery at 1 U/h" in said


def test_the_pdf_declares_itself_archival_and_accessible_and_embeds_its_fonts(whole: PdfReader, recorded: Path) -> None:
    reader = whole
    metadata = reader.xmp_metadata
    assert metadata is not None
    declared = metadata.stream.get_data().decode()
    assert "<pdfaid:part>3</pdfaid:part>" in declared
    assert "<pdfaid:conformance>A</pdfaid:conformance>" in declared
    assert "<pdfuaid:part>1</pdfuaid:part>" in declared
    assert reader.metadata is not None
    assert reader.metadata.title == f"Verification of an insulin infusion pump {read_run(recorded).manifest.run_id}"


def test_a_page_can_be_drawn_as_a_picture(run: Path) -> None:
    picture = page_png(run, 1, ppi=40.0)
    assert picture.startswith(b"\x89PNG")
    assert (int.from_bytes(picture[16:20]), int.from_bytes(picture[20:24])) == (331, 468)  # A4 at 40 pixels an inch
    with pytest.raises(ValueError, match=r"the report has pages 1 … \d+, got 0"):
        page_png(run, 0)


def test_every_verdict_can_be_printed(run: Path) -> None:
    measured(run, BASAL, {"basal.mean_error": (8.0, 0.2), "basal.largest_window_error": (15.1, 0.2)})
    ended_otherwise(run, BOLUS, "error", "the balance is mute")
    unmeasured(run, STOPPED, "not applicable", "this pump cannot be stopped")
    path = computed(run, OCCLUSION, "measured")
    values = read_json(path)["measured"]
    change(path, measured=[each for each in values if each["quantity"]["kind"] != "occlusion.highest_pressure"])
    end_run(reopened(run), "complete")
    said = pages(run)
    assert "1 1 1 1 1 1 PASS FAIL INCONCLUSIVE ERROR UNSET NOT APPLICABLE" in " ".join(said)
    whole = " ".join(said)
    assert "PR-D1.2 is INCONCLUSIVE: value ± U reaches across the limit" in whole
    assert "PR-D7.1 is NOT APPLICABLE: this pump cannot be stopped" in whole


def test_every_source_of_a_budget_is_printed_with_its_share(run: Path) -> None:
    volume = delivered_volume(
        0.0, 0.010, hours=1.0, z_ul_per_mg=1.0029, uncertainty=WeighingUncertainty(3e-6, 1e-6, 0.005, 0.02, 0.01)
    )
    rows = [asdict(row) | {"degrees_of_freedom": None} for row in volume.rows]
    one = {"quantity": "dose", "note": "A note beside it.", **asdict(volume), "degrees_of_freedom": None, "rows": rows}
    budgets = Budgets.model_validate({"kind": "budget", "title": "Uncertainty of one dose", "budgets": [one]})
    keep(run, BASAL, "uncertainty", budgets)
    said = text(run)
    assert "Dose: 10.049 ± 0.022 µL (u = 0.011 µL, ν = ∞, k = 2.00, 95.45 %)." in said
    assert "evaporation A 0.020 mg/h 0.010 mg/h ∞ 1.0 µL/(mg/h) 0.010 µL 84.4 %" in said
    assert "calibration of the balance B" in said
    assert "A note beside it." in said
