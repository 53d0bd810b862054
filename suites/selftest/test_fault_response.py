"""Answers to a fault in a state of the pump: each number follows from what was written down, also of a dumb pump."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from rig.errors import BenchFileError
from rig.procedures import fault_response
from rig.procedures.answers import PumpAnswered
from rig.procedures.fault_response import FaultAnswered, FaultResponse
from rig.procedures.fault_states import Programme, State
from rig.procedures.in_state import Accounts
from rig.procedures.procedure import Computed
from rig.procedures.under_fault import AlarmAwaited
from rig.record.taking import Fact, read_taken
from rig.run.plan import parse_plan
from rig.shipped import shipped
from suites.measuring import measured_virtually
from suites.selftest.crafted import METROLOGY, crafted

Readings = tuple[tuple[str, float, float], ...]
"""Phase, s, U delivered."""
HEAD = 'name = "mine"\npurpose = "to try"\n'


def values(found: Computed) -> Mapping[str, float]:
    return {each.quantity.kind.split(".")[1]: each.value for each in found.measured}


def computed(folder: Path, procedure: FaultResponse, readings: Readings, *facts: Fact) -> Mapping[str, float]:
    with crafted(folder) as taken:
        taken.air()
        for phase, at_s, delivered_u in readings:
            taken.read(phase, at_s, delivered_u, pressure_kpa=0.0)
        for fact in facts:
            taken.fact(fact)
    return values(procedure.compute(read_taken(folder), METROLOGY))


def answered(*, stopped_at_s: float, ran_on: bool, tells: bool) -> FaultAnswered:
    return FaultAnswered(
        at_s=stopped_at_s + 60.0,
        begun_at_s=700.0,
        onset_at_s=720.0,
        stopped_at_s=stopped_at_s,
        ran_on=ran_on,
        tells=tells,
    )


def awaited(at_s: float, *, seen: bool) -> AlarmAwaited:
    return AlarmAwaited(at_s=at_s, since_s=720.0, seen=seen, kind="any" if seen else "", looked_every_s=0.5)


def test_of_a_pump_that_stops_every_number_follows_from_readings_and_words(tmp_path: Path) -> None:
    readings: Readings = (
        (fault_response.BEFORE, 690.0, 0.0),
        (fault_response.FREE, 718.0, 0.45),
        (fault_response.FAULTY, 720.0, 0.5),
        (fault_response.FAULTY, 724.0, 0.56),
        (fault_response.FAULTY, 730.0, 0.6),
        (fault_response.HELD, 800.0, 0.6),
        (fault_response.CLEARED, 810.0, 0.6),
        (fault_response.CLEARED, 860.0, 0.7),
        (fault_response.AFTER, 920.0, 0.7),
    )
    refused = PumpAnswered(at_s=800.0, asked=fault_response.RUN, refused=True, reason="")
    found = computed(
        tmp_path,
        FaultResponse(fault="F15", state="bolus", size_u=2.0),
        readings,
        awaited(724.0, seen=True),
        refused,
        answered(stopped_at_s=860.0, ran_on=False, tells=True),
        Accounts(at_s=920.0, told_u=0.65, reservoir_u=0.8),
    )
    assert found == pytest.approx(
        {
            "unannunciated": 0.0,
            "withdrawn": 0.0,
            "stopped": 1.0,
            "starts": 0.0,
            "time_to_annunciation": 4.0,
            "time_to_stop": 10.0,  # 0.04 U are to come at 724 s, nothing at 730 s
            "delivered_beyond": 0.1,  # 0.6 U, and 20 s of 1.5 U/min are 0.5 U
            "missed": 0.0,  # 24 s of it are 0.6 U
            "after_clearing": 0.1,
            "logged_less_weighed": -0.05,
            "reservoir_less_weighed": 0.1,
            "reservoir_less_logged": 0.15,
            "logged_less_programmed": 0.05,
        },
        abs=1e-6,
    )


def test_of_a_pump_that_runs_on_unaware_all_is_held_against_its_programme_until_the_stop(tmp_path: Path) -> None:
    readings: Readings = (
        (fault_response.BEFORE, 690.0, 0.0),
        (fault_response.FREE, 718.0, 0.03),
        (fault_response.FAULTY, 720.0, 0.03),
        (fault_response.FAULTY, 780.0, 0.03),
        (fault_response.HELD, 840.0, 0.03),
        (fault_response.CLEARED, 900.0, 0.03),
        (fault_response.AFTER, 1000.0, 0.08),
    )
    found = computed(
        tmp_path,
        FaultResponse(fault="F9", state="basal", rate_u_per_h=6.0),
        readings,
        awaited(780.0, seen=False),
        answered(stopped_at_s=1000.0, ran_on=True, tells=False),
        Accounts(at_s=1000.0, told_u=0.5, reservoir_u=None),
    )
    assert (found["unannunciated"], found["withdrawn"], found["stopped"]) == (1.0, 0.0, 0.0)
    assert found["time_to_annunciation"] == pytest.approx(60.0)
    assert found["missed"] == pytest.approx(0.42)  # 300 s of 6 U/h are 0.5 U
    assert found["logged_less_programmed"] == pytest.approx(0.0)
    assert found["logged_less_weighed"] == pytest.approx(0.42)


def test_an_annunciation_that_is_gone_unconfirmed_is_counted(tmp_path: Path) -> None:
    phases = (
        fault_response.BEFORE, fault_response.FREE, fault_response.FAULTY, fault_response.HELD,
        fault_response.CLEARED, fault_response.AFTER,
    )  # fmt: skip
    found = computed(
        tmp_path,
        FaultResponse(fault="F1", state="priming", size_u=5.0),
        tuple((phase, 700.0 + 40.0 * number, 0.0) for number, phase in enumerate(phases)),
        awaited(730.0, seen=True),
        answered(stopped_at_s=880.0, ran_on=False, tells=False),
        Accounts(at_s=900.0, told_u=0.0, reservoir_u=0.0),
    )
    assert (found["withdrawn"], found["time_to_stop"]) == (1.0, 0.0)


@given(
    state=st.sampled_from(("stopped", "basal", "bolus", "extended", "priming", "alarm")),
    since_s=st.floats(-10.0, 1e5),
    more_s=st.floats(0.0, 1e5),
)
def test_a_programme_never_goes_back_nor_beyond_its_size(state: State, since_s: float, more_s: float) -> None:
    programme = Programme(state, rate_u_per_h=3.0, size_u=2.0, flow_u_per_h=3.0)
    first_u, later_u = programme.programmed_u(since_s), programme.programmed_u(since_s + more_s)
    assert 0.0 <= first_u <= later_u
    assert programme.of_therapy or later_u <= 2.0
    assert state != "stopped" or later_u == 0.0


def test_a_fault_begins_when_a_share_of_the_delivery_is_programmed_to_have_come() -> None:
    def begins_after_s(state: State) -> float:
        return FaultResponse(fault="F15", state=state, size_u=4.0, share_percent=50.0).begins_after_s

    assert begins_after_s("bolus") == pytest.approx(80.0)  # 2 U at 1.5 U/min
    assert begins_after_s("extended") == pytest.approx(450.0)
    assert begins_after_s("basal") == 20.0  # which has no end of its own


def test_it_is_watched_as_long_as_eight_doses_take() -> None:
    assert FaultResponse(fault="F15", state="basal", rate_u_per_h=6.0).watched_s == pytest.approx(120.0)
    slow = FaultResponse(fault="F15", state="basal", rate_u_per_h=0.1)
    assert (slow.watched_s, slow.looks_every_s) == (pytest.approx(7200.0), pytest.approx(30.0))
    assert FaultResponse(fault="F15", state="bolus").watched_s == 60.0


def test_a_fault_that_is_a_command_is_refused_in_a_sentence() -> None:
    with pytest.raises(ValidationError, match="F28 is a command to the pump, which has a measurement of its own"):
        FaultResponse(fault="F28", state="bolus")


def test_a_list_in_an_entry_of_a_plan_stands_for_one_entry_each() -> None:
    text = '[[fault_response]]\nfault = ["F15", "F18"]\nstate = ["basal", "priming"]\nrate = "6 U/h"\n'
    entries = parse_plan(Path("mine.toml"), (HEAD + text).encode()).plan.entries["fault_response"]
    assert [(each.fault, each.state) for each in entries if isinstance(each, FaultResponse)] == [
        ("F15", "basal"),
        ("F15", "priming"),
        ("F18", "basal"),
        ("F18", "priming"),
    ]


def test_a_key_of_several_values_keeps_its_list() -> None:
    text = '[[basal]]\nrate = ["1 U/h", "2 U/h"]\nwindows = ["1 h", "2 h"]\nsample_every = "2 s"\n'
    entries = parse_plan(Path("mine.toml"), (HEAD + text).encode()).plan.entries["basal"]
    assert [each.model_dump()["windows_s"] for each in entries] == [(3600.0, 7200.0)] * 2


def test_one_wrong_value_of_a_list_is_refused_by_its_name() -> None:
    text = '[[fault_response]]\nfault = "F15"\nstate = ["basal", "asleep"]\n'
    with pytest.raises(BenchFileError, match="state is 'asleep'"):
        parse_plan(Path("mine.toml"), (HEAD + text).encode())


def test_a_restart_that_breaks_off_priming_is_told(tmp_path: Path) -> None:
    found = values(measured_virtually(tmp_path / "one", FaultResponse(fault="F20 dip", state="priming", size_u=5.0)))
    assert (found["unannunciated"], found["stopped"]) == (0.0, 1.0)
    assert abs(found["after_clearing"]) < 0.01


def test_the_first_pulse_of_an_alarm_is_timed_from_the_fault(tmp_path: Path) -> None:
    asked = FaultResponse(fault="F14 removed", state="extended", size_u=5.0, listen_s=10.0)
    found = values(measured_virtually(tmp_path / "one", asked))
    assert 0.0 < found["time_to_sound"] < 1.0
    assert found["time_to_annunciation"] < 1.0


def test_a_pump_that_never_tells_has_the_time_until_it_was_given_up(tmp_path: Path) -> None:
    dumb = {"virtual.firmware": str(shipped("fixtures/controller/mutants/never_alarm.elf").resolve())}
    asked = FaultResponse(fault="F1", state="priming", size_u=5.0, watch_s=75.0)
    found = values(measured_virtually(tmp_path / "one", asked, dumb))
    assert (found["unannunciated"], found["withdrawn"]) == (1.0, 0.0)
    assert found["time_to_annunciation"] == pytest.approx(75.0, abs=1.0)
