"""Budgets against sums of squares worked by hand, and their coverage against simulated weighings."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.analysis.budget import Budget
from rig.analysis.uncertainty import (
    WeighingUncertainty,
    bias_of_extremes,
    delivered_volume,
    u_z_factor_ul_per_mg,
)

BALANCE = WeighingUncertainty(
    repeatability_g=3e-6,
    readability_g=1e-6,
    u_calibration_percent=0.005,
    evaporation_mg_per_h=0.02,
    u_evaporation_mg_per_h=0.01,
    u_z_ul_per_mg=2e-4,
    repeatability_freedom=9,
)


def budget(**changes: object) -> Budget:
    arguments: dict[str, Any] = {"hours": 2.0, "z_ul_per_mg": 1.003, "uncertainty": BALANCE}
    return delivered_volume(10.0, 10.010, **(arguments | changes))


def test_a_10_mg_dose_worked_by_hand() -> None:
    """10.04 mg with evaporation, times Z; each contribution in µL, then Welch and Satterthwaite."""
    result = budget()
    repeatability, readability = 0.003 * 1.003, 0.001 / math.sqrt(12) * 1.003
    calibration, evaporation, z = 10.0 * 0.00005 * 1.003, 2 * 0.01 * 1.003, 10.04 * 2e-4
    u = math.sqrt(2 * repeatability**2 + 2 * readability**2 + calibration**2 + evaporation**2 + z**2)
    assert result.value == pytest.approx(10.04 * 1.003, rel=1e-9)
    assert result.u == pytest.approx(u, rel=1e-6)
    assert result.degrees_of_freedom == pytest.approx(u**4 / (2 * repeatability**4 / 9), rel=1e-6)
    assert result.coverage_factor == pytest.approx(2.0, abs=1e-3)
    assert result.expanded == pytest.approx(result.coverage_factor * u, rel=1e-6)


def test_every_row_is_there_largest_first_and_the_shares_make_up_the_whole() -> None:
    rows = budget().rows
    assert [row.source for row in rows] == [
        "evaporation",
        "repeatability, first weighing",
        "repeatability, second weighing",
        "Z factor",
        "calibration of the balance",
        "readability, first weighing",
        "readability, second weighing",
    ]
    assert sum(row.share_percent for row in rows) == pytest.approx(100, rel=1e-6)
    assert [row.kind for row in rows] == ["A", "A", "A", "B", "B", "B", "B"]
    evaporation = rows[0]
    assert (evaporation.value, evaporation.unit, evaporation.u) == (0.02, "mg/h", 0.01)
    assert evaporation.sensitivity == pytest.approx(2 * 1.003)
    assert rows[1].sensitivity == pytest.approx(-rows[2].sensitivity)


def test_even_a_share_of_a_millionth_keeps_its_row() -> None:
    tiny = WeighingUncertainty(repeatability_g=1e-3, readability_g=1e-9, u_calibration_percent=1e-9)
    rows = budget(uncertainty=tiny).rows
    assert len(rows) == 5
    assert 0 < rows[-1].share_percent < 1e-9


def test_an_input_taken_as_exact_has_no_row() -> None:
    exact = WeighingUncertainty(repeatability_g=1e-6, readability_g=0, u_calibration_percent=0)
    result = budget(uncertainty=exact)
    assert [row.source for row in result.rows] == ["repeatability, first weighing", "repeatability, second weighing"]
    assert result.value == pytest.approx(10.03)


def test_few_degrees_of_freedom_widen_the_interval() -> None:
    """Repeatability alone, 4 degrees of freedom each: effective 8, Student's t for 95 % is 2.306."""
    few = WeighingUncertainty(repeatability_g=1e-6, readability_g=0, u_calibration_percent=0, repeatability_freedom=4)
    result = budget(uncertainty=few, coverage_percent=95)
    assert result.degrees_of_freedom == pytest.approx(8)
    assert result.coverage_factor == pytest.approx(2.306, abs=5e-4)


def test_averaging_readings_divides_repeatability_and_leaves_readability() -> None:
    single = {row.source: row.u for row in budget().rows}
    of_four = {row.source: row.u for row in budget(readings_averaged=4).rows}
    assert of_four["repeatability, first weighing"] == pytest.approx(single["repeatability, first weighing"] / 2)
    assert of_four["readability, first weighing"] == single["readability, first weighing"]


