"""Begin and end a run: freeze its inputs, check the bench, join the results.

Not responsible for running tests (the runners do) nor for printing (the command line and `reports` do).
"""

from __future__ import annotations

import datetime
import shutil
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

from rig.bench.channels import split
from rig.bench.check import BenchFinding
from rig.bench.device_tables import CalibratedTable, InstrumentTable
from rig.bench.file import BenchFile
from rig.bench.guarded import told_by_guardians
from rig.errors import BenchFileError, EvidenceError
from rig.lease import Lease
from rig.pump_sheet.sheet import PumpSheet
from rig.record.appending import appender_for
from rig.record.files import cannot_write, keep_room, new_folder, utc_now, write_whole
from rig.record.folder import LEASE, RECORD, RunFolder, holds_a_run
from rig.record.keys import bench_key
from rig.record.manifest import BenchCheck, Equipment, Manifest, Plan, RunOutcome, SheetRecord
from rig.record.models import Device
from rig.record.qualification import QUALIFICATION
from rig.record.results import Results
from rig.roles import Identity
from rig.run.clock_reference import clock_reference
from rig.run.decidable import undecidable
from rig.run.ending import Ending, completed
from rig.run.formality import INFORMAL, Formality
from rig.run.inputs import (
    BENCH,
    FIRMWARE,
    PUMP_SHEET,
    REQUIREMENTS,
    Inputs,
    changed_inputs,
    fit_for_json,
    freeze,
    frozen_inputs,
    frozen_requirements,
)
from rig.run.invariants import keep_invariants
from rig.run.numbered import keep_pump_runs, note_end, note_pump, note_refused, numbered
from rig.run.plan import selection
from rig.run.results import join_run
from rig.run.resuming import Resuming
from rig.run.software import refuse_changed, software, versions

RUNS = Path("runs")
"""Where runs are made that were given no folder."""

RESERVE = "room_for_the_end"
RESERVED_OCTETS = 2 * 2**20
"""Room on the disk that a run takes at its start and gives back at its end, so that a disk which fills up in between
can take its results and its closing: ten times what those of the default plan need."""


def start_run(
    inputs: Inputs,
    *,
    out: Path | None,
    select: str | None = None,
    begun_by: str = "rig verify",
    resuming: Resuming | None = None,
    formality: Formality = INFORMAL,
    measures: bool = True,
) -> RunFolder:
    """Make the run's folder: its frozen inputs and its manifest, before any device is looked at; take its lease.

    Args:
        inputs: what the run reads.
        out: the folder to make; None makes one below `runs/` named after the time.
        select: the selection expression of a partial run, over that of the plan.
        begun_by: the command or runner that begins it.
        resuming: the run that it goes on with, whose tests are copied into it.
        formality: whether it is formal, who makes it, and on which qualification.
        measures: whether it is going to measure, and so takes the next number of its bench's ledger.

    Raises:
        BenchFileError: the bench's key cannot be read.
        EvidenceError: the folder holds files already, can be none of a run, cannot be written, or has no room for the
            end of a run.
    """
    if out is not None:
        refuse_unusable(out)
    if measures:
        bench_key(key_of(inputs))  # refused before anything is made
    started = utc_now()
    run_id = f"{started.replace(':', '-')}-{'virtual' if inputs.spec.simulated else 'bench'}"
    folder = out if out is not None else new_folder(RUNS, run_id)
    _begin(folder)
    manifest: Manifest | None = None
    try:
        lease = take_lease(folder, begun_by)
        selected = resuming.selected if resuming is not None else selection(inputs.plan.plan, select)
        manifest = _manifest(inputs, folder.name if out is None else run_id, started, selected, formality).model_copy(
            update={"begun_by": begun_by, "resumes": resuming.link if resuming is not None else None}
        )
        keep_room(folder / RESERVE, RESERVED_OCTETS)
        freeze(inputs, folder / RECORD / "inputs")
        if resuming is not None:  # before the manifest: a run that has one has all of them
            resuming.copy_into(folder / RECORD)
        if formality.qualification is not None:
            write_whole(folder / RECORD / QUALIFICATION, formality.qualification.data)
        if measures:
            manifest = numbered(manifest, inputs, folder)
        run = RunFolder.create(folder, manifest)
    except BaseException:
        if manifest is not None:
            note_refused(manifest)
        shutil.rmtree(folder, ignore_errors=True)  # it was new: nothing of anybody's is in it
        raise
    run.lease = lease
    run.note_clock("the start of the run")
    return run


