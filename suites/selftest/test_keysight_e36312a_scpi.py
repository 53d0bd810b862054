"""The E36312A's twin obeys IEEE 488.2 and SCPI: spelling, levels, errors, status."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from instruments.keysight_e36312a.scpi_syntax import ScpiError, channel_list, message_units, spelling
from suites.stands.supply_rack import Rack

unhurried = settings(deadline=None)  # the wall time of a simulated line says nothing


@pytest.fixture
def rack() -> Rack:
    return Rack()


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
