"""The far side of the wire of a Numato Lab 32 Channel USB Relay Module: its sister of eight, with relays 0..9 and A..V.

Not responsible for what hangs on a relay: the simulated world is.
"""

from __future__ import annotations

from instruments.numato_relay.twin import BAUD, BITS_PER_CHARACTER, DATA_BITS, NumatoRelay
from rig.virtual.port import Port
from rig.virtual.signals import Signals

__all__ = ["BAUD", "BITS_PER_CHARACTER", "DATA_BITS", "open_twin"]


def open_twin(port: Port, signals: Signals, *, serial_number: str) -> NumatoRelay:
    """Put a relay module on `port`; `serial_number` is its 8-character id."""
    return NumatoRelay(port, signals, serial_number=serial_number, relays=32)
