"""Going on with a run that did not come to its end: a new run that holds the tests of the old one, and names it.

A closed record takes no more, so the finished attempts are copied, and the interrupted ones beside them. Refused where
anything that makes a run differs now. Not responsible for running the tests that are left (`rig.cli.runners`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rig.errors import BenchFileError, EvidenceError
from rig.record.closed import CLOSING, sums
from rig.record.files import write_whole
from rig.record.folder import Collected, RunFolder
from rig.record.manifest import Manifest, Resumed
from rig.record.reading import read_run
from rig.run.collection import Declaration
from rig.run.inputs import (
    FIRMWARE,
    PACKAGES,
    PLAN,
    PUMP_SHEET,
    REQUIREMENTS,
    ROUTINE_TEST,
    SUITES,
    SYMBOLS,
    Inputs,
    Sources,
    read_inputs,
)
from rig.run.software import refuse_changed

BEGIN = "begin a new run with rig verify"


@dataclass(frozen=True)
class Resuming:
    """A closed run that another goes on with."""

    run: RunFolder
    manifest: Manifest
    link: Resumed

    @property
    def selected(self) -> str | None:
        """Which of the tests it was narrowed to."""
        return self.manifest.selected

    def copy_into(self, record: Path) -> None:
        """Copy what was declared and every attempt into a new record, down to the disk.

        Raises:
            EvidenceError: a file is no longer what the closed run lists, or cannot be written.
        """
        closing = self.run.closing()
        assert closing is not None
        wanted = [each for each in closing.files if each == "collected.jsonl" or each.startswith("tests/")]
        if not any(each.startswith("tests/") for each in wanted):
            return  # it may have ended before all was declared
        for name in wanted:
            path = self.run.record / name
            try:
                data = path.read_bytes()
            except OSError as error:
                raise EvidenceError(f"{path}: cannot be read ({error.strerror})") from error
            if hashlib.sha256(data).hexdigest() != closing.files[name].sha256:
                raise EvidenceError(f"{path}: was changed after the run was closed")
            write_whole(record / name, data)


def read_resumable(path: Path) -> tuple[Resuming, Inputs]:
    """Read a closed run that is to be resumed, and its inputs as they are now, which must be what they were.

    Raises:
        EvidenceError: it is complete, of an older format, made by a runner of its own, damaged, or something that makes
            a run is not what it was: one sentence on the first such thing.
    """
    manifest = read_run(path).manifest
    if manifest.format == 1:
        raise EvidenceError(f"{path}: is a run of format 1, which froze no inputs to go on with; {BEGIN}")
    if manifest.outcome == "complete":
        raise EvidenceError(f"{path}: the run came to its end, and nothing is left to resume; {BEGIN}")
    if manifest.begun_by not in ("rig verify", "rig resume"):
        raise EvidenceError(f"{path}: {manifest.begun_by} made the run itself, and cannot go on with it; {BEGIN}")
    run = RunFolder(path)
    closing = run.closing()
    assert closing is not None
    if closing.changed_inputs:
        raise EvidenceError(f"{run.inputs / closing.changed_inputs[0]}: was changed while the run went on; {BEGIN}")
    refuse_changed(manifest)
    inputs = _inputs_now(path, manifest)
    link = Resumed(run_id=manifest.run_id, closing_sha256=sums(run.record / CLOSING).sha256)
    return Resuming(run, manifest, link), inputs


def _inputs_now(path: Path, manifest: Manifest) -> Inputs:
    if manifest.plan is None or manifest.suites_folder is None:
        raise EvidenceError(f"{path}: does not say where its plan and suites stood; {BEGIN}")
    sources = Sources(
        bench=Path(manifest.bench_file),
        overrides=manifest.overrides,
        requirements=Path(manifest.requirements_file),
        plan=manifest.plan.file,
        suites=Path(manifest.suites_folder),
        pump_sheet=Path(manifest.pump_sheet.file) if manifest.pump_sheet is not None else None,
    )
    try:
        inputs = read_inputs(sources)
    except BenchFileError as error:
        raise EvidenceError(f"{path}: cannot go on, an input cannot be read as it was: {error}; {BEGIN}") from error
    _refuse_other_inputs(path, manifest, inputs.sha256, sources)
    return inputs


def _refuse_other_inputs(path: Path, manifest: Manifest, now: Mapping[str, str], sources: Sources) -> None:
    then = manifest.inputs
    names = [name for name in sorted(then.keys() | now.keys()) if then.get(name) != now.get(name)]
    if not names:
        return
    name = next((each for each in names if each != "bench.json"), names[0])  # which follows from the bench file
    how = "was added" if name not in then else "is gone" if name not in now else "was changed"
    raise EvidenceError(f"{path}: {_what(name, sources)} {how} since the run began; {BEGIN}")


def _what(name: str, sources: Sources) -> str:
    if name.startswith(f"{SUITES}/"):
        return f"the suite {sources.suites / name.removeprefix(f'{SUITES}/')}"
    return {
        PLAN: f"the plan {sources.plan}",
        REQUIREMENTS: f"the requirements file {sources.requirements}",
        PUMP_SHEET: f"the pump sheet {sources.pump_sheet}",
        FIRMWARE: "the pump's firmware image",
        SYMBOLS: "the firmware with its symbols",
        ROUTINE_TEST: "the balance's routine test",
        PACKAGES: "an installed package",
    }.get(name, f"the bench file {sources.bench}")


def refuse_other_tests(resuming: Resuming, declared: Sequence[Declaration]) -> None:
    """Refuse suites that declare a test otherwise now than for the run that is resumed; EvidenceError."""
    now = {each.test: (each.title, each.requirements, each.quantities) for each in declared}
    for each in resuming.run.collected():
        if now.get(each.test) != _declared(each):
            raise EvidenceError(f"{resuming.run.path}: the suites declare {each.test} otherwise now; {BEGIN}")


def _declared(each: Collected) -> tuple[object, ...]:
    return each.title, each.requirements, each.quantities


def refuse_other_devices(resuming: Resuming, now: Manifest) -> None:
    """Refuse a pump or an instrument that is another one than in the run that is resumed, where that had seen any.

    Raises:
        EvidenceError: with the role, what it was and what it is.
    """
    then = resuming.manifest
    if then.dut is not None and now.dut is not None and then.dut != now.dut:
        was, is_ = (f"{each.model} {each.serial_number}, firmware {each.firmware}" for each in (then.dut, now.dut))
        raise EvidenceError(f"{resuming.run.path}: the pump was {was}, and is {is_} now; {BEGIN}")
    present = {each.role: each.serial_number for each in now.equipment if each.serial_number}
    for each in then.equipment:
        found = present.get(each.role, each.serial_number)
        if each.serial_number and found != each.serial_number:
            raise EvidenceError(
                f"{resuming.run.path}: the {each.role} had the serial number {each.serial_number} and has {found} now; "
                f"{BEGIN}"
            )
