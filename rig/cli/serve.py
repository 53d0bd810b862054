"""`rig serve`: the virtual bench in real time, each instrument on a TCP socket or a pty, the pump on a pty.

Any program that speaks to the real devices can speak to these. Not responsible for the world itself: the same one that
runs faster than real time under the suites is paced here by the wall clock. Nor for the bench file that leads there
(`rig.cli.served_file`).
"""

from __future__ import annotations

import selectors
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pyvisa
from rich.console import Console

from rig.bench.far_side import FarSide, open_virtual
from rig.bench.file import BenchFile, parse_override, read_bench_file
from rig.bench.lease import lease_folder, port_keys
from rig.bench.open import open_device, power_pump
from rig.bench.served import noted_as_served
from rig.cli.endpoints import Endpoint, PtyEndpoint, SocketEndpoint
from rig.cli.printing import print_table, say
from rig.cli.served_file import offered_file, refuse_existing, resource_of, served_bench_file
from rig.clock import NS_PER_S, Clock, SimClock, WallClock
from rig.errors import BenchFileError
from rig.run.stopping import StopSignals
from rig.virtual.world import World
from rig.wire import NoLog

LONGEST_WAIT_S = 0.02
AT_ONCE_S = 0.1
"""Of real time: so much of the world is made up for before its lines are looked after again."""
BEHIND_S = 0.5
"""Of real time: what a world may be behind before that is said. The house's: twice what a driver's patience bears."""
SAID_EVERY_S = 10.0
HIGHEST_PORT = 65535


@dataclass(frozen=True)
class ServeAsked:
    """What is to be served, and how.

    Attributes:
        bench: the bench file, of a virtual bench.
        settings: "table.key=value" laid over it.
        write: the new bench file that leads to the served bench; None writes none.
        first_port: every device is on a TCP port from this one on, in the order of the table; None takes what is free.
        speed: so many seconds of the bench pass in one.
    """

    bench: Path
    settings: Sequence[str] = ()
    write: Path | None = None
    first_port: int | None = None
    speed: float = 1.0


def serve_bench(asked: ServeAsked, *, console: Console) -> None:
    """Serve a virtual bench until Ctrl-C or another signal that asks to end; prints where every device is.

    Raises:
        BenchFileError: the bench file is wrong, describes a bench that needs no serving, a file that is to be written
            is there already, or a port cannot be had.
        EvidenceError: the file cannot be written.
    """
    spec, content = read_bench_file(asked.bench, dict(parse_override(text) for text in asked.settings))
    if spec.virtual is None:
        raise BenchFileError(
            f"{asked.bench}: is a real bench, only a virtual one (with a [virtual] table) can be served"
        )
    refuse_existing(asked.write)
    with ExitStack() as stack:
        stack.enter_context(StopSignals())
        world = stack.enter_context(open_virtual(spec))
        _switch_supply_on(spec, world)
        selector = stack.enter_context(selectors.DefaultSelector())
        endpoints: dict[str, Endpoint] = {}
        for number, role in enumerate(role for role in spec.roles if role in world.ports):
            endpoints[role] = _endpoint(world, role, selector, asked.first_port, number)
            stack.callback(endpoints[role].close)
        addresses = {role: endpoint.address for role, endpoint in endpoints.items()}
        keys = [key for role, address in addresses.items() for key in port_keys(resource_of(role, address))]
        lease = stack.enter_context(noted_as_served(lease_folder(), keys, f"rig serve of {spec.name!r}"))
        if asked.write is not None:
            text = served_bench_file(spec, content, addresses, speed=asked.speed, lease=lease)
            stack.enter_context(offered_file(asked.write, text, tell=lambda sentence: say(console, sentence)))
        _print_addresses(spec, addresses, asked, console)
        pace = Pace(world.clock, asked.speed, wall=WallClock(), tell=lambda sentence: say(console, sentence, "yellow"))
        try:
            while True:
                pace.go_on(selector, list(endpoints.values()))
        except KeyboardInterrupt:
            say(console, f"Stopped{pace.summary}.")


