"""Records of IDD History Data, decoded into the pump's log.

Two-part events are one entry each part, as the pump numbers them. Not responsible for asking for records.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping, Sequence

from rig.pump.ids.codec import decode_sfloat
from rig.pump.ids.codes import ANNUNCIATION_STATUS, ANNUNCIATIONS, END_REASONS, OPERATIONAL, Therapy
from rig.roles import HistoryEvent

Fields = Mapping[str, float | int | str]


def _u16(data: bytes) -> int:
    return int.from_bytes(data[:2], "little")


def _reference_time(data: bytes) -> Fields:
    reasons = {0x0F: "undetermined", 0x33: "set", 0x3C: "periodic", 0x55: "date and time lost"}
    year, month, day, hour, minute, second = _u16(data[1:3]), *data[3:8]
    return {
        "reason": reasons.get(data[0], "unknown"),
        "date_time": f"{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}",
    }


def _bolus(amount: str) -> Callable[[bytes], Fields]:
    def decode(data: bytes) -> Fields:
        return {
            "bolus_id": _u16(data),
            "bolus_type": data[2],
            f"{amount}_u": decode_sfloat(data[3:5]) + decode_sfloat(data[5:7]),
            "duration_min": _u16(data[7:9]),
        }

    return decode


def _bolus_delivered_end(data: bytes) -> Fields:
    after_activation = 5 + (data[0] & 1)
    reason = END_REASONS.get(data[after_activation], "unknown") if data[0] & 2 else "not given"
    return {"start_offset_s": int.from_bytes(data[1:5], "little"), "end_reason": reason}


def _basal_rate(data: bytes) -> Fields:
    return {"old_rate_u_per_h": decode_sfloat(data[1:3]), "new_rate_u_per_h": decode_sfloat(data[3:5])}


def _therapy(data: bytes) -> Fields:
    return {"old": Therapy(data[0]).name.lower(), "new": Therapy(data[1]).name.lower()}


def _operational(data: bytes) -> Fields:
    return {"old": OPERATIONAL.get(data[0], "unknown"), "new": OPERATIONAL.get(data[1], "unknown")}


def _reservoir(data: bytes) -> Fields:
    return {"reservoir_u": decode_sfloat(data[:2])}


def _annunciation(data: bytes) -> Fields:
    return {
        "annunciation_id": _u16(data[1:3]),
        "annunciation": ANNUNCIATIONS.get(_u16(data[3:5]), "unknown"),
        "status": ANNUNCIATION_STATUS.get(data[5], "unknown"),
    }


def _raw(data: bytes) -> Fields:
    return {"octets": data.hex(" ")}


_EVENTS: Mapping[int, tuple[str, Callable[[bytes], Fields], int]] = {
    0x000F: ("reference time", _reference_time, 10),
    0x005A: ("bolus programmed", _bolus("programmed"), 9),
    0x0066: ("bolus programmed, part 2", _raw, 0),
    0x0069: ("bolus delivered", _bolus("delivered"), 9),
    0x0096: ("bolus delivered, part 2", _bolus_delivered_end, 5),
    0x0099: ("basal rate changed", _basal_rate, 5),
    0x00CC: ("profile activated", _raw, 0),
    0x0303: ("therapy changed", _therapy, 2),
    0x030C: ("operational state changed", _operational, 2),
    0x0330: ("reservoir amount changed", _reservoir, 2),
    0x033F: ("annunciation", _annunciation, 6),
    0x0356: ("annunciation, part 2", _raw, 0),
}
"""Event types (table 4.95): name, decoder of the event data, fewest octets."""

HEADER = 8


class HistoryReader:
    """Turns records into events; the reference time goes on from record to record.

    Pump time is in s since the first reference time that is seen.
    """

    def __init__(self) -> None:
        self._origin: datetime.datetime | None = None
        self._reference_s = 0.0

    def decode(self, record: bytes) -> HistoryEvent:
        """Decode one record without its CRC; ValueError when it is too short for its type."""
        if len(record) < HEADER:
            raise ValueError(f"a history record has at least {HEADER} octets, got {record.hex(' ')}")
        kind, sequence, offset_s = _u16(record), int.from_bytes(record[2:6], "little"), _u16(record[6:8])
        name, decode, fewest = _EVENTS.get(kind, (f"event {kind:04X}", _raw, 0))
        data = record[HEADER:]
        if len(data) < fewest:
            raise ValueError(f"a record of '{name}' has at least {fewest} octets of data, got {data.hex(' ')}")
        fields = decode(data)
        if kind == 0x000F:
            self._set_reference(str(fields["date_time"]))
        return HistoryEvent(sequence, name, self._reference_s + offset_s, fields)

    def _set_reference(self, date_time: str) -> None:
        reference = datetime.datetime.fromisoformat(date_time)
        self._origin = self._origin or reference
        self._reference_s = (reference - self._origin).total_seconds()


def decode_records(records: Sequence[bytes]) -> list[HistoryEvent]:
    """Decode records in the order of their numbers."""
    reader = HistoryReader()
    return [reader.decode(record) for record in records]
