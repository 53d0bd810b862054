"""The exponential insulin curve against oref0's own numbers, quadrature and hand calculation; momentum by hand."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import scipy.integrate
from hypothesis import given
from hypothesis import strategies as st

from rig.patient.insulin_action import ExponentialAction, NetDose, glucose_effect_mg_per_dl, momentum_mg_per_dl
from suites.studies.patient.loopkit import differences, net_doses
from suites.studies.patient.reference_data import FOLDER, Reference

LOOPS = ExponentialAction()
COURSES = {
    "rapid_dia5": (300.0, 75.0), "rapid_dia7": (420.0, 75.0), "rapid_dia6_peak90": (360.0, 90.0),
    "ultra_dia6": (360.0, 55.0),
}  # fmt: skip


@pytest.mark.parametrize("name", COURSES)
def test_what_remains_of_a_bolus_is_what_oref0_says(name: str) -> None:
    """oref0 rounds to 0.001 U, and its curve has no delay."""
    rows = json.loads((FOLDER / "oref0" / "iob.json").read_text())[f"bolus2_at0_{name}"]["output"]
    action_min, peak_min = COURSES[name]
    ours = 2.0 * ExponentialAction(action_min, peak_min, 0.0).remaining([row["min"] for row in rows])
    assert ours == pytest.approx([row["iob"] for row in rows], abs=5.1e-4)


def test_a_dose_acts_wholly_until_the_delay_is_over_and_not_at_all_after_its_action() -> None:
    assert LOOPS.remaining([-5.0, 0.0, 10.0, 370.0, 1e6]).tolist() == [1.0, 1.0, 1.0, 0.0, 0.0]
    assert (np.diff(LOOPS.remaining(np.arange(10.0, 371.0))) < 0.0).all()


def test_it_acts_strongest_at_its_peak() -> None:
    minute = np.arange(0.0, 370.0, 0.5)
    assert minute[np.diff(LOOPS.remaining(minute)).argmin()] == pytest.approx(LOOPS.delay_min + 75.0, abs=0.5)


@given(after_min=st.floats(0.0, 900.0), lasts_min=st.floats(0.5, 400.0))
def test_a_rate_is_many_small_boluses(after_min: float, lasts_min: float) -> None:
    def used(at_min: float) -> float:
        return float(1.0 - LOOPS.remaining(after_min - at_min))

    knees = [at for at in (after_min - 10.0, after_min - 370.0) if 0.0 < at < lasts_min]
    expected = scipy.integrate.quad(used, 0.0, lasts_min, points=knees or None, limit=200)[0] / lasts_min
    assert float(LOOPS.used_of_rate(after_min, lasts_min)) == pytest.approx(expected, abs=1e-7)


def test_in_the_end_glucose_is_lower_by_the_sensitivity() -> None:
    doses = [NetDose(0.0, 1.5), NetDose(30.0, 1.0, 60.0), NetDose(100.0, -0.5, 30.0)]
    found = glucose_effect_mg_per_dl(doses, [-1.0, 10.0, 600.0], sensitivity_mg_per_dl=40.0, action=LOOPS)
    assert found == pytest.approx([0.0, 0.0, -80.0], abs=1e-9)


def test_a_temporary_rate_counts_by_what_it_lies_above_the_schedule_part_by_part() -> None:
    doses = [
        {"type": "basal", "start_min": 50.0, "end_min": 110.0, "units": 1.5},
        {"type": "bolus", "start_min": 7.0, "end_min": 8.0, "units": 2.0},
    ]
    schedule = [
        {"start_min": 0.0, "end_min": 80.0, "U_per_h": 1.0}, {"start_min": 80.0, "end_min": 200.0, "U_per_h": 2.0},
    ]  # fmt: skip
    assert [(each.at_min, each.insulin_u, each.lasts_min) for each in net_doses(doses, schedule)] == [
        (50.0, pytest.approx(0.25), 30.0), (80.0, pytest.approx(-0.25), 30.0), (7.0, 2.0, 0.0),
    ]  # fmt: skip


def test_momentum_by_hand() -> None:
    assert momentum_mg_per_dl([0, 5, 10], [100, 105, 116], [5, 10, 20]).tolist() == pytest.approx([0.0, 0.0, 16.0])
    assert momentum_mg_per_dl([0, 5], [100, 150], [15]).tolist() == [40.0]  # no faster than 4 mg/dL a minute
    assert momentum_mg_per_dl([0, 5], [150, 100], [15]).tolist() == [-100.0]  # a fall is not bounded


@pytest.mark.parametrize(
    ("action_min", "peak_min", "delay_min"), [(360.0, 180.0, 10.0), (360.0, 0.0, 10.0), (360.0, 75.0, -1.0)]
)
def test_a_curve_that_cannot_be_is_refused(action_min: float, peak_min: float, delay_min: float) -> None:
    with pytest.raises(ValueError, match=r"^insulin acts strongest before the middle of its action, got a peak at"):
        ExponentialAction(action_min, peak_min, delay_min)


@pytest.mark.parametrize(("at", "glucose"), [([0.0], [100.0]), ([5.0, 0.0], [1.0, 2.0]), ([0.0, 5.0], [1.0])])
def test_momentum_wants_readings_in_order(at: list[float], glucose: list[float]) -> None:
    with pytest.raises(ValueError, match=r"^momentum takes two readings or more, in the order of time$"):
        momentum_mg_per_dl(at, glucose, [10.0])


def test_loopkit_s_fixtures_are_compared_where_a_folder_has_them(tmp_path: Path) -> None:
    """With a fixture of this house's own, by hand: after its whole action a bolus has lowered glucose by all of it."""
    assert list(differences(Reference(tmp_path))) == []
    (tmp_path / "loop").mkdir()
    model = {"action_duration_min": 360, "peak_min": 75, "delay_min": 10}
    doses = [{"type": "bolus", "start_min": 0, "end_min": 0, "units": 1.5}]
    asked = {"doses": doses, "isf_mg_dl_per_U": 40, "model": model}
    (tmp_path / "loop" / "effect_bolus.json").write_text(json.dumps({"input": asked, "output": [[0, 0], [400, -59]]}))
    assert list(differences(Reference(tmp_path))) == [
        ("glucose effect, bolus", pytest.approx(1.0), 1.1e-7, "mg/dL"),
    ]  # fmt: skip
