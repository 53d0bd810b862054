"""Faults of the pump's controller through a debug probe: in the catalogue, on a bench, and as they are measured."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from rig.bench.file import read_bench_file
from rig.bench.open import open_bench
from rig.bench.places import places_of
from rig.errors import BlockedError
from rig.faults import Injection, shipped_faults
from rig.faults.by_probe import ByProbe
from rig.faults.fault import Provocation
from rig.faults.means import lacking_for
from rig.procedures import corrupted, hang
from rig.procedures.answers import PumpAnswered
from rig.procedures.controller import probe_of
from rig.procedures.corrupted import CorruptedValue, ToldOnBoard
from rig.procedures.hang import ControllerHangs, Hung
from rig.procedures.in_state import Accounts
from rig.procedures.procedure import Computed
from rig.procedures.provoking import FaultCleared, FaultInjected, provoking
from rig.procedures.under_fault import AlarmAwaited
from rig.record.taking import read_taken
from suites.measuring import VIRTUAL, measured_on, measured_virtually, recorded
from suites.selftest.crafted import METROLOGY, crafted

DBGMCU_APB1_FZ, DBG_IWDG_STOP = 0xE0042008, 1 << 12


def injection(name: str) -> Injection:
    return shipped_faults().injection(name)


def values(found: Computed) -> Mapping[str, float]:
    return {each.quantity.kind.split(".")[1]: each.value for each in found.measured}


# ---- the catalogue -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("done", "sentence"),
    [
        ({}, "a probe does one of flip, register, hold, loop"),
        ({"flip": "code", "hold": True, "bit": 1}, "a probe does one of flip, register, hold, loop"),
        ({"flip": "code"}, "a bit, and nothing else, has its number"),
        ({"hold": True, "bit": 1}, "a bit, and nothing else, has its number"),
        ({"flip": "code", "bit": 8}, "the bits of an octet are 0 to 7"),
        ({"register": "r13", "bit": 0}, "Input should be 'r0'"),
    ],
)
def test_what_a_probe_cannot_do_is_refused(done: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValidationError, match=sentence):
        ByProbe.model_validate(done)


def test_ways_by_probe_say_what_is_done_and_whether_it_is_over_at_once() -> None:
    told = {
        name: (injection(name).provocation.in_words, injection(name).provocation.momentary)
        for name in ("F23 held", "F23 looping", "F23 crashed", "F25 code")
    }
    assert told == {
        "F23 held": ("probe: the core is halted", False),
        "F23 looping": ("probe: the core is sent into an endless loop", True),
        "F23 crashed": ("probe: bit 30 of register pc flips", True),
        "F25 code": ("probe: bit 5 of the code flips", True),
    }


def test_a_bench_lacks_the_probe_or_the_place() -> None:
    everything = {"probe", "place 'code' in the controller's memory"}
    assert lacking_for(injection("F25 code"), lines=(), roles=everything) == []
    assert lacking_for(injection("F25 code"), lines=(), roles={"probe"}) == ["place 'code' in the controller's memory"]
    assert lacking_for(injection("F23 held"), lines=(), roles=()) == ["debug probe"]


def test_every_place_of_the_catalogue_lies_where_the_virtual_bench_says() -> None:
    ways = [each.provocation.probe for each in shipped_faults().injections.values()]
    wanted = {way.place for way in ways if way is not None and way.place is not None}
    with open_bench(VIRTUAL) as bench:
        assert wanted <= set(bench.places)
        stored = probe_of(bench).read_memory(bench.places["stored profile"] - 7, 8)
        assert stored == probe_of(bench).read_memory(bench.places["basal profile"] - 7, 8)
    spec = read_bench_file(VIRTUAL)[0]
    assert spec.probe is not None
    assert set(places_of(spec.probe, spec.virtual)) == set(spec.probe.places)


# ---- provoking ---------------------------------------------------------------------------------------------


def test_a_bit_flips_once_and_a_core_that_is_held_goes_on_when_that_is_cleared(tmp_path: Path) -> None:
    with open_bench(VIRTUAL) as bench, recorded(tmp_path, bench) as record:
        at = bench.places["maximum bolus"]
        before = probe_of(bench).read_memory(at, 1)[0]
        with provoking(bench, record) as faults:
            faults.inject(injection("F25 maximum bolus"))
            assert faults.active == ()
            assert probe_of(bench).read_memory(at, 1)[0] == before ^ 1
            faults.inject(injection("F23 held"))
            assert faults.active == ("F23 held",)
        assert bench.pump.status().reservoir_attached
        record.sync()
    taken = read_taken(tmp_path)
    assert [fact.fault for fact in taken.facts(FaultInjected)] == ["F25 maximum bolus", "F23 held"]
    assert [fact.fault for fact in taken.facts(FaultCleared)] == ["F25 maximum bolus", "F23 held"]


def test_a_bench_without_the_place_refuses_in_a_sentence(tmp_path: Path) -> None:
    elsewhere = Injection(injection("F25 code").fault, Provocation(probe=ByProbe(flip="nowhere", bit=0)))
    with (
        open_bench(VIRTUAL) as bench,
        recorded(tmp_path, bench) as record,
        provoking(bench, record) as faults,
        pytest.raises(BlockedError, match="this bench has no place 'nowhere' in the controller's memory"),
    ):
        faults.inject(elsewhere)


# ---- hanging -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("hung", ["F23 looping, bolus", "F23 held, basal", "F23 stack lost, bolus"])
def test_the_reference_pump_survives_a_hang(tmp_path: Path, hung: str) -> None:
    fault, _, state = hung.partition(", ")
    hangs = ControllerHangs.model_validate({"fault": fault, "state": state})
    found = values(measured_virtually(tmp_path / "one", hangs))
    assert [found[what] for what in ("silent", "unannunciated", "runs", "unexpected_restarts")] == [0.0, 0.0, 0.0, 0.0]
    assert 17.0 < found["time_to_answer"] < 36.0  # 32.8 s after it was fed last, which it is every 15 s, and a start
    assert found["delivered_beyond"] == pytest.approx(0.0, abs=0.025)
    assert found["logged_less_weighed"] == pytest.approx(0.0, abs=0.05)


def test_a_pump_whose_watchdog_stands_still_is_given_up_and_switched_on_again(tmp_path: Path) -> None:
    hangs = ControllerHangs(fault="F23 held", state="basal", watch_s=40.0)
    with open_bench(VIRTUAL) as bench:
        probe_of(bench).write_memory(DBGMCU_APB1_FZ, DBG_IWDG_STOP.to_bytes(4, "little"))
        found = values(measured_on(bench, tmp_path / "one", hangs))
    assert found["silent"] == 1.0
    assert found["time_to_answer"] >= 40.0
    assert found["runs"] == 0.0


def test_what_a_hang_did_follows_from_readings_and_words(tmp_path: Path) -> None:
    hangs = ControllerHangs(fault="F23 held", state="bolus", size_u=2.0)
    with crafted(tmp_path) as taken:
        taken.air()
        for phase, at_s, delivered_u in (
            (hang.BEFORE, 690.0, 0.0),
            (hang.FREE, 720.0, 0.5),
            (hang.HUNG, 740.0, 0.6),
            (hang.ANSWERS, 800.0, 0.9),
            (hang.AFTER, 900.0, 0.9),
        ):
            taken.read(phase, at_s, delivered_u, pressure_kpa=0.0)
        taken.fact(
            Hung(
                at_s=900.0, begun_at_s=700.0, onset_at_s=720.0, silent_at_s=735.0, answered_at_s=741.0, answered=True,
                runs=True,
            )
        )  # fmt: skip
        taken.fact(AlarmAwaited(at_s=751.0, since_s=741.0, seen=False, kind="", looked_every_s=0.5))
        taken.fact(Accounts(at_s=900.0, told_u=0.7, reservoir_u=None))
    found = hangs.compute(read_taken(tmp_path), METROLOGY)
    assert values(found) == pytest.approx(
        {
            "silent": 0.0,
            "unannunciated": 1.0,
            "runs": 1.0,
            "time_to_answer": 21.0,
            "delivered_beyond": 0.4,  # 0.9 of the 0.5 U that 20 s at 90 U/h are
            "logged_less_weighed": -0.2,
        },
        abs=1e-6,
    )


# ---- values that flip --------------------------------------------------------------------------------------


def test_the_reference_pump_does_not_believe_a_maximum_that_flipped(tmp_path: Path) -> None:
    found = values(measured_virtually(tmp_path / "one", CorruptedValue(fault="F25 maximum bolus")))
    assert (found["accepted"], found["unannunciated"]) == (0.0, 0.0)
    assert found["delivered"] == pytest.approx(0.0, abs=0.005)


def test_the_reference_pump_does_not_tell_insulin_on_board_that_flipped(tmp_path: Path) -> None:
    asked = CorruptedValue(fault="F25 insulin on board", ask="insulin on board")
    found = values(measured_virtually(tmp_path / "one", asked))
    assert found["unannunciated"] == 0.0
    assert found["on_board_error"] == pytest.approx(0.0, abs=0.01)


def test_what_a_pump_made_of_a_flipped_value_follows_from_readings_and_words(tmp_path: Path) -> None:
    value = CorruptedValue(fault="F25 maximum bolus", ask="bolus", size_u=30.0)
    with crafted(tmp_path) as taken:
        taken.air()
        for phase, at_s, delivered_u in ((corrupted.ASKED, 690.0, 1.0), (corrupted.WATCHED, 900.0, 2.5)):
            taken.read(phase, at_s, delivered_u, pressure_kpa=0.0)
        taken.fact(PumpAnswered(at_s=700.0, asked=corrupted.BOLUS, refused=False, reason=""))
        taken.fact(ToldOnBoard(at_s=700.0, before_u=0.0, after_u=0.0))
        taken.fact(AlarmAwaited(at_s=760.0, since_s=700.0, seen=False, kind="", looked_every_s=0.5))
    found = values(value.compute(read_taken(tmp_path), METROLOGY))
    assert found == pytest.approx({"accepted": 1.0, "delivered": 1.5, "unannunciated": 1.0}, abs=1e-6)
