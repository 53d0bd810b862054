"""A run's numbers, computed again from what it wrote down, and held against what its record says.

The second halves of the bench's own procedures, on the same raw readings, facts and frozen bench file. Not responsible
for printing, nor for verdicts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rig.bench.declared import metrology
from rig.errors import BlockedError, DataFileError, EvidenceError
from rig.procedures.catalogue import procedure_of
from rig.procedures.procedure import computed_from, kept_analyses
from rig.record.closed import refuse_links
from rig.record.files import read_json
from rig.record.folder import RECORD, Attempt, MeasuredFile, RunFolder, read_model
from rig.record.models import MeasuredRecord
from rig.record.taking import read_taken
from rig.roles import Metrology
from rig.run.inputs import frozen_inputs
from rig.run.reading import read_whole_run


@dataclass(frozen=True)
class Recomputed:
    """One measurement of a run, computed again.

    Attributes:
        test: its test's title.
        attempt: the attempt's number.
        measured: the values as they come out now.
        recorded: the values as the record holds them; None where it holds none.
        refused: why it cannot be computed; None where it can.
        owed: the test came to its end, so that the record must hold the values.
        other_files: a sentence for each other computed file that is not what comes out now.
    """

    test: str
    attempt: int
    measured: tuple[MeasuredRecord, ...]
    recorded: tuple[MeasuredRecord, ...] | None
    refused: str | None = None
    owed: bool = True
    other_files: tuple[str, ...] = ()

    @property
    def differences(self) -> list[str]:
        """A sentence for each value and file that is not, to the last digit, what the record holds."""
        if self.recorded is None:
            return [f"{self.test}: the record holds no measured.json"] if self.owed else []
        now, then = ({each.quantity.quantity: each for each in values} for values in (self.measured, self.recorded))
        missing = [f"{quantity} stands in the record alone" for quantity in then if quantity not in now]
        added = [f"{quantity} does not stand in the record" for quantity in now if quantity not in then]
        changed = [
            f"{quantity} is {value.value!r} ± {value.expanded_uncertainty!r}, and the record says "
            f"{then[quantity].value!r} ± {then[quantity].expanded_uncertainty!r}"
            for quantity, value in now.items()
            if quantity in then
            and (value.value, value.expanded_uncertainty) != (then[quantity].value, then[quantity].expanded_uncertainty)
        ]
        return [f"{self.test}: {sentence}" for sentence in (*missing, *added, *changed, *self.other_files)]


def recompute(folder: Path) -> list[Recomputed]:
    """Compute every measurement of a run again.

    Raises:
        DataFileError: it is a run of format 1, whose readings have no phases.
        EvidenceError: the record is damaged or holds no measurement, its results are not those of its tests, or an
            input is not what it was when the run began.
    """
    if not (folder / RECORD).is_dir():
        raise DataFileError(
            f"{folder}: is a run of format 1, whose readings have no phases; rig report and compare read it"
        )
    refuse_links(folder)
    run = RunFolder(folder)
    if run.closing() is not None:  # a run that was killed has measurements, and no results
        read_whole_run(folder)
    known = metrology(frozen_inputs(run, run.manifest()).spec)
    found = [
        _recomputed(attempt, measurement, known) for attempt in run.attempts() for measurement in attempt.measurements
    ]
    if not found:
        raise EvidenceError(f"{folder}: holds no measurement, so that nothing can be computed again")
    return found


def _recomputed(attempt: Attempt, folder: Path, known: Metrology) -> Recomputed:
    recorded = _recorded(folder)
    title, number = attempt.collected.title, attempt.number
    owed = attempt.outcome in ("passed", "failed")
    try:
        taken = read_taken(folder)
        procedure = procedure_of(taken.asked())
        computed = computed_from(procedure, taken, known)
    except (EvidenceError, BlockedError, ValueError, KeyError) as error:
        if recorded is not None or owed:
            raise EvidenceError(f"{folder}: cannot be computed again ({error})") from error
        return Recomputed(title, number, (), None, str(error), owed=False)
    analyses = {name: each.model_dump(mode="json") for name, each in kept_analyses(procedure, computed).items()}
    measured = tuple(MeasuredRecord.of(each) for each in computed.measured)
    return Recomputed(title, number, measured, recorded, owed=owed, other_files=_other_files(folder, analyses))


def _other_files(folder: Path, analyses: Mapping[str, Any]) -> tuple[str, ...]:
    """Hold the computed files but `measured.json` against what comes out now; a sentence for each that differs."""
    recorded = {path.stem: path for path in (folder / "computed").glob("*.json") if path.name != "measured.json"}
    found = []
    for name in sorted(recorded.keys() | analyses):
        if name not in recorded:
            found.append(f"computed/{name}.json is missing from the record")
        elif name not in analyses:
            found.append(f"computed/{name}.json stands in the record alone")
        elif (then := read_json(recorded[name])) != analyses[name]:
            keys = [key for key in sorted(then.keys() | analyses[name]) if then.get(key) != analyses[name].get(key)]
            found.append(f"computed/{name}.json differs from the record in {', '.join(keys)}")
    return tuple(found)


def _recorded(folder: Path) -> tuple[MeasuredRecord, ...] | None:
    path = folder / "computed" / "measured.json"
    return read_model(path, MeasuredFile).measured if path.is_file() else None


def all_differences(found: Sequence[Recomputed]) -> list[str]:
    """List the differences of all measurements."""
    return [sentence for each in found for sentence in each.differences]
