"""From pulses to bursts, and from a burst's rhythm to its priority.

A rhythm is compared from onset to onset: that needs no level, and an echo does not move it. Not responsible for sound.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from statistics import median

from rig.analysis.alarm_signal import Burst, Edition, Priority, SoundPulse
from rig.analysis.alarm_table import TIMING, Timing, faults_of

PARTS_S = 1.9
"""A pause longer than this parts bursts: inside the high one the longest is 1.3 s, the shortest between
bursts 2.5 s."""

RHYTHM_WITHIN = 0.12
RHYTHM_WITHIN_S = 0.015
ECHO_EXTRA_S = 0.080
SOME_S = 0.030
"""A pulse or pause may lie so far outside the table's range and still tell its priority, as a fault."""


@dataclass(frozen=True)
class Rhythm:
    """What the onsets of a group say: a priority or none, why, and how well the rhythm fits (0 to 1)."""

    priority: Priority
    reason: str
    fit: float


def judged_bursts(groups: Sequence[Sequence[SoundPulse]], source: int, edition: Edition) -> list[Burst]:
    """Judge groups of pulses of one sounder: each by its rhythm, then by what comes after it."""
    bursts = []
    for place, group in enumerate(groups):
        rest_s = groups[place + 1][0].onset_s - group[-1].end_s if place + 1 < len(groups) else None
        kept, rhythm = best_rhythm(group)
        bursts.append(_burst(kept, source, rhythm, rest_s, edition))
    return _low_by_repeats(bursts)


def grouped(pulses: Sequence[SoundPulse]) -> list[list[SoundPulse]]:
    """Part pulses where they pause for long."""
    groups: list[list[SoundPulse]] = []
    for pulse in sorted(pulses, key=lambda each: each.onset_s):
        if groups and pulse.onset_s - groups[-1][-1].end_s <= PARTS_S:
            groups[-1].append(pulse)
        else:
            groups.append([pulse])
    return groups


def _steps(pulses: Sequence[SoundPulse]) -> list[float]:
    return [after.onset_s - before.onset_s for before, after in pairwise(pulses)]


def _near(value_s: float, wanted_s: float) -> bool:
    return abs(value_s - wanted_s) <= RHYTHM_WITHIN * wanted_s + RHYTHM_WITHIN_S


def _figure(steps: Sequence[float]) -> float | None:
    """Give the period in s of a figure of 3 + 2 pulses, whose third step is twice the others; None where it is none."""
    period = (steps[0] + steps[1] + steps[2] / 2.0 + steps[3]) / 4.0
    fits = all(_near(step, period) for step in (steps[0], steps[1], steps[3])) and _near(steps[2], 2.0 * period)
    return period if fits else None


def _within(value_s: float, allowed: tuple[float, float], extra_s: float) -> bool:
    return allowed[0] - extra_s <= value_s <= allowed[1] + extra_s


def _stepped(step_s: float, timing: Timing) -> bool:
    """Whether a step from onset to onset, which no echo moves, can be a pulse and a pause of the table."""
    return _within(step_s, (timing.pulse_s[0] + timing.pause_s[0], timing.pulse_s[1] + timing.pause_s[1]), 0.5 * SOME_S)


def best_rhythm(pulses: Sequence[SoundPulse]) -> tuple[Sequence[SoundPulse], Rhythm]:
    """Judge a group of pulses, where need be without those that are much softer or shorter than the rest of it."""
    first = rhythm_of(pulses)
    if first.priority is not Priority.UNDECIDED or len(pulses) < 4:
        return pulses, first
    loudest = max(pulse.level_db for pulse in pulses)
    td = median(pulse.duration_s for pulse in pulses)
    for softer_db, shorter in ((10.0, 0.0), (7.0, 0.0), (10.0, 0.6), (7.0, 0.6), (5.0, 0.7)):
        kept = [pulse for pulse in pulses if pulse.level_db >= loudest - softer_db and pulse.duration_s >= shorter * td]
        if 3 <= len(kept) < len(pulses):
            rhythm = rhythm_of(kept)
            if rhythm.priority in (Priority.HIGH, Priority.MEDIUM):
                dropped = len(pulses) - len(kept)
                return kept, replace(rhythm, reason=f"{rhythm.reason}; {dropped} bumps left out", fit=0.7)
    return pulses, first


