"""The transcript machinery itself: what a page gets wrong is found, on either side of the wire."""

from __future__ import annotations

from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.clock import Clock, SimClock
from rig.virtual.port import Port
from rig.wire import Wire
from suites.stands.transcript_players import StatedWorld, play_to_driver, play_to_port
from suites.stands.transcripts import Line, Transcript, parse_page


def block(body: str, info: str = " > \\r < \\n") -> Transcript:
    (transcript,) = parse_page(f"words\n\n```wire{info}\n{body}\n```\n", "page.md")
    return transcript


class Echo:
    """A driver that says a word and expects it back."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    def say(self, word: str) -> str:
        self._wire.write(word)
        return self._wire.read(asked=repr(word), look_at="the mirror")


def open_echo(wire: Wire, *, clock: Clock) -> Echo:
    del clock
    wire.configure_text(read_end="\n", write_end="\r", timeout_s=1.0)
    return Echo(wire)


ECHO = ModuleType("echo")
ECHO.open_driver = open_echo  # type: ignore[attr-defined]


def play_to_mirror(transcript: Transcript, *, answers: bytes = b"%b\n", after_s: float = 0.1) -> None:
    """Play to a device that says what it hears."""
    port = Port(SimClock(), baud=None)

    def reflect(data: bytes) -> None:
        due_ns = port.clock.now_ns + round(after_s * 1e9)
        port.clock.call_at(due_ns, lambda: port.send(answers.replace(b"%b", data.rstrip(b"\r"))))

    port.on_receive(reflect)
    play_to_port(transcript, port, StatedWorld(transcript.where))


def test_a_true_page_pleases_both_sides() -> None:
    page = block("> one\n< one\n= say('one') -> 'one'\n> two\n@ wait_s 0.09\n< two\n= say('two') -> 'two'")
    play_to_driver(page, ECHO)
    play_to_mirror(page)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("> one\n< one\n= say('two') -> 'two'", r"page.md:4: the driver sent b'two\\r', the page says b'one\\r'"),
        ("> one\n< ONE\n= say('one') -> 'one'", "page.md:6: the driver made 'ONE' of it"),
        ("> one\n< one\n> two\n= say('one') -> 'one'", r"page.md:7: these lines were left over: \['> two'\]"),
        ("> one\n< one\n< one\n= say('one') -> 'one'", r"page.md:7: the driver left b'one\\n' unread"),
        ("< one\n= say('one') -> 'one'", r"the driver sent b'one\\r', for which the page has no line"),
        ("> one\n< one\n= say('one') raises BadReplyError: one", "DID NOT RAISE"),
        ("> one\n= say('one') raises NoReplyError: the window", "Regex pattern did not match"),
    ],
)
def test_what_the_driver_does_otherwise_is_found(body: str, message: str) -> None:
    with pytest.raises((AssertionError, pytest.fail.Exception), match=message):
        play_to_driver(block(body), ECHO)


def test_an_expected_error_is_an_expected_error() -> None:
    play_to_driver(block("> one\n@ wait_s 1.5\n= say('one') raises NoReplyError: no reply within 1 s"), ECHO)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("> one\n< two", r"page.md:5: the device answered b'one\\n', the page says b'two\\n'"),
        ("> one", r"page.md:3: the device said b'one\\n', which is not on the page"),
        ("> one\n@ wait_s 0.2\n< one", r"page.md:5: the device said b'one\\n', which is not on the page"),
        ("> one\n< one\n< one", r"page.md:6: the device answered b'', the page says b'one\\n'"),
    ],
)
def test_what_the_twin_does_otherwise_is_found(body: str, message: str) -> None:
    with pytest.raises(AssertionError, match=message):
        play_to_mirror(block(body))


def test_a_twin_must_not_ask_for_what_the_page_does_not_state() -> None:
    world = StatedWorld("page.md:1")
    world.state("load_g", "1.25 stable")
    assert world.weigh() == (1.25, True)
    with pytest.raises(AssertionError, match=r"page\.md:1: the twin asks for pressure_kpa"):
        world.line_pressure_kpa()
    with pytest.raises(ValueError, match="@ colour is not a part of the world"):
        world.state("colour", "red")


@pytest.mark.parametrize(
    ("page", "message"),
    [
        ("```wire\nSI\n```", "page.md:2: expected a line that begins with >, <, @ or =, got 'SI'"),
        ("```wire\n```", "page.md:1: this block is empty"),
        ("```wire fast\n> SI\n```", "page.md:1: expected 'wire .*, got 'wire fast'"),
        ("```wire\n> \\q\n```", "page.md:2: an escape or character that no byte stands for"),
        ("```wire\n> → \n```", "page.md:2: an escape or character that no byte stands for"),
        ("```wire\n= read()\n> SI\n```", "page.md:3: lines after the last = belong to no call"),
        ("```wire driver\n> SI\n```", "page.md:1: a block for the driver alone calls nothing"),
    ],
)
def test_a_mistake_in_a_page_is_named_by_its_line(page: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse_page(f"{page}\n", "page.md")


def test_lines_are_text_with_ends_or_bytes_without() -> None:
    lines = block("> ID \n< \\x02ok\\\\\\t\n> x 01 FF\n@ load_g 1 stable").lines
    assert lines == (
        Line("page.md:4", ">", "ID ", b"ID \r"),
        Line("page.md:5", "<", "\\x02ok\\\\\\t", b"\x02ok\\\t\n"),
        Line("page.md:6", ">", "x 01 FF", b"\x01\xff"),
        Line("page.md:7", "@", "load_g 1 stable"),
    )


@given(data=st.binary(min_size=1, max_size=40))
def test_every_byte_can_be_written_on_a_page(data: bytes) -> None:
    escaped = "".join(f"\\x{octet:02x}" for octet in data)
    assert block(f"> {escaped}\n> x {data.hex(' ')}", info="").lines[0].data == data
    assert block(f"> x {data.hex(' ')}").lines[0].data == data
