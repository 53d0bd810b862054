"""The Numato relay module: driver and twin agree, contacts take their time, and the maker's own client can use it."""

from __future__ import annotations

import pytest
import pyvisa
from hypothesis import given, settings
from hypothesis import strategies as st
from numato_usb_relay.relay import Relay as MakersRelay

from instruments.numato_relay import driver, twin
from rig.clock import SimClock, WallClock
from rig.errors import BadReplyError, NoReplyError, RefusedError
from rig.virtual.port import Port
from rig.virtual.visa import VirtualVisaLibrary
from rig.wire import NoLog, Wire
from suites.stands.deaf_world import DeafWorld
from suites.stands.pty_host import served_on_pty

unhurried = settings(deadline=None)  # the wall time of a simulated line says nothing

LINE = "ASRL3::INSTR"
LINES = {"occluder": 0, "reservoir valve": 3, "motor enable": 7}


class Contacts(DeafWorld):
    """What hangs on the relays: when which contact moved."""

    def __init__(self, clock: SimClock) -> None:
        self.clock = clock
        self.moves: list[tuple[int, int, bool]] = []  # (at_ns, relay, energised)

    def set_relay(self, line: int, *, energised: bool) -> None:
        self.moves.append((self.clock.now_ns, line, energised))

    @property
    def closed(self) -> set[int]:
        last = {relay: energised for _, relay, energised in self.moves}
        return {relay for relay, energised in last.items() if energised}


class Rack:
    """A twin on a simulated USB line, its contacts, and the driver."""

    def __init__(self) -> None:
        self.clock = SimClock()
        self.contacts = Contacts(self.clock)
        self.port = Port(self.clock, baud=twin.BAUD, bits_per_character=twin.BITS_PER_CHARACTER)
        self.twin = twin.open_twin(self.port, self.contacts, serial_number="BENCH001")
        resource = pyvisa.ResourceManager(VirtualVisaLibrary.over({LINE: self.port})).open_resource(LINE)
        assert isinstance(resource, pyvisa.resources.MessageBasedResource)
        self.resource = resource
        self.wire = Wire(resource, f"switch numato_relay on {LINE}", self.clock, NoLog())
        self.switch = driver.open_driver(self.wire, clock=self.clock, lines=LINES)

    def dialogue(self, typed: bytes) -> bytes:
        """Everything that the terminal shows after `typed`."""
        self.port.host_write(typed)
        self.clock.sleep(0.1)
        return self.port.host_read(10_000, timeout_s=0.0)


@pytest.fixture
def rack() -> Rack:
    return Rack()


def test_identity_is_the_modules_id_and_firmware(rack: Rack) -> None:
    identity = rack.switch.identify()
    assert (identity.serial_number, identity.firmware) == ("BENCH001", "00000008")


def test_lines_switch_by_name_and_are_read_back(rack: Rack) -> None:
    rack.switch.set_line("reservoir valve", energised=True)
    rack.switch.set_line("motor enable", energised=True)
    assert [line for line in rack.switch.lines if rack.switch.is_energised(line)] == ["reservoir valve", "motor enable"]
    rack.switch.set_line("reservoir valve", energised=False)
    rack.clock.sleep(0.010)
    assert rack.contacts.closed == {7}
    assert rack.switch.self_test() == "answers; energised: motor enable"


def test_contacts_close_10_ms_and_open_5_ms_after_the_coil(rack: Rack) -> None:
    rack.dialogue(b"relay on 0\r")
    at_ns = rack.clock.now_ns
    rack.dialogue(b"relay off 0\r")
    assert rack.contacts.moves == [(10_000_000, 0, True), (at_ns + 5_000_000, 0, False)]


def test_a_coil_released_before_its_contact_moved_never_closes_it(rack: Rack) -> None:
    rack.dialogue(b"relay on 0\rrelay off 0\r")
    assert rack.contacts.closed == set()


def test_make_safe_releases_every_relay_named_or_not(rack: Rack) -> None:
    rack.dialogue(b"relay writeall ff\r")
    assert rack.contacts.closed == set(range(8))
    rack.switch.make_safe()
    rack.clock.sleep(0.010)
    assert rack.contacts.closed == set()


def test_a_half_typed_line_of_a_broken_session_does_no_harm(rack: Rack) -> None:
    rack.dialogue(b"relay on 0\rrelay o")
    rack.switch.make_safe()
    assert rack.dialogue(b"relay readall\r").endswith(b"00\n\r>")


def test_an_unknown_line_is_refused_with_the_known_ones(rack: Rack) -> None:
    with pytest.raises(ValueError, match="no line 'pump': the lines are occluder, reservoir valve, motor enable"):
        rack.switch.set_line("pump", energised=True)


