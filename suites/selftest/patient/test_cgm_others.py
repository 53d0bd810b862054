"""The octets of sensor and collector, judged by programs of other people: `bluetooth-sig` for the layout of fields.

Its numbers are not taken: bluetooth-sig 0.6.0 reads the exponent of an SFLOAT as offset by 8, where the GATT
Specification Supplement has two's complement, so 120.0 comes out as 1.2e10. Numbers are judged by the codec of the
Insulin Delivery Service, which was written from that service's specification and judged by its vectors.
"""

from __future__ import annotations

import datetime
import math

import pytest
from bluetooth_sig.gatt.characteristics import (
    cgm_feature,
    cgm_measurement,
    cgm_session_run_time,
    cgm_session_start_time,
    cgm_status,
)
from bluetooth_sig.gatt.characteristics.dst_offset import DSTOffset
from hypothesis import given
from hypothesis import strategies as st

from instruments.cgm_service.collector import octets as heard
from instruments.cgm_service.sensor import octets as told
from instruments.ids.codec import decode_sfloat, e2e_crc

MEASUREMENT = cgm_measurement.CGMMeasurementCharacteristic()
MEASUREMENT.parse_value(bytearray(bytes.fromhex("06 00 78 00 00 00")))  # it reads its own files at the first value
STATUS = st.sets(st.sampled_from(list(told.SensorStatus))).map(lambda bits: told.SensorStatus(sum(bits)))
TENTHS = st.integers(0, 2045).map(lambda tenths: tenths / 10.0)
RECORDS = st.builds(
    told.SensorRecord,
    glucose_mg_per_dl=st.none() | TENTHS | st.integers(205, 2045).map(float),
    offset_min=st.integers(0, 0xFFFF),
    annunciated=STATUS,
    trend_mg_per_dl_per_min=st.none() | st.integers(-2045, 2045).map(lambda hundredths: hundredths / 100.0),
    quality_percent=st.none() | st.integers(0, 1000).map(lambda tenths: tenths / 10.0),
)


@given(record=RECORDS, with_crc=st.booleans())
def test_another_program_finds_the_fields_where_the_sensor_put_them(record: told.SensorRecord, with_crc: bool) -> None:
    octets = told.record_octets(record, with_crc=with_crc)
    (found,) = MEASUREMENT.parse_value(bytearray(octets)).records
    assert (found.size, found.time_offset) == (len(octets), record.offset_min)
    bits = int(record.annunciated)
    for octet, expected in (
        (found.status_octet, bits & 0xFF),
        (found.cal_temp_octet, bits >> 8 & 0xFF),
        (found.warning_octet, bits >> 16),
    ):
        assert (octet is not None, int(octet or 0)) == (expected != 0, expected)
    assert (found.trend_information is not None) == (record.trend_mg_per_dl_per_min is not None)
    assert (found.quality is not None) == (record.quality_percent is not None)


@given(record=RECORDS)
def test_numbers_and_crc_are_those_of_another_codec(record: told.SensorRecord) -> None:
    octets = told.record_octets(record, with_crc=True)
    assert octets[-2:] == e2e_crc(octets[:-2])
    glucose = decode_sfloat(octets[2:4])
    assert math.isnan(glucose) if record.glucose_mg_per_dl is None else glucose == record.glucose_mg_per_dl
    at = 6 + sum(octets[1] >> bit & 1 for bit in (5, 6, 7))
    for number in (record.trend_mg_per_dl_per_min, record.quality_percent):
        if number is not None:
            assert decode_sfloat(octets[at : at + 2]) == number
            at += 2


@given(record=RECORDS, with_crc=st.booleans())
def test_the_collector_hears_what_the_sensor_says(record: told.SensorRecord, with_crc: bool) -> None:
    (found,) = heard.measured_in(told.record_octets(record, with_crc=with_crc), with_crc=with_crc)
    assert found.glucose_mg_per_dl == record.glucose_mg_per_dl
    assert found.offset_min == record.offset_min
    assert found.annunciated == heard.annunciated_by(int(record.annunciated))
    assert found.trend_mg_per_dl_per_min == record.trend_mg_per_dl_per_min
    assert found.quality_percent == record.quality_percent


