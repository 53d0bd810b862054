"""Runs that somebody stops, kills or goes on with: real signals, real processes, nothing lost."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from rig.lease import is_held
from rig.record.closed import sums
from rig.record.files import read_json_lines
from rig.record.folder import LEASE
from rig.run.reading import read_whole_run
from suites.selftest.recorded import rig
from suites.studies.killed.__main__ import summary
from suites.studies.killed.killing import killed, whole

LONG = "test_basal"
TITRE = "suites/pump/test_basal.py::test_basal_delivery[1 U/h]"


def files(run: Path, pattern: str) -> list[Path]:
    return sorted(run.glob(pattern))


def children(pid: int) -> list[int]:
    text = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")
    return [int(each) for each in text.split()]


def lives(pid: int) -> bool:
    """Whether a process still does anything: one that has ended and was not collected does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def until(happened: Callable[[], object], process: subprocess.Popen[bytes]) -> None:
    """Wait for an event of a process that lives."""
    while not happened():
        assert process.poll() is None, "it has ended before"


@contextmanager
def verifying(out: Path, select: str = LONG) -> Iterator[subprocess.Popen[bytes]]:
    """A run in a session of its own."""
    command = [sys.executable, "-m", "rig", "verify", "--out", str(out), "--select", select]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, start_new_session=True
    ) as process:
        yield process


def assert_interrupted(out: Path, code: int, output: str) -> None:
    """The run is closed as interrupted with a report, nothing is PASS, the bench was left safe."""
    assert code == 3, output
    assert "Traceback" not in output
    run = read_whole_run(out)
    assert (run.manifest.outcome, run.results.verdict.value) == ("interrupted", "ERROR")
    assert (out / "reports/rev-1/report.pdf").is_file()
    assert "Verdict: ERROR" in output
    assert not is_held(out / LEASE)


def assert_left_safe(out: Path) -> None:
    """The last that went over the wires stopped the pump, released the switch, and switched the supply off."""
    [log] = files(out, "record/tests/*/1/wire.log")
    sent = [line.split("\t")[1:] for line in log.read_text(encoding="utf-8").splitlines()]
    devices = [device.split()[0] for device, way, _ in sent if way == ">"]
    assert devices[-1] == "supply"
    last = bytes.fromhex(next(data for device, way, data in reversed(sent) if "OUTP OFF" in text(data)))
    assert last.startswith(b"OUTP OFF")


def text(data: str) -> str:
    return bytes.fromhex(data).decode("latin-1")


def one_runner(process: subprocess.Popen[bytes]) -> int:
    return children(process.pid)[-1]


@pytest.mark.parametrize(
    ("number", "to"),
    [
        (signal.SIGTERM, "parent"),
        (signal.SIGHUP, "group"),
        (signal.SIGQUIT, "runner"),
        (signal.SIGINT, "parent"),
    ],
)
def test_every_way_to_stop_a_run_ends_in_the_same_way(tmp_path: Path, number: int, to: str) -> None:
    out = tmp_path / "run"
    with verifying(out) as process:
        until(lambda: files(out, "record/tests/*/1/*/balance.csv"), process)
        runner = one_runner(process)
        if to == "group":
            os.killpg(process.pid, number)
        else:
            os.kill(process.pid if to == "parent" else runner, number)
        output = process.communicate()[0].decode()
    assert_interrupted(out, process.returncode, output)
    assert_left_safe(out)
    assert not lives(runner)


def test_robot_framework_is_stopped_like_pytest(tmp_path: Path) -> None:
    out = tmp_path / "run"
    with verifying(out, "PR-D9.1 or PR-F1.5 or PR-F1.6 or PR-F1.7") as process:
        until(lambda: files(out, "record/tests/*/1/*/balance.csv"), process)
        os.killpg(process.pid, signal.SIGINT)
        os.killpg(process.pid, signal.SIGTERM)  # a second one breaks nothing off
        output = process.communicate()[0].decode()
    assert_interrupted(out, process.returncode, output)
    assert_left_safe(out)
    outcomes = [(test.outcome, test.message) for test in read_whole_run(out).results.tests]
    assert len(outcomes) == 4
    assert outcomes.count(("interrupted", "the run was interrupted by SIGINT during this test")) == 1
    assert outcomes.count(("not run", "the run was interrupted by SIGINT before this test")) == 3


def test_stopped_while_the_suites_declare_what_they_measure(tmp_path: Path) -> None:
    out = tmp_path / "run"
    with verifying(out) as process:
        until(lambda: (out / "record/manifest.json").is_file() and children(process.pid), process)
        process.send_signal(signal.SIGTERM)
        output = process.communicate()[0].decode()
    assert_interrupted(out, process.returncode, output)


def test_stopped_when_all_was_measured_the_run_is_complete_and_the_exit_code_says_that_it_was_stopped(
    tmp_path: Path,
) -> None:
    out = tmp_path / "run"
    with verifying(out, "stopped") as process:
        until(lambda: (out / "record/results.json").is_file(), process)
        process.send_signal(signal.SIGTERM)
        output = process.communicate()[0].decode()
    assert process.returncode == 3, output
    assert "SIGTERM came when the run had ended; it is complete." in output
    assert read_whole_run(out).manifest.outcome == "complete"