def _endpoint(
    world: World, role: str, selector: selectors.BaseSelector, first_port: int | None, number: int
) -> Endpoint:
    port = world.ports[role]
    # A pty refuses to be set to seven bits and parity, so such a line is served as a terminal server would.
    if first_port is None and role not in world.on_network | world.seven_bits:
        return PtyEndpoint(port, selector)
    wanted = 0 if first_port is None else first_port + number
    try:
        return SocketEndpoint(port, selector, wanted)
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or f"there are ports up to {HIGHEST_PORT}"
        raise BenchFileError(f"--first-port {first_port}: the {role} cannot be on port {wanted} ({reason})") from error


def _switch_supply_on(spec: BenchFile, world: World) -> None:
    """Power the pump through its supply's own line, as a person would before leaving the bench to others."""
    assert spec.virtual is not None
    resources = pyvisa.ResourceManager(world.visa_library())
    far = FarSide(world.clock, resources, spec.pump.port, spec.virtual.date)
    supply = open_device(spec, "supply", far, NoLog())
    power_pump(spec, supply)
    supply.close()


class Pace:
    """Lets simulated time follow the wall clock at a speed, and bytes follow both.

    Args:
        clock: the bench's, which is moved.
        speed: so many of its seconds pass in one.
        wall: the clock that is followed.
        tell: takes a sentence when the bench is behind.
    """

    def __init__(self, clock: SimClock, speed: float, *, wall: Clock, tell: Callable[[str], None]) -> None:
        self._clock = clock
        self._speed = speed
        self._tell = tell
        self._wall = wall
        self._begun_ns = clock.now_ns
        self._most_behind_s = 0.0
        self._said_s = -SAID_EVERY_S

    @property
    def summary(self) -> str:
        """What became of the speed, where the world could not follow it at every moment."""
        if self._most_behind_s < BEHIND_S:
            return ""
        return f"; the bench was up to {self._most_behind_s:.1f} s behind {self._speed:g} × real time"

    def go_on(self, selector: selectors.BaseSelector, endpoints: Sequence[Endpoint]) -> None:
        """Wait for a line or the next event, catch up with the wall clock, and look after every line."""
        due_ns = self._clock.next_due_ns()
        due_s = LONGEST_WAIT_S if due_ns is None else self._real_s(due_ns) - self._wall.now()
        selector.select(min(LONGEST_WAIT_S, max(0.0, due_s)))
        real_s = self._wall.now()
        self._look(real_s)
        most_ns = self._clock.now_ns + round(AT_ONCE_S * self._speed * NS_PER_S)
        now_ns = self._begun_ns + round(real_s * self._speed * NS_PER_S)
        self._clock.advance_to(max(self._clock.now_ns, min(now_ns, most_ns)))
        for endpoint in endpoints:
            endpoint.exchange(selector)

    def _look(self, real_s: float) -> None:
        behind_s = real_s - self._real_s(self._clock.now_ns)
        self._most_behind_s = max(self._most_behind_s, behind_s)
        if behind_s < BEHIND_S or real_s - self._said_s < SAID_EVERY_S:
            return
        self._said_s = real_s
        self._tell(
            f"The bench is {behind_s:.1f} s behind {self._speed:g} × real time: this computer is too slow or too busy "
            "for it; whoever times the bench by a clock outside measures wrong"
        )

    def _real_s(self, at_ns: int) -> float:
        return (at_ns - self._begun_ns) / NS_PER_S / self._speed


def _print_addresses(spec: BenchFile, addresses: dict[str, str], asked: ServeAsked, console: Console) -> None:
    rows = [(role, spec.table(role).driver, address) for role, address in addresses.items()]
    pace = "in real time" if asked.speed == 1.0 else f"at {asked.speed:g} × real time"
    print_table(console, ("device", "driver", "address"), rows, title=f"{spec.name}, {pace}; Ctrl-C stops it")
    if asked.write is not None:
        say(console, f"Bench file: {asked.write}; it goes when this ends. SIMULATED — no evidence about any device.")
