"""What may be resumed, and what is refused in one sentence because something that makes a run has changed."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from rig.errors import EvidenceError
from rig.record.closed import sums
from rig.record.folder import RunFolder, read_model
from rig.record.manifest import BenchCheck, Manifest, Software
from rig.record.models import Device
from rig.run.begin import discard, end_run, start_run
from rig.run.reading import read_whole_run
from rig.run.resuming import Resuming, read_resumable, refuse_other_devices, refuse_other_tests
from suites.selftest.recorded import BASAL, attempt_folder, framed, reopened

BEGIN = "; begin a new run with rig verify"


@pytest.fixture
def interrupted(run: Path) -> Path:
    """A run that was interrupted in its test of basal delivery."""
    (attempt_folder(run, BASAL) / "events.jsonl").write_text('{"event": "start"}\n', encoding="utf-8")
    end_run(reopened(run), "interrupted")
    return run


def refused(run: Path) -> str:
    with pytest.raises(EvidenceError) as error:
        read_resumable(run)
    return str(error.value)


def edited(path: Path, folder: Path) -> Path:
    """A copy of a file with a line more."""
    copy = folder / path.name
    copy.write_text(f"{path.read_text(encoding='utf-8')}\n# more\n", encoding="utf-8")
    return copy


def test_an_interrupted_run_is_copied_whole_into_the_run_that_goes_on_with_it(
    interrupted: Path, tmp_path: Path
) -> None:
    resuming, inputs = read_resumable(interrupted)
    made = start_run(inputs, out=tmp_path / "on", begun_by="rig resume", resuming=resuming)
    assert made.collected() == RunFolder(interrupted).collected()
    then, now = (
        {path.relative_to(folder): path.read_bytes() for path in folder.glob("record/tests/**/*") if path.is_file()}
        for folder in (interrupted, tmp_path / "on")
    )
    assert then == now
    manifest = made.manifest()
    assert (manifest.resumes, manifest.selected) == (resuming.link, resuming.manifest.selected)
    assert manifest.inputs == resuming.manifest.inputs
    end_run(made, "interrupted")  # and again
    again, _ = read_resumable(tmp_path / "on")
    assert again.link.run_id == manifest.run_id
    assert again.link.closing_sha256 != resuming.link.closing_sha256


def test_a_file_that_was_changed_while_it_was_read_is_refused_and_nothing_is_left(
    interrupted: Path, tmp_path: Path
) -> None:
    resuming, inputs = read_resumable(interrupted)
    path = attempt_folder(interrupted, BASAL) / "wire.log"
    path.write_bytes(path.read_bytes() + b"more\n")
    with pytest.raises(EvidenceError, match=r"wire\.log: was changed after the run was closed"):
        start_run(inputs, out=tmp_path / "on", resuming=resuming)
    assert not (tmp_path / "on").exists()


def test_a_complete_run_is_refused(recorded: Path) -> None:
    assert refused(recorded) == f"{recorded}: the run came to its end, and nothing is left to resume{BEGIN}"


def test_a_run_of_format_1_is_refused(old_run: Path) -> None:
    assert refused(old_run) == f"{old_run}: is a run of format 1, which froze no inputs to go on with{BEGIN}"


@pytest.mark.parametrize("runner", ["pytest", "robot"])
def test_a_run_that_a_runner_made_itself_is_refused(interrupted: Path, runner: str) -> None:
    framed(interrupted, begun_by=runner)
    assert refused(interrupted) == f"{interrupted}: {runner} made the run itself, and cannot go on with it{BEGIN}"


def test_other_inputs_are_refused_by_name(interrupted: Path, tmp_path: Path) -> None:
    manifest = RunFolder(interrupted).manifest()
    assert manifest.plan is not None
    assert manifest.suites_folder is not None
    suites = tmp_path / "suites"
    shutil.copytree(manifest.suites_folder, suites)
    edited(suites / "test_basal.py", suites)
    plan = edited(Path(manifest.plan.file), tmp_path)
    requirements = edited(Path(manifest.requirements_file), tmp_path)
    assert manifest.pump_sheet is not None
    sheet = edited(Path(manifest.pump_sheet.file), tmp_path)
    changed: list[tuple[dict[str, Any], str]] = [
        ({"plan": manifest.plan.model_copy(update={"file": str(plan)})}, f"the plan {plan} was changed"),
        (
            {"pump_sheet": manifest.pump_sheet.model_copy(update={"file": str(sheet)})},
            f"the pump sheet {sheet} was changed",
        ),
        ({"requirements_file": str(requirements)}, f"the requirements file {requirements} was changed"),
        ({"suites_folder": str(suites)}, f"the suite {suites / 'test_basal.py'} was changed"),
        ({"overrides": {"virtual.seed": 2}}, f"the bench file {manifest.bench_file} was changed"),
    ]
    for fields, sentence in changed:
        run = Path(shutil.copytree(interrupted, tmp_path / "changed"))
        framed(run, **fields)
        assert refused(run) == f"{run}: {sentence} since the run began{BEGIN}"
        shutil.rmtree(run)


def test_another_firmware_image_and_another_package_are_refused(interrupted: Path, tmp_path: Path) -> None:
    for name, sentence in (("firmware.elf", "the pump's firmware image"), ("packages.json", "an installed package")):
        run = Path(shutil.copytree(interrupted, tmp_path / "changed"))
        path = run / "record/inputs" / name
        path.write_bytes(path.read_bytes() + b"\n")
        inputs = RunFolder(run).manifest().inputs
        framed(run, inputs=inputs | {name: sums(path).sha256})
        assert refused(run) == f"{run}: {sentence} was changed since the run began{BEGIN}"
        shutil.rmtree(run)


def test_other_code_is_refused(interrupted: Path) -> None:
    framed(interrupted, software=Software(version="0", commit=None, dirty=None, sha256="00"))
    assert "the rig's code is not that which began the run" in refused(interrupted)


def test_an_input_that_is_gone_is_a_sentence(interrupted: Path) -> None:
    framed(interrupted, requirements_file="nowhere.toml")
    assert refused(interrupted) == (
        f"{interrupted}: cannot go on, an input cannot be read as it was: nowhere.toml: cannot be read "
        f"(No such file or directory){BEGIN}"
    )


def seen(run: Path, **other: object) -> Manifest:
    """The manifest of a run whose bench answers otherwise in something."""
    check = read_model(run / "record/bench_check.json", BenchCheck)
    return RunFolder(run).manifest().model_copy(update=dict(check) | other)


def test_another_pump_or_instrument_is_refused(interrupted: Path) -> None:
    resuming, _ = read_resumable(interrupted)
    now = seen(interrupted)
    refuse_other_devices(resuming, now)
    refuse_other_devices(resuming, seen(interrupted, dut=None))  # the bench is not fit, which is told otherwise
    assert now.dut is not None
    other = Device(**(now.dut.model_dump() | {"firmware": "9.9"}))
    with pytest.raises(EvidenceError, match=r"the pump was .* firmware .*, and is .* firmware 9\.9 now"):
        refuse_other_devices(resuming, seen(interrupted, dut=other))
    [first, *rest] = now.equipment
    equipment = (first.model_copy(update={"serial_number": "X1"}), *rest)
    sentence = f"the {first.role} had the serial number {first.serial_number} and has X1 now"
    with pytest.raises(EvidenceError, match=sentence):
        refuse_other_devices(resuming, seen(interrupted, equipment=equipment))


def test_suites_that_declare_a_test_otherwise_are_refused(interrupted: Path) -> None:
    resuming, _ = read_resumable(interrupted)
    with pytest.raises(EvidenceError, match=r"the suites declare .* otherwise now"):
        refuse_other_tests(resuming, [])


def test_a_resumed_run_that_is_refused_is_taken_away_and_the_old_one_stays(interrupted: Path, tmp_path: Path) -> None:
    resuming, inputs = read_resumable(interrupted)
    discard(start_run(inputs, out=tmp_path / "on", resuming=resuming))
    assert not (tmp_path / "on").exists()
    assert isinstance(resuming, Resuming)
    assert read_whole_run(interrupted).manifest.outcome == "interrupted"
