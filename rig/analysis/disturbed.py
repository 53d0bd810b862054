"""What no liquid does to a balance: mass that comes back as it went, and a digit that takes no part.

Not responsible for drift and draught (`blank_run`), nor for readings that do not change at all (`unchanging`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from rig.analysis.checks import FloatArray, not_negative, positive, timed_series

SPIKE_SD, STEP_G = 20.0, 1e-4
"""A single reading that is off by 20 SD and back is no delivery. Of a mass that stays on for longer it takes 0.1 mg
too, beside what evaporates: no pump takes a hundredth of a unit back. A
fall may hide behind a dose that comes with it."""
SAME_SHARE, SAME_SD = 0.1, 10.0
"""It came back when the two steps differ by no more than this share, so many SD and what a pump delivers meanwhile."""
STEP_READINGS = 3
"""A hand needs so many readings at most to put a mass on or take it off."""
FEWEST_READINGS = 20
USUAL_SHARE = 0.98
"""Steps between readings that are usual: a larger one is a bolus, or the fault that is looked for."""
CYCLES, CYCLES_OF_HALF = 3, 7
"""A digit that is the same in all readings while the digits above it go through 3 values is broken; one that shows half
of its ten values or fewer, while they go through 7. That holds where readings pass through the values."""
DRAWN, DRAWN_OF_HALF = 7, 28
"""Where readings jump, each value of the digits above is one draw of the digit. That 7 draws are the same has a chance
of 10^-6; that 28 are of the same five values one of 252 / 2^28."""


@dataclass(frozen=True)
class CameBack:
    """A mass in g that was on (above 0) or off the balance from `from_s` to `to_s`."""

    from_s: float
    to_s: float
    mass_g: float


def came_back(at_s: ArrayLike, mass_g: ArrayLike, *, sd_g: float, evaporation_g_per_h: float = 0.0) -> CameBack | None:
    """The first mass that came and went, or went and came; None where every step stayed.

    Args:
        at_s: (n,) times in s, rising.
        mass_g: (n,) readings in g.
        sd_g: SD of single readings, with what rounding to the last digit adds.
        evaporation_g_per_h: no more than so much evaporates.

    Raises:
        ValueError: with a sentence, on input that is not the above.
    """
    times, mass = timed_series(at_s, "mass_g", mass_g)
    mass = mass + (times - times[0]) * (not_negative("evaporation_g_per_h", evaporation_g_per_h) / 3600.0)
    sd = positive("sd_g", sd_g)
    steps = np.diff(mass)
    one_g, step_g = SPIKE_SD * sd, max(STEP_G, SPIKE_SD * sd)
    usual_g = float(np.quantile(np.abs(steps), USUAL_SHARE))
    same = np.abs(steps[1:] + steps[:-1]) <= SAME_SHARE * np.abs(steps[1:]) + SAME_SD * sd + usual_g
    turned = steps[1:] * steps[:-1] < 0.0
    spikes = np.flatnonzero(turned & (np.abs(steps[1:]) > one_g) & (np.abs(steps[:-1]) > one_g) & same)
    if spikes.size:
        at = int(spikes[0]) + 1
        return CameBack(float(times[at]), float(times[at + 1]), float(steps[at - 1]))
    return _longer(times, mass, step_g, SAME_SD * sd + usual_g)


def _longer(times: FloatArray, mass: FloatArray, step_g: float, slack_g: float) -> CameBack | None:
    """Look for a fall of `step_g` or more in up to `STEP_READINGS`, and for a rise of its size before it or after."""
    for over in range(1, min(STEP_READINGS, mass.size - 1) + 1):  # a dose may hide it from some of them
        found = _over(over, times, mass, step_g, slack_g)
        if found is not None:
            return found
    return None


def _over(over: int, times: FloatArray, mass: FloatArray, step_g: float, slack_g: float) -> CameBack | None:
    """Look for them between readings that are so many apart."""
    changes = mass[over:] - mass[:-over]
    fallen = np.flatnonzero(changes <= -step_g)
    for fall in fallen[:CYCLES]:
        size_g = -float(changes[fall : fall + over].min())
        alike = np.flatnonzero(np.abs(changes - size_g) <= SAME_SHARE * size_g + slack_g)
        if alike.size:
            rise = int(alike[np.argmin(np.abs(alike - fall))])
            first, last = sorted((rise, int(fall)))
            return CameBack(float(times[first + 1]), float(times[last + over]), size_g if rise < fall else -size_g)
    return None


def broken_digit_g(mass_g: ArrayLike, *, digit_g: float) -> float | None:
    """The step in g of a decimal digit that takes no part, the largest such; None where all do.

    As a delivery goes on, a digit goes through its ten values each time that the digits above it change by one. One
    that is the same throughout, or never shows half of its values, belongs to the instrument or its line. That is so of
    digits that readings do not jump over, as they do in a bolus between two long rests: what they jump over shows the
    digit by chance, and needs more of it. Of a digit whose step is smaller than what usually lies between two readings
    nothing is said.

    Args:
        mass_g: (n,) readings in g.
        digit_g: the last digit's step, a power of ten.

    Raises:
        ValueError: `digit_g` is not above 0.
    """
    whole = np.abs(np.rint(np.asarray(mass_g, dtype=np.float64) / positive("digit_g", digit_g))).astype(np.int64)
    if whole.size < FEWEST_READINGS:
        return None
    steps = np.abs(np.diff(whole))
    usual = float(np.quantile(steps, USUAL_SHARE))
    found, place = None, 1
    while place <= int(whole.max() - whole.min()):
        shown = np.unique(whole // place % 10).size
        above = whole // (10 * place)
        drawn = np.unique(above).size
        cycles = max(np.unique(part).size for part in np.split(above, np.flatnonzero(steps > place) + 1))
        same = shown == 1 and (cycles >= CYCLES or drawn >= DRAWN)
        half = shown <= 5 and (cycles >= CYCLES_OF_HALF or drawn >= DRAWN_OF_HALF)
        if usual <= place and (same or half):
            found = place * digit_g
        place *= 10
    return found
