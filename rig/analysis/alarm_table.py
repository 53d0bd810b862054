"""The timing table of IEC 60601-1-8 for auditory alarm signals, and what of a burst does not conform with it.

The standard is a paid text: numbers here are from public sources and to be checked against a licensed copy
(docs/analyse.md). Not responsible for finding bursts (`alarm_bursts`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rig.analysis.alarm_signal import Edition, Priority, SoundPulse

FUNDAMENTAL_HZ = (150.0, 1000.0)
PARTIALS_HZ = (300.0, 4000.0)
WITHIN_DB = 15.0
LEAST_PARTIALS = 4
PULSES_WITHIN_DB = 10.0
RISE_SHARE = (0.10, 0.40)
"""Rise time as a share of the pulse duration. Public sources differ: 10 to 20 %, or 10 to 40 %; the wider one."""


@dataclass(frozen=True)
class Timing:
    """Allowed numbers of one priority, each (lowest, highest) in s; None where there is no such number.

    Attributes:
        pause_s: between neighbouring pulses of a group: x of the high priority, y of the others.
        halves_pause_s: between the 5th and the 6th pulse.
    """

    pulses: tuple[int, ...]
    pulse_s: tuple[float, float]
    pause_s: tuple[float, float]
    halves_pause_s: tuple[float, float] | None
    interburst_s: tuple[float, float | None]


TIMING = {
    Priority.HIGH: Timing((10,), (0.075, 0.200), (0.050, 0.125), (0.35, 1.30), (2.5, 15.0)),
    Priority.MEDIUM: Timing((3,), (0.125, 0.250), (0.125, 0.250), None, (2.5, 30.0)),
    Priority.LOW: Timing((1, 2), (0.125, 0.250), (0.125, 0.250), None, (15.0, None)),
}

U_TIME_S = 0.008
"""Standard uncertainty of a duration or a pause times two: what is outside by less is not called a fault. Assumption,
from the study of synthetic bursts (docs/analyse.md)."""

SHARE_OF_CLOCK = 1e-3
"""Recorders' clocks are wrong by up to 200 ppm; long intervals are allowed five times as much. Assumption."""


def fault_of_range(name: str, value_s: float | None, allowed: tuple[float, float | None]) -> str | None:
    """Say in a sentence that a duration in s lies outside what is allowed by more than its uncertainty; else None."""
    if value_s is None:
        return None
    low, high = allowed
    margin = U_TIME_S + SHARE_OF_CLOCK * value_s
    if value_s < low - margin or (high is not None and value_s > high + margin):
        bounds = f"{low:.3g} s to {high:.3g} s" if high is not None else f"more than {low:.3g} s"
        return f"{name} {value_s:.3g} s, allowed {bounds}"
    return None


def harmonic_fault(pulse: SoundPulse, edition: Edition) -> str | None:
    """Say what an edition's wording on pitch and harmonics misses in a pulse; None where it is satisfied.

    2006: a fundamental of 150 Hz to 1000 Hz and at least 4 harmonics in 300 Hz to 4000 Hz within ±15 dB of it.
    Since A1: at least 4 peaks in 150 Hz to 4000 Hz, the largest 4 within 15 dB, one of them in 150 Hz to 1000 Hz.
    """
    if edition is Edition.E2006:
        if pulse.fundamental_hz is None:
            return "no fundamental in 150 Hz to 1000 Hz"
        near = min(range(len(pulse.partials_hz)), key=lambda i: abs(pulse.partials_hz[i] - (pulse.fundamental_hz or 0)))
        level = pulse.partials_db[near]
        harmonics = [
            hz
            for hz, db in zip(pulse.partials_hz, pulse.partials_db, strict=True)
            if PARTIALS_HZ[0] <= hz <= PARTIALS_HZ[1]
            and hz > 1.5 * pulse.fundamental_hz
            and abs(db - level) <= WITHIN_DB
        ]
        if len(harmonics) < LEAST_PARTIALS:
            return f"{len(harmonics)} harmonics in 300 Hz to 4000 Hz within 15 dB of the fundamental, at least 4 needed"
        return None
    peaks = sorted(
        (
            (db, hz)
            for hz, db in zip(pulse.partials_hz, pulse.partials_db, strict=True)
            if 0.98 * FUNDAMENTAL_HZ[0] <= hz <= PARTIALS_HZ[1]
        ),
        reverse=True,
    )[:LEAST_PARTIALS]
    if len(peaks) < LEAST_PARTIALS or peaks[0][0] - peaks[-1][0] > WITHIN_DB:
        return f"{len(peaks)} tones in 150 Hz to 4000 Hz within 15 dB, at least 4 needed"
    if not any(hz <= FUNDAMENTAL_HZ[1] for _, hz in peaks):
        return "none of the 4 loudest tones lies in 150 Hz to 1000 Hz"
    return None


def faults_of(
    priority: Priority,
    pulses: Sequence[SoundPulse],
    *,
    pulse_s: float,
    pause_s: float | None,
    halves_pause_s: float | None,
    interburst_s: float | None,
    edition: Edition,
) -> tuple[str, ...]:
    """Give a sentence for each number of a burst that does not conform with the table; none for what is not known."""
    if priority is Priority.UNDECIDED:
        return ()
    timing = TIMING[priority]
    found = [
        fault_of_range("pulse duration", pulse_s, timing.pulse_s),
        fault_of_range("pause between pulses", pause_s, timing.pause_s),
        fault_of_range("interburst interval", interburst_s, timing.interburst_s),
    ]
    if len(pulses) not in timing.pulses:
        allowed = " or ".join(map(str, timing.pulses))
        found.append(f"{len(pulses)} pulses, allowed {allowed}")
    if timing.halves_pause_s is not None:
        found.append(fault_of_range("pause between 5th and 6th pulse", halves_pause_s, timing.halves_pause_s))
    levels = [pulse.level_db for pulse in pulses if pulse.whole]
    if levels and max(levels) - min(levels) > PULSES_WITHIN_DB + 1.0:
        found.append(f"levels of pulses differ by {max(levels) - min(levels):.1f} dB, allowed 10 dB")
    middle = sorted(pulses, key=lambda each: len(each.partials_hz))[len(pulses) // 2]
    found.append(harmonic_fault(middle, edition))
    return tuple(each for each in found if each is not None)
