"""The E36312A: driver and twin agree, the twin obeys IEEE 488.2 and SCPI, and pymeasure's driver can use it."""

from __future__ import annotations

import itertools

import pytest
import pyvisa
from hypothesis import given, settings
from hypothesis import strategies as st
from pymeasure.instruments.keysight import KeysightE36312A as PymeasureE36312A

from instruments.keysight_e36312a import driver, twin
from instruments.keysight_e36312a.outputs import Span
from instruments.keysight_e36312a.scpi_syntax import ScpiError, channel_list, message_units, spelling
from rig.clock import SimClock, WallClock
from rig.errors import BadReplyError, NoReplyError, RefusedError
from rig.virtual.port import Port
from rig.virtual.visa import VirtualVisaLibrary
from rig.wire import NoLog, Wire
from suites.selftest.socket_host import served_on_socket

unhurried = settings(deadline=None)  # the wall time of a simulated line says nothing

SUPPLY = "TCPIP0::supply::5025::SOCKET"


class Resistor:
    """A load on the rail: a resistance in ohm."""

    def __init__(self, resistance_ohm: float = 50.0) -> None:
        self.resistance_ohm = resistance_ohm
        self.rail_v: list[float] = []

    def set_rail(self, voltage_v: float) -> None:
        self.rail_v.append(voltage_v)

    def rail_current_a(self) -> float:
        return self.rail_v[-1] / self.resistance_ohm

    def weigh(self) -> tuple[float, bool]:
        raise AssertionError("a supply does not weigh")

    def line_pressure_kpa(self) -> float:
        raise AssertionError("a supply feels no pressure")

    def air(self) -> tuple[float, float, float]:
        raise AssertionError("a supply feels no air")

    def set_relay(self, line: int, *, energised: bool) -> None:
        raise AssertionError(f"a supply has no relay {line} to set to {energised}")


class Rack:
    """A twin on a simulated network, its load, and a SCPI client."""

    def __init__(self) -> None:
        self.clock = SimClock()
        self.load = Resistor()
        self.port = Port(self.clock, baud=None, latency_s=0.0002)
        self.twin = twin.open_twin(self.port, self.load, serial_number="MY59002391")
        resource = pyvisa.ResourceManager(VirtualVisaLibrary.over({SUPPLY: self.port})).open_resource(SUPPLY)
        assert isinstance(resource, pyvisa.resources.MessageBasedResource)
        self.resource = resource
        self.wire = Wire(resource, f"supply keysight_e36312a on {SUPPLY}", self.clock, NoLog())
        self.supply = driver.open_driver(self.wire, clock=self.clock)

    def ask(self, message: str) -> str:
        return str(self.resource.query(message))

    def tell(self, message: str) -> None:
        self.resource.write(message)
        self.clock.sleep(0.001)  # arrives

    def errors(self) -> list[int]:
        numbers: list[int] = []
        while (number := int(self.ask("SYST:ERR?").partition(",")[0])) != 0:
            numbers.append(number)
        return numbers


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
    with pytest.raises(RefusedError, match=r'-222 "Data out of range", -113 "Undefined header" to the self test'):
        rack.supply.self_test()
    assert rack.supply.self_test().startswith("no errors")


def test_a_refused_write_is_an_error_that_quotes_the_instrument(rack: Rack) -> None:
    rack.twin.outputs[1].voltage = Span(maximum=3.0, minimum=0.0, default=0.0)  # a soft limit on the front panel
    with pytest.raises(RefusedError, match=r"reported -222 \"Data out of range\" to 'APPL CH1,3\.7,1'"):
        rack.supply.set_output(voltage_v=3.7, current_limit_a=1.0)
    assert rack.errors() == []


def test_a_mute_supply_times_out_in_virtual_time(rack: Rack) -> None:
    rack.port.distort = lambda _: b""
    with pytest.raises(NoReplyError, match=r"no reply within 2 s to '\*IDN\?'; check the network cable"):
        rack.supply.identify()
    assert rack.clock.now() == pytest.approx(2.0, abs=0.1)


@pytest.mark.parametrize("garbage", [b"what?\n", b"+9.91000000E+37\n", b"\n", b"nan\n"])
def test_garbage_is_never_a_measurement(rack: Rack, garbage: bytes) -> None:
    rack.port.distort = lambda _: garbage
    with pytest.raises(BadReplyError, match="expected a number"):
        rack.supply.read_voltage_v()


def test_the_answer_comes_after_the_processing_time(rack: Rack) -> None:
    rack.ask("*IDN?")
    assert rack.clock.now_ns == 2 * 200_000 + 10_000_000


# ---- the twin against SCPI -----------------------------------------------------------------------------------------


