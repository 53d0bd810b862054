"""Budgets of reported numbers: exact changes of unit, one source more, and the numbers that procedures keep."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from typing import TypeVar

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.analysis.bolus import WeighedBolus
from rig.analysis.budget import Budget
from rig.analysis.trumpet import trumpet_curve
from rig.analysis.uncertainty import WeighingUncertainty, delivered_volume
from rig.procedures.basal import Basal, notes_on_extremes
from rig.procedures.bolus import Bolus
from rig.procedures.budgets import budgets_record, mean_bolus_budget, measured, told_less_weighed
from rig.procedures.volume import VolumeScale
from rig.record.taking import Series
from rig.roles import Air, Metrology
from rig.verdicts.limits import Measurement
from rig.verdicts.quantities import Quantity

AnyValue = TypeVar("AnyValue")
KNOWN = WeighingUncertainty(
    repeatability_g=3e-6,
    readability_g=1e-6,
    u_calibration_percent=0.005,
    repeatability_freedom=9,
    blank_wander_g=12e-6,
    blank_wander_g_per_h=6e-6,
)
BENCH = Metrology(2.5e-6, 1e-6, 0.01, 20e-6, 5e-6, 0.5, (15.0, 30.0), (0.2, 0.8), 12e-6, 6e-6)
SCALE = VolumeScale.in_air(BENCH, Air(21.5, 1008.0, 0.48))


def ten_mg(hours: float = 1.0) -> Budget:
    return delivered_volume(0.0, 0.010, hours=hours, z_ul_per_mg=1.0, uncertainty=KNOWN)


@pytest.mark.parametrize(("hours", "u_g"), [(0.0, 0.0), (0.5, 3e-6), (2.0, 12e-6), (25.0, 12e-6)])
def test_the_wander_of_the_blank_is_a_slope_for_short_times_and_all_of_it_for_long_ones(
    hours: float, u_g: float
) -> None:
    assert KNOWN.u_blank_g(hours) == pytest.approx(u_g)
    found = [row.u for row in ten_mg(hours).rows if row.source == "wander of the blank"]
    assert found == pytest.approx([1e3 * u_g] if u_g else [])


def test_an_error_in_percent_has_the_budget_of_its_volume() -> None:
    """10 µL of 8 µL programmed: +25 %, every contribution 12.5 % a µL, k and shares as they were."""
    volume, error = ten_mg(), ten_mg().error_percent_of(8.0)
    assert (error.value, error.unit) == (pytest.approx(25.0), "%")
    assert error.u == pytest.approx(12.5 * volume.u)
    assert error.coverage_factor == volume.coverage_factor
    assert error.expanded == pytest.approx(error.coverage_factor * error.u)
    for after, before in zip(error.rows, volume.rows, strict=True):
        assert after.contribution == pytest.approx(12.5 * before.contribution)
        assert after.sensitivity == pytest.approx(12.5 * before.sensitivity)
        assert (after.u, after.unit, after.share_percent) == (before.u, before.unit, before.share_percent)


@given(st.floats(-100, 100).filter(lambda x: abs(x) > 1e-3), st.floats(-100, 100))
def test_a_linear_change_and_back_changes_nothing(factor: float, offset: float) -> None:
    there = ten_mg().linear(factor, offset=offset, unit="x")
    back = there.linear(1.0 / factor, offset=-offset / factor, unit="µL")
    assert back.value == pytest.approx(ten_mg().value, rel=1e-9, abs=1e-6)
    assert back.expanded == pytest.approx(ten_mg().expanded, rel=1e-12)
    assert there.expanded >= 0.0


def test_one_more_source_worked_by_hand() -> None:
    """u² adds; ν = u⁴/Σ(c⁴/ν) over all rows; the new row takes its place by size."""
    bare = ten_mg()
    more = bare.plus("scatter", "A", 0.02, 4)
    u = math.hypot(bare.u, 0.02)
    fourth = sum(row.contribution**4 / row.degrees_of_freedom for row in bare.rows) + 0.02**4 / 4
    assert more.u == pytest.approx(u)
    assert more.degrees_of_freedom == pytest.approx(u**4 / fourth)
    assert more.coverage_factor > 2.4
    assert more.rows[0].source == "scatter"
    assert len(more.rows) == len(bare.rows) + 1
    assert sum(row.share_percent for row in more.rows) == pytest.approx(100)
    assert more.value == bare.value


def test_another_coverage_takes_another_k() -> None:
    wide = ten_mg().plus("scatter", "A", 10.0, 4).covering(95)
    assert wide.coverage_factor == pytest.approx(2.776, abs=1e-3)  # Student's t, 4 degrees of freedom
    assert wide.expanded == pytest.approx(wide.coverage_factor * wide.u)


def bolus(volume_ul: float) -> WeighedBolus:
    return WeighedBolus(volume_ul, 0.001, 0.0, 0.0, rest_s=100.0, readings=16)


def test_the_mean_of_boluses_is_one_weighing_of_their_sum() -> None:
    boluses = [bolus(volume) for volume in (9.8, 10.1, 10.4, 9.9)]
    mean = mean_bolus_budget(SCALE, boluses)
    whole = SCALE.budget(4.02, 400.0, readings_averaged=16)
    assert mean.value == pytest.approx(1.005)
    assert mean.u == pytest.approx(whole.u / 4)
    calibration = next(row for row in mean.rows if row.source == "calibration of the balance")
    assert calibration.contribution == pytest.approx(1.005e-4, rel=1e-3)  # 0.01 % of the mean: does not average out


def bolus_budgets(size_u: float, weighed: list[WeighedBolus]) -> dict[str, Budget]:
    """Every budget of a series, the one of more boluses than these last, by its printed name."""
    boluses = Bolus(size_u=size_u, count=len(weighed))
    declared = {str(quantity): budget for quantity, budget in boluses.budgets(SCALE, weighed).items()}
    return declared | boluses.further(SCALE, weighed)


def test_of_a_good_delivery_the_weighed_volume_counts_in_both_places() -> None:
    weighed = SCALE.budget(2.0, 600.0)
    found = told_less_weighed(2.1, weighed)
    assert (found.value, found.unit) == (pytest.approx(5.0), "%")
    assert found.expanded == pytest.approx(100.0 * 2.1 / 2.0 * weighed.expanded / 2.0)


@given(weighed_u=st.floats(-0.001, 10.0), told_u=st.floats(0.1, 10.0))
def test_the_least_that_was_told_too_much_is_never_overstated(weighed_u: float, told_u: float) -> None:
    weighed = SCALE.budget(weighed_u, 600.0)
    found = told_less_weighed(told_u, weighed)
    most_u = max(weighed.value, 0.0) + weighed.expanded
    least_percent = 100.0 * (told_u / most_u - 1.0)
    assert found.value - found.expanded <= least_percent + 1e-9 * abs(least_percent)


def test_of_nothing_weighed_a_log_that_tells_of_a_bolus_is_wrong_for_certain() -> None:
    weighed = SCALE.budget(0.0, 600.0)
    found = told_less_weighed(2.0, weighed)
    least_percent = 100.0 * (2.0 / weighed.expanded - 1.0)
    assert found.value - found.expanded == pytest.approx(least_percent)
    assert least_percent > 1e4
    assert found.expanded > 0.45 * found.value


def test_a_percentage_of_an_exact_nothing_is_refused() -> None:
    exact = SCALE.budget(0.0, 600.0).linear(0.0, unit="U")
    with pytest.raises(ValueError, match="nothing was weighed"):
        told_less_weighed(2.0, exact)


def test_boluses_below_a_unit_are_judged_in_units_and_others_in_percent() -> None:
    small = bolus_budgets(0.1, [bolus(0.98), bolus(1.03)])
    assert [budget.unit for budget in small.values()] == ["U"] * 4
    assert [round(budget.value, 6) for budget in small.values()] == [0.0005, 0.003, -0.002, 0.0005]
    large = bolus_budgets(1.0, [bolus(9.8), bolus(10.3)])
    assert [budget.unit for budget in large.values()] == ["%"] * 4
    assert [round(budget.value, 6) for budget in large.values()] == [0.5, 3.0, -2.0, 0.5]


def test_more_boluses_than_these_have_the_scatter_of_these_as_a_source() -> None:
    """SD of 9.8 and 10.3 µL is 0.354 µL, of their mean 0.25 µL = 2.5 %, with one degree of freedom: k = 14."""
    *_, (name, beyond) = bolus_budgets(1.0, [bolus(9.8), bolus(10.3)]).items()
    assert name == "mean bolus error at 1 U, of more than these 2"
    assert (beyond.rows[0].source, beyond.rows[0].kind, beyond.rows[0].degrees_of_freedom) == ("scatter of 2", "A", 1)
    assert beyond.rows[0].contribution == pytest.approx(2.5)
    assert beyond.coverage_factor == pytest.approx(13.97, rel=0.01)


COLD = Basal(rate_u_per_h=1.0, stabilisation_s=0.0, analysis_s=36000.0, windows_s=(900.0, 3600.0))
WARM = COLD.model_copy(update={"stabilisation_s": 3600.0})


def basal(asked: Basal = COLD) -> tuple[dict[str, Budget], dict[str, str]]:
    """10 h at 1 U/h, evenly, 2 % too much in the third hour; no evaporation to speak of."""
    hourly_u = np.ones(40) / 4
    hourly_u[8:12] *= 1.02
    volume_u = np.concatenate([[0.0], np.cumsum(hourly_u)])
    at_s = np.linspace(0.0, 36000.0, 41)
    evaporated_g = BENCH.evaporation_g_per_h * at_s / 3600.0
    mass_g = 1.0 + volume_u * 10.0 / SCALE.z_ul_per_mg * 1e-3 - evaporated_g
    readings = Series(at_s, mass_g, np.zeros(41))
    curve = trumpet_curve(
        SCALE.dry_mass_g(readings),
        interval_min=15,
        rate_ml_per_h=0.01,
        density_g_per_ml=SCALE.density_g_per_ml,
        windows_min=(15, 60),
    )
    budgets = asked.budgets(readings, curve, SCALE)
    assert set(budgets) < set(asked.quantities)  # beside them the missed doses, which are counted
    return _named(budgets), _named(notes_on_extremes(curve, budgets))


def _named(by_quantity: Mapping[Quantity, AnyValue]) -> dict[str, AnyValue]:
    return {str(quantity): value for quantity, value in by_quantity.items()}


def test_every_number_of_a_basal_test_has_a_budget() -> None:
    """10 h at 1 U/h, the third hour 2 % too much: 1 U after 1 h, 6.02 U after 6 h, and no 12 h."""
    budgets, _ = basal()
    values = {name: (round(budget.value, 6) + 0.0, budget.unit) for name, budget in budgets.items()}
    assert values == {
        "mean basal error at 1 U/h": (0.2, "%"),
        "largest error of a 60 min window at 1 U/h": (2.0, "%"),
        "smallest error of a 60 min window at 1 U/h": (0.0, "%"),
        "volume of the first 1 h at 1 U/h": (1.0, "U"),
        "error of the first 1 h at 1 U/h": (0.0, "%"),
        "volume of the first 6 h at 1 U/h": (6.02, "U"),
        "error of the first 6 h at 1 U/h": (round(2.0 / 6.0, 6), "%"),
    }
    mean = budgets["mean basal error at 1 U/h"]
    assert mean.expanded == pytest.approx(100 * SCALE.expanded_uncertainty_u(10.02, 36000.0) / 10.0)
    volume, error = budgets["volume of the first 6 h at 1 U/h"], budgets["error of the first 6 h at 1 U/h"]
    assert error.expanded == pytest.approx(100.0 * volume.expanded / 6.0)


def test_after_a_warm_up_no_hour_is_called_the_first() -> None:
    """The label's volume counts from the first request without warm-up (21 CFR 880.5730)."""
    assert list(basal(WARM)[0]) == [name for name in basal(COLD)[0] if "of the first" not in name]
    assert [quantity for quantity in WARM.quantities if quantity.kind.startswith("basal.first")] == []


