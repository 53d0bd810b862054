"""Continuous glucose sensors: a calibration that drifts, and noise with a memory, by published models; all seeded.

Noise advances once a sample of 5 min (Breton and Kovatchev: 15 min), and is a function of seed and minute alone: a day
read in portions is the same day. Public codes disagree on the step: LoopInsighT1 takes a minute.
Not responsible for what goes wrong with a sensor on a body (`sensor_faults`), nor for the delay between blood and skin.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from numbers import Integral
from typing import Protocol

import numpy as np
import scipy
from numpy.typing import ArrayLike

from rig.analysis.checks import FloatArray

LOWEST_MG_PER_DL, HIGHEST_MG_PER_DL = 40.0, 400.0
"""What these sensors show; beyond, they say LOW and HIGH."""
LIFE_DAYS = 10.0
"""After so many days a new sensor of the same kind is worn, with a new calibration."""
_CHUNK = 4096
_SETTLING = 500
"""Steps after which noise has forgotten that it began at 0."""


class Noise(Protocol):
    """An error in mg/dL that is added to what a sensor reads."""

    def at(self, minutes: FloatArray) -> FloatArray:
        """The error at each minute, counted from the first insertion."""


@dataclass(frozen=True)
class Autoregressive:
    """x(k) = first x(k-1) + second x(k-2) + normal noise of a variance in (mg/dL)²."""

    first: float
    second: float
    variance: float


@dataclass(frozen=True)
class SensorModel:
    """A sensor by its paper: shows (a0 + a1 t + a2 t²) G + b0 + b1 t + b2 t², t in days, with noise.

    Attributes:
        name: as `cgm` takes it.
        source: the paper.
        gain: a0, a1, a2.
        offset: b0, b1, b2, mg/dL.
        parts: sums of which the noise consists; none: Breton and Kovatchev's.
    """

    name: str
    source: str
    gain: tuple[float, float, float] = (1.0, 0.0, 0.0)
    offset: tuple[float, float, float] = (0.0, 0.0, 0.0)
    parts: tuple[Autoregressive, ...] = ()


MODELS = {
    model.name: model
    for model in (
        SensorModel("breton", "Breton, Kovatchev 2008, doi 10.1177/193229680800200517"),
        SensorModel(
            "facchinetti", "Facchinetti 2014, doi 10.1007/s11517-014-1226-9 (SEVEN Plus)",
            (1.1, 2e-4, 0.0), (-14.8, 0.04, 0.0),
            (Autoregressive(1.013, -0.2135, 14.45), Autoregressive(1.23, -0.3995, 11.3)),
        ),
        SensorModel(
            "vettoretti-g5", "Vettoretti 2018 (Dexcom G5)", (1.04, 0.02, 0.0), (-8.75, 0.0, 0.0),
            (Autoregressive(1.27, -0.42, 7.64),),
        ),
        SensorModel(
            "vettoretti-g6", "Vettoretti 2019, EMBC (Dexcom G6)", (1.048, -0.033, 0.002), (-6.398, 6.179, -0.448),
            (Autoregressive(1.22, -0.331, 3.641), Autoregressive(1.34, -0.492, 5.538)),
        ),
        SensorModel(
            "vettoretti-mean", "Vettoretti 2019, Sensors (mean sensor)",
            (0.942287681, 0.00493988128, -0.000584874782), (6.38260196, 0.0, 0.0),
            (Autoregressive(1.260, -0.402, 3.252**2),),
        ),
    )
}  # fmt: skip
"""The models by name."""


@dataclass(frozen=True)
class Sensor:
    """A sensor of one kind with one seed."""

    model: SensorModel
    seed: int
    _noise: Noise = field(repr=False)

    def read(self, minutes: ArrayLike, glucose_mg_per_dl: ArrayLike) -> FloatArray:
        """What the sensor shows at each minute since its first insertion, mg/dL, kept within 40 to 400.

        Args:
            minutes: 0 or more.
            glucose_mg_per_dl: glucose below the skin, one value a minute given.

        Raises:
            ValueError: the two are not rows of one length, or hold what is no number.
        """
        at, glucose = self._given(minutes, glucose_mg_per_dl)
        shown = self.calibrated(at, glucose) + self._noise.at(at)
        return np.clip(shown, LOWEST_MG_PER_DL, HIGHEST_MG_PER_DL)

    def calibrated(self, minutes: ArrayLike, glucose_mg_per_dl: ArrayLike) -> FloatArray:
        """What the sensor would show without noise and without bounds, mg/dL; ValueError as `read`."""
        at, glucose = self._given(minutes, glucose_mg_per_dl)
        days = at / 1440.0
        t = np.where(days > LIFE_DAYS, days % LIFE_DAYS, days)
        (a0, a1, a2), (b0, b1, b2) = self.model.gain, self.model.offset
        shown: FloatArray = (a0 + (a1 + a2 * t) * t) * glucose + b0 + (b1 + b2 * t) * t
        return shown

    def _given(self, minutes: ArrayLike, glucose: ArrayLike) -> tuple[FloatArray, FloatArray]:
        try:
            at, values = np.asarray(minutes, dtype=float), np.asarray(glucose, dtype=float)
        except (TypeError, ValueError) as error:
            raise ValueError(f"minutes and glucose must hold numbers ({error})") from error
        if at.ndim != 1 or at.shape != values.shape:
            raise ValueError(
                f"minutes and glucose are two rows of one length, got shapes {at.shape} and {values.shape}"
            )
        if not (np.isfinite(at).all() and (at >= 0.0).all()):
            raise ValueError("minutes must be finite numbers of 0 or more")
        if not np.isfinite(values).all():
            raise ValueError("glucose must be finite numbers; a sensor reads no gaps")
        return at, values


def cgm(model: str, seed: int) -> Sensor:
    """Make a sensor of a published kind: "breton", "facchinetti", "vettoretti-g5", "-g6" or "-mean".

    Raises:
        ValueError: there is no such kind, or the seed is no whole number of 0 or more.
    """
    if isinstance(seed, bool) or not isinstance(seed, Integral) or seed < 0:
        raise ValueError(f"a seed is a whole number of 0 or more, got {seed!r}")
    named = MODELS.get(model)
    if named is None:
        raise ValueError(f"there is no sensor {model!r}; there are {', '.join(MODELS)}")
    number = int(seed)
    noise: Noise = _Parts(named.parts, number) if named.parts else _JohnsonLine(number)
    return Sensor(named, number, noise)


class _Growing:
    """A series that is drawn in chunks as far as somebody asks, the same whoever asks for how much."""

    def __init__(self, part: Autoregressive, seeds: tuple[int, ...]) -> None:
        self._draws = np.random.default_rng(seeds)
        self._part = part
        self._memory = np.zeros(2)
        self._draw(_SETTLING)
        self.values = np.empty(0)

    def up_to(self, index: int) -> FloatArray:
        """All values up to one with an index, at least."""
        while self.values.size <= index:
            self.values = np.concatenate((self.values, self._draw(_CHUNK)))
        return self.values

    def _draw(self, count: int) -> FloatArray:
        shocks = self._draws.standard_normal(count) * np.sqrt(self._part.variance)
        drawn, self._memory = scipy.signal.lfilter(
            [1.0], [1.0, -self._part.first, -self._part.second], shocks, zi=self._memory
        )
        return np.asarray(drawn)


class _Parts:
    """The sum of autoregressive parts, held for the 5 min of a sample."""

    def __init__(self, parts: tuple[Autoregressive, ...], seed: int) -> None:
        self._series = [_Growing(part, (seed, number)) for number, part in enumerate(parts)]

    def at(self, minutes: FloatArray) -> FloatArray:
        """The error in mg/dL at each minute."""
        index = np.floor_divide(minutes, 5.0).astype(int)
        last = int(index.max(initial=0))
        total = np.zeros(minutes.shape)
        for series in self._series:
            total += series.up_to(last)[index]
        return total


class _JohnsonLine:
    """Breton and Kovatchev's error: Johnson's distribution every 15 min, joined by lines and averaged over 15 min."""

    _XI, _LAMBDA, _DELTA, _GAMMA = -5.471, 15.96, 1.6898, -0.5444

    def __init__(self, seed: int) -> None:
        self._series = _Growing(Autoregressive(0.7, 0.0, 0.49), (seed, 0))  # e <- 0.7 (e + n)

    def at(self, minutes: FloatArray) -> FloatArray:
        """The error in mg/dL at each minute: the mean over the 15 min that end there."""
        later = minutes + 15.0
        last = int(later.max(initial=0.0) // 15.0) + 2
        e = self._series.up_to(last)[: last + 1]
        nodes = self._XI + self._LAMBDA * np.sinh((e - self._GAMMA) / self._DELTA)
        area = np.concatenate(([0.0], np.cumsum(7.5 * (nodes[:-1] + nodes[1:]))))
        return (self._area(later, nodes, area) - self._area(minutes, nodes, area)) / 15.0

    @staticmethod
    def _area(minutes: FloatArray, nodes: FloatArray, area: FloatArray) -> FloatArray:
        """Integrate the line from 0 to each minute."""
        before = (minutes // 15.0).astype(int)
        s = minutes - 15.0 * before
        left, right = nodes[before], nodes[before + 1]
        integral: FloatArray = area[before] + s * left + s * s * (right - left) / 30.0
        return integral
