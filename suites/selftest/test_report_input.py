"""The report refuses a damaged record in one sentence, and shows any text without running it."""

from pathlib import Path
from typing import Any

import pytest
from pypdf import PdfReader

from reports.glyphs import readable
from rig.errors import EvidenceError
from rig.record.files import read_json, write_json
from suites.selftest.recorded import STOPPED, change, ended_otherwise, framed, sealed, without_further_curves
from suites.selftest.reported import write_report


@pytest.fixture
def run(run: Path) -> Path:
    """The copy with less to draw."""
    without_further_curves(run)
    return run


def text(run: Path) -> str:
    """Write the report and get its text, on one line."""
    return " ".join(" ".join(page.extract_text() for page in PdfReader(write_report(run)).pages).split())


def test_a_simulated_run_cannot_pose_as_a_real_one(run: Path) -> None:
    change(run / "record" / "manifest.json", virtual=False)
    with pytest.raises(EvidenceError, match=r"manifest\.json: .*simulated must say so"):
        write_report(run)


def test_a_simulated_run_of_format_1_cannot_pose_as_a_real_one_either(old_run: Path) -> None:
    change(old_run / "manifest.json", virtual=False)
    with pytest.raises(EvidenceError, match=r"manifest\.json: .*simulated must say so"):
        write_report(old_run)


@pytest.mark.parametrize(
    ("file", "damage", "sentence"),
    [
        ("manifest.json", None, r"there is no record/manifest\.json, so this is no run folder"),
        ("results.json", None, r"results\.json: the file is missing from the run folder"),
        ("results.json", '{"format": 1', r"results\.json: cannot be read as JSON"),
        ("results.json", "[]", r"results\.json: holds no JSON object"),
        ("manifest.json", {"format": 4}, r"manifest\.json: format is 4: input should be 1, 2 or 3"),
        (
            "manifest.json",
            {"outcome": "fine"},
            r"manifest\.json: outcome is 'fine': input should be 'started', 'complete'",
        ),
        (
            "manifest.json",
            {"started_utc": "noon"},
            r"manifest\.json: started_utc is 'noon': input should be a valid date",
        ),
        ("closing.json", {"ended_utc": "2026-11-23T08:15:02"}, r"closing\.json: .*input should have timezone info"),
        ("bench_check.json", {"problems": None}, r"bench_check\.json: problems is None: input should be a valid dict"),
        ("collected.jsonl", '{"test": 1}\n', r"collected\.jsonl: "),
        ("tests/*/1/events.jsonl", '{"event": "end", "outcome": "fine"}\n', r"events\.jsonl: .*'fine': input should"),
        ("results.json", {"verdict": "FAIL"}, r"the run is called FAIL, its requirements say PASS"),
        ("results.json", {"verdict": "GOOD"}, r"results\.json: verdict is 'GOOD': input should be 'PASS', 'FAIL'"),
        (
            "tests/*/1/*/computed/trumpet.json",
            {"windows_min": [15]},
            r"the arrays of the curve differ in length: 1, 3, 3",
        ),
        (
            "tests/*/1/*/computed/bolus.json",
            {"sd_percent": float("nan")},
            r"bolus\.json: sd_percent is nan: input should be a finite",
        ),
        (
            "tests/*/1/*/computed/occlusion-1.json",
            {"released_u": "two"},
            r"occlusion-1\.json: released_u is 'two': input should be a valid",
        ),
        ("tests/*/1/*/environment.csv", "at_s,temperature_c\n0,warm\n", r"environment\.csv: cannot be read as a table"),
    ],
)
def test_a_damaged_record_is_refused_in_one_sentence(
    run: Path, file: str, damage: str | dict[str, Any] | None, sentence: str
) -> None:
    """Also when the list of its files was written anew."""
    path = next((run / "record").glob(file))
    reports = list(run.rglob("report.pdf"))
    if damage is None:
        path.unlink()
    elif isinstance(damage, str):
        path.write_text(damage, encoding="utf-8")
    else:
        change(path, **damage)
    sealed(run)
    with pytest.raises(EvidenceError, match=sentence) as raised:
        write_report(run)
    assert "\n" not in str(raised.value)
    assert list(run.rglob("report.pdf")) == reports


def test_a_verdict_that_its_numbers_deny_is_refused(run: Path) -> None:
    results = read_json(run / "record" / "results.json")
    results["requirements"][0]["measurements"][0]["value"] = 9.0
    write_json(run / "record" / "results.json", results)
    sealed(run)
    with pytest.raises(EvidenceError, match="mean basal error at 1 U/h is called PASS, its numbers say FAIL"):
        write_report(run)


def test_no_folder_and_a_folder_that_takes_no_file_are_one_sentence_each(run: Path, tmp_path: Path) -> None:
    with pytest.raises(EvidenceError, match="there is no such run folder"):
        write_report(tmp_path / "nowhere")
    (run / "reports").rename(run / "elsewhere")
    (run / "reports").touch()
    told = r"reports/rev-1/report\.pdf: cannot be written \(.*\); what was written before is kept"
    with pytest.raises(EvidenceError, match=told):
        write_report(run)


@pytest.mark.parametrize(
    "message",
    [
        '#read("/etc/passwd") $x^2$ *bold* _it_ <label> @method // no /* comment */ `raw` \\u{41} = Heading',
        '"]) #panic("no") #[',
        "-- --- ... ~ https://example.org 100 % ± 1",
    ],
)
def test_text_of_a_record_is_shown_and_never_run(run: Path, message: str) -> None:
    framed(run, operator=message)
    ended_otherwise(run, STOPPED, "error", message)
    assert "".join(text(run).split()).count("".join(message.split())) >= 2


def test_signs_without_a_glyph_are_written_by_their_number(run: Path) -> None:
    assert readable("5 µL\x00\n王") == "5 µL[U+0000]\n[U+738B]"
    assert readable({"a": ["\ud800", 1, None]}) == {"a": ["[U+D800]", 1, None]}
    framed(run, operator="王 Δ ≤ Ж 💉")
    assert "[U+738B] Δ ≤ Ж [U+1F489]" in text(run)
