"""Listening to a pump: a recording of microphone and pickup into the record, and what is heard and felt in it.

Every recording stands in the folder of its measurement as a FLAC file, from which all numbers are computed. Times heard
are on the bench's clock, with the uncertainty of where the recording begins on it. Not responsible for alarms' causes.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from rig.analysis.alarm_signal import AlarmSound, Burst, Priority
from rig.analysis.alarm_sound import analyse_alarm
from rig.analysis.budget import Budget, Input, combined
from rig.analysis.uncertainty import COVERAGE_PERCENT
from rig.analysis.vibration import Buzz, buzzes_in
from rig.errors import BlockedError
from rig.record.sounds import keep_sound, kept_sound
from rig.record.taking import Fact, Recorder, Taken
from rig.roles import Bench, SoundRecorder

ONSET_U_S = 0.005
"""Standard uncertainty of where a pulse begins in a recording: within a rise of 15 to 28 ms; 2.9 ms of air in it."""
QUIETER_DB = 25.0
"""What is so much quieter than the loudest burst is no signal of the same pump: IEC 60601-1-8 has the pulses of a burst
within 10 dB, and no priority quieter than a lower one. Assumption."""
LONGEST_BURST_S = 3.0
"""A burst that begins later before the end of a recording may be cut off; ten pulses take 2.7 s. Of such a one the
beginning counts, which ends the pause before it, and its priority does not."""
NEAR_S, NEAR_SHARE = 0.2, 0.05
"""A sound that lasts no longer than a buzz, within so much of it, with its frequency, is the vibrator itself that the
microphone hears. Assumption."""


class SoundRecorded(Fact):
    """A recording that was fetched: its file, and when it began on the bench's clock."""

    name: str
    began_at_s: float
    began_u_s: float
    lasted_s: float


@dataclass(frozen=True)
class Heard:
    """What a recording holds; times are in s on the bench's clock.

    `signals` are the bursts of `sound` that the pump may have given as signals: none that is much quieter than the
    loudest, none that may be cut off, and not the vibrator's own hum. `to_s` is where listening ends: the end of the
    recording, or the beginning of the burst that is cut off by it.
    """

    sound: AlarmSound
    signals: tuple[Burst, ...]
    buzzes: tuple[Buzz, ...]
    from_s: float
    to_s: float
    u_s: float

    def bursts(self, since_s: float = -math.inf, until_s: float = math.inf) -> tuple[Burst, ...]:
        """Signals that began in a time."""
        return tuple(each for each in self.signals if since_s <= self.from_s + each.at_s < until_s)

    def begins_s(self, event: Burst | Buzz) -> float:
        """When a burst or a buzz began."""
        return self.from_s + event.at_s

    def ends_s(self, burst: Burst) -> float:
        """When a burst ended."""
        return self.from_s + burst.end_s

    def felt(self, since_s: float = -math.inf, until_s: float = math.inf) -> tuple[Buzz, ...]:
        """Buzzes that began in a time."""
        return tuple(each for each in self.buzzes if since_s <= self.from_s + each.at_s < until_s)


def recorder_of(bench: Bench) -> SoundRecorder:
    """Hand over the bench's recorder; BlockedError where it has none."""
    if bench.sound is None:
        raise BlockedError("rig: this bench has no microphone: enter [sound] in the bench file (docs/benches.md)")
    return bench.sound


def begin_listening(bench: Bench, record: Recorder, *, lasting_s: float) -> None:
    """Begin a recording, which goes on while other things are done."""
    recorder_of(bench).begin(lasting_s=lasting_s)
    record.step("recording begun", lasting_s=lasting_s)


def end_listening(bench: Bench, record: Recorder, name: str) -> None:
    """Wait for the end of the recording, and keep it as `name`.flac."""
    recording = recorder_of(bench).fetch()
    keep_sound(record.folder / f"{name}.flac", recording)
    lasted_s = recording.sound_v.size / recording.rate_hz
    record.fact(
        SoundRecorded(
            at_s=bench.clock.now(),
            name=name,
            began_at_s=recording.began_at_s,
            began_u_s=recording.began_u_s,
            lasted_s=lasted_s,
        )
    )
    record.step("recording kept", file=f"{name}.flac", lasted_s=lasted_s)


def heard_in(taken: Taken, name: str) -> Heard:
    """Hear a recording again, from its file; EvidenceError when it is missing or damaged."""
    fact = next(each for each in taken.facts(SoundRecorded) if each.name == name)
    kept = kept_sound(taken.folder / f"{name}.flac")
    sound, buzzes = analyse_alarm(kept.sound, kept.rate_hz), buzzes_in(kept.vibration, kept.rate_hz)
    heard = signals_in(sound.bursts, buzzes)
    whole = tuple(burst for burst in heard if burst.at_s <= fact.lasted_s - LONGEST_BURST_S)
    cut = heard[len(whole) :]
    return Heard(
        sound=sound,
        signals=whole,
        buzzes=buzzes,
        from_s=fact.began_at_s,
        to_s=fact.began_at_s + (cut[0].at_s if cut else fact.lasted_s),
        u_s=fact.began_u_s,
    )


def signals_in(bursts: Sequence[Burst], buzzes: Sequence[Buzz]) -> tuple[Burst, ...]:
    """Leave out what is much quieter than the loudest burst, and the hum of the vibrator."""
    loudest_db = max((burst.level_db for burst in bursts), default=0.0)
    return tuple(
        burst
        for burst in bursts
        if burst.level_db >= loudest_db - QUIETER_DB and not any(_is_hum(burst, buzz) for buzz in buzzes)
    )


def _is_hum(burst: Burst, buzz: Buzz) -> bool:
    within_it = burst.at_s >= buzz.at_s - NEAR_S and burst.end_s <= buzz.at_s + buzz.duration_s + NEAR_S
    sounds_like_it = abs(median(burst.pitches_hz) - buzz.frequency_hz) <= NEAR_SHARE * buzz.frequency_hz
    return within_it and sounds_like_it


def of_priority(bursts: Sequence[Burst], priority: str) -> tuple[Burst, ...]:
    """Choose the bursts of a priority."""
    return tuple(each for each in bursts if each.priority is Priority(priority))


def time_between(heard: Heard, at_s: float, from_s: float, to_s: float, *, unit: str = "s") -> Budget:
    """Write the budget of a time from something that was done between two moments to what was heard at `at_s`."""
    middle_s = (from_s + to_s) / 2.0
    inputs = [
        Input("moment of what was done, within the time it took", "B", middle_s, "s", (to_s - from_s) / 12**0.5),
        Input("beginning of the recording on the bench's clock", "B", heard.from_s, "s", heard.u_s),
        Input("onset of a pulse in the recording", "B", at_s - heard.from_s, "s", ONSET_U_S),
    ]  # fmt: skip
    done, began, onset = (each.number for each in inputs)
    budget = combined(began + onset - done, "s", inputs, COVERAGE_PERCENT)
    return budget if unit == "s" else budget.linear(1.0 / 60.0, unit=unit)