@given(octets=st.binary(min_size=1, max_size=30), with_crc=st.booleans())
def test_whatever_comes_is_read_whole_or_refused(octets: bytes, with_crc: bool) -> None:
    try:
        found = heard.measured_in(octets, with_crc=with_crc)
    except heard.DamagedOctetsError:
        return
    sizes, at = [], 0
    while at < len(octets):
        sizes.append(octets[at])
        at += octets[at]
    assert len(found) == len(sizes)
    assert sum(sizes) == len(octets)


@given(record=RECORDS, bit=st.integers(0, 8 * 15 - 1))
def test_a_bit_that_flips_is_noticed(record: told.SensorRecord, bit: int) -> None:
    octets = bytearray(told.record_octets(record, with_crc=True))
    octets[bit // 8 % len(octets)] ^= 1 << bit % 8
    with pytest.raises(heard.DamagedOctetsError):
        heard.measured_in(bytes(octets), with_crc=True)


def test_the_collector_hears_what_another_program_says() -> None:
    said = cgm_measurement.CGMMeasurementRecord(
        size=0, flags=cgm_measurement.CGMMeasurementFlags(0), glucose_concentration=math.nan, time_offset=4711,
        status_octet=cgm_measurement.CGMSensorStatusOctet.SENSOR_MALFUNCTION,
        warning_octet=cgm_measurement.CGMWarningOctet.RESULT_LOWER_THAN_HYPO,
    )  # fmt: skip
    octets = MEASUREMENT.build_value(cgm_measurement.CGMMeasurementData(records=(said, said)))
    found = heard.measured_in(bytes(octets), with_crc=False)
    assert found == [heard.HeardRecord(None, 4711, ("sensor malfunction", "hypo"))] * 2


def test_the_other_characteristics_read_the_same_by_another_program() -> None:
    offered = told.Offered.E2E_CRC | told.Offered.TREND | told.Offered.PATIENT_ALERTS
    feature = cgm_feature.CGMFeatureCharacteristic().parse_value(bytearray(told.feature_octets(offered)))
    assert int(feature.features) == int(offered)
    assert feature.cgm_type is cgm_feature.CGMType.INTERSTITIAL_FLUID
    assert feature.sample_location is cgm_feature.CGMSampleLocation.SUBCUTANEOUS_TISSUE
    bits = told.SensorStatus.SESSION_STOPPED | told.SensorStatus.TIME_NOT_SET
    status = cgm_status.CGMStatusCharacteristic().parse_value(bytearray(told.status_octets(65, bits, with_crc=True)))
    assert (status.time_offset, int(status.status)) == (65, int(bits))
    run_time = cgm_session_run_time.CGMSessionRunTimeCharacteristic()
    assert run_time.parse_value(bytearray(told.run_time_octets(240, with_crc=True))).run_time_hours == 240
    start = datetime.datetime(2026, 11, 23, 22, 5, 9)
    octets = told.start_time_octets(start, 4, 0, with_crc=False)
    found = cgm_session_start_time.CGMSessionStartTimeCharacteristic().parse_value(bytearray(octets))
    assert (found.start_time, found.time_zone, found.dst_offset) == (start, 4, DSTOffset.STANDARD_TIME)


def test_a_start_time_that_the_collector_writes_reads_the_same_by_another_program() -> None:
    start = datetime.datetime(2000, 2, 29, 23, 59, 58)
    octets = heard.time_octets(start, with_crc=True)
    found = cgm_session_start_time.CGMSessionStartTimeCharacteristic().parse_value(bytearray(octets))
    assert found.start_time == start
    assert found.e2e_crc == int.from_bytes(e2e_crc(octets[:-2]), "little")
    assert (found.time_zone, int(found.dst_offset)) == (0x80, 0xFF)
