"""Changes of the basal rate: exact moments of change, what scatter makes of them, and the truth of a whole bench."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from rig.analysis.rate_change import ChangeOfFlow, rate_change
from rig.procedures.rate_change import Changing
from rig.procedures.switch import ProfileSwitch
from rig.procedures.temporary import Temporary
from rig.record.analyses import DeliveryProfile
from suites.measuring import measured_on, measured_virtually
from suites.studies.coverage.laboratory import declared, laboratory
from suites.studies.coverage.whole_bench import watched_bench

AT_S = np.arange(0.0, 14401.0, 10.0)
BEFORE_S, AFTER_S = (0.0, 7200.0), (9000.0, 14400.0)


def bent(at_s: float, before_ul_per_h: float, after_ul_per_h: float) -> np.ndarray:
    """A volume in µL whose flow changes at a moment."""
    return np.where(at_s > AT_S, before_ul_per_h * (AT_S - at_s), after_ul_per_h * (AT_S - at_s)) / 3600.0


@given(st.floats(7200.0, 9000.0), st.floats(0.0, 20.0), st.floats(0.5, 20.0), st.floats(-100.0, 100.0))
def test_a_change_of_flow_is_found_where_it_is(at_s: float, before: float, more: float, offset_ul: float) -> None:
    found = rate_change(AT_S, bent(at_s, before, before + more) + offset_ul, before_s=BEFORE_S, after_s=AFTER_S)
    assert found.at_s == pytest.approx(at_s, abs=0.01)
    assert found.before_ul_per_h == pytest.approx(before, abs=1e-6)
    assert found.after_ul_per_h == pytest.approx(before + more, abs=1e-6)


def stairs(dose_ul: float) -> ChangeOfFlow:
    """10 µL/h before 7200 s and 5 µL/h after it, in whole doses."""
    line_ul = bent(7200.0, 10.0, 5.0) + 20.0
    return rate_change(
        AT_S, dose_ul * np.floor(line_ul / dose_ul + 1e-9), before_s=BEFORE_S, after_s=AFTER_S, dose_ul=dose_ul
    )


@pytest.mark.parametrize("dose_ul", [0.05, 0.25, 0.5])
def test_a_staircase_bends_where_its_line_does_and_its_uncertainty_says_how_well(dose_ul: float) -> None:
    found = stairs(dose_ul)
    assert abs(found.at_s - 7200.0) <= 2.0 * np.hypot(found.u_before_s, found.u_after_s)
    assert found.freedom_before == pytest.approx(20.0 / dose_ul - 2.0, rel=0.02)
    assert found.freedom_after == pytest.approx(7.5 / dose_ul - 2.0, rel=0.05)


def test_larger_doses_tell_the_moment_less_well() -> None:
    assert stairs(0.5).u_before_s > 2.0 * stairs(0.25).u_before_s > 4.0 * stairs(0.125).u_before_s


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (
            lambda: rate_change(AT_S, AT_S, before_s=BEFORE_S, after_s=AFTER_S),
            "the flow does not change: both lines have one slope",
        ),
        (
            lambda: rate_change(AT_S, AT_S, before_s=(0, 7200), after_s=(7000, 9000)),
            r"the span before must end before that after begins, got \(0, 7200\) and \(7000, 9000\) s",
        ),
        (
            lambda: rate_change(AT_S, AT_S, before_s=(0, 30), after_s=(7000, 9000)),
            "a line needs 5 samples, 0 … 30 s holds 4",
        ),
        (
            lambda: rate_change(AT_S, AT_S, before_s=BEFORE_S, after_s=AFTER_S, dose_ul=-1),
            "dose_ul must not be negative, got -1",
        ),
    ],
)
def test_bad_input_is_refused_in_one_sentence(call: Callable[[], object], sentence: str) -> None:
    with pytest.raises(ValueError, match=f"^{sentence}$"):
        call()


def test_the_programme_of_a_plan_is_its_stretches_laid_end_to_end() -> None:
    half = Temporary.model_validate(
        {"rate": "1 U/h", "temporary": "50 %", "duration": "2 h", "before": "1 h", "after": "3 h"}
    ).change
    assert half.edges_s == (0.0, 3600.0, 10800.0, 21600.0)
    assert half.course.insulin_u.tolist() == pytest.approx([0.0, 1.0, 2.0, 5.0])
    switch = ProfileSwitch.model_validate(
        {"rate": "0.5 U/h", "then": "1.5 U/h", "before": "2 h", "after": "1 h"}
    ).change
    assert [segment.duration_min for segment in switch.profile] == [120, 1320]
    assert switch.course.insulin_u.tolist() == pytest.approx([0.0, 1.0, 2.5])


def test_lines_are_fitted_to_40_doses_beside_a_change_and_to_none_of_what_follows_it_at_once() -> None:
    """A dose of 0.025 U: 40 of them take 1 h at 1 U/h and 20 min at 3 U/h."""
    plan = ProfileSwitch.model_validate({"rate": "1 U/h", "then": "3 U/h", "before": "2 h", "after": "2 h"}).change
    assert plan.fitted_s(0) == ((3600.0, 7200.0), (7500.0, 8700.0))
    slow = ProfileSwitch.model_validate({"rate": "0 U/h", "then": "0.1 U/h", "before": "10 min", "after": "2 h"}).change
    assert slow.fitted_s(0) == ((150.0, 600.0), (900.0, 7800.0))


PLANS = {
    "temporary": Temporary.model_validate(
        {"rate": "3 U/h", "temporary": "40 %", "duration": "40 min", "before": "40 min", "after": "40 min"}
    ),
    "switch": ProfileSwitch.model_validate({"rate": "1 U/h", "then": "3 U/h", "before": "40 min", "after": "40 min"}),
}


@pytest.mark.parametrize("kind", PLANS)
def test_on_the_whole_bench_each_number_holds_the_truth_within_its_uncertainty(tmp_path: Path, kind: str) -> None:
    asked: Changing = PLANS[kind]
    plan = asked.change
    with watched_bench(laboratory(5, declared())) as watched:
        found = measured_on(watched.bench, tmp_path / "taken", asked)
        truth_u, at_s = np.array(watched.balance.truth_u), np.array(watched.balance.at_s)
    kept = found.analyses["profile"]
    assert isinstance(kept, DeliveryProfile)
    since_s = np.array(kept.trace.at_s)
    true_u = truth_u[_place(at_s, since_s) :][: since_s.size]
    true_u = true_u - true_u[0]
    assert len(kept.parts) == len(plan.stretches)
    for part in kept.parts:
        true_part_u = float(np.diff(np.interp([part.from_s, part.to_s], since_s, true_u))[0])
        assert abs(part.delivered_u - true_part_u) <= part.u_u < 0.01, part.name
    for number, change in enumerate(plan.changes):
        before_s, after_s = plan.fitted_s(number)
        true = rate_change(since_s, 10.0 * true_u, before_s=before_s, after_s=after_s, dose_ul=0.25)
        delay = found.values[asked.delay_of(change)]
        assert abs(delay.value - (true.at_s - plan.edges_s[number + 1])) <= delay.expanded_uncertainty < 200.0


SHORTEST = {"rate": "30 U/h", "temporary": "50 %", "before": "2 min", "after": "2 min", "duration": "15 min"}
"""15 min is the reference pump's shortest temporary rate."""


