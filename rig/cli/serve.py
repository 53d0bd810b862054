"""`rig serve`: the virtual bench in real time, each instrument on a TCP socket or a pty, the pump on a pty.

Any program that speaks to the real devices can speak to these. Not responsible for the world itself: the same one that
runs faster than real time under the suites is paced here by the wall clock.
"""

from __future__ import annotations

import os
import selectors
import socket
import tty
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Protocol

import pyvisa
from rich.console import Console

from rig.bench.file import BenchFile, parse_override, read_bench_file
from rig.bench.open import ROLES, FarSide, open_device, open_virtual, power_pump
from rig.cli.printing import print_table, say
from rig.clock import NS_PER_S, WallClock
from rig.errors import BenchFileError
from rig.virtual.port import Port
from rig.virtual.world import World
from rig.wire import NoLog

LONGEST_WAIT_S = 0.02


class Endpoint(Protocol):
    """A place in the operating system where one simulated line can be reached."""

    address: str

    def exchange(self, events: selectors.BaseSelector) -> None:
        """Carry bytes that have come, both ways; never blocks."""
        ...

    def close(self) -> None:
        """Give the place back."""
        ...


class PtyEndpoint:
    """A simulated serial line on a pseudo-terminal."""

    def __init__(self, port: Port, selector: selectors.BaseSelector) -> None:
        self._port = port
        self._master, self._slave = os.openpty()  # the slave stays open, so that clients may come and go
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        self.address = os.ttyname(self._slave)
        selector.register(self._master, selectors.EVENT_READ)

    def exchange(self, events: selectors.BaseSelector) -> None:
        """Carry bytes both ways."""
        del events
        with suppress(BlockingIOError):
            self._port.host_write(os.read(self._master, 4096))
        if waiting := self._port.host_waiting():
            os.write(self._master, self._port.host_read(waiting, timeout_s=0.0))

    def close(self) -> None:
        """Close both ends."""
        os.close(self._master)
        os.close(self._slave)


class SocketEndpoint:
    """A simulated network instrument on a TCP port of this machine, for one client at a time."""

    def __init__(self, port: Port, selector: selectors.BaseSelector) -> None:
        self._port = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.setblocking(False)
        self._client: socket.socket | None = None
        self.address = f"TCPIP0::127.0.0.1::{self._listener.getsockname()[1]}::SOCKET"
        selector.register(self._listener, selectors.EVENT_READ)

    def exchange(self, events: selectors.BaseSelector) -> None:
        """Accept a client, carry bytes both ways, let a client go."""
        if self._client is None:
            try:
                self._client, _ = self._listener.accept()
            except BlockingIOError:
                return
            self._client.setblocking(False)
            events.register(self._client, selectors.EVENT_READ)
        try:
            data = self._client.recv(4096)
        except BlockingIOError:
            data = None
        except ConnectionError:
            data = b""
        if data:
            self._port.host_write(data)
        elif data == b"":
            events.unregister(self._client)
            self._client.close()
            self._client = None
            return
        if waiting := self._port.host_waiting():
            self._client.sendall(self._port.host_read(waiting, timeout_s=0.0))

    def close(self) -> None:
        """Close the listener and the client."""
        self._listener.close()
        if self._client is not None:
            self._client.close()


def serve_bench(bench: Path, overrides: Sequence[str], *, console: Console) -> None:
    """Serve a virtual bench until Ctrl-C; prints name and address of every device.

    Raises:
        BenchFileError: the file is wrong, or describes a bench that needs no serving.
    """
    spec, _ = read_bench_file(bench, dict(parse_override(text) for text in overrides))
    if spec.virtual is None:
        raise BenchFileError(f"{bench}: is a real bench, only a virtual one (with a [virtual] table) can be served")
    with ExitStack() as stack:
        world = stack.enter_context(open_virtual(spec))
        _switch_supply_on(spec, world)
        selector = stack.enter_context(selectors.DefaultSelector())
        endpoints: dict[str, Endpoint] = {}
        for role, port in world.ports.items():
            # A pty refuses to be set to seven bits and parity, so such a line is served as a terminal server would.
            by_socket = role in world.on_network | world.seven_bits
            endpoints[role] = SocketEndpoint(port, selector) if by_socket else PtyEndpoint(port, selector)
            stack.callback(endpoints[role].close)
        _print_addresses(spec, endpoints, console)
        try:
            _pace(world, selector, list(endpoints.values()))
        except KeyboardInterrupt:
            say(console, "Stopped.")


def _switch_supply_on(spec: BenchFile, world: World) -> None:
    """Power the pump through its supply's own line, as a person would before leaving the bench to others."""
    assert spec.virtual is not None
    resources = pyvisa.ResourceManager(world.visa_library())
    far = FarSide(world.clock, resources, spec.pump.port, spec.virtual.date)
    supply = open_device(spec, "supply", far, NoLog())
    power_pump(spec, supply)
    supply.close()


def _pace(world: World, selector: selectors.BaseSelector, endpoints: Sequence[Endpoint]) -> None:
    """Let simulated time follow the wall clock, and bytes follow both."""
    wall = WallClock()
    begun_ns = world.clock.now_ns
    while True:
        due_ns = world.clock.next_due_ns()
        due_s = LONGEST_WAIT_S if due_ns is None else (due_ns - begun_ns) / NS_PER_S - wall.now()
        selector.select(min(LONGEST_WAIT_S, max(0.0, due_s)))
        world.clock.advance_to(max(world.clock.now_ns, begun_ns + round(wall.now() * NS_PER_S)))
        for endpoint in endpoints:
            endpoint.exchange(selector)


def _print_addresses(spec: BenchFile, endpoints: dict[str, Endpoint], console: Console) -> None:
    rows = [(role, getattr(spec, role).driver, endpoints[role].address) for role in ROLES]
    title = f"{spec.name}, in real time; Ctrl-C stops it"
    print_table(console, ("device", "driver", "address"), rows, title=title)
