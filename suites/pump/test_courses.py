"""Courses of commands: limits, stops, pauses and several deliveries at once, each answer compared and all weighed."""

import pytest

from rig.procedures.course import Course
from rig.run.verification import Verification

OUT_OF_RANGE = "-> parameter out of range"
TOO_MANY = "-> maximum number of boluses reached"
NOT_NOW = "-> procedure not applicable"
IMPLAUSIBLE = "-> plausibility check failed"


def _half_hours() -> list[str]:
    """A profile of 48 different rates, high beside low, weighed in each half-hour and for an hour of the next day."""
    rates = [round(0.05 * (1 + 19 * n % 48), 2) for n in range(48)]
    blocks = ", ".join(f"{n // 2:02d}:{30 * (n % 2):02d} {rate} U/h" for n, rate in enumerate(rates))
    weighed = [f"weigh 30 min: {rate / 2:.4g} U" for rate in [*rates, *rates[:2]]]
    return ["clock 2026-01-01 00:00", f"profile {blocks}", "run", *weighed]


COURSES = {
    "a lowered bolus maximum": [
        "set largest bolus to 2 U",
        "run",
        f"bolus 2.025 U {OUT_OF_RANGE}",
        f"bolus 1 U + 1.025 U over 30 min {OUT_OF_RANGE}",
        f"bolus 2.025 U over 30 min {OUT_OF_RANGE}",
        "weigh 5 min: 0 U",
        "bolus 2 U",
        "weigh 3 min: 2 U",
        "bolus 1 U + 0.5 U over 15 min",
        "weigh 17 min: 1.5 U",
    ],
    "boluses that cannot be given": [
        f"bolus 1 U {NOT_NOW}",  # therapy is stopped
        "weigh 3 min: 0 U",
        "run",
        f"bolus 25.5 U {OUT_OF_RANGE}",
        f"bolus 30 U {OUT_OF_RANGE}",
        "weigh 3 min: 0 U",
        "bolus 1 U",
        f"bolus 0.5 U {TOO_MANY}",
        "weigh 3 min: 1 U",
        "pause",
        "weigh 3 min: 0 U",
    ],
    "a lowered basal maximum": [
        "set highest basal to 1 U/h",
        f"basal 1.025 U/h {OUT_OF_RANGE}",
        f"profile 00:00 0.5 U/h, 12:00 1.5 U/h {OUT_OF_RANGE}",
        "basal 1 U/h",
        "run",
        f"temporary 1.5 U/h for 30 min {OUT_OF_RANGE}",
        f"temporary 200 % for 30 min {OUT_OF_RANGE}",
        "weigh 30 min: 0.5 U",
    ],
    "the most in an hour": [
        "set most in an hour to 1 U",
        "run",
        "bolus 0.8 U",
        "weigh 2 min: 0.8 U",
        "bolus 0.8 U",
        "weigh 2 min: 0.2 U",
        "annunciated: maximum delivery",
        "confirm",
        "wait 50 min",
        "run",
        "bolus 0.3 U",
        "weigh 2 min: 0 U",
        "annunciated: maximum delivery",
        "confirm",
        "wait 15 min",
        "run",
        "bolus 0.5 U",
        "weigh 2 min: 0.5 U",
    ],
    "the most in a day": [
        "set most in a day to 5 U",
        "clock 2026-01-01 23:55",
        "run",
        "bolus 3 U",
        "weigh 4 min: 3 U",
        "bolus 3 U",
        "weigh 5 min: 2 U",
        "annunciated: maximum delivery",
        "confirm",
        "run",
        "bolus 0.5 U",
        "weigh 3 min: 0 U",
    ],
    "profiles that do not fill a day": [
        "basal 1 U/h",
        "run",
        f"blocks 720 min 2 U/h {IMPLAUSIBLE}",
        f"blocks 720 min 2 U/h, 780 min 2 U/h {IMPLAUSIBLE}",
        "weigh 30 min: 0.5 U",
    ],
    "a cancelled extended bolus": [
        "run",
        "bolus 2 U over 30 min",
        "weigh 15 min: 1 U",
        "cancel bolus",
        "weigh 20 min: 0 U",
        f"cancel bolus {NOT_NOW}",
        "bolus 1 U + 1 U over 30 min",
        "weigh 15 min: 1.5 U",
        "cancel bolus",
        "weigh 20 min: 0 U",
    ],
    "a fast bolus that is stopped or cancelled": [
        "run",
        "bolus 3 U",
        "wait 58 s",
        "stop",
        "weigh 10 min: 1.475 U",
        "run",
        "weigh 10 min: 0 U",
        "bolus 2 U",
        "wait 28 s",
        "cancel bolus",
        "weigh 15 min: 0.725 U",
    ],
    "a paused and a stopped basal rate": [
        "basal 2 U/h",
        "run",
        "weigh 30 min: 1 U",
        "pause",
        "weigh 30 min: 0 U",
        "run",
        "weigh 30 min: 2 U",
        "stop",
        "weigh 30 min: 0 U",
        "run",
        "weigh 30 min: 1 U",
    ],
    "a stop in every state": [
        "run",
        "bolus 1 U after 15 min",
        "wait 5 min",
        "stop",
        "run",
        "weigh 20 min: 0 U",
        "basal 1 U/h",
        "temporary 200 % for 60 min",
        "weigh 15 min: 0.5 U",
        "stop",
        "run",
        "weigh 15 min: 0.25 U",
        "stop",
        "prime 5 U",
        "wait 20 s",
        "stop",
        "weigh 5 min: 1.025 U",
    ],
    "temporary rates from nothing to the highest": [
        "basal 1 U/h",
        "run",
        "temporary 0 % for 60 min",
        "weigh 60 min: 0 U",
        "weigh 30 min: 0.5 U",
        "temporary 250 % for 30 min",
        "weigh 30 min: 1.25 U",
        "temporary 0.1 U/h for 60 min",
        "weigh 60 min: 0.1 U",
        "temporary 200 % for 60 min",
        "wait 15 min",
        "end temporary",
        "weigh 15 min: 0.75 U",
        "stop",
        "profile 00:00 0.4 U/h, 12:00 2 U/h",
        "clock 2026-01-01 11:45",
        "run",
        "temporary 150 % for 30 min",
        "weigh 30 min: 0.9 U",
    ],
    "several deliveries at once": [
        "basal 1 U/h",
        "run",
        "temporary 150 % for 60 min",
        "bolus 2 U over 60 min",
        "bolus 1 U",
        "weigh 6 min: 1.35 U",
        f"bolus 1 U + 1 U over 30 min {TOO_MANY}",
        "weigh 54 min: 3.15 U",
    ],
    "bolus speeds": [
        "run",
        "set speed to 0.3 U/min",
        "bolus 2 U",
        "wait 118 s",
        "cancel bolus",
        "weigh 3 min: 0.6 U",
        "set speed to 3 U/min",
        "bolus 3 U",
        "wait 18 s",
        "cancel bolus",
        "weigh 3 min: 0.925 U",
    ],
    "a delayed bolus": ["run", "bolus 1 U after 15 min", "weigh 14 min: 0 U", "weigh 4 min: 1 U"],
    "the smallest boluses": ["run", *8 * ["bolus 0.025 U", "wait 10 s"], "weigh 1 min: 0.2 U"],
    "the lowest basal rate, and none": [
        "basal 0.025 U/h",
        "run",
        "weigh 270 min: 0.1125 U",
        "stop",
        "basal 0 U/h",
        "run",
        "weigh 4 h: 0 U",
    ],
    "the highest basal rates": [
        "basal 35 U/h",
        "run",
        "weigh 6 min: 3.5 U",
        "stop",
        "basal 12 U/h",
        "run",
        "weigh 10 min: 2 U",
    ],
    "48 half-hours": _half_hours(),
    "a clock that is set": [
        "profile 00:00 0.4 U/h, 12:00 2 U/h",
        "clock 2028-02-28 11:30",
        "run",
        "weigh 30 min: 0.2 U",
        "weigh 30 min: 1 U",
        "clock 2028-02-28 11:30",
        "weigh 30 min: 0.2 U",
        "clock 2028-02-28 23:45",
        "wait 30 min",
        "shows 2028-02-29 00:15",
        "weigh 30 min: 0.8 U",
    ],
}


@pytest.mark.parametrize(
    "course", [Course(called=name, steps=tuple(steps)) for name, steps in COURSES.items()], ids=list(COURSES)
)
def test_course(verification: Verification, course: Course) -> None:
    """A course of commands: what is answered, and what comes of it."""
    verification.measure(course)
