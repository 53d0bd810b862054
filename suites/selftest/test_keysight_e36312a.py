"""The E36312A: driver and twin agree, and programs that nobody here wrote can use the twin."""

from __future__ import annotations

import pytest
import pyvisa
from pymeasure.instruments.keysight import KeysightE36312A as PymeasureE36312A

from instruments.keysight_e36312a import driver, twin
from instruments.keysight_e36312a.outputs import SettingRange
from rig.clock import SimClock, WallClock
from rig.errors import BadReplyError, NoReplyError, RefusedError
from rig.virtual.port import Port
from rig.wire import NoLog, Wire
from suites.stands.socket_host import served_on_socket
from suites.stands.supply_rack import Rack, Resistor


@pytest.fixture
def rack() -> Rack:
    return Rack()


# ---- the driver over the twin ------------------------------------------------------------------------------------


def test_identity_is_what_the_instrument_states(rack: Rack) -> None:
    identity = rack.supply.identify()
    assert (identity.maker, identity.model, identity.serial_number) == (
        "Keysight Technologies",
        "E36312A",
        "MY59002391",
    )


def test_the_rail_follows_setting_and_switch(rack: Rack) -> None:
    rack.supply.set_output(voltage_v=3.7, current_limit_a=1.0)
    assert rack.load.rail_v == [0.0]
    rack.supply.switch(on=True)
    assert rack.load.rail_v == [0.0, 3.7]
    assert rack.supply.read_voltage_v() == 3.7
    assert rack.supply.read_current_a() == pytest.approx(0.074)
    rack.supply.set_output(voltage_v=2.9, current_limit_a=1.0)
    assert rack.load.rail_v[-1] == 2.9


def test_make_safe_takes_the_rail_away(rack: Rack) -> None:
    rack.supply.set_output(voltage_v=3.7, current_limit_a=1.0)
    rack.supply.switch(on=True)
    rack.supply.make_safe()
    assert rack.load.rail_v[-1] == 0.0
    assert rack.supply.read_voltage_v() == 0.0
    assert rack.supply.read_current_a() == 0.0


@pytest.mark.parametrize("left", [b"MEAS:VO", b"OUTP ON,(@1)", b"APPL CH1,3.7", b"NONSENSE\n"])
def test_make_safe_takes_the_rail_away_whatever_another_program_left_behind(rack: Rack, left: bytes) -> None:
    rack.supply.set_output(voltage_v=3.7, current_limit_a=1.0)
    rack.supply.switch(on=True)
    rack.port.host_write(left)
    rack.clock.sleep(0.1)
    rack.supply.make_safe()
    assert rack.load.rail_v[-1] == 0.0


def test_a_load_above_the_limit_gets_the_limit_current(rack: Rack) -> None:
    rack.supply.set_output(voltage_v=5.0, current_limit_a=0.05)
    rack.supply.switch(on=True)
    assert rack.supply.read_voltage_v() == pytest.approx(2.5)
    assert rack.supply.read_current_a() == pytest.approx(0.05)
    assert rack.ask("STAT:QUES:INST:ISUM1:COND?") == "+1"
    rack.load.resistance_ohm = 500.0
    assert rack.supply.read_voltage_v() == pytest.approx(5.0)
    assert rack.ask("STAT:QUES:INST:ISUM1:COND?") == "+2"


@pytest.mark.parametrize(
    ("voltage_v", "current_limit_a", "bound"),
    [
        (6.19, 1.0, "from 0 to 6.18 V, got 6.19 V"),
        (-0.1, 1.0, "from 0 to 6.18 V"),
        (float("nan"), 1.0, "from 0 to 6.18 V, got nan V"),
        (3.7, 5.2, "from 0.001 to 5.15 A, got 5.2 A"),
        (3.7, 0.0, "from 0.001 to 5.15 A"),
    ],
)
def test_a_setting_out_of_range_is_refused_with_the_bound(
    rack: Rack, voltage_v: float, current_limit_a: float, bound: str
) -> None:
    with pytest.raises(ValueError, match=bound):
        rack.supply.set_output(voltage_v=voltage_v, current_limit_a=current_limit_a)
    assert rack.ask("APPL? CH1") == '"+0.00000000E+00,+5.00000000E+00"'


def test_the_self_test_reports_what_stands_in_the_error_queue(rack: Rack) -> None:
    assert rack.supply.self_test() == "no errors; output 1 is off, 0.000 V, 0.0000 A"
    rack.tell("VOLT 99")
    rack.tell("NONSENSE")
    with pytest.raises(RefusedError, match=r'at the self test: reported -222 .*, -113 "Undefined header"'):
        rack.supply.self_test()
    assert rack.supply.self_test().startswith("no errors")


