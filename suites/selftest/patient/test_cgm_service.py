"""Sensor and collector over a virtual radio link, each against somebody else's host with octets made by hand.

The page says which octets (`test_cgm_page`); here they travel: subscriptions, ATT errors, order.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
from bumble.att import ATT_Error
from bumble.core import UUID
from bumble.device import Device, Peer
from bumble.gatt import Characteristic, CharacteristicValue, Service
from bumble.gatt_client import CharacteristicProxy
from bumble.hci import Address

from instruments.cgm_service.driver import CgmService, open_driver
from instruments.cgm_service.sensor.octets import Offered
from instruments.cgm_service.sensor.server import PlayedSensor
from instruments.cgm_service.sensor.session import SensorMake
from instruments.cgm_service.turning import OnBenchTime
from rig.clock import SimClock
from rig.errors import NotConnectedError
from rig.roles import LinkFault
from rig.virtual.ble_air import VirtualAir
from rig.wire import NoLog, RadioTransport

ADDRESS = "F0:F1:F2:F3:F4:C6"
PORT = f"ble://air/{ADDRESS}"


class Kept(NoLog):
    """Keeps what a log is told."""

    def __init__(self) -> None:
        self.incidents: list[str] = []
        self.octets: list[tuple[str, str, str]] = []

    def wire(self, at_s: float, device: str, direction: str, data: bytes) -> None:
        del at_s
        self.octets.append((device[-4:], direction, data.hex(" ")))

    def incident(self, at_s: float, of_whom: str, what: str) -> None:
        del at_s, of_whom
        self.incidents.append(what)


class Client:
    """A bumble host that knows octets alone."""

    def __init__(self, *, offered: Offered = Offered.PATIENT_ALERTS) -> None:
        self.clock = SimClock()
        self.turning = OnBenchTime(self.clock)
        self.air = VirtualAir()
        self.came: list[str] = []
        self.sensor = PlayedSensor(SensorMake(offered), "1", self.clock.now)
        self.do(self._open)

    def do(self, work: Callable[[], Any]) -> Any:  # noqa: ANN401 - whatever the work makes
        return self.turning.do(work, 30.0)

    async def _open(self) -> None:
        await self.sensor.power_on(await self.air.open("sensor"), ADDRESS)
        dongle = await self.air.open("client")
        device = Device.with_hci("client", Address("C0:FF:EE:00:00:09"), dongle.source, dongle.sink)
        await device.power_on()
        peer = Peer(await device.connect(ADDRESS))
        (service,) = await peer.discover_service(UUID.from_16_bits(0x181F))
        found: list[CharacteristicProxy[bytes]] = await service.discover_characteristics()
        self.by_number = {int.from_bytes(each.uuid.to_bytes()[:2], "little"): each for each in found}

    def subscribe(self, *numbers: int) -> None:
        for number in numbers:
            self.do(partial(self.by_number[number].subscribe, self._keep(number), prefer_notify=False))

    def _keep(self, number: int) -> Callable[[bytes], None]:
        return lambda octets: self.came.append(f"{number:04X} {octets.hex(' ')}")

    def write(self, number: int, octets: str) -> None:
        self.do(lambda: self.by_number[number].write_value(bytes.fromhex(octets), with_response=True))

    def feel(self, *values: float) -> None:
        for value in values:
            self.do(partial(self.sensor.feel, value))
            self.clock.sleep(300.0)

    def fetch(self) -> list[str]:
        came, self.came[:] = list(self.came), []
        return came


@pytest.fixture
def client() -> Iterator[Client]:
    client = Client()
    yield client
    client.turning.end()


def test_all_characteristics_are_there_with_their_properties(client: Client) -> None:
    can = Characteristic.Properties
    assert {number: each.properties for number, each in client.by_number.items()} == {
        0x2AA7: can.NOTIFY, 0x2AA8: can.READ, 0x2AA9: can.READ, 0x2AAA: can.READ | can.WRITE, 0x2AAB: can.READ,
        0x2A52: can.WRITE | can.INDICATE, 0x2AAC: can.WRITE | can.INDICATE,
    }  # fmt: skip


def test_measurements_are_notified_to_who_subscribed(client: Client) -> None:
    client.feel(120.0)
    client.subscribe(0x2AA7)
    client.feel(121.0)
    assert client.fetch() == ["2AA7 07 40 ba f4 05 00 01"]


def test_a_control_point_without_its_subscription_is_refused(client: Client) -> None:
    client.feel(120.0)
    for number, octets in ((0x2AAC, "02"), (0x2A52, "04 01")):
        with pytest.raises(ATT_Error) as told:
            client.write(number, octets)
        assert told.value.error_code == 0xFD
    client.subscribe(0x2A52)
    with pytest.raises(ATT_Error) as told:  # records are asked for that nobody would hear
        client.write(0x2A52, "01 01")
    assert told.value.error_code == 0xFD


def test_stored_records_come_oldest_first_and_the_answer_last(client: Client) -> None:
    client.feel(120.0, 121.0, 122.0)
    client.subscribe(0x2AA7, 0x2A52)
    client.write(0x2A52, "01 03 01 05 00")
    assert client.fetch() == ["2AA7 07 40 ba f4 05 00 01", "2AA7 07 40 c4 f4 0a 00 01", "2A52 06 00 01 01"]


def test_while_records_are_reported_another_procedure_is_refused_and_abort_ends_it(client: Client) -> None:
    client.feel(*(100.0 + number for number in range(200)))
    client.subscribe(0x2AA7, 0x2A52)

    async def meanwhile() -> int:
        access = client.by_number[0x2A52]
        await access.write_value(bytes.fromhex("01 01"), with_response=True)
        try:
            await access.write_value(bytes.fromhex("04 01"), with_response=True)
        except ATT_Error as error:
            await access.write_value(bytes.fromhex("03 00"), with_response=True)
            return error.error_code
        return 0

    assert client.do(meanwhile) == 0xFE
    *records, answer = client.fetch()
    assert answer == "2A52 06 00 03 01"
    assert 0 < len(records) < 200


def test_the_interval_gathers_and_zero_ends_notifications(client: Client) -> None:
    client.subscribe(0x2AA7, 0x2AAC)
    client.feel(120.0)
    client.write(0x2AAC, "01 0A")
    client.fetch()
    client.feel(121.0)
    assert client.fetch() == []
    client.feel(122.0)
    assert client.fetch() == ["2AA7 07 40 ba f4 05 00 01", "2AA7 07 40 c4 f4 0a 00 01"]
    client.write(0x2AAC, "01 00")
    client.fetch()
    client.feel(123.0)
    assert client.fetch() == []


def test_a_client_stops_the_session_and_begins_another(client: Client) -> None:
    client.subscribe(0x2AA7, 0x2AAC)
    client.feel(120.0)
    client.write(0x2AAC, "1B")
    client.fetch()
    client.feel(121.0)
    assert client.fetch() == []
    client.write(0x2AAC, "1A")
    client.feel(122.0)
    assert client.fetch() == ["2AAC 1c 1a 01", "2AA7 07 40 c4 f4 00 00 01"]


def test_with_protection_a_start_time_needs_its_crc_and_is_a_date() -> None:
    client = Client(offered=Offered.E2E_CRC)
    for octets, code in (
        ("d0 07 01 01 00 00 00 80 ff", 0x80),
        ("d0 07 01 01 00 00 00 80 ff 00 00", 0x81),
        ("d0 07 0d 01 00 00 00 80 ff a6 41", 0x81),
    ):
        with pytest.raises(ATT_Error) as told:
            client.write(0x2AAA, octets)
        assert told.value.error_code == code
    client.write(0x2AAA, "d0 07 01 01 00 00 00 80 ff 7c 17")
    client.turning.end()


# ---- the collector, and a sensor that says what it is given --------------------------------------------------------


class FakeSensor:
    """A GATT server by bumble that says octets and knows nothing of what they mean."""

    def __init__(self, *, feature: str = "00 00 00 59 ff ff", reports: tuple[str, ...] = ()) -> None:
        self.air = VirtualAir()
        self.feature, self.reports = feature, reports
        self.written: list[str] = []
        self.start = bytes.fromhex("d0 07 01 01 00 00 00 80 ff")

    async def open(self, name: str) -> RadioTransport:
        """Take the place of the played sensor on its air; the collector's dongle is as ever."""
        if name != "air":
            return await self.air.open(name)
        dongle = await self.air.open("fake")
        device = Device.with_hci("fake", Address(ADDRESS), dongle.source, dongle.sink)
        may, can = Characteristic.Permissions, Characteristic.Properties
        both = may.READABLE | may.WRITEABLE

        def made(number: int, properties: Any, value: Any = b"") -> Characteristic[bytes]:  # noqa: ANN401
            return Characteristic(UUID.from_16_bits(number), properties, both, value)

        self.measurement = made(0x2AA7, can.NOTIFY)
        self.access = made(0x2A52, can.WRITE | can.INDICATE, CharacteristicValue(write=self._asked))
        others = [
            made(0x2AA8, can.READ, bytes.fromhex(self.feature)),
            made(0x2AA9, can.READ, bytes.fromhex("00 00 00 00 00")),
            made(0x2AAA, can.READ | can.WRITE, CharacteristicValue(read=lambda _: self.start)),
        ]
        device.add_service(Service(UUID.from_16_bits(0x181F), [*others, self.measurement, self.access]))
        self.device = device
        await device.power_on()
        await device.start_advertising()
        return await VirtualAir().open("unheard")  # the played sensor advertises where nobody is

    def _asked(self, connection: Any, octets: bytes) -> None:  # noqa: ANN401 - bumble's connection
        self.written.append(octets.hex(" "))
        self.answering = asyncio.ensure_future(self._report(connection))

    async def _report(self, connection: Any) -> None:  # noqa: ANN401 - bumble's connection
        for octets in self.reports:
            await self.device.notify_subscriber(connection, self.measurement, bytes.fromhex(octets))
        await self.device.indicate_subscriber(connection, self.access, bytes.fromhex("06 00 01 01"))


