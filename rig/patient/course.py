"""What a simulation gives: glucose and insulin minute by minute. Not responsible for any equation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

from rig.analysis.checks import FloatArray

State = TypeVar("State")


@dataclass(frozen=True)
class Advanced(Generic[State]):
    """A state, and what led to it: arrays of shape (minutes + 1, n), the first row the state before.

    `insulin` is in the unit of its model.
    """

    state: State
    glucose_mg_per_dl: FloatArray
    glucose_sub_mg_per_dl: FloatArray | None
    insulin: FloatArray


@dataclass(frozen=True)
class GlucoseCourse:
    """Glucose in plasma, mg/dL, at each minute from 0."""

    minute: FloatArray
    glucose_mg_per_dl: FloatArray


@dataclass(frozen=True)
class S2008Course(GlucoseCourse):
    """A course of S2008: also glucose below the skin in mg/dL, and insulin in plasma in pmol/L."""

    glucose_sub_mg_per_dl: FloatArray
    insulin_pmol_per_l: FloatArray


@dataclass(frozen=True)
class HovorkaCourse(GlucoseCourse):
    """A course of Hovorka's model: also insulin in plasma in mU/L."""

    insulin_mu_per_l: FloatArray
