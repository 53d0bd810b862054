"""A test that is tried again: each attempt is kept by itself and shown, and none hides what another found."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pypdf
import pytest
import pytest_rerunfailures

from reports.documents import write_documents
from rig.cli.printing import new_console
from rig.cli.verify import print_results
from rig.record.attempt import Began, Ended
from rig.record.folder import RunFolder
from rig.run.begin import end_run
from rig.run.reading import read_whole_run
from suites.selftest.recorded import STOPPED, attempt_folder, measured, reopened, results

ROOT = Path.cwd()
SUITE = '''
from pathlib import Path

import pytest

from rig.procedures.stopped import Stopped
from rig.run.verification import Verification

TRIED = Path(__file__).with_name("tried")


@pytest.mark.parametrize("stopped", [Stopped(duration_s=600.0)], ids=["10 min"])
def test_stopped_pump(verification: Verification, stopped: Stopped) -> None:
    """A stopped pump, measured at the second try."""
    if not TRIED.exists():
        TRIED.touch()
        raise RuntimeError("the first try")
    verification.measure(stopped)
'''


def own_pytest(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Let pytest begin a run of its own in a folder, by a suite whose test succeeds at the second try."""
    (folder / "suites").mkdir()
    (folder / "suites" / "test_again.py").write_text(SUITE, encoding="utf-8")
    command = [sys.executable, "-B", "-m", "pytest", "-p", "fixtures.bench_plugin", "-p", "no:cacheprovider",
               "--bench", str(ROOT / "fixtures/benches/virtual.toml"), "suites/test_again.py", *words]  # fmt: skip
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder,
                          env={**os.environ, "PYTHONPATH": path})  # fmt: skip


def test_a_retry_of_pytest_is_an_attempt_of_its_own_and_hides_no_failure(tmp_path: Path) -> None:
    done = own_pytest(tmp_path, "--reruns", "1")
    (folder,) = (tmp_path / "runs").iterdir()
    run = read_whole_run(folder)
    found = [(test.attempt, test.outcome, test.message) for test in run.results.tests]
    assert found == [(1, "error", "RuntimeError: the first try"), (2, "passed", None)]
    assert run.results.verdict.value == "ERROR"
    assert f"{pytest_rerunfailures.__name__.removeprefix('pytest_')}-" in done.stdout
    assert "1 passed, 1 rerun" in done.stdout
    assert done.returncode == 1, done.stdout
    assert "Verdict: ERROR (an attempt that failed counts, though a later one passed)" in done.stdout


@pytest.mark.parametrize("words", [["-n", "2"], ["--dist", "load", "--tx", "2*popen"]])
def test_pump_tests_in_several_processes_are_refused_before_anything_is_made(tmp_path: Path, words: list[str]) -> None:
    done = own_pytest(tmp_path, *words)
    assert done.returncode == 4, done.stdout
    assert "tests of the pump run in one process, for a bench has one holder and a run one writer" in done.stdout
    assert not (tmp_path / "runs").exists()
    assert not (tmp_path / "suites" / "tried").exists()


def test_several_processes_on_one_run_are_refused(recorded: Path) -> None:
    command = [sys.executable, "-B", "-m", "pytest", "-p", "fixtures.bench_plugin", "-p", "no:cacheprovider"]
    command += ["--run", str(recorded), "-n", "2", str(recorded / "record/inputs/suites/pump/test_stopped.py")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 4
    assert f"ERROR: --run {recorded}: tests of the pump run in one process" in done.stderr


def test_tests_of_other_things_may_run_in_several_processes(tmp_path: Path) -> None:
    (tmp_path / "test_other.py").write_text("def test_one():\n    pass\n", encoding="utf-8")
    command = [sys.executable, "-B", "-m", "pytest", "-p", "fixtures.bench_plugin", "-n", "2", "-p", "no:cacheprovider"]
    done = subprocess.run([*command, str(tmp_path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture
def tried_again(run: Path) -> Path:
    """A run whose stopped pump delivered 1 U at the first attempt and nothing at the second."""
    first = attempt_folder(run, STOPPED)
    shutil.copytree(first, first.with_name("2"))
    end = Ended(outcome="failed", message="PR-D7.1 FAIL", duration_s=60.0)
    lines = [json.dumps(each.model_dump(mode="json")) for each in (Began(), end)]
    (first / "events.jsonl").write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    measured(run, STOPPED, {"stopped.delivered": (1.0, 0.002)})
    return run


def test_a_failed_attempt_and_a_passed_one_are_a_failure(tried_again: Path) -> None:
    found = results(tried_again)
    (row,) = [each for each in found.requirements if each.id == "PR-D7.1"]
    assert [(each.attempt, each.verdict.value) for each in row.measurements] == [(1, "FAIL"), (2, "PASS")]
    assert (row.verdict.value, found.verdict.value) == ("FAIL", "FAIL")


def test_the_terminal_shows_every_attempt(tried_again: Path, capsys: pytest.CaptureFixture[str]) -> None:
    console = new_console()
    console.width = 400
    print_results(results(tried_again), console)
    said = " ".join(capsys.readouterr().out.split())
    title = "A stopped pump, weighed for half an hour. [30 min]"
    assert f"delivered while stopped: 1.0000 ± 0.0020 U ({title}, attempt 1)" in said
    assert f"({title}, attempt 2)" in said
    assert f"Attempted 2 times, and each counts: {title} (1 failed, 2 passed)" in said


def test_the_report_shows_every_attempt(tried_again: Path) -> None:
    report = write_documents(tried_again)["Report"]
    said = " ".join(" ".join(page.extract_text() for page in pypdf.PdfReader(report).pages).split())
    title = "A stopped pump, weighed for half an hour. [30 min]"
    assert f"Attempted 2 times: {title}" in said
    assert "attempt 1 failed: PR-D7.1 FAIL; attempt 2 passed" in said
    assert f"delivered while stopped ({title}, attempt 1) 1.0000 ± 0.0020 U" in said
    assert "delivered while stopped; the nearest to its limit of those that pass; 1 of 2 pass" in said


def test_a_run_that_ended_again_keeps_every_attempt(tried_again: Path) -> None:
    end_run(reopened(tried_again), "interrupted")
    assert [each.number for each in RunFolder(tried_again).attempts() if each.collected.test == STOPPED] == [1, 2]
