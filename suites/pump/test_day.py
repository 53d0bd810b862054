"""A day of a person's life on the pump, hour by hour against the programme."""

import pytest

from rig.procedures.day import NEEDS, DayPlan, Eating, Moment, Person, live_a_day
from rig.roles import Bench
from rig.therapy import BasalSegment, Meal, TemporaryRate
from rig.verification import Verification

ADULT = Person(
    profile=(  # less at night, a rise at dawn, an ordinary day, less in the evening
        BasalSegment(240, 0.6),
        BasalSegment(240, 1.2),
        BasalSegment(720, 0.9),
        BasalSegment(240, 0.75),
    ),
    sensitivity_mg_per_dl=50.0,
    carbohydrate_ratio_g=10.0,
    target_mg_per_dl=110.0,
)
CHILD = Person(
    profile=(BasalSegment(300, 0.3), BasalSegment(240, 0.5), BasalSegment(900, 0.4)),
    sensitivity_mg_per_dl=120.0,
    carbohydrate_ratio_g=25.0,
    target_mg_per_dl=120.0,
)
PLANS = [
    pytest.param(
        DayPlan(
            "a day of an adult",
            ADULT,
            (
                Moment(450, Eating(Meal(carbohydrate_g=60.0, glucose_mg_per_dl=140.0))),  # breakfast in one spike
                Moment(750, Eating(Meal(carbohydrate_g=70.0))),
                Moment(960, TemporaryRate(90, factor=0.5)),  # sport
                Moment(1140, Eating(Meal(carbohydrate_g=40.0), extended_share=0.6, duration_min=180)),  # protein
                Moment(1380, Eating(Meal(glucose_mg_per_dl=260.0))),  # correction
            ),
        ),
        id="adult",
        marks=pytest.mark.requirement("PR-D8.1", "PR-H3.2"),
    ),
    pytest.param(
        DayPlan(
            "a day of a child",
            CHILD,
            (
                Moment(420, Eating(Meal(carbohydrate_g=45.0, glucose_mg_per_dl=180.0))),
                Moment(600, Eating(Meal(carbohydrate_g=15.0))),
                Moment(720, Eating(Meal(carbohydrate_g=50.0), extended_share=0.5, duration_min=120)),
                Moment(900, TemporaryRate(120, rate_u_per_h=0.1)),
                Moment(1110, Eating(Meal(carbohydrate_g=45.0, glucose_mg_per_dl=90.0))),
            ),
        ),
        id="child",
        marks=pytest.mark.requirement("PR-D8.2", "PR-H3.2"),
    ),
]


@pytest.mark.parametrize("plan", PLANS)
def test_day(bench: Bench, verification: Verification, plan: DayPlan) -> None:
    """A day with meals, sport and a correction, weighed hour by hour and reconciled with log and reservoir."""
    verification.need(bench.pump, *NEEDS)
    verification.verify(live_a_day(bench, verification.record, plan))
