"""The service's characteristics with their end-to-end protection: procedures on control points, protected reads.

A procedure that may change something is written once and never repeated (IDS 1.0.2, 3.1.1: counters; 3.16: CRC); what
only reads is asked again when its reply is lost or damaged. Not responsible for what operands mean, which is the
driver's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from instruments.ids import codes
from instruments.ids.codec import e2e_crc, next_counter
from instruments.ids.codes import Feature, Op, Uuid
from instruments.ids.gatt import AttError, GattClient
from instruments.ids.serial_link import Link
from rig.clock import Clock
from rig.errors import BadReplyError, NoReplyError, RefusedError, WhyRefused
from rig.step import asked_again, perhaps_obeyed

Made = TypeVar("Made")

INDICATED = (Uuid.STATUS_CHANGED, Uuid.STATUS, Uuid.ANNUNCIATION_STATUS, Uuid.STATUS_READER, Uuid.COMMAND, Uuid.RACP)
UNASKED = (Uuid.STATUS_CHANGED, Uuid.STATUS, Uuid.ANNUNCIATION_STATUS)
FIRST_COUNTER = 255
"""Both sides begin a connection as if 255 had been the last counter."""
BY_SEQUENCE_NUMBER = 0x0F
"""Filter type of RACP (table 3.25)."""
MOST_COUNTERS = 8
"""Of a pump that does not answer, this many counters are thought possible."""
NO_E2E = b"\xff\xff\x00"
"""CRC and counter in the Features of a pump without E2E protection (3.5.1.1)."""


class IdsClient:
    """A connected client of the Insulin Delivery Service."""

    def __init__(self, link: Link, clock: Clock) -> None:
        self._gatt = GattClient(link, clock)
        self._clock = clock
        self._note = link.note
        self._counters: dict[Uuid, list[int]] = {}  # what the pump's last may be, the likeliest first
        self.name = self._gatt.name
        self.connect()
        self._gatt.on_new_connection = self.connect

    def connect(self) -> None:
        """Begin a connection: discover, subscribe, read the features. Counters begin anew."""
        self._counters.clear()
        self._gatt.connect()
        for uuid in INDICATED:
            self._gatt.subscribe(uuid, indications=True)
        if self._gatt.has(Uuid.COMMAND_DATA):  # a pump without templates need not have it (table 3.1)
            self._gatt.subscribe(Uuid.COMMAND_DATA, indications=False)
        self._gatt.subscribe(Uuid.HISTORY_DATA, indications=False)
        if self._gatt.has(Uuid.PUMP_CONTROL_POINT):
            self._gatt.subscribe(Uuid.PUMP_CONTROL_POINT, indications=True)
        self.features = self._flags(self.read_features())

    def close(self) -> None:
        """Give the link back."""
        self._gatt.close()

    def text(self, uuid: Uuid) -> str:
        """Read a string of the Device Information Service."""
        value = self._again(lambda: self._gatt.read(uuid), f"reading {_title(uuid)}")
        return value.decode("utf-8", errors="replace")

    def read(self, uuid: Uuid, *, size: int) -> bytes:
        """Read a protected characteristic of at least `size` octets."""
        asked = f"reading {_title(uuid)}"

        def read() -> bytes:
            for unasked in UNASKED:
                self._gatt.forget(unasked)
            value = self._checked(self._gatt.read(uuid), asked)
            if len(value) < size:
                raise self.odd(asked, value)
            return value

        return self._again(read, asked)

    def command(self, op: Op, operand: bytes, response: Op | None, *, of: str) -> bytes:
        """Perform a procedure of the Command Control Point, once; `of` names its parameter in errors."""
        asked = f"{op.words} of {of}"
        return self._once(
            lambda: self._procedure(Uuid.COMMAND, op, operand, response, Op.COMMAND_RESPONSE, asked), asked
        )

    def say(self, op: Op, operand: bytes) -> None:
        """Write to the Command Control Point, in step or not, and hear nothing; for what may be done twice.

        It is said with each counter that may be the one that follows; the pump refuses the others.
        """
        possible = self._counters.setdefault(Uuid.COMMAND, [FIRST_COUNTER])
        counters = [next_counter(last) for last in possible]
        for counter in counters:
            protected = op.to_bytes(2, "little") + operand + bytes([counter])
            self._gatt.say(Uuid.COMMAND, protected + e2e_crc(protected))
        possible[:] = list(dict.fromkeys(counters + possible))[:MOST_COUNTERS]

    def ask(self, op: Op, operand: bytes, response: Op) -> bytes:
        """Perform a procedure of the Status Reader Control Point that only reads."""
        return self._again(
            lambda: self._procedure(Uuid.STATUS_READER, op, operand, response, Op.READER_RESPONSE, op.words), op.words
        )

    def read_data(self, op: Op, operand: bytes, response: Op, *, of: str) -> list[bytes]:
        """Perform a command that only reads and notifies Command Data; get the operands of its notifications."""
        asked = f"{op.words} of {of}"

        def read() -> list[bytes]:
            self._gatt.forget(Uuid.COMMAND_DATA)
            self._procedure(Uuid.COMMAND, op, operand, None, Op.COMMAND_RESPONSE, asked)
            values = [self._checked(value, asked) for value in self._gatt.take(Uuid.COMMAND_DATA)]
            for value in values:
                if u16(value) != response:
                    raise self.odd(asked, value)
            return [value[2:] for value in values]

        return self._again(read, asked)

    def maker(self, op: Op, operand: bytes, response: Op | None, *, of: str, only_reads: bool = False) -> bytes:
        """Perform a procedure of the maker's own control point: once, unless it only reads."""
        asked = f"{op.words} of {of}"

        def perform() -> bytes:
            return self._procedure(Uuid.PUMP_CONTROL_POINT, op, operand, response, Op.MAKER_RESPONSE, asked)

        return self._again(perform, asked) if only_reads else self._once(perform, asked)

    def read_plain(self, uuid: Uuid, *, size: int) -> bytes:
        """Read a characteristic of another service, which has no protection."""
        asked = f"reading {_title(uuid)}"

        def read() -> bytes:
            value = self._gatt.read(uuid)
            if len(value) < size:
                raise self.odd(asked, value)
            return value

        return self._again(read, asked)

    def write_plain(self, uuid: Uuid, value: bytes, *, asked: str) -> None:
        """Write a characteristic of another service, which has no protection."""
        self._once(lambda: self._gatt.write(uuid, value, asked=asked), asked)

    @property
    def damaged_frames(self) -> int:
        """How many have come on this connection, and were dropped."""
        return self._gatt.damaged_frames

    def has(self, uuid: Uuid) -> bool:
        """Whether the pump offers a characteristic."""
        return self._gatt.has(uuid)

    def report_records(self) -> list[bytes]:
        """Every stored history record, without its CRC (RACP: Report Stored Records, All)."""
        return self._again(self._report_records, "Report Stored Records (0x33)")

    def report_part(self, which: int, bounds: Sequence[int]) -> list[bytes]:
        """Stored history records by an operator of RACP and its sequence numbers, without their CRC."""
        filtered = bytes([BY_SEQUENCE_NUMBER]) if bounds else b""
        numbers = b"".join(bound.to_bytes(4, "little") for bound in bounds)
        asked = "Report Stored Records (0x33)"
        return self._again(lambda: self._reported(bytes([0x33, which]) + filtered + numbers, asked), asked)

    def _report_records(self) -> list[bytes]:
        asked = "Report Stored Records (0x33)"
        records = self._reported(bytes([0x33, 0x33]), asked)
        if not records:
            return []
        stored = self._number_of_records()
        if len(records) != stored:  # a notification that is damaged on its way is dropped, and nobody repeats it
            raise BadReplyError(
                asked=asked,
                of_whom=self.name,
                came_back=f"{len(records)} of its {stored} records came",
                look_at="is the line disturbed?",
            )
        return records

    def _reported(self, request: bytes, asked: str) -> list[bytes]:
        """Write a request to report records, and take them, without their CRC."""
        self._gatt.forget(Uuid.HISTORY_DATA)
        self._write(Uuid.RACP, request, asked)
        answer = self._checked(self._gatt.wait_for(Uuid.RACP, asked=asked), asked)
        if answer[:3] != bytes([0x0F, 0x0F, 0x33]) or len(answer) != 4:
            raise self.odd(asked, answer)
        if answer[3] == codes.RACP_NO_RECORDS:
            return []
        if answer[3] != codes.RACP_SUCCESS:
            raise self._refused(asked, codes.RACP_ERRORS.get(answer[3], "unknown code"), answer[3], WhyRefused.OTHER)
        records = self._gatt.take(Uuid.HISTORY_DATA)
        for record in records:
            if e2e_crc(record[:-2]) != record[-2:]:
                raise self.odd(asked, record)
        return [record[:-2] for record in records]

    def _number_of_records(self) -> int:
        """The number of stored history records (RACP: Report Number of Stored Records, All; 3.9.4.2)."""
        asked = "Report Number of Stored Records (0x5A)"
        self._write(Uuid.RACP, bytes([0x5A, 0x33]), asked)
        answer = self._checked(self._gatt.wait_for(Uuid.RACP, asked=asked), asked)
        if answer[:2] != bytes([0x66, 0x0F]) or len(answer) != 6:
            raise self.odd(asked, answer)
        return int.from_bytes(answer[2:], "little")

    def odd(self, asked: str, value: bytes) -> BadReplyError:
        """Make the error for octets that the service does not allow."""
        return BadReplyError(
            asked=asked,
            of_whom=self.name,
            came_back=f"{value.hex(' ') or 'nothing'} came back, which IDS does not allow",
            look_at="is the line disturbed, or is this another kind of pump?",
        )

    def read_features(self) -> bytes:
        """Read the octets of IDD Features: CRC, counter, insulin concentration, flags (3.5.1)."""
        asked = "reading its features"
        features = self._gatt.read(Uuid.FEATURES)
        if len(features) < 8 or (e2e_crc(features[2:]) != features[:2] and features[:3] != NO_E2E):
            raise self.odd(asked, features)
        return features

    def _flags(self, features: bytes) -> Feature:
        """Take the flags of IDD Features; BadReplyError for a pump that this driver cannot talk to."""
        flags = Feature(int.from_bytes(features[5:8], "little"))
        if Feature.E2E_PROTECTION not in flags:
            raise BadReplyError(
                asked="reading its features",
                of_whom=self.name,
                came_back="the pump offers no E2E protection",
                look_at="this driver needs it (IDS 1.0.2, 3.1.1)",
            )
        return flags

    def _procedure(self, uuid: Uuid, op: Op, operand: bytes, response: Op | None, code_op: Op, asked: str) -> bytes:
        """Write a procedure to a control point and get the operand of its response.

        A procedure starts when its write is complete (3.11.3): what was indicated before answers an earlier one.
        """
        self._write(uuid, op.to_bytes(2, "little") + operand, asked)
        self._gatt.forget(uuid)
        answer = self._checked(self._gatt.wait_for(uuid, asked=asked), asked)
        answered, body = u16(answer), answer[2:]
        if response is not None and answered == response and len(body) >= codes.FEWEST_OCTETS[response]:
            return body
        if answered != code_op or len(body) != 3 or u16(body) != op:
            raise self.odd(asked, answer)
        if body[2] != codes.SUCCESS:
            refusal = codes.REFUSALS.get(body[2], WhyRefused.OTHER)
            raise self._refused(asked, codes.RESPONSES.get(body[2], "unknown code"), body[2], refusal)
        if response is not None:  # success, where the response's own op code belongs
            raise self.odd(asked, answer)
        return b""

    def _write(self, uuid: Uuid, value: bytes, asked: str) -> None:
        """Write a protected value with the counter that follows the pump's.

        A write that was not answered may have been heard or not, so the pump's counter is not known. One that does not
        follow is refused as a whole, before anything is done: then the next possible one is taken.
        """
        self._gatt.get_into_step()  # a new connection begins new counters
        possible = self._counters.setdefault(uuid, [FIRST_COUNTER])
        for last in list(possible):
            counter = next_counter(last)
            protected = value + bytes([counter])
            try:
                self._gatt.write(uuid, protected + e2e_crc(protected), asked=asked)
            except AttError as error:
                if error.code == codes.INVALID_COUNTER and len(possible) > 1:
                    possible.remove(last)
                    continue
                possible[:] = [last]  # refused as a whole, so the pump has not counted it
                raise
            except NoReplyError:
                possible.insert(0, counter)
                del possible[MOST_COUNTERS:]
                raise
            possible[:] = [counter]
            return

    def _again(self, exchange: Callable[[], Made], asked: str) -> Made:
        """Make an exchange that only reads; up to twice more when its reply fails."""
        return asked_again(
            lambda: self._heard(exchange),
            asked=asked,
            clock=self._clock,
            note=self._note,
            begin=self._gatt.get_into_step,
        )

    def _once(self, exchange: Callable[[], Made], asked: str) -> Made:
        """Make an exchange that may change something; an error says that it may have been obeyed."""
        self._gatt.get_into_step()
        try:
            return self._heard(exchange)
        except (NoReplyError, BadReplyError) as error:
            raise perhaps_obeyed(error, asked) from error

    def _heard(self, exchange: Callable[[], Made]) -> Made:
        try:
            return exchange()
        except (NoReplyError, BadReplyError) as error:
            self._gatt.lose(f"{error.came_back}, at {error.asked}")
            raise
        except RefusedError:
            raise  # an answer that was understood
        except BaseException:  # Ctrl-C too: its answer is still to come
            self._gatt.lose("an exchange was broken off")
            raise

    def _checked(self, value: bytes, asked: str) -> bytes:
        """Take counter and CRC off a value; BadReplyError when the CRC is wrong."""
        if len(value) < 4 or e2e_crc(value[:-2]) != value[-2:]:
            raise self.odd(asked, value)
        return value[:-3]

    def _refused(self, asked: str, meaning: str, code: int, refusal: WhyRefused) -> RefusedError:
        return RefusedError(
            asked=asked,
            of_whom=self.name,
            came_back=f"the pump answered '{meaning}' ({code:#04x})",
            look_at="see protocol.md for what the pump allows",
            refusal=refusal,
        )


def _title(uuid: Uuid) -> str:
    return uuid.name.replace("_", " ").title()


def u16(data: bytes) -> int:
    """Decode the first two octets, low octet first."""
    return int.from_bytes(data[:2], "little")
