"""Tests of a virtual run side by side: the same record as one after the other, also when a job dies."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.cli.jobs import TESTS_A_JOB, cores, jobs_for, longest_first
from rig.errors import BenchFileError
from rig.record.closed import CLOSING
from rig.record.files import read_json, read_json_lines
from rig.run.collection import Declaration
from rig.run.reading import read_whole_run
from rig.run.sharing import JobShare, share_out
from suites.selftest.recorded import rig

SEVERAL = "PR-D5.1 or PR-L1.1 or PR-D9.1"
"""A test of pytest and two of Robot Framework, half an hour of bench time each."""


def declared(test: str, bench_time_s: float | None) -> Declaration:
    return Declaration(test=test, title=test, requirements=(), quantities=(), bench_time_s=bench_time_s)


def test_two_jobs_leave_the_same_bytes_as_one(tmp_path: Path) -> None:
    """Every file of the record but the manifest and the closing, which hold wall time and paths, and the seals.

    Requirements select tests of both runners, which are listed before the run.
    """
    for jobs in ("1", "2"):
        done = rig("verify", "--select", SEVERAL, "--jobs", jobs, "--out", str(tmp_path / jobs))
        assert done.returncode == 0, done.stdout + done.stderr
        lines = done.stdout.splitlines()
        assert lines[0].strip() == lines[-5].strip() == "SIMULATED — no evidence about any device"
        assert lines[1:6] == [
            "NOT FORMAL — not made under the conditions of a formal run",
            "Selected by 'PR-D5.1 or PR-L1.1 or PR-D9.1':",
            "  PR-D5.1 PR-D7.2 PR-F6.1  A bolus, cancelled under way. [5 U after 60 s]",
            "  PR-D7.2 PR-L1.1 PR-F6.1  Boluses above the maximum of 25 U are refused and nothing is delivered.",
            "  PR-D7.2 PR-D9.1 PR-F6.1  Tubing and cannula are filled and weighed: how much, how fast, and counted as "
            "no therapy.",
        ]
        assert lines[6] == f"3 tests, about 1.61 h of bench time{', 2 at a time' if jobs == '2' else ''}."
        assert sum("; 3 of 3)" in line for line in lines) == 1
    one, two = (read_json(tmp_path / jobs / "record" / CLOSING)["files"] for jobs in ("1", "2"))
    del one["manifest.json"], two["manifest.json"]
    one, two = ({name: file for name, file in each.items() if not name.endswith("/seal.json")} for each in (one, two))
    assert len(one) > 50
    assert two == one
    suites = ElementTree.parse(tmp_path / "2/robot/output.xml").iter("test")
    assert [test.get("name") for test in suites] == [
        "Boluses Above The Maximum Are Refused",
        "Tubing And Cannula Are Filled",
    ]
    assert sorted(path.name for path in (tmp_path / "2/robot").iterdir()) == ["log.html", "output.xml", "report.html"]


def test_a_job_that_is_killed_leaves_its_test_undone_and_the_others_results(tmp_path: Path) -> None:
    out = tmp_path / "run"
    command = [sys.executable, "-m", "rig", "verify", "--select", "PR-D7.1 or PR-D5.1 or PR-L1.1", "--jobs", "2"]
    with subprocess.Popen([*command, "--out", str(out)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        while not list(out.glob("record/tests/test_stopped*/1/1-stopped/balance.csv")):
            assert process.poll() is None, "it has ended before"
        os.kill(_job_of(process.pid, "test_stopped", out), signal.SIGKILL)
        assert process.stdout is not None
        output = process.stdout.read().decode()
    assert process.returncode == 3, output
    run = read_whole_run(out)
    assert (run.manifest.outcome, run.results.verdict.value) == ("broken", "ERROR")
    assert "pytest was killed by SIGKILL" in str(run.manifest.reason)
    outcomes = {test.id.rpartition("::")[2].partition("[")[0]: test.outcome for test in run.results.tests}
    assert outcomes == {
        "test_cancelled_bolus": "passed",
        "test_stopped_pump": "interrupted",
        "Boluses Above The Maximum Are Refused": "passed",
    }


def _job_of(parent: int, test: str, run: Path) -> int:
    """Find the process that has a test's files open."""
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text(encoding="ascii").split()
    for child in children:
        if any(test in str(each.readlink()) for each in Path(f"/proc/{child}/fd").iterdir() if each.is_symlink()):
            return int(child)
    raise AssertionError(f"nobody does {test} of {run}; {read_json_lines(run / 'progress.jsonl')[-3:]}")


def test_a_bench_that_there_is_once_does_one_test_at_a_time(tmp_path: Path) -> None:
    bench = "fixtures/benches/lab_example.toml"
    done = rig("verify", "--bench", bench, "--jobs", "2", "--out", str(tmp_path / "run"))
    assert done.returncode == 2
    assert done.stderr == (
        "rig: --jobs 2: this bench is no virtual one, and a bench that there is once does one test at a time; leave "
        "--jobs out\n"
    )
    assert not (tmp_path / "run").exists()


def test_jobs_follow_the_machine_and_the_number_of_tests() -> None:
    assert jobs_for(None, 1000, virtual=True) == cores()
    assert jobs_for(None, 2 * TESTS_A_JOB - 1, virtual=True) == 1
    assert jobs_for(5, 3, virtual=True) == 3
    assert jobs_for(None, 1000, virtual=False) == jobs_for(1, 1000, virtual=False) == 1
    with pytest.raises(BenchFileError):
        jobs_for(2, 1000, virtual=False)


@given(st.lists(st.none() | st.floats(1.0, 1e6), max_size=8))
def test_the_longest_tests_are_taken_first_and_none_is_left_out(times_s: list[float | None]) -> None:
    tests = [declared(str(number), time_s) for number, time_s in enumerate(times_s)]
    order = [int(test) for test in longest_first(tests)]
    assert sorted(order) == list(range(len(times_s)))
    known = [times_s[number] for number in order if times_s[number] is not None]
    assert known == sorted(known, key=lambda time_s: -(time_s or 0.0))


def test_each_test_is_taken_by_one_job_alone(tmp_path: Path) -> None:
    share_out(tmp_path, ["a", "b", "c"])
    one, two = JobShare(tmp_path, 1), JobShare(tmp_path, 2)
    assert [one.take("a"), two.take("a"), two.take("b"), one.take("b"), one.take("c")] == [
        True,
        False,
        True,
        False,
        True,
    ]
    assert (one.order, one.taken, two.taken) == (("a", "b", "c"), ("a", "c"), ("b",))
