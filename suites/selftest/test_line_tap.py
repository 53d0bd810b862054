"""A tap on a pump's line: the same on a simulated line and on a port of the operating system."""

from __future__ import annotations

import os
import pty
import tty
from collections.abc import Iterator

import pytest
import serial

from rig.bench.open import open_bench
from rig.clock import WallClock
from rig.errors import NoReplyError
from rig.line_tap import LineTap, nothing
from rig.roles import Bench, Capability, require
from rig.roles.capabilities import HasTappedLine
from rig.roles.pump import Reconnects
from rig.therapy import TherapyState
from rig.wire import NoLog
from suites.measuring import VIRTUAL


@pytest.fixture
def bench() -> Iterator[Bench]:
    with open_bench(VIRTUAL) as opened:
        opened.pump.stop()
        yield opened


def tapped(bench: Bench) -> HasTappedLine:
    return require(bench.pump, Capability.TAPPED_LINE)


def test_a_command_whose_frame_is_dropped_is_not_heard_and_its_driver_says_so(bench: Bench) -> None:
    with tapped(bench).line_tap().sending(nothing), pytest.raises(NoReplyError, match="may have been obeyed"):
        bench.pump.run()
    assert bench.pump.status().therapy is TherapyState.STOP


def test_a_command_whose_reply_is_dropped_is_heard_and_its_driver_does_not_repeat_it(bench: Bench) -> None:
    with (
        tapped(bench).line_tap().capturing() as sent,
        tapped(bench).line_tap().without_replies(),
        pytest.raises(NoReplyError),
    ):
        bench.pump.run()
    assert len(sent) == 1
    assert bench.pump.status().therapy is TherapyState.RUN


def test_what_was_held_back_is_executed_when_it_is_sent_and_refused_when_it_comes_again(bench: Bench) -> None:
    with (
        tapped(bench).line_tap().capturing() as sent,
        tapped(bench).line_tap().sending(nothing),
        pytest.raises(NoReplyError),
    ):
        bench.pump.run()
    tapped(bench).line_tap().send(sent[0])
    assert tapped(bench).line_tap().hear(0.05)
    assert bench.pump.status().therapy is TherapyState.RUN
    bench.pump.stop()
    tapped(bench).line_tap().send(sent[0])
    assert b"\x01\x12" in tapped(bench).line_tap().hear(0.05), "no error response to a write"
    assert bench.pump.status().therapy is TherapyState.STOP


def test_a_mute_line_is_a_line_again_afterwards(bench: Bench) -> None:
    with tapped(bench).line_tap().mute(), pytest.raises(NoReplyError):
        bench.pump.status()
    assert bench.pump.status().therapy is TherapyState.STOP


def test_a_tap_outlives_the_ports_that_the_driver_opens(bench: Bench) -> None:
    before = tapped(bench).line_tap()
    assert isinstance(bench.pump, Reconnects)
    bench.pump.reconnect()
    assert tapped(bench).line_tap() is before
    with before.capturing() as sent:
        bench.pump.status()
    assert sent


@pytest.fixture
def real() -> Iterator[tuple[LineTap, int]]:
    """A tap on a pseudo-terminal, opened as any serial port is, and the far end's descriptor."""
    far, near = pty.openpty()
    tty.setraw(near)
    with serial.Serial(os.ttyname(near), timeout=0.2) as port:
        yield LineTap("a pty", WallClock(), NoLog()).on(port), far
    os.close(far)
    os.close(near)


def arrived(far: int, expected: bytes) -> bool:
    """Whether these octets have come at the far end, in however many pieces."""
    come = b""
    while len(come) < len(expected):
        come += os.read(far, len(expected) - len(come))
    return come == expected


def test_on_a_real_port_the_same_is_handed_on_dropped_repeated_and_damaged(real: tuple[LineTap, int]) -> None:
    tap, far = real
    tap.write(b"~whole~")
    assert arrived(far, b"~whole~")
    with tap.sending(nothing):
        tap.write(b"~dropped~")
    with tap.sending(lambda frame: (frame, frame)):
        tap.write(b"~twice~")
    assert arrived(far, b"~twice~~twice~")
    with tap.sending(lambda frame: (frame[:3],)):
        tap.write(b"~damaged~")
    assert arrived(far, b"~da")
    tap.send(b"~beside~")
    assert arrived(far, b"~beside~")


def test_on_a_real_port_what_comes_is_handed_on_or_dropped(real: tuple[LineTap, int]) -> None:
    tap, far = real
    os.write(far, b"~one~")
    assert tap.read_until(b"e") == b"~one"
    assert tap.read(1) == b"~"
    with tap.without_replies():
        os.write(far, b"~two~")
        assert tap.read_until(b"o") == b""
        assert tap.in_waiting == 0
    assert tap.hear(0.05) == b"~"
    os.write(far, b"~three~")
    assert tap.read_until(b"e~") == b"~three~"


def test_a_tap_before_no_port_says_so() -> None:
    with pytest.raises(ValueError, match="stands before no port"):
        LineTap("a line", WallClock(), NoLog()).write(b"~")


def test_what_is_sent_beside_the_driver_is_in_the_log_under_the_line_s_name() -> None:
    kept: list[tuple[str, str, bytes]] = []

    class Log(NoLog):
        def wire(self, at_s: float, device: str, direction: str, data: bytes) -> None:
            assert at_s >= 0.0
            kept.append((device, direction, data))

    far, near = pty.openpty()
    tty.setraw(near)
    with serial.Serial(os.ttyname(near), timeout=0.2) as port:
        LineTap("pump", WallClock(), Log()).on(port).send(b"~x~")
    assert kept == [("pump", ">", b"~x~")]
    os.close(far)
    os.close(near)
