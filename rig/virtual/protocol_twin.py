"""The `twin://` handler of pyserial: `serial_for_url("twin://pump?bench=7")` opens a simulated serial port.

pyserial finds this module through `serial.protocol_handler_packages`; it needs a place to look ports up, so open
benches register theirs here and withdraw them when they close. Not responsible for what travels.
"""

from __future__ import annotations

import errno
from typing import Any

import serial

from rig.virtual.port import Port

_ports: dict[str, Port] = {}


def register(url: str, port: Port) -> None:
    """Make `port` reachable as `url`; ValueError when that is taken."""
    if url in _ports:
        raise ValueError(f"{url} is already in use by an open virtual bench")
    _ports[url] = port


def withdraw(url: str) -> None:
    """Make `url` unreachable."""
    _ports.pop(url, None)


class Serial(serial.SerialBase):
    """A pyserial port onto a simulated line; a blocking read advances simulated time."""

    def open(self) -> None:
        """Open the port named by the URL; SerialException when no open virtual bench has it."""
        if self.portstr is None:
            raise serial.SerialException("twin:// needs a URL before it can be opened")
        self._line = _ports.get(self.portstr)
        if self._line is None:
            known = ", ".join(_ports) or "none"
            raise serial.SerialException(f"no open virtual bench has {self.portstr}; open ports: {known}")
        if self._line.unplugged:
            raise serial.SerialException(errno.ENOENT, f"could not open port {self.portstr}: there is no such device")
        self._times_plugged = self._line.times_plugged
        self.is_open = True
        self._reconfigure_port()

    def _reconfigure_port(self) -> None:
        self._opened().host_baud = self.baudrate

    def _opened(self) -> Port:
        if not self.is_open or self._line is None:
            raise serial.PortNotOpenError()
        return self._line

    def _live(self, doing: str) -> Port:
        """The line, unless it has been taken away since it was opened, be it back or not."""
        line = self._opened()
        if line.unplugged or line.times_plugged != self._times_plugged:
            raise serial.SerialException(f"{doing} failed: the device is disconnected")
        return line

    def close(self) -> None:
        """Close the port."""
        self.is_open = False

    @property
    def in_waiting(self) -> int:
        """Number of bytes that have arrived and are unread; of a lost device pyserial lets the bare OSError through."""
        try:
            return self._live("ioctl").host_waiting()
        except serial.SerialException as error:
            raise OSError(errno.EIO, str(error)) from error

    def read(self, size: int = 1) -> bytes:
        """Read up to `size` bytes within the time-out, in simulated time."""
        data = self._live("read").host_read(size, timeout_s=self.timeout)
        self._live("read")
        return data

    def read_until(self, expected: bytes = b"\n", size: int | None = None) -> bytes:
        """Read through `expected` (one byte is found in one step), `size` bytes or the time-out."""
        if len(expected) != 1:
            return bytes(super().read_until(expected, size))
        data = self._live("read").host_read(size or 1 << 30, until=expected, timeout_s=self.timeout)
        self._live("read")
        return data

    def write(self, b: Any, /) -> int:  # noqa: ANN401 - pyserial takes any buffer
        """Write bytes; they leave at the line's speed."""
        self._live("write").host_write(bytes(b))
        return len(b)

    def flush(self) -> None:
        """Return at once: the simulated line takes everything."""

    def reset_input_buffer(self) -> None:
        """Drop what has arrived and is unread."""
        self._live("flush").host_discard()

    def reset_output_buffer(self) -> None:
        """Nothing waits to be sent."""

    def _update_rts_state(self) -> None:
        """The simulated line has no handshake lines."""

    def _update_dtr_state(self) -> None:
        """The simulated line has no handshake lines."""

    def _update_break_state(self) -> None:
        """The simulated line has no break."""