def key_of(inputs: Inputs) -> Path | None:
    """Find the private key that the bench file names; None where it names none."""
    key = inputs.spec.key
    return None if key is None else (split(inputs.sources.bench)[0].parent / key).resolve()


def take_lease(folder: Path, purpose: str) -> Lease:
    """Take the lease of a run, or share the one that this process carries for its parent.

    Raises:
        LeaseHeldError: the run goes on in another process.
        EvidenceError: the folder cannot be written.
    """
    try:
        return Lease.take(folder / LEASE, of=f"the run {folder}", purpose=purpose, since_utc=utc_now())
    except OSError as error:
        raise cannot_write(folder / LEASE, error) from error


def _manifest(inputs: Inputs, run_id: str, started: str, selected: str | None, formality: Formality) -> Manifest:
    spec, plan, code, clock = inputs.spec, inputs.plan, software(), clock_reference()
    return Manifest(
        run_id=run_id,
        started_utc=datetime.datetime.fromisoformat(started),
        virtual=spec.simulated,
        seed=world.seed if (world := spec.virtual or spec.served) else None,
        bench_file=str(inputs.sources.bench),
        bench_sha256=inputs.sha256["bench.toml"],
        bench=inputs.bench,
        requirements_file=str(inputs.sources.requirements),
        requirements_sha256=inputs.sha256[REQUIREMENTS],
        pump_sheet=SheetRecord(
            name=inputs.sheet.name,
            file=str(inputs.sheet.path),
            sha256=inputs.sha256[PUMP_SHEET],
            content=fit_for_json(dict(inputs.sheet.content)),
        ),
        plan=Plan(
            name=plan.plan.name,
            purpose=plan.plan.purpose,
            file=str(plan.path),
            sha256=plan.sha256,
            every_requirement_due=plan.plan.every_requirement_due,
            content=fit_for_json(plan.content),
        ),
        conditions=spec.conditions.settings,
        disposables=spec.disposables.model_dump(),
        overrides=fit_for_json(dict(inputs.sources.overrides)),
        selected=selected,
        suites_folder=str(inputs.sources.suites),
        inputs=inputs.sha256,
        undecidable=tuple(undecidable(spec, plan.plan, inputs.requirements)),
        versions=versions(),
        clock_reference=str(clock),
        clock_largest_error_s=clock.largest_error_s,
        clock_correction_ppm=clock.correction_ppm,
        software=code,
        commit=f"{code.commit}{'-dirty' if code.dirty else ''}" if code.commit else None,
        firmware_sha256=inputs.sha256.get(FIRMWARE),
        operator=formality.operator or spec.operator,
        formal=formality.formal,
        qualification=formality.qualification.id if formality.qualification is not None else None,
        pump_stage=spec.pump.stage,
        key_file=str(key) if (key := key_of(inputs)) is not None else None,
    )


def refuse_unusable(out: Path) -> None:
    """Refuse a folder that was asked for and can be none of a run, before anything is made; EvidenceError."""
    if "[" in str(out) or "]" in str(out):
        raise EvidenceError(f"--out {str(out)!r}: pytest reads [ and ] as parameters of a test; name a folder without")
    for path in (*reversed(out.parents), out):
        if path.exists() and not path.is_dir():
            raise EvidenceError(f"--out {str(out)!r}: {path} is a file; name a new folder for the run")
        if path != out and holds_a_run(path):
            raise EvidenceError(f"--out {str(out)!r}: lies in the folder of the run {path}; name a folder elsewhere")


def _begin(folder: Path) -> None:
    """Make a run's folder, or take an empty one; whoever makes its record's folder has it."""
    if holds_a_run(folder):
        raise EvidenceError(f"{folder}: holds a run already; name another folder, a record is never overwritten")
    try:
        if folder.is_dir() and any(folder.iterdir()):
            raise EvidenceError(f"{folder}: holds files already; name a new folder for the run")
        (folder / RECORD).mkdir(parents=True)
    except FileExistsError as error:
        raise EvidenceError(f"{folder}: is taken already; name a new folder for the run") from error
    except OSError as error:
        raise cannot_write(folder, error) from error


