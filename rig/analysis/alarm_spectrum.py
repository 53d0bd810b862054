"""From samples to a picture of tones over time: level in dB of each narrow band, and how far it stands out.

A tone counts by how far it stands above its own band's usual level (hum and colour of the room vanish) and above its
neighbours at the same moment (knocks and hiss vanish). Not responsible for pulses (`alarm_pulses`).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

import numpy as np
import scipy
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]

LOWEST_RATE_HZ = 8000.0
"""Harmonics reach up to 4 kHz; below this rate half of them are missing."""

WORKING_RATE_HZ = 9600.0
FILTER_REACH = 20
"""The filter before thinning out looks at ten thinned samples on either side; twice that is room enough."""

CLIPPED_AT = 0.999
FRAME_S = 0.0256
HOP_S = 0.0025
LOWEST_HZ = 110.0
HIGHEST_HZ = 4500.0
BLOCK_S = 20.0
QUIET_SHARE = 0.2
"""The quietest fifth of a block of 20 s is its background: a burst and its echo fill less than four fifths."""

QUIET_OF_MEAN = 0.223
"""Of noise, a fifth of the powers lie below this share of the mean: −ln(1 − 0.2)."""

LOUD_SHARE = 0.98
LEAKS = 1e-5
NEIGHBOURS = (3, 11)
NEIGHBOUR_SHARE = 0.25
NEIGHBOUR_OF_MEAN = 0.288
"""Of noise, a quarter of the powers lie below this share of the mean: −ln(1 − 0.25)."""

KNOCK_DB = 8.0
TONE_DB = 9.0
LONGEST_KNOCK_S = 0.09
"""A knock raises all bands by 8 dB and leaves no tone that stands out; up to 90 ms of it are bridged."""

BELOW_FULL_SCALE = 1e-11
"""Bands below −110 dB of full scale are silent: the last bit of 16-bit recordings lies there."""


@dataclass(frozen=True, eq=False)
class Picture:
    """Tones over time.

    Attributes:
        hz: (bands,) middle of each band.
        level_db: (frames, bands) against a sine of full scale.
        contrast_db: (frames, bands) above the background and the neighbours, 0 where it is below.
        hop_s: from frame to frame; frame 0 is centred at 0 s.
        background_db: (blocks, bands) usual level of each block of 20 s.
        samples: (n,) at the working rate, without offset.
    """

    hz: FloatArray
    level_db: FloatArray
    contrast_db: FloatArray
    hop_s: float
    background_db: FloatArray
    samples: FloatArray
    rate_hz: float

    @property
    def band_hz(self) -> float:
        """Width from band to band in Hz."""
        return float(self.hz[1] - self.hz[0])


@dataclass(frozen=True, eq=False)
class Recording:
    """Sound at the working rate, its offset taken away, and what was seen of it on the way.

    Attributes:
        samples: (n, channels), full scale 1.
        rate_hz: of `samples`; `recorded_rate_hz` is that of the recorder.
        duration_s: of the recording.
        clipped_percent: of each channel: share of samples at full scale.
        offset: of each channel: mean, full scale 1.
        silent: of each channel: every sample is the same.
    """

    samples: FloatArray
    rate_hz: float
    recorded_rate_hz: float
    duration_s: float
    clipped_percent: tuple[float, ...]
    offset: tuple[float, ...]
    silent: tuple[bool, ...]

    @property
    def channels(self) -> int:
        """How many channels it has."""
        return int(self.samples.shape[1])


class Thinning:
    """Takes a recording block by block, and keeps the lowest whole part of its rate that still holds every harmonic."""

    def __init__(self, rate_hz: float, channels: int) -> None:
        self._rate_hz = rate_hz
        self._every = max(1, int(rate_hz // WORKING_RATE_HZ))
        self._around = FILTER_REACH * self._every
        self._waiting = np.zeros((0, channels), np.float32)
        self._thin: list[FloatArray] = []
        self._frames = 0
        self._sum = np.zeros(channels)
        self._clipped = np.zeros(channels)
        self._low = np.full(channels, np.inf)
        self._high = np.full(channels, -np.inf)

    def take(self, block: NDArray[np.floating]) -> None:
        """Take the next (n, channels) samples, full scale 1; ValueError where some are no numbers."""
        block = np.asarray(block, dtype=np.float32)
        if not block.size:
            return
        numbers = np.isfinite(block).all(axis=1)
        if not numbers.all():
            at_s = (self._frames + int(np.argmin(numbers))) / self._rate_hz
            raise ValueError(f"the sound holds samples that are no numbers, the first at {at_s:.4g} s")
        if not self._frames:
            # Held at its first value, a recording with an offset begins without a knock.
            self._waiting = np.repeat(block[:1], self._around, axis=0)
        self._frames += block.shape[0]
        self._sum += block.sum(axis=0, dtype=np.float64)
        self._clipped += np.count_nonzero(np.abs(block) >= CLIPPED_AT, axis=0)
        self._low = np.minimum(self._low, block.min(axis=0))
        self._high = np.maximum(self._high, block.max(axis=0))
        self._waiting = np.concatenate([self._waiting, block])
        self._pass_on()

    def _pass_on(self) -> None:
        ready = (self._waiting.shape[0] - 2 * self._around) // self._every * self._every
        if ready <= 0:
            return
        thin = self._waiting[self._around : self._around + ready]
        if self._every > 1:
            part = scipy.signal.resample_poly(self._waiting[: ready + 2 * self._around], 1, self._every, axis=0)
            thin = part[FILTER_REACH : FILTER_REACH + ready // self._every].astype(np.float32)
        self._thin.append(thin)
        self._waiting = self._waiting[ready:]

    def recording(self) -> Recording:
        """Give what was taken; ValueError where that was nothing."""
        if not self._frames:
            raise ValueError("the sound holds no samples")
        last = np.repeat(self._waiting[-1:], self._around + self._every, axis=0)
        self._waiting = np.concatenate([self._waiting, last])
        self._pass_on()
        offset = self._sum / self._frames
        samples = np.concatenate(self._thin)[: -(-self._frames // self._every)]
        samples -= offset.astype(np.float32)
        return Recording(
            samples,
            self._rate_hz / self._every,
            self._rate_hz,
            self._frames / self._rate_hz,
            tuple(map(float, 100.0 * self._clipped / self._frames)),
            tuple(map(float, offset)),
            tuple(map(bool, self._low == self._high)),
        )


def picture_of(samples: FloatArray, rate: float) -> Picture:
    """Picture the tones of one channel, given at the working rate; full scale is 1."""
    length = round(FRAME_S * rate)
    hop = max(1, round(HOP_S * rate))
    bands = 1 << ceil(np.log2(length))
    window = scipy.signal.windows.hann(length, sym=False).astype(np.float32)
    scale = 2.0 / float(window.sum())
    padded = np.concatenate([np.zeros(length // 2, np.float32), samples, np.zeros(length, np.float32)])
    frames = np.lib.stride_tricks.sliding_window_view(padded, length)[::hop][: 1 + samples.size // hop]
    hz = np.fft.rfftfreq(bands, 1.0 / rate)
    keep = np.flatnonzero((hz >= LOWEST_HZ) & (hz <= min(HIGHEST_HZ, 0.49 * rate)))
    per_block = max(1, round(BLOCK_S * rate / hop))
    level = np.empty((frames.shape[0], keep.size), np.float32)
    contrast = np.empty_like(level)
    broad = np.empty(frames.shape[0], np.float32)
    background = []
    for start in range(0, frames.shape[0], per_block):
        power = _power(frames[start : start + per_block], window, bands, keep) * np.float32(scale**2)
        np.maximum(power, np.float32(BELOW_FULL_SCALE), out=power)
        quiet = np.quantile(power, QUIET_SHARE, axis=0) / QUIET_OF_MEAN
        # What a tone leaks into other bands while it rises lies 50 dB below it.
        quiet = np.maximum(quiet, np.quantile(power.max(axis=1), LOUD_SHARE) * LEAKS)
        background.append(10.0 * np.log10(quiet))
        if len(background) > 1 and power.shape[0] < per_block // 2:
            # The rest of a recording may be one burst: its background is that of the block before.
            quiet = 10.0 ** (background[-2] / 10.0)
        beside = np.maximum(quiet[None, :], _neighbours(power))
        level[start : start + per_block] = 10.0 * np.log10(power)
        contrast[start : start + per_block] = np.maximum(10.0 * np.log10(power / beside), 0.0)
        broad[start : start + per_block] = 10.0 * np.log10(np.median(beside / quiet, axis=1))
    _bridge(level, contrast, (broad > KNOCK_DB) & (contrast.max(axis=1) < TONE_DB), hop / rate)
    return Picture(
        hz[keep].astype(np.float32), level, contrast, hop / rate,
        np.array(background, np.float32), samples, rate,
    )  # fmt: skip


def _bridge(level: FloatArray, contrast: FloatArray, knocked: NDArray[np.bool_], hop_s: float) -> None:
    """Draw straight lines across short knocks, in place: what a tone does meanwhile cannot be heard."""
    frames = np.flatnonzero(knocked)
    if not frames.size:
        return
    for run in np.split(frames, np.flatnonzero(np.diff(frames) > 2) + 1):
        before, after = int(run[0]) - 3, int(run[-1]) + 3
        if before < 0 or after >= level.shape[0] or (after - before) * hop_s > LONGEST_KNOCK_S:
            continue
        share = np.linspace(0.0, 1.0, after - before + 1, dtype=np.float32)[:, None]
        for each in (level, contrast):
            each[before : after + 1] = (1.0 - share) * each[before] + share * each[after]


def _power(frames: FloatArray, window: FloatArray, bands: int, keep: NDArray[np.intp]) -> FloatArray:
    parts = []
    for start in range(0, frames.shape[0], 4000):
        spectrum = np.fft.rfft(frames[start : start + 4000] * window, bands, axis=1)[:, keep]
        parts.append((spectrum.real**2 + spectrum.imag**2).astype(np.float32))
    return np.concatenate(parts) if parts else np.empty((0, keep.size), np.float32)


def _neighbours(power: FloatArray) -> FloatArray:
    """Estimate the mean power of broadband sound beside each band, at each moment."""
    near, far = NEIGHBOURS
    count = power.shape[1]
    beside = np.empty_like(power)
    for band in range(count):
        below = range(max(0, band - far), max(0, band - near + 1))
        above = range(min(count, band + near), min(count, band + far + 1))
        around = power[:, [*below, *above]]
        nth = int(NEIGHBOUR_SHARE * (around.shape[1] - 1))
        beside[:, band] = np.partition(around, nth, axis=1)[:, nth] / NEIGHBOUR_OF_MEAN
    return beside
