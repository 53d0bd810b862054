"""The same law over PyVISA-py, on a socket and a pseudo-terminal, with a far side that knows nothing of the rig."""

from __future__ import annotations

import os
import pty
import resource as process
import socket
import threading
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest
import pyvisa

from instruments.keysight_e36312a import driver as supply
from instruments.mettler_xpr import driver as balance
from rig.clock import WallClock
from rig.errors import BadReplyError, NoReplyError
from rig.wire import NoLog, Wire

TIMEOUT_S = 2.0
LATE_S = TIMEOUT_S + 0.6
Send = Callable[[bytes], object]
Answer = Callable[[str, Send], None]
"""Answers a question by sending bytes, as slowly as it likes."""
ANSWERS = {
    "MEAS:VOLT? (@1)": b"+3.70000000E+00\n",
    "MEAS:CURR? (@1)": b"+1.20000000E-02\n",
    "*IDN?": b"Maker,E36312A,MY1,1.0\n",
    "SI": b"S S   1.234567 g\r\n",
    "@": b'I4 A "B1"\r\n',
    "I4": b'I4 A "B1"\r\n',
}


def sleep(seconds: float) -> None:
    WallClock().sleep(seconds)


def at_first(trouble: Answer) -> Answer:
    """Meet the first question with trouble, and answer all others."""
    met: list[str] = []

    def answer(question: str, send: Send) -> None:
        if not met:
            met.append(question)
            trouble(question, send)
        elif question in ANSWERS:
            send(ANSWERS[question])

    return answer


def late(question: str, send: Send) -> None:
    sleep(LATE_S)
    send(ANSWERS[question])


def doubled(question: str, send: Send) -> None:
    send(ANSWERS[question] * 2)


def endless(question: str, send: Send) -> None:
    del question
    begun = WallClock()
    while begun.now() < 4.0:
        send(b"#" * 65536)


def drip(question: str, send: Send) -> None:
    del question
    for _ in range(4):
        sleep(0.95 * TIMEOUT_S)
        send(b"#")


def answer_lines(read: Callable[[], bytes], send: Send, answer: Answer) -> None:
    begun = b""
    with suppress(OSError):
        while data := read():
            begun += data
            while b"\n" in begun:
                line, _, begun = begun.partition(b"\n")
                answer(line.decode().strip(), send)


@contextmanager
def on_socket(answer: Answer) -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                answer_lines(lambda: connection.recv(4096), connection.sendall, answer)

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"TCPIP0::127.0.0.1::{server.getsockname()[1]}::SOCKET"
        thread.join()


@contextmanager
def on_pty(answer: Answer) -> Iterator[str]:
    master, slave = pty.openpty()
    tty.setraw(slave)
    name = os.ttyname(slave)
    thread = threading.Thread(
        target=answer_lines, args=(lambda: os.read(master, 4096), lambda data: os.write(master, data), answer)
    )
    thread.start()
    yield f"ASRL{name}::INSTR"
    os.close(slave)  # the far side hears of it once the client has closed, too
    thread.join()
    os.close(master)


@contextmanager
def opened(address: str, driver: Any) -> Iterator[Any]:  # noqa: ANN401 - a driver's module, and what it opens
    resource = pyvisa.ResourceManager("@py").open_resource(address)
    assert isinstance(resource, pyvisa.resources.MessageBasedResource)
    with resource:
        wall = WallClock()
        yield driver.open_driver(Wire(resource, address, wall, NoLog()), clock=wall)


def right_or_an_error(read: Callable[[], object], right: object, *, longest_s: float) -> bool:
    wall = WallClock()
    try:
        assert read() == right
    except (NoReplyError, BadReplyError):
        return False
    finally:
        assert wall.now() < longest_s
    return True


TROUBLES = [late, doubled, endless, drip]


@pytest.mark.parametrize("trouble", TROUBLES)
def test_a_supply_in_trouble_on_a_socket_never_shows_another_querys_answer(trouble: Answer) -> None:
    held_kb = process.getrusage(process.RUSAGE_SELF).ru_maxrss
    with on_socket(at_first(trouble)) as address, opened(address, supply) as opened_supply:
        for read, right in [(opened_supply.read_voltage_v, 3.7), (opened_supply.read_current_a, 0.012)] * 2:
            right_or_an_error(read, right, longest_s=20.0)
        assert opened_supply.read_current_a() == 0.012
    assert process.getrusage(process.RUSAGE_SELF).ru_maxrss - held_kb < 100_000


@pytest.mark.parametrize("trouble", TROUBLES)
def test_a_balance_in_trouble_on_a_serial_line_shows_its_load_or_nothing(trouble: Answer) -> None:
    with on_pty(at_first(trouble)) as address, opened(address, balance) as opened_balance:
        for _ in range(2):
            right_or_an_error(lambda: opened_balance.read().mass_g, 1.234567, longest_s=20.0)
        assert opened_balance.read().mass_g == 1.234567


def test_a_message_without_an_end_is_over_when_its_time_is() -> None:
    def only(question: str, send: Send) -> None:
        if question == "SI":
            drip(question, send)

    with on_pty(only) as address:
        resource = pyvisa.ResourceManager("@py").open_resource(address)
        assert isinstance(resource, pyvisa.resources.MessageBasedResource)
        with resource:
            wall = WallClock()
            wire = Wire(resource, address, wall, NoLog())
            wire.configure_text(read_end="\r\n", write_end="\r\n", timeout_s=TIMEOUT_S)
            begun_s = wall.now()
            with pytest.raises(NoReplyError, match=r"only b'#' within .* s"):
                wire.query("SI", look_at="nothing")
            assert wall.now() - begun_s < TIMEOUT_S + 0.5
