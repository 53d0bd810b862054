"""Measurements under faults: every number follows from what was written down, also of a pump that does nothing."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from rig.bench.open import open_bench
from rig.errors import BlockedError
from rig.faults import shipped_faults
from rig.procedures import annunciated, emptied, fault_in_bolus, not_yet, occluded_bolus, self_clearing
from rig.procedures.annunciated import Annunciated
from rig.procedures.answers import PumpAnswered, accepted, ask_for_bolus, ask_pump
from rig.procedures.emptied import Emptied, ReservoirRanOut
from rig.procedures.fault_in_bolus import BolusUnderFault, FaultInBolus
from rig.procedures.keys import Keys, refuse_slow
from rig.procedures.not_yet import NotYet
from rig.procedures.occluded_bolus import BolusOccluded, OccludedBolus
from rig.procedures.procedure import Computed, Procedure
from rig.procedures.self_clearing import ClearedByItself, SelfClearing
from rig.procedures.settings import setting_set
from rig.procedures.under_fault import AlarmAwaited
from rig.record.taking import Fact, Recorder, read_taken
from rig.roles import Bench, Capability, require
from rig.therapy import Setting
from suites.measuring import VIRTUAL, measured_virtually, recorded
from suites.selftest.crafted import METROLOGY, crafted

Readings = tuple[tuple[str, float, float, float], ...]
"""Phase, s, U delivered, kPa."""


def computed(folder: Path, procedure: Procedure, readings: Readings, *facts: Fact) -> Mapping[str, float]:
    """Compute a measurement that left these readings and facts; its values by the kind's last word."""
    with crafted(folder) as taken:
        taken.air()
        for phase, at_s, delivered_u, pressure_kpa in readings:
            taken.read(phase, at_s, delivered_u, pressure_kpa=pressure_kpa)
        for fact in facts:
            taken.fact(fact)
    return values(procedure.compute(read_taken(folder), METROLOGY))


def values(found: Computed) -> dict[str, float]:
    return {each.quantity.kind.split(".")[1]: each.value for each in found.measured}


def awaited(since_s: float, at_s: float, *, seen: bool = True) -> AlarmAwaited:
    return AlarmAwaited(at_s=at_s, since_s=since_s, seen=seen, kind="any" if seen else "", looked_every_s=1.0)


def answered(asked: str, *, refused: bool) -> PumpAnswered:
    return PumpAnswered(at_s=900.0, asked=asked, refused=refused, reason="")


def test_what_came_under_a_fault_is_held_against_the_programme_and_the_log(tmp_path: Path) -> None:
    readings: Readings = (
        (fault_in_bolus.BEFORE, 700.0, 0.0, 0.0),
        (fault_in_bolus.DURING, 720.0, 0.5, 0.0),
        (fault_in_bolus.FAULTY, 760.0, 0.6, 0.0),
        (fault_in_bolus.HELD, 800.0, 0.6, 0.0),
        (fault_in_bolus.CLEARED, 810.0, 0.6, 0.0),
        (fault_in_bolus.CLEARED, 900.0, 0.7, 0.0),
        (fault_in_bolus.AGAIN, 910.0, 0.7, 0.0),
        (fault_in_bolus.AGAIN, 1000.0, 1.6, 0.0),
    )
    found = computed(
        tmp_path,
        FaultInBolus(fault="F15", then_u=1.0),
        readings,
        awaited(720.0, 722.0),
        answered(fault_in_bolus.RUN, refused=False),
        BolusUnderFault(at_s=900.0, commanded_at_s=700.0, began_at_s=720.0, logged_u=0.55),
    )
    assert found == pytest.approx(
        {
            "starts": 1.0,
            "time_to_alarm": 2.0,
            "delivered_beyond": 0.1,  # 0.6 U, and 20 s of 1.5 U/min are 0.5 U
            "resumed": 0.1,
            "logged_less_weighed": -0.15,
            "error_afterwards": -10.0,
        },
        abs=1e-6,
    )


