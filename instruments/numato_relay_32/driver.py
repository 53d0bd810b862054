"""Numato Lab 32 Channel USB Relay Module as the switch of valves and relays.

The dialogue of its sister of eight, with relays 0..9 and A..V, and eight digits for all of them. Not responsible for
what a line is connected to, nor for the time that contacts take.
Source: Numato Lab, `numato-usb-relay` 0.0.1 (PyPI, 2026); see protocol.md.
"""

from __future__ import annotations

from collections.abc import Mapping

from instruments.numato_relay.driver import PROBE, Baud, NumatoRelayModule, configured, recognition_of
from rig.clock import Clock
from rig.wire import Wire

__all__ = ["LINES", "NUMBERED_BY_HAND", "PROBE", "RECOGNITION", "ROLE", "open_driver"]

ROLE = "switch"
"""What it does on a bench: the table of a bench file that it belongs into."""
NUMBERED_BY_HAND = True
"""Its id is what somebody has set it to, 00000000 from the factory: many modules tell the same."""
RELAY_COUNT = 32
LINES = range(RELAY_COUNT)
"""The numbers that a bench file may give to its lines."""
RECOGNITION = recognition_of(RELAY_COUNT)


def open_driver(wire: Wire, *, clock: Clock, lines: Mapping[str, int], baud: Baud = 9600) -> NumatoRelayModule:
    """Configure the wire and return the driver; nothing is sent yet.

    Args:
        wire: the module's port.
        clock: not needed, nothing here is timed.
        lines: names of the bench's lines to relay numbers 0..31; ValueError on another number or a relay named twice.
        baud: what the host's port is set to, in bit/s; the module does not care.
    """
    del clock
    return configured(wire, lines, baud, count=RELAY_COUNT)
