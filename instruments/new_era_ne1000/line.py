"""One command and its reply over a serial port, for one New Era syringe pump at an address.

Not responsible for what commands mean, nor for whether one may be repeated: `driver` is.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeVar

import serial

from instruments.new_era_ne1000.packets import Reply, basic_packet, read_reply, safe_packet, split_packet
from rig.clock import Clock, Deadline
from rig.errors import BadReplyError, NoReplyError, NotConnectedError
from rig.step import InStep, Probe
from rig.wire import ByteLog, incident_of

Made = TypeVar("Made")

BAUD = 19200
REPLY_WITHIN_S = 1.0
"""Assumed: the manual states no longest time to reply."""
LONGEST_REPLY = 260
"""Octets: a Safe packet's length is one octet."""
NO_COMMAND = b"?\r"
"""No command ends so: the pump answers that it does not know it."""
PIECE = 256
"""Octets at once while the line gets into step."""

_MODEL = re.compile(rb"\x02(?:\d\d[IWSPTUX]NE[ -~]*|(?s:[\x04-\x2f]\d\d[IWSPTUX]NE[ -~]*..))\x03")
_ALARM = re.compile(rb"\x02[\x04-\x2f]?\d\dA\?([RSTEO])")
_ALARMS_ALONE = re.compile(rb"(?:\x02(?:\d\dA\?[RSTEO]|(?s:[\x04-\x2f]\d\dA\?[RSTEO]..))\x03)+")


