"""The 33X transmitter: driver and twin agree, damage is seen, and the maker's own client can use the twin."""

from __future__ import annotations

import math
import struct
from collections.abc import Callable
from itertools import zip_longest

import pytest
import pyvisa
from hypothesis import given, settings
from hypothesis import strategies as st
from keller_protocol.keller_protocol import KellerProtocol

from instruments.keller_33x import driver, twin
from rig.clock import SimClock, WallClock
from rig.errors import BadReplyError, DeviceError, NoReplyError, RefusedError
from rig.virtual.port import Port
from rig.virtual.visa import VirtualVisaLibrary
from rig.wire import NoLog, Wire
from suites.stands.pty_host import served_on_pty
from suites.stands.transcript_players import StatedWorld

unhurried = settings(deadline=None)  # the wall time of a simulated line says nothing

LINE = "ASRL2::INSTR"
CHARACTER_S = 10 / 9600
REPLY_OCTETS = 9  # of function 73


class ConverterPort(Port):
    """A line behind a converter that, when it `echoes`, sends back what is sent through it."""

    echoes = False

    def on_receive(self, callback: Callable[[bytes], None]) -> None:
        def convert(data: bytes) -> None:
            if self.echoes:
                self.send(data)
            callback(data)

        super().on_receive(convert)


class Rack:
    """A twin on a simulated line, its pressure and temperature, and the driver."""

    def __init__(self, pressure_kpa: float = 12.5, *, address: int = 250) -> None:
        self.clock = SimClock()
        self.world = StatedWorld("the rack")
        self.put(pressure_kpa)
        self.world.state("air", "23.125 1013.25 0.45")
        self.port = ConverterPort(self.clock, baud=twin.BAUD, bytewise=True)
        self.twin = twin.open_twin(self.port, self.world, serial_number="1047213")
        resource = pyvisa.ResourceManager(VirtualVisaLibrary.over({LINE: self.port})).open_resource(LINE)
        assert isinstance(resource, pyvisa.resources.MessageBasedResource)
        self.wire = Wire(resource, f"pressure keller_33x on {LINE}", self.clock, NoLog())
        self.sensor = driver.open_driver(self.wire, clock=self.clock, address=address)

    def put(self, pressure_kpa: float) -> None:
        self.world.state("pressure_kpa", repr(pressure_kpa))


@pytest.fixture
def rack() -> Rack:
    rack = Rack()
    rack.sensor.identify()
    return rack


@pytest.mark.parametrize(
    ("message", "checksum"),
    [
        ([250, 73, 1], [161, 167]),
        ([250, 73, 63, 109, 186, 172, 0], [26, 27]),
        ([1, 73, 2], [81, 150]),
        ([1, 73, 63, 109, 178, 242, 0], [119, 232]),
        ([250, 48], [4, 67]),
        ([1, 48], [52, 0]),
    ],
)
def test_the_checksum_is_that_of_the_makers_examples(message: list[int], checksum: list[int]) -> None:
    assert list(driver.crc16(bytes(message))) == checksum


def test_a_reading_takes_as_long_as_its_characters_and_the_transmitter(rack: Rack) -> None:
    rack.clock.sleep(1.0)  # the line is quiet
    begin_s = rack.clock.now()
    assert rack.sensor.read_kpa() == 12.5
    taken_s = (5 + twin.SILENCE_CHARACTERS + REPLY_OCTETS) * CHARACTER_S + twin.ANSWER_AFTER_S
    assert rack.clock.now() - begin_s == pytest.approx(taken_s, abs=1e-7)


def test_a_bench_can_read_more_than_twenty_times_a_second(rack: Rack) -> None:
    begin_s = rack.clock.now()
    for _ in range(20):
        rack.sensor.read_kpa()
    assert rack.clock.now() - begin_s < 1.0


@unhurried
@given(pressure_kpa=st.floats(-100.0, 1100.0))
def test_every_pressure_in_range_is_read_to_single_precision(pressure_kpa: float) -> None:
    rack = Rack(pressure_kpa)
    rack.sensor.identify()
    (bar,) = struct.unpack(">f", struct.pack(">f", pressure_kpa / 100.0))
    assert rack.sensor.read_kpa() == bar * 100.0
    assert rack.sensor.read_kpa() == pytest.approx(pressure_kpa, rel=1e-7)


def test_its_own_address_and_the_transparent_one_answer_others_do_not() -> None:
    for address in (twin.ADDRESS, 250):
        assert Rack(address=address).sensor.identify().serial_number == "1047213"
    with pytest.raises(NoReplyError, match=r"at F48: no reply within 0\.5 s; check the converter"):
        Rack(address=7).sensor.identify()


@pytest.mark.parametrize("address", [-1, 0, 251])
def test_an_address_outside_the_protocol_is_refused(rack: Rack, address: int) -> None:
    with pytest.raises(ValueError, match=f"from 1 to 250, got {address}"):
        driver.open_driver(rack.wire, clock=rack.clock, address=address)


