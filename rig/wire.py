"""One message out, one message in, over a PyVISA resource. Every byte goes to a log.

A message is read in pieces, with a largest size and a moment by which it must be whole, whatever the far side sends.
Not responsible for words: drivers are. Not responsible for what may be asked again, nor for how a line whose replies
came late is brought back: drivers say it, and `step` does it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Protocol, TypeVar

import pyvisa
from pyvisa.constants import Parity, StatusCode, StopBits
from pyvisa.resources import MessageBasedResource, SerialInstrument

from rig.clock import Clock, Deadline
from rig.errors import BadReplyError, NoReplyError, NotConnectedError
from rig.step import Incident, InStep, Probe

if TYPE_CHECKING:
    from bumble.transport.common import TransportSink, TransportSource

_PARITIES = {"N": Parity.none, "E": Parity.even, "O": Parity.odd}
_STOP_BITS = {"1": StopBits.one, "2": StopBits.two}

Made = TypeVar("Made")

LONGEST_MESSAGE = 16384
"""Bytes of a message; the longest that a driver here reads has a hundredth of it."""
MARGIN_S = 0.1
"""A message is whole, or an error, within its time-out and so much more, however slowly its bytes come."""
PIECE = 256
"""Bytes at once of what comes while a wire gets into step."""
BLOCK_PIECE = 65536
"""Bytes at once of a block, whose length is known before it comes."""
GAP_S = 0.02
"""A gap that ends such a piece."""
FLOOD_PIECE = 2048
"""Bytes at once of what comes without a gap: PyVISA loses some of them when it ends, which are dropped anyway."""
AT_ONCE_S = 0.001
""""Now", for a library that cannot tell what waits."""
CHARACTERS_OF_GUARD = 3
BITS_OF_CHARACTER = 11


class ByteLog(Protocol):
    """Where the bytes of a wire are kept."""

    def wire(self, at_s: float, device: str, direction: str, data: bytes) -> None:
        """Keep `data` that went ">" to or came "<" from `device` at `at_s`."""
        ...

    def incident(self, at_s: float, of_whom: str, what: str) -> None:
        """Keep `what` went wrong with `of_whom` at `at_s` and was mended, such as a reading that came late."""
        ...


def incident_of(log: ByteLog) -> Incident:
    """The incidents of a log; a log of bytes alone keeps none."""
    incident: Incident = getattr(log, "incident", NoLog().incident)
    return incident


def block_of(log: ByteLog) -> Callable[[float, str, bytes], None]:
    """Where a log keeps blocks; a log without a way of its own keeps every byte of them."""
    own: Callable[[float, str, bytes], None] | None = getattr(log, "block", None)
    return own if own is not None else lambda at_s, device, data: log.wire(at_s, device, "<", data)


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
        self._timeout_s = self._usual_s = resource.timeout / 1000.0
        self._read_end = self._write_end = ""
        self._encoding = "ascii"
        self._prompt = bool(getattr(resource.visalib, "PROMPT", False))
        self._count_waiting: Callable[[object], int] = getattr(resource.visalib, "waiting", _none)
        self._pushed_back = b""
        self._flooded = False
        self._step = InStep(self, clock, incident_of(log), timeout_s=self._usual_s)

    # ---- settings ------------------------------------------------------------------------------------------------

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
            self._step.guard_s = max(self._step.guard_s, CHARACTERS_OF_GUARD * BITS_OF_CHARACTER / baud)

    def configure_text(self, *, read_end: str, write_end: str, timeout_s: float, encoding: str = "ascii") -> None:
        """Set the line ends and the reply time-out in s."""
        self._resource.read_termination = read_end
        self._resource.write_termination = write_end
        self._resource.encoding = self._encoding = encoding
        self._read_end, self._write_end = read_end, write_end
        self._configure_timeout(timeout_s)

    def configure_binary(self, *, timeout_s: float) -> None:
        """Read counted bytes, with no line end, within `timeout_s`."""
        self._resource.read_termination = ""
        self._resource.write_termination = ""
        self._read_end = self._write_end = ""
        if isinstance(self._resource, SerialInstrument):
            self._resource.end_input = pyvisa.constants.SerialTermination.none
        self._configure_timeout(timeout_s)

    def configure_probe(self, probe: Probe | None) -> None:
        """Set the question that brings the wire back into step; without one, a wire that lost it stays out of step."""
        self._step.probe = probe

    # ---- exchanges -----------------------------------------------------------------------------------------------

    def ask(self, exchange: Callable[[], Made], *, asked: str) -> Made:
        """Make an exchange that changes nothing; when its reply fails, get into step and make it again, twice at most.

        Args:
            exchange: writes, reads and understands; raises NoReplyError or BadReplyError when it can't.
            asked: names it in the record, such as "'SI'".

        Raises:
            NoReplyError, BadReplyError: of the last attempt, or of the first when the wire stays out of step.
        """
        return self._step.ask(exchange, asked=asked)

    def command(self, exchange: Callable[[], Made], *, asked: str) -> Made:
        """Make an exchange that changes something: once. An error says that it may have been obeyed."""
        return self._step.command(exchange, asked=asked)

    def get_into_step(self, probe: Probe | None = None) -> bytes:
        """Drop what an earlier session left behind, and return the answer to the driver's probe, or to another."""
        return self._step.regain(probe)

    def query(self, message: str, *, look_at: str, timeout_s: float | None = None) -> str:
        """Send one line and read one line, once: what changes nothing belongs into `ask`, as it is or among others."""
        self._step.begin()
        self.write(message)
        return self.read(asked=repr(message), look_at=look_at, timeout_s=timeout_s)

    def write(self, message: str) -> None:
        """Send one line."""
        self.write_raw((message + self._write_end).encode(self._encoding))

    def write_raw(self, data: bytes) -> None:
        """Send bytes as they are; a wire that is out of step gets into step first."""
        if self._step.is_lost:
            self._step.begin()
        self.send(data)

    def read(self, *, asked: str, look_at: str, timeout_s: float | None = None) -> str:
        """Read one line without its end; `asked` and `look_at` complete the error sentence.

        Raises:
            NoReplyError: nothing, or no whole line, within the time-out.
            BadReplyError: bytes outside the encoding, or a line above 16 KiB.
        """
        end = self._read_end
        raw = self._message(asked, look_at, timeout_s or self._usual_s, end=end[-1:].encode(), size=LONGEST_MESSAGE)
        try:
            text: str = raw.decode(self._encoding)
        except UnicodeDecodeError as error:
            raise self._lost(BadReplyError, asked, f"answered {raw!r}, which is no text", look_at) from error
        return text.removesuffix(end)

    def read_bytes(self, count: int, *, asked: str, look_at: str) -> bytes:
        """Read exactly `count` bytes; NoReplyError when fewer come within the time-out."""
        return self._message(asked, look_at, self._usual_s, end=b"", size=count)

    def read_block(self, *, asked: str, look_at: str, timeout_s: float, longest: int) -> bytes:
        """Read a block and its line end: "#", a digit, so many digits, so many bytes (IEEE 488.2, 8.7.9).

        The log keeps length and hash of the block in place of its bytes.

        Raises:
            NoReplyError: it was not whole within `timeout_s`.
            BadReplyError: this is no block, it has more than `longest` bytes, or no line end follows it.
        """
        begun = self._message(asked, look_at, self._usual_s, end=b"", size=2)
        digits = begun[1:].decode("latin-1")
        if begun[:1] != b"#" or digits not in "123456789":
            raise self._lost(BadReplyError, asked, f"began with {begun!r}, which is no block of data", look_at)
        counted = self._message(asked, look_at, self._usual_s, end=b"", size=int(digits))
        if not counted.isdigit() or int(counted) > longest:
            told = f"told the length of its block as {counted!r}; expected a number up to {longest}"
            raise self._lost(BadReplyError, asked, told, look_at)
        block = self._block(int(counted), asked, look_at, timeout_s)
        end = self._message(asked, look_at, self._usual_s, end=b"", size=len(self._read_end))
        if end != self._read_end.encode():
            raise self._lost(BadReplyError, asked, f"went on with {end!r} after its block", look_at)
        return block

    def discard_input(self) -> None:
        """Drop bytes that have come and nobody has read. What is still on its way comes all the same."""
        deadline = Deadline(self._clock, self._usual_s)
        while self.waiting() and not deadline.expired:
            self.receive(AT_ONCE_S)

    def close(self) -> None:
        """Close the resource."""
        self._resource.close()

    # ---- bytes ---------------------------------------------------------------------------------------------------

    def send(self, data: bytes) -> None:
        """Send bytes as they are, in step or not."""
        self._log.wire(self._clock.now(), self.device, ">", data)
        try:
            self._resource.write_raw(data)
        except (pyvisa.VisaIOError, OSError) as error:
            raise self._failed(error, repr(data), "check the cable and the port") from error

    def receive(self, within_s: float) -> bytes:
        """What comes next, as soon as it comes, in pieces; nothing when nothing comes within `within_s`."""
        came = bytearray(self._pushed_back)
        self._pushed_back = b""
        deadline = Deadline(self._clock, within_s)
        try:
            if self._flooded:
                self._set_timeout(GAP_S)
                return bytes(came) + self._piece(FLOOD_PIECE)  # not for the log, which it would fill
            while len(came) < PIECE and not came.endswith(b"\n"):
                if came and (deadline.expired or self._prompt):
                    break
                self._set_timeout(GAP_S if came else max(AT_ONCE_S, within_s))
                came += self._piece(PIECE if self._prompt else 1)
        except (pyvisa.VisaIOError, OSError) as error:
            if not _is_timeout(error):
                raise self._failed(error, "listening", "check the cable and the port") from error
            came += getattr(error, "came", b"")
        finally:
            self._set_timeout(self._usual_s)
        if self._flooded and not came:  # only its end was lost
            self._flooded = False
            return self.receive(deadline.remaining_s)
        self._flooded = len(came) >= PIECE and not self._prompt
        return self._heard(bytes(came))

    def waiting(self, within_s: float = 0.0) -> bool:
        """Whether bytes have come, or come within `within_s`, that nobody has read."""
        if self._pushed_back:
            return True
        resource = self._resource
        if self._prompt:
            if within_s > 0.0:
                self._clock.sleep(within_s)
            return bool(self._count_waiting(resource.session))
        try:
            if within_s == 0.0 and isinstance(resource, SerialInstrument):
                return bool(resource.bytes_in_buffer)
            self._set_timeout(max(AT_ONCE_S, within_s))
            self._pushed_back = self._piece(1)
        except (pyvisa.VisaIOError, OSError) as error:
            if not _is_timeout(error):
                raise self._failed(error, "looking for input", "check the cable and the port") from error
        finally:
            self._set_timeout(self._usual_s)
        return bool(self._pushed_back)

    def _message(self, asked: str, look_at: str, timeout_s: float, *, end: bytes, size: int) -> bytes:
        """Read through `end`, or `size` bytes where there is none, within `timeout_s` and a margin."""
        came = bytearray(self._pushed_back)
        self._pushed_back = b""
        self._set_timeout(timeout_s)
        begun_s = 0.0 if self._prompt else self._clock.now()
        try:
            while len(came) < size and not (end and came.endswith(end)):
                if not self._prompt:
                    left_s = begun_s + timeout_s - self._clock.now()
                    if left_s <= 0.0:
                        raise pyvisa.VisaIOError(StatusCode.error_timeout)
                    if left_s < self._timeout_s - MARGIN_S:
                        self._set_timeout(max(AT_ONCE_S, left_s))
                came += self._piece(size - len(came) if self._prompt else 1)
        except (pyvisa.VisaIOError, OSError) as error:
            came += getattr(error, "came", b"")
            self._set_timeout(timeout_s)  # the error names it
            failed = self._failed(error, asked, look_at, bytes(came))
            self._step.lose(f"{failed.came_back}, at {asked}", look_at=look_at)
            raise failed from error
        finally:
            self._heard(bytes(came))
            self._set_timeout(self._usual_s)
        if end and not came.endswith(end):
            begun = f"sent {size} bytes without an end, that began with {bytes(came[:20])!r}"
            raise self._lost(BadReplyError, asked, begun, look_at)
        return bytes(came)

    def _block(self, size: int, asked: str, look_at: str, timeout_s: float) -> bytes:
        """Read so many bytes in large pieces within `timeout_s`, and keep their hash."""
        came = bytearray()
        deadline = Deadline(self._clock, timeout_s)
        self._end_reads_by("")  # a line end among the bytes is none
        try:
            while len(came) < size:
                if deadline.expired:
                    raise pyvisa.VisaIOError(StatusCode.error_timeout)
                self._set_timeout(max(AT_ONCE_S, deadline.remaining_s))
                came += self._piece(min(BLOCK_PIECE, size - len(came)) if not self._prompt else size - len(came))
        except (pyvisa.VisaIOError, OSError) as error:
            came += getattr(error, "came", b"")
            failed = self._failed(error, asked, look_at, bytes(came[:20]))
            self._step.lose(f"{failed.came_back}, at {asked}", look_at=look_at)
            raise failed from error
        finally:
            if came:
                now_s = self._clock.now()
                self._step.heard(now_s)
                block_of(self._log)(now_s, self.device, bytes(came))
            self._set_timeout(self._usual_s)
            self._end_reads_by(self._read_end)
        return bytes(came)

    def _end_reads_by(self, end: str) -> None:
        self._resource.read_termination = end
        if isinstance(self._resource, SerialInstrument):
            ends = pyvisa.constants.SerialTermination
            self._resource.end_input = ends.termination_char if end else ends.none

    def _piece(self, count: int) -> bytes:
        """At most `count` bytes. One read of several may outlast its time-out, but on a library that is prompt."""
        resource = self._resource
        with resource.ignore_warning(StatusCode.success_max_count_read):
            data: bytes = resource.visalib.read(resource.session, count)[0]
        return data

    def _heard(self, data: bytes) -> bytes:
        if data:
            now_s = self._clock.now()
            self._step.heard(now_s)
            self._log.wire(now_s, self.device, "<", data)
        return data

    def _configure_timeout(self, timeout_s: float) -> None:
        self._usual_s = self._step.timeout_s = timeout_s
        self._set_timeout(timeout_s)

    def _set_timeout(self, timeout_s: float) -> None:
        """Set the resource's time-out, unless it is this one: an attribute costs as much as a reply."""
        if timeout_s != self._timeout_s:
            self._resource.timeout = timeout_s * 1000.0
            self._timeout_s = timeout_s

    def _lost(self, kind: type[BadReplyError], asked: str, came_back: str, look_at: str) -> BadReplyError:
        self._step.lose(f"{came_back}, at {asked}", look_at=look_at)
        return kind(asked=asked, of_whom=self.device, came_back=came_back, look_at=look_at)

    def _failed(
        self, error: pyvisa.VisaIOError | OSError, asked: str, look_at: str, came: bytes = b""
    ) -> NoReplyError | NotConnectedError:
        if _is_timeout(error):
            what = f"only {came[:20]!r}" if came else "no reply"
            return NoReplyError(
                asked=asked, of_whom=self.device, came_back=f"{what} within {self._timeout_s:g} s", look_at=look_at
            )
        reason = error.abbreviation if isinstance(error, pyvisa.VisaIOError) else error.strerror or str(error)
        return NotConnectedError(
            asked=asked, of_whom=self.device, came_back=f"the connection failed ({reason})", look_at=look_at
        )


def _none(session: object) -> int:
    del session
    return 0


def _is_timeout(error: pyvisa.VisaIOError | OSError) -> bool:
    return isinstance(error, pyvisa.VisaIOError) and error.error_code == StatusCode.error_timeout
