"""A person, and a cohort: what is infused and eaten goes in, minute by minute; glucose comes out.

One number a minute, held for that minute. `simulate` begins in the steady state; `advance` goes on from any state, and
the same minutes in other portions give the same glucose. Not responsible for the equations (`uva_padova`, `cambridge`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from numbers import Real
from typing import Any, Generic, Protocol, TypeVar

import numpy as np
from numpy.typing import ArrayLike

from rig.analysis.checks import FloatArray
from rig.patient.arithmetic import OfArrays, OfFloats
from rig.patient.cambridge import Hovorka, HovorkaParameters, HovorkaState
from rig.patient.conditions import BodyConditions
from rig.patient.course import Advanced, GlucoseCourse, HovorkaCourse, S2008Course
from rig.patient.type2 import Type2, Type2Parameters, Type2State
from rig.patient.uva_padova import S2008, S2008Parameters, S2008State

State = TypeVar("State")
Kind = TypeVar("Kind", bound=GlucoseCourse)


MOST = {"insulin_u_per_h": 60_000.0, "carbs_g": 1_000.0}
"""1,000 U in a minute, and 1 kg of carbohydrate at once: beyond, a model says nothing, and is not asked."""


class Model(Protocol[State]):
    """What a model is to a person."""

    basal_u_per_h: FloatArray

    def start(self) -> State:
        """The steady state on the basal rate."""

    def advance(
        self, state: State, insulin_u_per_h: FloatArray, carbs_g: FloatArray, conditions: BodyConditions | None
    ) -> Advanced[State]:
        """Advance by a minute a row."""


@dataclass(frozen=True)
class Person(Generic[State, Kind]):
    """One virtual person.

    Attributes:
        basal_u_per_h: the rate that holds the steady state, U/h.
    """

    basal_u_per_h: float
    _model: Model[State]
    _course: Callable[[FloatArray, Advanced[State]], Kind]

    def start(self) -> State:
        """The steady state on the basal rate."""
        return self._model.start()

    def simulate(
        self,
        minutes: int,
        insulin_u_per_h: ArrayLike | None = None,
        carbs_g: ArrayLike | None = None,
        conditions: BodyConditions | None = None,
    ) -> Kind:
        """Simulate so many minutes from the steady state.

        Args:
            minutes: how many.
            insulin_u_per_h: what is infused, one number a minute, or one for all; the basal rate if None.
            carbs_g: carbohydrate as announced, one number a minute; eaten at 5 g a minute; nothing if None.
            conditions: what changes from minute to minute (`rig.patient.conditions`); nothing if None.

        Returns:
            Glucose at the minutes 0 to `minutes`.

        Raises:
            ValueError: an input is no number a minute, or negative.
        """
        return self.advance(self.start(), minutes, insulin_u_per_h, carbs_g, conditions)[1]

    def advance(
        self,
        state: State,
        minutes: int,
        insulin_u_per_h: ArrayLike | None = None,
        carbs_g: ArrayLike | None = None,
        conditions: BodyConditions | None = None,
    ) -> tuple[State, Kind]:
        """Go on from a state; returns the state after it, and the course, as `simulate`."""
        insulin = per_minute("insulin_u_per_h", insulin_u_per_h, minutes, 1, self.basal_u_per_h)
        carbs = per_minute("carbs_g", carbs_g, minutes, 1, 0.0)
        advanced = self._model.advance(state, insulin, carbs, _of_as_many(conditions, minutes))
        return advanced.state, self._course(np.arange(minutes + 1.0), advanced)


@dataclass(frozen=True)
class Cohort(Generic[State]):
    """Persons of one model side by side, as fast as a few: results as of `Person`, with a column a person.

    Attributes:
        basal_u_per_h: the rate that holds the steady state of each, U/h.
    """

    basal_u_per_h: FloatArray
    _model: Model[State]

    def simulate(
        self,
        minutes: int,
        insulin_u_per_h: ArrayLike | None = None,
        carbs_g: ArrayLike | None = None,
        conditions: BodyConditions | None = None,
    ) -> Advanced[State]:
        """Simulate so many minutes from the steady states; inputs of shape (minutes, n), or as of one person for all.

        BodyConditions are the same for all.

        Raises:
            ValueError: as `Person.simulate`.
        """
        n = len(self.basal_u_per_h)
        insulin = per_minute("insulin_u_per_h", insulin_u_per_h, minutes, n, self.basal_u_per_h)
        carbs = per_minute("carbs_g", carbs_g, minutes, n, 0.0)
        return self._model.advance(self._model.start(), insulin, carbs, _of_as_many(conditions, minutes))


def s2008(parameters: Mapping[str, Any]) -> Person[S2008State, S2008Course]:
    """Make a person of the open UVA/Padova model from a row of its table of parameters.

    Raises:
        ValueError: a parameter is missing, no number, or cannot be that of a person.
    """
    model = S2008([S2008Parameters.of(parameters)], OfFloats())
    return Person(float(model.basal_u_per_h[0]), model, _s2008_course)


def hovorka(parameters: Mapping[str, Any]) -> Person[HovorkaState, HovorkaCourse]:
    """Make a person of Hovorka's model; what `parameters` does not hold is the default of the paper.

    Raises:
        ValueError: a parameter is no number, or cannot be that of a person.
    """
    model = Hovorka([HovorkaParameters.of(parameters)], OfFloats())
    return Person(float(model.basal_u_per_h[0]), model, _hovorka_course)


def type2(parameters: Mapping[str, Any]) -> Person[Type2State, S2008Course]:
    """Make a person with type 2 diabetes; what `parameters` does not hold is the published average, or its default.

    Raises:
        ValueError: a parameter is no number, or cannot be that of a person who needs a pump.
    """
    model = Type2(Type2Parameters.of(parameters))
    return Person(float(model.basal_u_per_h[0]), model, _s2008_course)


def s2008_cohort(parameters: Sequence[Mapping[str, Any]]) -> Cohort[S2008State]:
    """Make persons of the open UVA/Padova model side by side; ValueError as `s2008`, or for none."""
    model = S2008([S2008Parameters.of(each) for each in _some(parameters)], _side_by_side(parameters))
    return Cohort(model.basal_u_per_h, model)


def hovorka_cohort(parameters: Sequence[Mapping[str, Any]]) -> Cohort[HovorkaState]:
    """Make persons of Hovorka's model side by side; ValueError as `hovorka`, or for none."""
    model = Hovorka([HovorkaParameters.of(each) for each in _some(parameters)], _side_by_side(parameters))
    return Cohort(model.basal_u_per_h, model)


