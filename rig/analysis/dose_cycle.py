"""Finding the dose interval of a pump from its balance log alone.

Not responsible for the volumes of the doses (`pulses`).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from rig.analysis.checks import positive, timed_series
from rig.analysis.dose_phase import MIN_SAMPLES_PER_DOSE, PULSATING, dose_phase

FUNDAMENTAL_SHARE = 0.1
"""A train of pulses has power at its rhythm and at whole multiples of it, so the lowest frequency with a tenth of the
highest power is the rhythm. Why a tenth: below the rhythm a lead screw with 20 % of pitch error has 1 % of its power,
and one dose in twenty left out 0.3 %; a motor that moves twice a dose, a third of the interval apart, leaves the rhythm
a quarter of its overtones. Two moves almost half an interval apart are taken for two doses."""


def find_dose_interval_s(at_s: ArrayLike, volume_ul: ArrayLike, *, longest_s: float) -> float:
    """The time in s from dose to dose, at most `longest_s`, from a record of at least ten doses.

    The spectrum of the increments of volume shows the rhythm (periodogram, fourfold zero-padded); the phase of the
    doses along the record (`dose_phase`) refines it.

    Args:
        at_s: (n,) times in s, rising, on an even grid to within a tenth of a step.
        volume_ul: (n,) delivered volume in µL.
        longest_s: no longer interval is looked for.

    Raises:
        ValueError: with a sentence, on input that is not the above, a record shorter than ten of `longest_s`, or a
            delivery without a rhythm.
    """
    times, volume = timed_series(at_s, "volume_ul", volume_ul, at_least=10)
    longest_s = positive("longest_s", longest_s)
    duration = float(times[-1] - times[0])
    if duration < 10 * longest_s:
        raise ValueError(f"the record of {duration:g} s is shorter than ten of the longest interval, {longest_s:g} s")
    steps = np.diff(times)
    step = duration / steps.size
    uneven = int(np.argmax(np.abs(steps - step)))
    if abs(steps[uneven] - step) > 0.1 * step:
        raise ValueError(f"at_s must be evenly spaced, got {steps[uneven]:g} s after index {uneven}, not {step:g} s")
    increments = np.diff(volume)
    padded = 4 * increments.size
    power = np.abs(np.fft.rfft(increments - increments.mean(), padded)) ** 2
    frequency = np.fft.rfftfreq(padded, step)
    sought = (frequency >= 1.0 / longest_s) & (frequency <= 1.0 / (MIN_SAMPLES_PER_DOSE * step))
    if not sought.any():
        raise ValueError(f"longest_s must be at least {MIN_SAMPLES_PER_DOSE} samples of {step:g} s, got {longest_s:g}")
    strong = np.flatnonzero(sought & (power >= FUNDAMENTAL_SHARE * power[sought].max()))
    first = int(strong[0])
    while first + 1 < power.size and sought[first + 1] and power[first + 1] > power[first]:
        first += 1
    phase = dose_phase(times, volume, 1.0 / float(frequency[first]))
    if phase.pulsation < PULSATING:
        raise ValueError(f"the delivery has no rhythm of {longest_s:g} s or less")
    return phase.interval_s
