"""Samples that a hand, a draught or a lost digit put off their line: the mass leaves it and comes back.

What comes back was no delivery and no tare, so such samples are left out. What stays away is a break (`breaks`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rig.offline.findings import Finding
from rig.offline.log import BalanceLog, FloatArray

SMALLEST_FALL_G = 50e-6
"""A fall below this is no tare: drift, a bubble, evaporation over a gap. Assumption."""

SD_OF_MAD = 1.4826
"""Standard deviation of normal values over their median absolute deviation, 1/Φ⁻¹(3/4)."""

SHARE_OF_DOSE = 0.25
"""A fall of less than this share of a dose changes no number of a basal record that counts. Assumption."""

ONE_STEP = 0.3
"""Boluses whose usual rise between two samples is less than this share of the command are seen in steps."""

FLICKER = 0.01
"""A log in which so large a share of the steps falls has a flickering last digit: three of its steps are no fall."""

TIMES_RATE, TIMES_DOSE = 3.0, 2.5
"""A pump delivers no more between two samples than so many times its rate and its usual dose. Assumption."""

LONGEST_STEPS, LONGEST_S = 20.0, 300.0
"""What comes back later than after so many steps, and so many seconds, is no disturbance. Assumption."""

PASSES = 5


@dataclass(frozen=True)
class Expected:
    """What a pump may deliver between two samples, in g as the balance shows it.

    Attributes:
        rate_g_per_h: programmed, 0 when nothing flows between boluses.
        at_once_g: one dose or bolus; None takes the usual rise of the log.
        largest_rise_g: that counts as delivery whatever the rest says; None when nobody said.
    """

    rate_g_per_h: float
    at_once_g: float | None = None
    largest_rise_g: float | None = None


@dataclass(frozen=True)
class Bounds:
    """Steps of mass in g that are ordinary in a log: noise, the least fall that counts, the usual rise.

    With `one_step`, boluses come between two samples, so that a tare and a bolus after it look as a dip does.
    """

    noise_g: float
    least_fall_g: float
    dose_g: float
    one_step: bool = False


def bounds_of(log: BalanceLog, expected: Expected) -> Bounds:
    """Find what is ordinary in a log from its steps."""
    steps_g = np.diff(log.mass_g)
    middle = float(np.median(steps_g))
    sd_g = SD_OF_MAD * float(np.median(np.abs(steps_g - middle)))
    sizes_g = np.abs(steps_g[steps_g != 0])
    smallest_g = float(sizes_g.min()) if sizes_g.size else 0.0
    flickers = np.count_nonzero(steps_g < 0) > FLICKER * steps_g.size
    flicker_g = 3.0 * smallest_g if flickers else 0.0
    least_fall_g = max(6.0 * sd_g, flicker_g, 1.5 * log.resolution_g, SMALLEST_FALL_G)
    rises_g = steps_g[steps_g > least_fall_g]
    usual_g = float(np.median(rises_g)) if rises_g.size else 0.0
    dose_g = usual_g if expected.at_once_g is None else expected.at_once_g
    in_steps = expected.rate_g_per_h == 0 and 0.0 < usual_g < ONE_STEP * dose_g
    if in_steps:
        dose_g = 2.0 * usual_g
    noise_g = least_fall_g
    if expected.rate_g_per_h > 0:
        least_fall_g = max(least_fall_g, SHARE_OF_DOSE * dose_g)
    return Bounds(noise_g, least_fall_g, dose_g, one_step=expected.rate_g_per_h == 0 and not in_steps)


def allowed_rise_g(step_s: FloatArray, bounds: Bounds, expected: Expected) -> FloatArray:
    """Give the largest rise in g that a pump can deliver in each step of time, shape as `step_s`."""
    allowed: FloatArray = (
        TIMES_RATE * expected.rate_g_per_h / 3600.0 * np.maximum(step_s, 0.0)
        + TIMES_DOSE * bounds.dose_g
        + bounds.noise_g
        + SMALLEST_FALL_G
    )
    return np.maximum(allowed, expected.largest_rise_g or 0.0)


def jumps(log: BalanceLog, bounds: Bounds, expected: Expected) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Give the samples after a fall and those after a rise that no pump delivers."""
    steps_s, steps_g = np.diff(log.at_s), np.diff(log.mass_g)
    falls = np.flatnonzero(steps_g < -bounds.least_fall_g) + 1
    rises = np.flatnonzero(steps_g > allowed_rise_g(steps_s, bounds, expected)) + 1
    return falls, rises


