"""Seals are one chain whoever ends tests side by side, and a trail is one chain whoever writes to it at once."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.audit.auditing import audit_run
from rig.audit.integrity import Intact
from rig.errors import EvidenceError
from rig.record.files import read_json
from rig.record.folder import RunFolder
from rig.record.rows import first_difference, row_sums
from rig.record.seal import SEAL, head
from rig.record.strict_json import json_octets, read_exactly, written_line
from rig.record.trail import TRAIL, append, entries_in, read
from suites.selftest.closed_runs import FIRST, SECOND, attempted, closed_run
from suites.selftest.recorded import manifest, rig

SEALING = """
import sys
from pathlib import Path
from rig.record.seal import seal_attempt
for number in range(int(sys.argv[2]), 20, 2):
    seal_attempt(Path(sys.argv[1]) / "record" / "tests" / f"a-{number}" / "1")
"""
WRITING = """
import sys
from pathlib import Path
from rig.record.trail import append
for number in range(10):
    append(Path(sys.argv[1]), who=sys.argv[2], what="note", new=str(number))
"""


def at_once(code: str, run: Path, names: tuple[str, ...]) -> None:
    """Do the same in several processes side by side."""
    started = [subprocess.Popen([sys.executable, "-c", code, str(run), name]) for name in names]
    assert [process.wait() for process in started] == [0] * len(names)


def test_tests_that_end_side_by_side_in_two_processes_make_one_chain(tmp_path: Path) -> None:
    run = RunFolder.create(tmp_path / "run", manifest())
    for number in range(20):
        run.collect(f"a.py::{number}", f"{number}", (), ())
        attempted(run, f"a.py::{number}", seal=False)
    run.appender.close()
    at_once(SEALING, run.path, ("0", "1"))
    assert len(list(run.record.glob(f"tests/*/*/{SEAL}"))) == 20
    run.end(None, "complete")
    assert isinstance(audit_run(run.path), Intact)


def test_the_first_seal_names_none_before_it_and_the_next_names_the_first(tmp_path: Path) -> None:
    run = closed_run(tmp_path / "run")
    tests = run / "record" / "tests"
    seals = [read_json(tests / name / SEAL) for name in ("a-test_first/1", "a-test_second/1", "a-test_second/2")]
    assert [each["previous"] for each in seals] == [None, seals[0]["sha256"], seals[1]["sha256"]]
    closing = RunFolder(run).closing()
    assert closing is not None
    assert (closing.last_seal, closing.sha256) == (seals[2]["sha256"], head(run))


def test_seals_name_every_file_of_their_attempt_but_themselves(tmp_path: Path) -> None:
    run = closed_run(tmp_path / "run")
    folder = run / "record" / "tests" / "a-test_first" / "1"
    files = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert set(read_json(folder / SEAL)["files"]) == files - {SEAL}


def test_a_run_that_goes_on_with_another_keeps_its_seals_and_goes_on_with_their_chain(tmp_path: Path) -> None:
    first = RunFolder.create(tmp_path / "first", manifest())
    for test in (FIRST, SECOND):
        first.collect(test, test, (), ())
    attempted(first, FIRST)
    first.end(None, "interrupted", undone={SECOND: "the run was interrupted"})
    then = RunFolder.create(tmp_path / "then", manifest())
    for path in sorted((first.record / "tests").rglob("*")):
        copy = then.record / path.relative_to(first.record)
        copy.mkdir(parents=True) if path.is_dir() else copy.write_bytes(path.read_bytes())
    for test in (FIRST, SECOND):
        then.collect(test, test, (), ())
    attempted(then, SECOND)
    then.end(None, "complete")
    seals = [read_json(then.record / "tests" / name / "1" / SEAL) for name in ("a-test_first", "a-test_second")]
    assert seals[1]["previous"] == seals[0]["sha256"] == read_json(first.record / "closing.json")["last_seal"]
    assert isinstance(audit_run(then.path), Intact)


def test_two_who_write_to_a_trail_at_once_wait_for_each_other(tmp_path: Path) -> None:
    run = closed_run(tmp_path / "run")
    at_once(WRITING, run, ("one", "other"))
    entries = read(run)
    assert [entry.n for entry in entries] == list(range(1, 24))
    assert [entry.new for entry in entries if entry.who == "one"] == [str(number) for number in range(10)]
    assert {entry.head for entry in entries} == {head(run)}


def test_a_run_that_is_not_closed_has_no_trail(tmp_path: Path) -> None:
    run = RunFolder.create(tmp_path / "run", manifest())
    with pytest.raises(EvidenceError, match="not closed"):
        append(run.path, who="A. Tester", what="note", new="too early")
    assert read(run.path) == ()
    assert not (run.path / TRAIL).exists()


def test_a_note_is_entered_by_name_and_shown_by_the_audit(tmp_path: Path) -> None:
    run = closed_run(tmp_path / "run")
    done = rig("note", str(run), "The bath was 1 K too warm.", "--who", "B. Meier", "--test", SECOND,
               "--disposition", "repeat")  # fmt: skip
    assert done.returncode == 0, done.stderr
    entry = read(run)[-1]
    assert (entry.n, entry.who, entry.what, entry.new) == (4, "B. Meier", "note", "The bath was 1 K too warm.")
    assert (entry.test, entry.disposition) == (SECOND, "repeat")
    done = rig("note", str(run), "text", "--who", "B. Meier", "--test", "a.py::test_third")
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert len(read(run)) == 4


WORDS = st.dictionaries(
    st.text(max_size=5), st.none() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
)


@given(WORDS)
def test_what_is_written_is_read_exactly(content: dict[str, float | None]) -> None:
    try:
        data = json_octets(content)
    except UnicodeEncodeError:  # half of a character
        return
    assert read_exactly(data) == content
    assert read_exactly(written_line(content), line=True) == content


@given(WORDS, st.integers(0, 2**16))
def test_the_same_content_in_other_octets_is_another_file(content: dict[str, float | None], width: int) -> None:
    with pytest.raises(ValueError, match="is not written as the rig writes it"):
        read_exactly(json.dumps(content, indent=3 + width % 5).encode())


@given(st.lists(st.binary(max_size=8).map(lambda data: data.replace(b"\n", b"") + b"\n"), min_size=1), st.data())
def test_a_change_of_one_octet_is_found_in_its_line(lines: list[bytes], data: st.DataObject) -> None:
    number = data.draw(st.integers(0, len(lines) - 1))
    at = data.draw(st.integers(0, len(lines[number]) - 1))
    changed = bytearray(lines[number])
    changed[at] ^= data.draw(st.integers(1, 255))
    now = row_sums([*lines[:number], bytes(changed), *lines[number + 1 :]])
    assert first_difference(row_sums(lines), now) == f"line {number + 1} was altered"


@given(st.binary(min_size=1))
def test_no_octets_break_the_reader_of_a_trail(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"^entry 1 "):
        entries_in(data)
