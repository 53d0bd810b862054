"""A run's numbers, computed again from what it wrote down, and held against what its record says.

The second halves of the bench's own procedures, on the same raw readings, facts and frozen bench file. Not responsible
for printing, nor for verdicts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rig.bench.declared import metrology
from rig.errors import DataFileError, EvidenceError
from rig.procedures.catalogue import procedure_of
from rig.record.folder import RECORD, Attempt, MeasuredFile, RunFolder, read_model
from rig.record.models import MeasuredRecord
from rig.record.taking import read_taken
from rig.roles import Metrology
from rig.run.inputs import frozen_inputs


@dataclass(frozen=True)
class Recomputed:
    """One measurement of a run, computed again.

    Attributes:
        test: its test's title.
        attempt: the attempt's number.
        measured: the values as they come out now.
        recorded: the values as the record holds them; None where the test ended before they were computed.
        refused: why it cannot be computed; None where it can.
    """

    test: str
    attempt: int
    measured: tuple[MeasuredRecord, ...]
    recorded: tuple[MeasuredRecord, ...] | None
    refused: str | None = None

    @property
    def differences(self) -> list[str]:
        """A sentence for each value that is not, to the last digit, what the record holds."""
        if self.recorded is None:
            return []
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
        return [f"{self.test}: {sentence}" for sentence in (*missing, *added, *changed)]


def recompute(folder: Path) -> list[Recomputed]:
    """Compute every measurement of a run again.

    Raises:
        DataFileError: it is a run of format 1, whose readings have no phases.
        EvidenceError: the record is damaged, or an input is not what it was when the run began.
    """
    if not (folder / RECORD).is_dir():
        raise DataFileError(
            f"{folder}: is a run of format 1, whose readings have no phases; rig report and compare read it"
        )
    run = RunFolder(folder)
    known = metrology(frozen_inputs(run, run.manifest()).spec)
    return [
        _recomputed(attempt, measurement, known) for attempt in run.attempts() for measurement in attempt.measurements
    ]


def _recomputed(attempt: Attempt, folder: Path, known: Metrology) -> Recomputed:
    recorded = _recorded(folder)
    title, number = attempt.collected.title, attempt.number
    try:
        taken = read_taken(folder)
        computed = procedure_of(taken.asked()).compute(taken, known)
    except (EvidenceError, ValueError, KeyError) as error:
        if recorded is not None:
            raise EvidenceError(f"{folder}: cannot be computed again ({error})") from error
        return Recomputed(title, number, (), None, str(error))
    return Recomputed(title, number, tuple(MeasuredRecord.of(each) for each in computed.measured), recorded)


def _recorded(folder: Path) -> tuple[MeasuredRecord, ...] | None:
    path = folder / "computed" / "measured.json"
    return read_model(path, MeasuredFile).measured if path.is_file() else None


def all_differences(found: Sequence[Recomputed]) -> list[str]:
    """List the differences of all measurements."""
    return [sentence for each in found for sentence in each.differences]
