"""Every start on a bench has a number that nobody can take back: aborted, killed, refused and deleted runs too."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from reports.pump_runs import every_run_of_pump
from rig.errors import BenchFileError, EvidenceError
from rig.record.closed import CLOSING, with_own_hash
from rig.record.files import read_json
from rig.record.folder import RunFolder
from rig.record.pump_runs import read_pump_runs
from rig.record.reading import read_run
from rig.run.begin import discard, end_run, start_run
from rig.run.inputs import Inputs, Sources, read_inputs
from rig.run.ledger import (
    SUFFIX,
    LedgerEntry,
    add_to_ledger,
    ledger_named_by,
    read_ledger,
    runs_of_pump,
    take_number,
)
from rig.run.ledger_copy import VARIABLE, copy_file
from rig.run.ledger_findings import findings_of, put_back, repeated
from rig.run.ledger_lines import FIRST, PumpSeen, RunBegun, RunEnded, ledger_lines
from rig.shipped import DEFAULT_BENCH, DEFAULT_PUMP_SHEET, shipped
from suites.selftest.recorded import PLAN, rig

LAB = Path("fixtures/benches/lab_example.toml")
BEGIN = """
import os, signal, sys
from pathlib import Path
from rig.run.begin import start_run
from rig.run.inputs import Sources, read_inputs
start_run(read_inputs(Sources(Path(sys.argv[1]), {}, pump_sheet=Path(sys.argv[2]))), out=Path(sys.argv[3]))
os.kill(os.getpid(), signal.SIGKILL)
"""
TAKE = """
import sys
from pathlib import Path
from rig.run.ledger import take_number
from suites.selftest.test_ledger import begun
for each in range(25):
    print(take_number(Path(sys.argv[1]), begun(f"{sys.argv[2]}-{each}"), Path("run"))[0])
"""


def begun(run_id: str = "r", **said: object) -> RunBegun:
    """What a run says when it begins."""
    given = {
        "n": 1, "run_id": run_id, "folder": "", "begun_utc": "2026-11-28T06:00:00Z", "begun_by": "rig verify",
        "operator": "A. Bee", "serial_number": "P1", "plan": "default", "selected": None, "formal": False,
    }  # fmt: skip
    return RunBegun.model_validate(given | said)


def ended(n: int, verdict: str, **requirements: str) -> RunEnded:
    named = {name.replace("_", "."): value for name, value in requirements.items()}
    return RunEnded(
        n=n, ended_utc="2026-11-28T07:00:00Z", outcome="complete", verdict=verdict, requirements=named, head="a" * 64
    )


@pytest.fixture(autouse=True)
def copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """This PC's copy of what it writes into ledgers, of one test alone."""
    path = tmp_path / "state" / "ledgers.jsonl"
    monkeypatch.setenv(VARIABLE, str(path))
    return path


@pytest.fixture
def lab(tmp_path: Path) -> Path:
    """A real bench's file in a folder of its own."""
    return Path(shutil.copy(LAB, tmp_path / "lab.toml"))


@pytest.fixture
def inputs(lab: Path) -> Inputs:
    return read_inputs(Sources(lab, {}, pump_sheet=shipped(DEFAULT_PUMP_SHEET)))


@pytest.fixture
def short(tmp_path: Path) -> Path:
    """A ledger of two runs of one pump, with all kinds of lines."""
    path = tmp_path / f"short{SUFFIX}"
    for verdict in ("FAIL", "PASS"):
        number, _ = take_number(path, begun(), tmp_path / "run")
        add_to_ledger(path, PumpSeen(n=number, serial_number="P2"))
        add_to_ledger(path, ended(number, verdict, PR_1=verdict))
    return path


def whats(path: Path, **asked: object) -> list[str]:
    return [each.what for each in findings_of(read_ledger(path), **asked)]  # type: ignore[arg-type]


def test_a_run_on_a_real_bench_has_its_number_before_anything_is_measured(inputs: Inputs, tmp_path: Path) -> None:
    run = start_run(inputs, out=tmp_path / "run")
    manifest = run.manifest()
    (entry,) = read_ledger(tmp_path / f"lab{SUFFIX}").runs
    assert (entry.n, manifest.ledger_number) == (1, 1)
    assert manifest.ledger == entry.sha256
    assert (entry.run_id, entry.folder, entry.outcome) == (manifest.run_id, "run", None)
    assert entry.serial_number == inputs.spec.pump.serial_number
    assert not (run.record / "bench_check.json").exists()


def test_a_virtual_bench_has_numbers_only_where_its_file_names_a_ledger(tmp_path: Path) -> None:
    run = start_run(read_inputs(Sources(shipped(DEFAULT_BENCH), {})), out=tmp_path / "run")
    assert run.manifest().ledger_number is None
    assert list(tmp_path.glob("*.jsonl")) == []


