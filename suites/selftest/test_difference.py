"""Difference of two groups' means: hand-checked numbers, and laws."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import ttest_ind

from rig.analysis.difference import Basis, Stated, difference_of_means

numbers = st.floats(-1e3, 1e3).map(lambda x: round(x, 6))
groups = st.lists(st.builds(Stated, numbers, st.floats(0, 10).map(lambda x: round(x, 6))), min_size=1, max_size=5)


def test_own_uncertainties_of_two_values_add_in_squares() -> None:
    found = difference_of_means([Stated(1.0, 0.3)], [Stated(11.0, 0.4)])
    assert (found.difference, found.expanded) == (10.0, pytest.approx(0.5))  # 0.3² + 0.4² = 0.5²
    assert (found.basis, found.degrees_of_freedom, found.zero_inside) == (Basis.UNCERTAINTIES, None, False)


def test_a_shared_source_cancels_but_for_its_difference() -> None:
    a, b = Stated(0.0, 0.5, {"balance": 0.4}), Stated(0.0, 0.5, {"balance": 0.44})
    found = difference_of_means([a], [b])
    # Own: 0.25 − 0.16 and 0.25 − 0.1936; shared: 0.04².
    assert found.expanded == pytest.approx(math.sqrt(0.09 + 0.0564 + 0.0016))
    other = difference_of_means([a], [Stated(0.0, 0.5, {"another balance": 0.44})])
    assert other.expanded == pytest.approx(math.sqrt(0.5)), "what is not shared does not cancel"


def test_a_source_that_moves_two_values_against_each_other_adds() -> None:
    a, b = Stated(0.0, 0.4, {"balance": 0.4}), Stated(0.0, 0.4, {"balance": -0.4})
    assert difference_of_means([a], [b]).expanded == pytest.approx(0.8)


def test_the_scatter_of_two_groups_is_welchs() -> None:
    found = difference_of_means([Stated(v, 0.01) for v in (1.0, 3.0)], [Stated(v, 0.01) for v in (10.0, 11.0, 12.0)])
    # s² = 2 and 1; s²/n = 1 and 1/3; ν = (4/3)²/(1²/1 + (1/3)²/2) = 32/19.
    # t(0.97725; 32/19) = 5.4875, by integrating its density.
    assert found.difference == 9.0
    assert found.degrees_of_freedom == pytest.approx(32 / 19)
    assert found.expanded == pytest.approx(5.487484 * math.sqrt(4 / 3), rel=1e-6)
    assert (found.basis, found.zero_inside) == (Basis.SCATTER, False)


def test_scatter_does_not_know_that_two_groups_were_weighed_on_two_balances() -> None:
    a = [Stated(v, 1.0, {"balance 1": 0.9}) for v in (0.0, 0.1)]
    b = [Stated(v, 1.0, {"balance 2": 0.9}) for v in (0.0, 0.1)]
    assert difference_of_means(a, b).expanded > math.hypot(0.9, 0.9)
    same = [Stated(v, 1.0, {"balance 1": 0.9}) for v in (0.0, 0.1)]
    # s²/n = 0.005/2 in each, ν = 2, t(0.97725; 2) = p √(2/(1 − p²)) with p = 0.9545.
    assert difference_of_means(a, same).expanded == pytest.approx(4.526551 * math.sqrt(0.005), rel=1e-6)


@pytest.mark.parametrize(("a", "b", "inside"), [(0.0, 0.0, True), (0.0, 1.0, False)])
def test_counts_that_never_scatter_have_no_uncertainty_and_divide_by_nothing(a: float, b: float, inside: bool) -> None:
    found = difference_of_means([Stated(a, 0.0)] * 3, [Stated(b, 0.0)] * 3)
    assert (found.difference, found.expanded, found.zero_inside) == (b - a, 0.0, inside)
    assert found.basis is Basis.UNCERTAINTIES


def test_values_that_never_scatter_keep_their_own_uncertainty() -> None:
    found = difference_of_means([Stated(1.0, 0.2)] * 2, [Stated(1.0, 0.2)] * 2)
    assert found.expanded == pytest.approx(math.sqrt(4 * 0.04 / 4))


def test_welch_is_scipys() -> None:
    a, b = (1.0, 1.5, 2.5, 2.0), (3.0, 3.1, 2.7)
    found = difference_of_means([Stated(v, 0.0) for v in a], [Stated(v, 0.0) for v in b])
    peer = ttest_ind(b, a, equal_var=False)
    interval = peer.confidence_interval(0.9545)
    assert found.degrees_of_freedom == pytest.approx(peer.df)
    assert (found.difference - found.expanded, found.difference + found.expanded) == pytest.approx(tuple(interval))


@given(groups, groups)
def test_every_difference_is_finite_and_changes_its_sign_with_the_groups(a: list[Stated], b: list[Stated]) -> None:
    forth, back = difference_of_means(a, b), difference_of_means(b, a)
    assert math.isfinite(forth.expanded)
    assert forth.expanded >= 0.0
    assert back.difference == -forth.difference
    assert back.expanded == pytest.approx(forth.expanded, rel=1e-9, abs=1e-12)


@given(groups.flatmap(lambda group: st.tuples(st.just(group), st.permutations(group))), groups)
def test_the_order_within_a_group_does_not_matter(a: tuple[list[Stated], list[Stated]], b: list[Stated]) -> None:
    assert difference_of_means(a[0], b) == difference_of_means(a[1], b)


def test_sources_that_make_up_more_than_the_whole_are_refused() -> None:
    with pytest.raises(ValueError, match="more than the whole"):
        Stated(0.0, 0.1, {"balance": 0.2})
    with pytest.raises(ValueError, match="each group needs a value"):
        difference_of_means([], [Stated(0.0, 0.1)])
