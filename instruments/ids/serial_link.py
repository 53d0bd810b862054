"""ATT PDUs over a serial port. Another link, such as Bluetooth LE, would be another module with the same two methods.

Not responsible for what the PDUs mean.
"""

from __future__ import annotations

from collections import deque
from typing import Protocol

import serial

from instruments.ids.framing import FLAG, FrameDecoder, encode_frame
from rig.clock import Clock, Deadline
from rig.errors import NotConnectedError
from rig.line_tap import LineTap, TappablePort
from rig.wire import ByteLog, incident_of

BAUD = 115200
REPLY_WITHIN_S = 2.0
"""This wire's own time-out: the Core specification's 30 s are for radio (protocol.md, section 1)."""


LAST_OCTETS = 4096
"""Octets that are still taken from the port once the time to receive has passed."""


class Link(Protocol):
    """Carries one ATT PDU at a time, both ways."""

    name: str
    reply_within_s: float
    """How long a pump may take to answer."""

    @property
    def damaged_frames(self) -> int:
        """How many have come on this connection, and were dropped."""
        ...

    def renew(self) -> bool:
        """Begin a new connection, in which nothing of the old one comes; False on a link that has no connections."""
        ...

    def note(self, what: str) -> None:
        """Keep `what` went wrong and ended nothing."""
        ...

    def send(self, pdu: bytes) -> None:
        """Send one PDU."""
        ...

    def receive(self, timeout_s: float) -> bytes | None:
        """The next PDU, None when none has come within `timeout_s`."""
        ...

    def close(self) -> None:
        """Give the link back."""
        ...


class SerialLink:
    """The link of protocol.md, section 1, on any port that pyserial opens."""

    reply_within_s = REPLY_WITHIN_S

    def __init__(self, url: str, clock: Clock, log: ByteLog, tap: LineTap | None = None) -> None:
        self.name = f"pump ids on {url}"
        self._clock = clock
        self._log = log
        self._decoder = FrameDecoder()
        self._pdus: deque[bytes] = deque()
        try:
            port = serial.serial_for_url(url, baudrate=BAUD)
        except (serial.SerialException, ValueError) as error:
            raise NotConnectedError(
                asked="opening it",
                of_whom=self.name,
                came_back=f"the port cannot be opened ({error})",
                look_at="check the cable and the port in the bench file",
            ) from error
        self._port: TappablePort = port if tap is None else tap.on(port)

    @property
    def damaged_frames(self) -> int:
        """How many have come on this connection, and were dropped."""
        return self._decoder.dropped

    def renew(self) -> bool:
        """A line has no connections: what was said comes all the same."""
        return False

    def note(self, what: str) -> None:
        """Keep `what` went wrong and ended nothing."""
        incident_of(self._log)(self._clock.now(), self.name, what)

    def send(self, pdu: bytes) -> None:
        """Send one PDU."""
        frame = encode_frame(pdu)
        self._log.wire(self._clock.now(), self.name, ">", frame)
        try:
            self._port.write(frame)
        except serial.SerialException as error:
            raise self._lost("sending", error) from error

    def receive(self, timeout_s: float) -> bytes | None:
        """The next PDU, None when none has come within `timeout_s`; damaged frames are dropped."""
        deadline = Deadline(self._clock, timeout_s)
        last = LAST_OCTETS
        while not self._pdus:
            try:  # pyserial lets the bare OSError of a lost device through `in_waiting`
                if deadline.expired and (last <= 0 or not self._port.in_waiting):
                    return None
                self._port.timeout = deadline.remaining_s
                data = self._port.read_until(bytes([FLAG]))
            except OSError as error:
                raise self._lost("receiving", error) from error
            if data:
                self._log.wire(self._clock.now(), self.name, "<", data)
                self._pdus += self._decoder.feed(data)
            if deadline.expired:
                last -= len(data)
        return self._pdus.popleft()

    def close(self) -> None:
        """Close the port."""
        self._port.close()

    def _lost(self, asked: str, error: Exception) -> NotConnectedError:
        return NotConnectedError(
            asked=asked, of_whom=self.name, came_back=f"the port was lost ({error})", look_at="check the cable"
        )
