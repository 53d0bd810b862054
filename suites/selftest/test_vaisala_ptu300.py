"""The PTU300: driver and twin agree, and the twin writes what real units have been seen to write."""

from __future__ import annotations

import pytest
import pyvisa
from hypothesis import given, settings
from hypothesis import strategies as st

from instruments.vaisala_ptu300 import driver, twin
from instruments.vaisala_ptu300.message import DEFAULT_FORMAT, Message
from rig.clock import SimClock, WallClock
from rig.errors import BadReplyError, NoReplyError, RefusedError
from rig.roles import Air
from rig.virtual.port import Port
from rig.virtual.visa import VirtualVisaLibrary
from rig.wire import NoLog, Wire
from suites.stands.deaf_world import DeafWorld
from suites.stands.socket_host import served_on_socket

unhurried = settings(deadline=None)  # the wall time of a simulated line says nothing

LINE = "ASRL4::INSTR"


class Room(DeafWorld):
    """The air around the balance."""

    def __init__(self) -> None:
        self.temperature_c, self.pressure_hpa, self.relative_humidity = 23.1, 1013.2, 0.452

    def air(self) -> tuple[float, float, float]:
        return self.temperature_c, self.pressure_hpa, self.relative_humidity


class Rack:
    """A twin on a simulated serial line, its air, and the driver."""

    def __init__(self) -> None:
        self.clock = SimClock()
        self.room = Room()
        self.port = Port(self.clock, baud=twin.BAUD, bits_per_character=twin.BITS_PER_CHARACTER, bytewise=True)
        self.twin = twin.open_twin(self.port, self.room, serial_number="K0710040")
        resource = pyvisa.ResourceManager(VirtualVisaLibrary.over({LINE: self.port})).open_resource(LINE)
        assert isinstance(resource, pyvisa.resources.MessageBasedResource)
        self.resource = resource
        self.wire = Wire(resource, f"environment vaisala_ptu300 on {LINE}", self.clock, NoLog())
        self.environment = driver.open_driver(self.wire, clock=self.clock)

    def dialogue(self, typed: str, *, within_s: float = 1.0) -> str:
        """Everything that the transmitter sends within a time after `typed` was sent."""
        self.port.host_write(typed.encode())
        self.clock.sleep(within_s)
        return self.port.host_read(100_000, timeout_s=0.0).decode()


@pytest.fixture
def rack() -> Rack:
    return Rack()


def test_the_line_is_4800_baud_7e1(rack: Rack) -> None:
    assert isinstance(rack.resource, pyvisa.resources.SerialInstrument)
    assert (rack.resource.baud_rate, rack.resource.data_bits, rack.resource.parity) == (
        4800,
        7,
        pyvisa.constants.Parity.even,
    )


def test_identity_is_what_the_transmitter_states(rack: Rack) -> None:
    identity = rack.environment.identify()
    assert (identity.model, identity.serial_number, identity.firmware) == ("PTU300", "K0710040", "5.16")


def test_a_reading_is_the_air_at_a_tenth(rack: Rack) -> None:
    assert rack.environment.read_air() == Air(temperature_c=23.1, pressure_hpa=1013.2, relative_humidity=0.452)
    rack.room.temperature_c, rack.room.pressure_hpa, rack.room.relative_humidity = -4.96, 998.04, 1.0
    assert rack.environment.read_air() == Air(temperature_c=-5.0, pressure_hpa=998.0, relative_humidity=1.0)


def test_a_reading_takes_the_time_of_its_characters(rack: Rack) -> None:
    rack.environment.read_air()
    sent, received = len("SEND\r"), len("P=  1013.2 hPa   T= 23.1 'C RH= 45.2 %RH \r\n")
    assert rack.clock.now_ns == (sent + received) * rack.port.character_ns + 50_000_000


@unhurried
@given(
    temperature_c=st.floats(-40.0, 60.0), pressure_hpa=st.floats(500.0, 1100.0), relative_humidity=st.floats(0.0, 1.0)
)
def test_every_air_in_the_measuring_range_is_read_to_half_a_tenth(
    temperature_c: float, pressure_hpa: float, relative_humidity: float
) -> None:
    rack = Rack()
    rack.room.temperature_c, rack.room.pressure_hpa = temperature_c, pressure_hpa
    rack.room.relative_humidity = relative_humidity
    air = rack.environment.read_air()
    assert air.temperature_c == pytest.approx(temperature_c, abs=0.0501)
    assert air.pressure_hpa == pytest.approx(pressure_hpa, abs=0.0501)
    assert air.relative_humidity == pytest.approx(relative_humidity, abs=0.000501)