class PumpLine:
    """The line to one pump.

    Attributes:
        name: what error sentences call the pump; the same as `device`.
        safe: whether commands go out as Safe packets.
    """

    def __init__(self, url: str, address: int, clock: Clock, log: ByteLog) -> None:
        self.name = self.device = f"pump new_era_ne1000 on {url}"
        self.safe = False
        self._address = address
        self._clock = clock
        self._log = log
        self._unread = b""
        self._told: list[str] = []
        self._step = InStep(self, clock, incident_of(log), timeout_s=REPLY_WITHIN_S)
        try:
            self._port = serial.serial_for_url(url, baudrate=BAUD)
        except (serial.SerialException, ValueError) as error:
            raise NotConnectedError(
                asked="opening it",
                of_whom=self.name,
                came_back=f"the port cannot be opened ({error})",
                look_at="check the cable and the port in the bench file",
            ) from error

    def ask(self, command: str) -> Reply:
        """Send a command and get the reply to it, in step with the pump.

        Raises:
            NoReplyError: there is none within a second; the command may have been obeyed or not.
            BadReplyError: what came is no reply of this pump; likewise.
            NotConnectedError: the port was lost.
        """
        self.get_into_step()
        try:
            self.send(self._packet(command))
            return self._reply(command)
        except (NoReplyError, BadReplyError) as error:
            self._step.lose(f"{error.came_back}, at {error.asked}", look_at=error.look_at)
            raise
        except BaseException:  # Ctrl-C too: its reply is still to come
            self._step.lose(f"{command!r} was broken off", look_at="is the pump still there?")
            raise

    def say(self, command: str) -> None:
        """Send a command, in step or not, and hear nothing."""
        self.send(self._packet(command))

    def end_half_line(self) -> None:
        """End a Basic line that stands half in the pump, by what makes no command of it; Safe mode does not hear it."""
        self.send(NO_COMMAND)

    def ask_again(self, exchange: Callable[[], Made], *, asked: str) -> Made:
        """Make an exchange that may be repeated; again, up to twice, when its reply fails."""
        self._step.probe = self._probe()
        return self._step.ask(exchange, asked=asked)

    def ask_once(self, exchange: Callable[[], Made], *, asked: str) -> Made:
        """Make an exchange once; when its reply fails, the error says that it may have been obeyed."""
        self._step.probe = self._probe()
        return self._step.command(exchange, asked=asked)

    def get_into_step(self) -> None:
        """Be in step: where a reply was missed, ask for the model until that is answered (protocol.md, In step)."""
        self._step.probe = self._probe()
        self._step.begin()

    def take_alarms(self) -> list[str]:
        """The letters of the alarms that were told, and by that acknowledged, while the line got into step."""
        told, self._told = self._told, []
        return told

    # ---- octets, as getting into step needs them ----------------------------------------------------------------

    def send(self, data: bytes) -> None:
        """Send octets as they are."""
        self._note(">", data)
        try:
            self._port.write(data)
        except serial.SerialException as error:
            raise self._lost(repr(data), error) from error

    def receive(self, within_s: float) -> bytes:
        """What comes next, as soon as it comes; nothing when nothing comes within `within_s`."""
        data, self._unread = self._unread, b""
        try:
            if not data:
                self._port.timeout = within_s
                data = self._port.read(1)
                if data and (more := self._port.in_waiting):
                    data += self._port.read(min(more, PIECE))
        except serial.SerialException as error:
            raise self._lost("listening", error) from error
        self._note("<", data)
        self._step.heard(self._clock.now())
        self._told += [letter for letter in map(_letter, _ALARM.finditer(data)) if letter not in self._told]
        return data

    def waiting(self, within_s: float = 0.0) -> bool:
        """Whether anything has come, or comes within `within_s`, but for alarms told unasked, which come again."""
        try:
            if within_s > 0.0:
                self._port.timeout = within_s
                self._unread += self._port.read(1)
            if count := self._port.in_waiting:
                self._unread += self._port.read(min(count, PIECE))
        except serial.SerialException as error:
            raise self._lost("looking for input", error) from error
        if _ALARMS_ALONE.fullmatch(self._unread):
            self._note("<", self._unread)
            self._unread = b""
        return bool(self._unread)

    def close(self) -> None:
        """Close the port."""
        self._port.close()

    def _reply(self, command: str) -> Reply:
        deadline = Deadline(self._clock, REPLY_WITHIN_S)
        octets, self._unread = self._unread, b""
        try:
            while (data := split_packet(octets)) is None:
                if len(octets) > LONGEST_REPLY:
                    raise ValueError(f"it has no end within {LONGEST_REPLY} octets")
                self._port.timeout = deadline.remaining_s
                octet = self._port.read(1)
                if not octet or deadline.expired:
                    self._note("<", octets + octet)
                    raise self._silent(command, octets + octet)
                octets += octet
            reply = read_reply(data)
        except ValueError as error:
            self._note("<", octets)
            raise self._odd(command, octets, str(error)) from error
        except serial.SerialException as error:
            raise self._lost(repr(command), error) from error
        self._note("<", octets)
        self._step.heard(self._clock.now())
        if reply.address != self._address:
            raise self._odd(command, octets, f"pump {reply.address:02d} answers")
        return reply

    def _packet(self, command: str) -> bytes:
        text = f"{self._address:02d}{command}"
        return safe_packet(text) if self.safe else basic_packet(text)

    def _probe(self) -> Probe:
        return Probe(self._packet("VER"), _MODEL, _is_whole)

    def _lost(self, asked: str, error: Exception) -> NotConnectedError:
        return NotConnectedError(
            asked=asked, of_whom=self.name, came_back=f"the port was lost ({error})", look_at="check the cable"
        )

    def _note(self, direction: str, octets: bytes) -> None:
        if octets:
            self._log.wire(self._clock.now(), self.name, direction, octets)

    def _silent(self, command: str, octets: bytes) -> NoReplyError:
        return NoReplyError(
            asked=repr(command),
            of_whom=self.name,
            came_back=f"only {octets.hex(' ')} within {REPLY_WITHIN_S:g} s" if octets else "no reply",
            look_at=f"check cable, power, 19200 Bd and the network address {self._address:02d}",
        )

    def _odd(self, command: str, octets: bytes, reason: str) -> BadReplyError:
        return BadReplyError(
            asked=repr(command),
            of_whom=self.name,
            came_back=f"{octets.hex(' ')} came back, which is no reply: {reason}",
            look_at="check the cable, and that one pump only has this address",
        )


def _letter(alarm: re.Match[bytes]) -> str:
    return alarm[1].decode("ascii")


def _is_whole(octets: bytes) -> bool:
    """Whether octets are one reply, by their length and CRC where they have them."""
    try:
        return split_packet(octets) is not None
    except ValueError:
        return False