def test_a_lost_supply_in_mid_run_is_an_error_until_identified_anew(rack: Rack) -> None:
    rack.twin.interrupt_supply()
    with pytest.raises(RefusedError, match=r"at F73 1: answered exception 32 .*; its supply was interrupted"):
        rack.sensor.read_kpa()
    rack.sensor.identify()
    assert rack.sensor.read_kpa() == 12.5


def test_a_mute_transmitter_times_out_in_virtual_time(rack: Rack) -> None:
    rack.port.distort = lambda _: b""
    rack.clock.sleep(1.0)  # the line is quiet
    begin_s = rack.clock.now()
    with pytest.raises(NoReplyError, match=r"pressure keller_33x on ASRL2::INSTR, at F73 1: no reply within 0\.5 s"):
        rack.sensor.read_kpa()
    assert rack.clock.now() - begin_s == pytest.approx(4 * 0.5, abs=1e-7)  # the question, and three probes


@pytest.mark.parametrize("at", range(REPLY_OCTETS))
@pytest.mark.parametrize("bit", range(8))
def test_no_single_flipped_bit_passes_as_a_pressure(rack: Rack, at: int, bit: int) -> None:
    flipped = bytes(at) + bytes([1 << bit])
    rack.port.distort = lambda data: bytes(a ^ b for a, b in zip_longest(data, flipped[: len(data)], fillvalue=0))
    with pytest.raises(BadReplyError):
        rack.sensor.read_kpa()


@pytest.mark.parametrize("length", range(1, REPLY_OCTETS))
def test_no_short_frame_passes_as_a_pressure(rack: Rack, length: int) -> None:
    rack.port.distort = lambda data: data[:length]
    with pytest.raises(NoReplyError if length == 1 else BadReplyError):
        rack.sensor.read_kpa()


@unhurried
@given(garbage=st.binary(min_size=1, max_size=30))
def test_garbage_is_an_error_and_the_next_reading_is_right(garbage: bytes) -> None:
    rack = Rack()
    rack.sensor.identify()
    rack.port.distort = lambda _: garbage
    with pytest.raises(DeviceError, match="pressure keller_33x on ASRL2::INSTR, at F73 1: "):
        rack.sensor.read_kpa()
    rack.port.distort = lambda data: data
    rack.clock.sleep(0.1)
    assert rack.sensor.read_kpa() == 12.5


@unhurried
@given(echoing=st.lists(st.booleans(), min_size=1, max_size=5))
def test_readings_are_the_same_through_a_converter_that_echoes(echoing: list[bool]) -> None:
    rack = Rack()
    for echoes in echoing:
        rack.port.echoes = echoes
        assert rack.sensor.identify().serial_number == "1047213"
        assert rack.sensor.self_test() == "shows 12.50 kPa, sensor at 23.1 °C"


@unhurried
@given(noise=st.binary(max_size=40))
def test_no_bytes_break_the_transmitter(noise: bytes) -> None:
    rack = Rack()
    rack.port.host_write(noise)
    rack.clock.sleep(1.0)
    assert rack.sensor.identify().firmware == "5.20-12.28"


def test_the_makers_client_drives_the_twin_over_a_pty() -> None:
    clock = SimClock()
    port = Port(clock, baud=twin.BAUD)
    world = StatedWorld("the pty")
    world.state("pressure_kpa", "12.5")
    world.state("air", "23.125 1013.25 0.45")
    twin.open_twin(port, world, serial_number="1047213")
    with served_on_pty(clock, port) as path:
        client = KellerProtocol(path, 9600, timeout=0.5, echo=False)
        with pytest.raises(Exception, match="Device Error number: 201"):
            client.f73(250, 1)
        assert client.f48(250) == "5.20-12.28"
        assert client.f69(250) == 1047213
        assert client.f66(250, 0) == 1
        assert client.f66(1, 42) == 42
        assert client.f73(42, 1) == 0.125
        assert client.f73(42, 4) == 23.125
        assert math.isnan(client.f73(42, 2))
        assert client.f74(42, 1) == 12500
        client.f95(42, cmd=0, value=2.5)
        assert client.f73(42, 1) == 2.5
        client.f95(42, cmd=0)
        assert client.f73(42, 1) == 0.0
        client.f95(42, cmd=1)
        assert client.f73(42, 1) == 0.125


def test_our_driver_works_over_pyvisa_py_and_a_serial_path_as_in_a_lab() -> None:
    clock = SimClock()
    port = Port(clock, baud=twin.BAUD)
    world = StatedWorld("the pty")
    world.state("pressure_kpa", "12.5")
    world.state("air", "23.125 1013.25 0.45")
    twin.open_twin(port, world, serial_number="1047213")
    with (
        served_on_pty(clock, port) as path,
        pyvisa.ResourceManager("@py").open_resource(f"ASRL{path}::INSTR") as resource,
    ):
        assert isinstance(resource, pyvisa.resources.MessageBasedResource)
        wall = WallClock()
        sensor = driver.open_driver(Wire(resource, "pressure", wall, NoLog()), clock=wall)
        assert sensor.identify().serial_number == "1047213"
        assert sensor.self_test() == "shows 12.50 kPa, sensor at 23.1 °C"
        assert sensor.read_kpa() == 12.5