def test_what_only_lists_tests_takes_no_number(inputs: Inputs, tmp_path: Path) -> None:
    assert start_run(inputs, out=tmp_path / "run", measures=False).manifest().ledger_number is None
    assert not (tmp_path / f"lab{SUFFIX}").exists()


def test_a_start_that_was_refused_keeps_its_number(inputs: Inputs, tmp_path: Path) -> None:
    discard(start_run(inputs, out=tmp_path / "one"))
    start_run(inputs, out=tmp_path / "two")
    first, second = read_ledger(tmp_path / f"lab{SUFFIX}").runs
    assert (first.n, first.outcome, second.n) == (1, "refused", 2)
    assert not (tmp_path / "one").exists()


def test_a_run_that_was_killed_is_one_without_an_end(lab: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", BEGIN, str(lab), str(shipped(DEFAULT_PUMP_SHEET)), str(tmp_path / "run")], check=False
    )
    assert done.returncode == -signal.SIGKILL
    path = tmp_path / f"lab{SUFFIX}"
    (found,) = findings_of(read_ledger(path))
    assert found.what.endswith("was begun and has no end: it was killed, or deleted")
    assert not found.altered
    shutil.rmtree(tmp_path / "run")
    assert [each.altered for each in findings_of(read_ledger(path))] == [True, False]
    assert f"its folder {tmp_path / 'run'} is gone" in whats(path)[0]


def test_a_run_that_is_closed_later_has_its_end(inputs: Inputs, tmp_path: Path) -> None:
    run = start_run(inputs, out=tmp_path / "run")
    end_run(run, "interrupted")
    path = tmp_path / f"lab{SUFFIX}"
    (entry,) = read_ledger(path).runs
    assert entry.outcome == "interrupted"
    assert entry.head == read_json(run.record / CLOSING)["sha256"]
    assert whats(path) == []
    kept = read_pump_runs(run.record)
    assert kept is not None
    assert (kept.number, [each.n for each in kept.runs], kept.findings) == (1, [1], ())
    second = start_run(inputs, out=tmp_path / "second")
    end_run(second, "interrupted")
    first, this = every_run_of_pump(read_run(second.path))
    assert first[0] == "Run 1"
    assert first[1].endswith("not formal, plan default, N. N.: interrupted, ERROR")
    assert (this[0], this[1].rpartition(": ")[2]) == ("Run 2", "this run")


def test_a_copy_of_a_run_that_is_closed_too_adds_no_second_end(inputs: Inputs, tmp_path: Path) -> None:
    run = start_run(inputs, out=tmp_path / "run")
    copy = RunFolder(Path(shutil.copytree(run.path, tmp_path / "elsewhere" / "run")))
    for each in (run, copy):
        end_run(each, "interrupted")
    assert whats(tmp_path / f"lab{SUFFIX}") == []


def test_two_processes_at_once_get_different_numbers(tmp_path: Path) -> None:
    path = tmp_path / "two.jsonl"
    processes = [
        subprocess.Popen([sys.executable, "-c", TAKE, str(path), name], stdout=subprocess.PIPE, text=True)
        for name in ("a", "b")
    ]
    numbers = [int(line) for each in processes for line in each.communicate()[0].split()]
    assert sorted(numbers) == list(range(1, 51))
    assert read_ledger(path).alterations == ()


def test_runs_of_a_pump_are_those_in_which_it_answered(short: Path) -> None:
    assert [(each.n, each.verdict) for each in runs_of_pump(short, "P2")] == [(1, "FAIL"), (2, "PASS")]
    assert runs_of_pump(short, "P1") == ()


def test_any_octet_that_is_changed_is_found(short: Path, tmp_path: Path) -> None:
    data = short.read_bytes()
    assert read_ledger(short).alterations == ()
    changed = tmp_path / "changed"
    for place in range(len(data)):
        damaged = bytearray(data)
        damaged[place] ^= 0x29 if data[place : place + 1] == b" " else 0x01  # a tab in place of a space says the same
        changed.write_bytes(damaged)
        read = read_ledger(changed)
        assert read.alterations or read.oddities, place


def lines_of(path: Path) -> list[bytes]:
    return path.read_bytes().splitlines(keepends=True)


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (lambda lines: lines[1:], "number 1 is missing"),
        (lambda lines: lines[:3] + lines[4:], "is of run 2, which has not begun"),
        (lambda lines: [*lines[:2], lines[3], lines[2], *lines[4:]], "does not follow the line before it"),
        (lambda lines: [*lines, lines[0]], "number 1 was taken before"),
        (lambda lines: [*lines[:3], b"{}\n", *lines[3:]], "line 4 cannot be read"),
    ],
)
def test_lines_that_are_taken_out_moved_or_put_in_are_found(
    short: Path, change: Callable[[Sequence[bytes]], Sequence[bytes]], found: str
) -> None:
    short.write_bytes(b"".join(change(lines_of(short))))
    assert any(found in each for each in read_ledger(short).alterations)