def test_whatever_a_broken_session_left_on_is_stopped(rack: Rack) -> None:
    rack.dialogue("ECHO ON\rINTV 0 S\rR\r", within_s=3.0)
    rack.environment.make_safe()
    assert rack.dialogue("", within_s=60.0) == ""
    assert rack.environment.identify().serial_number == "K0710040"
    assert rack.environment.read_air().temperature_c == 23.1


def test_a_prompt_left_over_from_the_echo_is_ignored(rack: Rack) -> None:
    rack.port.distort = lambda data: data.replace(b"OFF\r\n", b"OFF\r\n>")
    assert rack.environment.identify().model == "PTU300"


def test_a_half_typed_line_does_no_harm(rack: Rack) -> None:
    rack.dialogue("SEN")
    assert rack.environment.identify().model == "PTU300"


def test_present_errors_make_the_self_test_fail(rack: Rack) -> None:
    assert rack.environment.self_test() == "no errors"
    rack.twin.faults = ("Humidity measurement malfunction", "Temperature measurement malfunction")
    with pytest.raises(
        RefusedError, match="at 'ERRS': reported Humidity measurement malfunction, Temperature measurement malfunction"
    ):
        rack.environment.self_test()
    with pytest.raises(RefusedError, match="at 'SEND': shows no value for T; ask ERRS"):
        rack.environment.read_air()
    rack.twin.faults = ()
    assert rack.environment.read_air().temperature_c == 23.1


def test_an_answer_to_the_question_before_is_no_error_of_the_transmitter(rack: Rack) -> None:
    late = [b"Echo           : OFF\r\n"]
    rack.port.distort = lambda data: late.pop() + data if late and b"No errors" in data else data
    assert rack.environment.self_test() == "no errors"
    assert not late


def test_a_message_without_a_quantity_is_an_error(rack: Rack) -> None:
    rack.dialogue('FORM "T=" T U3 "P=" P U5 #r #n\r')
    with pytest.raises(BadReplyError, match=r"at 'SEND': answered .*, without RH in its unit; send FORM /"):
        rack.environment.read_air()


def test_a_message_in_other_units_is_an_error(rack: Rack) -> None:
    rack.port.distort = lambda data: data.replace(b"'C", b"'F")
    with pytest.raises(BadReplyError, match="without T in its unit"):
        rack.environment.read_air()


def test_a_mute_transmitter_times_out_in_virtual_time(rack: Rack) -> None:
    rack.port.distort = lambda _: b""
    with pytest.raises(NoReplyError, match="at 'SEND': no reply within 2 s; check the cable"):
        rack.environment.read_air()
    assert rack.clock.now() == 4 * 2.0  # the question, and three probes


def test_another_line_speed_on_the_device_is_an_error(rack: Rack) -> None:
    rack.port.baud = 9600
    with pytest.raises((BadReplyError, NoReplyError)):
        rack.environment.read_air()


@pytest.mark.parametrize("garbage", [b"\r\n", b"P= 1013.2 hPa\r\n", b"\xff\xfe\n", b"T= hPa P= 'C RH= %RH\r\n"])
def test_garbage_is_never_air(rack: Rack, garbage: bytes) -> None:
    rack.port.distort = lambda _: garbage
    with pytest.raises(BadReplyError):
        rack.environment.read_air()


# ---- the twin against the manual -----------------------------------------------------------------------------------


def test_periodic_output_comes_at_its_interval_until_s(rack: Rack) -> None:
    line = "P=  1013.2 hPa   T= 23.1 'C RH= 45.2 %RH \r\n"
    assert rack.dialogue("intv 2 s\r") == "Output interval: 2 s\r\n"
    assert rack.dialogue("r\r", within_s=7.0) == 4 * line  # at 0, 2, 4 and 6 s
    assert rack.dialogue("SNUM\r", within_s=0.9) == ""  # only S is obeyed
    assert rack.dialogue("s\r", within_s=60.0) in ("", line)
    assert rack.dialogue("SNUM\r") == "Serial number  : K0710040\r\n"


def test_escape_stops_periodic_output_too(rack: Rack) -> None:
    rack.dialogue("R\r")
    rack.dialogue("\x1b")
    assert rack.dialogue("", within_s=10.0) == ""


def test_interval_zero_is_one_measurement_cycle(rack: Rack) -> None:
    assert rack.dialogue("INTV 0\r") == "Output interval: 0 s\r\n"
    assert rack.dialogue("R\r", within_s=3.5).count("P=") == 4


