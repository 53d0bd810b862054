"""Confidence bounds of a proportion that was counted.

Not responsible for how many have to be counted (`success_run`).
"""

from __future__ import annotations

import scipy


def clopper_pearson(hits: int, of: int, confidence: float = 0.95) -> tuple[float, float]:
    """Bounds (0..1) of a proportion that was counted; they hold with at least `confidence` (0..1), both together.

    Clopper and Pearson, Biometrika 26 (1934) 404: exact, never too narrow.

    Raises:
        ValueError: more hits than trials, fewer than none, or a confidence outside (0, 1).
    """
    if not 0 <= hits <= of:
        raise ValueError(f"Expected from 0 to {of} hits of {of}, got {hits}")
    if not 0.0 < confidence < 1.0:
        raise ValueError(f"Expected a confidence between 0 and 1, got {confidence!r}")
    if of == 0:
        return 0.0, 1.0
    bounds = scipy.stats.binomtest(hits, of).proportion_ci(confidence_level=confidence, method="exact")
    return float(bounds.low), float(bounds.high)
