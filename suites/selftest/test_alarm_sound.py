"""Alarms are told by their rhythm, in noise and rooms, and what fits no rhythm stays undecided.

Sounds are made from the timing table of IEC 60601-1-8 (`suites.stands.alarm_synthesis`), never from recordings.
"""

from collections.abc import Sequence

import numpy as np
import pytest

from rig.analysis.alarm_signal import AlarmSound, Edition, Priority
from rig.analysis.alarm_sound import analyse_alarm
from suites.stands.alarm_synthesis import (
    Sound,
    Tone,
    high,
    in_a_room,
    of_a_voice,
    row,
    sounded,
    with_hum,
    with_knocks,
    with_pink_noise,
)

RATE_HZ = 16000
A_TONE = Tone(523.25)
TD_S, Y_S = 0.18, 0.16


def rng(seed: int = 1) -> np.random.Generator:
    return np.random.default_rng(seed)


def priorities(found: AlarmSound) -> list[str]:
    return [burst.priority.value for burst in found.bursts]


def bursts(
    onsets: Sequence[float], td_s: float, at_s: Sequence[float], tone: Tone = A_TONE, level: float = 0.1
) -> list:
    return [(at, onsets, td_s, tone, level) for at in at_s]


def mediums(rate_hz: int = RATE_HZ) -> Sound:
    return sounded(15.0, rate_hz, bursts(row(3, TD_S, Y_S), TD_S, (1.0, 6.0, 11.0)))


# ---------------------------------------------------------------- each priority, over the whole table


@pytest.mark.parametrize("seed", range(8))
def test_a_high_burst_is_told_with_its_numbers_anywhere_in_the_table(seed: int) -> None:
    draw = rng(seed)
    td_s, x_s, halves_s = draw.uniform(0.075, 0.2), draw.uniform(0.05, 0.125), draw.uniform(0.35, 1.3)
    hz, rate_hz = float(draw.uniform(160.0, 980.0)), int(draw.choice([8000, 11025, 22050, 48000, 96000]))
    onsets = high(td_s, x_s, halves_s)
    second_s = 1.0 + onsets[-1] + td_s + 3.0
    sound = sounded(second_s + onsets[-1] + 1.5, rate_hz, bursts(onsets, td_s, (1.0, second_s), Tone(hz)))
    found = analyse_alarm(with_pink_noise(sound, 20.0, draw), rate_hz)
    assert priorities(found) == ["high", "high"]
    first = found.bursts[0]
    assert len(first.pulses) == 10
    assert first.at_s == pytest.approx(1.0, abs=0.05)
    assert first.pulse_duration_s == pytest.approx(td_s, abs=0.025)
    assert first.spacing_s == pytest.approx(td_s + x_s, abs=0.004)
    assert first.halves_pause_s == pytest.approx(halves_s, abs=0.025)
    assert first.interburst_s == pytest.approx(3.0, abs=0.025)
    assert first.fundamental_hz == pytest.approx(hz, rel=0.005)


@pytest.mark.parametrize("seed", range(8))
def test_a_medium_burst_is_told_in_noise_ten_decibels_below_it(seed: int) -> None:
    draw = rng(100 + seed)
    td_s, y_s = draw.uniform(0.13, 0.245), draw.uniform(0.13, 0.245)
    sound = sounded(13.0, RATE_HZ, bursts(row(3, td_s, y_s), td_s, (1.0, 8.0), Tone(float(draw.uniform(170, 950)))))
    found = analyse_alarm(with_pink_noise(sound, 10.0, draw), RATE_HZ)
    assert priorities(found) == ["medium", "medium"]
    assert found.bursts[0].spacing_s == pytest.approx(td_s + y_s, abs=0.006)


@pytest.mark.parametrize("count", [1, 2])
def test_a_low_burst_leaves_more_than_15_s(count: int) -> None:
    sound = sounded(20.0, RATE_HZ, bursts(row(count, TD_S, Y_S), TD_S, (1.0, 18.0)))
    found = analyse_alarm(with_pink_noise(sound, 20.0, rng()), RATE_HZ)
    assert priorities(found) == ["low", "low"]
    assert [burst.conforms for burst in found.bursts] == [True, True]


