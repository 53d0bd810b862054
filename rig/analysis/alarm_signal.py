"""What is heard of an alarm: pulses, bursts with their priority, silences, escalation. Plain values, no computing.

Words are those of IEC 60601-1-8: a pulse is one sound, a burst is a group of pulses with a rhythm, the interburst
interval lasts from the end of a burst to the beginning of the next. Not responsible for finding them (`alarm_sound`).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Edition(Enum):
    """Which wording of IEC 60601-1-8 a burst is compared with; they differ in what is said of harmonics."""

    E2006 = "2006"
    A1_2012 = "2006+A1:2012"
    A2_2020 = "2006+A1:2012+A2:2020"


class Priority(Enum):
    """Priority that a rhythm stands for; `UNDECIDED` where the sound does not say."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    UNDECIDED = "undecided"


RANK = {Priority.LOW: 1, Priority.MEDIUM: 2, Priority.HIGH: 3}


@dataclass(frozen=True)
class SoundPulse:
    """One sound: when it began, how long it lasted in s, how loud, and how high.

    Attributes:
        onset_s: half of its level was reached, in s since the beginning of the recording.
        duration_s: from 90 % of the rise to 90 % of the fall.
        rise_s: from 10 % to 90 %; None where noise or the room hide it.
        level_db: of its plateau against full scale of the recording.
        fundamental_hz: None where no tone between 150 Hz and 1000 Hz carries the others.
        partials_hz: every tone found in it, rising.
        partials_db: level of each against full scale.
        noise_db: a softer tone than this would not have been found.
        echo: a room hides its end; its duration is known to 50 ms at best.
        whole: whether it began and ended within the recording.
    """

    onset_s: float
    duration_s: float
    rise_s: float | None
    level_db: float
    fundamental_hz: float | None
    partials_hz: tuple[float, ...]
    partials_db: tuple[float, ...]
    noise_db: float = -120.0
    echo: bool = False
    whole: bool = True

    @property
    def end_s(self) -> float:
        """End in s since the beginning of the recording."""
        return self.onset_s + self.duration_s

    @property
    def pitch_hz(self) -> float:
        """Fundamental, or else the loudest tone, in Hz."""
        if self.fundamental_hz is not None:
            return self.fundamental_hz
        loudest = max(range(len(self.partials_db)), key=self.partials_db.__getitem__)
        return self.partials_hz[loudest]


@dataclass(frozen=True)
class Burst:
    """A group of pulses that belong together.

    Attributes:
        source: number of the sounder that it was told apart as, from 0; two that sound at once have two.
        reason: why it has this priority, or none.
        pulse_duration_s: median.
        spacing_s: from onset to onset of neighbouring pulses, median; None of a single pulse.
        pause_s: from the end of a pulse to the next, median; None of a single pulse.
        halves_pause_s: from the end of the 5th pulse to the 6th; None where there are no ten.
        fundamental_hz: median; None where there is none between 150 Hz and 1000 Hz.
        pitches_hz: of each pulse: a melody has several.
        interburst_s: from its end to the next burst of the same sounder; None of the last.
        conforms: with the table of the edition; None where the priority or a number of it is not known.
        faults: what does not conform, each with the number found and what is allowed.
        confidence: 0 to 1; under 0.5 the priority is undecided.
    """

    source: int
    priority: Priority
    reason: str
    at_s: float
    pulses: tuple[SoundPulse, ...]
    pulse_duration_s: float
    spacing_s: float | None
    pause_s: float | None
    halves_pause_s: float | None
    fundamental_hz: float | None
    pitches_hz: tuple[float, ...]
    level_db: float
    interburst_s: float | None
    conforms: bool | None
    faults: tuple[str, ...]
    confidence: float

    @property
    def end_s(self) -> float:
        """End of the last pulse in s."""
        return self.pulses[-1].end_s


@dataclass(frozen=True)
class Train:
    """Equal sounds in a regular row, whatever the standard says of them: a piezo's beeps, a vibrator's buzzes.

    Attributes:
        count: of beeps or buzzes.
        period_s: from onset to onset, median; None of a single one.
        pitch_hz: the loudest tone of it.
        kind: "tone" or "vibration".
    """

    at_s: float
    count: int
    duration_s: float
    period_s: float | None
    pitch_hz: float
    kind: str


@dataclass(frozen=True)
class SoundSilence:
    """No burst for much longer than before: from the end of the last to the beginning of the next, both in s."""

    from_s: float
    to_s: float

    @property
    def duration_s(self) -> float:
        """How long, in s."""
        return self.to_s - self.from_s


@dataclass(frozen=True)
class Escalation:
    """The alarm became more urgent at `at_s`: `kind` is "priority", "interburst" or "level"."""

    at_s: float
    kind: str
    sentence: str


@dataclass(frozen=True)
class AlarmSound:
    """What a recording holds.

    Attributes:
        duration_s: of the recording.
        bursts: in the order of their first pulses.
        trains: bursts that share a rhythm, described as beeps.
        silences: between bursts of one sounder, at the beginning and end of the recording left out.
        confidence: 0 to 1, of the least certain priority; 0 where there is no burst.
        clipped_percent: share of samples at full scale.
        offset: mean of the samples, full scale 1.
        channel: that was analysed, from 0.
        remarks: sentences on what else was found, such as a steady tone.
    """

    duration_s: float
    rate_hz: float
    edition: Edition
    bursts: tuple[Burst, ...]
    trains: tuple[Train, ...]
    silences: tuple[SoundSilence, ...]
    escalations: tuple[Escalation, ...]
    confidence: float
    clipped_percent: float
    offset: float
    channel: int
    remarks: tuple[str, ...]

    @property
    def first_pulse_s(self) -> float | None:
        """Onset of the first pulse in s; None where nothing sounded."""
        return self.bursts[0].at_s if self.bursts else None

    @property
    def repeats(self) -> int:
        """How often a burst was followed by one of the same sounder and priority."""
        last: dict[int, Priority] = {}
        found = 0
        for burst in self.bursts:
            found += last.get(burst.source) is burst.priority
            last[burst.source] = burst.priority
        return found
