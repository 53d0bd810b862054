"""What is done to the pump's controller through a debug probe: bits that flip, a core that stands or circles.

The core is halted for as long as a change takes. Not responsible for which change it is (`rig.faults`), nor for what
the pump makes of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rig.errors import BlockedError
from rig.faults.by_probe import FREE_RAM, ByProbe
from rig.roles import Bench, DebugProbe

LOOP = bytes.fromhex("62b6 fee7")
"""`cpsie i`, so that interrupts run where the core slept with them masked, and `b .` (DDI 0403E, B5.2.1, A7.7.12)."""


def probe_of(bench: Bench) -> DebugProbe:
    """Take the debug probe of a bench; BlockedError where it has none."""
    if bench.probe is None:
        raise BlockedError("rig: this bench has no debug probe; enter it in the bench file (docs/benches.md)")
    return bench.probe


def flip_bit(probe: DebugProbe, address: int, bit: int) -> None:
    """Invert bit 0 to 7 of the octet at an address."""
    with _halted(probe):
        octet = probe.read_memory(address, 1)[0]
        probe.write_memory(address, bytes([octet ^ 1 << bit]))


def flip_register_bit(probe: DebugProbe, name: str, bit: int) -> None:
    """Invert bit 0 to 31 of a register of the core, at whatever it does then."""
    with _halted(probe):
        probe.write_register(name, probe.read_register(name) ^ 1 << bit)


def send_into_loop(probe: DebugProbe, address: int) -> None:
    """Let the core go on in an endless loop that is written to an address, with its interrupts."""
    with _halted(probe):
        probe.write_memory(address, LOOP)
        probe.write_register("pc", address)


def disturb_controller(bench: Bench, way: ByProbe) -> None:
    """Do to the pump's controller what a fault does.

    Raises:
        BlockedError: this bench has no probe.
        DeviceError: the probe does not do it.
        KeyError: the bench has no such place; whoever injects a fault has looked.
    """
    probe = probe_of(bench)
    if way.hold:
        probe.halt()
    elif way.loop:
        send_into_loop(probe, bench.places[FREE_RAM])
    elif way.flip is not None:
        flip_bit(probe, bench.places[way.flip], way.bit or 0)
    elif way.register_name is not None:
        flip_register_bit(probe, way.register_name, way.bit or 0)


@contextmanager
def _halted(probe: DebugProbe) -> Iterator[None]:
    """Halt the core, and let it go on whatever happens meanwhile."""
    probe.halt()
    try:
        yield
    finally:
        probe.resume()
