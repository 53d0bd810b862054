"""Simulated lines take the time that characters take, and PyVISA and pyserial see them as ordinary resources."""

import pytest
import pyvisa
import serial
from hypothesis import given
from hypothesis import strategies as st

from rig.clock import SimClock
from rig.virtual import protocol_twin
from rig.virtual.port import Port
from rig.virtual.visa import VirtualVisaLibrary

LINE = "ASRL1::INSTR"
SOCKET = "TCPIP0::supply::5025::SOCKET"


def echo_after(port: Port, delay_ns: int) -> None:
    def echo(data: bytes) -> None:
        port.clock.call_at(port.clock.now_ns + delay_ns, lambda: port.send(data))

    port.on_receive(echo)


def open_line(port: Port, name: str = LINE) -> pyvisa.resources.MessageBasedResource:
    resource = pyvisa.ResourceManager(VirtualVisaLibrary.over({name: port})).open_resource(name)
    assert isinstance(resource, pyvisa.resources.MessageBasedResource)
    resource.read_termination = resource.write_termination = "\r\n"
    return resource


def test_a_reply_takes_the_characters_of_both_ways_and_the_device_delay() -> None:
    clock = SimClock()
    port = Port(clock, baud=9600)
    echo_after(port, delay_ns=20_000_000)
    resource = open_line(port)
    assert resource.query("SI") == "SI"
    assert clock.now_ns == 2 * 4 * port.character_ns + 20_000_000  # "SI" and its line end, there and back


def test_a_mute_instrument_times_out_after_its_virtual_seconds() -> None:
    clock = SimClock()
    resource = open_line(Port(clock, baud=9600))
    resource.timeout = 90_000
    resource.write("S")
    with pytest.raises(pyvisa.VisaIOError) as raised:
        resource.read()
    assert raised.value.error_code == pyvisa.constants.StatusCode.error_timeout
    assert clock.now() == 90.0


def test_the_world_goes_on_while_the_host_waits_for_a_reply() -> None:
    clock = SimClock()
    port = Port(clock, baud=None)
    echo_after(port, delay_ns=1_000)
    seen: list[int] = []
    clock.call_at(500, lambda: seen.append(clock.now_ns))
    clock.call_at(1_500, lambda: seen.append(clock.now_ns))
    assert open_line(port, SOCKET).query("*IDN?") == "*IDN?"
    assert (seen, clock.now_ns) == ([500], 1_000)


def test_wrong_line_speed_garbles_both_ways() -> None:
    port = Port(SimClock(), baud=9600)
    heard: list[bytes] = []
    port.on_receive(heard.append)
    resource = open_line(port)
    assert isinstance(resource, pyvisa.resources.SerialInstrument)
    resource.baud_rate = 19200
    resource.write("SI")
    port.clock.sleep(1.0)
    assert heard != [b"SI\r\n"]
    resource.baud_rate = 9600
    resource.write("SI")
    port.clock.sleep(1.0)
    assert heard[-1] == b"SI\r\n"


def test_a_resource_that_is_not_on_the_bench_is_not_found() -> None:
    manager = pyvisa.ResourceManager(VirtualVisaLibrary.over({LINE: Port(SimClock(), baud=9600)}))
    assert manager.list_resources() == (LINE,)
    with pytest.raises(pyvisa.VisaIOError, match="VI_ERROR_RSRC_NFOUND"):
        manager.open_resource("ASRL2::INSTR")


def test_two_benches_do_not_share_their_resources() -> None:
    ports = [Port(SimClock(), baud=9600) for _ in range(2)]
    for port in ports:
        echo_after(port, delay_ns=0)
    resources = [open_line(port) for port in ports]
    resources[0].query("first")
    assert ports[0].clock.now_ns > 0
    assert ports[1].clock.now_ns == 0


@given(st.lists(st.binary(min_size=1, max_size=20), min_size=1, max_size=8), st.lists(st.integers(1, 9), min_size=1))
def test_every_byte_arrives_once_in_order_at_the_line_speed(sent: list[bytes], sizes: list[int]) -> None:
    clock = SimClock()
    port = Port(clock, baud=115200)
    for data in sent:
        port.send(data)
    whole = b"".join(sent)
    received = b""
    while len(received) < len(whole):
        size = min(sizes[len(received) % len(sizes)], len(whole) - len(received))
        received += port.host_read(size, timeout_s=1.0)
        assert clock.now_ns == len(received) * port.character_ns
    assert received == whole


def test_pyserial_opens_a_simulated_port_by_url() -> None:
    clock = SimClock()
    port = Port(clock, baud=115200, bytewise=True)
    heard: list[tuple[int, bytes]] = []
    port.on_receive(lambda data: heard.append((clock.now_ns, data)))
    protocol_twin.register("twin://line", port)
    serial.protocol_handler_packages.append("rig.virtual")
    try:
        line = serial.serial_for_url("twin://line", baudrate=115200, timeout=1.5)
        assert line.write(b"ab") == 2
        assert line.read(1) == b""
        assert clock.now() == 1.5
        assert heard == [(port.character_ns, b"a"), (2 * port.character_ns, b"b")]
        port.send(b"xy~z")
        assert line.read_until(b"~") == b"xy~"
        line.close()
        with pytest.raises(serial.PortNotOpenError):
            line.read()
    finally:
        serial.protocol_handler_packages.remove("rig.virtual")
        protocol_twin.withdraw("twin://line")


def test_a_url_without_a_bench_says_which_ports_are_open() -> None:
    serial.protocol_handler_packages.append("rig.virtual")
    try:
        with pytest.raises(serial.SerialException, match="no open virtual bench has twin://nobody; open ports: none"):
            serial.serial_for_url("twin://nobody")
    finally:
        serial.protocol_handler_packages.remove("rig.virtual")
