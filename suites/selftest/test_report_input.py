"""The report refuses a damaged record in one sentence, and shows any text without running it."""

from pathlib import Path
from typing import Any

import pytest
from pypdf import PdfReader
from rig.evidence import RunFolder, read_json, write_json

from reports.glyphs import readable
from reports.pdf import write_report
from rig.errors import EvidenceError
from suites.selftest.synthetic_run import STOPPED, change, close_run, make_run


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return make_run(tmp_path / "run")


def text(run: Path) -> str:
    """Write the report and get its text, on one line."""
    return " ".join(" ".join(page.extract_text() for page in PdfReader(write_report(run)).pages).split())


def test_a_simulated_run_cannot_pose_as_a_real_one(run: Path) -> None:
    change(run / "manifest.json", virtual=False)
    with pytest.raises(EvidenceError, match=r"manifest\.json: .*simulated must say so"):
        write_report(run)


@pytest.mark.parametrize(
    ("file", "damage", "sentence"),
    [
        ("manifest.json", None, r"manifest\.json: the file is missing from the run folder"),
        ("results.json", None, r"results\.json: the file is missing from the run folder"),
        ("results.json", '{"format": 1', r"results\.json: cannot be read as JSON"),
        ("results.json", "[]", r"results\.json: holds no JSON object"),
        ("manifest.json", {"format": 2}, r"manifest\.json: format is 2: input should be 1"),
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
        ("manifest.json", {"ended_utc": "2026-11-23T08:15:02"}, r"input should have timezone info"),
        ("results.json", {"verdict": "PASS"}, r"the run is called PASS, its requirements say UNSET"),
        ("results.json", {"verdict": "GOOD"}, r"results\.json: verdict is 'GOOD': input should be 'PASS', 'FAIL'"),
        ("analysis/*/trumpet.json", {"windows_min": [15]}, r"the arrays of the curve differ in length: 1, 6, 6"),
        (
            "analysis/*/bolus.json",
            {"sd_percent": float("nan")},
            r"bolus\.json: sd_percent is nan: input should be a finite",
        ),
        (
            "analysis/*/occlusion.json",
            {"released_u": "two"},
            r"occlusion\.json: released_u is 'two': input should be a valid",
        ),
        ("samples/*/environment.csv", "at_s,temperature_c\n0,warm\n", r"environment\.csv: cannot be read as a table"),
    ],
)
def test_a_damaged_record_is_refused_in_one_sentence(
    run: Path, file: str, damage: str | dict[str, Any] | None, sentence: str
) -> None:
    path = next(run.glob(file))
    if damage is None:
        path.unlink()
    elif isinstance(damage, str):
        path.write_text(damage, encoding="utf-8")
    else:
        change(path, **damage)
    with pytest.raises(EvidenceError, match=sentence) as raised:
        write_report(run)
    assert "\n" not in str(raised.value)
    assert not (run / "report.pdf").exists()


def test_a_verdict_that_its_numbers_deny_is_refused(run: Path) -> None:
    results = read_json(run / "results.json")
    results["requirements"][0]["measurements"][0]["value"] = 9.0
    write_json(run / "results.json", results)
    with pytest.raises(EvidenceError, match="mean basal error is called PASS, its numbers say FAIL"):
        write_report(run)


def test_no_folder_and_a_folder_that_takes_no_file_are_one_sentence_each(run: Path, tmp_path: Path) -> None:
    with pytest.raises(EvidenceError, match="there is no such run folder"):
        write_report(tmp_path / "nowhere")
    (run / "report.partial").mkdir()
    with pytest.raises(EvidenceError, match=r"report\.pdf: cannot be written \(Is a directory\); the record itself"):
        write_report(run)


@pytest.mark.parametrize(
    "message",
    [
        '#read("/etc/passwd") $x^2$ *bold* _it_ <label> @method // no /* comment */ `raw` \\u{41} = Heading',
        '"]) #panic("no") #[',
        "-- --- ... ~ https://example.org 100 % ± 1",
    ],
)
def test_text_of_a_record_is_shown_and_never_run(tmp_path: Path, message: str) -> None:
    folder = RunFolder(make_run(tmp_path / "run", operator=message))
    folder.failed_before_start(STOPPED, message)
    close_run(folder)
    assert "".join(message.split()) in "".join(text(folder.path).split())


def test_signs_without_a_glyph_are_written_by_their_number(tmp_path: Path) -> None:
    assert readable("5 µL\x00\n王") == "5 µL[U+0000]\n[U+738B]"
    assert readable({"a": ["\ud800", 1, None]}) == {"a": ["[U+D800]", 1, None]}
    assert "[U+738B] Δ ≤ Ж [U+1F489]" in text(make_run(tmp_path / "run", operator="王 Δ ≤ Ж 💉"))
