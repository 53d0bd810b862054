"""The oracle of boluses: examples that makers publish, and the laws that hold for every rule."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.therapy.calculator import AdviceRefusal, CalculatorRules, Factors, FromMeal, Proposal, proposed
from rig.therapy.exact import exact
from rig.therapy.on_board import ActionCurve, GivenDose, OnBoard, on_board, remaining_share

OMNIPOD = CalculatorRules()
EROS = Factors(sensitivity_mg_per_dl=50.0, ratio_g=15.0, target_mg_per_dl=100.0)


@pytest.mark.parametrize(
    ("factors", "carbohydrate_g", "glucose", "aboard", "meal_u", "correction_u"),
    [
        # Insulet, Omnipod 5 Technical User Guide, SmartBolus Calculator
        (Factors(50.0, 15.0, 150.0), 0.0, 200.0, (0.0, 0.0), 0.0, 1.0),
        (Factors(50.0, 15.0, 150.0), 45.0, None, (0.0, 0.0), 3.0, 0.0),
        (Factors(50.0, 10.0, 150.0), 25.0, 75.0, (0.0, 0.0), 1.0, 0.0),
        # Insulet, OmniPod UST200 User Guide, appendix: correction, reverse correction, meal
        (EROS, 0.0, 200.0, (0.0, 0.0), 0.0, 2.0),
        (EROS, 45.0, 75.0, (0.0, 0.0), 2.5, 0.0),
        # the same appendix of a later guide: examples 1 and 2, 1 U of meals and 1 U of corrections on board
        (EROS, 0.0, 150.0, (1.0, 1.0), 0.0, 0.0),
        (EROS, 45.0, 150.0, (0.0, 0.0), 3.0, 1.0),
        # its sentence: insulin of meals reduces a correction only, and to no less than 0
        (EROS, 45.0, 150.0, (5.0, 0.0), 3.0, 0.0),
    ],
)
def test_examples_of_the_omnipod_are_proposed(
    factors: Factors,
    carbohydrate_g: float,
    glucose: float | None,
    aboard: tuple[float, float],
    meal_u: float,
    correction_u: float,
) -> None:
    found = proposed(
        OMNIPOD,
        factors,
        carbohydrate_g=carbohydrate_g,
        glucose_mg_per_dl=glucose,
        on_board=OnBoard(*map(exact, aboard)),
    )
    assert found == Proposal(exact(meal_u), exact(correction_u))


@pytest.mark.parametrize(
    ("rules", "glucose", "aboard_u", "meal_u", "correction_u"),
    [
        # MiniMed, Bolus Wizard formulas: to the upper target less active insulin; below the lower one without it
        (CalculatorRules(from_meal=FromMeal.NEVER, corrects_to_upper=True), 220.0, 1.0, 4.0, 1.0),
        (CalculatorRules(from_meal=FromMeal.NEVER, corrects_to_upper=True), 80.0, 3.0, 3.6, 0.0),
        (CalculatorRules(from_meal=FromMeal.NEVER, corrects_to_upper=True), 110.0, 3.0, 4.0, 0.0),
        # Tandem: off the meal only below the target
        (CalculatorRules(from_meal=FromMeal.BELOW_TARGET), 100.0, 1.0, 4.0, 0.0),
        (CalculatorRules(from_meal=FromMeal.BELOW_TARGET), 80.0, 1.0, 2.6, 0.0),
        # YpsoPump, method 1: correction + meal - insulin on board
        (CalculatorRules(from_meal=FromMeal.ALWAYS), 200.0, 3.0, 3.0, 0.0),
        # reverse correction switched off
        (CalculatorRules(reverse_correction=False), 80.0, 0.0, 4.0, 0.0),
    ],
)
def test_rules_of_other_makers(
    rules: CalculatorRules, glucose: float, aboard_u: float, meal_u: float, correction_u: float
) -> None:
    factors = Factors(50.0, 15.0, 100.0, 120.0)
    found = proposed(
        rules,
        factors,
        carbohydrate_g=60.0,
        glucose_mg_per_dl=glucose,
        on_board=OnBoard(meal_u=exact(aboard_u)),
    )
    assert found == Proposal(exact(meal_u), exact(correction_u))


@pytest.mark.parametrize(
    ("carbohydrate_g", "glucose", "why"),
    [
        (0.0, None, AdviceRefusal.NOTHING_ASKED),
        (225.1, 100.0, AdviceRefusal.OUT_OF_RANGE),
        (-1.0, None, AdviceRefusal.OUT_OF_RANGE),
        (10.0, 19.0, AdviceRefusal.OUT_OF_RANGE),
        (10.0, 601.0, AdviceRefusal.OUT_OF_RANGE),
        (10.0, 69.0, AdviceRefusal.LOW_GLUCOSE),
    ],
)
def test_what_nothing_is_proposed_for(carbohydrate_g: float, glucose: float | None, why: AdviceRefusal) -> None:
    assert proposed(OMNIPOD, EROS, carbohydrate_g=carbohydrate_g, glucose_mg_per_dl=glucose) is why


def test_rounding_at_the_edge_of_a_step_is_exact() -> None:
    # 0.3 U is six steps of 0.05 U, in binary arithmetic five
    found = proposed(OMNIPOD, Factors(50.0, 1.0, 100.0), carbohydrate_g=0.3, glucose_mg_per_dl=None)
    assert found == Proposal(Fraction(3, 10), Fraction(0))
    tenth = CalculatorRules(steps=((2, Fraction(1, 40)), (20, Fraction(1, 20))))
    assert proposed(tenth, Factors(50.0, 1.0, 100.0), carbohydrate_g=1.999, glucose_mg_per_dl=None) == Proposal(
        Fraction("1.975"), Fraction(0)
    )
    assert proposed(tenth, Factors(50.0, 1.0, 100.0), carbohydrate_g=2.099, glucose_mg_per_dl=None) == Proposal(
        Fraction("2.05"), Fraction(0)
    )


def test_insulin_on_board_after_the_makers_examples() -> None:
    # OmniPod guides: 3 U an hour ago of 3 h: 2 U; 4.5 U two hours ago: 1.5 U
    aboard = on_board([GivenDose(7200.0, 0.0, 3.0), GivenDose(3600.0, 4.5)], now_s=10800.0, action_min=180)
    assert aboard == OnBoard(Fraction(3, 2), Fraction(2))


@pytest.mark.parametrize("curve", list(ActionCurve))
def test_every_curve_goes_from_all_to_nothing(curve: ActionCurve) -> None:
    shares = [remaining_share(minute * 60, 240, curve) for minute in range(0, 300, 5)]
    assert shares == sorted(shares, reverse=True)
    assert (shares[0], shares[48], shares[-1]) == (1, 0, 0)


GLUCOSE = st.one_of(st.none(), st.integers(70, 600).map(float))
RULES = st.builds(
    CalculatorRules, from_meal=st.sampled_from(FromMeal), reverse_correction=st.booleans(), round_each=st.booleans()
)
FACTORS = st.builds(
    Factors,
    st.integers(10, 400).map(float),
    st.integers(1, 150).map(float),
    st.integers(80, 110).map(float),
    st.integers(110, 150).map(float),
)
UNITS = st.integers(0, 4000).map(lambda n: Fraction(n, 200))


@given(RULES, FACTORS, st.integers(1, 1124), GLUCOSE, UNITS, UNITS, UNITS)
def test_more_food_never_less_and_more_on_board_never_more(
    rules: CalculatorRules,
    factors: Factors,
    fifths_g: int,
    glucose: float | None,
    meal: Fraction,
    correction: Fraction,
    more: Fraction,
) -> None:
    def total(carbohydrate_g: float, aboard: OnBoard) -> Fraction:
        found = proposed(rules, factors, carbohydrate_g=carbohydrate_g, glucose_mg_per_dl=glucose, on_board=aboard)
        assert isinstance(found, Proposal)
        assert min(found.meal_u, found.correction_u) >= 0
        return found.total_u

    aboard, food_g = OnBoard(meal, correction), fifths_g / 5.0
    least = total(food_g, aboard)
    assert total(food_g + 0.2, aboard) >= least
    assert total(food_g, OnBoard(meal + more, correction)) <= least
    assert total(food_g, OnBoard(meal, correction + more)) <= least