@unhurried
@given(voltage_v=st.floats(0.0, 6.18), current_a=st.floats(0.001, 5.15), channel=st.sampled_from([1]))
def test_what_is_set_can_be_read_back_and_written_again(voltage_v: float, current_a: float, channel: int) -> None:
    rack = Rack()
    rack.tell(f"VOLT {voltage_v:.6f},(@{channel});CURR {current_a:.6f},(@{channel})")
    first = rack.ask(f"VOLT? (@{channel});CURR? (@{channel})")
    assert [float(value) for value in first.split(";")] == pytest.approx([voltage_v, current_a], abs=1e-6)
    voltage, current = first.split(";")
    rack.tell(f"APPL CH{channel},{voltage},{current}")
    assert rack.ask(f"VOLT? (@{channel});CURR? (@{channel})") == first
    assert rack.errors() == []


def spellings(notation: str) -> st.SearchStrategy[str]:
    """Every spelling of `SHORtrest` mnemonics and optional nodes that the notation allows, in any case."""

    def node(part: tuple[str, bool]) -> st.SearchStrategy[str]:
        word, optional = part
        short = "".join(letter for letter in word if not letter.islower())
        forms = st.sampled_from([word.upper(), short] + ([""] if optional else []))
        return forms.flatmap(lambda form: st.tuples(*[st.sampled_from([c.lower(), c.upper()]) for c in form])).map(
            "".join
        )

    nodes = [(part.strip("[]"), part.startswith("[")) for part in notation.split(" ")]
    return st.tuples(*[node(part) for part in nodes]).map(lambda words: ":".join(word for word in words if word))


@unhurried
@given(
    header=spellings("[SOURce] VOLTage [LEVel] [IMMediate] [AMPLitude]"),
    colon=st.sampled_from(["", ":"]),
    before=st.sampled_from(["", " ", "\t "]),
    blank=st.sampled_from([" ", "  ", " \t"]),
    value=st.sampled_from(
        ["3.7", "+3.7", "3.70", "37e-1", "3.7V", "3.7 v", "3700 mV", "3700MV", "3700000uv", ".0037kV"]
    ),
    comma=st.sampled_from([",", " , "]),
    channels=st.sampled_from(["(@1)", "( @ 1 )", "(@1,1)", "(@1:1)"]),
    end=st.sampled_from(["\n", "\r\n", " \n"]),
)
def test_every_spelling_of_a_command_means_the_same(
    header: str, colon: str, before: str, blank: str, value: str, comma: str, channels: str, end: str
) -> None:
    rack = Rack()
    rack.resource.write_raw(f"{before}{colon}{header}{blank}{value}{comma}{channels}{end}".encode())
    assert float(rack.ask("VOLT? (@1)")) == pytest.approx(3.7)
    assert rack.errors() == []


MESSAGE = b"APPL CH1,3.7,1.0;:OUTP ON,(@1);:VOLT?;:MEAS:VOLT?;*OPC?\n"


@unhurried
@given(cuts=st.sets(st.integers(1, len(MESSAGE) - 1)))
def test_a_message_may_arrive_in_any_chunks(cuts: set[int]) -> None:
    rack = Rack()
    for start, end in itertools.pairwise([0, *sorted(cuts), len(MESSAGE)]):
        rack.resource.write_raw(MESSAGE[start:end])
    assert rack.resource.read() == "+3.70000000E+00;+3.70000000E+00;1"


def test_a_header_continues_at_the_level_of_the_one_before_it(rack: Rack) -> None:
    assert rack.ask("SOUR:VOLT 2;CURR 0.5;*ESE 1;VOLT?;CURR?;:MEAS:VOLT?;CURR?") == (
        "+2.00000000E+00;+5.00000000E-01;+0.00000000E+00;+0.00000000E+00"
    )
    rack.tell("MEAS:VOLT?;OUTP?")  # MEASure has no OUTPut below it
    assert rack.resource.read() == "+0.00000000E+00"
    assert rack.errors() == [-113]


@pytest.mark.parametrize(
    ("message", "error"),
    [
        ("VOLT 3,,(@1)", -102),
        ("VOLT (@1", -102),
        ("1VOLT 3", -102),
        (";VOLT 3", -102),
        ("VOLT \xb5", -101),
        ("VOLT ON", -104),
        ("*RST 1", -108),
        ("VOLT 1,2", -108),
        ("OUTP? ON", -108),
        ("VOLT", -109),
        ("APPL", -109),
        ("VOL 3", -113),
        ("VOLTA 3", -113),
        ("OUTP:PROT:CLE", -113),
        ("*IDN", -113),
        ("STAT:QUES:INST:ISUM4:COND?", -114),
        ("VOLT 1e999", -123),
        ("VOLT 3 A", -131),
        ("CURR 1 V", -131),
        ("*ESE 1 V", -138),
        ("VOLT 3,(@x)", -171),
        ("*TRG", -211),
        ("VOLT 6.181", -222),
        ("VOLT -0.001", -222),
        ("CURR 0", -222),
        ("VOLT 1,(@4)", -222),
        ("VOLT 1,(@1:99999)", -222),
        ("*ESE 256", -222),
        ("OUTP MAYBE", -224),
        ("APPL CH4,1,1", -224),
    ],
)
def test_a_wrong_message_is_named_by_its_error_number(rack: Rack, message: str, error: int) -> None:
    rack.tell("*CLS;*ESR?")
    rack.resource.read()
    rack.resource.write_raw(message.encode("latin-1") + b"\n")
    assert rack.ask("*ESR?") == ("+32" if error > -200 else "+16")
    assert rack.errors() == [error]
    assert rack.ask("VOLT? (@1:3)") == "+0.00000000E+00,+0.00000000E+00,+0.00000000E+00"


