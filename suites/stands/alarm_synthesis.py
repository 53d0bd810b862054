"""Sounds of alarms, made from the timing table of IEC 60601-1-8, with noise, a room and other sounds.

Independent of the analysis that is tested with them: pulses are sums of sines under straight slopes, their times are
counted from 90 % of the rise to 90 % of the fall, as the table's are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.signal import fftconvolve

Sound = NDArray[np.float64]


@dataclass(frozen=True)
class Tone:
    """How a sounder sounds: fundamental in Hz, amplitude of each harmonic, 10 to 90 % rise as a share of a pulse."""

    fundamental_hz: float
    amplitudes: tuple[float, ...] = (1.0, 0.7, 0.6, 0.5, 0.4)
    rise_share: float = 0.2


def high(td_s: float, x_s: float, halves_s: float) -> list[float]:
    """Onsets in s of the ten pulses of a high burst: 3 + 2, a pause, 3 + 2."""
    step = td_s + x_s
    half = [0.0, step, 2.0 * step, 4.0 * step, 5.0 * step]
    second = half[-1] + td_s + halves_s
    return [*half, *(second + each for each in half)]


def row(count: int, td_s: float, y_s: float) -> list[float]:
    """Onsets in s of equal pulses in a row."""
    return [number * (td_s + y_s) for number in range(count)]


def sounded(
    duration_s: float, rate_hz: int, bursts: Sequence[tuple[float, Sequence[float], float, Tone, float]]
) -> Sound:
    """Make a sound of bursts: each begins at so many s, has onsets, a pulse duration in s, a tone and a level."""
    sound = np.zeros(int(duration_s * rate_hz) + 1)
    for at_s, onsets, td_s, tone, level in bursts:
        for onset_s in onsets:
            _add_pulse(sound, rate_hz, at_s + onset_s, td_s, tone, level)
    return sound


def _add_pulse(sound: Sound, rate_hz: int, at_s: float, td_s: float, tone: Tone, level: float) -> None:
    slope_s = tone.rise_share * td_s / 0.8
    whole_s = td_s + 2.0 * 0.9 * slope_s
    t = np.arange(int(whole_s * rate_hz)) / rate_hz
    wave = sum(
        amplitude * np.sin(2.0 * np.pi * number * tone.fundamental_hz * t + number**2)
        for number, amplitude in enumerate(tone.amplitudes, start=1)
        if number * tone.fundamental_hz < 0.48 * rate_hz
    )
    pulse = level * wave * np.clip(np.minimum(t, whole_s - t) / slope_s, 0.0, 1.0)
    start = round((at_s - 0.9 * slope_s) * rate_hz)
    first, last = max(0, -start), min(pulse.size, sound.size - start)
    if last > first:
        sound[start + first : start + last] += pulse[first:last]


def level_of(sound: Sound) -> float:
    """RMS of a sound while it sounds."""
    return float(np.sqrt(np.mean(sound[np.abs(sound) > 1e-6] ** 2)))


def with_pink_noise(sound: Sound, snr_db: float, rng: np.random.Generator) -> Sound:
    """Add noise of equal power in each octave, so many dB below the sound while it sounds."""
    spectrum = np.fft.rfft(rng.standard_normal(sound.size))
    noise = np.fft.irfft(spectrum / np.sqrt(np.maximum(np.arange(spectrum.size), 1.0)), sound.size)
    return sound + level_of(sound) * 10.0 ** (-snr_db / 20.0) * noise / np.std(noise)


def in_a_room(sound: Sound, rate_hz: int, t60_s: float, rng: np.random.Generator) -> Sound:
    """Add the echo of a room, as loud as the sound itself, that falls by 60 dB within `t60_s`."""
    t = np.arange(int(t60_s * rate_hz)) / rate_hz
    answer = rng.standard_normal(t.size) * 10.0 ** (-3.0 * t / t60_s)
    answer /= np.sqrt(np.sum(answer**2))
    answer[0] += 1.0
    return np.asarray(fftconvolve(sound, answer)[: sound.size])


def with_hum(sound: Sound, rate_hz: int) -> Sound:
    """Add 50 Hz and its multiples at the level of the sound."""
    t = np.arange(sound.size) / rate_hz
    hum = sum(np.sin(2.0 * np.pi * 50.0 * number * t) / number for number in (1, 2, 3, 5))
    return np.asarray(sound + level_of(sound) * hum / np.std(hum))


def with_knocks(sound: Sound, rate_hz: int, rng: np.random.Generator) -> Sound:
    """Add a knock a second, three to ten times as loud as the sound."""
    knocked = sound.copy()
    size = int(0.08 * rate_hz)
    fading = np.exp(-np.arange(size) / rate_hz / 0.01)
    for _ in range(int(sound.size / rate_hz)):
        at = int(rng.integers(0, sound.size - size))
        knocked[at : at + size] += level_of(sound) * rng.uniform(3.0, 10.0) * rng.standard_normal(size) * fading
    return knocked


def of_a_voice(duration_s: float, rate_hz: int, rng: np.random.Generator) -> Sound:
    """Make syllables: gliding tones with formants under round slopes, and hiss between them."""
    sound = np.zeros(int(duration_s * rate_hz))
    at = 0
    while at < sound.size:
        size = min(int(rng.uniform(0.08, 0.35) * rate_hz), sound.size - at)
        pitch_hz = rng.uniform(90.0, 250.0) * (1.0 + rng.uniform(-0.25, 0.25) * np.linspace(0.0, 1.0, size))
        phase = 2.0 * np.pi * np.cumsum(pitch_hz) / rate_hz
        formants_hz = (rng.uniform(300.0, 800.0), rng.uniform(900.0, 2200.0), rng.uniform(2300.0, 3000.0))
        voiced = sum(
            np.sin(number * phase)
            * sum(np.exp(-(((number * float(pitch_hz.mean()) - each) / 150.0) ** 2)) for each in formants_hz)
            for number in range(1, 25)
        )
        syllable = voiced if rng.random() < 0.75 else rng.standard_normal(size)
        sound[at : at + size] += syllable * np.hanning(size)
        at += size + int(rng.choice([0.0, 0.02, 0.3]) * rate_hz)
    return sound