def test_a_fault_that_is_never_alarmed_has_the_time_until_it_was_given_up(tmp_path: Path) -> None:
    readings: Readings = tuple(
        (phase, 700.0 + 100.0 * number, 0.0, 0.0)
        for number, phase in enumerate(
            (
                fault_in_bolus.BEFORE,
                fault_in_bolus.DURING,
                fault_in_bolus.FAULTY,
                fault_in_bolus.HELD,
                fault_in_bolus.CLEARED,
            )
        )
    )
    found = computed(
        tmp_path,
        FaultInBolus(fault="F14 removed"),
        readings,
        awaited(720.0, 780.0, seen=False),
        answered(fault_in_bolus.RUN, refused=True),
        BolusUnderFault(at_s=1200.0, commanded_at_s=700.0, began_at_s=720.0, logged_u=0.0),
    )
    assert (found["time_to_alarm"], found["starts"]) == (pytest.approx(60.0), 0.0)
    assert "error_afterwards" not in found


def test_a_bolus_into_a_closed_line_is_read_by_pressure_and_weighed_when_it_opens(tmp_path: Path) -> None:
    readings: Readings = (
        (occluded_bolus.BEFORE, 700.0, 0.0, 0.0),
        (occluded_bolus.WAITING, 800.0, 0.0, 100.0),
        (occluded_bolus.WATCHED, 810.0, 0.0, 101.0),
        (occluded_bolus.WATCHED, 900.0, 0.0, 100.5),
        (occluded_bolus.SECOND, 910.0, 0.0, 104.0),
        (occluded_bolus.RELEASE, 1000.0, 2.6, 0.0),
        (occluded_bolus.AGAIN, 1010.0, 2.6, 0.0),
        (occluded_bolus.AGAIN, 1100.0, 3.65, 0.0),
    )
    found = computed(
        tmp_path,
        OccludedBolus(fault="F1"),
        readings,
        awaited(700.0, 800.0),
        BolusOccluded(at_s=1000.0, commanded_at_s=700.0, opened_at_s=920.0, logged_u=2.5),
    )
    assert found == pytest.approx(
        {
            "unalarmed": 0.0,
            "time_to_alarm": 100.0,
            "highest_pressure": 104.0,
            "pressure_rise": 1.0,
            "rise_by_second": 3.5,
            "released": 2.6,
            "logged_less_released": -0.1,
            "error_afterwards": 5.0,
        },
        abs=1e-6,
    )


def test_a_pump_that_never_alarms_an_occlusion_in_a_bolus_has_every_number(tmp_path: Path) -> None:
    firmware = {"virtual.firmware": "../controller/mutants/never_alarm.elf"}
    asked = OccludedBolus(fault="F1", size_u=4.0, watch_s=30.0)
    found = values(measured_virtually(tmp_path / "taken", asked, firmware))
    assert set(found) >= {quantity.kind.split(".")[1] for quantity in asked.quantities}
    assert found["unalarmed"] == 1.0
    assert found["time_to_alarm"] == pytest.approx(220.0, abs=2.0)  # 4 U at 1.5 U/min, and a minute
    assert found["released"] > 3.5


def test_an_alarm_of_an_occlusion_that_cleared_is_counted_and_the_bolus_weighed(tmp_path: Path) -> None:
    readings: Readings = (
        (self_clearing.BEFORE, 700.0, 0.0, 0.0),
        (self_clearing.DURING, 800.0, 1.0, 0.0),
        (self_clearing.AFTER, 900.0, 3.0, 0.0),
    )
    found = computed(tmp_path, SelfClearing(), readings, ClearedByItself(at_s=900.0, alarms=2))
    assert found == pytest.approx({"alarms": 2.0, "error": -25.0})


@pytest.mark.parametrize(("told_u", "count_u"), [(0.5, 0.7), (None, 0.2)])
def test_a_count_is_held_against_what_is_left_by_weight(tmp_path: Path, told_u: float | None, count_u: float) -> None:
    readings: Readings = (
        (emptied.BEFORE, 700.0, 0.0, 0.0),
        (emptied.EMPTYING, 800.0, 3.0, 0.0),
        (emptied.AFTER, 900.0, 3.2, 0.0),
    )
    found = computed(
        tmp_path,
        Emptied(filled_u=3.0, bolus_u=1.0, one_takes_s=60.0),
        readings,
        awaited(700.0, 900.0, seen=False),
        answered(emptied.ANYWAY, refused=False),
        ReservoirRanOut(at_s=900.0, told_u=told_u),
    )
    assert found == pytest.approx(
        {"unalarmed": 1.0, "delivered_beyond": 0.2, "count_less_weighed": count_u, "starts": 1.0}, abs=1e-6
    )


