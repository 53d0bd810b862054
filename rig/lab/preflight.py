"""May a night begin? The bench is free and fit, its calibrations last, there is room on the disk, the store answers.

What is in the way is found before anything is measured, all of it at once, and is nobody's failure: the night is *not
run*. Not responsible for the check of the bench itself (`rig.bench.check`), nor for what the night does.
"""

from __future__ import annotations

import datetime
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from rig.bench.check import check_bench
from rig.bench.device_tables import CalibratedTable
from rig.bench.file import BenchFile
from rig.bench.lease import BenchLease, take_bench
from rig.errors import RigError
from rig.lease import LeaseHeldError
from rig.record.files import utc_now
from rig.store.opening import StoreError, open_store

OCTETS_PER_GB = 1_000_000_000
TOLD_BEFORE_DAYS = 30
"""So many days before a calibration is due each night says so. Assumption: a certificate takes a month to come."""


@dataclass(frozen=True)
class PreflightFinding:
    """What was looked at, what was found in a sentence, and whether the night may not begin because of it."""

    what: str
    said: str
    stops: bool = False


@contextmanager
def benches_held(benches: Mapping[str, BenchFile], purpose: str) -> Iterator[Mapping[str, BenchLease]]:
    """Hold every bench of a night by its name, from its preflight to its end.

    Raises:
        LeaseHeldError: somebody else has one of them; none is kept then.
        BlockedError: a lease's file cannot be made.
    """
    with ExitStack() as stack:
        yield {name: stack.enter_context(take_bench(spec, purpose=purpose)) for name, spec in benches.items()}


def look_at_bench(name: str, spec: BenchFile, held: BenchLease, notes: Path | None) -> list[PreflightFinding]:
    """Open, identify and self-test every device of a bench that is held, as `rig check` does.

    The units that have told who they are stay held, for the run that follows in this process.

    Raises:
        BenchFileError: a driver or its options are wrong.
        UnsafeBenchError: the bench could not be left safe.
    """
    try:
        found = check_bench(spec, held, notes=notes)
    except LeaseHeldError as error:
        return [PreflightFinding(name, str(error), stops=True)]
    held.keep()
    problems = [PreflightFinding(name, finding.problem, stops=True) for finding in found if finding.problem]
    if problems:
        return problems
    return [PreflightFinding(name, f"fit for use: {len(found)} devices answered as the bench file names them")]


def look_at_calibrations(name: str, spec: BenchFile) -> list[PreflightFinding]:
    """Say which calibrations are due soon; one that is overdue is found by the check of the bench."""
    today = spec.day or datetime.date.fromisoformat(utc_now()[:10])
    tables = {role: spec.table(role) for role in spec.roles if role != "pump"}
    due = {role: table.calibration_due for role, table in tables.items() if isinstance(table, CalibratedTable)}
    soon = [
        PreflightFinding(name, f"the calibration of the {role} is due on {day}, in {(day - today).days} days")
        for role, day in due.items()
        if 0 <= (day - today).days <= TOLD_BEFORE_DAYS
    ]
    if soon or not due:
        return soon
    first = min(due, key=lambda role: due[role])
    return [PreflightFinding(name, f"the first calibration is due on {due[first]}, that of the {first}")]


def look_at_cut_off(name: str, spec: BenchFile) -> list[PreflightFinding]:
    """Say of a bench whose pump nothing cuts off that nobody is there to do it."""
    if spec.simulated or spec.cut_off.by != "nothing":
        return []
    return [
        PreflightFinding(
            name, "the bench file names no cut-off: when this computer dies the pump runs on, and nobody is there"
        )
    ]


def look_at_disk(folder: Path, least_gb: float) -> PreflightFinding:
    """Look whether the disk of a folder has room for a night, in GB of 1e9 octets."""
    present = next(each for each in (folder, *folder.absolute().parents) if each.exists())
    free_gb = shutil.disk_usage(present).free / OCTETS_PER_GB
    said = f"{free_gb:.1f} GB are free at {folder}"
    if free_gb < least_gb:
        return PreflightFinding("disk", f"{said}, and {least_gb:g} GB are asked for; make room", stops=True)
    return PreflightFinding("disk", said)


def look_at_store(named: str) -> PreflightFinding:
    """Look whether the store of all runs answers; it is made where it is not there yet."""
    try:
        with open_store(named, make=True):
            return PreflightFinding("store", "the store of all runs answers")
    except StoreError as error:
        return PreflightFinding("store", str(error), stops=True)


def look_at_everything(
    benches: Mapping[str, BenchFile],
    held: Mapping[str, BenchLease],
    folder: Path,
    store: str,
    least_gb: float,
    notes: Path | None,
) -> list[PreflightFinding]:
    """Look at all that a night needs, the quick things first; the devices are left alone where those stop it.

    Args:
        benches: by name.
        held: their leases.
        folder: where the night's evidence is going to stand.
        store: the store of all runs, as it is named.
        least_gb: so much room its disk must have.
        notes: where a guardian that had to act says so; None: in the folder of the leases.

    Raises:
        RigError: as `look_at_bench` and `look_at_store`.
    """
    found = [look_at_disk(folder, least_gb), look_at_store(store)]
    for name, spec in benches.items():
        found += [*look_at_calibrations(name, spec), *look_at_cut_off(name, spec)]
    if not what_stops(found):
        for name, spec in benches.items():
            found += look_at_bench(name, spec, held[name], notes)
    return found


def what_stops(found: Sequence[PreflightFinding]) -> list[PreflightFinding]:
    """Choose what a night may not begin with."""
    return [each for each in found if each.stops]


def of_error(error: RigError) -> PreflightFinding:
    """Make a finding of an error that keeps a bench from being taken."""
    return PreflightFinding("bench", str(error), stops=True)
