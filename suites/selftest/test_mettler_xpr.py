"""The XPR balance: driver and twin agree, time passes as on the wire, and programs that nobody here wrote fit both."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread

import pytest
import pyvisa
from hypothesis import given, settings
from hypothesis import strategies as st
from mtsics.core.state import ScaleState
from mtsics.profiles import load
from mtsics.protocol.engine import MTSICSEngine
from mtsics.transport.tcp import TCPConfig, TCPTransport

from instruments.mettler_xpr import driver, twin
from rig.clock import SimClock, WallClock
from rig.errors import BadReplyError, DeviceError, NoReplyError, RefusedError
from rig.roles import MassReading
from rig.virtual.port import Port
from rig.virtual.visa import VirtualVisaLibrary
from rig.wire import NoLog, Wire
from suites.stands.pty_host import served_on_pty
from suites.stands.transcript_players import StatedWorld

unhurried = settings(deadline=None)  # the wall time of a simulated line says nothing

LINE = "ASRL1::INSTR"
CHARACTER_S = 10 / 9600
WEIGHT_CHARACTERS = len("S S   1.234567 g\r\n")


class Rack:
    """A twin on a simulated line, its load, and the driver."""

    def __init__(self, load_g: float = 1.234567, *, stable: bool = True) -> None:
        self.clock = SimClock()
        self.world = StatedWorld("the rack")
        self.put(load_g, stable=stable)
        self.port = Port(self.clock, baud=twin.BAUD, bits_per_character=twin.BITS_PER_CHARACTER, bytewise=True)
        twin.open_twin(self.port, self.world, serial_number="B831204417")
        resource = pyvisa.ResourceManager(VirtualVisaLibrary.over({LINE: self.port})).open_resource(LINE)
        assert isinstance(resource, pyvisa.resources.MessageBasedResource)
        self.wire = Wire(resource, f"balance mettler_xpr on {LINE}", self.clock, NoLog())
        self.balance = driver.open_driver(self.wire, clock=self.clock)

    def put(self, load_g: float, *, stable: bool = True) -> None:
        self.world.state("load_g", f"{load_g!r} {'stable' if stable else 'unstable'}")

    def put_at(self, at_s: float, load_g: float, *, stable: bool = True) -> None:
        self.clock.call_at(round(at_s * 1e9), lambda: self.put(load_g, stable=stable))


@pytest.fixture
def rack() -> Rack:
    return Rack()


def test_a_reading_takes_as_long_as_its_characters_and_the_balance(rack: Rack) -> None:
    assert rack.balance.read() == MassReading(mass_g=1.234567, stable=True)
    taken_s = len("SI\r\n") * CHARACTER_S + twin.ANSWER_AFTER_S + WEIGHT_CHARACTERS * CHARACTER_S
    assert rack.clock.now() == pytest.approx(taken_s, abs=1e-7)


def test_a_stable_reading_waits_until_the_balance_calls_it_stable() -> None:
    rack = Rack(5.0, stable=False)
    rack.put_at(3.0, 5.1, stable=True)
    assert rack.balance.read_stable() == MassReading(mass_g=5.1, stable=True)
    latest_s = 3.0 + 1 / twin.VALUES_PER_S + twin.ANSWER_AFTER_S + WEIGHT_CHARACTERS * CHARACTER_S
    assert 3.0 < rack.clock.now() <= latest_s


def test_a_load_that_never_settles_is_refused_by_the_balance_not_by_the_time_out() -> None:
    rack = Rack(5.0, stable=False)
    with pytest.raises(RefusedError, match="not executable now"):
        rack.balance.read_stable()
    assert 40.0 < rack.clock.now() < 41.0


def test_tare_makes_the_present_load_zero(rack: Rack) -> None:
    rack.balance.tare()
    assert rack.balance.read().mass_g == 0.0
    rack.put(1.234567 + 0.010025)
    assert rack.balance.read().mass_g == 0.010025


def test_identify_and_make_safe_clear_the_tare(rack: Rack) -> None:
    for clear in (rack.balance.identify, rack.balance.make_safe):
        rack.balance.tare()
        clear()
        assert rack.balance.read().mass_g == 1.234567


def test_repeated_values_come_ten_times_a_second_until_cancelled(rack: Rack) -> None:
    rack.wire.write("SIR")
    rack.clock.sleep(2.0)
    assert rack.port.host_waiting() == 20 * WEIGHT_CHARACTERS
    rack.balance.make_safe()
    rack.clock.sleep(1.0)
    assert rack.port.host_waiting() == 0


def test_a_session_that_left_values_repeating_is_identified(rack: Rack) -> None:
    rack.wire.write("SIR")
    rack.clock.sleep(0.56)
    assert rack.balance.identify().serial_number == "B831204417"


def test_a_mute_balance_times_out_in_virtual_time(rack: Rack) -> None:
    rack.port.distort = lambda _: b""
    with pytest.raises(
        NoReplyError, match="balance mettler_xpr on ASRL1::INSTR, at 'SI': no reply within 2 s; check the"
    ):
        rack.balance.read()
    assert rack.clock.now() == 4 * 2.0  # the question, and three probes


def test_the_long_time_out_of_a_stable_value_ends_with_it(rack: Rack) -> None:
    answering, rack.port.distort = rack.port.distort, lambda _: b""
    with pytest.raises(NoReplyError, match="at 'S': no reply within 60 s"):
        rack.balance.read_stable()
    rack.port.distort = answering
    assert rack.balance.read_stable() == MassReading(mass_g=1.234567, stable=True)
    rack.port.distort = lambda _: b""
    muted_s = rack.clock.now()
    with pytest.raises(NoReplyError, match="at '@': no reply within 2 s, 3 times"):
        rack.balance.make_safe()
    assert rack.clock.now() - muted_s == pytest.approx(3 * 2.0, abs=1e-9)


def test_a_late_reply_never_answers_the_next_command(rack: Rack) -> None:
    held: list[bytes] = []

    def hold(data: bytes) -> bytes:
        held.append(data)
        return b""

    at_once, rack.port.distort = rack.port.distort, hold
    with pytest.raises(NoReplyError):
        rack.balance.read()
    rack.port.distort = at_once
    rack.port.send(held[0])
    rack.clock.sleep(1.0)
    rack.put(6.0)
    assert rack.balance.read() == MassReading(mass_g=6.0, stable=True)


def test_another_line_speed_gives_no_reading(rack: Rack) -> None:
    rack.wire.configure_serial(baud=19200)
    with pytest.raises(NoReplyError, match="host at 9600 8N1"):
        rack.balance.read()


@unhurried
@given(load_g=st.floats(-2.0, 22.0), stable=st.booleans())
def test_every_load_is_read_to_the_microgram(load_g: float, stable: bool) -> None:
    reading = Rack(load_g, stable=stable).balance.read()
    assert reading == MassReading(mass_g=float(f"{load_g:.6f}"), stable=stable)


@unhurried
@given(vessel_g=st.floats(0.0, 10.0), drop_g=st.floats(-1.0, 10.0))
def test_net_is_gross_less_tare(vessel_g: float, drop_g: float) -> None:
    rack = Rack(vessel_g)
    rack.balance.tare()
    rack.put(vessel_g + drop_g)
    assert rack.balance.read_stable().mass_g == pytest.approx(drop_g, abs=0.51e-6)


@pytest.mark.parametrize("lost", range(WEIGHT_CHARACTERS))
def test_a_lost_character_never_changes_a_mass(rack: Rack, lost: int) -> None:
    rack.port.distort = lambda data: data[:lost] + data[lost + 1 :]
    with pytest.raises(DeviceError):
        rack.balance.read()


@unhurried
@given(noise=st.binary(max_size=80))
def test_no_bytes_break_the_balance(noise: bytes) -> None:
    rack = Rack()
    rack.port.host_write(noise + b"\r\n")
    rack.clock.sleep(1.0)
    assert rack.balance.identify().model == "XPR26"


@pytest.mark.filterwarnings("ignore:pkg_resources is deprecated")
def test_another_client_drives_the_twin_over_a_pty() -> None:
    from mettler_toledo_device import MettlerToledoDevice  # here, for the warning that its import raises

    clock = SimClock()
    port = Port(clock, baud=twin.BAUD)
    world = StatedWorld("the pty")
    world.state("load_g", "0.123456 stable")
    twin.open_twin(port, world, serial_number="B831204417")
    with served_on_pty(clock, port) as path:
        client = MettlerToledoDevice(port=path, timeout=2.0)
        try:
            assert client.get_serial_number() == "B831204417"
            assert client.get_balance_data() == ["XPR26", "22.000000", "g"]
            assert client.get_weight() == [0.123456, "g", "S"]
            assert client.get_weight_stable() == [0.123456, "g"]
            assert client.zero_stable()
            world.state("load_g", "0.223456 unstable")
            assert client.get_weight() == [0.1, "g", "D"]
            assert client.zero() == "D"
            assert client.get_weight() == [0.0, "g", "D"]
        finally:
            client.close()


def test_our_driver_works_over_pyvisa_py_and_a_serial_path_as_in_a_lab() -> None:
    clock = SimClock()
    port = Port(clock, baud=twin.BAUD)
    world = StatedWorld("the pty")
    world.state("load_g", "1.5 stable")
    twin.open_twin(port, world, serial_number="B831204417")
    with (
        served_on_pty(clock, port) as path,
        pyvisa.ResourceManager("@py").open_resource(f"ASRL{path}::INSTR") as resource,
    ):
        assert isinstance(resource, pyvisa.resources.MessageBasedResource)
        wall = WallClock()
        balance = driver.open_driver(Wire(resource, "balance", wall, NoLog()), clock=wall)
        assert balance.identify().serial_number == "B831204417"
        assert balance.self_test() == "shows 1.500000 g, stable"
        balance.tare()
        assert balance.read_stable() == MassReading(mass_g=0.0, stable=True)
        balance.make_safe()


@contextmanager
def emulated(state: ScaleState) -> Iterator[int]:
    """Serve mt-sics-emulator's balance on the loopback; gives the TCP port."""
    loop = asyncio.new_event_loop()
    server = TCPTransport(MTSICSEngine(state), cfg=TCPConfig(host="127.0.0.1", port=0))
    thread = Thread(target=loop.run_forever)
    thread.start()
    try:
        yield asyncio.run_coroutine_threadsafe(server.start(), loop).result()[1]
        asyncio.run_coroutine_threadsafe(server.close(), loop).result()
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def test_our_driver_weighs_on_an_independent_emulator_and_names_what_the_manual_forbids() -> None:
    state = ScaleState(config=load("mt-xs204"))
    state.set_weight(100.0012)
    with (
        emulated(state) as tcp_port,
        pyvisa.ResourceManager("@py").open_resource(f"TCPIP0::127.0.0.1::{tcp_port}::SOCKET") as resource,
    ):
        assert isinstance(resource, pyvisa.resources.MessageBasedResource)
        wall = WallClock()
        balance = driver.open_driver(Wire(resource, "balance", wall, NoLog()), clock=wall)
        balance.make_safe()
        assert balance.read_stable() == MassReading(mass_g=100.0012, stable=True)
        balance.tare()
        state.set_weight(100.5)
        assert balance.read_stable() == MassReading(mass_g=0.4988, stable=True)
        # Where it and the manual disagree (protocol.md):
        with pytest.raises(BadReplyError, match=r"at 'SI': answered 'SI S     0\.4988 g'"):
            balance.read()
        with pytest.raises(BadReplyError, match="at 'I2': answered 'B246813579', which ends in no capacity"):
            balance.identify()
        state.set_weight(100.6, stable=False)
        with pytest.raises(BadReplyError, match=r"at 'S': answered .*, a value that is not stable"):
            balance.read_stable()
        with pytest.raises(RefusedError, match=r"answered 'T I' \(not executable now\)"):
            balance.tare()
        state.set_weight(500.0)
        with pytest.raises(RefusedError, match="overload"):
            balance.read_stable()