def collected(fake: FakeSensor) -> tuple[list[tuple[int, float | None]], Kept]:
    """What a collector makes of a fake sensor after 10 min."""
    clock, kept = SimClock(), Kept()
    service = open_driver(PORT, clock=clock, log=kept, serial_number="1", radio=fake.open, collector="ear")
    service.show(1.0)
    clock.sleep(600.0 - clock.now())
    found = [(each.offset_min, each.glucose_mg_per_dl) for each in service.received() or ()]
    service.close()
    return found, kept


def test_a_collector_reads_several_records_of_one_value() -> None:
    found, kept = collected(FakeSensor(reports=("06 00 78 00 00 00 06 00 79 00 05 00", "06 00 7a 00 0a 00")))
    assert found == [(0, 120.0), (5, 121.0), (10, 122.0)]
    assert kept.incidents == []


def test_a_record_that_comes_twice_is_one_reading() -> None:
    found, _ = collected(FakeSensor(reports=("06 00 78 00 00 00", "06 00 78 00 00 00", "06 00 79 00 05 00")))
    assert found == [(0, 120.0), (5, 121.0)]


def test_a_record_of_a_length_that_is_none_is_refused_and_the_others_are_read() -> None:
    fake = FakeSensor(reports=("06 00 78 00 00 00", "07 00 79 00 05 00", "05 00 79 00 05", "06 80 7a 00 0a 00"))
    found, kept = collected(fake)
    assert found == [(0, 120.0)]
    assert [each.split(":")[0] for each in kept.incidents] == [
        "measurement 07 00 79 00 05 00", "measurement 05 00 79 00 05", "measurement 06 80 7a 00 0a 00",
    ]  # fmt: skip