def test_a_measurement_has_value_and_uncertainty_of_its_budget_and_no_other_unit() -> None:
    mean, *_ = COLD.quantities
    budget = basal()[0][str(mean)]
    assert measured(mean, budget) == Measurement(mean, budget.value, budget.expanded)
    with pytest.raises(ValueError, match=r"^mean basal error at 1 U/h is measured in %, its budget is in U$"):
        measured(mean, budget.linear(0.01, unit="U"))


def test_extremes_say_how_far_noise_may_push_them() -> None:
    """37 windows; of one window 2 × 2.5 µg, 2 × 0.289 µg and 6 µg of wander, 7.0 µg in 9.97 mg: 0.070 %."""
    _, notes = basal()
    u_percent = 100 * math.sqrt(2 * 2.5**2 + 2 / 12 + 6**2) * 1e-3 * SCALE.z_ul_per_mg / 10.0
    note = notes["largest error of a 60 min window at 1 U/h"]
    assert note.startswith("The extreme of 37 windows")
    assert f"no more than {u_percent * math.sqrt(2 * math.log(37)):.2g} %" in note
    assert set(notes) == {f"{which} error of a 60 min window at 1 U/h" for which in ("largest", "smallest")}


def test_the_record_keeps_every_row_as_plain_json() -> None:
    budgets = {quantity: basal()[0][str(quantity)] for quantity in COLD.quantities if str(quantity) in basal()[0]}
    mean = budgets[COLD.quantities[0]]
    record = budgets_record("Uncertainty of basal delivery", budgets, {COLD.quantities[0]: "a note"}, {"more": mean})
    kept = json.loads(json.dumps(record.model_dump(mode="json"), allow_nan=False))
    assert (kept["kind"], kept["title"]) == ("budget", "Uncertainty of basal delivery")
    assert [each["quantity"] for each in kept["budgets"]] == [*map(str, budgets), "more"]
    first = kept["budgets"][0]
    assert (first["value"], first["expanded"], first["degrees_of_freedom"]) == (mean.value, mean.expanded, None)
    assert (first["note"], kept["budgets"][1]["note"]) == ("a note", None)
    assert [row["source"] for row in first["rows"]] == [row.source for row in mean.rows]


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: ten_mg().error_percent_of(0.0), r"programmed must be above 0, got 0\.0"),
        (lambda: ten_mg().linear(math.nan, unit="U"), "factor must be finite, got nan"),
        (lambda: ten_mg().plus("scatter", "A", -1.0), r"u must not be negative, got -1\.0"),
        (lambda: ten_mg().covering(100), "coverage_percent must lie between 0 and 100, got 100"),
    ],
)
def test_bad_input_is_refused_in_one_sentence(call: Callable[[], object], sentence: str) -> None:
    with pytest.raises(ValueError, match=f"^{sentence}$"):
        call()
