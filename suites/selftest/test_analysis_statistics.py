"""Success runs, tolerance intervals, variance components and conditions against published and hand-worked values."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.optimize import brentq
from scipy.special import ndtr
from scipy.stats import chi, norm

from rig.analysis.conditions import Condition, Influence, condition_table
from rig.analysis.success_run import confidence_shown, reliability_shown, trials_needed
from rig.analysis.tolerance import (
    IntervalMethod,
    Sides,
    one_sided_k,
    order_statistics_n,
    tolerance_interval,
    two_sided_k,
    values_needed,
)
from rig.analysis.variance_components import variance_components

FRACTION = st.floats(0.05, 0.99)


def normal_looking(n: int) -> np.ndarray:
    """Make n values at equal steps of the normal distribution: no test finds anything against them."""
    return np.asarray(norm.ppf((np.arange(n) + 0.5) / n))


def skewed(n: int) -> np.ndarray:
    """Make n values, 1 … 2^(n/8) in geometric steps, far from normal."""
    return 2.0 ** (np.arange(n) / 8.0)


# ------------------------------------------------------------------ success runs


@pytest.mark.parametrize(("failures", "trials"), [(0, 59), (1, 93), (2, 124)])
def test_95_95_needs_the_trials_of_the_tables(failures: int, trials: int) -> None:
    assert trials_needed(confidence=0.95, reliability=0.95, failures=failures) == trials


def test_a_success_run_is_a_power_of_the_reliability() -> None:
    assert trials_needed(confidence=0.9, reliability=0.9) == math.ceil(math.log(0.1) / math.log(0.9)) == 22
    assert confidence_shown(3, 0, reliability=0.5) == pytest.approx(7 / 8)
    assert confidence_shown(3, 1, reliability=0.5) == pytest.approx(1 / 2)


@given(FRACTION, FRACTION, st.integers(0, 5))
def test_the_trials_needed_are_enough_and_one_fewer_is_not(
    confidence: float, reliability: float, failures: int
) -> None:
    n = trials_needed(confidence=confidence, reliability=reliability, failures=failures)
    assert confidence_shown(n, failures, reliability=reliability) >= confidence
    assert n == failures + 1 or confidence_shown(n - 1, failures, reliability=reliability) < confidence


@given(st.integers(1, 500), FRACTION, st.data())
def test_the_reliability_shown_is_shown_with_just_that_confidence(
    n: int, confidence: float, data: st.DataObject
) -> None:
    failures = data.draw(st.integers(0, n - 1))
    reliability = reliability_shown(n, failures, confidence=confidence)
    assert confidence_shown(n, failures, reliability=reliability) == pytest.approx(confidence, rel=1e-6)


@pytest.mark.parametrize("wrong", [0.0, 1.0, 95.0, math.nan])
def test_confidence_and_reliability_are_fractions(wrong: float) -> None:
    with pytest.raises(ValueError, match="confidence must"):
        trials_needed(confidence=wrong, reliability=0.95)
    with pytest.raises(ValueError, match="reliability must"):
        trials_needed(confidence=0.95, reliability=wrong)


def test_failures_fit_into_trials() -> None:
    with pytest.raises(ValueError, match=r"4 failures in 3 trials"):
        reliability_shown(3, 4, confidence=0.95)
    assert reliability_shown(3, 3, confidence=0.95) == 0.0


# ------------------------------------------------------------------ tolerance intervals


@pytest.mark.parametrize(("n", "k"), [(10, 2.911), (30, 2.220), (50, 2.065)])
def test_the_one_sided_factors_for_95_95_are_those_of_the_tables(n: int, k: float) -> None:
    assert one_sided_k(n) == pytest.approx(k, abs=5e-4)


# ISO 16269-6:2014, Annex F, one sample: coverage, confidence, n and the factor, rounded up to its last digit.
ISO_FACTORS = [
    (0.90, 0.90, 2, 15.5124),
    (0.90, 0.90, 35, 1.9906),
    (0.95, 0.90, 9, 3.1323),
    (0.99, 0.90, 300, 2.7249),
    (0.90, 0.95, 16, 2.4486),
    (0.95, 0.95, 5, 5.0769),
    (0.95, 0.95, 10, 3.3935),
    (0.95, 0.95, 26, 2.6188),
    (0.95, 0.95, 90, 2.2519),
    (0.95, 0.95, 1000, 2.0362),
    (0.99, 0.95, 3, 12.6472),
    (0.90, 0.99, 80, 2.0282),
    (0.95, 0.99, 2, 182.7201),
    (0.99, 0.99, 15, 4.6212),
]


@pytest.mark.parametrize(("coverage", "confidence", "n", "printed"), ISO_FACTORS)
def test_the_two_sided_factors_are_those_that_iso_16269_6_prints(
    coverage: float, confidence: float, n: int, printed: float
) -> None:
    assert 0.0 <= printed - two_sided_k(n, confidence=confidence, coverage=coverage) < 1e-4


# Meeker, Hahn and Escobar, Statistical Intervals, 2nd edition, tables J.5a and J.5b: shares that ISO does not print.
@pytest.mark.parametrize(
    ("coverage", "confidence", "n", "printed"),
    [
        (0.5, 0.5, 2, 1.243),
        (0.5, 0.99, 2, 68.316),
        (0.5, 0.8, 20, 0.816),
        (0.7, 0.95, 12, 1.690),
        (0.8, 0.99, 60, 1.641),
        (0.95, 0.95, 30, 2.555),
        (0.95, 0.5, 10, 2.124),
        (0.99, 0.8, 480, 2.652),
    ],
)
def test_the_two_sided_factors_are_those_of_a_book_too(
    coverage: float, confidence: float, n: int, printed: float
) -> None:
    assert two_sided_k(n, confidence=confidence, coverage=coverage) == pytest.approx(printed, abs=5.1e-4)


def attained_confidence(k: float, n: int, coverage: float) -> float:
    """Integrate over the SD instead of the mean: the chance that mean ± k sd of n normal values holds the coverage."""

    def holds(sd: float) -> float:
        reach = k * sd
        if math.erf(reach / math.sqrt(2.0)) < coverage:
            return 0.0
        off_centre = brentq(lambda x: ndtr(x + reach) - ndtr(x - reach) - coverage, 0.0, reach + 10.0, xtol=1e-12)
        return math.erf(off_centre * math.sqrt(n / 2.0)) * float(chi.pdf(sd * math.sqrt(n - 1), n - 1))

    least = float(norm.ppf((1.0 + coverage) / 2.0)) / k
    most = float(chi.ppf(1.0 - 1e-13, n - 1)) / math.sqrt(n - 1)
    ends = np.linspace(least, max(least, most), 5)
    return math.sqrt(n - 1) * sum(float(quad(holds, a, b, epsabs=1e-9)[0]) for a, b in pairwise(ends))


@settings(max_examples=10, deadline=None)
@given(st.integers(2, 60), st.floats(0.5, 0.99), st.floats(0.3, 0.99))
def test_the_confidence_asked_for_is_the_confidence_attained(n: int, confidence: float, coverage: float) -> None:
    k = two_sided_k(n, confidence=confidence, coverage=coverage)
    assert attained_confidence(k, n, coverage) == pytest.approx(confidence, abs=1e-6)


@pytest.mark.parametrize(("margin", "n"), [(2.3, 71), (2.5, 35), (2.6, 28), (3.39, 11), (3.394, 10)])
def test_the_values_needed_for_95_95_follow_from_the_exact_factor(margin: float, n: int) -> None:
    assert values_needed(margin=margin, sd=1.0) == n


@given(st.integers(2, 200), FRACTION, FRACTION)
def test_more_values_confidence_or_coverage_move_the_factor_the_right_way(n: int, low: float, high: float) -> None:
    low, high = sorted((low, high))
    assert two_sided_k(n + 1, confidence=0.95) < two_sided_k(n, confidence=0.95)
    assert two_sided_k(n, confidence=low) <= two_sided_k(n, confidence=high)
    assert one_sided_k(n, coverage=low) <= one_sided_k(n, coverage=high) + 1e-9


def test_normal_values_get_mean_plus_and_minus_k_sd() -> None:
    interval = tolerance_interval(5.0 + 2.0 * normal_looking(30))
    assert interval.method is IntervalMethod.NORMAL
    assert interval.mean == pytest.approx(5.0)
    assert interval.k == two_sided_k(30)
    assert (
        (interval.high - 5.0) / interval.sd
        == pytest.approx(interval.k)
        == pytest.approx((5.0 - interval.low) / interval.sd)
    )


def test_a_one_sided_interval_is_open_on_its_other_side() -> None:
    upper = tolerance_interval(normal_looking(10), sides=Sides.UPPER)
    lower = tolerance_interval(normal_looking(10), sides=Sides.LOWER)
    assert (upper.low, lower.high) == (-math.inf, math.inf)
    assert upper.high == pytest.approx(one_sided_k(10) * upper.sd) == pytest.approx(-lower.low)


@pytest.mark.parametrize(("sides", "n"), [(Sides.TWO, 93), (Sides.UPPER, 59)])
def test_values_that_are_not_normal_need_what_wilks_says(sides: Sides, n: int) -> None:
    assert order_statistics_n(sides=sides) == n
    interval = tolerance_interval(skewed(n), sides=sides)
    assert (interval.method, interval.k, interval.high) == (IntervalMethod.ORDER_STATISTICS, None, skewed(n)[-1])
    assert interval.confidence >= 0.95
    with pytest.raises(ValueError, match=rf"need {n} values .* got {n - 1}$"):
        tolerance_interval(skewed(n - 1), sides=sides)


def test_many_values_let_order_statistics_leave_out_the_outermost() -> None:
    # n = 93, 124, 153 are the least for the first, and 124 one-sided for the third value from the end (95/95).
    assert tolerance_interval(skewed(124), sides=Sides.UPPER).high == skewed(124)[-3]
    assert tolerance_interval(skewed(123), sides=Sides.UPPER).high == skewed(123)[-2]


def test_equal_values_are_not_called_normal() -> None:
    assert tolerance_interval([3.0] * 100).method is IntervalMethod.ORDER_STATISTICS


@given(st.floats(-100, 100), st.floats(0.01, 100), st.sampled_from([normal_looking(20), skewed(100)]))
def test_an_interval_shifts_and_stretches_with_its_values(shift: float, stretch: float, values: np.ndarray) -> None:
    plain, moved = tolerance_interval(values), tolerance_interval(shift + stretch * values)
    assert moved.low == pytest.approx(shift + stretch * plain.low, rel=1e-6, abs=1e-6)
    assert moved.high == pytest.approx(shift + stretch * plain.high, rel=1e-6, abs=1e-6)


@pytest.mark.parametrize("sides", list(Sides))
def test_95_95_intervals_hold_95_percent_of_all_in_95_percent_of_studies(sides: Sides) -> None:
    rng, studies = np.random.default_rng(7), 1500
    k = two_sided_k(12) if sides is Sides.TWO else one_sided_k(12)
    values = rng.normal(size=(studies, 12))
    mean, sd = values.mean(axis=1), values.std(axis=1, ddof=1)
    low = np.full(studies, -np.inf) if sides is Sides.UPPER else mean - k * sd
    high = np.full(studies, np.inf) if sides is Sides.LOWER else mean + k * sd
    held = int((norm.cdf(high) - norm.cdf(low) >= 0.95).sum())
    assert 0.93 <= held / studies <= 0.97


@given(st.floats(0.5, 20), st.floats(0.01, 5), st.sampled_from(list(Sides)))
def test_the_values_needed_are_enough_and_one_fewer_is_not(margin: float, sd: float, sides: Sides) -> None:
    factor: Callable[[int], float] = two_sided_k if sides is Sides.TWO else one_sided_k
    n = values_needed(margin=margin, sd=sd, sides=sides)
    if n is None:
        assert factor(100_000) * sd > margin
    else:
        assert factor(n) * sd <= margin
        assert n == 2 or factor(n - 1) * sd > margin


def test_values_that_are_no_numbers_are_named() -> None:
    with pytest.raises(ValueError, match="values must be finite, got nan at index 1"):
        tolerance_interval([1.0, math.nan, 2.0])
    with pytest.raises(ValueError, match="values is too short"):
        tolerance_interval([1.0, 2.0])


# ------------------------------------------------------------------ variance components


def test_equal_groups_give_the_components_worked_by_hand() -> None:
    result = variance_components([1, 3, 5, 7, 11, 13, 15, 17], pumps="aaaabbbb", sets="xxyyxxyy")
    components = (result.pump, result.set, result.run)
    assert [component.degrees_of_freedom for component in components] == [1, 2, 4]
    assert [component.mean_square for component in components] == pytest.approx([200, 16, 2])
    assert [component.variance for component in components] == pytest.approx([46, 7, 2])
    assert result.total_sd == pytest.approx(math.sqrt(55))
    assert result.mean == 9.0


def test_unequal_groups_give_the_components_worked_by_hand() -> None:
    result = variance_components([0, 2, 4, 6, 10, 12, 14], pumps="aaaabbb", sets="xxxyxyy")
    assert [each.mean_square for each in (result.pump, result.set, result.run)] == pytest.approx(
        [float(Fraction(972, 7)), 9, float(Fraction(10, 3))]
    )
    assert [each.estimate for each in (result.pump, result.set, result.run)] == pytest.approx(
        [float(Fraction(223, 6)), 4, float(Fraction(10, 3))]
    )


def test_a_negative_estimate_is_told_and_counts_as_no_variance() -> None:
    result = variance_components([0, 10, 0, 10, 0, 10, 0, 10], pumps="aaaabbbb", sets="xxyyxxyy")
    assert result.set.estimate == pytest.approx(-25.0)
    assert (result.set.variance, result.pump.variance, result.run.share_percent) == (0.0, 0.0, 100.0)


LAYOUTS = st.lists(st.lists(st.integers(1, 4), min_size=1, max_size=3), min_size=2, max_size=4).filter(
    lambda layout: any(len(sets) > 1 for sets in layout) and any(n > 1 for sets in layout for n in sets)
)


@given(LAYOUTS, st.integers(0, 2**31), st.floats(-50, 50), st.floats(0.1, 10))
def test_components_ignore_a_shift_and_the_order_and_grow_with_the_square_of_the_scale(
    layout: list[list[int]], seed: int, shift: float, scale: float
) -> None:
    rng = np.random.default_rng(seed)
    labels = [(p, s) for p, sets in enumerate(layout) for s, n in enumerate(sets) for _ in range(n)]
    values = rng.normal(size=len(labels))
    order = rng.permutation(len(labels))
    plain = variance_components(values, pumps=[p for p, _ in labels], sets=[s for _, s in labels])
    moved = variance_components(
        shift + scale * values[order], pumps=[labels[i][0] for i in order], sets=[labels[i][1] for i in order]
    )
    for before, after in ((plain.pump, moved.pump), (plain.set, moved.set), (plain.run, moved.run)):
        assert after.estimate == pytest.approx(scale**2 * before.estimate, rel=1e-6, abs=1e-6 * scale**2)
        assert after.degrees_of_freedom == before.degrees_of_freedom


def test_the_estimates_are_right_on_average_for_unequal_groups() -> None:
    rng = np.random.default_rng(3)
    sizes = [(0, 0, 3), (0, 1, 1), (1, 0, 2), (1, 1, 2), (1, 2, 1), (2, 0, 4), (3, 0, 1), (3, 1, 3)]
    pumps = [p for p, _, n in sizes for _ in range(n)]
    sets = [s for _, s, n in sizes for _ in range(n)]
    of_set = [i for i, (_, _, n) in enumerate(sizes) for _ in range(n)]
    studies = [
        variance_components(
            3.0 * rng.normal(size=4)[pumps] + 2.0 * rng.normal(size=8)[of_set] + rng.normal(size=17),
            pumps=pumps,
            sets=sets,
        )
        for _ in range(3000)
    ]
    found = np.array([[each.pump.estimate, each.set.estimate, each.run.estimate] for each in studies])
    spread = found.std(axis=0) / math.sqrt(len(studies))
    assert np.all(np.abs(found.mean(axis=0) - [9.0, 4.0, 1.0]) < 4.0 * spread)


@pytest.mark.parametrize(
    ("pumps", "sets"), [("aaaa", "xxyy"), ("aabb", "xxxx"), ("aabb", "xyxy")], ids=["one pump", "one set", "one run"]
)
def test_levels_that_cannot_be_told_apart_are_refused(pumps: str, sets: str) -> None:
    with pytest.raises(ValueError, match="at least 2 pumps, one with 2 sets, and a set with 2 runs are needed"):
        variance_components([1, 2, 3, 4], pumps=pumps, sets=sets)


def test_every_value_has_a_pump_and_a_set() -> None:
    with pytest.raises(ValueError, match="equally long, got 3, 2 and 3"):
        variance_components([1, 2, 3], pumps="ab", sets="xyz")


# ------------------------------------------------------------------ conditions


def test_each_condition_stands_beside_the_nominal_in_order() -> None:
    table = condition_table(
        [-1.0, 0.0, 1.0],
        [
            Condition(Influence.TEMPERATURE, 40.0, [2.0, 4.0]),
            Condition(Influence.BACK_PRESSURE, 13.33, [-3.0, -1.0]),
            Condition(Influence.BACK_PRESSURE, -13.33, [0.0, 0.5]),
        ],
    )
    assert [(row.influence, row.setting) for row in table.rows] == [
        (Influence.BACK_PRESSURE, -13.33),
        (Influence.BACK_PRESSURE, 13.33),
        (Influence.TEMPERATURE, 40.0),
    ]
    assert [(row.min_percent, row.mean_percent, row.max_percent) for row in table.rows] == [
        (0.0, 0.25, 0.5),
        (-3.0, -2.0, -1.0),
        (2.0, 3.0, 4.0),
    ]
    assert [row.shift_percent for row in table.rows] == [0.25, -2.0, 3.0]
    assert [row.beyond_nominal_percent for row in table.rows] == [0.0, 2.0, 3.0]
    assert (table.min_percent, table.max_percent) == (-3.0, 4.0)


ERRORS = st.lists(st.floats(-100, 100), min_size=1, max_size=9)


@given(ERRORS, ERRORS, st.floats(-50, 50))
def test_a_shift_of_all_errors_shifts_the_table_and_changes_no_difference(
    nominal: list[float], errors: list[float], shift: float
) -> None:
    def table(offset: float) -> tuple[float, float, float, float]:
        moved = condition_table(np.array(nominal) + offset, [Condition(Influence.HEAD, 0.5, np.array(errors) + offset)])
        (row,) = moved.rows
        return row.shift_percent, row.beyond_nominal_percent, row.min_percent - offset, moved.max_percent - offset

    assert table(shift) == pytest.approx(table(0.0), abs=1e-9)


def test_a_condition_with_bad_errors_or_twice_is_named() -> None:
    with pytest.raises(ValueError, match=r"errors at head 0\.5 m must be finite, got nan at index 1"):
        condition_table([0.0], [Condition(Influence.HEAD, 0.5, [1.0, math.nan])])
    with pytest.raises(ValueError, match=r"the condition viscosity 1 mPa·s stands twice"):
        condition_table([0.0], [Condition(Influence.VISCOSITY, 1.0, [1.0])] * 2)
