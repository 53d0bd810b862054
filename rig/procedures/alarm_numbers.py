"""What was heard of alarms, as a record keeps it.

Not responsible for hearing (`rig.analysis.alarm_sound`).
"""

from __future__ import annotations

from rig.analysis.alarm_signal import AlarmSound, Burst
from rig.record.analyses import AlarmBurst, AlarmNumbers


def numbers_of(found: AlarmSound, title: str = "Alarm sound") -> AlarmNumbers:
    """Give what was heard as a record keeps it."""
    return AlarmNumbers(
        title=title,
        edition=found.edition.value,
        duration_s=found.duration_s,
        channel=found.channel + 1,
        clipped_percent=found.clipped_percent,
        confidence=found.confidence,
        bursts=tuple(_numbers(burst) for burst in found.bursts),
        silences_s=tuple((each.from_s, each.to_s) for each in found.silences),
        escalations=tuple((each.at_s, each.sentence) for each in found.escalations),
        remarks=found.remarks,
    )


def _numbers(burst: Burst) -> AlarmBurst:
    return AlarmBurst(
        source=burst.source + 1,
        priority=burst.priority.value,
        reason=burst.reason,
        at_s=burst.at_s,
        pulse_at_s=tuple(pulse.onset_s for pulse in burst.pulses),
        pulse_end_s=tuple(pulse.end_s for pulse in burst.pulses),
        pitches_hz=burst.pitches_hz,
        partials_hz=max((pulse.partials_hz for pulse in burst.pulses), key=len),
        pulse_duration_s=burst.pulse_duration_s,
        spacing_s=burst.spacing_s,
        pause_s=burst.pause_s,
        halves_pause_s=burst.halves_pause_s,
        fundamental_hz=burst.fundamental_hz,
        level_db=burst.level_db,
        interburst_s=burst.interburst_s,
        conforms=burst.conforms,
        faults=burst.faults,
        confidence=burst.confidence,
    )
