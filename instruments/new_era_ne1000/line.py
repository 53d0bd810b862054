"""One command and its reply over a serial port, for one New Era syringe pump at an address.

Not responsible for what commands mean, nor for whether one may be repeated: `driver` is.
"""

from __future__ import annotations

import serial

from instruments.new_era_ne1000.packets import Reply, basic_packet, read_reply, safe_packet, split_packet
from rig.clock import Clock, Deadline
from rig.errors import BadReplyError, NoReplyError, NotConnectedError
from rig.wire import ByteLog

BAUD = 19200
REPLY_WITHIN_S = 1.0
"""Assumed: the manual states no longest time to reply."""


class PumpLine:
    """The line to one pump.

    Attributes:
        name: what error sentences call the pump.
        safe: whether commands go out as Safe packets.
    """

    def __init__(self, url: str, address: int, clock: Clock, log: ByteLog) -> None:
        self.name = f"pump new_era_ne1000 on {url}"
        self.safe = False
        self._address = address
        self._clock = clock
        self._log = log
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
        """Send a command and get the reply to it.

        Raises:
            NoReplyError: there is none within a second; the command may have been obeyed or not.
            BadReplyError: what came is no reply of this pump; likewise.
            NotConnectedError: the port was lost.
        """
        text = f"{self._address:02d}{command}"
        packet = safe_packet(text) if self.safe else basic_packet(text)
        try:
            if self._port.in_waiting:  # an alarm that was told unasked, or the rest of a damaged reply
                self._note("<", self._port.read(self._port.in_waiting))
            self._note(">", packet)
            self._port.write(packet)
            return self._reply(command)
        except serial.SerialException as error:
            raise NotConnectedError(
                asked=repr(command),
                of_whom=self.name,
                came_back=f"the port was lost ({error})",
                look_at="check the cable",
            ) from error

    def close(self) -> None:
        """Close the port."""
        self._port.close()

    def _reply(self, command: str) -> Reply:
        deadline = Deadline(self._clock, REPLY_WITHIN_S)
        octets = b""
        try:
            while (data := split_packet(octets)) is None:
                self._port.timeout = deadline.remaining_s
                octet = self._port.read(1)
                if not octet:
                    self._note("<", octets)
                    raise self._silent(command, octets)
                octets += octet
            reply = read_reply(data)
        except ValueError as error:
            self._note("<", octets)
            raise self._odd(command, octets, str(error)) from error
        self._note("<", octets)
        if reply.address != self._address:
            raise self._odd(command, octets, f"pump {reply.address:02d} answers")
        return reply

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