@pytest.mark.parametrize("notes", [(523.25, 293.66, 392.0)])
def test_a_melody_is_one_burst(notes: tuple[float, ...]) -> None:
    parts = [
        (at + onset, [0.0], TD_S, Tone(hz), 0.1)
        for at in (1.0, 6.0)
        for onset, hz in zip(row(3, TD_S, Y_S), notes, strict=True)
    ]
    found = analyse_alarm(with_pink_noise(sounded(9.0, RATE_HZ, parts), 20.0, rng()), RATE_HZ)
    assert priorities(found) == ["medium", "medium"]
    assert found.bursts[0].pitches_hz == pytest.approx(notes, rel=0.01)


# ---------------------------------------------------------------- what is no signal of the table


@pytest.mark.parametrize(
    ("what", "onsets", "td_s", "tone"),
    [
        ("two pulses again after 5 s", row(2, TD_S, Y_S), TD_S, A_TONE),
        ("half of a high burst", high(0.1, 0.08, 0.5)[:5], 0.1, A_TONE),
        ("three pulses as fast as a high burst's", row(3, 0.09, 0.06), 0.09, A_TONE),
        ("four pulses", row(4, TD_S, Y_S), TD_S, A_TONE),
        ("ten pulses in a row", row(10, 0.1, 0.08), 0.1, A_TONE),
        ("a tone of 1.5 s", [0.0], 1.5, Tone(600.0, rise_share=0.02)),
        ("three beeps of a piezo", row(3, TD_S, Y_S), TD_S, Tone(2700.0, (1.0,))),
    ],
)
def test_what_is_no_signal_of_the_table_stays_undecided(
    what: str, onsets: list[float], td_s: float, tone: Tone
) -> None:
    sound = sounded(18.0, RATE_HZ, bursts(onsets, td_s, (1.0, 7.0, 13.0), tone))
    found = analyse_alarm(with_pink_noise(sound, 20.0, rng()), RATE_HZ)
    assert priorities(found) == ["undecided"] * 3, what
    assert [train.count for train in found.trains] == [len(onsets)] * 3


def test_the_beeps_of_a_piezo_are_described() -> None:
    sound = sounded(4.0, RATE_HZ, bursts(row(6, 0.1, 0.15), 0.1, (1.0,), Tone(2700.0, (1.0,))))
    (train,) = analyse_alarm(with_pink_noise(sound, 20.0, rng()), RATE_HZ).trains
    assert (train.count, round(train.period_s or 0.0, 2), round(train.pitch_hz, -1)) == (6, 0.25, 2700.0)


def test_a_wrong_number_is_a_fault_of_a_burst_that_is_told() -> None:
    onsets = high(0.15, 0.1, 1.7)
    found = analyse_alarm(with_pink_noise(sounded(9.0, RATE_HZ, bursts(onsets, 0.15, (1.0,))), 20.0, rng()), RATE_HZ)
    (burst,) = found.bursts
    assert burst.priority is Priority.HIGH
    assert burst.conforms is False
    assert burst.faults == ("pause between 5th and 6th pulse 1.7 s, allowed 0.35 s to 1.3 s",)


@pytest.mark.parametrize(
    ("edition", "conforms"), [(Edition.E2006, False), (Edition.A1_2012, True), (Edition.A2_2020, True)]
)
def test_the_editions_count_harmonics_differently(edition: Edition, conforms: bool) -> None:
    three = Tone(500.0, (1.0, 0.8, 0.7, 0.6))  # the fundamental and three harmonics
    sound = sounded(4.0, RATE_HZ, bursts(row(3, TD_S, Y_S), TD_S, (1.0,), three))
    (burst,) = analyse_alarm(with_pink_noise(sound, 40.0, rng()), RATE_HZ, edition=edition).bursts
    assert burst.conforms is conforms


# ---------------------------------------------------------------- disturbances


@pytest.mark.parametrize(
    "disturbed",
    [
        lambda sound: with_hum(sound, RATE_HZ),
        lambda sound: with_knocks(sound, RATE_HZ, rng(3)),
        lambda sound: in_a_room(sound, RATE_HZ, 0.8, rng(2)),
        lambda sound: np.clip(sound, -0.1, 0.1),
        lambda sound: sound + 0.4,
        lambda sound: (2**31 * 0.9 * sound).astype(np.int32),
        lambda sound: (127 * sound + 128).astype(np.uint8),
        lambda sound: np.stack([sound, -sound], axis=1),
        lambda sound: np.stack([np.zeros_like(sound), sound], axis=1),
    ],
    ids=["hum", "knocks", "room", "clipped", "offset", "32 bit", "8 bit", "opposite phase", "one channel"],
)
def test_a_medium_alarm_is_told_all_the_same(disturbed) -> None:  # noqa: ANN001 - a function of a sound
    found = analyse_alarm(disturbed(mediums()), RATE_HZ)
    assert priorities(found) == ["medium"] * 3
    assert [burst.spacing_s for burst in found.bursts] == pytest.approx([TD_S + Y_S] * 3, abs=0.02)


