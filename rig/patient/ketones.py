"""Ketones when insulin stops: an empirical line, because no open model with usable parameters was found.

Klonoff 2024 (doi 10.1177/19322968241280386), a review of seven studies: after an hour, beta-hydroxybutyrate rises by
0.0038 mmol/L a minute. Its 3.0 mmol/L is an extrapolation of experiments of 5 to 9 h. Not responsible for glucose.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from rig.analysis.checks import FloatArray

LAG_MIN = 60.0
RISE_MMOL_PER_L_PER_MIN = 0.0038
RAISED_MMOL_PER_L, MODERATE_MMOL_PER_L, SEVERE_MMOL_PER_L = 0.6, 1.6, 3.0
PUBLISHED_HOURS = {1.6: (7.0, 12.0), 3.0: (13.0, 21.0)}
"""Between which hours the studies of the review reached a level, mmol/L."""


def empirical_bhb_mmol_per_l(minutes_without_insulin: ArrayLike) -> FloatArray:
    """Beta-hydroxybutyrate above its start, mmol/L, by minutes since insulin stopped; an empirical line, no model.

    Raises:
        ValueError: a time is negative or no number.
    """
    at = np.asarray(minutes_without_insulin, dtype=float)
    if not np.isfinite(at).all() or (at < 0.0).any():
        raise ValueError("minutes without insulin must be finite numbers of 0 or more")
    return RISE_MMOL_PER_L_PER_MIN * np.maximum(at - LAG_MIN, 0.0)


def hours_to_bhb(mmol_per_l: float) -> float:
    """Hours without insulin until the empirical line reaches a level above 0 mmol/L."""
    if not mmol_per_l > 0.0:
        raise ValueError(f"a level of ketones must be above 0 mmol/L, got {mmol_per_l!r}")
    return (LAG_MIN + mmol_per_l / RISE_MMOL_PER_L_PER_MIN) / 60.0
