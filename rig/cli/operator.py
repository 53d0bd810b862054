"""`rig operator`: the terminal at which a person at the bench is told what to do, and confirms it with Enter.

Not responsible for what there is to be done (the catalogue of faults), nor for the words on the line
(`instruments.operator_terminal`).
"""

from __future__ import annotations

import selectors
import socket
from dataclasses import dataclass, field
from typing import TextIO

from rich.console import Console

from instruments.operator_terminal.dialogue import Dialogue, whole_lines
from rig.cli.printing import say
from rig.clock import WallClock
from rig.errors import BenchFileError, RigError

BELL = "\a"
PIECE = 4096


@dataclass
class _Rig:
    """The rig that is connected, and what it has said of its next line."""

    line: socket.socket
    rest: bytes = field(default=b"")


def parse_address(listen: str) -> tuple[str, int]:
    """Parse "host:port"; BenchFileError where it is none."""
    host, colon, port = listen.rpartition(":")
    if not colon or not port.isdecimal() or int(port) > 65535:
        raise BenchFileError(f"--listen {listen!r}: write it as host:port, such as 127.0.0.1:5055")
    return host or "127.0.0.1", int(port)


def sit_at_terminal(listen: str, name: str, keyboard: TextIO, *, console: Console) -> None:
    """Wait for a rig, show what it asks for, and confirm with each Enter; ends with the keyboard's input, or Ctrl-C.

    A line with words in it says that it cannot be done, and why.

    Args:
        listen: host and port, such as "127.0.0.1:5055"; port 0 takes a free one.
        name: the bench file's serial number of this terminal.
        keyboard: what the person types.
        console: to show on.

    Raises:
        BenchFileError: the address is none.
        RigError: it cannot be had.
    """
    try:
        server = socket.create_server(parse_address(listen))
    except OSError as error:
        raise RigError(f"--listen {listen}: cannot be listened at ({error.strerror or error})") from error

    def show(instruction: str | None) -> None:
        if instruction is None:
            say(console, "Taken back: nothing is to be done.")
        else:
            say(
                console,
                f"{BELL}{instruction}, and press Enter at that moment. Words say why it cannot be done.",
            )

    dialogue = Dialogue(name, WallClock().now, show)
    with server, selectors.DefaultSelector() as selector:
        selector.register(server, selectors.EVENT_READ)
        selector.register(keyboard, selectors.EVENT_READ)
        host, port = server.getsockname()[:2]
        say(console, f"Operator's terminal {name} at TCPIP0::{host}::{port}::SOCKET; Ctrl-C ends it.")
        while _turn(selector, server, keyboard, dialogue):
            pass


def _turn(selector: selectors.BaseSelector, server: socket.socket, keyboard: TextIO, dialogue: Dialogue) -> bool:
    """Attend to what has come; whether there is more to expect."""
    for key, _ in selector.select():
        if key.fileobj is server:
            line = server.accept()[0]
            selector.register(line, selectors.EVENT_READ, _Rig(line))
        elif key.fileobj is keyboard:
            typed = keyboard.readline()
            if not typed:
                return False
            if words := typed.strip():
                dialogue.cannot(words)
            else:
                dialogue.done()
        elif not _answer(key.data, dialogue):
            selector.unregister(key.fileobj)
            key.data.line.close()
    return True


def _answer(rig: _Rig, dialogue: Dialogue) -> bool:
    """Answer what a rig has sent; whether it is still there."""
    try:
        came = rig.line.recv(PIECE)
        lines, rig.rest = whole_lines(came, rig.rest)
        for line in lines:
            answer = dialogue.answer(line)
            if answer is not None:
                rig.line.sendall(f"{answer}\n".encode())
    except OSError:
        return False
    return bool(came)
