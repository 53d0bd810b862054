"""The stand of the fuzzer: the virtual bench's pump, its line octet by octet, and the balance that weighs.

Frames as in `instruments/ids/protocol.md`, section 1. Not responsible for what is sent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyvisa

from rig.bench.far_side import FarSide, open_virtual
from rig.bench.file import read_bench_file
from rig.bench.open import open_device
from rig.roles import Balance
from rig.wire import NoLog
from suites.selftest.conformance.client import Client, Link
from suites.stands.firmware_host import fcs

BENCH = Path("fixtures/benches/virtual.toml")
FLAG = 0x7E
U_PER_STEP = 0.003125
"""Insulin that a motor step displaces, 0.03125 µL (fixtures/controller/README.md, drive train)."""
QUIET_S = 0.02
"""A pump that has not begun to answer by then has nothing to say."""


def flipped(octets: bytes, bits: int) -> bytes:
    """Flip bits of the checksum in the last two octets."""
    return octets[:-2] + (int.from_bytes(octets[-2:], "little") ^ bits).to_bytes(2, "little")


def frame(pdu: bytes, *, flip: int = 0) -> bytes:
    """Wrap a PDU with its check sequence, bits of which may be flipped, with escapes and flags."""
    body = flipped(pdu + fcs(pdu), flip).replace(b"\x7d", b"\x7d\x5d").replace(b"\x7e", b"\x7d\x5e")
    return b"\x7e" + body + b"\x7e"


class Stand:
    """The pump under test; fulfils `Link` and `Stand` of the conformance tests' client and pump.

    Attributes:
        link: itself.
        clock: the simulated time.
        balance: the bench's balance, by its own driver.
        damaged: frames from the pump that were not whole. There must be none.
        on_write: called with all octets before they are sent.
    """

    def __init__(self, world: Any, balance: Balance) -> None:  # noqa: ANN401 - a rig.virtual.world.World
        self.link: Link = self
        self.clock = world.clock
        self.balance = balance
        self.damaged = 0
        self.on_write: Callable[[bytes], None] = lambda _octets: None
        self._port = world.ports["pump"]
        self._mcu = world.board.mcu
        self._drive = world.fluid.drive

    def write(self, octets: bytes) -> None:
        """Send octets as they are."""
        self.on_write(octets)
        self._port.host_write(octets)

    def send(self, pdu: bytes) -> None:
        """Send one PDU in its frame."""
        self.write(frame(pdu))

    def receive(self, timeout_s: float) -> bytes | None:
        """The next PDU, None when none has come within `timeout_s`."""
        body = b""
        while not body:
            part = self._port.host_read(600, until=b"\x7e", timeout_s=timeout_s)
            if not part:
                return None
            body = part.rstrip(b"\x7e")
        body = body.replace(b"\x7d\x5e", b"\x7e").replace(b"\x7d\x5d", b"\x7d")
        if fcs(body[:-2]) != body[-2:]:
            self.damaged += 1
        return bytes(body[:-2])

    def motor_steps(self) -> int:
        """How far the motor has turned, in steps."""
        return int(self._drive.steps)

    def moved_u(self) -> float:
        """What the motor's steps so far stand for, in U."""
        return self.motor_steps() * U_PER_STEP

    def weigh_g(self) -> float:
        """The mass on the balance at rest in g."""
        return self.balance.read_stable().mass_g

    def wait(self, duration_s: float) -> None:
        """Let time pass."""
        self.clock.sleep(duration_s)

    def hand(self, does: str) -> None:
        """Do nothing: no state that is fuzzed needs a hand."""
        raise ValueError(f"nobody stands at this pump who could {does}")

    def check_alive(self) -> None:
        """The firmware has neither crashed nor been restarted, and every frame of its was whole."""
        assert self._mcu.resets == ["power"], f"the firmware was restarted: {self._mcu.resets}"
        assert self._mcu.faults == [], self._mcu.faults
        assert self._mcu.halted is None, self._mcu.halted
        assert self.damaged == 0, "the pump sent a damaged frame"

    def connect(self) -> Client:
        """Begin a connection anew, whatever the line carries: a flag ends what is unfinished, what comes is dropped."""
        self.write(bytes([FLAG]))
        while (pdu := self.receive(QUIET_S)) is not None:
            if pdu[:1] == b"\x1d":
                self.send(b"\x1e")
        client = Client(self)
        client.connect()
        return client


@contextmanager
def stand() -> Iterator[Stand]:
    """Switch the virtual bench on."""
    spec, _ = read_bench_file(BENCH)
    assert spec.virtual is not None
    with open_virtual(spec) as world:
        world.set_rail(3.7)
        world.clock.sleep(0.5)
        resources = pyvisa.ResourceManager(world.visa_library())
        far = FarSide(world.clock, resources, spec.pump.port, spec.virtual.date)
        balance = open_device(spec, "balance", far, NoLog())
        yield Stand(world, balance)
        balance.close()
        resources.close()