def without_disturbances(log: BalanceLog, expected: Expected) -> tuple[BalanceLog, list[Finding]]:
    """Leave out samples off the line that the record comes back to, and report each stretch of them."""
    out: list[tuple[int, int, float]] = []
    for _ in range(PASSES):
        bounds = bounds_of(log, expected)
        found = _disturbed(log, bounds, expected)
        if not found:
            break
        keep = np.ones(log.at_s.size, np.bool_)
        for first, last in found:
            off_g = log.mass_g[first : last + 1] - log.mass_g[first - 1]
            out.append((int(log.row[first]), int(log.row[last]), float(off_g[np.argmax(np.abs(off_g))])))
            keep[first : last + 1] = False
        log = log.only(np.flatnonzero(keep))
    return log, [_told(*each) for each in sorted(out)]


def _told(first: int, last: int, off_g: float) -> Finding:
    where = f"row {first}" if first == last else f"the rows {first} to {last}"
    way = "below" if off_g < 0 else "above"
    return Finding(
        "disturbance",
        f"At {where} the mass is {abs(1e3 * off_g):.4g} mg {way} its line and comes back: a disturbance.",
        first,
    )


def _disturbed(log: BalanceLog, bounds: Bounds, expected: Expected) -> list[tuple[int, int]]:
    """Find stretches (first and last sample) between a jump away and the return, the shortest for each jump."""
    falls, rises = jumps(log, bounds, expected)
    usual_s = float(np.median(np.diff(log.at_s)))
    longest_s = max(LONGEST_STEPS * usual_s, LONGEST_S)
    found: list[tuple[int, int]] = []
    taken = -1
    for jump in np.union1d(falls, rises).tolist():
        if jump <= taken:
            continue
        both = (_ahead(log, jump, bounds, expected, longest_s), _behind(log, jump, bounds, expected, longest_s))
        stretches = [stretch for stretch in both if stretch is not None and stretch[0] > taken]
        if stretches:
            shortest = min(stretches, key=lambda stretch: stretch[1] - stretch[0])
            found.append(shortest)
            taken = max(shortest[1], jump)
    return found


def _on_line(change_g: float, lasted_s: float, bounds: Bounds, expected: Expected) -> bool:
    """Tell whether a change of mass is no more than noise and twice what is programmed."""
    nominal_g = expected.rate_g_per_h / 3600.0 * lasted_s + bounds.dose_g
    return -bounds.least_fall_g <= change_g <= 2.0 * nominal_g + bounds.noise_g + SMALLEST_FALL_G


def _ahead(log: BalanceLog, jump: int, bounds: Bounds, expected: Expected, longest_s: float) -> tuple[int, int] | None:
    """Find the return, by another jump, to the line of the sample before a jump."""
    before, mass_g = jump - 1, log.mass_g
    size_g = float(mass_g[jump] - mass_g[before])
    for back in range(jump + 1, log.at_s.size):
        lasted_s = float(log.at_s[back] - log.at_s[before])
        if lasted_s > longest_s and back > jump + 1:
            return None
        if _on_line(float(mass_g[back] - mass_g[before]), lasted_s, bounds, expected):
            counter_g = float(np.max(-np.sign(size_g) * np.diff(mass_g[jump : back + 1])))
            if counter_g < 0.5 * abs(size_g) or (bounds.one_step and _like_a_bolus(abs(size_g), bounds)):
                return None
            return jump, back - 1
    return None


def _behind(log: BalanceLog, jump: int, bounds: Bounds, expected: Expected, longest_s: float) -> tuple[int, int] | None:
    """Find, before a fall, the rise from the line that the fall goes back to."""
    mass_g = log.mass_g
    fall_g = float(mass_g[jump - 1] - mass_g[jump])
    if fall_g <= 0 or expected.rate_g_per_h == 0:
        return None
    for before in range(jump - 2, -1, -1):
        lasted_s = float(log.at_s[jump] - log.at_s[before])
        change_g = float(mass_g[jump] - mass_g[before])
        if lasted_s > longest_s and before < jump - 2:
            return None
        if _on_line(change_g, lasted_s, bounds, expected):
            risen_g = float(np.max(np.diff(mass_g[before:jump])))
            return (before + 1, jump - 1) if risen_g >= 0.5 * fall_g else None
        if change_g > 0:
            return None
    return None


def _like_a_bolus(size_g: float, bounds: Bounds) -> bool:
    """Tell whether a tare and the bolus after it would look the same as a dip; then it is none."""
    return 0.3 * bounds.dose_g <= size_g <= 3.0 * bounds.dose_g
