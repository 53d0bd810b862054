"""Doing a cell: the real bench, procedure and judgement in one process, and what came of it beside the truth.

Not responsible for which cells there are, nor for counting.
"""

from __future__ import annotations

import tempfile
import traceback
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from functools import cache, partial
from pathlib import Path
from typing import Any

from rig.bench.open import open_bench
from rig.errors import DriverError, RigError
from rig.procedures.procedure import BetweenBlanks, Computed
from rig.record.appending import DirectAppender
from rig.record.attempt import AttemptRecord
from rig.record.folder import Collected, MeasuredFile, read_model
from rig.record.taking import read_taken
from rig.run.collection import Declaration
from rig.run.verification import NotApplicableError, RequirementNotMetError, Verification
from rig.verdicts.limits import Measurement, Verdict, decide
from rig.verdicts.quantities import Quantity
from rig.virtual.world import World
from suites.measuring import VIRTUAL
from suites.selftest.trouble.cells import Cell
from suites.selftest.trouble.measurements import MEASUREMENTS, requirements
from suites.selftest.trouble.truth import Beyond, NeverEndsError, true_values

OFF_BY_U = 1.5
"""A value further from the truth is wrong. U holds the truth in 95 of 100 cases, three standard uncertainties in all
but 3 of 1,000, and there are thousands of values."""
LEAST_U = 1e-9


class Ending(Enum):
    """What came of a cell."""

    UNCHANGED = "unchanged"
    RIG_ERROR = "rig error"
    INCONCLUSIVE = "inconclusive"
    WRONG = "wrong"
    TRACEBACK = "traceback"


@dataclass(frozen=True)
class Came:
    """What came of a measurement: how it ended, a sentence on it, its verdicts, and the pump afterwards."""

    ending: Ending
    sentence: str
    verdicts: Mapping[str, str] = field(default_factory=dict)
    left_running: bool = False
    left_powered: bool = False


@dataclass(frozen=True)
class Sound:
    """The measurement on a sound bench: its verdicts, and the onsets in s that follow from its phases."""

    verdicts: Mapping[str, str]
    moments: Mapping[str, float]


def do(cell: Cell) -> Came:
    """Do a cell and hold it against the sound bench and the truth."""
    sound = sound_bench(cell.measurement)
    return measured(cell.measurement, cell.overrides(sound.moments), sound.verdicts)


@cache
def sound_bench(measurement: str) -> Sound:
    """Do the measurement with nothing wrong; RuntimeError when even that brings no PASS that is true."""
    with tempfile.TemporaryDirectory() as folder:
        came = measured(measurement, {}, None, Path(folder))
        if came.ending is not Ending.UNCHANGED or set(came.verdicts.values()) != {Verdict.PASS.value}:
            raise RuntimeError(f"{measurement} on a sound bench: {came.ending.value}: {came.sentence} {came.verdicts}")
        taken = read_taken(_taken(Path(folder)))
    opening, closing = (taken.series(f"{which} blank run").at_s for which in ("opening", "closing"))
    return Sound(
        came.verdicts,
        {
            "opening": 0.0,
            "blank": float(opening[0] + opening[-1]) / 2.0,
            "measuring": float(opening[-1] + closing[0]) / 2.0,
            "closing": float(closing[0] + 4.0 * closing[-1]) / 5.0,
        },
    )


def measured(
    measurement: str,
    overrides: Mapping[str, Any],
    expected: Mapping[str, str] | None,
    folder: Path | None = None,
    meddle: Callable[[World], None] | None = None,
) -> Came:
    """Do a measurement on a bench with something laid over its file, and say what came of it.

    Args:
        measurement: its name.
        overrides: laid over the virtual bench's file.
        expected: the verdicts of a sound bench; None for that one itself.
        folder: keeps the record; by default nothing is kept.
        meddle: does something else to the world before the bench opens.
    """
    if folder is None:
        with tempfile.TemporaryDirectory() as made:
            return measured(measurement, overrides, expected, Path(made), meddle)
    beyond = Beyond(meddle=meddle)
    procedure = MEASUREMENTS[measurement]
    assert isinstance(procedure, BetweenBlanks)
    try:
        came = _judged(procedure, overrides, folder, beyond, expected)
    except DriverError as error:
        came = Came(Ending.TRACEBACK, str(error))
    except RigError as error:
        came = _blamed(folder, f"{type(error).__name__}: {error}")
    except NeverEndsError as error:
        came = Came(Ending.WRONG, f"never ends: {error}")
    except Exception as error:
        where = traceback.extract_tb(error.__traceback__)[-1]
        came = Came(Ending.TRACEBACK, f"{type(error).__name__}: {error} ({Path(where.filename).name}:{where.lineno})")
    powered = beyond.powered()
    return Came(came.ending, came.sentence, came.verdicts, beyond.left_running(), powered)