def test_a_terminal_that_goes_away_takes_nothing_with_it(tmp_path: Path) -> None:
    out = tmp_path / "run"
    command = [sys.executable, "-m", "rig", "verify", "--out", str(out), "--select", LONG]
    master, slave = pty.openpty()
    with subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave, start_new_session=True) as process:
        os.close(slave)
        until(lambda: files(out, "record/tests/*/1/*/balance.csv"), process)
        os.close(master)
        process.send_signal(signal.SIGHUP)
    assert process.returncode == 3
    assert read_whole_run(out).manifest.outcome == "interrupted"
    assert (out / "reports/rev-1/report.pdf").is_file()


def test_a_runner_that_stands_still_is_stopped_too(tmp_path: Path) -> None:
    out = tmp_path / "run"
    with verifying(out) as process:
        until(lambda: files(out, "record/tests/*/1/*/balance.csv"), process)
        os.kill(one_runner(process), signal.SIGSTOP)
        process.send_signal(signal.SIGTERM)
        output = process.communicate()[0].decode()
    assert_interrupted(out, process.returncode, output)
    assert_left_safe(out)


def test_a_killed_run_leaves_nobody_behind_and_goes_on_from_where_it_was(tmp_path: Path) -> None:
    out, on = tmp_path / "run", tmp_path / "on"
    with verifying(out, "PR-D9.1 or PR-D7.1") as process:
        until(lambda: files(out, "record/tests/*/1/*priming/balance.csv"), process)
        runner = one_runner(process)
        process.kill()
    while lives(runner):  # it makes its bench safe first
        assert is_held(out / LEASE)
    assert_left_safe_of_priming(out)
    resumed = rig("resume", str(out), "--out", str(on))
    assert resumed.returncode == 0, resumed.stdout + resumed.stderr
    assert f"{out}: the run was never closed: its process ended without a word" in resumed.stdout
    assert "(1 interrupted, which gives way, 2 passed)" in " ".join(resumed.stdout.split())
    assert "each counts" not in resumed.stdout
    first, second = read_whole_run(out), read_whole_run(on)
    assert (first.manifest.outcome, first.results.verdict.value) == ("interrupted", "ERROR")
    assert (second.manifest.outcome, second.results.verdict.value) == ("complete", "PASS")
    assert second.manifest.resumes is not None
    assert second.manifest.resumes.closing_sha256 == sums(out / "record/closing.json").sha256
    attempts = [(test.attempt, test.outcome, test.superseded) for test in second.results.tests]
    assert attempts == [(1, "passed", False), (1, "interrupted", True), (2, "passed", False)]
    kept = "record/tests/test_stopped-test_stopped_pump-30_min"
    assert {path.relative_to(out): path.read_bytes() for path in files(out, f"{kept}/**/*.*")} == {
        path.relative_to(on): path.read_bytes() for path in files(on, f"{kept}/**/*.*")
    }
    again = rig("resume", str(on))
    assert (again.returncode, again.stderr) == (
        3,
        f"rig: {on}: the run came to its end, and nothing is left to resume; begin a new run with rig verify\n",
    )


def assert_left_safe_of_priming(out: Path) -> None:
    [log] = files(out, "record/tests/priming*/1/wire.log")
    assert "supply" in log.read_text(encoding="utf-8").splitlines()[-1]


def test_two_runs_that_are_killed_at_a_random_moment_are_whole_and_can_be_resumed(tmp_path: Path) -> None:
    reference, took_s = whole(tmp_path / "whole")
    found = [
        killed(tmp_path / "1", "group", 0.45 * took_s, reference),
        killed(tmp_path / "2", "runner", 0.6 * took_s, reference),
    ]
    assert summary(found), found


@pytest.mark.parametrize("runner", ["pytest", "robot"])
def test_a_run_that_a_runner_made_itself_is_stopped_like_any_other(tmp_path: Path, runner: str) -> None:
    for name in ("fixtures", "suites"):
        (tmp_path / name).symlink_to(Path(name).resolve())
    words = {
        "pytest": ["pytest", "-p", "fixtures.bench_plugin", "-p", "no:cacheprovider", "suites/pump", "-k", LONG],
        "robot": ["robot", "--outputdir", "out", "--test", "*Thresholds*", "--test", "Occlusion*", "suites/pump"],
    }
    with subprocess.Popen(
        [sys.executable, "-m", *words[runner]],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(Path.cwd())},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        until(lambda: files(tmp_path, "runs/*/record/tests/*/1/*/balance.csv"), process)
        process.send_signal(signal.SIGTERM)
    [out] = (tmp_path / "runs").iterdir()
    run = read_whole_run(out)
    assert (run.manifest.outcome, run.manifest.reason) == ("interrupted", "the run was interrupted by SIGTERM")
    assert run.results.verdict.value == "ERROR"
    assert_left_safe(out)
    refused = rig("resume", str(out))
    assert (refused.returncode, refused.stderr.count("\n")) == (3, 1)


def test_progress_goes_on_to_name_the_tests_of_a_resumed_run(run: Path, tmp_path: Path) -> None:
    (run / "record/closing.json").unlink()
    done = rig("resume", str(run), "--out", str(tmp_path / "on"))
    assert done.returncode == 0, done.stdout + done.stderr
    titles = [entry["title"] for entry in read_json_lines(tmp_path / "on/progress.jsonl") if "title" in entry]
    assert len(titles) == len(read_whole_run(run).results.tests)
    values = [[each.value for each in row.measurements] for row in read_whole_run(run).results.requirements]
    resumed = read_whole_run(tmp_path / "on").results
    assert [[each.value for each in row.measurements] for row in resumed.requirements] == values
