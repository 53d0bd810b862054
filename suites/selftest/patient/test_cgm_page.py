"""The CGM service's protocol page is true: the played sensor says what it says, and the collector understands it.

Sensor and collector are judged apart, each by the page's octets; the page's CRCs by another program's.
"""

from __future__ import annotations

import ast
import binascii
import datetime
from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from instruments.cgm_service.collector import octets as heard
from instruments.cgm_service.sensor.control import OpsPoint, RefusedWrite, access_records, without_crc
from instruments.cgm_service.sensor.octets import (
    Offered,
    SensorRecord,
    feature_octets,
    record_octets,
    run_time_octets,
    start_time_octets,
    status_octets,
)
from instruments.cgm_service.sensor.session import CgmSession, SensorMake
from suites.stands.transcripts import Transcript, read_page, split

PAGE = read_page(Path(__file__).parents[3] / "instruments/cgm_service/protocol.md")
FOR_SENSOR = [talk for talk in PAGE if not talk.driver_only]
FOR_COLLECTOR = [talk for talk in PAGE if talk.has_calls]


def options(talk: Transcript) -> Mapping[str, object]:
    stated = [split(line.text[len("option ") :]) for line in talk.lines if line.text.startswith("option ")]
    return {"crc": True, "trend": True, "quality_percent": None} | {
        name: ast.literal_eval(value) for name, value in stated
    }


class PlayedToSensor:
    """A sensor that is written to and read, without a radio."""

    def __init__(self, talk: Transcript) -> None:
        given = options(talk)
        offered = Offered.PATIENT_ALERTS | Offered.MALFUNCTION_DETECTION | Offered.RANGE_DETECTION
        offered |= Offered.MULTIPLE_SESSIONS
        for name, feature in {"crc": Offered.E2E_CRC, "trend": Offered.TREND}.items():
            offered |= feature if given[name] else Offered(0)
        quality = given["quality_percent"]
        if isinstance(quality, float):
            self.make = SensorMake(offered | Offered.QUALITY, quality_percent=quality)
        else:
            self.make = SensorMake(offered)
        self.session = CgmSession(self.make)
        self.ops = OpsPoint(self.session)
        self.now_s = 0.0
        self.characteristic = ""
        self.said: deque[tuple[str, bytes]] = deque()
        self.time: datetime.datetime | None = None
        self.refused: int | None = None

    def state(self, name: str, value: str) -> None:
        if name == "characteristic":
            self.characteristic = value
        elif name == "at_s":
            self.now_s = float(value)
        elif name == "time_is":
            self.time = datetime.datetime.fromisoformat(value)
        elif name == "feels":
            if not self.session.runs:
                self.session.begin(self.now_s)
                if self.time is not None:
                    self.session.set_time(self.time, 0x80, 0xFF, self.now_s)
            self._notified(self.session.feel(None if value == "nothing" else float(value), self.now_s))
        elif name == "att_error":
            assert self.refused == int(value, 16)
            self.refused = None
        else:
            assert name == "option"

    def _notified(self, records: list[SensorRecord] | tuple[SensorRecord, ...]) -> None:
        self.said += [("2AA7", record_octets(record, with_crc=self.make.with_crc)) for record in records]

    def forget(self) -> None:
        self.said.clear()

    def write(self, octets: bytes) -> None:
        assert self.refused is None, "an ATT error that the page does not have"
        try:
            if self.characteristic == "2AAA":
                octets = without_crc(octets, whole=9) if self.make.with_crc else octets
                date = datetime.datetime(octets[0] + 256 * octets[1], *octets[2:7])
                self.session.set_time(date, octets[7], octets[8], self.now_s)
                return
            if self.characteristic == "2AAC":
                answer = self.ops.write(octets, self.now_s)
            else:
                assert self.characteristic == "2A52"
                answer = access_records(self.session, octets)
        except RefusedWrite as refused:
            self.refused = refused.code
            return
        self._notified(answer.records)
        self.said.append((self.characteristic, answer.indication))

    def read(self) -> bytes:
        session, with_crc = self.session, self.make.with_crc
        readable: Mapping[str, Callable[[], bytes]] = {
            "2AA8": lambda: feature_octets(self.make.offered),
            "2AA9": lambda: status_octets(session.offset_min(self.now_s), session.annunciated, with_crc=with_crc),
            "2AAA": lambda: start_time_octets(session.start, session.zone, session.summer, with_crc=with_crc),
            "2AAB": lambda: run_time_octets(self.make.run_time_h, with_crc=with_crc),
        }
        if self.characteristic in readable:
            return readable[self.characteristic]()
        characteristic, octets = self.said.popleft()
        assert characteristic == self.characteristic
        return octets


@pytest.mark.parametrize("talk", [pytest.param(talk, id=talk.where) for talk in FOR_SENSOR])
def test_the_played_sensor_says_what_the_page_says(talk: Transcript) -> None:
    sensor = PlayedToSensor(talk)
    for number, line in enumerate(talk.lines):
        if line.sign == "@":
            sensor.state(*split(line.text))
            if line.text.startswith("characteristic") and not any(each.sign == ">" for each in talk.lines[:number]):
                sensor.forget()  # what was measured before a client asks is not what it asks for
        elif line.sign == ">":
            sensor.write(line.data)
        elif line.sign == "<":
            assert sensor.read().hex(" ") == line.data.hex(" "), line.where
    assert sensor.refused is None
    assert not [each for each in sensor.said if each[0] != "2AA7"]


@pytest.mark.parametrize("talk", [pytest.param(talk, id=talk.where) for talk in FOR_COLLECTOR])
def test_the_collector_understands_what_the_page_says(talk: Transcript) -> None:
    with_crc = bool(options(talk)["crc"])
    octets, expected = talk.lines[-2].data, talk.lines[-1].text
    reads: Mapping[str, Callable[[], object]] = {
        "2AA7": lambda: heard.measured_in(octets, with_crc=with_crc)[-1],
        "2AA8": lambda: heard.features_in(octets),
        "2AA9": lambda: heard.status_in(octets, with_crc=with_crc),
        "2AAA": lambda: heard.start_time_in(octets, with_crc=with_crc),
    }
    read = reads[talk.statement("characteristic", "")]
    if expected.startswith("raises "):
        with pytest.raises(heard.DamagedOctetsError) as told:
            read()
        assert expected.removeprefix("raises ") in str(told.value)
    else:
        assert repr(read()) == expected


def by_another_program(octets: bytes) -> bytes:
    """The CRC by binascii, which takes bits from the highest: so they are mirrored before and after."""
    mirrored = bytes(int(f"{octet:08b}"[::-1], 2) for octet in octets)
    return int(f"{binascii.crc_hqx(mirrored, 0xFFFF):016b}"[::-1], 2).to_bytes(2, "little")


def test_the_page_s_crcs_are_another_program_s() -> None:
    protected = [talk for talk in FOR_SENSOR if options(talk)["crc"] and not talk.statement("att_error", "")]
    found = [(line.where, line.data) for talk in protected for line in talk.lines if line.sign in "<>"]
    wrong = [where for where, octets in found if by_another_program(octets[:-2]) != octets[-2:]]
    assert len(found) > 20
    assert wrong == []
