"""A line on which nobody knows yet what is there: opened for this process alone, bytes out, bytes in, in bounded time.

Not responsible for what is asked (`rig.bench.discover`), nor for devices that a bench file names (`rig.bench.open`).
"""

from __future__ import annotations

import os
import re
import stat
import termios
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Protocol

import pyvisa
import serial
from pyvisa.constants import StatusCode
from pyvisa.resources import MessageBasedResource

from rig.bench.addresses import NETWORK, resolved
from rig.errors import NotConnectedError
from rig.roles.recognition import LineSettings

WRITE_WITHIN_S = 1.0
"""A line that takes nothing, held up by its far side, is given up then."""
OPEN_WITHIN_S = 3.0
"""A host on the network answers in less, or is not there."""
PIECE = 1024
PSEUDO_TERMINAL_MAJORS = range(136, 144)
"""Device numbers of /dev/pts (Linux, admin-guide/devices.txt)."""


class UnknownLine(Protocol):
    """A line that is open; it needs an end of each question to know, which the question has."""

    serial: bool
    """Whether it has a speed and a framing that can be wrong."""

    def set(self, settings: LineSettings) -> bool:
        """Set speed and framing; False where this line cannot have them."""
        ...

    def send(self, data: bytes) -> None:
        """Send bytes; NotConnectedError when the line is lost or takes nothing."""
        ...

    def receive(self, within_s: float) -> bytes:
        """What comes next, as soon as it comes; nothing when nothing comes within `within_s`."""
        ...

    def close(self) -> None:
        """Give the line back."""
        ...


def open_line(address: str, visa_library: str = "@py") -> UnknownLine:
    """Open a line by its VISA address, pyserial port or URL, for this process alone where the system can.

    Raises:
        NotConnectedError: it cannot be had; the sentence says why.
    """
    place = resolved(address)
    if place.startswith(f"{NETWORK}") and "/" not in place:
        return _PortLine(f"socket://{place.removeprefix(NETWORK)}")
    if re.match(r"ASRL\d+", address, re.IGNORECASE) is None and (
        "://" in address or place.startswith(("port ", "serial "))
    ):
        return _PortLine(re.sub(r"^ASRL(.*?)(::INSTR)?$", r"\1", address, flags=re.IGNORECASE))
    return _VisaLine(address, visa_library)


def other_users(path: str) -> list[str]:
    """Name the other processes that have a terminal open, as far as this user may know; where there is no /proc, none.

    Whoever simulates a line on a pseudo-terminal has both of its ends open, and is no user of it.
    """
    try:
        found = Path(path).stat()
    except OSError:
        return []
    if not stat.S_ISCHR(found.st_mode):
        return []
    pseudo = os.minor(found.st_rdev) if os.major(found.st_rdev) in PSEUDO_TERMINAL_MAJORS else None
    users = []
    for process in Path("/proc").glob("[0-9]*"):
        if int(process.name) == os.getpid() or found.st_rdev not in set(_devices(process)):
            continue
        if pseudo is not None and pseudo in set(_simulated(process)):
            continue
        with suppress(OSError):
            users.append(f"{(process / 'comm').read_text().strip()} (process {process.name})")
    return users


def _devices(process: Path) -> Iterator[int]:
    with suppress(OSError):  # another user's, or it has ended
        for each in (process / "fd").iterdir():
            with suppress(OSError):
                if str(each.readlink()).startswith("/dev/"):
                    yield each.stat().st_rdev


def _simulated(process: Path) -> Iterator[int]:
    """List the numbers of the pseudo-terminals whose far end a process has."""
    with suppress(OSError):
        for each in (process / "fdinfo").iterdir():
            with suppress(OSError):
                if match := re.search(r"^tty-index:\s*(\d+)$", each.read_text(), re.MULTILINE):
                    yield int(match[1])


class _PortLine:
    """A serial port, or a socket, by pyserial."""

    def __init__(self, url: str) -> None:
        self._url = url
        self.serial = "://" not in url
        try:
            self._port = serial.serial_for_url(url, do_not_open=True, timeout=0.0, write_timeout=WRITE_WITHIN_S)
            if self.serial:
                self._port.exclusive = True
            self._port.open()
        except (serial.SerialException, ValueError, OSError, termios.error) as error:
            raise _lost(url, "opening it", _reason(error)) from error

    def set(self, settings: LineSettings) -> bool:
        data_bits, parity, stop_bits = tuple(settings.framing)
        try:
            self._port.apply_settings(
                {"baudrate": settings.baud, "bytesize": int(data_bits), "parity": parity, "stopbits": int(stop_bits)}
            )
        except (serial.SerialException, ValueError, OSError, termios.error):
            return False
        return True

    def send(self, data: bytes) -> None:
        try:
            self._port.write(data)
        except (serial.SerialException, OSError) as error:
            raise _lost(self._url, "speaking to it", _reason(error)) from error

    def receive(self, within_s: float) -> bytes:
        try:
            self._port.timeout = within_s
            data: bytes = self._port.read(1)
            self._port.timeout = 0.0
            return data + self._port.read(PIECE) if data else data
        except (serial.SerialException, OSError, TypeError) as error:  # TypeError: pyserial, of a port that went
            raise _lost(self._url, "listening to it", _reason(error)) from error

    def close(self) -> None:
        with suppress(serial.SerialException, OSError, termios.error):
            self._port.close()


class _VisaLine:
    """A USB, GPIB or LAN instrument by VISA, which asks nobody for speed and framing."""

    serial = False

    def __init__(self, address: str, visa_library: str) -> None:
        self._address = address
        try:
            self._manager = pyvisa.ResourceManager(visa_library)
            resource = self._manager.open_resource(address, open_timeout=int(1000 * OPEN_WITHIN_S))
        except (pyvisa.Error, ValueError, OSError) as error:
            raise _lost(address, "opening it", _reason(error)) from error
        if not isinstance(resource, MessageBasedResource):
            resource.close()
            raise _lost(address, "opening it", "this is no resource that takes messages")
        self._resource = resource

    def set(self, settings: LineSettings) -> bool:
        del settings
        return True

    def send(self, data: bytes) -> None:
        try:
            self._resource.write_raw(data)
        except (pyvisa.Error, OSError) as error:
            raise _lost(self._address, "speaking to it", _reason(error)) from error

    def receive(self, within_s: float) -> bytes:
        try:
            self._resource.timeout = max(1.0, 1000.0 * within_s)
            return self._resource.read_raw(PIECE)
        except pyvisa.VisaIOError as error:
            if error.error_code == StatusCode.error_timeout:
                return b""
            raise _lost(self._address, "listening to it", _reason(error)) from error
        except (pyvisa.Error, OSError) as error:
            raise _lost(self._address, "listening to it", _reason(error)) from error

    def close(self) -> None:
        with suppress(pyvisa.Error, OSError):
            self._resource.close()


def _reason(error: BaseException) -> str:
    if isinstance(error, PermissionError) or getattr(error, "errno", None) == 13:
        return "this user may not: join the group that owns it, such as dialout, and log in anew"
    if isinstance(error, pyvisa.errors.VisaIOError | ValueError):
        return f"it is no VISA address, serial port or URL of pyserial ({error})"
    if isinstance(error, OSError) and isinstance(error.errno, int):
        return os.strerror(error.errno)
    return " ".join(str(error).split()) or type(error).__name__


def _lost(address: str, asked: str, why: str) -> NotConnectedError:
    return NotConnectedError(asked=asked, of_whom=address, came_back=why, look_at="check the cable and who else has it")
