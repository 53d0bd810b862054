"""What a record holds of this pump's serial line, read back: frames, ATT, the service's commands, its log.

Not responsible for what follows from it, nor for a line over Bluetooth LE, of which it reads nothing.
"""

from __future__ import annotations

import math
from binascii import crc_hqx
from collections.abc import Iterable

from instruments.ids import codes
from instruments.ids.codec import decode_sfloat
from instruments.ids.codes import Op, Therapy, Uuid
from instruments.ids.framing import ESCAPE, FLAG, FLIP, LONGEST_BODY
from instruments.ids.gatt import (
    ERROR,
    INDICATION,
    NOTIFICATION,
    PRIMARY_SERVICE,
    READ,
    READ_BY_GROUP_TYPE,
    READ_BY_TYPE,
    WRITE,
)
from instruments.ids.history import HistoryReader
from rig.roles.pump import HistoryEvent
from rig.roles.traffic import (
    CounterBroken,
    LogReading,
    Permitted,
    RateKnown,
    ReservoirKnown,
    TherapyKnown,
    Traffic,
    TrafficEvent,
    WireLine,
)
from rig.therapy import TherapyState

MIRRORED = bytes(int(f"{octet:08b}"[::-1], 2) for octet in range(256))
"""Each octet with its bits in reverse: the CRCs of this line are those of `binascii`, taken from the other end."""
GOOD_FRAME = 0x1D0F
"""The residue F0B8 of RFC 1662 (`framing.GOOD_FCS`), mirrored."""
SLOWEST_BOLUS_U_PER_S = 0.3 / 60.0
"""The slowest speed that the pump can be set to (protocol.md, section 10)."""
CURVE_MARGIN_S = 60.0
"""What a bolus or a priming may take beside its own time."""
CONNECTS = bytes([READ_BY_GROUP_TYPE, 1, 0, 0xFF, 0xFF]) + PRIMARY_SERVICE.to_bytes(2, "little")
"""The first request of a connection: with it every counter begins anew."""
COUNTED = frozenset(
    {
        Uuid.STATUS_CHANGED,
        Uuid.STATUS,
        Uuid.ANNUNCIATION_STATUS,
        Uuid.STATUS_READER,
        Uuid.COMMAND,
        Uuid.COMMAND_DATA,
        Uuid.RACP,
        Uuid.PUMP_CONTROL_POINT,
    }
)
"""Characteristics whose values end with a counter and a CRC (protocol.md, section 4)."""
COUNTERS = 255
STATES = {
    Therapy.STOP.value: TherapyState.STOP,
    Therapy.PAUSE.value: TherapyState.PAUSE,
    Therapy.RUN.value: TherapyState.RUN,
}
ALL_RECORDS = bytes([0x33, 0x33])


def read_traffic(lines: Iterable[WireLine]) -> Traffic:
    """Read what went over the line of one pump from its opening on."""
    reader = _Reader()
    for line in lines:
        reader.feed(line)
    return Traffic(tuple(event for event in reader.events if event is not None), reader.counted)


