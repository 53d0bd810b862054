"""`rig serve`: the virtual bench in real time, each instrument on a TCP socket or a pty, the pump on a pty.

Any program that speaks to the real devices can speak to these. Not responsible for the world itself: the same one that
runs faster than real time under the suites is paced here by the wall clock.
"""

from __future__ import annotations

import selectors
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import pyvisa
from rich.console import Console

from rig.bench.far_side import FarSide, open_virtual
from rig.bench.file import BenchFile, parse_override, read_bench_file
from rig.bench.open import open_device, power_pump
from rig.cli.endpoints import Endpoint, PtyEndpoint, SocketEndpoint
from rig.cli.printing import print_table, say
from rig.clock import NS_PER_S, WallClock
from rig.errors import BenchFileError
from rig.virtual.world import World
from rig.wire import NoLog

LONGEST_WAIT_S = 0.02


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
    rows = [(role, spec.table(role).driver, endpoints[role].address) for role in spec.roles]
    title = f"{spec.name}, in real time; Ctrl-C stops it"
    print_table(console, ("device", "driver", "address"), rows, title=title)
