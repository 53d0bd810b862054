"""Hovorka's model of type 1 diabetes ("Cambridge"), 10 states.

Hovorka et al. 2004 (doi 10.1088/0967-3334/25/4/010). Insulin, its actions and the gut are linear while their inputs are
held, and are solved exactly; glucose by a Runge-Kutta step a minute. The renal loss is 0.003 (G - 9) VG BW mmol/min
above 9 mmol/L: a public code that leaves the volume out is wrong there. Not responsible for sensors: the model has no
glucose below the skin.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any, Self

import numpy as np

from rig.analysis.checks import FloatArray
from rig.patient.arithmetic import Arithmetic, Number
from rig.patient.conditions import UNCHANGED, BodyConditions
from rig.patient.course import Advanced
from rig.patient.eating import Eating
from rig.patient.linear import Compartments
from rig.patient.parameters import FASTEST_PER_MIN, LARGEST, SHORTEST_MIN, above_zero, at_most, parameter_of

MG_PER_DL = 18.016
"""mg/dL of glucose in 1 mmol/L, as the reference data convert."""
MMOL_PER_G = 1000.0 / 180.16
MU_PER_MIN = 1000.0 / 60.0
"""mU/min in 1 U/h."""
KNEE_MMOL_PER_L = 4.5
RENAL_THRESHOLD_MMOL_PER_L = 9.0
RENAL_RATE_PER_MIN = 0.003

KNEE_STEPS = 16
"""Steps in a minute in which glucose passes a knee, or in which insulin moves it fast."""
FAST_PER_MIN = 0.5
"""From this rate of glucose on a step of a minute is too long: some 60 U at once in the default person."""
FASTEST_A_STEP = 0.25
"""How far glucose of a fast minute may go towards its end in one small step."""

Inputs = tuple[Number, ...]
"""What enters in mmol/min, the rates x1 and x2, 1/min, and what is used without insulin, mmol/min."""

_S1, _S2, _I, _X1, _X2, _X3 = range(6)
_D1, _D2 = range(2)


@dataclass(frozen=True)
class HovorkaParameters:
    """Parameters of a person, by the names and in the units of the paper's tables; what is not given is its default.

    `tmaxI` and `tmaxG` in min; `Gpeq`, the glucose of the steady state at which a simulation starts, in mg/dL.
    """

    BW: Number = 75.0
    EGP0: Number = 0.0161
    F01: Number = 0.0097
    k12: Number = 0.066
    ka1: Number = 0.006
    ka2: Number = 0.06
    ka3: Number = 0.03
    SIT: Number = 51.2e-4
    SID: Number = 8.2e-4
    SIE: Number = 520e-4
    ke: Number = 0.138
    VI: Number = 0.12
    VG: Number = 0.16
    tmaxI: Number = 55.0
    tmaxG: Number = 40.0
    AG: Number = 0.8
    Gpeq: Number = 100.0

    @classmethod
    def of(cls, parameters: Mapping[str, Any]) -> Self:
        """Take a person from a mapping, whose values may be text; further names are passed over.

        Raises:
            ValueError: a parameter is no number, or cannot be that of a person.
        """
        named = {each.name: parameter_of(parameters, each.name) for each in fields(cls) if each.name in parameters}
        person = cls(**named)
        given = asdict(person)
        above_zero(given, *(each.name for each in fields(cls)))
        at_most(given, LARGEST, *given)
        at_most(given, FASTEST_PER_MIN, "k12", "ka1", "ka2", "ka3", "ke")
        for name in ("tmaxI", "tmaxG"):
            if given[name] < SHORTEST_MIN:
                raise ValueError(f"parameter {name!r} must be {SHORTEST_MIN:g} min or more, got {given[name]:g}")
        if person.Gpeq > RENAL_THRESHOLD_MMOL_PER_L * MG_PER_DL:
            raise ValueError(
                f"parameter 'Gpeq' must be {RENAL_THRESHOLD_MMOL_PER_L * MG_PER_DL:.0f} mg/dL or less, where the "
                f"kidneys lose nothing, got {person.Gpeq:g}"
            )
        if person.F01 * min(1.0, person.Gpeq / MG_PER_DL / KNEE_MMOL_PER_L) >= person.EGP0:
            raise ValueError(
                f"parameter 'EGP0' must be above 'F01', or no basal rate holds {person.Gpeq:g} mg/dL; got "
                f"{person.EGP0:g} and {person.F01:g}"
            )
        return person


@dataclass(frozen=True)
class HovorkaState:
    """Where a person is: insulin and its actions as an array (n, 6), the gut (n, 2), and glucose in mmol."""

    insulin: FloatArray
    gut: FloatArray
    eating: Eating
    accessible_mmol: Number
    other_mmol: Number


class Hovorka:
    """The equations, for one person or for a cohort side by side."""

    def __init__(self, persons: Sequence[HovorkaParameters], arithmetic: Arithmetic) -> None:
        self._arithmetic = arithmetic
        p = {each.name: np.array([getattr(one, each.name) for one in persons]) for each in fields(HovorkaParameters)}
        n = len(persons)
        a, b = np.zeros((n, 6, 6)), np.zeros((n, 6))
        a[:, _S1, _S1], b[:, _S1] = -1.0 / p["tmaxI"], MU_PER_MIN
        a[:, _S2, _S1], a[:, _S2, _S2] = 1.0 / p["tmaxI"], -1.0 / p["tmaxI"]
        a[:, _I, _S2], a[:, _I, _I] = 1.0 / (p["tmaxI"] * p["VI"] * p["BW"]), -p["ke"]
        for action, rate, sensitivity in ((_X1, "ka1", "SIT"), (_X2, "ka2", "SID"), (_X3, "ka3", "SIE")):
            a[:, action, action], a[:, action, _I] = -p[rate], p[rate] * p[sensitivity]
        self._insulin = Compartments(a, b, np.zeros((n, 6)))
        a, b = np.zeros((n, 2, 2)), np.zeros((n, 2))
        a[:, _D1, _D1], b[:, _D1] = -1.0 / p["tmaxG"], p["AG"] * MMOL_PER_G
        a[:, _D2, _D1], a[:, _D2, _D2] = 1.0 / p["tmaxG"], -1.0 / p["tmaxG"]
        self._gut = Compartments(a, b, np.zeros((n, 2)))
        self._columns = p
        self._of = (lambda column: float(column[0])) if n == 1 else (lambda column: column)
        self._volume = self._of(p["VG"] * p["BW"])
        self._k12 = self._of(p["k12"])
        self._balance = self._steady()
        self.basal_u_per_h: FloatArray = p["ke"] * p["VI"] * p["BW"] * self._balance[_I] / MU_PER_MIN

    def _steady(self) -> tuple[FloatArray, ...]:
        """The steady state at `Gpeq`: S1, S2, I, x1, x2, x3, Q1, Q2; the positive root of a quadratic in I."""
        p = self._columns
        g = p["Gpeq"] / MG_PER_DL
        q1 = g * p["VG"] * p["BW"]
        released = p["EGP0"] * p["BW"]
        used = p["F01"] * p["BW"] * np.minimum(1.0, g / KNEE_MMOL_PER_L)
        a = -(q1 * p["SIT"] * p["SID"] + released * p["SID"] * p["SIE"])
        b = p["SID"] * (released - used) - released * p["k12"] * p["SIE"]
        c = p["k12"] * (released - used)
        i = (-b - np.sqrt(b * b - 4.0 * a * c)) / (2.0 * a)
        s = p["ke"] * p["VI"] * p["BW"] * i * p["tmaxI"]
        x1, x2, x3 = p["SIT"] * i, p["SID"] * i, p["SIE"] * i
        return s, s, i, x1, x2, x3, q1, x1 * q1 / (p["k12"] + x2)

    def start(self) -> HovorkaState:
        """Persons in their steady state on their basal rates."""
        n, of = len(self.basal_u_per_h), self._of
        zero = of(np.zeros(n))
        return HovorkaState(
            insulin=np.stack(self._balance[:6], axis=1), gut=np.zeros((n, 2)), eating=Eating(zero, zero),
            accessible_mmol=of(self._balance[6]), other_mmol=of(self._balance[7]),
        )  # fmt: skip

    def advance(
        self, state: HovorkaState, insulin_u_per_h: FloatArray, carbs_g: FloatArray, conditions: BodyConditions | None
    ) -> Advanced[HovorkaState]:
        """Advance by as many minutes as the inputs have; each of shape (minutes, n), held for its minute."""
        columns = self._columns
        minutes = len(insulin_u_per_h)
        eating, eaten = state.eating, np.empty_like(carbs_g)
        for minute, (announced_g,) in enumerate(self._arithmetic.rows(carbs_g)):
            eating, eaten_g = eating.next_minute(announced_g, self._arithmetic)
            eaten[minute] = eaten_g
        insulin = self._insulin.course(state.insulin, insulin_u_per_h)
        gut = self._gut.course(state.gut, eaten)
        begin, middle, end = self._inputs(insulin, gut, conditions)
        fast = self._fastest(insulin[0], conditions)
        q1, q2 = state.accessible_mmol, state.other_mmol
        accessible = [q1]
        for minute in range(minutes):
            given = begin[minute], middle[minute], end[minute]
            then = self._step(q1, q2, given, 1.0)
            fastest = fast[minute]
            if fastest > FAST_PER_MIN or self._crosses_a_knee(q1, then[0]):
                steps = max(KNEE_STEPS, math.ceil(fastest / FASTEST_A_STEP))
                q1, q2 = self._in_small_steps(q1, q2, given, steps)
            else:
                q1, q2 = then
            accessible.append(q1)
        shape = (minutes + 1, len(self.basal_u_per_h))
        glucose = np.asarray(accessible).reshape(shape) / (columns["VG"] * columns["BW"]) * MG_PER_DL
        after = HovorkaState(insulin[0][-1], gut[0][-1], eating, q1, q2)
        return Advanced(after, glucose, None, insulin[0][:, :, _I])

    def _inputs(
        self,
        insulin: tuple[FloatArray, FloatArray],
        gut: tuple[FloatArray, FloatArray],
        conditions: BodyConditions | None,
    ) -> tuple[list[Inputs], list[Inputs], list[Inputs]]:
        """Lay out what drives glucose at the beginning, in the middle and at the end of each minute."""
        if conditions is None:
            at, middle = (self._driven(x, d) for x, d in zip(insulin, gut, strict=True))
            return at[:-1], middle, at[1:]
        begin, middle, end = (
            self._driven(x, d, conditions)
            for x, d in ((insulin[0][:-1], gut[0][:-1]), (insulin[1], gut[1]), (insulin[0][1:], gut[0][1:]))
        )
        return begin, middle, end

    def _driven(self, x: FloatArray, d: FloatArray, conditions: BodyConditions = UNCHANGED) -> list[Inputs]:
        p = self._columns
        release, uptake, muscle, liver, appearing_g = conditions.columns
        made = p["EGP0"] * p["BW"] * (release - liver * x[:, :, _X3])
        return self._arithmetic.rows(
            made + d[:, :, _D2] / p["tmaxG"] + appearing_g * p["AG"] * MMOL_PER_G,
            muscle * x[:, :, _X1],
            muscle * x[:, :, _X2],
            np.broadcast_to(uptake * (p["F01"] * p["BW"]), made.shape),
        )

    def _fastest(self, x: FloatArray, conditions: BodyConditions | None) -> list[float]:
        """The highest rate of anybody's glucose in each minute, 1/min."""
        moved = x[:, :, _X1] + x[:, :, _X2]
        ends = np.maximum(moved[:-1], moved[1:])
        if conditions is not None:
            ends = conditions.columns[2] * ends
        fastest: list[float] = (ends + self._columns["k12"]).max(axis=1).tolist()
        return fastest

    def _step(self, q1: Number, q2: Number, given: tuple[Inputs, Inputs, Inputs], h: float) -> tuple[Number, Number]:
        """Advance glucose by one Runge-Kutta step of h min; inputs at its start, in its middle and at its end."""
        rates, half = self._rates, 0.5 * h
        begin, middle, end = given
        a1, b1 = rates(q1, q2, *begin)
        a2, b2 = rates(q1 + half * a1, q2 + half * b1, *middle)
        a3, b3 = rates(q1 + half * a2, q2 + half * b2, *middle)
        a4, b4 = rates(q1 + h * a3, q2 + h * b3, *end)
        return q1 + h * (a1 + 2.0 * (a2 + a3) + a4) / 6.0, q2 + h * (b1 + 2.0 * (b2 + b3) + b4) / 6.0

    def _crosses_a_knee(self, before: Number, after: Number) -> bool:
        """Does the glucose of anybody pass 4.5 or 9 mmol/L, where a rate has a knee that no long step sees?"""
        return any(
            self._arithmetic.highest((before / self._volume - knee) * (knee - after / self._volume)) > 0.0
            for knee in (KNEE_MMOL_PER_L, RENAL_THRESHOLD_MMOL_PER_L)
        )

    def _in_small_steps(
        self, q1: Number, q2: Number, given: tuple[Inputs, Inputs, Inputs], steps: int
    ) -> tuple[Number, Number]:
        """Advance glucose by a minute in small steps, the inputs on the parabola through those that are known."""
        begin, middle, end = given

        def at(s: float) -> Inputs:
            a, b, c = (1.0 - s) * (1.0 - 2.0 * s), 4.0 * s * (1.0 - s), s * (2.0 * s - 1.0)
            return tuple(a * x + b * y + c * z for x, y, z in zip(begin, middle, end, strict=True))

        h = 1.0 / steps
        for step in range(steps):
            q1, q2 = self._step(q1, q2, (at(step * h), at((step + 0.5) * h), at((step + 1.0) * h)), h)
        return q1, q2

    def _rates(
        self, q1: Number, q2: Number, released: Number, x1: Number, x2: Number, f01: Number
    ) -> tuple[Number, Number]:
        above, below, volume = self._arithmetic.above, self._arithmetic.below, self._volume
        g = q1 / volume
        moved = x1 * q1
        used = f01 * below(g / KNEE_MMOL_PER_L, 1.0)
        lost = RENAL_RATE_PER_MIN * volume * above(g - RENAL_THRESHOLD_MMOL_PER_L, 0.0)
        return released - used - lost - moved + self._k12 * q2, moved - (self._k12 + x2) * q2
