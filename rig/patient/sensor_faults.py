"""What goes wrong with a sensor on a body: silence, a stale value, compression, a jump, out of range.

Each is applied to what it would show. Not responsible for noise and drift (`sensor`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from rig.analysis.checks import FloatArray
from rig.patient.sensor import HIGHEST_MG_PER_DL, LOWEST_MG_PER_DL


class SensorFault(Protocol):
    """A fault that changes what a sensor shows."""

    def change(self, minutes: FloatArray, shown_mg_per_dl: FloatArray) -> FloatArray:
        """What is shown with the fault, at the same minutes; NaN: nothing."""


@dataclass(frozen=True)
class DropOut:
    """Nothing is shown from one minute until before another."""

    from_min: float
    to_min: float

    def change(self, minutes: FloatArray, shown_mg_per_dl: FloatArray) -> FloatArray:
        """Leave the readings out."""
        return np.where(_within(minutes, self.from_min, self.to_min), np.nan, shown_mg_per_dl)


@dataclass(frozen=True)
class Stale:
    """The last reading before one minute is shown again until before another."""

    from_min: float
    to_min: float

    def change(self, minutes: FloatArray, shown_mg_per_dl: FloatArray) -> FloatArray:
        """Repeat the last reading; nothing where there was none."""
        before = shown_mg_per_dl[minutes < self.from_min]
        last = before[-1] if before.size else np.nan
        return np.where(_within(minutes, self.from_min, self.to_min), last, shown_mg_per_dl)


@dataclass(frozen=True)
class CompressionLow:
    """Somebody lies on the sensor: it reads lower by so much, reached and left within 15 min."""

    from_min: float
    to_min: float
    by_mg_per_dl: float

    def change(self, minutes: FloatArray, shown_mg_per_dl: FloatArray) -> FloatArray:
        """Press the readings down, not below what a sensor can show."""
        at = (self.from_min, self.from_min + 15.0, self.to_min, self.to_min + 15.0)
        depth = np.interp(minutes, at, (0.0, self.by_mg_per_dl, self.by_mg_per_dl, 0.0))
        return np.clip(shown_mg_per_dl - depth, LOWEST_MG_PER_DL, HIGHEST_MG_PER_DL)


@dataclass(frozen=True)
class Jump:
    """From one minute on, all readings are shifted by so much."""

    at_min: float
    by_mg_per_dl: float

    def change(self, minutes: FloatArray, shown_mg_per_dl: FloatArray) -> FloatArray:
        """Shift the readings, within what a sensor can show."""
        shifted = np.where(minutes >= self.at_min, shown_mg_per_dl + self.by_mg_per_dl, shown_mg_per_dl)
        return np.clip(shifted, LOWEST_MG_PER_DL, HIGHEST_MG_PER_DL)


@dataclass(frozen=True)
class BelowRange:
    """The sensor reads the lowest that it can show, from one minute until before another, whatever there is."""

    from_min: float
    to_min: float

    def change(self, minutes: FloatArray, shown_mg_per_dl: FloatArray) -> FloatArray:
        """Put the lowest value in place of the readings."""
        return np.where(_within(minutes, self.from_min, self.to_min), LOWEST_MG_PER_DL, shown_mg_per_dl)


def shown_with_faults(minutes: FloatArray, shown_mg_per_dl: FloatArray, faults: Iterable[SensorFault]) -> FloatArray:
    """Apply faults one after the other to what a sensor shows, mg/dL; NaN where it shows nothing."""
    for fault in faults:
        shown_mg_per_dl = fault.change(minutes, shown_mg_per_dl)
    return shown_mg_per_dl


def _within(minutes: FloatArray, from_min: float, to_min: float) -> NDArray[np.bool_]:
    return (minutes >= from_min) & (minutes < to_min)
