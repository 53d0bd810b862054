"""The summary of a night: hours count from the loss, and what never came is said so."""

from __future__ import annotations

import pytest

from reports.curve.printed import printed
from reports.kinds.kind import DrawnLimits
from reports.kinds.loop import LOOP, loop_curve
from rig.record.analyses import LoopNumbers
from suites.studies.patient.overnight import night_of, nights, open_and_closed

MINUTES = 540


def rising(rate_u_per_h: float, *, from_min: int = 60) -> LoopNumbers:
    """Glucose that rises by 0.5 mg/dL a minute from a minute on, under a rate that doubles two hours later."""
    glucose = tuple(120.0 + 0.5 * max(0, minute - from_min) for minute in range(MINUTES + 1))
    rates = [rate_u_per_h * (1.0 if minute < from_min + 120 else 2.0) / 60.0 for minute in range(MINUTES)]
    return LoopNumbers(
        title="a night", glucose_mg_per_dl=glucose, u_mg_per_dl=tuple(0.1 for _ in glucose),
        commanded_mg_per_dl=tuple(120.0 for _ in glucose), weighed_u=tuple(0.0 for _ in rates),
        commanded_u=tuple(rates), carbs_g=tuple(30.0 if minute == 30 else 0.0 for minute in range(MINUTES)),
        sensor_min=(0, 5), sensor_mg_per_dl=(118.0, 123.0),
    )  # fmt: skip


def test_hours_count_from_the_loss() -> None:
    night = night_of("out", rising(0.6), basal_u_per_h=0.6, out_after_min=60, since_min=60)
    assert night.hours_to_250 == pytest.approx(260 / 60)
    assert night.hours_to_300 == pytest.approx(360 / 60)
    assert night.hours_to_sign == pytest.approx(3.0)
    assert night.commanded_u == pytest.approx(0.6 * 2 + 1.2 * 6)
    assert night.ketones_mmol_per_l == pytest.approx(0.0038 * 420)


def test_what_never_came_is_none() -> None:
    night = night_of("in place", rising(0.6, from_min=10_000), basal_u_per_h=0.6, out_after_min=None, since_min=60)
    assert (night.hours_to_250, night.hours_to_300, night.hours_to_sign, night.ketones_mmol_per_l) == (None,) * 4


def test_the_nights_differ_by_controller_and_cannula_alone() -> None:
    found = {(night.controller, night.line, night.duration_s, night.seed) for night in nights().values()}
    assert found == {(each, line, 9 * 3600.0, 1) for each in ("basal-bolus", "pid") for line in (None, "waste")}


def test_the_figures_can_be_drawn() -> None:
    numbers = rising(0.6)
    assert "<svg" in printed(loop_curve(numbers))
    assert "<svg" in printed(open_and_closed(dict.fromkeys(nights(), numbers)))
    assert len(LOOP.blocks(numbers, DrawnLimits())) == 3