def test_what_was_refused_is_asked_for_again_from_there_on() -> None:
    fake = FakeSensor(reports=("06 00 78 00 00 00", "07 00 79 00 05 00", "06 00 7a 00 0a 00"))
    collected(fake)
    assert fake.written[0] == "01 03 01 00 00"
    clock = SimClock()
    again = FakeSensor(reports=fake.reports)
    service = open_driver(PORT, clock=clock, log=NoLog(), serial_number="1", radio=again.open, collector="ear")
    service.show(1.0)
    clock.sleep(600.0)
    service.received()
    service.received()
    assert again.written == ["01 03 01 00 00", "01 03 01 05 00"]
    service.close()


def test_features_that_are_damaged_leave_the_sensor_unread() -> None:
    with pytest.raises(NotConnectedError, match="the CRC is wrong"):
        collected(FakeSensor(feature="00 10 00 59 ff ff"))


# ---- both together -------------------------------------------------------------------------------------------------


def playing(clock: SimClock, kept: Kept, **options: Any) -> CgmService:  # noqa: ANN401 - options of a bench file
    return open_driver(
        PORT, clock=clock, log=kept, serial_number="1", radio=VirtualAir().open, collector="ear", **options
    )


def test_the_log_keeps_the_octets_of_the_collector() -> None:
    clock, kept = SimClock(), Kept()
    service = playing(clock, kept, crc=False, trend=False)
    service.show(120.0)
    service.received()
    assert ("2AA7", "<", "07 40 b0 f4 00 00 01") in kept.octets
    assert [direction for number, direction, _ in kept.octets if number == "2AAA"] == [">", "<"]
    service.close()


