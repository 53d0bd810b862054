"""Which way a mass goes: up on what a pump delivers to, down on what it delivers from.

Not responsible for single falls (`breaks`, `disturbances`): a trend is judged by the medians of many parts.
"""

from __future__ import annotations

import numpy as np

from rig.offline.disturbances import SMALLEST_FALL_G
from rig.offline.log import BalanceLog, FloatArray

PARTS = 20
"""The record is cut into so many parts; a tare moves one step between their medians."""

SURE = 0.75
"""A trend is one when this share of the steps between parts goes one way."""

LEAST_SHARE = 0.01
"""A fall of less than this share of what was programmed is drift or evaporation, not a pump's reservoir."""


def trend(mass_g: FloatArray) -> int:
    """Give 1 for masses (n,) that rise all the way, -1 for such that fall, 0 for such that do neither."""
    parts = [float(np.median(part)) for part in np.array_split(mass_g, min(PARTS, mass_g.size)) if part.size]
    steps_g = np.diff(parts)
    falls, rises = int((steps_g < 0).sum()), int((steps_g > 0).sum())
    typical_g = float(np.median(np.abs(steps_g[steps_g != 0]))) if falls + rises else 0.0
    if (falls + rises) * typical_g < SMALLEST_FALL_G:
        return 0
    if falls >= SURE * (falls + rises) and falls > 1:
        return -1
    return 1 if rises >= SURE * (falls + rises) and rises > 1 else 0


def upwards(log: BalanceLog, dry_mass_g: FloatArray, *, loss_in_weight: bool) -> None:
    """Refuse a log whose mass goes the other way than was said; `dry_mass_g` is corrected for evaporation.

    Raises:
        ValueError: a sentence that says so.
    """
    way = trend(dry_mass_g)
    what = "volume" if log.is_volume else "mass"
    change_g = float(dry_mass_g[-1] - dry_mass_g[0])
    if way >= 0:
        return
    if loss_in_weight:
        raise ValueError(
            f"--loss-in-weight says that the {what} of a reservoir falls, and it rises from row {log.row[0]} to row "
            f"{log.row[-1]}, by {-1e3 * change_g:.4g} mg: leave the option out"
        )
    raise ValueError(
        f"the {what} falls all the way from row {log.row[0]} to row {log.row[-1]}, by {-1e3 * change_g:.4g} mg: if a "
        "reservoir stands on the pan, --loss-in-weight analyses what leaves it; if a vessel loses this to the air, say "
        "how much by --evaporation"
    )
