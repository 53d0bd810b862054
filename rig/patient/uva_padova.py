"""S2008: the open form of the UVA/Padova model of type 1 diabetes, 13 states, as simglucose runs it.

Dalla Man, Rizza, Cobelli 2007 (doi 10.1109/TBME.2007.893506). Insulin is linear while its input is held and is solved
exactly; gastric emptying and glucose take Runge-Kutta steps that no held input crosses, so that a result does not
depend on how a day is cut into calls. Not responsible for sensors.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Self

import numpy as np

from rig.analysis.checks import FloatArray
from rig.patient.arithmetic import Arithmetic, Number
from rig.patient.course import Advanced
from rig.patient.eating import Eating
from rig.patient.linear import Compartments, drained_weights
from rig.patient.parameters import above_zero, parameter_of

PMOL_PER_U = 6000.0
STEEPEST = 0.1
"""Largest change of an argument of tanh in a step: some persons' knee of gastric emptying is passed in a minute."""
MOST_STEPS = 128
SAFE = 20.0
"""Glucose in mg/kg that no minute uses up: where all is above, nothing is held at 0."""
SATURATED = 12.0
"""From here on tanh is 1 within 1e-10."""

_IP, _X, _I1, _XL, _IL, _ISC1, _ISC2 = range(7)


@dataclass(frozen=True)
class S2008Parameters:
    """Parameters of a person, by the names and in the units of the published table; of a cohort, arrays."""

    BW: Number
    Vg: Number
    Vi: Number
    kabs: Number
    kmax: Number
    kmin: Number
    b: Number
    d: Number
    f: Number
    k1: Number
    k2: Number
    Vm0: Number
    Vmx: Number
    Km0: Number
    m1: Number
    m2: Number
    m4: Number
    m30: Number
    ka1: Number
    ka2: Number
    kd: Number
    ki: Number
    p2u: Number
    kp1: Number
    kp2: Number
    kp3: Number
    ke1: Number
    ke2: Number
    Fsnc: Number
    ksc: Number
    Ib: Number
    u2ss: Number
    start: tuple[Number, ...]

    @classmethod
    def of(cls, parameters: Mapping[str, Any]) -> Self:
        """Take a person from a row of the table, whose cells may be text; further columns are passed over.

        Raises:
            ValueError: a parameter is missing, no number, or cannot be that of a person.
        """
        named = {each.name: parameter_of(parameters, each.name) for each in fields(cls) if each.name != "start"}
        above_zero(named, "BW", "Vg", "Vi", "kabs", "kmax", "Km0", "f", "ksc")
        if not (0.0 < named["b"] < 1.0 and 0.0 < named["d"] < 1.0):
            raise ValueError(f"parameters 'b' and 'd' lie between 0 and 1, got {named['b']:g} and {named['d']:g}")
        start = tuple(parameter_of(parameters, f"x0_{n:2d}", f"x0_{n}") for n in range(1, 14))
        return cls(**named, start=start)


@dataclass(frozen=True)
class S2008State:
    """Where a person is: insulin as an array (n, 7), the rest a number each; masses in mg, mg/kg and pmol/kg.

    `meal_mg` is D, by which the stomach empties: what it held when the meal began, and what was eaten since.
    """

    insulin: FloatArray
    whole_mg: Number
    content_mg: Number
    gut_mg: Number
    plasma_mg_per_kg: Number
    tissue_mg_per_kg: Number
    sub_mg_per_kg: Number
    eating: Eating
    meal_mg: Number