def test_a_refused_write_is_an_error_that_quotes_the_instrument(rack: Rack) -> None:
    soft_limit = SettingRange(maximum=3.0, minimum=0.0, default=0.0)  # set on the front panel
    rack.twin.outputs[1].voltage = soft_limit
    with pytest.raises(RefusedError, match=r"at 'APPL CH1,3\.7,1': reported -222 \"Data out of range\""):
        rack.supply.set_output(voltage_v=3.7, current_limit_a=1.0)
    assert rack.errors() == []


def test_a_mute_supply_times_out_in_virtual_time(rack: Rack) -> None:
    rack.port.distort = lambda _: b""
    with pytest.raises(NoReplyError, match=r"at '\*IDN\?': no reply within 2 s; check the network cable"):
        rack.supply.identify()
    assert rack.clock.now() == pytest.approx(4 * 2.0, abs=0.1)  # the question, and three probes


def test_a_mute_supply_is_switched_off_all_the_same(rack: Rack) -> None:
    rack.supply.set_output(voltage_v=3.7, current_limit_a=1.0)
    rack.supply.switch(on=True)
    rack.port.distort = lambda _: b""
    with pytest.raises(NoReplyError):
        rack.supply.read_voltage_v()
    with pytest.raises(NoReplyError, match="it stays out of step"):
        rack.supply.make_safe()
    rack.clock.sleep(1.0)
    assert rack.load.rail_v[-1] == 0.0


@pytest.mark.parametrize("garbage", [b"what?\n", b"+9.91000000E+37\n", b"\n", b"nan\n"])
def test_garbage_is_never_a_measurement(rack: Rack, garbage: bytes) -> None:
    rack.port.distort = lambda _: garbage
    with pytest.raises(BadReplyError, match="expected a number"):
        rack.supply.read_voltage_v()


def test_the_answer_comes_after_the_processing_time(rack: Rack) -> None:
    rack.ask("*IDN?")
    assert rack.clock.now_ns == 2 * 200_000 + 10_000_000


# ---- over a real socket --------------------------------------------------------------------------------


def test_pymeasure_drives_the_twin_over_tcp() -> None:
    clock, load = SimClock(), Resistor()
    port = Port(clock, baud=None)
    twin.open_twin(port, load, serial_number="MY59002391")
    with served_on_socket(clock, port) as tcp_port:
        supply = PymeasureE36312A(
            f"TCPIP0::127.0.0.1::{tcp_port}::SOCKET", visa_library="@py", read_termination="\n", write_termination="\n"
        )
        assert supply.id.startswith("Keysight Technologies,E36312A,MY59002391,")
        supply.ch_1.voltage_setpoint = 3.7
        supply.ch_1.current_limit = 0.5
        assert supply.ch_1.voltage_setpoint == 3.7
        assert supply.ch_1.current_limit == 0.5
        assert supply.ch_1.output_enabled is False
        supply.ch_1.output_enabled = True
        assert supply.ch_1.output_enabled is True
        assert supply.ch_1.voltage == 3.7
        assert supply.ch_1.current == pytest.approx(0.074)
        supply.ch_2.voltage_setpoint = 12.0
        assert supply.ch_2.voltage_setpoint == 12.0
        supply.write("VOLT 99,(@1)")
        assert supply.check_errors() == [[-222, '"Data out of range"']]
        assert supply.check_errors() == []
        supply.shutdown()
        supply.adapter.close()
    assert load.rail_v == [0.0, 3.7]


def test_our_driver_works_over_pyvisa_py_as_in_a_lab() -> None:
    clock, load = SimClock(), Resistor()
    port = Port(clock, baud=None)
    twin.open_twin(port, load, serial_number="MY59002391")
    with (
        served_on_socket(clock, port) as tcp_port,
        pyvisa.ResourceManager("@py").open_resource(f"TCPIP0::127.0.0.1::{tcp_port}::SOCKET") as resource,
    ):
        assert isinstance(resource, pyvisa.resources.MessageBasedResource)
        wall = WallClock()
        supply = driver.open_driver(Wire(resource, "supply", wall, NoLog()), clock=wall)
        assert supply.identify().serial_number == "MY59002391"
        supply.set_output(voltage_v=3.7, current_limit_a=1.0)
        supply.switch(on=True)
        assert supply.read_voltage_v() == 3.7
        supply.make_safe()
    assert load.rail_v == [0.0, 3.7, 0.0]