def rhythm_of(pulses: Sequence[SoundPulse]) -> Rhythm:
    """Say which priority the rhythm of a group of pulses stands for."""
    count, steps = len(pulses), _steps(pulses)
    td = median(pulse.duration_s for pulse in pulses)
    extra_s = ECHO_EXTRA_S if 2 * sum(pulse.echo for pulse in pulses) > count else SOME_S
    if 2 * sum(pulse.fundamental_hz is not None for pulse in pulses) <= count:
        pitch_hz = median(pulse.pitch_hz for pulse in pulses)
        return Rhythm(
            Priority.UNDECIDED, f"{count} beeps of {pitch_hz:.0f} Hz, no fundamental in 150 Hz to 1000 Hz", 0.0
        )
    if count == 10:
        first, second = _figure(steps[:4]), _figure(steps[5:])
        if first is not None and second is not None and _near(first, second):
            return Rhythm(Priority.HIGH, "two groups of 3 + 2 pulses", 1.0)
    if count == 5 and _figure(steps) is not None:
        return Rhythm(Priority.UNDECIDED, "one group of 3 + 2 pulses: half of a high burst", 0.0)
    if count == 3 and _near(steps[0], steps[1]):
        timing = TIMING[Priority.MEDIUM]
        pause = median(steps) - td
        if (
            _stepped(median(steps), timing)
            and _within(td, timing.pulse_s, extra_s)
            and _within(pause, timing.pause_s, extra_s)
        ):
            return Rhythm(Priority.MEDIUM, "three equal pulses", 1.0)
        return Rhythm(
            Priority.UNDECIDED, f"three pulses of {td:.3f} s with pauses of {pause:.3f} s, as in no priority", 0.0
        )
    if count <= 2:
        timing = TIMING[Priority.LOW]
        lasts = _within(td, timing.pulse_s, extra_s)
        pauses = count == 1 or (_stepped(steps[0], timing) and _within(steps[0] - td, timing.pause_s, extra_s))
        if lasts and pauses:
            return Rhythm(Priority.LOW, f"{'one pulse' if count == 1 else 'two pulses'}", 1.0)
        return Rhythm(Priority.UNDECIDED, f"{count} pulses of {td:.3f} s, as in no priority", 0.0)
    return Rhythm(Priority.UNDECIDED, f"{count} pulses in a rhythm of no priority", 0.0)


def _burst(
    group: Sequence[SoundPulse], source: int, rhythm: Rhythm, interburst_s: float | None, edition: Edition
) -> Burst:
    steps = _steps(group)
    td = median(pulse.duration_s for pulse in group)
    close = [step for step in steps if step < 1.5 * min(steps)]
    spacing = median(close) if close else None
    pause = spacing - td if spacing is not None else None
    halves = group[5].onset_s - group[4].end_s if len(group) == 10 else None
    fundamentals = [pulse.fundamental_hz for pulse in group if pulse.fundamental_hz is not None]
    faults = faults_of(
        rhythm.priority, group, pulse_s=td, pause_s=pause,
        halves_pause_s=halves, interburst_s=interburst_s, edition=edition,
    )  # fmt: skip
    return Burst(
        source=source,
        priority=rhythm.priority,
        reason=rhythm.reason,
        at_s=group[0].onset_s,
        pulses=tuple(group),
        pulse_duration_s=td,
        spacing_s=spacing,
        pause_s=pause,
        halves_pause_s=halves,
        fundamental_hz=median(fundamentals) if 2 * len(fundamentals) > len(group) else None,
        pitches_hz=tuple(pulse.pitch_hz for pulse in group),
        level_db=median(pulse.level_db for pulse in group),
        interburst_s=interburst_s,
        conforms=None if rhythm.priority is Priority.UNDECIDED else not faults,
        faults=faults,
        confidence=rhythm.fit,
    )


def _low_by_repeats(bursts: list[Burst]) -> list[Burst]:
    """Take back `low` where one or two pulses come again sooner than a low alarm may: then they are no such signal."""
    found = []
    for place, burst in enumerate(bursts):
        after = burst.interburst_s
        before = bursts[place - 1].interburst_s if place else None
        soon = [each for each in (before, after) if each is not None and each < TIMING[Priority.LOW].interburst_s[0]]
        if burst.priority is Priority.LOW and soon:
            burst = replace(
                burst, priority=Priority.UNDECIDED, conforms=None, faults=(), confidence=0.0,
                reason=f"{burst.reason}, again after {min(soon):.3g} s: a low burst leaves more than 15 s",
            )  # fmt: skip
        found.append(burst)
    return found