def test_an_apply_out_of_range_changes_nothing(rack: Rack) -> None:
    rack.tell("APPL CH2,24,2")
    assert rack.errors() == [-222]
    assert rack.ask("VOLT? (@2);CURR? (@2)") == "+0.00000000E+00;+1.00000000E+00"


def test_bounds_and_defaults_by_name(rack: Rack) -> None:
    assert rack.ask("VOLT? MAX,(@1,2);CURR? MINimum,(@3);CURR? DEF,(@1)") == (
        "+6.18000000E+00,+2.57500000E+01;+1.00000000E-03;+5.00000000E+00"
    )
    assert rack.ask("APPL P25V,MAX,MIN;VOLT? (@2);CURR? (@2)") == "+2.57500000E+01;+1.00000000E-03"


def test_a_command_without_a_channel_list_goes_to_the_selected_channel(rack: Rack) -> None:
    assert rack.ask("INST CH2;INST?;:INST:NSEL?;:VOLT 12;:INST:NSEL 1;:VOLT 3;:VOLT? (@1:3)") == (
        "CH2;2;+3.00000000E+00,+1.20000000E+01,+0.00000000E+00"
    )


def test_reset_switches_off_but_keeps_errors_and_enables(rack: Rack) -> None:
    rack.tell("APPL CH1,3.7,1;:OUTP ON;*ESE 60;*SRE 32;BOGUS")
    rack.tell("*RST")
    assert rack.ask("OUTP?;VOLT?;CURR?;*ESE?;*SRE?") == "0;+0.00000000E+00;+5.00000000E+00;+60;+32"
    assert rack.load.rail_v == [0.0, 3.7, 0.0]
    assert rack.errors() == [-113]


def test_the_status_byte_sums_up_events_errors_and_messages(rack: Rack) -> None:
    assert rack.ask("*ESR?") == "+128"  # power on
    assert rack.ask("*STB?") == "+0"
    rack.tell("*ESE 32;*SRE 32;BOGUS")
    assert rack.ask("*STB?") == f"+{4 + 32 + 64}"
    assert rack.ask("*IDN?;*STB?").endswith(f";+{4 + 16 + 32 + 64}")
    rack.tell("*CLS;*OPC")
    assert rack.ask("*STB?;*ESR?;*ESR?") == "+0;+1;+0"


def test_a_query_that_is_interrupted_is_lost_and_reported(rack: Rack) -> None:
    rack.resource.write("*IDN?")
    assert rack.ask("*ESR?") == f"+{128 + 4}"
    assert rack.errors() == [-410]


def test_an_endless_line_overruns_the_input_buffer(rack: Rack) -> None:
    rack.resource.write_raw(b"V" * 5000)
    rack.tell("")
    assert rack.errors() == [-363]


@unhurried
@given(messages=st.lists(st.sampled_from([("BOGUS", -113), ("VOLT 99", -222), ("VOLT", -109)]), max_size=30))
def test_the_error_queue_is_first_in_first_out_and_ends_in_overflow(messages: list[tuple[str, int]]) -> None:
    rack = Rack()
    for message, _ in messages:
        rack.tell(message)
    expected = [error for _, error in messages]
    if len(expected) > 20:
        expected = [*expected[:19], -350]
    assert rack.errors() == expected
    assert rack.ask("SYST:ERR?") == '+0,"No error"'


# ---- SCPI spelling on its own ---------------------------------------------------------------------------------------


@unhurried
@given(text=st.text(max_size=40))
def test_no_text_breaks_the_parser(text: str) -> None:
    def read() -> int:
        try:
            list(message_units(text))
        except ScpiError as error:
            return error.number
        return 0

    assert read() in (0, -101, -102)


def test_strings_and_lists_keep_their_separators() -> None:
    (unit,) = message_units('DISP:TEXT "a;b,c", (@1,2)')
    assert unit.parameters == ('"a;b,c"', "(@1,2)")


@pytest.mark.parametrize(
    ("text", "channels"),
    [("(@101:103)", (101, 102, 103)), ("(@3,1)", (3, 1)), ("(@3:1)", (3, 2, 1)), ("(@ 1 , 3:4 )", (1, 3, 4))],
)
def test_channel_lists(text: str, channels: tuple[int, ...]) -> None:
    assert channel_list(text) == channels


def test_numeric_suffixes_are_groups() -> None:
    match = spelling("ROUTe:CHANnel#[:DELay]?").fullmatch("rout:chan12:delay?")
    assert match is not None
    assert match.groups() == ("12",)


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
