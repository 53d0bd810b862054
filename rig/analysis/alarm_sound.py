"""Alarm bursts in a digitised sound after IEC 60601-1-8: priority, rhythm, pitch, silences, escalation; or undecided.

Works on any signal that follows the sound: a microphone, a contact pickup, the wire of a buzzer. Levels are relative.
Not responsible for reading files nor for the time of day.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from statistics import median

import numpy as np
from numpy.typing import NDArray

from rig.analysis.alarm_scene import bursts_in, voices_in
from rig.analysis.alarm_signal import RANK, AlarmSound, Burst, Edition, Escalation, Priority, SoundSilence, Train
from rig.analysis.alarm_spectrum import LOWEST_RATE_HZ, Recording, Thinning

LEAST_S = 0.2
LOUDER_DB = 6.0
SHORTER = 0.7
"""An interburst interval that lasts less than this share of those before is an escalation. Assumption."""

SILENCE_S = 10.0
SILENCE_TIMES = 2.5
"""A pause this many times as long as the usual interburst interval, and longer than 10 s, is a silence. Assumption."""


def analyse_alarm(
    sound: NDArray[np.floating] | NDArray[np.integer], rate_hz: float, *, edition: Edition = Edition.A2_2020
) -> AlarmSound:
    """Find the bursts of alarms in a sound.

    Args:
        sound: (n,) or (n, channels), full scale 1; channels are never added up, the clearest one is taken.
        rate_hz: samples per second of each channel.
        edition: whose wording on harmonics counts.

    Raises:
        ValueError: with a sentence, where this is no sound, too short, or too coarse for the harmonics.
    """
    samples = np.asarray(sound)
    if samples.ndim == 1:
        samples = samples[:, None]
    if samples.ndim != 2 or samples.shape[1] == 0:
        raise ValueError(f"sound has the shape {samples.shape}; (n,) or (n, channels) is a sound")
    if not rate_hz >= LOWEST_RATE_HZ:
        raise ValueError(f"{rate_hz:g} samples per second: harmonics up to 4 kHz need {LOWEST_RATE_HZ:g} or more")
    if samples.dtype.kind == "i":
        samples = samples / float(-int(np.iinfo(samples.dtype).min))
    elif samples.dtype.kind == "u":
        middle = (int(np.iinfo(samples.dtype).max) + 1) / 2
        samples = (samples - middle) / middle
    thinning = Thinning(rate_hz, samples.shape[1])
    thinning.take(samples)
    return analyse_recording(thinning.recording(), edition=edition)


def analyse_recording(recording: Recording, *, edition: Edition = Edition.A2_2020) -> AlarmSound:
    """Find the bursts of alarms in a recording; ValueError with a sentence where it is too short."""
    if recording.duration_s < LEAST_S:
        raise ValueError(f"{recording.duration_s:.3g} s of sound: a burst needs {LEAST_S} s or more")
    found = [_channel(recording, channel, edition) for channel in range(recording.channels)]
    return max(found, key=lambda each: (_worth(each), -each.channel))


def _worth(sound: AlarmSound) -> float:
    return sum(burst.confidence + 0.01 * len(burst.pulses) for burst in sound.bursts)


def _channel(recording: Recording, channel: int, edition: Edition) -> AlarmSound:
    recording_s = recording.duration_s
    bursts = bursts_in(voices_in(recording.samples[:, channel], recording.rate_hz), edition)
    return AlarmSound(
        duration_s=recording_s,
        rate_hz=recording.recorded_rate_hz,
        edition=edition,
        bursts=tuple(bursts),
        trains=tuple(trains_of(bursts)),
        silences=tuple(silences_of(bursts)),
        escalations=tuple(escalations_of(bursts)),
        confidence=min((burst.confidence for burst in bursts), default=0.0),
        clipped_percent=recording.clipped_percent[channel],
        offset=recording.offset[channel],
        channel=channel,
        remarks=(),
    )


def trains_of(bursts: Sequence[Burst]) -> list[Train]:
    """Describe each burst as equal beeps in a row: how many, how long, from onset to onset, how high."""
    return [
        Train(burst.at_s, len(burst.pulses), burst.pulse_duration_s, burst.spacing_s, median(burst.pitches_hz), "tone")
        for burst in bursts
    ]


def silences_of(bursts: Sequence[Burst]) -> list[SoundSilence]:
    """Find pauses between bursts that are much longer than the usual one."""
    usual = [burst.interburst_s for burst in bursts if burst.interburst_s is not None]
    if len(usual) < 2:
        return []
    least = max(SILENCE_S, SILENCE_TIMES * median(usual))
    ordered = sorted(bursts, key=lambda each: each.at_s)
    found = []
    for place in range(len(ordered) - 1):
        end = max(each.end_s for each in ordered[: place + 1])
        begin = ordered[place + 1].at_s
        if begin - end > least:
            found.append(SoundSilence(end, begin))
    return found


def escalations_of(bursts: Sequence[Burst]) -> list[Escalation]:
    """Find where an alarm became more urgent: a higher priority, shorter pauses between bursts, or more than 6 dB."""
    found = []
    decided = [burst for burst in bursts if burst.priority is not Priority.UNDECIDED]
    for before, after in pairwise(decided):
        if RANK[after.priority] > RANK[before.priority]:
            sentence = f"{after.priority.value} after {before.priority.value}"
            found.append(Escalation(after.at_s, "priority", sentence))
        elif after.priority is before.priority and after.level_db > before.level_db + LOUDER_DB:
            louder = after.level_db - before.level_db
            found.append(Escalation(after.at_s, "level", f"louder by {louder:.1f} dB than the burst before"))
        elif (
            after.priority is before.priority
            and before.interburst_s is not None
            and after.interburst_s is not None
            and after.interburst_s < SHORTER * before.interburst_s
        ):
            sentence = f"again after {after.interburst_s:.3g} s, before after {before.interburst_s:.3g} s"
            found.append(Escalation(after.at_s, "interburst", sentence))
    return found