def open_run(path: Path) -> RunFolder:
    """Go on with a run in another process, which writes as its bench allows.

    Raises:
        EvidenceError: it is no run, was closed, or was begun by other code than this.
        LeaseHeldError: it goes on in a process that did not start this one.
    """
    run = RunFolder(path)
    run.refuse_closed()
    manifest = run.manifest()
    refuse_changed(manifest)
    lease = take_lease(path, "a runner")
    run = RunFolder(path, appender_for(virtual=manifest.virtual))
    run.lease = lease
    return run


def discard(run: RunFolder) -> None:
    """Take away the folder of a run that was refused before anything was measured; `start_run` made it."""
    with suppress(EvidenceError):
        note_refused(run.manifest())
    if run.lease is not None:
        run.lease.free()
    shutil.rmtree(run.path, ignore_errors=True)
    if run.path.parent == RUNS:
        with suppress(OSError):  # other runs are in it
            RUNS.rmdir()


def keep_findings(
    run: RunFolder, spec: BenchFile, findings: Sequence[BenchFinding], sheet: PumpSheet | None
) -> list[str]:
    """Keep what `check_bench` found in the run, and where the pump contradicts its sheet; returns the problems."""
    pump = next((finding.identity for finding in findings if finding.role == "pump"), None)
    able = next((finding.capabilities for finding in findings if finding.role == "pump"), None)
    check = BenchCheck(
        equipment=tuple(_equipment(spec, finding) for finding in findings if finding.role != "pump"),
        dut=Device(**asdict(pump)) if pump else None,
        problems={finding.role: finding.problem for finding in findings if finding.problem},
        contradictions=tuple(sheet.contradicts(able)) if sheet is not None and able is not None else (),
    )
    run.checked(check)
    if pump is not None:
        note_pump(run, pump.serial_number)
    return list(check.problems.values())


def end_run(run: RunFolder, ended: RunOutcome | Ending) -> tuple[Results, RunOutcome]:
    """Join what the run measured with its frozen requirements, and close it.

    A run that owes a test has broken off. So has a run whose frozen inputs were changed meanwhile; it is judged as long
    as its requirements and pump sheet are those that were frozen.

    Returns:
        The results, and how the run ended.

    Raises:
        EvidenceError: the requirements or the pump sheet were changed; the run is closed without results, and says so.
    """
    (run.path / RESERVE).unlink(missing_ok=True)
    manifest = run.manifest()
    ending = completed(run, ended if isinstance(ended, Ending) else Ending(ended))
    changed = changed_inputs(run, manifest.inputs)
    told = [*changed.values(), *([ending.reason] if ending.reason else []), *told_by_guardians(run.path)]
    reason = "; ".join(told) or None
    outcome: RunOutcome = "broken" if changed and ending.outcome == "complete" else ending.outcome
    judging = next((name for name in (REQUIREMENTS, PUMP_SHEET) if name in changed), None)
    if judging is not None:
        keep_pump_runs(run, manifest)
        run.end(None, outcome, reason=reason, undone=ending.undone, changed_inputs=tuple(changed))
        note_end(run, manifest, None, outcome)
        raise EvidenceError(f"{changed[judging]}, so that nothing can be judged; begin a new run")
    closed = manifest.model_copy(update={"outcome": outcome, "reason": reason, "undone": dict(ending.undone)})
    if not changed and BENCH in manifest.inputs:
        with suppress(BenchFileError):  # of a bench that this version of the rig cannot read: nothing is looked into
            keep_invariants(run, frozen_inputs(run, manifest).spec)
    results = join_run(run, closed, frozen_requirements(run, manifest))
    keep_pump_runs(run, manifest)
    run.end(results, outcome, reason=reason, undone=ending.undone, changed_inputs=tuple(changed))
    note_end(run, manifest, results, outcome)
    if run.lease is not None:
        run.lease.free()
    return results, outcome


def _equipment(spec: BenchFile, finding: BenchFinding) -> Equipment:
    table = getattr(spec, finding.role)
    calibrated = isinstance(table, CalibratedTable)
    overdue = finding.problem is not None and "calibration was due" in finding.problem
    identity = finding.identity or Identity("", "", "", "")
    return Equipment(
        role=finding.role,
        driver=table.driver,
        address=table.address if isinstance(table, InstrumentTable) else table.port,
        **asdict(identity),
        calibrated=str(table.calibrated) if calibrated else None,
        calibration_due=str(table.calibration_due) if calibrated else None,
        status="overdue" if overdue else "in date" if calibrated else "not required",
    )