class S2008:
    """The equations, for one person or for a cohort side by side."""

    insulin_unit = "pmol/L"

    def __init__(self, persons: Sequence[S2008Parameters], arithmetic: Arithmetic) -> None:
        self._arithmetic = arithmetic
        names = [each.name for each in fields(S2008Parameters) if each.name != "start"]
        columns = {name: np.array([getattr(person, name) for person in persons]) for name in names}
        self._start = np.array([person.start for person in persons])
        p = columns
        n = len(persons)
        a, b, c = np.zeros((n, 7, 7)), np.zeros((n, 7)), np.zeros((n, 7))
        a[:, _IP, _IP], a[:, _IP, _IL] = -(p["m2"] + p["m4"]), p["m1"]
        a[:, _IP, _ISC1], a[:, _IP, _ISC2] = p["ka1"], p["ka2"]
        a[:, _X, _X], a[:, _X, _IP], c[:, _X] = -p["p2u"], p["p2u"] / p["Vi"], -p["p2u"] * p["Ib"]
        a[:, _I1, _I1], a[:, _I1, _IP] = -p["ki"], p["ki"] / p["Vi"]
        a[:, _XL, _XL], a[:, _XL, _I1] = -p["ki"], p["ki"]
        a[:, _IL, _IL], a[:, _IL, _IP] = -(p["m1"] + p["m30"]), p["m2"]
        a[:, _ISC1, _ISC1] = -(p["ka1"] + p["kd"])
        a[:, _ISC2, _ISC2], a[:, _ISC2, _ISC1] = -p["ka2"], p["kd"]
        b[:, _ISC1] = PMOL_PER_U / 60.0 / p["BW"]  # of U/h
        self._compartments = Compartments(a, b, c)
        self._weights: dict[int, tuple[Number, ...]] = {}
        self._columns = columns
        self.basal_u_per_h: FloatArray = columns["u2ss"] * columns["BW"] * 60.0 / PMOL_PER_U
        one = n == 1
        self._p = S2008Parameters(
            **{name: float(column[0]) if one else column for name, column in columns.items()}, start=()
        )
        self._of = (lambda column: float(column[0])) if one else (lambda column: column)

    def start(self) -> S2008State:
        """The persons of the table: in a steady state on their basal rates."""
        x = self._start
        of = self._of
        zero = of(np.zeros(len(x)))
        return S2008State(
            insulin=np.stack([x[:, 5], x[:, 6], x[:, 7], x[:, 8], x[:, 9], x[:, 10], x[:, 11]], axis=1),
            whole_mg=of(x[:, 0]), content_mg=of(x[:, 0] + x[:, 1]), gut_mg=of(x[:, 2]),
            plasma_mg_per_kg=of(x[:, 3]), tissue_mg_per_kg=of(x[:, 4]), sub_mg_per_kg=of(x[:, 12]),
            eating=Eating(zero, zero), meal_mg=zero,
        )  # fmt: skip

    def advance(self, state: S2008State, insulin_u_per_h: FloatArray, carbs_g: FloatArray) -> Advanced[S2008State]:
        """Advance by as many minutes as the inputs have; each of shape (minutes, n), held for its minute."""
        p, arithmetic = self._p, self._arithmetic
        minutes = len(insulin_u_per_h)
        insulin, halfway = self._compartments.course(state.insulin, insulin_u_per_h)
        columns = self._columns
        release, uptake = (
            [
                [self._of(row) for row in columns["kp1"] - columns["kp3"] * x[:, :, _XL]]
                if which == 0
                else [self._of(row) for row in columns["Vm0"] + columns["Vmx"] * x[:, :, _X]]
                for x in (insulin, halfway)
            ]
            for which in (0, 1)
        )
        carbs = [self._of(row) for row in carbs_g]
        whole, content, gut = state.whole_mg, state.content_mg, state.gut_mg
        gp, gt, gs = state.plasma_mg_per_kg, state.tissue_mg_per_kg, state.sub_mg_per_kg
        eating, meal = state.eating, state.meal_mg
        absorbed = p.f * p.kabs / p.BW
        ra = absorbed * gut
        plasma, sub = [gp], [gs]
        for minute in range(minutes):
            went_on = eating.was
            eating, eaten_g = eating.next_minute(carbs[minute], arithmetic)
            eaten_mg = 1000.0 * eaten_g
            began = eating.was * (1.0 - went_on)
            meal = arithmetic.choose(began > 0.0, content, meal) + eaten_mg
            whole, content, gut, gut_half = self._digest(whole, content, gut, eaten_mg, meal)
            ra_half, ra_end = absorbed * gut_half, absorbed * gut
            gp, gt, gs = self._metabolise(
                gp, gt, gs,
                (ra, release[0][minute], uptake[0][minute]),
                (ra_half, release[1][minute], uptake[1][minute]),
                (ra_end, release[0][minute + 1], uptake[0][minute + 1]),
            )  # fmt: skip
            ra = ra_end
            plasma.append(gp)
            sub.append(gs)
        after = S2008State(insulin[-1], whole, content, gut, gp, gt, gs, eating, meal)
        shape = (minutes + 1, len(self._start))
        return Advanced(
            after,
            glucose_mg_per_dl=np.asarray(plasma).reshape(shape) / columns["Vg"],
            glucose_sub_mg_per_dl=np.asarray(sub).reshape(shape) / columns["Vg"],
            insulin=insulin[:, :, _IP] / columns["Vi"],
        )

    def _digest(
        self, whole: Number, content: Number, gut: Number, eaten_mg: Number, meal_mg: Number
    ) -> tuple[Number, Number, Number, Number]:
        """Digest for a minute; returns stomach and gut after it, in mg, and the gut after half of it."""
        p, arithmetic = self._p, self._arithmetic
        if arithmetic.highest(content + gut + eaten_mg) <= 0.0:
            return whole, content, gut, gut
        fed = meal_mg > 0.0
        size = arithmetic.choose(fed, meal_mg, 1.0)
        span = arithmetic.choose(fed, 0.5 * (p.kmax - p.kmin), 0.0)
        slowest = arithmetic.choose(fed, p.kmin, p.kmax) + 2.0 * span
        upper, lower = 2.5 / (size * (1.0 - p.b)), 2.5 / (size * p.d)
        upper_knee, lower_knee = p.b * size, p.d * size
        steps = self._steps(content, eaten_mg, ((upper, upper_knee), (lower, lower_knee)))
        h = 1.0 / steps
        half, sixth = 0.5 * h, h / 6.0
        tanh = arithmetic.tanh
        decay = arithmetic.exp(-p.kmax * half)
        filled = eaten_mg * (1.0 - decay) / p.kmax
        kept, first, middle, last = self._gut_weights(steps)
        upper_knee, lower_knee = upper * upper_knee, lower * lower_knee

        def leaving(q: Number, ground: Number) -> Number:
            return (slowest + span * (tanh(upper * q - upper_knee) - tanh(lower * q - lower_knee))) * (q - ground)

        gut_half = gut
        for step in range(steps):
            if 2 * step == steps:
                gut_half = gut
            whole_half = whole * decay + filled
            whole_end = whole_half * decay + filled
            out1 = leaving(content, whole)
            out2 = leaving(content + half * (eaten_mg - out1), whole_half)
            out3 = leaving(content + half * (eaten_mg - out2), whole_half)
            out4 = leaving(content + h * (eaten_mg - out3), whole_end)
            both = out2 + out3
            content = content + h * eaten_mg - sixth * (out1 + 2.0 * both + out4)
            gut = kept * gut + first * out1 + 0.5 * middle * both + last * out4
            whole = whole_end
        return whole, content, gut, gut_half

    def _gut_weights(self, steps: int) -> tuple[Number, ...]:
        if steps not in self._weights:
            self._weights[steps] = tuple(map(self._of, drained_weights(self._columns["kabs"], 1.0 / steps)))
        return self._weights[steps]

    def _steps(self, content: Number, eaten_mg: Number, knees: tuple[tuple[Number, Number], ...]) -> int:
        """Choose in how many steps a minute of emptying is taken, so that no step jumps over a knee."""
        p, arithmetic = self._p, self._arithmetic
        wanted = 2.0
        change = eaten_mg + p.kmax * content
        for slope, knee in knees:
            above, below = slope * (content + eaten_mg - knee), slope * (content - p.kmax * content - knee)
            near = arithmetic.choose(above > -SATURATED, 1.0, 0.0) * arithmetic.choose(below < SATURATED, 1.0, 0.0)
            wanted = max(wanted, arithmetic.highest(near * slope * change) / STEEPEST)
        return min(2 * math.ceil(0.5 * wanted), MOST_STEPS)

    def _metabolise(
        self, gp: Number, gt: Number, gs: Number, begin: tuple[Number, ...], middle: tuple[Number, ...],
        end: tuple[Number, ...],
    ) -> tuple[Number, Number, Number]:  # fmt: skip
        """Advance glucose in plasma, tissue and below the skin by a minute, in mg/kg."""
        highest = self._arithmetic.highest
        safe = highest(-gp) < -SAFE and highest(-gt) < -SAFE and highest(-gs) < -SAFE
        rates = self._rates if safe else self._held_rates
        p1, t1, s1 = rates(gp, gt, gs, *begin)
        p2, t2, s2 = rates(gp + 0.5 * p1, gt + 0.5 * t1, gs + 0.5 * s1, *middle)
        p3, t3, s3 = rates(gp + 0.5 * p2, gt + 0.5 * t2, gs + 0.5 * s2, *middle)
        p4, t4, s4 = rates(gp + p3, gt + t3, gs + s3, *end)
        return (
            gp + (p1 + 2.0 * (p2 + p3) + p4) / 6.0,
            gt + (t1 + 2.0 * (t2 + t3) + t4) / 6.0,
            gs + (s1 + 2.0 * (s2 + s3) + s4) / 6.0,
        )

    def _rates(
        self, gp: Number, gt: Number, gs: Number, ra: Number, release: Number, uptake: Number
    ) -> tuple[Number, Number, Number]:
        p, above = self._p, self._arithmetic.above
        exchange = p.k1 * gp - p.k2 * gt
        return (
            above(release - p.kp2 * gp, 0.0) + ra - p.Fsnc - p.ke1 * above(gp - p.ke2, 0.0) - exchange,
            exchange - uptake * gt / (p.Km0 + gt),
            p.ksc * (gp - gs),
        )

    def _held_rates(
        self, gp: Number, gt: Number, gs: Number, ra: Number, release: Number, uptake: Number
    ) -> tuple[Number, Number, Number]:
        """The rates, but 0 of what is below 0, as simglucose holds it."""
        choose, (dp, dt, ds) = self._arithmetic.choose, self._rates(gp, gt, gs, ra, release, uptake)
        return choose(gp < 0.0, 0.0, dp), choose(gt < 0.0, 0.0, dt), choose(gs < 0.0, 0.0, ds)
