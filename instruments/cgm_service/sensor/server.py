"""The played sensor's GATT server, by bumble: the CGM Service and the Device Information Service, and its faults.

It runs on whatever event loop it is awaited on. Not responsible for what is measured (`session`) or answered
(`control`). The link is not encrypted: the specification asks for authentication, which is left to whoever pairs.
Sources: Continuous Glucose Monitoring Service 1.0.2, table 3.1; Assigned Numbers for the UUIDs.
"""

from __future__ import annotations

import asyncio
import datetime
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from instruments.cgm_service.sensor.control import (
    ABORT,
    IN_PROGRESS,
    NOT_CONFIGURED,
    Answer,
    OpsPoint,
    RefusedWrite,
    access_records,
    without_crc,
)
from instruments.cgm_service.sensor.octets import (
    SensorRecord,
    feature_octets,
    record_octets,
    run_time_octets,
    start_time_octets,
    status_octets,
)
from instruments.cgm_service.sensor.session import CgmSession, SensorMake
from rig.wire import RadioTransport

if TYPE_CHECKING:
    from bumble.att import AttributeValue
    from bumble.device import Connection, Device
    from bumble.gatt import Characteristic

SERVICE = 0x181F
MEASUREMENT, FEATURE, STATUS, START_TIME, RUN_TIME, OPS = 0x2AA7, 0x2AA8, 0x2AA9, 0x2AAA, 0x2AAB, 0x2AAC
ACCESS = 0x2A52
MAKER, MODEL = "insulin-pump-rig", "played CGM sensor"
INVALID_LENGTH, OUT_OF_RANGE = 0x0D, 0xFF
"""Errors of ATT for a start time that is none."""
START_TIME_OCTETS = 9
IDLE = b""


class PlayedSensor:
    """A CGM sensor that shows what it is told.

    Args:
        make: which sensor.
        serial_number: by which it names itself.
        now_s: the bench's clock, in s.

    Attributes:
        session: what it measures and stores.
        holds_back: fault: measurements are stored and not notified.
        damages: fault: the CRC of every record is wrong.
        stopped: somebody has ended the session, and nobody has begun another.
    """

    def __init__(self, make: SensorMake, serial_number: str, now_s: Callable[[], float]) -> None:
        self.session = CgmSession(make)
        self.ops = OpsPoint(self.session)
        self.holds_back = self.damages = self.stopped = False
        self._serial_number, self._now_s = serial_number, now_s
        self._hears = True
        self._untold: list[SensorRecord] = []
        self._told_at_min: int | None = None
        self._abort = self._reporting = False

    async def power_on(self, transport: RadioTransport, address: str) -> None:
        """Switch the radio on under an address, and advertise."""
        from bumble.core import UUID, AdvertisingData
        from bumble.device import Device
        from bumble.gatt import Service
        from bumble.hci import Address
        from bumble.profiles.device_information_service import DeviceInformationService

        device = Device.with_hci(MODEL, Address(address), transport.source, transport.sink)
        device.add_service(DeviceInformationService(MAKER, MODEL, self._serial_number))
        self._measurement, self._access, self._control, others = _characteristics(self)
        device.add_service(
            Service(UUID.from_16_bits(SERVICE), [*others, self._measurement, self._access, self._control])
        )
        device.advertising_data = bytes(
            AdvertisingData(
                [
                    (AdvertisingData.COMPLETE_LOCAL_NAME, MODEL.encode()),
                    (AdvertisingData.COMPLETE_LIST_OF_16_BIT_SERVICE_CLASS_UUIDS, SERVICE.to_bytes(2, "little")),
                ]
            )
        )
        self._device: Device = device
        device.on("connection", lambda connection: connection.on("disconnection", self._left))
        await device.power_on()
        await device.start_advertising()

    async def feel(self, glucose_mg_per_dl: float | None) -> None:
        """Feel a glucose in mg/dL from now on (None: nothing valid), and tell what is measured because of the time.

        A sensor that was never told anything begins its session by it.
        """
        if not self.session.runs and not self.stopped:
            self.session.begin(self._now_s())
        await self._tell(self.session.feel(glucose_mg_per_dl, self._now_s()))

    async def start_session(self) -> None:
        """Begin a session anew, as a new sensor does."""
        self.stopped = False
        self.session.begin(self._now_s())
        self._forget()

    async def stop_session(self) -> None:
        """End the session: nothing is measured from now on."""
        self.stopped = True
        await self._tell(self.session.stop(self._now_s()))

    async def be_heard(self, heard: bool) -> None:
        """Lose the link and stay out of range, or come back."""
        if heard == self._hears:
            return
        self._hears = heard
        if heard:
            await self._device.start_advertising()
            return
        await self._device.stop_advertising()
        for connection in list(self._device.connections.values()):
            await connection.disconnect()

    def _left(self, _reason: int) -> None:
        if self._hears:
            self._returning = asyncio.ensure_future(self._device.start_advertising())

    async def _tell(self, measured: Sequence[SensorRecord]) -> None:
        """Notify what was measured, by the client's interval; a control point's procedure goes first (3.8.3)."""
        interval_min = self.ops.interval_min
        self._untold += measured
        if not self._untold or self._reporting:
            return
        last_min = self._untold[-1].offset_min
        if not interval_min or (self._told_at_min is not None and last_min - self._told_at_min < interval_min):
            return
        records, self._untold, self._told_at_min = self._untold, [], last_min
        if not self.holds_back:
            for record in records:
                await self._device.notify_subscribers(self._measurement, self._octets(record))

    def _forget(self) -> None:
        self._untold, self._told_at_min = [], None

    def _octets(self, record: SensorRecord) -> bytes:
        octets = record_octets(record, with_crc=self.session.make.with_crc)
        return octets[:-1] + bytes([octets[-1] ^ 0x01]) if self.damages else octets

    # ---- what clients read and write ------------------------------------------------------------------------------

    def read_feature(self, _: Connection) -> bytes:
        """Tell what the sensor can do."""
        return feature_octets(self.session.make.offered)

    def read_status(self, _: Connection) -> bytes:
        """Tell how it is."""
        session = self.session
        offset_min = session.offset_min(self._now_s())
        return status_octets(offset_min, session.annunciated, with_crc=session.make.with_crc)

    def read_start_time(self, _: Connection) -> bytes:
        """Tell when the session began."""
        session = self.session
        return start_time_octets(session.start, session.zone, session.summer, with_crc=session.make.with_crc)

    def read_run_time(self, _: Connection) -> bytes:
        """Tell for how long it is approved."""
        return run_time_octets(self.session.make.run_time_h, with_crc=self.session.make.with_crc)

    def write_start_time(self, _: Connection, octets: bytes) -> None:
        """Hear what time it is."""
        with _as_att_error():
            if self.session.make.with_crc:
                octets = without_crc(octets, whole=START_TIME_OCTETS)
            if len(octets) != START_TIME_OCTETS:
                raise RefusedWrite(INVALID_LENGTH)
            try:
                date = datetime.datetime(int.from_bytes(octets[:2], "little"), *octets[2:7])
            except ValueError as error:
                raise RefusedWrite(OUT_OF_RANGE) from error
            self.session.set_time(date, octets[7], octets[8], self._now_s())

    async def write_ops(self, connection: Connection, octets: bytes) -> None:
        """Begin a procedure of the Specific Ops Control Point."""
        with _as_att_error():
            self._refuse_unconfigured(connection, self._control)
            answer = self.ops.write(octets, self._now_s())
        self.stopped = not self.session.runs
        if not self.session.records:
            self._forget()
        self._soon(connection, self._control, answer)

    async def write_access(self, connection: Connection, octets: bytes) -> None:
        """Begin a procedure of the Record Access Control Point."""
        with _as_att_error():
            self._refuse_unconfigured(connection, self._access)
            if octets[:1] == bytes([ABORT]):
                self._abort = self._reporting
            elif self._reporting:
                raise RefusedWrite(IN_PROGRESS)
            answer = access_records(self.session, octets)
            if answer.records:
                self._refuse_unconfigured(connection, self._measurement)
        self._soon(connection, self._access, answer)

    def _soon(self, connection: Connection, point: Characteristic[bytes], answer: Answer) -> None:
        """Answer once the write itself has been answered."""
        connection.cancel_on_disconnection(self._carry_out(connection, point, answer))

    async def _carry_out(self, connection: Connection, point: Characteristic[bytes], answer: Answer) -> None:
        if answer.records:
            self._reporting = True
        try:
            for record in answer.records:
                if self._abort:
                    self._abort = False
                    return
                await self._device.notify_subscriber(connection, self._measurement, self._octets(record))
                await asyncio.sleep(0)  # so that an abort is heard
        finally:
            if answer.records:
                self._reporting = False
        await self._device.indicate_subscriber(connection, point, answer.indication)
        await self._tell(answer.measured)

    def _refuse_unconfigured(self, connection: Connection, point: Characteristic[bytes]) -> None:
        configured = self._device.gatt_server.subscribers.get(connection, {}).get(point.handle, IDLE)
        if not any(configured):
            raise RefusedWrite(NOT_CONFIGURED)


