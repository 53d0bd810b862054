"""A day of a person's life on the pump, hour by hour against the programme."""

import pytest

from rig.procedures.day import Day
from rig.run.verification import Verification

ADULT = Day.model_validate(
    {
        "called": "a day of an adult",
        "person": "an adult",
        # less at night, a rise at dawn, an ordinary day, less in the evening
        "profile": ["00:00 0.6 U/h", "04:00 1.2 U/h", "08:00 0.9 U/h", "20:00 0.75 U/h"],
        "sensitivity": "50 mg/dL",
        "ratio": "10 g",
        "target": "110 mg/dL",
        "eat": [
            {"at": "07:30", "carbohydrates": "60 g", "glucose": "140 mg/dL"},  # breakfast in one spike
            {"at": "12:30", "carbohydrates": "70 g"},
            {"at": "19:00", "carbohydrates": "40 g", "extended": "60 %", "over": "180 min"},  # protein
            {"at": "23:00", "glucose": "260 mg/dL"},  # correction
        ],
        "exercise": [{"at": "16:00", "rate": "50 %", "duration": "90 min"}],
    }
)
CHILD = Day.model_validate(
    {
        "called": "a day of a child",
        "person": "a child",
        "profile": ["00:00 0.3 U/h", "05:00 0.5 U/h", "09:00 0.4 U/h"],
        "sensitivity": "120 mg/dL",
        "ratio": "25 g",
        "target": "120 mg/dL",
        "eat": [
            {"at": "07:00", "carbohydrates": "45 g", "glucose": "180 mg/dL"},
            {"at": "10:00", "carbohydrates": "15 g"},
            {"at": "12:00", "carbohydrates": "50 g", "extended": "50 %", "over": "120 min"},
            {"at": "18:30", "carbohydrates": "45 g", "glucose": "90 mg/dL"},
        ],
        "exercise": [{"at": "15:00", "rate": "0.1 U/h", "duration": "120 min"}],
    }
)


@pytest.mark.parametrize("day", [ADULT, CHILD], ids=["adult", "child"])
def test_day(verification: Verification, day: Day) -> None:
    """A day with meals, sport and a correction, weighed hour by hour and reconciled with log and reservoir."""
    verification.measure(day)
