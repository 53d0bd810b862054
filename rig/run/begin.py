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

from rig.bench.check import BenchFinding
from rig.bench.file import BenchFile, CalibratedTable
from rig.errors import EvidenceError
from rig.record.appending import appender_for
from rig.record.files import cannot_write, new_folder, utc_now
from rig.record.folder import RECORD, RunFolder, holds_a_run
from rig.record.manifest import BenchCheck, Equipment, Manifest, Plan, RunOutcome
from rig.record.models import Device
from rig.record.results import Results
from rig.roles import Identity
from rig.run.decidable import undecidable
from rig.run.inputs import FIRMWARE, REQUIREMENTS, Inputs, changed_inputs, freeze, frozen_requirements, plain
from rig.run.plan import selection
from rig.run.results import join_run
from rig.run.software import refuse_changed, software, versions

RUNS = Path("runs")
"""Where runs are made that were given no folder."""


def start_run(inputs: Inputs, *, out: Path | None, select: str | None = None) -> RunFolder:
    """Make the run's folder: its frozen inputs and its manifest, before any device is looked at.

    Args:
        inputs: what the run reads.
        out: the folder to make; None makes one below `runs/` named after the time.
        select: the selection expression of a partial run, over that of the plan.

    Raises:
        EvidenceError: the folder holds files already, can be none of a run, or cannot be written.
    """
    if out is not None:
        refuse_unusable(out)
    started = utc_now()
    run_id = f"{started.replace(':', '-')}-{'virtual' if inputs.spec.virtual else 'bench'}"
    folder = out if out is not None else new_folder(RUNS, run_id)
    _begin(folder)
    try:
        manifest = _manifest(inputs, folder.name if out is None else run_id, started, select)
        freeze(inputs, folder / RECORD / "inputs")
        return RunFolder.create(folder, manifest)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)  # it was new: nothing of anybody's is in it
        raise


def _manifest(inputs: Inputs, run_id: str, started: str, select: str | None) -> Manifest:
    spec, plan, code = inputs.spec, inputs.plan, software()
    return Manifest(
        run_id=run_id,
        started_utc=datetime.datetime.fromisoformat(started),
        virtual=spec.virtual is not None,
        seed=spec.virtual.seed if spec.virtual else None,
        bench_file=str(inputs.sources.bench),
        bench_sha256=inputs.sha256["bench.toml"],
        bench=inputs.bench,
        requirements_file=str(inputs.sources.requirements),
        requirements_sha256=inputs.sha256[REQUIREMENTS],
        plan=Plan(
            name=plan.plan.name,
            purpose=plan.plan.purpose,
            file=str(plan.path),
            sha256=plan.sha256,
            every_requirement_due=plan.plan.every_requirement_due,
            content=plain(plan.content),
        ),
        conditions=spec.conditions.settings,
        disposables=spec.disposables.model_dump(),
        overrides=plain(dict(inputs.sources.overrides)),
        selected=selection(plan.plan, select),
        inputs=inputs.sha256,
        undecidable=tuple(undecidable(spec, plan.plan, inputs.requirements)),
        versions=versions(),
        software=code,
        commit=f"{code.commit}{'-dirty' if code.dirty else ''}" if code.commit else None,
        firmware_sha256=inputs.sha256.get(FIRMWARE),
        operator=spec.operator,
    )


def refuse_unusable(out: Path) -> None:
    """Refuse a folder that was asked for and can be none of a run, before anything is made; EvidenceError."""
    if "[" in str(out) or "]" in str(out):
        raise EvidenceError(f"--out {str(out)!r}: pytest reads [ and ] as parameters of a test; name a folder without")
    for path in (out, *out.parents):
        if path.exists() and not path.is_dir():
            raise EvidenceError(f"--out {str(out)!r}: {path} is a file; name a new folder for the run")


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
    """
    run = RunFolder(path)
    run.refuse_closed()
    manifest = run.manifest()
    refuse_changed(manifest)
    return RunFolder(path, appender_for(virtual=manifest.virtual))


def discard(run: RunFolder) -> None:
    """Take away the folder of a run that was refused before anything was measured; `start_run` made it."""
    shutil.rmtree(run.path, ignore_errors=True)
    if run.path.parent == RUNS:
        with suppress(OSError):  # other runs are in it
            RUNS.rmdir()


def keep_findings(run: RunFolder, spec: BenchFile, findings: Sequence[BenchFinding]) -> list[str]:
    """Keep what `check_bench` found in the run; returns the problems."""
    pump = next((finding.identity for finding in findings if finding.role == "pump"), None)
    check = BenchCheck(
        equipment=tuple(_equipment(spec, finding) for finding in findings if finding.role != "pump"),
        dut=Device(**asdict(pump)) if pump else None,
        problems={finding.role: finding.problem for finding in findings if finding.problem},
    )
    run.checked(check)
    return list(check.problems.values())


def end_run(run: RunFolder, outcome: RunOutcome) -> tuple[Results, RunOutcome]:
    """Join what the run measured with its frozen requirements, and close it.

    A run whose frozen inputs were changed meanwhile has broken off; it is judged as long as its requirements are those
    that were frozen.

    Returns:
        The results, and how the run ended.

    Raises:
        EvidenceError: the requirements were changed; the run is closed without results, and says so.
    """
    manifest = run.manifest()
    changed = changed_inputs(run, manifest.inputs)
    reason = "; ".join(changed.values()) or None
    if changed and outcome == "complete":
        outcome = "broken"
    if REQUIREMENTS in changed:
        run.end(None, outcome, reason=reason, changed_inputs=tuple(changed))
        raise EvidenceError(f"{changed[REQUIREMENTS]}, so that nothing can be judged; begin a new run")
    results = join_run(run, manifest, frozen_requirements(run, manifest))
    run.end(results, outcome, reason=reason, changed_inputs=tuple(changed))
    return results, outcome


def _equipment(spec: BenchFile, finding: BenchFinding) -> Equipment:
    table = getattr(spec, finding.role)
    calibrated = isinstance(table, CalibratedTable)
    overdue = finding.problem is not None and "calibration was due" in finding.problem
    identity = finding.identity or Identity("", "", "", "")
    return Equipment(
        role=finding.role,
        driver=table.driver,
        address=table.address,
        **asdict(identity),
        calibrated=str(table.calibrated) if calibrated else None,
        calibration_due=str(table.calibration_due) if calibrated else None,
        status="overdue" if overdue else "in date" if calibrated else "not required",
    )
