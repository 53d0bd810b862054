"""A person with type 2 diabetes on a pump: the published average subject, with part of his own secretion left.

Dalla Man, Rizza, Cobelli 2007 (doi 10.1109/TBME.2007.893506), table 1, column "type 2 diabetic": glucose, insulin,
digestion and the beta cell of S2008's equations. Insulin reaches him under the skin, with the absorption of the same
group's GIM (2007, JDST 1:323). **Assumptions, not data:** `residual`, the share of the published secretion that is
left; hepatic extraction stays at its basal 0.6, as in the type 1 form; the beta cell sees glucose once a minute; its
threshold is the glucose of the steady state, as the paper sets it. Not responsible for oral drugs, nor for a
cohort of this kind.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Self

import numpy as np
import scipy

from rig.analysis.checks import FloatArray
from rig.patient.arithmetic import Number, OfFloats
from rig.patient.conditions import UNCHANGED, BodyConditions
from rig.patient.course import Advanced
from rig.patient.parameters import above_zero, parameter_of
from rig.patient.uva_padova import S2008, Inputs, S2008Parameters, S2008State

PUBLISHED = {
    "Vg": 1.49, "Vi": 0.04, "kabs": 0.023, "kmax": 0.0465, "kmin": 0.0076, "b": 0.68, "d": 0.09, "f": 0.9,
    "k1": 0.042, "k2": 0.071, "Vm0": 4.65, "Vmx": 0.034, "Km0": 466.21, "m1": 0.379, "m2": 0.673, "m4": 0.269,
    "ki": 0.0066, "p2u": 0.084, "kp1": 3.09, "kp2": 0.0007, "kp3": 0.005, "ke1": 0.0007, "ke2": 269.0, "Fsnc": 1.0,
    "ka1": 0.0018, "ka2": 0.0182, "kd": 0.0164, "ksc": 0.1,
}  # fmt: skip
"""By S2008's names; the last four are no part of that column: absorption under the skin, and 10 min to the skin."""
KP4, M5, M6, HEPATIC_EXTRACTION = 0.0786, 0.0526, 0.8118, 0.6
K_PMOL_PER_KG, ALPHA_PER_MIN, BETA, GAMMA_PER_MIN = 0.99, 0.013, 0.05, 0.5
"""The beta cell: per mg/dL of a rise, 1/min, pmol/kg/min per mg/dL, 1/min."""
BASAL_SECRETION = (M6 - HEPATIC_EXTRACTION) / M5
"""pmol/kg/min of the published subject in his own steady state, at about 165 mg/dL."""
SLOWLY = math.exp(-ALPHA_PER_MIN)
_X, _XL, _IL, _PORTAL, _SECRETED, _INFUSED = 1, 3, 4, 7, 8, 9


@dataclass(frozen=True)
class Type2Parameters:
    """What differs from the published average.

    Attributes:
        BW: kg.
        residual: the share of the published secretion that is left, 0 to 1.
        Gpeq: glucose of the steady state on the pump's basal rate, mg/dL.
    """

    BW: float = 100.0
    residual: float = 0.5
    Gpeq: float = 130.0

    @classmethod
    def of(cls, parameters: Mapping[str, Any]) -> Self:
        """Take a person from a mapping, whose values may be text; further names are passed over.

        Raises:
            ValueError: a parameter is no number, or cannot be that of a person who needs a pump.
        """
        person = cls(**{each.name: parameter_of(parameters, each.name) for each in fields(cls)
                        if each.name in parameters})  # fmt: skip
        above_zero(asdict(person), "BW", "Gpeq")
        if not 0.0 <= person.residual <= 1.0:
            raise ValueError(f"parameter 'residual' lies between 0 and 1, got {person.residual:g}")
        return person


@dataclass(frozen=True)
class Type2State:
    """Where a person is: `body` as of S2008, with insulin of the liver's vein; the beta cell's slow part; its glucose.

    `extra` is Y in pmol/kg/min; `rise` what glucose rose in the minute before, mg/dL.
    """

    body: S2008State
    extra: float
    rise: float


