"""What a microphone hears and a vibration pickup feels beside the pump: buzzer, vibrator, room and mains.

Idealised: a dead room, no echo and no distance; nothing but buzzer and vibrator is heard of the pump. Not responsible
for the instrument that records it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from rig.virtual.board import Edge
from rig.virtual.noise import between, normals, occasional, stream
from rig.virtual.parameters import SoundParameters

MAINS_HZ = 50.0
_BEFORE_S = -1.0
"""Before anything happens: the clock of a bench begins at 0."""
_SHIFT = 1 << 62
"""Keeps the number of a sample above 0, whatever second it is of."""


class Acoustics:
    """The air and the case around a pump.

    Args:
        heard: when buzzer and vibrator went on and off, which grows; in the order of time.
        parameters: what they sound like.
        seed: of the device; its pitch and its vibrator's speed.
        occasion: of the noise.
    """

    def __init__(self, heard: Sequence[Edge], parameters: SoundParameters, seed: int, occasion: str = "") -> None:
        self._heard = heard
        self._parameters = parameters
        device = stream(seed, "sounder")
        self.pitch_hz = between(device, 0, parameters.pitch_hz)
        self.vibration_hz = between(device, 1, parameters.vibration_hz)
        self._room = occasional(seed, "room noise", occasion)
        self._pickup = occasional(seed, "pickup noise", occasion)

    def hear(self, begin_s: float, rate_hz: float, count: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Microphone and pickup in V, in `count` samples from `begin_s` on, all of them in the past."""
        at_s = begin_s + np.arange(count) / rate_hz
        given = self._parameters
        buzzer = given.buzzer_v * self._buzzer(at_s)
        vibrator = given.vibrator_v * self._vibrator(at_s)
        mains = 2.0 * math.pi * MAINS_HZ * at_s
        hum = given.hum_v * (np.sin(mains) + np.sin(3.0 * mains) / 3.0)
        first = _SHIFT + round(begin_s * rate_hz)
        sound = buzzer + given.leak * vibrator + hum + given.room_v * normals(self._room, first, count)
        vibration = vibrator + given.leak * buzzer + given.pickup_v * normals(self._pickup, first, count)
        return sound, vibration

    def _buzzer(self, at_s: NDArray[np.float64]) -> NDArray[np.float64]:
        given = self._parameters
        levels = (0.0, *given.partials_db)
        partials = [
            (number * self.pitch_hz, 10.0 ** (level / 20.0))
            for number, level in enumerate(levels, start=1)
            if number * self.pitch_hz < given.amplifier_hz
        ]
        return _tones(at_s, self._envelope(at_s, "buzzer", given.swell_s), partials)

    def _vibrator(self, at_s: NDArray[np.float64]) -> NDArray[np.float64]:
        envelope = self._envelope(at_s, "vibrator", self._parameters.spin_s)
        return _tones(at_s, envelope, [(self.vibration_hz, 1.0)])

    def _envelope(self, sampled_s: NDArray[np.float64], signal: str, ramp_s: float) -> NDArray[np.float64]:
        """How loud a sounder is, 0 to 1: on and off in a straight line, which the next edge may cut short."""
        corner_s, corner_level = [_BEFORE_S], [0.0]
        since_s, level, wanted = _BEFORE_S, 0.0, 0.0
        edges = [(edge.at_s, float(edge.high)) for edge in self._heard if edge.signal == signal]
        for at_s, next_wanted in [*edges, (math.inf, 0.0)]:
            left = wanted - level
            reached_s = since_s + abs(left) * ramp_s
            if reached_s <= at_s:
                level = wanted
                corner_s.append(reached_s)
                corner_level.append(level)
            else:
                level += math.copysign((at_s - since_s) / ramp_s, left)
            if at_s < math.inf:
                corner_s.append(at_s)
                corner_level.append(level)
            since_s, wanted = at_s, next_wanted
        return np.interp(sampled_s, corner_s, corner_level)


def _tones(
    at_s: NDArray[np.float64], envelope: NDArray[np.float64], partials: Sequence[tuple[float, float]]
) -> NDArray[np.float64]:
    """Add up sinusoids, each of a frequency in Hz and a share; only where there is anything to hear."""
    sounding = np.flatnonzero(envelope)
    wave = np.zeros_like(at_s)
    for frequency_hz, share in partials:
        wave[sounding] += share * np.sin(2.0 * math.pi * frequency_hz * at_s[sounding])
    wave[sounding] *= envelope[sounding]
    return wave