@pytest.mark.parametrize("stretch", ["before", "after", "duration"])
def test_a_stretch_too_short_for_a_line_is_refused_before_it_is_measured(stretch: str) -> None:
    with pytest.raises(ValidationError, match="greater than or equal to 120"):
        Temporary.model_validate(SHORTEST | {stretch: "1 min"})


def test_the_shortest_stretch_is_long_enough_for_its_lines(tmp_path: Path) -> None:
    asked = Temporary.model_validate(SHORTEST)
    assert set(measured_virtually(tmp_path, asked).values) == set(asked.declared)


def _place(at_s: np.ndarray, since_s: np.ndarray) -> int:
    """Find where in all readings of a test those begin whose times since the start of the programme are kept."""
    steps = np.diff(since_s)
    starts = range(at_s.size - steps.size)
    return next(i for i in starts if np.allclose(np.diff(at_s[i : i + since_s.size]), steps, rtol=0.0, atol=1e-6))


def test_a_line_that_fades_slowly_delays_the_flow_by_its_time_constant(tmp_path: Path) -> None:
    """0.25 µL/kPa behind 180 kPa s/µL: 45 s, ten times what the line of the virtual bench has."""
    overrides = {"virtual.parameters.fluid.resistance_kpa_s_per_ul": 180.0}
    switch = ProfileSwitch.model_validate({"rate": "0.5 U/h", "then": "3 U/h", "before": "2 h", "after": "1 h"})
    delay = measured_virtually(tmp_path / "taken", switch, overrides).values[switch.delay_of("switch")]
    assert abs(delay.value - 45.0) <= delay.expanded_uncertainty < 40.0
