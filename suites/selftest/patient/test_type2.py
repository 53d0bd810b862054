"""The person with type 2 diabetes: his equations against another solver, his secretion, how much insulin he needs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from rig.analysis.checks import FloatArray
from rig.patient import type2
from rig.patient.type2 import BASAL_SECRETION, BETA, GAMMA_PER_MIN, K_PMOL_PER_KG, KP4, PUBLISHED, Type2Parameters

DAY = 1440


def without_food(residual: float, u_per_h: float, minutes: int) -> FloatArray:
    """Solve the published equations by another method, secretion at every moment, without digestion."""
    p, person = PUBLISHED, type2({"residual": residual})
    m30 = 0.6 * p["m1"] / 0.4
    through = p["m1"] / (p["m1"] + m30)
    basal = BASAL_SECRETION * through / (p["Vi"] * (p["m2"] + p["m4"] - p["m2"] * through))
    start = person.start()
    x = start.body.insulin[0]
    glucose = start.body.plasma_mg_per_kg, start.body.tissue_mg_per_kg
    infused = u_per_h * 6000.0 / 60.0 / Type2Parameters().BW

    def rates(_: float, y: FloatArray) -> list[float]:
        ip, action, i1, xl, il, isc1, isc2, portal, gp, gt, extra = y
        egp = max(p["kp1"] - p["kp2"] * gp - p["kp3"] * xl - KP4 * portal, 0.0)
        dgp = egp - p["Fsnc"] - p["ke1"] * max(gp - p["ke2"], 0.0) - p["k1"] * gp + p["k2"] * gt
        uptake = (p["Vm0"] + p["Vmx"] * action) * gt / (p["Km0"] + gt)
        secreted = extra + K_PMOL_PER_KG * max(dgp / p["Vg"], 0.0) + BASAL_SECRETION
        wanted = max(BETA * (gp / p["Vg"] - 130.0), -BASAL_SECRETION)
        return [
            -(p["m2"] + p["m4"]) * ip + p["m1"] * il + p["ka1"] * isc1 + p["ka2"] * isc2,
            p["p2u"] * (ip / p["Vi"] - basal - action),
            p["ki"] * (ip / p["Vi"] - i1),
            p["ki"] * (i1 - xl),
            -(p["m1"] + m30) * il + p["m2"] * ip + GAMMA_PER_MIN * portal,
            infused - (p["ka1"] + p["kd"]) * isc1,
            p["kd"] * isc1 - p["ka2"] * isc2,
            residual * secreted - GAMMA_PER_MIN * portal,
            dgp,
            p["k1"] * gp - p["k2"] * gt - uptake,
            -0.013 * (extra - wanted),
        ]

    solved = solve_ivp(
        rates, (0, minutes), [*x[:8], *glucose, 0.0], t_eval=np.arange(minutes + 1), rtol=1e-9, atol=1e-9
    )
    found: FloatArray = solved.y[8] / p["Vg"]
    return found


@pytest.mark.parametrize("residual", [0.5, 0.2])
@pytest.mark.parametrize("share", [0.0, 1.5])
def test_it_is_what_another_solver_gives(residual: float, share: float) -> None:
    person = type2({"residual": residual})
    rate = share * person.basal_u_per_h
    found = person.simulate(720, rate).glucose_mg_per_dl
    assert np.abs(found - without_food(residual, rate, 720)).max() < 0.1  # the beta cell looks once a minute


def test_the_published_subject_holds_his_own_glucose_without_a_pump() -> None:
    with pytest.raises(
        ValueError, match=r"^parameter 'residual' is 1: so much secretion holds 170 mg/dL without a pump$"
    ):
        type2({"residual": 1, "Gpeq": 170})
    assert 0.0 < type2({"residual": 1, "Gpeq": 155}).basal_u_per_h * 24.0 < 3.0


def test_his_basal_rate_holds_his_steady_state() -> None:
    glucose = type2({}).simulate(2 * DAY).glucose_mg_per_dl
    assert np.abs(glucose - 130.0).max() < 1e-6


@pytest.mark.parametrize("residual", [0.3, 0.5])
def test_he_needs_60_to_100_u_a_day_with_meals(residual: float) -> None:
    person = type2({"residual": residual})
    carbs = np.zeros(DAY)
    carbs[[420, 750, 1110]] = 45.0, 70.0, 60.0
    insulin = np.full(DAY, person.basal_u_per_h) + 60.0 * carbs / 6.0
    assert 60.0 < insulin.sum() / 60.0 < 100.0
    glucose = person.simulate(DAY, insulin, carbs).glucose_mg_per_dl
    assert glucose.min() > 70.0
    assert glucose.max() < 250.0


def test_what_is_left_of_his_secretion_spares_him() -> None:
    alone = [type2({"residual": residual}).simulate(720, 0.0).glucose_mg_per_dl[-1] for residual in (0.5, 0.25, 0.0)]
    assert alone == sorted(alone)
    basal = [type2({"residual": residual}).basal_u_per_h for residual in (0.5, 0.25, 0.0)]
    assert basal == sorted(basal)


def test_a_state_can_be_gone_on_from_twice() -> None:
    person = type2({})
    state = person.start()
    one, two = (person.advance(state, 60, 0.0)[1].glucose_mg_per_dl for _ in range(2))
    assert one.tobytes() == two.tobytes()


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"residual": 1.5}, "parameter 'residual' lies between 0 and 1, got 1.5"),
        ({"BW": -1}, "parameter 'BW' must be above 0, got -1"),
        ({"Gpeq": "high"}, "parameter 'Gpeq' must be a finite number, got 'high'"),
    ],
)
def test_a_wrong_parameter_is_named(parameters: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=r".") as told:
        type2(parameters)
    assert str(told.value) == said
