"""An ATT client over any link: discovery, reads, writes, indications and notifications.

Bluetooth Core specification 5.4, Vol 3 Part F (ATT) and Part G (GATT). Not responsible for E2E protection or meaning.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable

from instruments.ids.codes import ATT_ERRORS, Uuid
from instruments.ids.serial_link import Link
from rig.clock import Clock, Deadline
from rig.errors import BadReplyError, NoReplyError, RefusedError
from rig.step import PROBES, QUIET_S, STEP_WITHIN_TIMEOUTS

ERROR, FIND_INFORMATION, READ_BY_TYPE, READ, READ_BY_GROUP_TYPE = 0x01, 0x04, 0x08, 0x0A, 0x10
WRITE, NOTIFICATION, INDICATION, CONFIRMATION = 0x12, 0x1B, 0x1D, 0x1E
PRIMARY_SERVICE, CHARACTERISTIC, CLIENT_CONFIGURATION = 0x2800, 0x2803, 0x2902
NOT_FOUND = 0x0A
GUARD_S = 0.003
"""From a response to the next request: the frame of a second response has come by then."""
WAIT_WITHIN_S = 600.0
"""A procedure ends within so long, whatever comes meanwhile; a full log takes a third of it at 115200 bit/s."""
ANSWERED = 2
"""Where a response to Find Information, or its refusal, names the handle that was asked for (3.4.1.1, 3.4.3.2)."""
MOST_OLD_PDUS = 1000
LOOK_AT = "is the pump powered, and is this its port?"


class GattClient:
    """Characteristics by UUID; values that come unasked are confirmed at once and kept until they are asked for."""

    def __init__(self, link: Link, clock: Clock) -> None:
        self.name = link.name
        self._link = link
        self._clock = clock
        self._values: dict[int, int] = {}  # UUID -> value handle
        self._configurations: dict[int, int] = {}  # UUID -> CCCD handle
        self._unasked: defaultdict[int, deque[bytes]] = defaultdict(deque)
        self._lost = ""  # since when the line is out of step
        self._probed = 0
        self._heard_s = -GUARD_S
        self.on_new_connection: Callable[[], None] | None = None

    def lose(self, since: str) -> None:
        """From now on a response may be one to an earlier request; the first reason stays."""
        self._lost = self._lost or since

    def get_into_step(self) -> None:
        """Where a response was missed, wait until none can come late: by a probe, or in a new connection.

        The probe is a Find Information Request for one handle, another one each time, which its response names.

        Raises:
            NoReplyError: no probe was answered; the line stays out of step.
            NotConnectedError: there was no new connection.
        """
        if not self._lost:
            return
        if self._link.renew():
            since, self._lost = self._lost, ""
            self._unasked.clear()
            if self.on_new_connection is not None:
                self.on_new_connection()
            self._link.note(f"out of step since {since}; connected anew")
            return
        deadline = Deadline(self._clock, STEP_WITHIN_TIMEOUTS * self._link.reply_within_s)
        dropped: list[bytes] = []
        self._link.send(bytes([CONFIRMATION]))  # of an indication that was lost: the pump waits for it
        for _ in range(PROBES):
            if self._answers_probe(dropped, deadline) and self._falls_silent(dropped, deadline):
                self._unasked.clear()
                shown = ", ".join(pdu.hex(" ") for pdu in dropped[:3]) + (", …" if len(dropped) > 3 else "")
                since, self._lost = self._lost, ""
                self._link.note(
                    f"out of step since {since}; dropped {shown or 'nothing'} until its probe, in step again"
                )
                return
            if deadline.expired:
                break
        raise NoReplyError(
            asked=f"getting into step, out of which it is since {self._lost}",
            of_whom=self.name,
            came_back=f"no reply within {self._link.reply_within_s:g} s, {PROBES} times",
            look_at=LOOK_AT,
        )

    def _answers_probe(self, dropped: list[bytes], deadline: Deadline) -> bool:
        self._probed = self._probed % 0xFF + 1
        handle = self._probed.to_bytes(2, "little")
        self._link.send(bytes([FIND_INFORMATION]) + handle + handle)
        wait = Deadline(self._clock, min(self._link.reply_within_s, deadline.remaining_s))
        while (pdu := self._link.receive(wait.remaining_s)) is not None and len(dropped) < MOST_OLD_PDUS:
            begins = pdu[:1] == bytes([FIND_INFORMATION + 1]) or pdu[:2] == bytes([ERROR, FIND_INFORMATION])
            if begins and pdu[ANSWERED : ANSWERED + 2] == handle:
                return True
            self._keep(pdu)
            dropped.append(pdu)
        return False

    def _falls_silent(self, dropped: list[bytes], deadline: Deadline) -> bool:
        while (pdu := self._link.receive(min(QUIET_S, deadline.remaining_s))) is not None:
            self._keep(pdu)
            dropped.append(pdu)
            if len(dropped) >= MOST_OLD_PDUS:
                return False
        return not deadline.expired

    def _settle(self) -> None:
        """Before a request: no response waits that nobody asked for."""
        wait_s = max(0.0, self._heard_s + GUARD_S - self._clock.now())
        for _ in range(MOST_OLD_PDUS):
            pdu = self._link.receive(wait_s)
            if pdu is None:
                break
            if not self._keep(pdu):
                self.lose(f"{pdu.hex(' ')} came, which nobody asked for")
            wait_s = 0.0
        self.get_into_step()

    def connect(self) -> None:
        """Discover every characteristic; the first request begins the connection (protocol.md, section 1)."""
        self._unasked.clear()
        starts = self._list(READ_BY_GROUP_TYPE, PRIMARY_SERVICE.to_bytes(2, "little"))
        if Uuid.INSULIN_DELIVERY not in {int.from_bytes(entry[4:], "little") for entry in starts}:
            raise BadReplyError(
                asked="discovering its services",
                of_whom=self.name,
                came_back="it has no Insulin Delivery Service (183A)",
                look_at="another kind of device is on this port",
            )
        declarations = self._list(READ_BY_TYPE, CHARACTERISTIC.to_bytes(2, "little"))
        owners = {}
        for entry in declarations:
            handle, uuid = int.from_bytes(entry[3:5], "little"), int.from_bytes(entry[5:], "little")
            self._values[uuid] = handle
            owners[handle] = uuid
        for entry in self._list(FIND_INFORMATION, b""):
            handle, kind = int.from_bytes(entry[0:2], "little"), int.from_bytes(entry[2:], "little")
            if kind == CLIENT_CONFIGURATION:
                self._configurations[owners[max(value for value in owners if value < handle)]] = handle

    @property
    def damaged_frames(self) -> int:
        """How many have come on this connection, and were dropped."""
        return self._link.damaged_frames

    def has(self, uuid: Uuid) -> bool:
        """Whether the pump offers a characteristic."""
        return uuid in self._values

    def read(self, uuid: Uuid) -> bytes:
        """Read a characteristic's value."""
        return self._request(READ, self._handle(uuid, self._values), asked=f"reading {_words(uuid)}")

    def write(self, uuid: Uuid, value: bytes, *, asked: str) -> None:
        """Write a characteristic's value and wait until the pump has taken it."""
        self._request(WRITE, self._handle(uuid, self._values) + value, asked=asked)

    def say(self, uuid: Uuid, value: bytes) -> None:
        """Write a characteristic's value, in step or not, and do not wait: the response comes late."""
        self.lose(f"{_words(uuid)} was written unheard")
        self._link.send(bytes([WRITE]) + self._handle(uuid, self._values) + value)

    def subscribe(self, uuid: Uuid, *, indications: bool) -> None:
        """Let the pump indicate or notify a characteristic."""
        value = (2 if indications else 1).to_bytes(2, "little")
        handle = self._handle(uuid, self._configurations)
        self._request(WRITE, handle + value, asked=f"subscribing to {_words(uuid)}")

    def wait_for(self, uuid: Uuid, *, asked: str) -> bytes:
        """The next value that the pump sends of a characteristic; NoReplyError when the pump falls silent.

        A long log comes before its RACP response, so what comes meanwhile renews the time-out.
        """
        kept = self._unasked[self._values[uuid]]
        deadline = Deadline(self._clock, self._link.reply_within_s)
        last = Deadline(self._clock, WAIT_WITHIN_S)
        while not kept:
            pdu = self._link.receive(deadline.remaining_s)
            if pdu is None or last.expired:
                raise self._silent(asked)
            self._keep(pdu)
            deadline = Deadline(self._clock, self._link.reply_within_s)
        return kept.popleft()

    def take(self, uuid: Uuid) -> list[bytes]:
        """Take the values of a characteristic that have come so far."""
        kept = self._unasked[self._values[uuid]]
        values = list(kept)
        kept.clear()
        return values

    def forget(self, uuid: Uuid) -> None:
        """Drop values of a characteristic that came unasked."""
        self._unasked[self._values[uuid]].clear()

    def close(self) -> None:
        """Give the link back."""
        self._link.close()

    def _list(self, op: int, kind: bytes) -> list[bytes]:
        """Ask for attributes until there are no more; entries of one reply are of one size, which it begins with."""
        entries: list[bytes] = []
        first = 1
        while first <= 0xFFFF:
            parameters = first.to_bytes(2, "little") + b"\xff\xff" + kind
            try:
                reply = self._request(op, parameters, asked="discovering its attributes")
            except AttError as error:
                if error.code == NOT_FOUND:
                    break
                raise
            entry_size = _entry_size(op, reply)
            found = [reply[at : at + entry_size] for at in range(1, len(reply), entry_size or 1)]
            if not entry_size or not found or len(found[-1]) != entry_size:
                raise BadReplyError(
                    asked="discovering its attributes",
                    of_whom=self.name,
                    came_back=f"a list of odd length, {reply.hex(' ')}",
                    look_at="protocol.md, section 1",
                )
            entries += found
            last = int.from_bytes(found[-1][2:4] if op == READ_BY_GROUP_TYPE else found[-1][0:2], "little")
            if last < first:  # the same again, without an end
                raise BadReplyError(
                    asked="discovering its attributes",
                    of_whom=self.name,
                    came_back=f"handles up to {last:#06x}, asked from {first:#06x} on",
                    look_at="protocol.md, section 1",
                )
            first = last + 1
        return entries

    def _request(self, op: int, parameters: bytes, *, asked: str) -> bytes:
        """Send a request and get the body of its response; values that come in between are kept."""
        self._settle()
        self._link.send(bytes([op]) + parameters)
        deadline = Deadline(self._clock, self._link.reply_within_s)
        while True:
            pdu = self._link.receive(deadline.remaining_s)
            self._heard_s = self._clock.now()
            if pdu is not None and pdu[0] == op + 1:
                return pdu[1:]
            if pdu is not None and pdu[0] == ERROR and len(pdu) == 5 and pdu[1] == op:
                raise AttError(pdu[4], asked=asked, of_whom=self.name)
            if pdu is None or deadline.expired:
                raise self._silent(asked)
            if not self._keep(pdu):
                self.lose(f"{pdu.hex(' ')} came at {asked}")

    def _keep(self, pdu: bytes) -> bool:
        """Keep the value that a PDU indicates or notifies; False when it is none of these."""
        if pdu[0] in (NOTIFICATION, INDICATION) and len(pdu) >= 3:
            self._unasked[int.from_bytes(pdu[1:3], "little")].append(pdu[3:])
            if pdu[0] == INDICATION:
                self._link.send(bytes([CONFIRMATION]))
            return True
        return False

    def _handle(self, uuid: Uuid, handles: dict[int, int]) -> bytes:
        if uuid not in handles:
            raise BadReplyError(
                asked=f"discovering {_words(uuid)}",
                of_whom=self.name,
                came_back="there is none",
                look_at="the pump does not offer the whole service",
            )
        return handles[uuid].to_bytes(2, "little")

    def _silent(self, asked: str) -> NoReplyError:
        self.lose(f"no reply at {asked}")
        return NoReplyError(
            asked=asked,
            of_whom=self.name,
            came_back=f"no reply within {self._link.reply_within_s:g} s",
            look_at=LOOK_AT,
        )


class AttError(RefusedError):
    """The pump refused an ATT request; `code` is the ATT error code."""

    def __init__(self, code: int, *, asked: str, of_whom: str) -> None:
        meaning = ATT_ERRORS.get(code, "unknown error")
        super().__init__(
            asked=asked,
            of_whom=of_whom,
            came_back=f"the ATT error '{meaning}' ({code:#04x})",
            look_at="protocol.md, section 1",
        )
        self.code = code


def _words(uuid: Uuid) -> str:
    return f"{uuid.name.replace('_', ' ').title()} ({uuid.value:04X})"


def _entry_size(op: int, reply: bytes) -> int:
    """The size of a list's entries, 0 when it is not one that ATT allows (3.4.3.2, 3.4.4.2, 3.4.4.10)."""
    told = reply[0] if reply else 0
    if op == FIND_INFORMATION:
        return {1: 4, 2: 18}.get(told, 0)
    return told if told in ((6, 20) if op == READ_BY_GROUP_TYPE else (7, 21)) else 0