def _judged(
    procedure: BetweenBlanks,
    overrides: Mapping[str, Any],
    folder: Path,
    beyond: Beyond,
    expected: Mapping[str, str] | None,
) -> Came:
    """Measure and judge; what the bench or the procedure cannot do passes as their error."""
    appender = DirectAppender()
    record = AttemptRecord(folder / "1", appender, partial(_tell_nobody), partial(_tell_nobody))
    try:
        with open_bench(VIRTUAL, overrides, log=record.wires, occasion="trouble", beyond=beyond.far_side) as bench:
            record.start(bench.clock)
            verification = Verification(bench, record, requirements(), _collected(procedure))
            computed = verification.measure(procedure)
            metrology = bench.metrology
            try:
                verification.conclude()
            except RequirementNotMetError as unmet:
                concluded = str(unmet)
            except NotApplicableError as error:
                return Came(Ending.WRONG, f"not applicable: {error}")
            else:
                concluded = ""
    finally:
        record.close()
        record.wires.close()
        appender.close()
    verdicts = _verdicts(computed.measured)
    off = _off_the_truth(computed, true_values(_taken(folder), folder / "true", beyond, procedure, metrology))
    if off:
        return Came(Ending.WRONG, f"{off}, and the verdicts are {verdicts}", verdicts)
    if Verdict.FAIL.value in verdicts.values():
        return Came(Ending.WRONG if expected is not None else Ending.UNCHANGED, concluded, verdicts)
    if expected is not None and verdicts != expected:
        return Came(Ending.INCONCLUSIVE, concluded, verdicts)
    return Came(Ending.UNCHANGED, concluded, verdicts)


def _blamed(folder: Path, sentence: str) -> Came:
    """Say what came of a measurement that the rig broke off: what it kept of the pump all the same is judged."""
    kept = [
        each.measurement
        for path in folder.glob("1/1-*/computed/measured.json")
        for each in read_model(path, MeasuredFile).measured
    ]
    verdicts = _verdicts(kept)
    ending = Ending.WRONG if Verdict.FAIL.value in verdicts.values() else Ending.RIG_ERROR
    return Came(ending, sentence, verdicts)


def _tell_nobody(entry: Mapping[str, Any]) -> None:
    del entry


def _taken(folder: Path) -> Path:
    """Find the folder of the one measurement of an attempt."""
    (found,) = (folder / "1").glob("1-*")
    return found


def _collected(procedure: BetweenBlanks) -> Collected:
    """Declare the measurement as a run does."""
    declared = Declaration.of("trouble", procedure.in_words, [procedure], requirements())
    return Collected(
        test=declared.test,
        folder="trouble",
        title=declared.title,
        requirements=declared.requirements,
        quantities=declared.quantities,
    )


def _verdicts(measured: Iterable[Measurement]) -> dict[str, str]:
    """The verdict on each measured value that a requirement asks for, by its quantity's printed form."""
    return {
        each.name: decide(each, requirement.measurement_rule(each.quantity).limit, requirement.rule).verdict.value
        for each in measured
        for requirement in requirements().values()
        if requirement.asks_for(each.quantity)
    }


def _off_the_truth(computed: Computed, true: Computed) -> str:
    """Name the first value that is further from the truth than its uncertainty allows; nothing when there is none."""
    truths: Mapping[Quantity, float] = {each.quantity: each.value for each in true.measured}
    for each in computed.measured:
        truth = truths.get(each.quantity, each.value)  # what no reading shows has no other truth
        if abs(each.value - truth) > OFF_BY_U * each.expanded_uncertainty + LEAST_U:
            return (
                f"{each.name} is {each.value:.4g} ± {each.expanded_uncertainty:.2g} {each.unit}, in truth {truth:.4g}"
            )
    return ""