@contextmanager
def _as_att_error() -> Iterator[None]:
    """Let ATT tell the client by its number what is refused."""
    from bumble.att import ATT_Error

    try:
        yield
    except RefusedWrite as error:
        raise ATT_Error(error.code) from error


def _characteristics(
    sensor: PlayedSensor,
) -> tuple[Characteristic[bytes], Characteristic[bytes], Characteristic[bytes], list[Characteristic[bytes]]]:
    """Make the service's characteristics: measurement, record access, specific operations, and the others."""
    from bumble.core import UUID
    from bumble.gatt import Characteristic, CharacteristicValue

    can, may = Characteristic.Properties, Characteristic.Permissions
    read, write = may.READABLE, may.WRITEABLE

    def characteristic(
        uuid: int, properties: int, permissions: int, value: AttributeValue[bytes] | bytes = b""
    ) -> Characteristic[bytes]:
        return Characteristic(UUID.from_16_bits(uuid), can(properties), may(permissions), value)

    return (
        characteristic(MEASUREMENT, can.NOTIFY, 0),
        characteristic(ACCESS, can.WRITE | can.INDICATE, write, CharacteristicValue(write=sensor.write_access)),
        characteristic(OPS, can.WRITE | can.INDICATE, write, CharacteristicValue(write=sensor.write_ops)),
        [
            characteristic(FEATURE, can.READ, read, CharacteristicValue(read=sensor.read_feature)),
            characteristic(STATUS, can.READ, read, CharacteristicValue(read=sensor.read_status)),
            characteristic(
                START_TIME, can.READ | can.WRITE, read | write,
                CharacteristicValue(read=sensor.read_start_time, write=sensor.write_start_time),
            ),
            characteristic(RUN_TIME, can.READ, read, CharacteristicValue(read=sensor.read_run_time)),
        ],
    )  # fmt: skip
