"""Delivery through a fault: the pump's account beside what was weighed, alarms that stay, and a bolus under way."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from rig.procedures.through_fault import ThroughFault
from suites.measuring import measured_virtually


def values(folder: Path, **parameters: object) -> dict[str, float]:
    asked = ThroughFault.model_validate(parameters)
    computed = measured_virtually(folder, asked)
    return {each.quantity.kind.removeprefix("through_fault."): each.value for each in computed.measured}


def test_a_pump_claims_what_its_motor_gave_and_what_was_weighed_is_less(tmp_path: Path) -> None:
    """10 min at 6 U/h run beside the vessel: 1 U that the log has and the balance has not."""
    found = values(tmp_path / "m", fault="F9", rate="6 U/h", held="10 min")
    assert found["unalarmed"] == 1.0
    assert found["alarms"] == found["went"] == 0.0
    assert found["logged_less_programmed"] == pytest.approx(0.0, abs=0.025)
    assert found["logged_less_weighed"] == pytest.approx(1.0, abs=0.05)
    assert found["delivered_beyond"] == pytest.approx(-1.0, abs=0.01)
    assert found["reservoir_less_logged"] == pytest.approx(0.0, abs=0.1)


def test_an_alarm_ends_what_is_programmed(tmp_path: Path) -> None:
    """A motor that does not turn in a bolus of 2 U: alarmed within the time between two looks, and nothing more."""
    found = values(tmp_path / "m", fault="F15", bolus="2 U", held="2 min", look_every="2 s")
    assert found["unalarmed"] == found["went"] == 0.0
    assert found["alarms"] == 1.0
    assert found["time_to_alarm"] <= 6.0
    assert found["delivered_beyond"] == pytest.approx(0.0, abs=0.15)
    assert found["after_alarm"] == pytest.approx(0.0, abs=0.01)
    assert found["released"] == pytest.approx(0.0, abs=0.01)


def test_a_stopped_pump_has_neither_rate_nor_bolus() -> None:
    with pytest.raises(ValidationError, match="neither rate nor bolus"):
        ThroughFault.model_validate({"fault": "F9", "when": "stopped", "rate": "1 U/h"})