def test_a_value_that_is_shown_late_is_not_measured_before() -> None:
    clock = SimClock()
    service = playing(clock, Kept())
    service.show(120.0)
    clock.sleep(340.0 - clock.now())
    service.show(130.0)
    assert [each.glucose_mg_per_dl for each in service.received() or ()] == [120.0, 120.0]
    clock.sleep(600.0 - clock.now())
    service.show(140.0)
    assert [(each.offset_min, each.glucose_mg_per_dl) for each in service.received() or ()] == [(10, 140.0)]
    service.close()


@pytest.mark.parametrize(
    ("felt", "told", "range_of_it"),
    [(40.0, 40.0, {"below range"}), (41.0, 41.0, set()), (400.0, 400.0, {"above range"})],
)
def test_at_an_end_of_its_range_the_sensor_says_so(felt: float, told: float, range_of_it: set[str]) -> None:
    service = playing(SimClock(), Kept())
    service.show(felt)
    (reading,) = service.received() or ()
    assert reading.glucose_mg_per_dl == told
    assert {each for each in reading.annunciated if each.endswith("range")} == range_of_it
    service.close()


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -1.0])
def test_what_is_no_glucose_is_refused(value: float) -> None:
    service = playing(SimClock(), Kept())
    with pytest.raises(ValueError, match="it is a finite number, 0 or more"):
        service.show(value)
    service.close()


def test_a_bench_that_is_left_shows_nothing_any_more() -> None:
    clock = SimClock()
    service = playing(clock, Kept())
    service.show(120.0)
    clock.sleep(300.0 - clock.now())
    service.make_safe()
    assert [each.glucose_mg_per_dl for each in service.received() or ()] == [120.0, None]
    service.close()
    service.make_safe()  # nothing is opened for it


def test_a_fault_before_the_first_value_is_there_at_the_first_value() -> None:
    service = playing(SimClock(), Kept())
    service.fail(LinkFault.SESSION_STOPPED)
    service.show(120.0)
    assert service.received() == []
    service.fail(None)
    service.show(121.0)
    assert [each.glucose_mg_per_dl for each in service.received() or ()] == [121.0]
    service.close()
