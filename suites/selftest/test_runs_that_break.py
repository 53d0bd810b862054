"""A runner that crashes, cannot import, leaves early or is killed never leaves PASS, whatever it says at its end."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from rig.record.folder import RunFolder
from rig.run.reading import read_whole_run
from suites.selftest.recorded import rig

PUMP = Path("suites/pump")
CALLED = """
import sys
from pathlib import Path
from rich.console import Console
from rig.cli.series import verify_all
from rig.cli.verify import RunAsked
from rig.shipped import DEFAULT_BENCH, shipped
asked = RunAsked(shipped(DEFAULT_BENCH), out=Path(sys.argv[1]), suites=Path(sys.argv[2]), plan=sys.argv[3])
sys.exit(verify_all(asked, None, console=Console(width=200)))
"""
PLAN = 'name = "short"\npurpose = "One test of the pump."\n'
GOOD = (PUMP / "test_stopped.py").read_text(encoding="utf-8")
ROBOT = """*** Settings ***
Library           fixtures.robot_library.PumpBench
Test Setup        Open Bench
Test Teardown     Leave Bench Safe

*** Test Cases ***
Leaves
    Evaluate    __import__("os")._exit(0)
"""
HEAD = "import atexit, os, signal, sys\nimport pytest\n"
AT_RUN_TIME = '"--declare" not in sys.argv'
TEST_Z = "def test_z(verification):\n    "

BROKEN = {
    "leaves with 0": (
        {"test_z.py": f"{HEAD}{TEST_Z}os._exit(0)\n"},
        "pytest ended early with exit code 0, one test not",
    ),
    "leaves with 1": (
        {"test_z.py": f"{HEAD}{TEST_Z}os._exit(1)\n"},
        "pytest ended early with exit code 1, one test not",
    ),
    "is killed": (
        {"test_z.py": f"{HEAD}{TEST_Z}os.kill(os.getpid(), signal.SIGKILL)\n"},
        "pytest was killed by SIGKILL",
    ),
    "ends the session": (
        {"test_z.py": f"{HEAD}{TEST_Z}pytest.exit('enough', returncode=0)\n"},
        "pytest ended with exit code 0 and not 1",
    ),
    "cannot import": (
        {"test_z.py": f"{HEAD}if {AT_RUN_TIME}:\n    raise ImportError('only now')\n{TEST_Z}pass\n"},
        "pytest ended early with exit code 3, 2 tests not done: suites/pump/test_z.py: ImportError: only now",
    ),
    "lies": (
        {"test_z.py": f"{HEAD}if {AT_RUN_TIME}:\n    atexit.register(os._exit, 0)\n{TEST_Z}assert False\n"},
        "pytest ended with exit code 0 and not 1, although by the record one test failed",
    ),
    "robot leaves": ({"z.robot": ROBOT}, "Robot Framework ended early with exit code 0, one test not done"),
}


def suite(folder: Path, files: dict[str, str]) -> tuple[str, str]:
    """A folder of suites with a good test and others, and a plan."""
    (folder / "suites").mkdir()
    for name, text in {"test_stopped.py": GOOD, **files}.items():
        (folder / "suites" / name).write_text(text, encoding="utf-8")
    (folder / "plan.toml").write_text(PLAN, encoding="utf-8")
    return str(folder / "suites"), str(folder / "plan.toml")


@pytest.mark.parametrize("how", BROKEN)
def test_a_runner_that_breaks_off_leaves_a_run_that_says_so(tmp_path: Path, how: str) -> None:
    files, reason = BROKEN[how]
    out = tmp_path / "run"
    command = [sys.executable, "-c", CALLED, str(out), *suite(tmp_path, files)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 3, done.stdout + done.stderr
    run = read_whole_run(out)
    assert (run.manifest.outcome, run.results.outcome, run.results.verdict.value) == ("broken", "broken", "ERROR")
    assert reason in str(run.manifest.reason)
    assert reason in " ".join(done.stdout.split())
    assert "Verdict: ERROR" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr
    closing = RunFolder(out).closing()
    assert closing is not None
    for test in run.results.tests:
        assert (test.id in closing.undone) is (test.outcome in ("interrupted", "not run"))


def test_what_was_owed_and_not_done_is_unset_with_the_true_reason(tmp_path: Path) -> None:
    files, _ = BROKEN["cannot import"]
    out = tmp_path / "run"
    command = [sys.executable, "-c", CALLED, str(out), *suite(tmp_path, files)]
    subprocess.run(command, capture_output=True, check=False)
    owed = [row for row in read_whole_run(out).results.requirements if row.tests]
    assert [row.id for row in owed] == ["PR-D7.1", "PR-F6.1"]  # its own, and that which every measurement decides
    for row in owed:
        assert row.verdict.value == "UNSET"
        assert str(row.reason).endswith("ImportError: only now before this test")


def test_a_test_that_calls_sys_exit_is_an_error_and_the_others_are_done(tmp_path: Path) -> None:
    out = tmp_path / "run"
    files = {"test_a.py": f"{HEAD}def test_a(verification):\n    sys.exit(0)\n"}
    command = [sys.executable, "-c", CALLED, str(out), *suite(tmp_path, files)]
    assert subprocess.run(command, capture_output=True, check=False).returncode == 3
    run = read_whole_run(out)
    assert run.manifest.outcome == "complete"
    assert [(test.outcome, test.message) for test in run.results.tests] == [
        ("error", "SystemExit: 0"),
        ("passed", None),
    ]


def test_a_closed_run_takes_no_runner(recorded: Path) -> None:
    command = ["pytest", "suites/pump", "-p", "no:cacheprovider", "--run", str(recorded)]
    done = subprocess.run([sys.executable, "-m", *command], capture_output=True, text=True, check=False)
    assert done.returncode == 4
    assert "the run was closed, and nothing is ever added to a closed record; begin a new run" in done.stderr


def test_a_run_that_goes_on_is_left_alone(run: Path) -> None:
    (run / "record" / "closing.json").unlink()
    holding = f"""
import sys
from pathlib import Path
from rig.run.begin import take_lease
lease = take_lease(Path({str(run)!r}), "rig verify")
print("taken", flush=True)
sys.stdin.read()
"""
    with subprocess.Popen(
        [sys.executable, "-c", holding], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "taken\n"
        for command in (["report"], ["resume"], ["compare"], ["analyse"]):
            done = rig(*command, str(run))
            assert (done.returncode, done.stderr.count("\n")) == (3, 1), done.stderr
            assert f"the run {run} is in use: rig verify (process {holder.pid} of" in done.stderr
        holder.communicate()
    done = rig("report", str(run))
    assert done.returncode == 0
    assert done.stdout.startswith(f"{run}: the run was never closed: its process ended without a word; it is closed as")
    assert read_whole_run(run).manifest.outcome == "interrupted"