def test_noise_three_decibels_below_never_makes_another_priority_of_it() -> None:
    for seed in range(4):
        found = analyse_alarm(with_pink_noise(mediums(), 3.0, rng(seed)), RATE_HZ)
        assert set(priorities(found)) <= {"medium", "undecided"}


def test_a_voice_is_no_alarm() -> None:
    for seed in range(2):
        voice = 0.1 * of_a_voice(12.0, RATE_HZ, rng(seed))
        assert set(priorities(analyse_alarm(voice, RATE_HZ))) <= {"undecided"}


def test_two_alarms_at_once_are_both_told() -> None:
    one = bursts(row(3, TD_S, Y_S), TD_S, (1.0, 6.0, 11.0), Tone(300.0))
    onsets = high(0.12, 0.09, 0.6)
    other = bursts(onsets, 0.12, (1.4, 8.0), Tone(820.0))
    found = analyse_alarm(with_pink_noise(sounded(15.0, RATE_HZ, [*one, *other]), 20.0, rng()), RATE_HZ)
    told = {(burst.priority.value, round(burst.fundamental_hz or 0.0, -1)) for burst in found.bursts}
    assert told == {("medium", 300.0), ("high", 820.0)}
    assert len(found.bursts) == 5


def test_silence_and_noise_hold_no_burst() -> None:
    assert analyse_alarm(np.zeros(RATE_HZ), RATE_HZ).bursts == ()
    assert analyse_alarm(0.1 * rng().standard_normal(10 * RATE_HZ), RATE_HZ).first_pulse_s is None


# ---------------------------------------------------------------- over time


def test_an_escalation_is_told_by_priority() -> None:
    first = bursts(row(3, TD_S, Y_S), TD_S, (1.0, 6.0))
    found = analyse_alarm(
        with_pink_noise(
            sounded(22.0, RATE_HZ, [*first, *bursts(high(0.15, 0.1, 0.5), 0.15, (11.0, 17.0))]), 20.0, rng()
        ),
        RATE_HZ,
    )
    assert [(each.kind, round(each.at_s)) for each in found.escalations] == [("priority", 11)]


def test_an_escalation_is_told_by_shorter_intervals_and_by_level() -> None:
    onsets = row(3, TD_S, Y_S)
    sooner = sounded(40.0, RATE_HZ, bursts(onsets, TD_S, (1.0, 13.0, 25.0, 30.0, 35.0)))
    found = analyse_alarm(with_pink_noise(sooner, 20.0, rng()), RATE_HZ)
    assert [each.kind for each in found.escalations] == ["interburst"]
    louder = sounded(
        22.0, RATE_HZ, [*bursts(onsets, TD_S, (1.0, 6.0), level=0.03), *bursts(onsets, TD_S, (11.0, 16.0), level=0.1)]
    )
    found = analyse_alarm(louder + 1e-4 * rng().standard_normal(louder.size), RATE_HZ)
    assert [each.kind for each in found.escalations] == ["level"]


def test_a_pause_of_an_alarm_is_a_silence() -> None:
    sound = sounded(90.0, 8000, bursts(row(3, TD_S, Y_S), TD_S, (1.0, 6.0, 11.0, 80.0, 85.0)))
    (silence,) = analyse_alarm(with_pink_noise(sound, 20.0, rng()), 8000).silences
    assert (silence.from_s, silence.to_s) == pytest.approx((11.86, 80.0), abs=0.05)


# ---------------------------------------------------------------- refused


@pytest.mark.parametrize(
    ("sound", "rate_hz", "words"),
    [
        (np.zeros(8000), 4000.0, "harmonics up to 4 kHz need 8000"),
        (np.zeros(100), 8000.0, "0.0125 s of sound"),
        (np.array([np.nan] * 8000), 8000.0, "no numbers"),
        (np.zeros((2, 2, 2)), 8000.0, "shape"),
        (np.zeros(0), 8000.0, "no samples"),
    ],
)
def test_what_cannot_be_analysed_is_refused_in_a_sentence(sound: Sound, rate_hz: float, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        analyse_alarm(sound, rate_hz)
