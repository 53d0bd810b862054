"""One weighing per dispense: a table of masses, each of its own or as the balance showed them, to a bolus series.

Not responsible for logs of masses against time (`bolus`).
"""

from __future__ import annotations

import numpy as np

from rig.analysis.bolus import bolus_statistics
from rig.analysis.gravimetry import MG_PER_G
from rig.offline.analysed import Analysed, Measured
from rig.offline.findings import Finding
from rig.offline.log import BalanceLog
from rig.offline.plausible import judged
from rig.offline.scale import Scale
from rig.procedures.contents import bolus_content
from rig.units import u_from_ul, ul_from_u


def analyse_dispenses(
    log: BalanceLog, *, insulin_u: float, running: bool, scale: Scale, accept_implausible: bool
) -> Analysed:
    """Compute the statistics of dispenses of `insulin_u` U each.

    Args:
        log: one row per dispense; with `running`, the reading before the first one as well.
        insulin_u: the command.
        running: rows are readings of the balance, and a dispense is the difference of two.
        scale: masses to volumes.
        accept_implausible: volumes that look like a wrong unit are reported, not refused.

    Raises:
        ValueError: a sentence: fewer than two dispenses, or a mass that falls.
    """
    mass_g = np.diff(log.mass_g) if running else log.mass_g
    rows = log.row[1:] if running else log.row
    if mass_g.size < 2:
        raise ValueError(f"a series needs two dispenses or more, there is {mass_g.size}")
    if running and np.any(mass_g < 0):
        row = int(rows[int(np.argmax(mass_g < 0))])
        raise ValueError(
            f"row {row}: the mass falls, and --dispenses running takes what the balance showed: a tare between two "
            "rows? --dispenses each takes each row for a dispense"
        )
    if not running and np.any(mass_g < 0):
        raise ValueError(f"row {int(rows[int(np.argmax(mass_g < 0))])}: a dispense of a mass below 0")
    volume_ul = mass_g * MG_PER_G * scale.z_ul_per_mg
    statistics = bolus_statistics(volume_ul, programmed_ul=ul_from_u(insulin_u))
    expanded = [scale.expanded_uncertainty_u(u_from_ul(float(volume)), 0.0) for volume in volume_ul]
    known = [value for value in expanded if value is not None]
    content = bolus_content(
        statistics,
        u_u=known if len(known) == len(expanded) else None,
        logged_u=None,
        tail_percent=None,
        z_ul_per_mg=scale.z_ul_per_mg,
        evaporation=None,
    )
    ratio = float(volume_ul.mean() / ul_from_u(insulin_u))
    findings = [
        *scale.findings(),
        *judged(ratio, what="volume" if log.is_volume else "mass", accept=accept_implausible),
        Finding(
            "dispenses",
            f"{mass_g.size} dispenses, {'differences of rows' if running else 'one a row'}; the table has no times "
            "that evaporation could be taken from.",
        ),
    ]
    measured = [
        Measured(f"{name} bolus error at {insulin_u:g} U", percent, "%", _percent(one, insulin_u))
        for name, percent, one in (
            ("mean", statistics.mean_error_percent, None),
            ("largest", statistics.max_error_percent, max(known, default=None)),
            ("smallest", statistics.min_error_percent, max(known, default=None)),
        )
    ]
    return Analysed(content, tuple(measured), tuple(findings))


def _percent(expanded_u: float | None, insulin_u: float) -> float | None:
    return 100.0 * expanded_u / insulin_u if expanded_u is not None else None