@given(st.floats(0.01, 1000), st.floats(0, 100), st.floats(-50, 50))
def test_the_load_on_the_balance_changes_nothing(net_mg: float, hours: float, load_g: float) -> None:
    empty = delivered_volume(0.0, net_mg / 1e3, hours=hours, z_ul_per_mg=1.003, uncertainty=BALANCE)
    loaded = delivered_volume(load_g, load_g + net_mg / 1e3, hours=hours, z_ul_per_mg=1.003, uncertainty=BALANCE)
    assert loaded.value == pytest.approx(empty.value, abs=1e-8)
    assert loaded.u == pytest.approx(empty.u, rel=1e-6)


def test_95_percent_intervals_hold_the_truth_95_times_in_a_hundred() -> None:
    """JCGM 101 in small: 2,000 weighings of 2.5 µL over 0.25 h with every error drawn anew, at each its own interval.

    The repeatability is estimated from ten readings each time, as a laboratory would.
    """
    rng = np.random.default_rng(12)
    true_ul, z, hours = 2.5, 1.0029, 0.25
    covered = 0
    for _ in range(2000):
        calibration = 1 + rng.normal(0, 5e-5)
        net_mg = true_ul / rng.normal(z, 2e-4) - hours * rng.normal(0.02, 0.01)
        readings = np.array([50_000.0, 50_000.0 + net_mg / calibration]) + rng.normal(0, 0.003, 2)
        shown_g = np.round(readings, 3) / 1e3
        known = WeighingUncertainty(
            repeatability_g=float(rng.normal(0, 3e-6, 10).std(ddof=1)),
            readability_g=1e-6,
            u_calibration_percent=0.005,
            evaporation_mg_per_h=0.02,
            u_evaporation_mg_per_h=0.01,
            u_z_ul_per_mg=2e-4,
            repeatability_freedom=9,
        )
        result = delivered_volume(*shown_g, hours=hours, z_ul_per_mg=z, uncertainty=known, coverage_percent=95)
        covered += abs(result.value - true_ul) <= result.expanded
    assert covered / 2000 == pytest.approx(0.95, abs=0.02)


def test_uncertainty_of_z_worked_by_hand() -> None:
    """At 20 °C: dZ/dt ≈ 2.07e-4 (expansion of water) − 4e-6 (thinner air), dZ/dp ≈ 1.05e-6 µL/mg a hPa."""
    of_temperature = u_z_factor_ul_per_mg(20, 1013, u_temperature_c=0.5, u_pressure_hpa=0, u_relative_humidity=0)
    assert of_temperature == pytest.approx(0.5 * 2.03e-4, rel=0.02)
    of_pressure = u_z_factor_ul_per_mg(20, 1013, u_temperature_c=0, u_pressure_hpa=10, u_relative_humidity=0)
    assert of_pressure == pytest.approx(10 * 1.05e-6, rel=0.02)


def test_extremes_of_noise_stay_within_their_bias_on_average() -> None:
    rng = np.random.default_rng(4)
    for windows in (10, 100, 1000):
        mean_of_maxima = rng.normal(0, 1, (400, windows)).max(axis=1).mean()
        assert 0.65 * bias_of_extremes(1.0, windows) < mean_of_maxima < bias_of_extremes(1.0, windows)


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: budget(hours=-1), "hours must not be negative, got -1"),
        (lambda: budget(z_ul_per_mg=0), "z_ul_per_mg must be above 0, got 0"),
        (lambda: budget(readings_averaged=0), "readings_averaged must be 1 or above, got 0"),
        (lambda: budget(coverage_percent=100), "coverage_percent must lie between 0 and 100, got 100"),
        (
            lambda: delivered_volume(math.nan, 1, hours=1, z_ul_per_mg=1, uncertainty=BALANCE),
            "before_g must be finite, got nan",
        ),
        (
            lambda: WeighingUncertainty(repeatability_g=-1e-6, readability_g=0, u_calibration_percent=0),
            "repeatability_g must not be negative, got -1e-06",
        ),
        (
            lambda: WeighingUncertainty(
                repeatability_g=1e-6, readability_g=0, u_calibration_percent=0, evaporation_freedom=0
            ),
            "evaporation_freedom must be 1 or above, got 0",
        ),
        (lambda: bias_of_extremes(1.0, 0), "windows must be 1 or above, got 0"),
    ],
)
def test_bad_input_is_refused_in_one_sentence(call: Callable[[], object], sentence: str) -> None:
    with pytest.raises(ValueError, match=f"^{sentence}$"):
        call()