def per_minute(name: str, given: ArrayLike | None, minutes: int, n: int, otherwise: ArrayLike) -> FloatArray:
    """Lay an input out as one number a minute and person, shape (minutes, n).

    Raises:
        ValueError: it has another shape, holds what is no number, or a negative one.
    """
    if isinstance(minutes, bool) or not isinstance(minutes, Real) or not minutes >= 0 or minutes % 1:
        raise ValueError(f"minutes must be a whole number of 0 or more, got {minutes!r}")
    try:
        values = np.asarray(otherwise if given is None else given, dtype=float)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name} must hold numbers ({error})") from error
    if given is not None and values.ndim and len(values) != minutes:
        raise ValueError(f"{name} must hold one number a minute: {minutes}, got {len(values)}")
    if given is not None and values.ndim == 1:
        values = values[:, None]
    if values.ndim > 2 or (values.ndim == 2 and values.shape[1] not in (1, n)):
        raise ValueError(f"{name} has the shape {values.shape}; ({minutes},) or ({minutes}, {n}) is allowed")
    if not np.isfinite(values).all():
        raise ValueError(f"{name} holds a value that is no finite number")
    if (values < 0.0).any():
        raise ValueError(f"{name} holds a negative value, {values.min():g}; 0 or more is allowed")
    if (values > MOST[name]).any():
        raise ValueError(f"{name} holds {values.max():g}; {MOST[name]:g} or less is allowed")
    return np.broadcast_to(values, (int(minutes), n))


def _of_as_many(conditions: BodyConditions | None, minutes: int) -> BodyConditions | None:
    if conditions is not None and conditions.minutes != minutes:
        raise ValueError(f"conditions must hold one number a minute: {minutes}, got {conditions.minutes}")
    return conditions


def _some(parameters: Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
    if not parameters:
        raise ValueError("a cohort has one person or more")
    return parameters


def _side_by_side(parameters: Sequence[Mapping[str, Any]]) -> OfFloats | OfArrays:
    return OfFloats() if len(parameters) == 1 else OfArrays()


def _s2008_course(minute: FloatArray, advanced: Advanced[Any]) -> S2008Course:
    assert advanced.glucose_sub_mg_per_dl is not None
    return S2008Course(
        minute, advanced.glucose_mg_per_dl[:, 0], advanced.glucose_sub_mg_per_dl[:, 0], advanced.insulin[:, 0]
    )


def _hovorka_course(minute: FloatArray, advanced: Advanced[HovorkaState]) -> HovorkaCourse:
    return HovorkaCourse(minute, advanced.glucose_mg_per_dl[:, 0], advanced.insulin[:, 0])
