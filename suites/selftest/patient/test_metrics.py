"""Metrics against two public packages, and the laws between them."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.patient import metrics
from suites.studies.patient.reference_data import IGLU_NAMES, Reference

REFERENCE = Reference()


@pytest.mark.parametrize("name", REFERENCE.series())
def test_metrics_are_those_of_the_package_that_follows_the_consensus(name: str) -> None:
    expected = REFERENCE.content("metrics/expected.json")[name]
    glucose = REFERENCE.column(REFERENCE.table(f"metrics/{name}.csv"), "glucose_mg_dl")
    found = metrics.summary(np.arange(glucose.size) * expected["interval_min"], glucose)
    for theirs, ours in IGLU_NAMES.items():  # nine decimals are printed
        assert getattr(found, ours) == pytest.approx(expected["metrics"][theirs]["iglu"], rel=1e-9, abs=1e-9), ours


def test_a_gap_counts_nowhere() -> None:
    found = metrics.summary([0, 5, 10, 15], [100.0, float("nan"), 200.0, 60.0])
    assert (found.readings, found.active_percent, found.mean_mg_per_dl) == (3, 75.0, 120.0)
    assert found.time_in_range_percent == pytest.approx(100.0 / 3.0)


GLUCOSE = st.lists(st.floats(20.0, 600.0), min_size=2, max_size=60)


@given(values=GLUCOSE)
def test_below_in_and_above_range_are_all_there_is(values: list[float]) -> None:
    found = metrics.summary(range(len(values)), values)
    whole = found.time_below_70_percent + found.time_in_range_percent + found.time_above_180_percent
    assert whole == pytest.approx(100.0)
    assert found.time_below_54_percent <= found.time_below_70_percent + 1e-12
    assert found.time_above_250_percent <= found.time_above_180_percent + 1e-12
    assert 0.0 <= found.gri <= 100.0


@given(values=GLUCOSE, seed=st.integers(0, 9))
def test_the_order_of_readings_does_not_matter(values: list[float], seed: int) -> None:
    shuffled = np.random.default_rng(seed).permutation(values)
    one, two = metrics.summary(range(len(values)), values), metrics.summary(range(len(values)), shuffled)
    assert two.lbgi == pytest.approx(one.lbgi)
    assert two.sd_mg_per_dl == pytest.approx(one.sd_mg_per_dl)
    assert two.gri == pytest.approx(one.gri)


def test_the_risk_of_known_values() -> None:
    assert metrics.summary([0, 1], [50.0, 50.0]).lbgi == pytest.approx(22.50, abs=0.005)
    assert metrics.summary([0, 1], [180.0, 180.0]).hbgi == pytest.approx(7.729, abs=0.0005)


@pytest.mark.parametrize(
    ("minutes", "glucose", "said"),
    [
        ([0, 5], [100.0], "minutes and glucose are two rows of one length, got shapes (2,) and (1,)"),
        ([5, 5], [100.0, 90.0], "minutes must be two or more finite numbers that increase"),
        ([0, 5], [100.0, float("nan")], "a summary needs two readings or more, got 1"),
        ([0, 5], [100.0, 0.5], "glucose must be above 1 mg/dL, got 0.5"),
        ([0, 5, 10], [100.0, float("inf"), 90.0], "glucose holds a value that is infinite; a missing reading is NaN"),
    ],
)
def test_what_cannot_be_summarised_is_named(minutes: list[int], glucose: list[float], said: str) -> None:
    with pytest.raises(ValueError, match=r".") as told:
        metrics.summary(minutes, glucose)
    assert str(told.value) == said


def test_what_is_no_number_is_refused_in_a_sentence() -> None:
    with pytest.raises(ValueError, match=r"^minutes and glucose must hold numbers \("):
        metrics.summary([0, 5], ["low", "high"])


def test_mmol_per_l_is_mg_per_dl_over_18_016() -> None:
    in_mmol = metrics.summary_of_mmol_per_l([0, 5, 10, 15], [3.8, float("nan"), 9.9, 10.0])
    in_mg = metrics.summary([0, 5, 10, 15], [68.4608, float("nan"), 178.3584, 180.16])
    assert asdict(in_mmol) == pytest.approx(asdict(in_mg))
    assert in_mmol.time_above_180_percent == pytest.approx(100.0 / 3.0)


def test_a_difference_of_pairs_has_an_interval_that_repeats() -> None:
    before, after = [60.0, 55.0, 71.0, 64.0, 58.0], [70.0, 61.0, 80.0, 66.0, 69.0]
    one, two = metrics.paired_difference(before, after), metrics.paired_difference(before, after)
    assert one == two
    assert one.mean == pytest.approx(7.6)
    assert 2.0 <= one.low < one.mean < one.high <= 11.0
    assert metrics.paired_difference([1.0, 2.0, 3.0], [2.0, 3.0, 4.0]).low == 1.0
    with pytest.raises(ValueError, match=r"^an interval needs three pairs or more, got 2$"):
        metrics.paired_difference([1.0, 2.0], [2.0, 3.0])