class _Reader:
    def __init__(self) -> None:
        self.events: list[TrafficEvent | None] = []  # None: taken back, as a refused command's
        self.counted = 0
        self._open = {">": bytearray(), "<": bytearray()}
        self._uuids: dict[int, int] = {}
        self._operand = b""
        self._reading = 0
        self._last: dict[int, int] = {}  # by characteristic: the counter of the last value from the pump
        self._asked: dict[int, tuple[int, int | None]] = {}  # by control point: op code, and the event that it may undo
        self._rates: dict[int, dict[int, float]] = {}  # by template and block, in U/h
        self._records: list[bytes] = []
        self._wants_all = False

    def feed(self, line: WireLine) -> None:
        """Take octets of one direction, however they are cut up."""
        body = self._open[line.direction]
        *frames, rest = line.data.split(bytes([FLAG]))
        for part in frames:
            body += part
            if body:
                self._frame(line.at_s, line.direction, bytes(body))
                body.clear()
        body += rest[: LONGEST_BODY + 2]
        del body[2 * LONGEST_BODY :]

    def _frame(self, at_s: float, direction: str, body: bytes) -> None:
        if ESCAPE in body:
            body = _unescaped(body)
        if len(body) < 3 or crc_hqx(body.translate(MIRRORED), 0xFFFF) != GOOD_FRAME:
            return
        pdu = body[:-2]
        if direction == ">":
            self._sent(at_s, pdu)
        else:
            self._came(at_s, pdu)

    # ---- to the pump ---------------------------------------------------------------------------------------------

    def _sent(self, at_s: float, pdu: bytes) -> None:
        if pdu == CONNECTS:
            self._last.clear()
            self._asked.clear()
        elif pdu[0] == READ and len(pdu) == 3:
            self._reading = self._uuids.get(_u16(pdu[1:]), 0)
        elif pdu[0] == WRITE and len(pdu) > 6:
            self._written(at_s, self._uuids.get(_u16(pdu[1:]), 0), pdu[3:-3])

    def _written(self, at_s: float, uuid: int, value: bytes) -> None:
        if uuid == Uuid.RACP:
            self._records.clear()
            self._wants_all = value[:2] == ALL_RECORDS
        if uuid != Uuid.COMMAND or len(value) < 2:
            return
        op, operand = _u16(value), value[2:]
        event = self._perhaps(at_s, op, operand)
        self._asked[uuid] = op, None if event is None else len(self.events)
        self._operand = operand
        if event is not None:
            self.events.append(event)

    def _perhaps(self, at_s: float, op: int, operand: bytes) -> TrafficEvent | None:
        """Make what may hold from the moment at which a command was sent, whether its answer comes or not."""
        if op == Op.SET_THERAPY_CONTROL_STATE and operand[:1] == bytes([Therapy.RUN]):
            return TherapyKnown(at_s, TherapyState.RUN)
        if op == Op.SET_BOLUS and len(operand) >= 8:
            insulin_u = decode_sfloat(operand[2:4]) + decode_sfloat(operand[4:6])
            delay_min = _u16(operand[8:10]) if operand[0] & codes.WITH_DELAY else 0
            takes_s = 60.0 * (delay_min + _u16(operand[6:8])) + insulin_u / SLOWEST_BOLUS_U_PER_S + CURVE_MARGIN_S
            return Permitted(at_s, insulin_u, at_s + takes_s)
        if op == Op.START_PRIMING and len(operand) >= 2:
            insulin_u = decode_sfloat(operand[:2])
            return Permitted(at_s, insulin_u, at_s + insulin_u / SLOWEST_BOLUS_U_PER_S + CURVE_MARGIN_S)
        if op == Op.SET_INITIAL_RESERVOIR_FILL_LEVEL and len(operand) >= 2:
            return ReservoirKnown(at_s, decode_sfloat(operand[:2]), 0.0, told_it=True)
        if op == Op.ACTIVATE_PROFILE_TEMPLATES and len(operand) >= 2:
            return RateKnown(at_s, max(self._rate(), *self._rates.get(operand[1], {0: math.inf}).values()))
        if op == Op.SET_TBR_ADJUSTMENT and len(operand) >= 4:
            value = decode_sfloat(operand[2:4])
            absolute = operand[1] == codes.TBR_ABSOLUTE
            return RateKnown(at_s, max(self._rate(), value if absolute else value * self._rate()))
        return None

    # ---- from the pump -------------------------------------------------------------------------------------------

    def _came(self, at_s: float, pdu: bytes) -> None:
        kind = pdu[0]
        if kind in (INDICATION, NOTIFICATION) and len(pdu) > 3:
            self._value(at_s, self._uuids.get(_u16(pdu[1:]), 0), pdu[3:])
        elif kind == READ + 1:
            self._value(at_s, self._reading, pdu[1:])
        elif kind == READ_BY_TYPE + 1 and len(pdu) > 2:
            for at in range(2, len(pdu) - pdu[1] + 1, pdu[1]):
                entry = pdu[at : at + pdu[1]]
                self._uuids[_u16(entry[3:])] = int.from_bytes(entry[5:], "little")
        elif kind == ERROR and len(pdu) == 5 and pdu[1] == WRITE:
            self._refused(self._uuids.get(_u16(pdu[2:]), 0))

    def _value(self, at_s: float, uuid: int, value: bytes) -> None:
        if uuid == Uuid.HISTORY_DATA:
            if _crc_good(value):
                self._records.append(value[:-2])
            return
        if uuid not in COUNTED or len(value) < 4 or not _crc_good(value):
            return
        self._count(at_s, uuid, value[-3])
        body = value[:-3]
        if uuid == Uuid.STATUS and len(body) >= 5:
            self._status(at_s, body)
        elif uuid == Uuid.COMMAND and len(body) >= 2:
            self._answered(at_s, body)
        elif uuid == Uuid.RACP and body[:3] == bytes([0x0F, 0x0F, 0x33]):
            self._log(at_s, whole=self._wants_all and body[3:4] == bytes([codes.RACP_SUCCESS]))

    def _count(self, at_s: float, uuid: int, counter: int) -> None:
        self.counted += 1
        last = self._last.get(uuid, COUNTERS)
        self._last[uuid] = counter
        ahead = (counter - last) % COUNTERS  # values may have been lost on their way: some are skipped, none comes back
        if counter == 0 or not 0 < ahead <= COUNTERS // 2:
            self.events.append(CounterBroken(at_s, Uuid(uuid).name.replace("_", " ").lower(), counter, last))

    def _status(self, at_s: float, body: bytes) -> None:
        if body[0] in STATES:
            self.events.append(TherapyKnown(at_s, STATES[body[0]]))
        amount = decode_sfloat(body[2:4])
        if math.isfinite(amount):
            self.events.append(ReservoirKnown(at_s, amount, _step(body[2:4])))

    def _answered(self, at_s: float, body: bytes) -> None:
        op, undoes = self._asked.pop(Uuid.COMMAND, (0, None))
        if _u16(body) == Op.COMMAND_RESPONSE and len(body) == 5 and body[4] != codes.SUCCESS:
            self._undo(undoes)
            return
        operand = self._operand if op else b""
        if op == Op.SET_THERAPY_CONTROL_STATE and operand[:1] and operand[0] in STATES:
            self.events.append(TherapyKnown(at_s, STATES[operand[0]]))
        elif op == Op.WRITE_BASAL_RATE_PROFILE and len(operand) >= 7:
            self._profile(at_s, operand)
        elif op == Op.ACTIVATE_PROFILE_TEMPLATES and len(operand) >= 2 and operand[1] in self._rates:
            self.events.append(RateKnown(at_s, max(self._rates[operand[1]].values())))

    def _profile(self, at_s: float, operand: bytes) -> None:
        """Keep the rates of a part of a profile; it may be the one that is active, so they hold from now on too."""
        template, first = operand[1], operand[2]
        if first == 1:
            self._rates[template] = {}
        rates = self._rates.setdefault(template, {})
        for number, at in enumerate(range(3, len(operand) - 3, 4)):
            rates[first + number] = decode_sfloat(operand[at + 2 : at + 4])
        self.events.append(RateKnown(at_s, max(self._rate(), *rates.values())))

    def _refused(self, uuid: int) -> None:
        _, undoes = self._asked.pop(uuid, (0, None))
        self._undo(undoes)

    def _undo(self, at: int | None) -> None:
        """Take back what a refused command would have changed."""
        if at is not None:
            self.events[at] = None

    def _rate(self) -> float:
        known = (event.rate_u_per_h for event in reversed(self.events) if isinstance(event, RateKnown))
        return next(known, math.inf)

    def _log(self, at_s: float, *, whole: bool) -> None:
        reader = HistoryReader()
        entries: list[HistoryEvent] = []
        for record in self._records:
            try:
                entries.append(reader.decode(record))
            except ValueError:  # a record that is none; the driver has told it
                continue
        self._records = []
        self.events.append(LogReading(at_s, tuple(entries), whole and len(entries) > 0))


def _unescaped(body: bytes) -> bytes:
    plain = bytearray()
    escaped = False
    for octet in body:
        if octet == ESCAPE and not escaped:
            escaped = True
            continue
        plain.append(octet ^ FLIP if escaped else octet)
        escaped = False
    return bytes(plain)


def _crc_good(value: bytes) -> bool:
    """Say whether the E2E-CRC over a value and itself comes to 0."""
    return crc_hqx(value.translate(MIRRORED), 0xFFFF) == 0


def _step(sfloat: bytes) -> float:
    """The step in which an SFLOAT tells its amount."""
    exponent = int.from_bytes(sfloat, "little") >> 12
    return float(10.0 ** (exponent - 16 if exponent >= 8 else exponent))


def _u16(data: bytes) -> int:
    return int.from_bytes(data[:2], "little")
