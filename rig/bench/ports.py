"""Which lines this computer has: serial ports under names that stay, and what VISA lists. No host is searched for.

Not responsible for what is on them (`rig.bench.discover`).
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path

import pyvisa
from serial.tools import list_ports

from rig.errors import BenchFileError

BY_ID = Path("/dev/serial/by-id")
"""Where udev names ports by maker, model and serial number of their adapter: the same after every restart."""


@dataclass(frozen=True)
class LineHere:
    """A line of this computer: its address, and what the system says of it."""

    address: str
    what: str


def lines_here(visa_library: str = "@py") -> list[LineHere]:
    """List the serial ports and the instruments that VISA finds on USB, GPIB and LAN.

    Raises:
        BenchFileError: there is no such VISA library.
    """
    lasting = {str(link.resolve()): str(link) for link in sorted(BY_ID.glob("*"))} if BY_ID.is_dir() else {}
    ports = sorted(list_ports.comports(), key=lambda port: port.device)
    serial = [LineHere(lasting.get(port.device, port.device), port.description or "") for port in ports]
    return [*serial, *(LineHere(address, "VISA") for address in _by_visa(visa_library))]


def _by_visa(library: str) -> list[str]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # on what it could find with further packages
            found = pyvisa.ResourceManager(library).list_resources("?*")
    except (ValueError, OSError, pyvisa.Error) as error:
        raise BenchFileError(f"--visa-library {library!r}: cannot be opened ({error})") from error
    return [each for each in found if not each.upper().endswith("INTFC") and "ASRL" not in each.upper()]
