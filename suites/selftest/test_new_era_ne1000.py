"""The NE-1000: its page, its twin driven by a client of others, its driver on the virtual bench."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from nesp_lib import Port as NespPort
from nesp_lib import Pump as NespPump
from nesp_lib import PumpingDirection, StatusAlarmException

from instruments.new_era_ne1000 import open_driver, twin
from instruments.new_era_ne1000.packets import digits
from rig.bench.open import open_bench
from rig.clock import SimClock
from rig.errors import BenchFileError, RefusedError, UnableError
from rig.record.files import read_json
from rig.roles import Capability, require
from rig.therapy import BasalSegment, TherapyState
from rig.virtual.port import Port
from rig.wire import NoLog
from suites.stands.known_pump import SyringeBench, open_syringe_bench
from suites.stands.pty_host import served_on_pty
from suites.stands.syringe_line import URL, Line, line_at_url
from suites.stands.transcript_players import PlayedDevice, StatedWorld, play_calls, play_to_port
from suites.stands.transcripts import Transcript, read_page

CONNECTION, *TALKS = read_page(Path(__file__).parents[2] / "instruments/new_era_ne1000/protocol.md")
BENCH = "fixtures/benches/virtual_ne1000.toml"
U_PER_G = 100.3
"""Water at 20 °C: Z = 1.003 µL/mg (ISO 8655-6)."""


def connected(talk: Transcript) -> Transcript:
    return replace(talk, lines=CONNECTION.lines + talk.lines)


# ---- the page ----------------------------------------------------------------------------------------------------


@pytest.fixture
def port() -> Iterator[Port]:
    with line_at_url() as port:
        yield port


@pytest.mark.parametrize("talk", [pytest.param(talk, id=talk.where) for talk in TALKS if talk.has_calls])
def test_the_driver_understands_what_the_page_says(port: Port, talk: Transcript) -> None:
    device = PlayedDevice(port)
    driver = open_driver(URL, clock=port.clock, log=NoLog())
    play_calls(connected(talk), device, driver)


@pytest.mark.parametrize("talk", [pytest.param(talk, id=talk.where) for talk in TALKS if not talk.driver_only])
def test_the_twin_answers_as_the_page_says(talk: Transcript) -> None:
    port = Port(SimClock(), baud=twin.BAUD, bits_per_character=twin.BITS_PER_CHARACTER)
    world = StatedWorld(talk.where)
    twin.open_twin(port, world, serial_number="address 00")
    play_to_port(connected(talk), port, world)


@pytest.mark.parametrize(("value", "text"), [(10.0, "10"), (0.25, "0.25"), (0.125, "0.125"), (999.9, "999.9")])
def test_numbers_have_four_digits(value: float, text: str) -> None:
    assert digits(value) == text


@pytest.mark.parametrize("value", [10000.0, 100.25, 0.0625])
def test_a_number_that_would_lose_digits_is_refused(value: float) -> None:
    with pytest.raises(ValueError, match="four digits, three of them behind the point"):
        digits(value)


# ---- a client of others ------------------------------------------------------------------------------------------


@pytest.fixture
def served() -> Iterator[tuple[str, Line]]:
    clock, line = SimClock(), Line()
    port = Port(clock, baud=twin.BAUD, bits_per_character=twin.BITS_PER_CHARACTER)
    twin.open_twin(port, line, serial_number="address 00")  # type: ignore[arg-type]  # the one signal it asks for
    with served_on_pty(clock, port) as path:
        yield path, line


@pytest.mark.parametrize("safe_mode_timeout_s", [0, 5])
def test_nesp_lib_delivers_a_volume(served: tuple[str, Line], safe_mode_timeout_s: int) -> None:
    path, line = served
    pump = NespPump(NespPort(path, 19200))
    pump.safe_mode_timeout_s = safe_mode_timeout_s
    assert (pump.model_number, pump.firmware_version) == (1000, (3, 928))
    pump.syringe_diameter_mm = 8.585
    pump.pumping_direction = PumpingDirection.INFUSE
    pump.pumping_volume_ml = 0.02
    pump.pumping_rate_ml_per_min = 1.2
    pump.volume_infused_clear()
    pump.run()
    assert not pump.running
    assert pump.volume_infused_ml == pytest.approx(0.02)
    assert line.pushed_ul == pytest.approx(20.0)
    pump.safe_mode_timeout_s = 0  # ends its heartbeat


def test_nesp_lib_hears_a_stall(served: tuple[str, Line]) -> None:
    path, line = served
    pump = NespPump(NespPort(path, 19200))
    pump.syringe_diameter_mm = 8.585
    pump.pumping_volume_ml = 0.05
    pump.pumping_rate_ml_per_min = 1.0
    line.blocked = True
    with pytest.raises(StatusAlarmException):
        pump.run()


# ---- the virtual bench -------------------------------------------------------------------------------------------


@pytest.fixture
def bench() -> Iterator[SyringeBench]:
    with open_syringe_bench(BENCH) as bench:
        yield bench


def weighed_u(bench: SyringeBench, before_g: float) -> float:
    return (bench.balance.read_stable().mass_g - before_g) * U_PER_G


def ready_for_boluses(bench: SyringeBench) -> float:
    bench.pump.set_basal_profile([BasalSegment(1440, 0.0)])
    bench.pump.run()
    return bench.balance.read_stable().mass_g


def test_a_bolus_arrives_on_the_balance(bench: SyringeBench) -> None:
    before_g = ready_for_boluses(bench)
    bolus_id = bench.pump.bolus(2.5)
    bench.clock.sleep(30.0)
    (state,) = bench.pump.active_boluses()
    assert (state.bolus_id, state.programmed_u) == (bolus_id, 2.5)
    assert state.delivered_u == pytest.approx(0.75, abs=0.01)
    bench.clock.sleep(120.0)
    assert bench.pump.active_boluses() == []
    assert weighed_u(bench, before_g) == pytest.approx(2.5, abs=0.005)


def test_a_cancelled_bolus_stops_where_the_pump_says(bench: SyringeBench) -> None:
    before_g = ready_for_boluses(bench)
    bolus_id = bench.pump.bolus(5.0)
    bench.clock.sleep(60.0)
    (state,) = bench.pump.active_boluses()
    bench.pump.cancel_bolus(bolus_id)
    bench.clock.sleep(300.0)
    assert weighed_u(bench, before_g) == pytest.approx(state.delivered_u, abs=0.01)
    assert bench.pump.status().therapy is TherapyState.RUN
    with pytest.raises(RefusedError, match="it is not being delivered"):
        bench.pump.cancel_bolus(bolus_id)


def test_a_basal_rate_is_delivered_and_leaves_no_room_for_a_bolus(bench: SyringeBench) -> None:
    bench.pump.set_basal_profile([BasalSegment(1440, 2.0)])
    bench.pump.run()
    bench.clock.sleep(600.0)
    before_g = bench.balance.read().mass_g  # it never settles: the flow is steady
    bench.clock.sleep(3600.0)
    assert (bench.balance.read().mass_g - before_g) * U_PER_G == pytest.approx(2.0, abs=0.02)
    with pytest.raises(UnableError, match="a bolus beside a basal rate of 2 U/h"):
        bench.pump.bolus(1.0)


def test_a_closed_outlet_stalls_it_and_that_is_annunciated(bench: SyringeBench) -> None:
    bench.pump.confirm(bench.pump.annunciations()[0].annunciation_id)  # power was lost before the bench was opened
    bench.switch.set_line("occluder", energised=True)
    bench.pump.set_basal_profile([BasalSegment(1440, 200.0)])
    bench.pump.run()
    bench.clock.sleep(3600.0)
    assert [alarm.kind for alarm in bench.pump.annunciations()] == ["mechanical"]
    assert bench.pump.status().therapy is TherapyState.STOP


@pytest.mark.parametrize("lost", [1, 2])
def test_after_a_lost_reply_the_pump_is_asked_and_delivers_once(port: Port, lost: int) -> None:
    line, left = Line(), [b"I"] * lost

    def lose(data: bytes) -> bytes:
        return b"" if left and data[3:4] == left[0] and left.pop() else data

    twin.open_twin(port, line, serial_number="address 00")  # type: ignore[arg-type]  # the one signal it asks for
    port.distort = lose
    driver = open_driver(URL, clock=port.clock, log=NoLog())
    driver.set_basal_profile([BasalSegment(1440, 0.0)])
    driver.run()
    driver.bolus(2.5)  # the reply to RUN is lost, and then the one to the question what became of it
    assert left == []
    port.clock.sleep(200.0)
    assert line.pushed_ul == pytest.approx(25.0)


def test_what_it_cannot_do_is_no_capability_and_one_sentence(bench: SyringeBench) -> None:
    assert Capability.HISTORY not in bench.pump.capabilities
    with pytest.raises(UnableError) as refused:
        require(bench.pump, Capability.HISTORY)
    assert str(refused.value) == (
        "pump NE-1000 address 00, at history: this is beyond its capabilities; ask for its capabilities first"
    )


def test_a_run_reports_what_it_cannot_do_as_not_applicable(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "rig", "verify", "--bench", BENCH, "--select", "occlusion", "--out", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    rows = [row for row in read_json(tmp_path / "record" / "results.json")["requirements"] if row["in_scope"]]
    assert {row["verdict"] for row in rows} == {"NOT APPLICABLE"}
    assert rows[0]["reason"] == "this pump has no occlusion detection and no settings"
    assert all(row["reason"] for row in rows)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"adress": 1}, "pump.options.adress: new_era_ne1000 has no such option; known are address"),
        ({"address": 100}, "pump.options.address is 100: input should be less than or equal to 99"),
        ({"address": "x"}, "pump.options.address is 'x': input should be a valid integer"),
        ({"safe_s": 2.5}, "pump.options.safe_s is 2.5: input should be a valid integer"),
        ({"diameter_mm": 60.0}, "pump.options.diameter_mm is 60.0: input should be less than or equal to 50"),
        ({"diameter_mm": 8.5851}, "pump.options.diameter_mm is 8.5851: 8.5851 cannot be told to this pump: it takes"),
        (
            {"bolus_u_per_min": 0.0},
            "pump.options.bolus_u_per_min is 0.0: input should be greater than or equal to",
        ),
    ],
)
def test_a_wrong_option_is_one_sentence(options: dict[str, Any], sentence: str) -> None:
    with (
        pytest.raises(BenchFileError, match=re.escape(sentence)),
        open_bench(BENCH, overrides={"pump.options": options}),
    ):
        pass
