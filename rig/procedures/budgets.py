"""A budget for each number that a procedure reports, the measurement it stands behind, and its place in the record.

Not responsible for the arithmetic of budgets (`rig.analysis.budget`) nor for what is measured.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from rig.analysis.bolus import WeighedBolus
from rig.analysis.budget import Budget, Input, combined
from rig.analysis.uncertainty import COVERAGE_PERCENT
from rig.procedures.volume import VolumeScale
from rig.record.analyses import Budgets, QuantityBudget, SourceRow
from rig.units import u_from_ul
from rig.verdicts.limits import Measurement
from rig.verdicts.quantities import Quantity


def measured(quantity: Quantity, budget: Budget) -> Measurement:
    """Name the measurement that a budget stands behind: its value and U; ValueError when its unit is another."""
    if budget.unit != quantity.unit:
        raise ValueError(f"{quantity} is measured in {quantity.unit}, its budget is in {budget.unit}")
    return Measurement(quantity, budget.value, budget.expanded)


def bolus_budget(scale: VolumeScale, bolus: WeighedBolus) -> Budget:
    """Write the budget of one weighed bolus in U."""
    return scale.budget(u_from_ul(bolus.volume_ul), bolus.rest_s, readings_averaged=bolus.readings)


def mean_bolus_budget(scale: VolumeScale, weighed: Sequence[WeighedBolus]) -> Budget:
    """Write the budget in U of the mean of consecutive boluses, as delivered.

    Each rest ends one bolus and begins the next, so their sum is one difference of the last rest and the first: their
    scatter counts once, and calibration, Z, evaporation and wander do not average out.
    """
    budget = scale.budget(
        u_from_ul(sum(bolus.volume_ul for bolus in weighed)),
        sum(bolus.rest_s for bolus in weighed),
        readings_averaged=min(bolus.readings for bolus in weighed),
    )
    return budget.linear(1.0 / len(weighed), unit="U")


def error_unit(programmed_u: float) -> str:
    """Name the unit of the error of a delivered amount: % from 1 U up, U below, as accuracy claims are made."""
    return "%" if programmed_u >= 1.0 else "U"


def error_of(programmed_u: float, delivered: Budget) -> Budget:
    """Write the budget of the error of a delivered amount, in its `error_unit`."""
    if error_unit(programmed_u) == "%":
        return delivered.error_percent_of(programmed_u)
    return delivered.linear(1.0, offset=-programmed_u, unit="U")


def told_less_weighed(told_u: float, weighed: Budget) -> Budget:
    """Write the budget of what was told less what was weighed, both in U, in % of what was weighed.

    100 (told/weighed − 1), with the uncertainty of the denominator to first order. What is weighed within its own U of
    nothing has no such percentage: then all that is known is that no more than m = weighed + U came. The value is that
    of half of it, and value − U is 100 (told/m − 1), the least that the two can differ by.

    Raises:
        ValueError: nothing was weighed, and that is said to be exact.
    """
    if weighed.value > weighed.expanded:
        factor = -100.0 * told_u / weighed.value**2
        value = 100.0 * (told_u / weighed.value - 1.0)
    else:
        most_u = max(weighed.value, 0.0) + weighed.expanded
        if most_u == 0.0:
            raise ValueError("nothing was weighed, of which nothing differs by a percentage")
        factor = -100.0 * told_u / (most_u * weighed.expanded)
        value = 100.0 * (2.0 * told_u / most_u - 1.0)
    return weighed.linear(factor, offset=value - factor * weighed.value, unit="%")


def moment_budget(late_s: float, volume: Budget, *, flow_u_per_h: float, sources: Mapping[str, float]) -> Budget:
    """Write the budget in s of the moment at which a volume in U was reached, given how late in s that was.

    What is not known of the volume is, at this flow, a time; `sources` are further standard uncertainties in s, type B.
    """
    seconds_per_u = 3600.0 / flow_u_per_h
    budget = volume.linear(seconds_per_u, offset=late_s - seconds_per_u * volume.value, unit="s")
    for source, u_s in sources.items():
        budget = budget.plus(source, "B", u_s)
    return budget


def with_one_source(value: float, unit: str, source: str, u: float, kind: str = "B") -> Budget:
    """Write the budget of a number with one source of uncertainty, a standard uncertainty in its own unit."""
    only = Input(source, kind, 0.0, unit, u)
    return combined(value + only.number, unit, [only], COVERAGE_PERCENT)


def budgets_record(
    title: str,
    budgets: Mapping[Quantity, Budget],
    notes: Mapping[Quantity, str],
    further: Mapping[str, Budget],
) -> Budgets:
    """Write budgets by their quantities, with a sentence beside some, then further ones, as a record keeps them."""
    written = [_written(str(quantity), budget, notes.get(quantity)) for quantity, budget in budgets.items()]
    written += [_written(name, budget, None) for name, budget in further.items()]
    return Budgets(title=title, budgets=tuple(written))


def _written(name: str, budget: Budget, note: str | None) -> QuantityBudget:
    return QuantityBudget(
        quantity=name,
        note=note,
        value=budget.value,
        unit=budget.unit,
        u=budget.u,
        degrees_of_freedom=_finite(budget.degrees_of_freedom),
        coverage_percent=budget.coverage_percent,
        coverage_factor=budget.coverage_factor,
        expanded=budget.expanded,
        rows=tuple(
            SourceRow(
                source=row.source,
                kind=row.kind,
                value=row.value,
                unit=row.unit,
                u=row.u,
                degrees_of_freedom=_finite(row.degrees_of_freedom),
                sensitivity=row.sensitivity,
                contribution=row.contribution,
                share_percent=row.share_percent,
            )
            for row in budget.rows
        ),
    )


def _finite(freedom: float) -> float | None:
    """Write infinite degrees of freedom as None: JSON has no infinity."""
    return None if freedom == math.inf else freedom