def test_a_line_that_was_cut_off_stays_and_the_next_run_has_its_number(short: Path, tmp_path: Path) -> None:
    whole = short.read_bytes()
    short.write_bytes(whole[:-40])
    number, _ = take_number(short, begun(), tmp_path / "next")
    assert number == 3
    assert short.read_bytes().startswith(whole[:-40])
    read = read_ledger(short)
    assert (read.alterations, len(read.oddities)) == ((), 1)
    assert read.oddities[0].startswith("line 6 is cut off")


def test_a_line_of_a_later_version_is_told_of_and_its_number_stays_taken(short: Path, tmp_path: Path) -> None:
    later = {"entry": "resumed", "n": 3, "previous": ledger_lines(short.read_bytes()).end}
    with short.open("a", encoding="utf-8") as file:
        file.write(json.dumps(with_own_hash(later), sort_keys=True) + "\n")
    assert take_number(short, begun(), tmp_path / "next")[0] == 4
    read = read_ledger(short)
    assert read.alterations == ()
    assert read.oddities == ("line 7 is of a later version of the rig; read the ledger with that one",)


def test_a_ledger_that_was_written_anew_differs_from_the_records(inputs: Inputs, tmp_path: Path) -> None:
    """All of its sums done again, as whoever owns the file may."""
    end_run(start_run(inputs, out=tmp_path / "run"), "interrupted")
    path = tmp_path / f"lab{SUFFIX}"
    previous = FIRST
    anew = []
    for line in lines_of(path):
        content = with_own_hash(json.loads(line) | {"previous": previous, "operator": "somebody else"})
        previous = str(content["sha256"])
        anew.append(json.dumps(content, sort_keys=True))
    path.write_text("\n".join([*anew, ""]), encoding="utf-8")
    assert read_ledger(path).alterations == ()
    assert any("holds another run" in each for each in whats(path))


def test_a_run_that_was_cut_from_the_end_of_the_ledger_is_found_by_its_folder(inputs: Inputs, tmp_path: Path) -> None:
    end_run(start_run(inputs, out=tmp_path / "runs" / "one"), "interrupted")
    path = tmp_path / f"lab{SUFFIX}"
    kept = path.read_bytes()
    end_run(start_run(inputs, out=tmp_path / "runs" / "two"), "interrupted")
    path.write_bytes(kept)
    beside, copied = whats(path)
    assert beside == f"{tmp_path / 'runs' / 'two'}: took number 2 of this ledger, which has no such run"
    assert copied.startswith(f"run 2: begun, ended: this PC wrote that into {path}, and it is not there")
    shutil.rmtree(tmp_path / "runs" / "two")
    assert whats(path) == [copied]


def test_a_run_on_a_copy_of_the_bench_file_is_told_of_where_the_pump_is_listed(
    lab: Path, inputs: Inputs, tmp_path: Path
) -> None:
    (tmp_path / "aside").mkdir()
    copy = Path(shutil.copy(lab, tmp_path / "aside" / "copy.toml"))
    start_run(read_inputs(Sources(copy, {}, pump_sheet=shipped(DEFAULT_PUMP_SHEET))), out=tmp_path / "runs" / "copied")
    end_run(run := start_run(inputs, out=tmp_path / "runs" / "run"), "interrupted")
    pump, other = inputs.spec.pump.serial_number, copy.with_suffix(SUFFIX)
    kept = read_pump_runs(run.record)
    assert kept is not None
    assert kept.findings == (f"the pump {pump} has one run in another ledger, {other}",)
    assert whats(tmp_path / f"lab{SUFFIX}", elsewhere=[tmp_path / "runs"]) == list(kept.findings)


def test_nothing_begins_where_this_pc_can_keep_no_copy(
    inputs: Inputs, copied: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copied.mkdir(parents=True)
    with pytest.raises(EvidenceError, match=f"name another file by {VARIABLE}"):
        start_run(inputs, out=tmp_path / "run")
    assert not (tmp_path / f"lab{SUFFIX}").exists()
    assert not (tmp_path / "run").exists()
    monkeypatch.delenv(VARIABLE)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "elsewhere"))
    assert copy_file() == tmp_path / "elsewhere" / "insulin-pump-rig" / "ledgers.jsonl"


