"""Which sources of a value's uncertainty another run may share: the calibration of the same balance, for instance.

The budgets in the record say what each source contributes; the name plates in the manifest say whose it is. What is not
known to be shared is taken as a run's own, which makes the U of a difference too large rather than too small: sources
of one quantity act in one direction. Not responsible for the arithmetic (`rig.analysis.difference`).
"""

from __future__ import annotations

import math
from collections.abc import Hashable

from reports.measured_values import Row, Value
from rig.analysis.difference import Stated
from rig.record.analyses import Budgets, QuantityBudget
from rig.record.manifest import Manifest

INSTRUMENTS = {"calibration of the balance": "balance", "Z factor": "environment"}
"""The role of the instrument whose calibration is behind a source of a budget. Other sources are drawn anew by each
measurement, or only in part the same, such as "pressure sensor", which holds its noise too."""

ASSUMED = (
    "U of a difference from the values' own U: what the calibrations of one balance and of one air sensor (through the "
    "Z factor) do to every run is common to the runs and cancels but for what is proportional to the difference; every "
    "other source, such as repeatability, readability, evaporation, wander of the blank and the pressure sensor, is "
    "taken as each run's own, and so is all of U where the record holds no budget: too large rather than too small."
)


def stated(row: Row, value: Value) -> Stated:
    """Write a value of a row with its U and what of it is shared, both in the unit of the quantity."""
    budget = _budget(row, value)
    if budget is None:
        return Stated(value.value, value.expanded_uncertainty)
    manifest = value.member.run.manifest
    shared: dict[Hashable, float] = {}
    for part in budget.rows:
        if part.source in INSTRUMENTS and (owner := _owner(manifest, INSTRUMENTS[part.source])) is not None:
            shared[part.source, owner] = math.copysign(budget.coverage_factor * part.contribution, part.sensitivity)
    return Stated(value.value, value.expanded_uncertainty, shared)


def _budget(row: Row, value: Value) -> QuantityBudget | None:
    """Find the budget that stands behind a value: that of its test, by its printed name, with its number and U."""
    for analysis in value.member.run.analyses:
        if (analysis.test, analysis.attempt) != (row.test, value.attempt) or not isinstance(analysis.analysis, Budgets):
            continue
        for budget in analysis.analysis.budgets:
            same = budget.quantity == row.quantity.name and budget.unit == row.quantity.unit
            if same and _is(budget.value, value.value) and _is(budget.expanded, value.expanded_uncertainty):
                return budget
    return None


def _owner(manifest: Manifest, role: str) -> Hashable:
    """Identify an instrument and its calibration; a simulated one is of its seed. None where no serial number is."""
    for each in manifest.equipment:
        if each.role == role and each.serial_number:
            return (each.maker, each.model, each.serial_number, each.calibrated, manifest.seed)
    return None


def _is(one: float, other: float) -> bool:
    return math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-15)
