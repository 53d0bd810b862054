"""S2008: the open form of the UVA/Padova model of type 1 diabetes, 13 states, as simglucose runs it.

Dalla Man, Rizza, Cobelli 2007 (doi 10.1109/TBME.2007.893506). Insulin is linear while its input is held and is solved
exactly; gastric emptying and glucose take Runge-Kutta steps that no held input crosses, so that a result does not
depend on how a day is cut into calls. Not responsible for sensors.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Self

import numpy as np

from rig.analysis.checks import FloatArray
from rig.patient.arithmetic import Arithmetic, Number
from rig.patient.conditions import UNCHANGED, BodyConditions
from rig.patient.course import Advanced
from rig.patient.eating import Eating
from rig.patient.linear import Compartments, drained_weights, parabola_weights
from rig.patient.parameters import FASTEST_PER_MIN, LARGEST, above_zero, at_most, none_below_zero, parameter_of

PMOL_PER_U = 6000.0
STEEPEST = 0.1
"""Largest change of an argument of tanh in a step: some persons' knee of gastric emptying is passed in a minute."""
MOST_STEPS = 128
SMOOTH_STEPS = 8
"""Where a minute of emptying takes no more, three values of the gut say how glucose appears in it."""

Inputs = tuple[Number, ...]
"""The liver's release at no glucose, the most that tissue takes up, and what appears less what the brain uses, all in
mg/kg/min."""

Driven = Callable[[int, Number], tuple[Inputs, Inputs, Inputs]]
"""What drives glucose at the beginning, in the middle and at the end of a minute, by number and glucose in mg/kg."""

SAFE = 20.0
"""Glucose in mg/kg that no minute uses up: where all is above, nothing is held at 0."""
RATES = (
    "kabs",
    "kmax",
    "kmin",
    "k1",
    "k2",
    "kp2",
    "ke1",
    "ksc",
    "m1",
    "m2",
    "m4",
    "m30",
    "ka1",
    "ka2",
    "kd",
    "ki",
    "p2u",
)
"""Parameters in 1/min."""
LEAST_MG = 1e-9
"""A meal of less is none."""
NOTHING = -1e-9
"""What a glucose that is used up stays at, mg/kg: below 0, so that it is held as simglucose holds it."""
INSULIN_ACTION = 7
"""Which state of the start may be negative: it is counted from basal insulin."""
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
        none_below_zero(named, *named)
        at_most(named, FASTEST_PER_MIN, *RATES)
        at_most(named, LARGEST, *named)
        if not (0.0 < named["b"] < 1.0 and 0.0 < named["d"] < 1.0):
            raise ValueError(f"parameters 'b' and 'd' lie between 0 and 1, got {named['b']:g} and {named['d']:g}")
        start = tuple(parameter_of(parameters, f"x0_{n:2d}", f"x0_{n}") for n in range(1, 14))
        none_below_zero({f"x0_{n}": x for n, x in enumerate(start, start=1) if n != INSULIN_ACTION})
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


@dataclass(frozen=True, slots=True)
class _Emptying:
    """How a stomach empties while one meal is in it: what leaves it in mg/min, and where that rate has knees."""

    leaving: Callable[[Number, Number], Number]
    knees: tuple[tuple[Number, Number], ...]
    steepest: float


