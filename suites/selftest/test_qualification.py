"""`rig qualify` finds what it is there to find: a changed or missing file, a clock on its own, wrong numbers."""

from __future__ import annotations

import importlib
import importlib.metadata
from pathlib import Path

import pytest

from rig.bench.file import read_bench_file
from rig.cli.installation import item_of, judged_clock, judged_packages, passed_if
from rig.cli.operation import changed_record_is_found, recompute_all, report_is_written
from rig.cli.qualify import QualifyAsked, in_short, made_of, qualification_page
from rig.errors import EvidenceError
from rig.record.qualification import Item
from rig.run.clock_reference import ClockReference, clock_reference, kernel_clock
from rig.run.installed import check_packages, missing_packages_of
from rig.run.known_inputs import KNOWN_INPUTS, known_results
from rig.shipped import shipped

BENCH = Path("fixtures/benches/virtual_ne1000.toml")
EMPTY = "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU"  # SHA-256 of no octets, as RECORD has it


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """An installed package of two files, each empty."""
    info = tmp_path / "other-2.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: other\nVersion: 2\n", encoding="utf-8")
    (info / "RECORD").write_text(f"a.py,sha256={EMPTY},0\nb.py,sha256={EMPTY},0\nc.pyc,,\n", encoding="utf-8")
    for name in ("a.py", "b.py"):
        (tmp_path / name).write_bytes(b"")
    return tmp_path


def judged(folder: Path) -> tuple[str, str]:
    return judged_packages(check_packages(importlib.metadata.distributions(path=[str(folder)])))


def test_packages_as_they_were_installed_pass(package: Path) -> None:
    assert judged(package) == ("passed", "2 files of 1 packages have the hashes that they were listed with")


def test_a_changed_file_and_a_missing_one_are_named(package: Path) -> None:
    (package / "a.py").write_bytes(b"1")
    (package / "b.py").unlink()
    assert judged(package) == ("failed", "other 2: a.py was changed; other 2: b.py is missing")


def test_a_package_that_is_needed_and_not_installed_is_named(package: Path) -> None:
    metadata = package / "other-2.dist-info" / "METADATA"
    needs = "Requires-Dist: numpy>=2\nRequires-Dist: no.such-thing>=1\nRequires-Dist: nor_this; extra == 'x'\n"
    metadata.write_text(metadata.read_text(encoding="utf-8") + needs, encoding="utf-8")
    (other,) = importlib.metadata.distributions(path=[str(package)])
    assert missing_packages_of(other) == ["no.such-thing"]
    assert judged_packages(check_packages([other]), ["no.such-thing"])[0] == "failed"


def test_a_package_without_a_list_of_its_files_fails(package: Path) -> None:
    (package / "other-2.dist-info" / "RECORD").unlink()
    assert judged(package) == ("failed", "other 2 has no list of its files")


@pytest.mark.parametrize(
    ("state", "status", "synchronised"), [(0, 0x2001, True), (0, 0x40, False), (5, 0, False), (-1, 0, False)]
)
def test_the_kernel_says_whether_its_clock_is_kept_right(state: int, status: int, synchronised: bool) -> None:
    assert kernel_clock(state, status, 2500).synchronised is synchronised


def test_the_rate_of_a_clock_that_is_kept_right_is_corrected_by_frequency_and_tick() -> None:
    assert kernel_clock(0, 0x2001, 2500, freq=-786432).correction_ppm == -12.0  # in 2^-16 ppm
    assert kernel_clock(0, 0x2001, 2500, freq=65536, tick_us=10001).correction_ppm == 101.0
    assert kernel_clock(5, 0x40, 2500, freq=65536).correction_ppm is None


def test_a_clock_without_reference_is_a_finding_and_no_pass() -> None:
    outcome, seen = judged_clock(ClockReference(False, None), None)
    assert outcome == "finding"
    assert "dates of records are not traceable" in seen
    assert judged_clock(ClockReference(False, None), " ")[0] == "finding"
    assert judged_clock(ClockReference(True, 0.0025), None)[0] == "passed"
    compared = judged_clock(ClockReference(False, None), "DCF77 clock no. 12, 0.3 s, 2026-11-28")
    assert (compared[0], compared[1].endswith("DCF77 clock no. 12, 0.3 s, 2026-11-28")) == ("passed", True)


def test_the_kernel_can_be_asked_without_setting_anything() -> None:
    found = clock_reference()
    assert found.synchronised is (found.largest_error_s is not None)


def test_known_inputs_give_what_their_sources_say() -> None:
    assert recompute_all() == ("passed", "13 of 13 agree")


def test_a_result_that_is_not_the_known_one_is_told_with_its_source(tmp_path: Path) -> None:
    text = shipped(KNOWN_INPUTS).read_text(encoding="utf-8")
    (tmp_path / "known.toml").write_text(text.replace("expected = 59\n", "expected = 60\n"), encoding="utf-8")
    (wrong,) = [each for each in known_results(tmp_path / "known.toml") if not each.agrees]
    assert str(wrong).startswith(
        "trials_needed(confidence = 0.95, reliability = 0.95) gave 59.0, expected 60.0 (n = ln"
    )


def test_a_bit_that_is_changed_in_a_record_is_found(run: Path) -> None:
    assert changed_record_is_found(run) == ("passed", "found: balance.csv was changed after the run was closed")
    assert report_is_written(run)[0] == "passed"


def test_an_item_that_cannot_be_looked_at_fails() -> None:
    def look() -> tuple[str, str]:
        raise EvidenceError("the disk is gone")

    item = item_of("IQ-7", "the disk", look)  # type: ignore[arg-type]
    assert (item.outcome, item.seen) == ("failed", "the disk is gone")
    item = item_of("IQ-5", "typst", lambda: passed_if(importlib.import_module("no_such_package") is None, ""))
    assert (item.outcome, item.seen) == ("failed", "ModuleNotFoundError: No module named 'no_such_package'")


def test_what_came_of_it_is_said_in_short_and_stands_on_the_page() -> None:
    spec, _ = read_bench_file(BENCH)
    asked = QualifyAsked(BENCH, Path("qualification"), "A. Bee", None, 366)
    passed = Item(id="IQ-1", asks="Python", outcome="passed", seen="3.11 | 64 bits")
    finding = Item(id="IQ-8", asks="clock", outcome="finding", seen="none")
    failed = Item(id="OQ-3", asks="wrong pump", outcome="failed", seen="PASS")
    assert in_short(made_of([passed], spec, asked)) == "Passed all 1 items."
    assert in_short(made_of([passed, finding], spec, asked)) == "Passed 1 of 2 items; findings to be judged: IQ-8."
    whole = made_of([passed, finding, failed], spec, asked)
    assert (whole.failed, whole.findings) == (["OQ-3"], ["IQ-8"])
    page = qualification_page(whole)
    assert "FAILED in OQ-3 of 3 items." in page
    assert "| IQ-1 | Python | passed | 3.11 \\| 64 bits |" in page
    assert whole.id in page
    assert "(SIMULATED)" in page
