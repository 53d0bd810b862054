"""Records of IDD History Data, decoded into the pump's log.

Two-part events are one entry each part, as the pump numbers them. Not responsible for asking for records.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping, Sequence

from instruments.ids.codec import decode_sfloat
from instruments.ids.codes import (
    ANNUNCIATION_STATUS,
    ANNUNCIATIONS,
    END_REASONS,
    OPERATIONAL,
    RESPONSES,
    TBR_ABSOLUTE,
    Therapy,
)
from rig.roles import HistoryEvent

Fields = Mapping[str, float | int | str]

TBR_END_REASONS = {0x0F: "undetermined", 0x33: "programmed duration over", 0x3C: "cancelled", 0x55: "error"}
"""TBR End Reason (table 4.114)."""
PRIMING_END_REASONS = {0x0F: "undetermined", 0x33: "stopped", 0x3C: "programmed amount reached", 0x55: "error"}
"""Reason of Termination (table 4.134)."""
PROFILE_KINDS = {0x33: "basal", 0x3C: "sensitivity", 0x55: "carbohydrate ratio", 0x5A: "target glucose"}
"""Profile Template Type (table 4.117)."""
THERAPY_WORDS = {state.value: state.name.lower() for state in Therapy}


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


def _tbr(data: bytes) -> Fields:
    """A temporary rate that started or changed: type, value, duration, elapsed time of the one before (4.9.4.10)."""
    unit = "rate_u_per_h" if data[1] == TBR_ABSOLUTE else "factor"
    fields: dict[str, float | int | str] = {unit: decode_sfloat(data[2:4]), "duration_min": _u16(data[4:6])}
    return fields


def _tbr_ended(data: bytes) -> Fields:
    return {"duration_min": _u16(data[2:4]), "end_reason": TBR_END_REASONS.get(data[4], "unknown")}


def _calculated(what: str) -> Callable[[bytes], Fields]:
    def decode(data: bytes) -> Fields:
        meal, correction, extended_meal, extended_correction = (decode_sfloat(data[at : at + 2]) for at in (0, 2, 4, 6))
        return {f"{what}_meal_u": meal + extended_meal, f"{what}_correction_u": correction + extended_correction}

    return decode


def _activated(data: bytes) -> Fields:
    return {"kind": PROFILE_KINDS.get(data[0], "unknown"), "old_template": data[1], "new_template": data[2]}


def _block(*names: str) -> Callable[[bytes], Fields]:
    def decode(data: bytes) -> Fields:
        values = {name: decode_sfloat(data[4 + 2 * n : 6 + 2 * n]) for n, name in enumerate(names)}
        return {"template": data[0], "block": data[1], "duration_min": _u16(data[2:4]), **values}

    return decode


def _daily_total(data: bytes) -> Fields:
    return {
        "clock_changed": data[0] & 1,
        "bolus_u": decode_sfloat(data[1:3]),
        "basal_u": decode_sfloat(data[3:5]),
        "date": f"{_u16(data[5:7]):04}-{data[7]:02}-{data[8]:02}",
    }


def _primed(data: bytes) -> Fields:
    return {"delivered_u": decode_sfloat(data[1:3]), "end_reason": PRIMING_END_REASONS.get(data[3], "unknown")}


def _max_bolus(data: bytes) -> Fields:
    return {"old_u": decode_sfloat(data[0:2]), "new_u": decode_sfloat(data[2:4])}


def _tbr_template(data: bytes) -> Fields:
    return {"template": data[0], **_tbr(bytes([0]) + data[1:6])}


def _bolus_template(data: bytes) -> Fields:
    return {
        "template": data[0],
        "bolus_type": data[1],
        "programmed_u": decode_sfloat(data[2:4]) + decode_sfloat(data[4:6]),
        "duration_min": _u16(data[6:8]),
    }


def _setting(data: bytes) -> Fields:
    old, new = (int.from_bytes(data[at : at + 4], "little") for at in (1, 5))
    return {"setting": data[0], "old": old, "new": new}


def _reset(data: bytes) -> Fields:
    causes = {0: "power", 1: "watchdog", 2: "software", 3: "pin"}
    therapy = THERAPY_WORDS.get(data[1], "unknown")
    return {"cause": causes.get(data[0], "unknown"), "therapy_before": therapy, "interrupted_boluses": data[2]}


def _refused(data: bytes) -> Fields:
    return {"op_code": f"{_u16(data):04X}", "answer": RESPONSES.get(data[2], "unknown")}


def _raw(data: bytes) -> Fields:
    return {"octets": data.hex(" ")}


_EVENTS: Mapping[int, tuple[str, Callable[[bytes], Fields], int]] = {
    0x000F: ("reference time", _reference_time, 10),
    0x003C: ("bolus calculated", _calculated("recommended"), 8),
    0x0055: ("bolus calculated, part 2", _calculated("confirmed"), 8),
    0x005A: ("bolus programmed", _bolus("programmed"), 9),
    0x0066: ("bolus programmed, part 2", _raw, 0),
    0x0069: ("bolus delivered", _bolus("delivered"), 9),
    0x0096: ("bolus delivered, part 2", _bolus_delivered_end, 5),
    0x0099: ("basal rate changed", _basal_rate, 5),
    0x00A5: ("temporary rate started", _tbr, 6),
    0x00AA: ("temporary rate ended", _tbr_ended, 5),
    0x00C3: ("temporary rate changed", _tbr, 8),
    0x00CC: ("profile activated", _activated, 3),
    0x00F0: ("basal profile block", _block("rate_u_per_h"), 6),
    0x00FF: ("daily total", _daily_total, 9),
    0x0303: ("therapy changed", _therapy, 2),
    0x030C: ("operational state changed", _operational, 2),
    0x0330: ("reservoir amount changed", _reservoir, 2),
    0x033F: ("annunciation", _annunciation, 6),
    0x0356: ("annunciation, part 2", _raw, 0),
    0x0359: ("sensitivity block", _block("sensitivity_mg_per_dl"), 6),
    0x0365: ("carbohydrate ratio block", _block("ratio_g"), 6),
    0x036A: ("target glucose block", _block("lower_mg_per_dl", "upper_mg_per_dl"), 8),
    0x0395: ("priming started", lambda data: {"programmed_u": decode_sfloat(data[:2])}, 2),
    0x039A: ("priming done", _primed, 4),
    0x03A6: ("data corruption", _raw, 0),
    0x03C0: ("bolus template changed", _bolus_template, 8),
    0x03CF: ("bolus template changed, part 2", _raw, 0),
    0x03F3: ("temporary rate template changed", _tbr_template, 6),
    0x03FC: ("maximum bolus changed", _max_bolus, 4),
    0xF00F: ("setting changed", _setting, 9),
    0xF033: ("reset", _reset, 3),
    0xF03C: ("command refused", _refused, 3),
}
"""Event types (table 4.95; from F000 on the maker's): name, decoder of the event data, fewest octets."""

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