def test_a_clock_that_was_put_back_is_told_of() -> None:
    first, second = entry(1), replace(entry(2), begun_utc="2026-11-27T06:00:00Z", ended_utc="2026-11-27T05:00:00Z")
    first = replace(first, begun_utc="2026-11-28T06:00:00Z")
    assert put_back([first]) == []
    assert [each.partition(" at ")[0] for each in put_back([first, second])] == ["run 2 began", "run 2 ended"]


def test_a_run_that_was_moved_is_found_where_it_is_now(inputs: Inputs, tmp_path: Path) -> None:
    end_run(start_run(inputs, out=tmp_path / "run"), "interrupted")
    (tmp_path / "archive").mkdir()
    (tmp_path / "run").rename(tmp_path / "archive" / "run")
    path = tmp_path / f"lab{SUFFIX}"
    assert len(whats(path)) == 1
    assert whats(path, elsewhere=[tmp_path / "archive"]) == []


def entry(n: int, **requirements: str) -> LedgerEntry:
    return LedgerEntry(
        n=n, run_id=f"r{n}", folder="", begun_utc="", begun_by="", operator=None, serial_number="P1", plan="",
        selected=None, formal=False, resumes=None, sha256="",
        requirements={name.replace("_", "."): verdict for name, verdict in requirements.items()},
    )  # fmt: skip


def test_what_was_tried_until_it_passed_is_said() -> None:
    runs = [entry(4, a="FAIL", b="PASS"), entry(5, a="INCONCLUSIVE", b="FAIL"), entry(7, a="PASS", c="PASS")]
    assert repeated(runs) == ["a of pump P1 was tried 3 times until it passed: FAIL in run 4, INCONCLUSIVE in run 5, "
                              "PASS in run 7"]  # fmt: skip
    assert repeated([entry(1, a="NOT APPLICABLE"), entry(2, a="PASS")]) == []


def test_the_ledger_cannot_be_chosen_for_one_call(lab: Path, tmp_path: Path) -> None:
    inputs = read_inputs(Sources(lab, {"ledger": "mine.jsonl"}, pump_sheet=shipped(DEFAULT_PUMP_SHEET)))
    with pytest.raises(BenchFileError, match="the run ledger is the bench's"):
        start_run(inputs, out=tmp_path / "run")
    assert not (tmp_path / "run").exists()
    assert not (tmp_path / "mine.jsonl").exists()


def test_without_a_ledger_nothing_begins(lab: Path, inputs: Inputs, tmp_path: Path) -> None:
    lab.with_suffix(SUFFIX).mkdir()
    with pytest.raises(EvidenceError, match="no run on it begins without a number"):
        start_run(inputs, out=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_channels_of_one_file_share_its_ledger() -> None:
    assert ledger_named_by(Path("fixtures/benches/virtual_channels.toml#left")) == Path(
        f"fixtures/benches/virtual_channels{SUFFIX}"
    )


def test_a_run_and_the_ledger_tell_of_one_another(tmp_path: Path) -> None:
    """By `rig verify` and `rig ledger`, on a virtual bench that names a ledger."""
    bench = tmp_path / "bench.toml"
    text = Path("fixtures/benches/virtual_ne1000.toml").read_text(encoding="utf-8")
    text = text.replace('sheet = "../pumps/', f'sheet = "{Path("fixtures/pumps").resolve()}/').replace(
        "[balance]", 'ledger = "all.jsonl"\n\n[balance]', 1
    )
    bench.write_text(text.replace("[pump]", '[pump]\nstage = "prototype"'), encoding="utf-8")
    plan = tmp_path / "plan.toml"
    plan.write_text(PLAN.partition("[[basal]]")[0].replace(PLAN.split('"')[5], "test_stopped"), encoding="utf-8")
    done = rig("verify", "--bench", str(bench), "--plan", str(plan), "--operator=A. Bee", "--out", str(tmp_path / "r"))
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[1] == "NOT FORMAL — not made under the conditions of a formal run"
    assert "Run 1 of this bench; run 1 of the pump" in done.stdout
    manifest = read_json(tmp_path / "r" / "record" / "manifest.json")
    assert (manifest["operator"], manifest["formal"], manifest["pump_stage"]) == ("A. Bee", False, "prototype")
    told = rig("ledger", str(bench))
    assert told.returncode == 0
    assert "No finding" in told.stdout
    (tmp_path / "all.jsonl").write_bytes((tmp_path / "all.jsonl").read_bytes().replace(b"A. Bee", b"B. Cee"))
    told = rig("ledger", str(tmp_path / "all.jsonl"))
    assert told.returncode == 5
    assert "line 1, of run 1, was changed after it was written" in told.stdout
    assert rig("ledger", str(tmp_path / "none.jsonl")).returncode == 3
