"""A CGM session as the sensor keeps it: what is measured on its grid, what is stored, what is annunciated.

Pure: whoever uses it says what time it is. Not responsible for octets (`octets`) or for who is told (`server`).
Source: Continuous Glucose Monitoring Service 1.0.2, sections 3.1.1, 3.3, 3.4 and 3.9.
"""

from __future__ import annotations

import datetime
import math
from collections import deque
from dataclasses import dataclass

from instruments.cgm_service.sensor.octets import Offered, SensorRecord, SensorStatus

INTERVAL_MIN = 5
"""Between two measurements, as commercial sensors have it."""
SLACK_S = 30.0
"""A value that is shown so much before or after the moment of a measurement is the one that is measured there."""
STORED = 2016
"""Measurements of a week: "several hundred" are asked for (3.9); the oldest go first."""
LONGEST_MIN = 0xFFFF


@dataclass(frozen=True)
class SensorMake:
    """Which sensor is played.

    Attributes:
        offered: what it says that it can do.
        lowest_mg_per_dl, highest_mg_per_dl: what it can tell; at an end of it that end is shown, and annunciated.
        run_time_h: for how long it is approved.
        quality_percent: what it says of the quality of each value, where it offers that.
    """

    offered: Offered
    lowest_mg_per_dl: float = 40.0
    highest_mg_per_dl: float = 400.0
    run_time_h: int = 240
    quality_percent: float = 100.0

    @property
    def with_crc(self) -> bool:
        """Whether everything is protected by an E2E-CRC."""
        return Offered.E2E_CRC in self.offered


class CgmSession:
    """The sensor's sessions, one after the other.

    Args:
        make: which sensor.

    Attributes:
        low_mg_per_dl, high_mg_per_dl: the patient's levels, beyond which a record says so.
    """

    def __init__(self, make: SensorMake) -> None:
        self.make = make
        self.low_mg_per_dl, self.high_mg_per_dl = 70.0, 250.0
        self._felt: float | None = None
        self._records: deque[SensorRecord] = deque(maxlen=STORED)
        self._began_s = 0.0
        self._made = 0
        self.runs = False
        self.start: datetime.datetime | None = None
        self.zone, self.summer = 0x80, 0xFF

    @property
    def records(self) -> tuple[SensorRecord, ...]:
        """What is stored, the oldest first."""
        return tuple(self._records)

    def begin(self, now_s: float) -> None:
        """Begin a session: what was stored is deleted, and nobody has said what time it is (3.4.5, 3.7.2.8)."""
        self._records.clear()
        self._began_s, self._made = now_s, 0
        self.runs, self.start = True, None
        self.zone, self.summer = 0x80, 0xFF

    def stop(self, now_s: float) -> list[SensorRecord]:
        """Measure no more; what was due until then is measured before."""
        found = self.catch_up(now_s)
        self.runs = False
        return found

    def feel(self, glucose_mg_per_dl: float | None, now_s: float) -> list[SensorRecord]:
        """Feel a glucose in mg/dL from now on, or nothing valid; returns what was measured because of the time.

        Raises:
            ValueError: it is no number, or negative.
        """
        if glucose_mg_per_dl is not None and not 0.0 <= glucose_mg_per_dl < math.inf:
            raise ValueError(f"glucose is {glucose_mg_per_dl!r} mg/dL; it is a finite number, 0 or more")
        overdue = self.catch_up(now_s)
        self._felt = glucose_mg_per_dl
        return overdue + (self._measured() if self._due_s - SLACK_S <= now_s else [])

    def catch_up(self, now_s: float) -> list[SensorRecord]:
        """Measure what was due and has not been, by what is felt since then."""
        found: list[SensorRecord] = []
        while self.runs and self._due_s + SLACK_S < now_s and self._due_min <= LONGEST_MIN:
            found += self._measured()
        return found

    def offset_min(self, now_s: float) -> int:
        """Whole min since the session's start; of a stopped one, those of its last measurement."""
        if not self.runs:
            return max(0, self._made - 1) * INTERVAL_MIN
        return min(LONGEST_MIN, int((now_s - self._began_s) // 60.0))

    def set_time(self, written: datetime.datetime, zone: int, summer: int, now_s: float) -> None:
        """Hear what time it is, and reckon from it when the session began (3.4.1)."""
        began = written - datetime.timedelta(seconds=now_s - self._began_s)
        self.start, self.zone, self.summer = began.replace(microsecond=0), zone, summer

    @property
    def annunciated(self) -> SensorStatus:
        """What is to be told of the sensor at this moment, apart from a measurement."""
        found = SensorStatus(0)
        if not self.runs:
            found |= SensorStatus.SESSION_STOPPED
        if self.start is None:
            found |= SensorStatus.TIME_NOT_SET
        return found

    @property
    def _due_min(self) -> int:
        return self._made * INTERVAL_MIN

    @property
    def _due_s(self) -> float:
        return self._began_s + 60.0 * self._due_min

    def _measured(self) -> list[SensorRecord]:
        if not self.runs:
            return []
        felt, annunciated, make = self._felt, self.annunciated, self.make
        shown = None
        if felt is None:
            annunciated |= SensorStatus.MALFUNCTION
        else:
            shown = min(max(felt, make.lowest_mg_per_dl), make.highest_mg_per_dl)
            for bit, holds in (
                (SensorStatus.BELOW_RANGE, felt <= make.lowest_mg_per_dl),
                (SensorStatus.ABOVE_RANGE, felt >= make.highest_mg_per_dl),
                (SensorStatus.BELOW_PATIENT_LOW, shown < self.low_mg_per_dl),
                (SensorStatus.ABOVE_PATIENT_HIGH, shown > self.high_mg_per_dl),
            ):
                annunciated |= bit if holds else SensorStatus(0)
        record = SensorRecord(
            shown, self._due_min, annunciated, self._trend(shown),
            make.quality_percent if Offered.QUALITY in make.offered and shown is not None else None,
        )  # fmt: skip
        self._records.append(record)
        self._made += 1
        return [record]

    def _trend(self, shown: float | None) -> float | None:
        """Change since the measurement before, in mg/dL a minute; None where one of the two is missing."""
        before = self._records[-1].glucose_mg_per_dl if self._records else None
        if Offered.TREND not in self.make.offered or shown is None or before is None:
            return None
        return (shown - before) / INTERVAL_MIN
