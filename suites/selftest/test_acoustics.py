"""What microphone and pickup give: buzzer and vibrator when they are on, room and mains all the time."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from rig.virtual.acoustics import Acoustics
from rig.virtual.board import Edge
from rig.virtual.noise import normal, normals, stream
from rig.virtual.parameters import SoundParameters

QUIET = SoundParameters(room_v=0.0, hum_v=0.0, pickup_v=0.0, leak=0.0, partials_db=())
RATE_HZ = 10_000.0


def pulse(signal: str, from_s: float, to_s: float) -> list[Edge]:
    return [Edge(from_s, signal, True), Edge(to_s, signal, False)]


def envelope(wave: NDArray[np.float64], at_s: float, periods: int = 1, pitch_hz: float = 500.0) -> float:
    """The largest sample within a period around a moment."""
    around = round(periods * RATE_HZ / pitch_hz / 2)
    middle = round(at_s * RATE_HZ)
    return float(np.max(np.abs(wave[middle - around : middle + around])))


def test_a_pulse_swells_lasts_and_fades_in_straight_lines() -> None:
    given = replace(QUIET, pitch_hz=(500.0, 500.0), swell_s=0.020, buzzer_v=0.1)
    sound, vibration = Acoustics(pulse("buzzer", 0.1, 0.2), given, seed=1).hear(0.0, RATE_HZ, 4000)
    assert not vibration.any()
    assert not sound[:1000].any()
    assert envelope(sound, 0.110) == pytest.approx(0.05, abs=0.006)
    assert envelope(sound, 0.150) == pytest.approx(0.1, abs=0.001)
    assert envelope(sound, 0.210) == pytest.approx(0.05, abs=0.006)
    assert not sound[2201:].any()


def test_a_pulse_shorter_than_its_swelling_does_not_reach_its_level() -> None:
    given = replace(QUIET, pitch_hz=(500.0, 500.0), swell_s=0.020, buzzer_v=0.1)
    sound, _ = Acoustics(pulse("buzzer", 0.1, 0.110), given, seed=1).hear(0.0, RATE_HZ, 2000)
    assert np.max(np.abs(sound)) == pytest.approx(0.0475, abs=1e-6)  # at the crests 0.5 ms beside the top of 0.05 V
    assert not sound[1201:].any()


def test_harmonics_have_the_levels_that_they_are_given() -> None:
    given = replace(QUIET, pitch_hz=(500.0, 500.0), partials_db=(-3.0, -6.0, -8.0, -10.0))
    sound, _ = Acoustics(pulse("buzzer", 0.0, 9.0), given, seed=1).hear(1.0, RATE_HZ, 10_000)
    amplitude = np.abs(np.fft.rfft(sound))[[500, 1000, 1500, 2000, 2500]] / 5000.0
    assert 20 * np.log10(amplitude / amplitude[0]) == pytest.approx([0.0, -3.0, -6.0, -8.0, -10.0], abs=0.01)


def test_the_amplifier_lets_nothing_through_that_would_fold_down() -> None:
    given = replace(QUIET, pitch_hz=(900.0, 900.0), partials_db=(0.0,) * 8)
    sound, _ = Acoustics(pulse("buzzer", 0.0, 9.0), given, seed=1).hear(1.0, RATE_HZ, 10_000)
    found = np.flatnonzero(np.abs(np.fft.rfft(sound)) > 1.0)
    assert found.tolist() == [900, 1800, 2700, 3600]


def test_the_vibrator_is_felt_at_the_pickup_and_hardly_heard() -> None:
    given = SoundParameters(room_v=0.0, hum_v=0.0, pickup_v=0.0)
    sound, vibration = Acoustics(pulse("vibrator", 0.1, 0.6), given, seed=1).hear(0.0, RATE_HZ, 8000)
    assert np.max(np.abs(vibration)) == pytest.approx(given.vibrator_v, rel=1e-3)
    assert np.max(np.abs(sound)) == pytest.approx(given.leak * given.vibrator_v, rel=1e-3)


def test_the_same_world_is_heard_whatever_part_of_it_is_asked_for() -> None:
    acoustics = Acoustics(pulse("buzzer", 0.1, 0.2), SoundParameters(), seed=7)
    whole, part = acoustics.hear(0.0, RATE_HZ, 3000), acoustics.hear(0.1, RATE_HZ, 1000)
    for one, other in zip(whole, part, strict=True):
        assert other == pytest.approx(one[1000:2000], abs=1e-9)
    elsewhere = Acoustics(pulse("buzzer", 0.1, 0.2), SoundParameters(), seed=7, occasion="another test")
    assert elsewhere.pitch_hz == acoustics.pitch_hz
    assert not np.allclose(elsewhere.hear(0.0, RATE_HZ, 500)[0], whole[0][:500])


def test_noise_in_arrays_is_the_noise_one_by_one() -> None:
    key, first = stream(3, "room noise"), (1 << 62) + 17
    assert normals(key, first, 200) == pytest.approx([normal(key, first + n) for n in range(200)], abs=1e-10)
