"""Conditions of use: smallest and largest error under each condition, beside the nominal.

Not responsible for setting the conditions, nor for the errors' uncertainties and verdicts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import pairwise

from numpy.typing import ArrayLike

from rig.analysis.checks import finite, series


class Influence(Enum):
    """What is changed, with its unit."""

    BACK_PRESSURE = ("back pressure", "kPa")
    HEAD = ("head", "m")
    TEMPERATURE = ("temperature", "°C")
    AMBIENT_PRESSURE = ("ambient pressure", "kPa")
    VISCOSITY = ("viscosity", "mPa·s")

    @property
    def unit(self) -> str:
        """The unit of a setting."""
        return self.value[1]


@dataclass(frozen=True)
class Condition:
    """Errors in %, shape (n,), measured while one influence stood at `setting`, in the influence's unit."""

    influence: Influence
    setting: float
    errors_percent: ArrayLike


@dataclass(frozen=True)
class ConditionRow:
    """One line of the table.

    Attributes:
        influence, setting: None, None for the nominal conditions.
        n: values.
        min_percent, mean_percent, max_percent: of the errors.
        shift_percent: of the mean from the nominal mean, in percentage points.
        beyond_nominal_percent: how far the errors reach outside nominal min … max, 0 when they do not.
    """

    influence: Influence | None
    setting: float | None
    n: int
    min_percent: float
    mean_percent: float
    max_percent: float
    shift_percent: float
    beyond_nominal_percent: float


@dataclass(frozen=True)
class ConditionTable:
    """The nominal conditions, then every other one by influence and rising setting, and the extremes of all."""

    nominal: ConditionRow
    rows: tuple[ConditionRow, ...]
    min_percent: float
    max_percent: float


def condition_table(nominal_errors_percent: ArrayLike, conditions: Sequence[Condition]) -> ConditionTable:
    """Lay the errors under each condition beside the nominal ones.

    Args:
        nominal_errors_percent: shape (n,), n ≥ 1.
        conditions: each influence and setting once.

    Raises:
        ValueError: bad errors (names condition and index), or a condition that stands twice.
    """
    nominal = _row(None, None, nominal_errors_percent, None)
    ranks = {influence: rank for rank, influence in enumerate(Influence)}
    ordered = sorted(conditions, key=lambda each: (ranks[each.influence], finite("setting", each.setting)))
    for before, after in pairwise(ordered):
        if (before.influence, before.setting) == (after.influence, after.setting):
            raise ValueError(f"the condition {_name(after.influence, after.setting)} stands twice")
    rows = tuple(_row(each.influence, each.setting, each.errors_percent, nominal) for each in ordered)
    everything = (nominal, *rows)
    return ConditionTable(
        nominal=nominal,
        rows=rows,
        min_percent=min(row.min_percent for row in everything),
        max_percent=max(row.max_percent for row in everything),
    )


def _row(
    influence: Influence | None, setting: float | None, errors_percent: ArrayLike, nominal: ConditionRow | None
) -> ConditionRow:
    errors = series(f"errors at {_name(influence, setting)}", errors_percent)
    low, mean, high = float(errors.min()), float(errors.mean()), float(errors.max())
    shift = mean - nominal.mean_percent if nominal else 0.0
    beyond = max(0.0, nominal.min_percent - low, high - nominal.max_percent) if nominal else 0.0
    return ConditionRow(influence, setting, errors.size, low, mean, high, shift, beyond)


def _name(influence: Influence | None, setting: float | None) -> str:
    if influence is None:
        return "nominal conditions"
    return f"{influence.value[0]} {setting:g} {influence.unit}"
