"""Extended and multiwave boluses: exact courses, courses that are wrong in one way, and the truth of a whole bench."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from rig.analysis.bolus_profile import BEGUN_SHARE, ENDED_SHARE, lateness_s
from rig.procedures.consecutive import DeliveredBolus
from rig.procedures.extended import TOTAL, Extended, analyse_course
from rig.procedures.volume import VolumeScale
from rig.record.analyses import DeliveryProfile
from rig.record.taking import Series
from rig.roles import Air
from suites.measuring import measured_on
from suites.studies.coverage.laboratory import declared, laboratory
from suites.studies.coverage.whole_bench import watched_bench

SCALE = VolumeScale.in_air(replace(declared(), evaporation_g_per_h=0.0), Air(21.5, 1008.0, 0.48))
MULTIWAVE = Extended(size_u=6.0, extended_percent=50.0, duration_s=7200.0, slices=4)
EXTENDED = Extended(size_u=4.0, extended_percent=100.0, duration_s=7200.0, slices=4)
AT_S = np.arange(-100.0, 7500.0, 2.0)


def values(plan: Extended, *delivered_u: NDArray[np.float64]) -> dict[str, float]:
    """What is reported of boluses that deliver so much by `AT_S`, by the beginning of each name."""
    courses = []
    for volume_u in delivered_u:
        mass_g = 1.0 + volume_u * 10.0 / SCALE.z_ul_per_mg * 1e-3
        bolus = DeliveredBolus(Series(AT_S + 500.0, mass_g, np.zeros(AT_S.size)), 500.0, plan.size_u)
        courses.append(analyse_course(bolus, plan, SCALE))
    budgets = plan.budgets(SCALE, courses)
    assert set(budgets) == set(plan.quantities)
    return {str(quantity).removesuffix(f" of {plan.title}"): budget.value for quantity, budget in budgets.items()}


def spread(plan: Extended, at_s: NDArray[np.float64]) -> NDArray[np.float64]:
    """What an exact pump has delivered by then, in U."""
    fast_u = np.clip(at_s * plan.speed_u_per_h / 3600.0, 0.0, plan.bolus.fast_u)
    return np.asarray(fast_u + plan.bolus.extended_u * np.clip(at_s / plan.duration_s, 0.0, 1.0))


@pytest.mark.parametrize("plan", [EXTENDED, MULTIWAVE])
def test_an_exact_bolus_has_no_error_anywhere(plan: Extended) -> None:
    found = values(plan, spread(plan, AT_S))
    assert ("immediate error" in found) == (plan is MULTIWAVE)
    assert len(found) == (6 if plan is MULTIWAVE else 5)
    for name, value in found.items():
        assert value == pytest.approx(0.0, abs=1e-6), name


def test_what_comes_at_once_is_told_apart_from_what_is_spread() -> None:
    """3 U at once and 3 U spread; 0.3 U of the first is left out: −10 %, −5 % of all, slices as they were."""
    light_u = spread(MULTIWAVE, AT_S) - 0.1 * np.clip(AT_S * 90.0 / 3600.0, 0.0, 3.0)
    found = values(MULTIWAVE, light_u)
    assert found["immediate error"] == pytest.approx(-10.0)
    assert found["total error"] == pytest.approx(-5.0)
    assert found["largest slice error"] == pytest.approx(0.0, abs=1e-6)
    assert found["smallest slice error"] == pytest.approx(0.0, abs=1e-6)


def test_a_course_that_comes_a_minute_late_is_a_minute_late_at_both_ends() -> None:
    """And the first of four slices of 30 min lacks a minute of 1 U in 30: −3.33 %."""
    found = values(EXTENDED, spread(EXTENDED, AT_S - 60.0))
    assert found["delay"] == pytest.approx(60.0)
    assert found["late end"] == pytest.approx(60.0)
    assert found["smallest slice error"] == pytest.approx(-100.0 / 30.0)
    assert found["total error"] == pytest.approx(0.0, abs=1e-6)


def test_of_several_boluses_the_total_is_their_mean_and_all_else_the_worst() -> None:
    late_u, full_u = spread(EXTENDED, AT_S - 60.0), 1.1 * spread(EXTENDED, AT_S)
    found = values(EXTENDED, late_u, full_u)
    assert found["total error"] == pytest.approx(5.0)
    assert found["largest slice error"] == pytest.approx(10.0)
    assert found["smallest slice error"] == pytest.approx(-100.0 / 30.0)
    assert found["delay"] == pytest.approx(60.0)


@given(st.floats(0.1, 10.0), st.floats(-50.0, 50.0), st.floats(0.05, 0.95))
def test_scaling_or_shifting_the_volume_makes_nothing_later(factor: float, offset: float, share: float) -> None:
    volume_ul = np.clip(AT_S, 0.0, 7200.0)
    same = lateness_s(AT_S, factor * volume_ul + offset, start_s=0.0, share=share, due_s=share * 7200.0)
    assert same == pytest.approx(0.0, abs=1e-3)


@pytest.mark.parametrize(
    ("share", "start_s", "sentence"),
    [
        (1.0, 0.0, "share must lie between 0 and 1, got 1.0"),
        (0.1, 9000.0, "the record must hold the start at 9000 s"),
    ],
)
def test_a_wrong_share_or_start_is_refused_in_one_sentence(share: float, start_s: float, sentence: str) -> None:
    with pytest.raises(ValueError, match=f"^{sentence}"):
        lateness_s(AT_S, np.clip(AT_S, 0.0, 7200.0), start_s=start_s, share=share, due_s=0.0)


def test_on_the_whole_bench_each_number_holds_the_truth_within_its_uncertainty(tmp_path: Path) -> None:
    plan = Extended(size_u=2.0, extended_percent=50.0, duration_s=2400.0, slices=4)
    with watched_bench(laboratory(3, declared())) as watched:
        found = measured_on(watched.bench, tmp_path / "taken", plan)
        truth_u, at_s = np.array(watched.balance.truth_u), np.array(watched.balance.at_s)
    course = found.analyses["profile-1"]
    assert isinstance(course, DeliveryProfile)
    start_s = at_s[np.flatnonzero(np.diff(truth_u) > 0.0)[0]]
    seen = (at_s >= start_s) & (at_s <= start_s + course.trace.at_s[-1] + 1.0)
    since_s, true_u = at_s[seen] - start_s, truth_u[seen] - truth_u[seen][0]

    total = found.values[TOTAL.of(size=2.0, extended=50.0, duration=2400.0)]
    assert abs(total.value - 100.0 * (true_u[-1] / 2.0 - 1.0)) <= total.expanded_uncertainty < 0.5
    assert [part.name for part in course.parts] == ["immediate part", *(f"slice {n}" for n in (1, 2, 3, 4))]
    for part in course.parts[1:]:
        true_part_u = float(np.diff(np.interp([part.from_s, part.to_s], since_s, true_u))[0])
        assert abs(part.delivered_u - true_part_u) <= part.u_u < 0.01, part.name
    moments = {moment.name: moment for moment in course.moments}
    for name, share in (("beginning", BEGUN_SHARE), ("end", ENDED_SHARE)):
        due_s = plan.course.due_s(share * 2.0)
        true_late_s = lateness_s(since_s, true_u, start_s=0.0, share=share, due_s=due_s)
        assert abs(moments[name].late_s - true_late_s) <= moments[name].u_s, name
