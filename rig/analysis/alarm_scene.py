"""Who sounded when: sounders told apart by their tones, their pulses, and melodies put together again.

Not responsible for what a rhythm means (`alarm_bursts`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from statistics import median

import numpy as np
from numpy.typing import NDArray

from rig.analysis.alarm_bursts import best_rhythm, grouped, judged_bursts
from rig.analysis.alarm_pulses import pulses_of
from rig.analysis.alarm_signal import Burst, Edition, Priority, SoundPulse
from rig.analysis.alarm_sources import Sounder, sources_of
from rig.analysis.alarm_spectrum import Picture, picture_of

TOGETHER_S = 0.025
"""Pulses that begin within 25 ms of each other began together: half of the shortest pause."""

ECHO_AFTER_S = 0.2
FAINT_DB = 14.0
PITCH_HZ = 5.0
PITCH = 0.008
BRIEF_S = 0.045
RICH = 3
ONE_PITCH = 0.6
ALIKE = 0.25
SHORT_SHARE = 0.4
PIECE_S = 120.0
AROUND_S = 10.0
SAME_PITCH = 0.015
"""A recording is heard in pieces of two minutes with ten seconds on either side."""

SAME_SHARE = 0.6
LEVELS_WITHIN_DB = 15.0
DURATIONS_WITHIN = 0.3


def voices_in(samples: NDArray[np.float32], rate_hz: float) -> list[list[SoundPulse]]:
    """Give the pulses of each sounder in a recording of any length, two minutes at a time.

    Sounders of two pieces are one where their pitch is the same.
    """
    piece, around = round(PIECE_S * rate_hz), round(AROUND_S * rate_hz)
    if samples.size <= piece + 2 * around:
        return voices_of(picture_of(samples, rate_hz))
    voices: list[tuple[float, list[SoundPulse]]] = []
    for start in range(0, samples.size, piece):
        first = max(0, start - around)
        begin_s, end_s = start / rate_hz, (start + piece) / rate_hz
        for found in voices_of(picture_of(samples[first : start + piece + around], rate_hz)):
            moved = [replace(pulse, onset_s=pulse.onset_s + first / rate_hz) for pulse in found]
            inside = [pulse for pulse in moved if begin_s <= pulse.onset_s < end_s]
            if not inside:
                continue
            pitch_hz = median(pulse.pitch_hz for pulse in moved)
            known = next((pulses for hz, pulses in voices if abs(hz - pitch_hz) <= SAME_PITCH * hz), None)
            if known is None:
                voices.append((pitch_hz, inside))
            else:
                known += [pulse for pulse in inside if pulse.onset_s > known[-1].onset_s + TOGETHER_S]
    return [pulses for _, pulses in voices]


def voices_of(picture: Picture) -> list[list[SoundPulse]]:
    """Give the pulses of each sounder; lines that keep time with another sounder's pulses are that sounder's."""
    left = [(source, pulses) for source in sources_of(picture) if (pulses := pulses_of(picture, source))]
    left.sort(key=lambda each: -sum(pulse.duration_s * 10.0 ** (pulse.level_db / 20.0) for pulse in each[1]))
    voices: list[list[SoundPulse]] = []
    while left:
        source, pulses = left.pop(0)
        same = [each for each in left if _keeps_time(each[1], pulses)]
        faint = [each for each in left if each not in same and _leaks(each[1], pulses)]
        left = [each for each in left if each not in faint]
        left = [each for each in left if each not in same]
        lines = [*source.lines, *(line for other, _ in same for line in other.lines)]
        if same:
            pulses = pulses_of(picture, Sounder(tuple(sorted(lines, key=lambda line: line.hz)))) or pulses
        if alike := _alike(pulses):
            voices.append(alike)
    return voices


def _alike(pulses: Sequence[SoundPulse]) -> list[SoundPulse]:
    """Leave out what a voice or a rattle puts on a sounder's lines: a sounder's pulses have one pitch and length.

    Other pitches of the same length stay, for a melody; of a sounder whose pulses are all unlike, nothing stays.
    """
    sounded_s = sum(pulse.duration_s for pulse in pulses)
    clusters = [
        [other for other in pulses if abs(other.pitch_hz - pulse.pitch_hz) <= max(PITCH_HZ, PITCH * pulse.pitch_hz)]
        for pulse in pulses
    ]
    main = max(clusters, key=lambda each: sum(pulse.duration_s for pulse in each))
    usual_s = median(pulse.duration_s for pulse in main)
    rich = median(len(pulse.partials_hz) for pulse in main) >= RICH
    if usual_s < BRIEF_S or (not rich and sum(pulse.duration_s for pulse in main) < ONE_PITCH * sounded_s):
        return []
    kept = [
        pulse
        for pulse in pulses
        if pulse in main or (len(pulse.partials_hz) >= RICH and abs(pulse.duration_s - usual_s) <= ALIKE * usual_s)
    ]
    return [pulse for pulse in kept if pulse.duration_s >= SHORT_SHARE * usual_s or not pulse.whole]


def _keeps_time(pulses: Sequence[SoundPulse], others: Sequence[SoundPulse]) -> bool:
    same = sum(any(abs(other.onset_s - pulse.onset_s) <= TOGETHER_S for other in others) for pulse in pulses)
    return same >= SAME_SHARE * len(pulses)


def _leaks(pulses: Sequence[SoundPulse], others: Sequence[SoundPulse]) -> bool:
    """Whether pulses lie within those of a much louder sounder, and in their echoes: what its keying leaves behind."""
    inside = sum(
        any(
            other.onset_s - TOGETHER_S <= pulse.onset_s <= other.end_s + ECHO_AFTER_S
            and pulse.level_db < other.level_db - FAINT_DB
            for other in others
        )
        for pulse in pulses
    )  # fmt: skip
    return inside >= SAME_SHARE * len(pulses)


def bursts_in(voices: Sequence[Sequence[SoundPulse]], edition: Edition) -> list[Burst]:
    """Part the pulses of all sounders into bursts: melodies first, then each sounder by itself."""
    melodies = _melodies(voices)
    taken = [pulse for group in melodies for pulse in group]
    number = len(voices)
    bursts = judged_bursts(melodies, number, edition) if melodies else []
    for source, pulses in enumerate(voices):
        rest = [pulse for pulse in pulses if not any(abs(pulse.onset_s - each.onset_s) <= TOGETHER_S for each in taken)]
        bursts += judged_bursts(grouped(rest), source, edition)
    return sorted(bursts, key=lambda each: each.at_s)


def _melodies(voices: Sequence[Sequence[SoundPulse]]) -> list[list[SoundPulse]]:
    """Find groups of pulses of several sounders that make one rhythm together: equal sounds of different pitch."""
    everything = [(pulse, voice) for voice, pulses in enumerate(voices) for pulse in pulses]
    pool: list[tuple[SoundPulse, int]] = []
    for pulse, voice in sorted(everything, key=lambda each: -each[0].level_db):
        if not any(_overlap_s(pulse, other) > 0.5 * pulse.duration_s for other, _ in pool):
            pool.append((pulse, voice))
    of = {id(pulse): voice for pulse, voice in pool}
    found = []
    for together in grouped([pulse for pulse, _ in pool]):
        group, rhythm = best_rhythm(together)
        if len({of[id(pulse)] for pulse in group}) < 2 or rhythm.priority not in (Priority.HIGH, Priority.MEDIUM):
            continue
        levels, lasts = [each.level_db for each in group], [each.duration_s for each in group]
        even = max(lasts) - min(lasts) <= DURATIONS_WITHIN * median(lasts) + TOGETHER_S
        if even and max(levels) - min(levels) <= LEVELS_WITHIN_DB:
            found.append(list(group))
    return found


def _overlap_s(one: SoundPulse, other: SoundPulse) -> float:
    return min(one.end_s, other.end_s) - max(one.onset_s, other.onset_s)