class Type2:
    """The equations of one person."""

    def __init__(self, person: Type2Parameters) -> None:
        self._person = person
        self._body = _Body([_with_steady_state(person)], OfFloats())
        self.basal_u_per_h: FloatArray = self._body.basal_u_per_h

    def start(self) -> Type2State:
        """In the steady state on the basal rate."""
        body = self._body.start()
        portal = self._person.residual * BASAL_SECRETION / GAMMA_PER_MIN
        insulin = np.append(body.insulin, [[portal, self._person.residual * BASAL_SECRETION]], axis=1)
        return Type2State(replace(body, insulin=insulin), 0.0, 0.0)

    def advance(
        self, state: Type2State, insulin_u_per_h: FloatArray, carbs_g: FloatArray, conditions: BodyConditions | None
    ) -> Advanced[Type2State]:
        """Advance minute by minute: secretion follows the glucose that was seen at the minute's beginning."""
        secretion = _Secretion(self._person, state)
        advanced = self._body.advance_with(secretion, state.body, insulin_u_per_h, carbs_g, conditions)
        if len(carbs_g):
            secretion.see(float(advanced.glucose_mg_per_dl[-1, 0]))
        after = Type2State(advanced.state, secretion.extra, secretion.rise)
        return Advanced(after, advanced.glucose_mg_per_dl, advanced.glucose_sub_mg_per_dl, advanced.insulin)


class _Secretion:
    """The beta cell of one person, who is looked at once a minute."""

    def __init__(self, person: Type2Parameters, state: Type2State) -> None:
        self._person = person
        self._seen = state.body.plasma_mg_per_kg / PUBLISHED["Vg"] - state.rise
        self.extra, self.rise = state.extra, state.rise

    def see(self, glucose_mg_per_dl: float) -> None:
        """See glucose, and what it rose since it was seen last."""
        self.rise, self._seen = glucose_mg_per_dl - self._seen, glucose_mg_per_dl

    def of_a_minute(self, glucose_mg_per_dl: float) -> float:
        """What he secretes in the minute that begins with this glucose, pmol/kg/min."""
        self.see(glucose_mg_per_dl)
        wanted = max(BETA * (glucose_mg_per_dl - self._person.Gpeq), -BASAL_SECRETION)
        after = wanted + (self.extra - wanted) * SLOWLY
        secreted = 0.5 * (self.extra + after) + K_PMOL_PER_KG * max(self.rise, 0.0) + BASAL_SECRETION
        self.extra = after
        return self._person.residual * max(secreted, 0.0)


