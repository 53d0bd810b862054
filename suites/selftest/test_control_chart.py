"""Control charts: limits by the book, and each of Nelson's rules where it is met and nowhere else."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.analysis.control_chart import control_chart

CALM = [0.5, -0.5, 0.3, -0.4, 0.6, -0.2, 0.4, -0.6]


def _rules(values: list[float]) -> list[tuple[int, int]]:
    """What values in sigmas break, after a baseline of centre 0 and sigma 1."""
    half = 1.128 / 2.0
    baseline = [half, -half] * 10
    found = control_chart([*baseline, *values], 20).found
    return [(each.rule, each.at - 20) for each in found if each.at >= 20 and each.rule != 4]


def test_limits_of_the_handbooks_flow_rates() -> None:
    flow = [49.6, 47.6, 49.9, 51.3, 47.8, 51.2, 52.6, 52.4, 53.6, 52.1]  # NIST/SEMATECH 6.3.2.2
    chart = control_chart(flow, 10)
    assert chart.centre == pytest.approx(50.81)
    assert chart.sigma == pytest.approx(1.8778 / 1.128, rel=1e-4)
    assert chart.limits == pytest.approx((45.816, 55.804), abs=0.001)
    assert chart.found == ()


@pytest.mark.parametrize(
    ("values", "found"),
    [
        ([0.1, 3.1, 0.1], [(1, 1)]),
        ([0.2, 2.1, 2.2, -0.1], [(5, 2)]),
        ([0.2, -2.1, 0.2, -2.2], [(5, 3)]),
        ([1.2, 1.3, 0.1, 1.1, 1.2], [(6, 4)]),
        ([0.6] * 8 + [-0.2], []),  # eight on one side
        ([-0.6, -0.2, -0.1, 0.1, 0.2, 0.3], [(3, 5)]),
    ],
)
def test_a_rule_is_told_at_the_value_that_completes_it(values: list[float], found: list[tuple[int, int]]) -> None:
    assert [each for each in _rules(values) if each[0] != 7] == found


def test_nine_on_one_side() -> None:
    assert (2, 8) in _rules([0.6, 0.7, 0.5, 0.8, 0.6, 0.7, 0.5, 0.6, 0.7])


def test_fifteen_near_the_centre_and_eight_far_from_it() -> None:
    assert (7, 14) in _rules([0.5, -0.5, 0.4] * 5)
    assert (8, 7) in _rules([1.5, -1.5, 1.4, -1.6] * 2)


def test_fourteen_up_and_down() -> None:
    chart = control_chart([0.0, 1.0] * 7, 5)
    assert [(each.rule, each.at) for each in chart.found if each.rule == 4] == [(4, 13)]


def test_a_baseline_without_spread_calls_any_other_value_out_of_control() -> None:
    chart = control_chart([2.0] * 6 + [2.0, 2.1], 6)
    assert chart.sigma == 0.0
    assert (1, 7) in [(each.rule, each.at) for each in chart.found]
    assert not any(each.at < 7 and each.rule == 1 for each in chart.found)


@given(
    values=st.lists(st.integers(-50, 50).map(float), min_size=8, max_size=40),
    scale=st.sampled_from([0.5, 2.0, 8.0]),
)  # fmt: skip
def test_rules_do_not_depend_on_the_unit(values: list[float], scale: float) -> None:
    one, two = control_chart(values, 8), control_chart(np.array(values) * scale, 8)
    assert one.found == two.found
    mirrored = control_chart([-value for value in values], 8)
    assert [(each.rule, each.at) for each in mirrored.found] == [(each.rule, each.at) for each in one.found]


@pytest.mark.parametrize(
    ("values", "baseline"), [([1.0] * 4, 4), ([1.0] * 8, 9), ([1.0] * 8, 4), ([1.0, float("nan")] * 4, 5)]
)
def test_what_gives_no_chart_is_refused(values: list[float], baseline: int) -> None:
    with pytest.raises(ValueError, match=r"baseline has 5 values or more|row of finite numbers"):
        control_chart(values, baseline)
