"""Before a run: which limits can this bench not decide with this plan, and what would be needed.

Not responsible for the formulas (`rig.analysis.capability`), nor for whether the run is done all the same.
"""

from __future__ import annotations

from collections.abc import Mapping

from rig.analysis.capability import Decidability, Measurand, Statistic, capability
from rig.bench.declared import metrology
from rig.bench.file import BenchFile
from rig.errors import BlockedError
from rig.procedures.volume import VolumeScale
from rig.roles import Air
from rig.run.plan import TestPlan
from rig.units import u_from_ul
from rig.verdicts.requirements import MeasurementRule, Requirement

ASSUMED_AIR = Air(temperature_c=20.0, pressure_hpa=1013.25, relative_humidity=0.5)
"""Before a run nobody has measured the air; over a bench's band it changes a volume by a few tenths of a percent."""


def undecidable(spec: BenchFile, plan: TestPlan, requirements: Mapping[str, Requirement]) -> list[str]:
    """Say for each limit that even a perfect pump could not be shown to meet what would be needed."""
    try:
        scale = VolumeScale.in_air(metrology(spec), ASSUMED_AIR)
    except BlockedError:  # the check of the bench has said so
        return []
    sentences = []
    for entry in (entry for entries in plan.entries.values() for entry in entries):
        measurands = entry.measurands
        for requirement in (requirements[name] for name in entry.decides(requirements)):
            for rule in (rule for rule in requirement.measurement if rule.quantity in measurands):
                measurand = measurands[rule.quantity]
                found = capability(
                    measurand,
                    scale.weighing,
                    tolerance_percent=_tolerance_percent(rule, measurand),
                    z_ul_per_mg=scale.z_factor_ul_per_mg,
                    rule=requirement.rule,
                )
                if not found.decidable:
                    sentences.append(
                        f"{requirement.id}, {rule.quantity}: expected U is {found.expanded_percent:.2g} %. "
                        + cannot(found, measurand)
                    )
    return sentences


def cannot(found: Decidability, measurand: Measurand) -> str:
    """Say in one sentence what would be needed to decide the limit."""
    needs = []
    if found.window_h is not None:
        needs.append(f"a window of {minutes_up(found.window_h):g} min or longer")
    if found.repeatability_g is not None:
        needs.append(f"a balance with a repeatability of {found.repeatability_g * 1e6:.3g} µg or less")
    if found.n is not None:
        needs.append(f"n = {found.n} or {'more' if measurand.statistic is Statistic.MEAN else 'fewer'}")
    remedy = (
        ", or ".join(needs) or f"less uncertainty of the {found.largest_source}, its largest part, or a wider limit"
    )
    return f"This balance, window and n cannot decide this limit: you need {remedy}."


def minutes_up(hours: float) -> int:
    """Round a time in h up to whole minutes; a billionth above a minute counts as that minute."""
    return -int(-(hours * 60.0 - 1e-6) // 1)


def _tolerance_percent(rule: MeasurementRule, measurand: Measurand) -> float:
    """Compute the nearer limit in % of the volume that is weighed."""
    nearest = min(abs(end) for end in (rule.low, rule.high) if end is not None)
    return nearest if rule.unit == "%" else 100.0 * nearest / u_from_ul(measurand.volume_ul)