class S2008:
    """The equations, for one person or for a cohort side by side."""

    def __init__(self, persons: Sequence[S2008Parameters], arithmetic: Arithmetic) -> None:
        self._arithmetic = arithmetic
        names = [each.name for each in fields(S2008Parameters) if each.name != "start"]
        columns = {name: np.array([getattr(person, name) for person in persons]) for name in names}
        self._start = np.array([person.start for person in persons])
        self._compartments = Compartments(*self._insulin(columns, len(persons)))
        self._weights: dict[int, tuple[Number, ...]] = {}
        self._columns = columns
        self.basal_u_per_h: FloatArray = columns["u2ss"] * columns["BW"] * 60.0 / PMOL_PER_U
        one = len(persons) == 1
        self._p = S2008Parameters(
            **{name: float(column[0]) if one else column for name, column in columns.items()}, start=()
        )
        self._of = (lambda column: float(column[0])) if one else (lambda column: column)
        self._rates = _rates_of(self._p, arithmetic)

    def _insulin(self, p: Mapping[str, FloatArray], n: int) -> tuple[FloatArray, FloatArray, FloatArray]:
        """The matrices of insulin and its actions, a person each: x' = a x + b u + c, u in U/h."""
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
        return a, b, c

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

    def advance(
        self, state: S2008State, insulin_u_per_h: FloatArray, carbs_g: FloatArray, conditions: BodyConditions | None
    ) -> Advanced[S2008State]:
        """Advance by as many minutes as the inputs have; each of shape (minutes, n), held for its minute."""
        insulin, halfway = self._compartments.course(state.insulin, insulin_u_per_h)
        driven = list(zip(*self._inputs(insulin, halfway, conditions), strict=True))
        return self._live(state, insulin, carbs_g, lambda minute, _: driven[minute])

    def _live(
        self, state: S2008State, insulin: FloatArray, carbs_g: FloatArray, driven: Driven
    ) -> Advanced[S2008State]:
        """Live with insulin of shape (minutes + 1, n, k), which `driven` may still fill in as it is asked."""
        p, arithmetic = self._p, self._arithmetic
        carbs = arithmetic.rows(carbs_g)
        whole, content, gut = state.whole_mg, state.content_mg, state.gut_mg
        gp, gt, gs = state.plasma_mg_per_kg, state.tissue_mg_per_kg, state.sub_mg_per_kg
        eating, meal = state.eating, state.meal_mg
        emptying = self._emptying(meal)
        absorbed = p.f * p.kabs / p.BW
        plasma, sub = [gp], [gs]
        for minute in range(len(carbs_g)):
            went_on = eating.was
            eating, eaten_g = eating.next_minute(carbs[minute][0], arithmetic)
            eaten_mg = 1000.0 * eaten_g
            if arithmetic.highest(eaten_mg) > 0.0:
                began = eating.was * (1.0 - went_on)
                meal = arithmetic.choose(began > 0.0, content, meal) + eaten_mg
                emptying = self._emptying(meal)
            whole, content, gut, (first, half, last) = self._digest(whole, content, gut, eaten_mg, emptying)
            begin, middle, end = driven(minute, gp)
            gp, gt, gs = self._metabolise(
                gp, gt, gs, (absorbed * first, *begin), (absorbed * half, *middle), (absorbed * last, *end)
            )
            plasma.append(gp)
            sub.append(gs)
        after = S2008State(insulin[-1], whole, content, gut, gp, gt, gs, eating, meal)
        shape = (len(carbs_g) + 1, len(self._start))
        columns = self._columns
        return Advanced(
            after,
            glucose_mg_per_dl=np.asarray(plasma).reshape(shape) / columns["Vg"],
            glucose_sub_mg_per_dl=np.asarray(sub).reshape(shape) / columns["Vg"],
            insulin=insulin[:, :, _IP] / columns["Vi"],
        )

    def _inputs(
        self, insulin: FloatArray, halfway: FloatArray, conditions: BodyConditions | None
    ) -> tuple[list[Inputs], list[Inputs], list[Inputs]]:
        """Lay out what drives glucose at the beginning, in the middle and at the end of each minute."""
        if conditions is None:
            at, middle = self._driven(insulin), self._driven(halfway)
            return at[:-1], middle, at[1:]
        begin, middle, end = (self._driven(x, conditions) for x in (insulin[:-1], halfway, insulin[1:]))
        return begin, middle, end

    def _driven(self, x: FloatArray, conditions: BodyConditions = UNCHANGED) -> list[Inputs]:
        p = self._columns
        release, uptake, muscle, liver, appearing_g = conditions.columns
        action = x[:, :, _X] + (muscle - 1.0) * (x[:, :, _X] + p["Ib"])  # X is counted from basal insulin
        return self._arithmetic.rows(
            release * p["kp1"] - liver * self._held_back(x),
            uptake * p["Vm0"] + p["Vmx"] * action,
            np.broadcast_to(1000.0 * p["f"] * appearing_g / p["BW"] - p["Fsnc"], x.shape[:2]),
        )

    def _held_back(self, x: FloatArray) -> FloatArray:
        """What insulin holds back of the liver's release, mg/kg/min."""
        held_back: FloatArray = self._columns["kp3"] * x[:, :, _XL]
        return held_back

    def _emptying(self, meal_mg: Number) -> _Emptying:
        """How a stomach empties after a meal of so many mg."""
        p, choose, tanh = self._p, self._arithmetic.choose, self._arithmetic.tanh
        fed = meal_mg > LEAST_MG
        size = choose(fed, meal_mg, 1.0)
        span = choose(fed, 0.5 * (p.kmax - p.kmin), 0.0)
        slowest = choose(fed, p.kmin, p.kmax) + 2.0 * span
        upper, lower = 2.5 / (size * (1.0 - p.b)), 2.5 / (size * p.d)
        upper_knee, lower_knee = p.b * size, p.d * size
        up, low = upper * upper_knee, lower * lower_knee

        def leaving(q: Number, ground: Number) -> Number:
            return (slowest + span * (tanh(upper * q - up) - tanh(lower * q - low))) * (q - ground)

        steepest = max(self._arithmetic.highest(upper), self._arithmetic.highest(lower))
        return _Emptying(leaving, ((upper, upper_knee), (lower, lower_knee)), steepest)

    def _digest(
        self, whole: Number, content: Number, gut: Number, eaten_mg: Number, emptying: _Emptying
    ) -> tuple[Number, Number, Number, tuple[Number, ...]]:
        """Digest for a minute; returns stomach and gut after it, in mg, and a parabola of the gut over it.

        The parabola is by its values at the beginning, in the middle and at the end. Where a knee is passed the gut is
        none: then it is the one with the same integrals against 1, t and t², by which glucose lives the same minute.
        """
        if self._arithmetic.highest(content + gut + eaten_mg) <= 0.0:
            return whole, content, gut, (gut, gut, gut)
        leaving = emptying.leaving
        steps = self._steps(content, eaten_mg, emptying)
        h = 1.0 / steps
        half, sixth = 0.5 * h, h / 6.0
        kept, first, middle, last, decay = self._step_weights(steps)
        filled = eaten_mg * (1.0 - decay) / self._p.kmax
        course = [gut]
        for _ in range(steps):
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
            course.append(gut)
        if steps <= SMOOTH_STEPS:
            return whole, content, gut, (course[0], course[steps // 2], gut)
        return (
            whole,
            content,
            gut,
            tuple(
                sum(weight * at for weight, at in zip(weights, course, strict=True))
                for weights in parabola_weights(steps)
            ),
        )

    def _step_weights(self, steps: int) -> tuple[Number, ...]:
        """The weights of the gut in a step, and what of the whole meal remains whole after half of it."""
        if steps not in self._weights:
            drained = drained_weights(self._columns["kabs"], 1.0 / steps)
            decay = self._arithmetic.exp(-self._p.kmax * 0.5 / steps)
            self._weights[steps] = (*map(self._of, drained), decay)
        return self._weights[steps]

    def _steps(self, content: Number, eaten_mg: Number, emptying: _Emptying) -> int:
        """Choose in how many steps a minute of emptying is taken, so that no step jumps over a knee."""
        p, arithmetic = self._p, self._arithmetic
        wanted = 2.0
        change = eaten_mg + p.kmax * content
        if arithmetic.highest(change) * emptying.steepest <= wanted * STEEPEST:
            return 2
        for slope, knee in emptying.knees:
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
        gp = gp + (p1 + 2.0 * (p2 + p3) + p4) / 6.0
        gt = gt + (t1 + 2.0 * (t2 + t3) + t4) / 6.0
        gs = gs + (s1 + 2.0 * (s2 + s3) + s4) / 6.0
        if safe:
            return gp, gt, gs
        above = self._arithmetic.above
        return above(gp, NOTHING), above(gt, NOTHING), above(gs, NOTHING)

    def _held_rates(self, gp: Number, gt: Number, gs: Number, *given: Number) -> tuple[Number, Number, Number]:
        """The rates, but 0 of what is below 0, as simglucose holds it."""
        choose, (dp, dt, ds) = self._arithmetic.choose, self._rates(gp, gt, gs, *given)
        return choose(gp < 0.0, 0.0, dp), choose(gt < 0.0, 0.0, dt), choose(gs < 0.0, 0.0, ds)


Rates = Callable[[Number, Number, Number, Number, Number, Number, Number], tuple[Number, Number, Number]]


def _rates_of(p: S2008Parameters, arithmetic: Arithmetic) -> Rates:
    """Bind a person's parameters to the rates of glucose: a name is quicker than an attribute."""
    above, k1, k2, kp2, ke1, ke2, km0, ksc = arithmetic.above, p.k1, p.k2, p.kp2, p.ke1, p.ke2, p.Km0, p.ksc

    def rates(
        gp: Number, gt: Number, gs: Number, ra: Number, release: Number, uptake: Number, further: Number
    ) -> tuple[Number, Number, Number]:
        exchange = k1 * gp - k2 * gt
        return (
            above(release - kp2 * gp, 0.0) + ra + further - ke1 * above(gp - ke2, 0.0) - exchange,
            exchange - uptake * gt / (km0 + gt),
            ksc * (gp - gs),
        )

    return rates