def test_delivery_under_a_fault_is_weighed_with_the_tail_of_the_line(tmp_path: Path) -> None:
    readings: Readings = (
        (annunciated.FREE, 700.0, 0.0, 0.0),
        (annunciated.FAULTY, 760.0, 0.1, 0.0),
        (annunciated.FAULTY, 1300.0, 0.85, 0.0),
        (annunciated.AFTER, 1360.0, 0.9, 0.0),
    )
    asked = Annunciated(fault="F33 hot", rate_u_per_h=6.0)
    found = computed(tmp_path, asked, readings, awaited(760.0, 820.0))
    assert found == pytest.approx({"missing": 0.0, "time": 60.0, "delivery_error": -10.0})


def test_what_came_too_early_is_weighed_and_starts_are_counted(tmp_path: Path) -> None:
    readings: Readings = ((not_yet.WATCHED, 700.0, 0.0, 0.0), (not_yet.WATCHED, 1300.0, 0.4, 0.0))
    facts = (answered(not_yet.RUN, refused=False), answered(not_yet.BOLUS, refused=True))
    found = computed(tmp_path, NotYet(state="not primed"), readings, *facts)
    assert found == pytest.approx({"delivered": 0.4, "starts": 1.0})


def test_keys_need_their_lines_and_know_no_others() -> None:
    assert Keys(sequence="press, wait,confirm").needed_lines == ("bolus_key", "confirm_key")
    assert Keys(sequence="press, wait,confirm").sequence == "press, wait, confirm"
    with pytest.raises(ValueError, match="has no 'F31 pres'; did you mean 'F31 press'"):
        Keys(sequence="pres, confirm")


@pytest.mark.parametrize(("took_s", "slow"), [(0.30 + 10 * 0.022, False), (0.30 + 10 * 0.080, True)])
def test_a_switch_that_is_too_slow_to_bounce_is_refused(took_s: float, slow: bool) -> None:
    bounce = shipped_faults().injection("F31 bounce")
    assert sum(length_s == 0.0 for length_s in bounce.provocation.pulses_s) == 10
    if slow:
        with pytest.raises(BlockedError, match=r"takes 0.08 s to move the line of F31 bounce once"):
            refuse_slow(bounce, took_s)
    else:
        refuse_slow(bounce, took_s)
    refuse_slow(shipped_faults().injection("F31 press"), took_s)  # a press may take its time


def test_a_setting_is_given_back_as_it_was_whatever_happens(tmp_path: Path) -> None:
    def break_off(bench: Bench, record: Recorder) -> None:
        with setting_set(bench, record, Setting.RESERVOIR_LOW_U, 10.0):
            assert require(bench.pump, Capability.SETTINGS).setting(Setting.RESERVOIR_LOW_U) == 10.0
            raise RuntimeError

    with open_bench(VIRTUAL) as bench, recorded(tmp_path, bench) as record:
        with pytest.raises(RuntimeError):
            break_off(bench, record)
        assert require(bench.pump, Capability.SETTINGS).setting(Setting.RESERVOIR_LOW_U) == 20.0


def test_what_a_pump_refuses_is_a_fact_and_a_bolus_that_it_refuses_has_no_number(tmp_path: Path) -> None:
    with open_bench(VIRTUAL) as bench, recorded(tmp_path, bench) as record:
        assert ask_for_bolus(bench, record, 1.0) is None  # therapy does not run
        assert ask_pump(bench, record, "therapy", bench.pump.run)
        assert ask_for_bolus(bench, record, 1.0, "another bolus") is not None
        record.sync()
    taken = read_taken(tmp_path)
    assert [fact.refused for fact in taken.facts(PumpAnswered)] == [True, False, False]
    assert (accepted(taken, "a bolus"), accepted(taken, "another bolus")) == (0, 1)
