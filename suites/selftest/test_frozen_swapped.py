"""Frozen inputs that somebody replaces while the tests of a run go on: each test that they disturb is an error."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import rig as rig_package
from rig.errors import EvidenceError
from rig.record.folder import RunFolder
from rig.record.reading import read_run
from rig.run.begin import start_run
from rig.run.frozen_bench import open_frozen_bench
from rig.run.inputs import Sources, frozen_inputs, read_inputs
from rig.run.software import ROOMS
from rig.run.stopping import StopSignals
from rig.shipped import DEFAULT_BENCH, shipped

ROOT = Path(rig_package.__file__).parent.parent
SENTENCE = "record/inputs/{}: the frozen input was changed after the run began"

SUITE = """
import pytest
from pathlib import Path
from rig.procedures.bolus import Bolus
FIRMWARE = Path(__file__).parents[2] / "firmware.elf"
KEPT = FIRMWARE.parents[2] / "kept.elf"
def weighing(size_u):
    return pytest.mark.parametrize("asked", [Bolus(size_u=size_u, count=2, blank_s=300.0)], ids=["swapped"])
@weighing(1.0)
def test_1_replaced_after_it_was_measured(verification, asked):
    verification.measure(asked)
    FIRMWARE.rename(KEPT)
    FIRMWARE.write_bytes(KEPT.read_bytes() + bytes(1))
@weighing(2.0)
def test_2_begun_with_another(verification, asked):
    verification.measure(asked)
def test_3_put_back():
    KEPT.rename(FIRMWARE)
@weighing(3.0)
def test_4_begun_after(verification, asked):
    verification.measure(asked)
"""
PROTOCOL = """*** Settings ***
Library           OperatingSystem
Library           fixtures.robot_library.PumpBench
Test Setup        Open Bench
Test Teardown     Leave Bench Safe
*** Test Cases ***
Swapped After It Was Measured
    Weigh Boluses    1 U    count=2
    Move File    ${CURDIR}/../../firmware.elf    ${CURDIR}/../../../../kept.elf
    Create File    ${CURDIR}/../../firmware.elf    another
Swapped Begun With Another
    Weigh Boluses    2 U    count=2
Swapped Begun After
    [Setup]    Put Back
    Weigh Boluses    3 U    count=2
*** Keywords ***
Put Back
    Move File    ${CURDIR}/../../../../kept.elf    ${CURDIR}/../../firmware.elf
    Open Bench
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of the rig, whose suites a test adds to."""
    folder = tmp_path / "checkout"
    for room in ROOMS:
        shutil.copytree(ROOT / room, folder / room)
    shutil.copytree(ROOT / "suites/pump", folder / "suites/pump")
    for name in ("__init__.py", "faults.toml", "hazards.toml", "requirements.toml"):
        shutil.copy(ROOT / "suites" / name, folder / "suites")
    return folder


def rig(checkout: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Call the copied rig."""
    return subprocess.run(
        [sys.executable, "-m", "rig", *arguments],
        cwd=checkout,
        env=os.environ | {"PYTHONPATH": str(checkout)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(("name", "text"), [("test_swapped.py", SUITE), ("swapped.robot", PROTOCOL)])
def test_a_firmware_that_is_swapped_while_tests_run_makes_each_of_them_an_error(
    checkout: Path, name: str, text: str
) -> None:
    (checkout / "suites/pump" / name).write_text(text, encoding="utf-8")
    done = rig(checkout, "verify", "--out", "run", "--select", "swapped")
    assert done.returncode == 3, done.stdout + done.stderr
    read = read_run(checkout / "run", strict=True)
    assert [test.outcome for test in read.results.tests] == ["error", "error", "passed"], done.stdout
    named = [SENTENCE.format("firmware.elf") in str(test.message) for test in read.results.tests]
    assert named == [True, True, False]
    assert (read.results.verdict.value, read.manifest.outcome) == ("ERROR", "complete")


class Swapping:
    """A log of the wires during whose first message somebody else replaces a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def wire(self, at_s: float, device: str, direction: str, data: bytes) -> None:
        """Replace it."""
        del at_s, device, direction, data
        self.path.write_bytes(b"another")

    def incident(self, at_s: float, of_whom: str, what: str) -> None:
        """Nothing is expected to go wrong."""
        raise AssertionError(f"{of_whom} at {at_s} s: {what}")


def test_a_firmware_that_is_swapped_while_the_bench_opens_is_refused_before_anything_is_measured(
    tmp_path: Path,
) -> None:
    run = start_run(read_inputs(Sources(shipped(DEFAULT_BENCH), {})), out=tmp_path / "run")
    inputs = frozen_inputs(run, run.manifest())
    run.collect("t", "t", (), ())
    attempt = run.attempt("t")
    began = False
    with (
        pytest.raises(EvidenceError, match=SENTENCE.format(r"firmware\.elf")),
        open_frozen_bench(run, inputs, attempt, "t", stop=StopSignals(), log=Swapping(run.inputs / "firmware.elf")),
    ):
        began = True
    assert not began
    attempt.end("error")
    attempt.wires.close()
    run.appender.close()


@pytest.mark.parametrize("name", ["plan.toml", "requirements.toml"])
def test_a_run_whose_input_is_edited_between_its_runners_is_closed_and_says_so(checkout: Path, name: str) -> None:
    edited = f"""
from pathlib import Path
def test_edited():
    path = Path(__file__).parents[2] / {name!r}
    path.write_bytes(path.read_bytes() + bytes([10]))
"""
    (checkout / "suites/pump/test_zz_edited.py").write_text(edited, encoding="utf-8")
    done = rig(checkout, "verify", "--out", "run", "--select", "edited or stopped or occlusion_at_the_intermediate")
    assert done.returncode == 3, done.stdout + done.stderr
    closing = RunFolder(checkout / "run").closing()
    assert closing is not None
    assert (closing.outcome, closing.changed_inputs) == ("broken", (name,))
    sentence = f"run/{SENTENCE.format(name)}"
    assert str(closing.reason).startswith(f"{sentence}; Robot Framework ended early with exit code 252, ")
    report = rig(checkout, "report", "run")
    if name == "requirements.toml":
        assert done.stderr == f"rig: {sentence}, so that nothing can be judged; begin a new run\n"
        assert (report.returncode, report.stderr) == (3, f"rig: run: the run has no results: {closing.reason}\n")
    else:
        assert report.returncode == 0, report.stderr
        assert f"{closing.reason}." in done.stdout
        assert read_run(checkout / "run", strict=True).results.verdict.value == "ERROR"
