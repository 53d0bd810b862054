"""One message out, one message in, over a PyVISA resource. Every byte goes to a log.

Not responsible for words: drivers are. Not responsible for retries: nothing here repeats a command.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Protocol

import pyvisa
from pyvisa.constants import Parity, StopBits
from pyvisa.resources import MessageBasedResource, SerialInstrument

from rig.clock import Clock
from rig.errors import BadReplyError, NoReplyError, NotConnectedError

if TYPE_CHECKING:
    from bumble.transport.common import TransportSink, TransportSource

_PARITIES = {"N": Parity.none, "E": Parity.even, "O": Parity.odd}
_STOP_BITS = {"1": StopBits.one, "2": StopBits.two}


class ByteLog(Protocol):
    """Where the bytes of a wire are kept."""

    def wire(self, at_s: float, device: str, direction: str, data: bytes) -> None:
        """Keep `data` that went ">" to or came "<" from `device` at `at_s`."""
        ...

    def incident(self, at_s: float, of_whom: str, what: str) -> None:
        """Keep `what` went wrong with `of_whom` at `at_s` and was mended, such as a reading that came late."""
        ...


class NoLog:
    """Keeps nothing."""

    def wire(self, at_s: float, device: str, direction: str, data: bytes) -> None:
        """Drop the bytes."""

    def incident(self, at_s: float, of_whom: str, what: str) -> None:
        """Drop it."""


class RadioTransport(Protocol):
    """What a Bluetooth LE host speaks HCI to, as bumble names its parts."""

    @property
    def source(self) -> TransportSource:
        """Where packets come from."""
        ...

    @property
    def sink(self) -> TransportSink:
        """Where packets go."""
        ...

    async def close(self) -> None:
        """Give the radio back."""
        ...


Radio = Callable[[str], Awaitable[RadioTransport]]
"""Opens a transport by its name."""


class Wire:
    """One request and one reply over a PyVISA message resource.

    Args:
        resource: an open PyVISA resource.
        device: what error sentences call the far side, such as "balance mettler_xpr on ASRL1::INSTR".
        clock: stamps the log.
        log: keeps every byte.
    """

    def __init__(self, resource: MessageBasedResource, device: str, clock: Clock, log: ByteLog) -> None:
        self.device = device
        self._resource = resource
        self._clock = clock
        self._log = log
        self._timeout_s = resource.timeout / 1000.0

    def configure_serial(self, *, baud: int, framing: str = "8N1") -> None:
        """Set the line speed in bit/s and the framing, where the resource is a serial line; elsewhere there are none.

        `framing` is data bits, parity (N none, E even, O odd) and stop bits, such as "7E1".
        """
        if isinstance(self._resource, SerialInstrument):
            data_bits, parity, stop_bits = tuple(framing)
            self._resource.baud_rate = baud
            self._resource.data_bits = int(data_bits)
            self._resource.parity = _PARITIES[parity]
            self._resource.stop_bits = _STOP_BITS[stop_bits]

    def configure_text(self, *, read_end: str, write_end: str, timeout_s: float, encoding: str = "ascii") -> None:
        """Set the line ends and the reply time-out in s."""
        self._resource.read_termination = read_end
        self._resource.write_termination = write_end
        self._resource.encoding = encoding
        self._set_timeout(timeout_s)

    def configure_binary(self, *, timeout_s: float) -> None:
        """Read counted bytes, with no line end, within `timeout_s`."""
        self._resource.read_termination = ""
        self._resource.write_termination = ""
        if isinstance(self._resource, SerialInstrument):
            self._resource.end_input = pyvisa.constants.SerialTermination.none
        self._set_timeout(timeout_s)

    def write(self, message: str) -> None:
        """Send one line."""
        self.write_raw((message + (self._resource.write_termination or "")).encode(self._resource.encoding))

    def read(self, *, asked: str, look_at: str, timeout_s: float | None = None) -> str:
        """Read one line without its end; `asked` and `look_at` complete the error sentence.

        Raises:
            NoReplyError: nothing, or no whole line, within the time-out.
            BadReplyError: bytes outside the encoding.
        """
        resource = self._resource
        usual_s = self._timeout_s
        if timeout_s is not None:
            self._set_timeout(timeout_s)
        try:
            raw = resource.read_raw()
        except (pyvisa.VisaIOError, OSError) as error:
            raise self._failed(error, asked, look_at) from error
        finally:
            self._set_timeout(usual_s)
        self._log.wire(self._clock.now(), self.device, "<", raw)
        try:
            text: str = raw.decode(resource.encoding)
        except UnicodeDecodeError as error:
            raise BadReplyError(
                asked=asked,
                of_whom=self.device,
                came_back=f"answered {raw!r}, which is no text",
                look_at=look_at,
            ) from error
        return text.removesuffix(resource.read_termination or "")

    def query(self, message: str, *, look_at: str, timeout_s: float | None = None) -> str:
        """Send one line and read one line."""
        self.write(message)
        return self.read(asked=repr(message), look_at=look_at, timeout_s=timeout_s)

    def write_raw(self, data: bytes) -> None:
        """Send bytes as they are."""
        self._log.wire(self._clock.now(), self.device, ">", data)
        try:
            self._resource.write_raw(data)
        except (pyvisa.VisaIOError, OSError) as error:
            raise self._failed(error, repr(data), "check the cable and the port") from error

    def read_bytes(self, count: int, *, asked: str, look_at: str) -> bytes:
        """Read exactly `count` bytes; NoReplyError when fewer come within the time-out."""
        try:
            data: bytes = self._resource.read_bytes(count)
        except (pyvisa.VisaIOError, OSError) as error:
            raise self._failed(error, asked, look_at) from error
        self._log.wire(self._clock.now(), self.device, "<", data)
        return data

    def discard_input(self) -> None:
        """Drop bytes that came unasked or late, so that the next reply answers the next request."""
        try:
            self._resource.flush(pyvisa.constants.BufferOperation.discard_receive_buffer)
        except (pyvisa.VisaIOError, OSError) as error:
            raise self._failed(error, "discarding old input", "check the cable and the port") from error

    def close(self) -> None:
        """Close the resource."""
        self._resource.close()

    def _set_timeout(self, timeout_s: float) -> None:
        """Set the resource's time-out, unless it is this one: an attribute costs as much as a reply."""
        if timeout_s != self._timeout_s:
            self._resource.timeout = timeout_s * 1000.0
            self._timeout_s = timeout_s

    def _failed(
        self, error: pyvisa.VisaIOError | OSError, asked: str, look_at: str
    ) -> NoReplyError | NotConnectedError:
        if isinstance(error, pyvisa.VisaIOError) and error.error_code == pyvisa.constants.StatusCode.error_timeout:
            return NoReplyError(
                asked=asked, of_whom=self.device, came_back=f"no reply within {self._timeout_s:g} s", look_at=look_at
            )
        reason = error.abbreviation if isinstance(error, pyvisa.VisaIOError) else error.strerror or str(error)
        return NotConnectedError(
            asked=asked, of_whom=self.device, came_back=f"the connection failed ({reason})", look_at=look_at
        )