class _Body(S2008):
    """S2008 with insulin that the beta cell secretes into the liver's vein: two compartments more."""

    def _insulin(self, p: Mapping[str, FloatArray], n: int) -> tuple[FloatArray, FloatArray, FloatArray]:
        a, b, c = super()._insulin(p, n)
        a = np.pad(a, ((0, 0), (0, 2), (0, 2)))
        a[:, _PORTAL, _PORTAL], a[:, _PORTAL, _SECRETED] = -GAMMA_PER_MIN, 1.0
        a[:, _IL, _PORTAL] = GAMMA_PER_MIN
        return a, np.pad(b, ((0, 0), (0, 2))), np.pad(c, ((0, 0), (0, 2)))

    def advance_with(
        self,
        secretion: _Secretion,
        state: S2008State,
        insulin_u_per_h: FloatArray,
        carbs_g: FloatArray,
        conditions: BodyConditions | None,
    ) -> Advanced[S2008State]:
        """Advance as S2008 does; insulin is solved minute by minute, as secretion is not known before."""
        p, minutes = self._p, len(carbs_g)
        matrix = self._compartments.of_a_minute()
        insulin = np.empty((minutes + 1, 1, matrix.shape[1] - 2))
        insulin[0] = state.insulin
        held = np.append(state.insulin[0], (0.0, 1.0))
        infused = insulin_u_per_h[:, 0].tolist()
        factors = self._factors(conditions, minutes)
        begin = state.insulin[0].tolist()

        def driven(minute: int, gp: Number) -> tuple[Inputs, Inputs, Inputs]:
            nonlocal begin
            held[_SECRETED] = begin[_SECRETED] = secretion.of_a_minute(gp / p.Vg)
            held[_INFUSED] = infused[minute]
            solved = matrix @ held
            held[:_INFUSED] = insulin[minute + 1, 0] = solved[:_INFUSED]
            numbers = solved.tolist()
            release, uptake, muscle, liver, further = factors[minute]

            def at(x: list[float]) -> Inputs:
                action = x[_X] + (muscle - 1.0) * (x[_X] + p.Ib)
                held_back = p.kp3 * x[_XL] + KP4 * x[_PORTAL]
                return release - liver * held_back, uptake + p.Vmx * action, further

            end = numbers[:_INFUSED]
            found = at(begin), at(numbers[_INFUSED:]), at(end)
            begin = end
            return found

        return self._live(state, insulin, carbs_g, driven)

    def _factors(self, conditions: BodyConditions | None, minutes: int) -> list[tuple[float, ...]]:
        """What does not depend on insulin, a row a minute: release, uptake, factors of two actions, the rest."""
        p = self._p
        given = UNCHANGED if conditions is None else conditions
        release, uptake, muscle, liver, appearing_g = given.columns
        rows = OfFloats.rows(
            release * p.kp1, uptake * p.Vm0, muscle, liver, 1000.0 * p.f * appearing_g / p.BW - p.Fsnc
        )  # fmt: skip
        return rows * minutes if conditions is None else rows


def _with_steady_state(person: Type2Parameters) -> S2008Parameters:
    """The published parameters with the basal rate that holds `Gpeq`, and the steady state on it.

    Raises:
        ValueError: what is left of his secretion holds that glucose without a pump, or nothing does.
    """
    p = {**PUBLISHED, "BW": person.BW, "m30": HEPATIC_EXTRACTION * PUBLISHED["m1"] / (1.0 - HEPATIC_EXTRACTION)}
    through_liver = p["m1"] / (p["m1"] + p["m30"])
    cleared = p["m2"] + p["m4"] - p["m2"] * through_liver
    p["Ib"] = BASAL_SECRETION * through_liver / (p["Vi"] * cleared)
    gp, secreted = person.Gpeq * p["Vg"], person.residual * BASAL_SECRETION

    def released(i: float) -> float:
        return max(p["kp1"] - p["kp2"] * gp - p["kp3"] * i - KP4 * secreted / GAMMA_PER_MIN, 0.0)

    def tissue(i: float) -> float:
        return (p["k1"] * gp + p["Fsnc"] + p["ke1"] * max(gp - p["ke2"], 0.0) - released(i)) / p["k2"]

    def surplus(i: float) -> float:
        uptake = (p["Vm0"] + p["Vmx"] * (i - p["Ib"])) * tissue(i) / (p["Km0"] + tissue(i))
        return float(p["k1"] * gp - p["k2"] * tissue(i) - uptake)

    own = secreted * through_liver / (p["Vi"] * cleared)
    if not surplus(own) > 0.0:
        raise ValueError(
            f"parameter 'residual' is {person.residual:g}: so much secretion holds {person.Gpeq:g} mg/dL without a pump"
        )
    i = float(scipy.optimize.brentq(surplus, own, 5000.0, xtol=1e-12, rtol=1e-14))
    ip, infused = i * p["Vi"], i * p["Vi"] * cleared - secreted * through_liver
    il = (p["m2"] * ip + secreted) / (p["m1"] + p["m30"])
    first = infused / (p["ka1"] + p["kd"])
    start = (0.0, 0.0, 0.0, gp, tissue(i), ip, i - p["Ib"], i, i, il, first, first * p["kd"] / p["ka2"], gp)
    return S2008Parameters(**p, u2ss=infused, start=start)