def test_the_echo_comes_with_a_prompt(rack: Rack) -> None:
    assert rack.dialogue("ECHO ON\r") == "Echo           : ON\r\n>"
    assert rack.dialogue("vers\r") == "vers\r\nPTU300 / 5.16\r\n>"
    assert rack.dialogue("echo off\r") == "echo off\r\nEcho           : OFF\r\n"
    assert rack.dialogue("vers\r") == "PTU300 / 5.16\r\n"


@pytest.mark.parametrize(
    ("typed", "answer"),
    [
        ("\r", ""),
        ("ERRS\r", "No errors\r\n"),
        ("INTV 256 S\r", "Out of range\r\n"),
        ("INTV 10 min\r", "Output interval: 10 min\r\n"),
        ("FORM FOO\r", "Syntax error\r\n"),
        ("form /\r", "OK\r\n"),
        ("HELLO\r", "Unknown command\r\n"),
        (
            "FORM\r",
            'Output format  : 6.1 "P=" P " " U6 3.1 "T=" T " " U3 3.1 "RH=" RH " " U4 \\r \\n\r\n',
        ),
    ],
)
def test_commands_of_the_manual(rack: Rack, typed: str, answer: str) -> None:
    assert rack.dialogue(typed) == answer


def test_the_question_mark_lists_the_configuration_to_its_last_module(rack: Rack) -> None:
    lines = rack.dialogue("?\r", within_s=2.0).split("\r\n")
    assert lines[0] == "PTU300 / 5.16"
    fields = dict(line.split(": ", 1) for line in lines[1:-1])
    assert {name.strip(): value for name, value in fields.items()}["Serial number"] == "K0710040"
    assert (list(fields)[-1].strip(), lines[-1]) == ("Module 2", "")


def write(form: str, *, pressure_hpa: float, temperature_c: float, humidity_percent: float) -> str:
    readings = {"P": pressure_hpa, "T": temperature_c, "RH": humidity_percent}
    return Message(form).write(readings, serial_number="K0710040", failed=False)


def test_the_default_message_is_what_a_real_unit_was_recorded_to_send() -> None:
    # Recorded from a PTU300 at a field station, up to the dew point that its order adds.
    recorded = "P=  1003.8 hPa   T= 17.7 'C RH= 40.9 %RH "
    assert write(DEFAULT_FORMAT, pressure_hpa=1003.8, temperature_c=17.7, humidity_percent=40.9) == recorded + "\r\n"


def test_messages_of_the_manual() -> None:
    form = '"RH=" 4.2 rh U5 #t "T=" t U3 #r #n'
    assert write(form, pressure_hpa=1000.0, temperature_c=74.68, humidity_percent=14.98) == (
        "RH=  14.98%RH  \tT=  74.68'C \r\n"
    )


def test_a_value_too_long_for_its_field_is_stars() -> None:
    assert write("2.1 P", pressure_hpa=1013.2, temperature_c=0.0, humidity_percent=0.0) == "****"


def test_a_serial_number_a_code_and_error_flags_can_be_in_a_message() -> None:
    assert write('SN #059 ERR "\xb7" #010', pressure_hpa=0.0, temperature_c=0.0, humidity_percent=0.0) == (
        "K0710040;0000\xb7\n"
    )


@unhurried
@given(noise=st.binary(max_size=60).filter(lambda data: not set(b"\x1b?") & set(data)))
def test_no_bytes_break_the_command_line(noise: bytes) -> None:
    rack = Rack()
    rack.port.host_write(noise + b"\r")
    rack.clock.sleep(1.0)
    assert rack.environment.identify().serial_number == "K0710040"


def test_a_listing_still_in_flight_is_dropped_and_never_an_identity(rack: Rack) -> None:
    identity = rack.environment.identify()
    rack.dialogue("?\r", within_s=0.1)
    assert rack.environment.identify() == identity


def test_our_driver_works_over_pyvisa_py_and_a_serial_device_server_as_in_a_lab() -> None:
    # Not over a pseudo-terminal: the C library refuses seven bits and parity there.
    clock = SimClock()
    port = Port(clock, baud=twin.BAUD, bits_per_character=twin.BITS_PER_CHARACTER)
    twin.open_twin(port, Room(), serial_number="K0710040")
    with (
        served_on_socket(clock, port) as tcp_port,
        pyvisa.ResourceManager("@py").open_resource(f"TCPIP0::127.0.0.1::{tcp_port}::SOCKET") as resource,
    ):
        assert isinstance(resource, pyvisa.resources.MessageBasedResource)
        wall = WallClock()
        environment = driver.open_driver(Wire(resource, "environment", wall, NoLog()), clock=wall)
        assert environment.identify().serial_number == "K0710040"
        assert environment.self_test() == "no errors"
        assert environment.read_air() == Air(temperature_c=23.1, pressure_hpa=1013.2, relative_humidity=0.452)