@pytest.mark.parametrize(
    ("lines", "message"),
    [({"occluder": 8}, "from 0 to 7 for line 'occluder', got 8"), ({"a": 1, "b": 1}, "two lines share a relay")],
)
def test_lines_that_the_module_does_not_have_are_refused(rack: Rack, lines: dict[str, int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        driver.open_driver(rack.wire, clock=rack.clock, lines=lines)


def test_a_relay_that_does_not_obey_is_an_error(rack: Rack) -> None:
    rack.port.distort = lambda data: data.replace(b"off\n\r>", b"on\n\r>")
    with pytest.raises(RefusedError, match="at 'relay off 0': read back on; check the module's supply"):
        rack.switch.set_line("occluder", energised=False)


def test_a_mute_module_times_out_in_virtual_time(rack: Rack) -> None:
    rack.port.distort = lambda _: b""
    with pytest.raises(NoReplyError, match="at 'relay read 0': no reply within 1 s; check the USB cable"):
        rack.switch.is_energised("occluder")
    assert rack.clock.now() == 4 * 1.0  # the question, and three probes


@pytest.mark.parametrize("garbage", [b">", b"relay read 0\n\r>", b"relay read 0\n\rmaybe\n\r>", b"on\n\r>"])
def test_garbage_is_never_a_state(rack: Rack, garbage: bytes) -> None:
    rack.port.on_receive(lambda data: rack.port.send(garbage) if data.endswith(b"\r") else None)
    with pytest.raises(BadReplyError, match="is another device on this port"):
        rack.switch.is_energised("occluder")


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        (b"\r", b"\n\r>"),
        (b"ver\r", b"ver\n\r00000008\n\r>"),
        (b"relay on 3\r", b"relay on 3\n\r>"),
        (b"relay read 3\r", b"relay read 3\n\roff\n\r>"),
        (b"relay writeall A5\r", b"relay writeall A5\n\r>"),
        (b"relay readall\r", b"relay readall\n\r00\n\r>"),
        (b"relay on 8\r", b"relay on 8\n\r>"),
        (b"gpio read 0\r", b"gpio read 0\n\r>"),
        (b"id set short\r", b"id set short\n\r>"),
        (b"id get\r", b"id get\n\rBENCH001\n\r>"),
    ],
)
def test_the_terminal_echoes_and_prompts(rack: Rack, typed: bytes, shown: bytes) -> None:
    assert rack.dialogue(typed) == shown


def test_the_id_can_be_set_to_eight_characters(rack: Rack) -> None:
    rack.dialogue(b"id set RELAY-02\r")
    assert rack.switch.identify().serial_number == "RELAY-02"
    with pytest.raises(ValueError, match="exactly 8 printable characters, got 'X1'"):
        twin.open_twin(rack.port, rack.contacts, serial_number="X1")


@unhurried
@given(mask=st.integers(0, 255), later=st.integers(0, 255))
def test_what_is_written_can_be_read_back_and_written_again(mask: int, later: int) -> None:
    rack = Rack()
    for written in (mask, later):
        rack.dialogue(f"relay writeall {written:02x}\r".encode())
        assert rack.dialogue(b"relay readall\r") == f"relay readall\n\r{written:02x}\n\r>".encode()
        assert rack.contacts.closed == {relay for relay in range(8) if written >> relay & 1}
        for line, relay in LINES.items():
            assert rack.switch.is_energised(line) == bool(written >> relay & 1)


@unhurried
@given(noise=st.binary(max_size=200))
def test_no_bytes_break_the_terminal(noise: bytes) -> None:
    rack = Rack()
    rack.dialogue(noise + b"\r")
    assert rack.switch.identify().firmware == "00000008"


def test_the_makers_client_drives_the_twin_over_a_pty() -> None:
    clock = SimClock()
    contacts = Contacts(clock)
    port = Port(clock, baud=twin.BAUD)
    twin.open_twin(port, contacts, serial_number="BENCH001")
    with served_on_pty(clock, port) as path:
        # It reads a fixed number of bytes each time, so it always waits for its time-out.
        module = MakersRelay(numberRelays=8, port=path, baudrate=19200, timeout=0.1, name="usb")
        assert (module.id, module.version) == ("BENCH001", "00000008")
        module.relay_writeall("a4")
        assert module.relay_readall() == "a4"
        assert (module.relay_read(2), module.relay_read(0)) == ("on", "off")
        module.relay_on(0)
        module.relay_off(7)
        module.relay_readall()  # it left the echoes of on and off unread: this swallows them
        assert module.relay_readall() == "25"
        module.id_set("RELAY-02")
        assert module.id_get() == "RELAY-02"
    assert contacts.closed == {0, 2, 5}


def test_our_driver_works_over_pyvisa_py_and_a_serial_path_as_in_a_lab() -> None:
    clock = SimClock()
    contacts = Contacts(clock)
    port = Port(clock, baud=twin.BAUD)
    twin.open_twin(port, contacts, serial_number="BENCH001")
    with (
        served_on_pty(clock, port) as path,
        pyvisa.ResourceManager("@py").open_resource(f"ASRL{path}::INSTR") as resource,
    ):
        assert isinstance(resource, pyvisa.resources.MessageBasedResource)
        wall = WallClock()
        switch = driver.open_driver(Wire(resource, "switch", wall, NoLog()), clock=wall, lines=LINES)
        assert switch.identify().serial_number == "BENCH001"
        switch.set_line("motor enable", energised=True)
        switch.set_line("occluder", energised=True)
        assert switch.self_test() == "answers; energised: occluder, motor enable"
        switch.make_safe()
        assert not switch.is_energised("occluder")
