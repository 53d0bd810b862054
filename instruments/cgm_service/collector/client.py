"""A collector of CGM measurements over Bluetooth LE, by bumble: how a controller outside of a pump reads its sensor.

It subscribes, reads what the sensor offers, tells it the time, catches up by record access what it has missed, and
refuses what is damaged. It runs on whatever event loop it is awaited on. Not responsible for what a controller makes
of a reading. Sources: Continuous Glucose Monitoring Service 1.0.2; the behaviour is the house's own.
"""

from __future__ import annotations

import asyncio
import datetime
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from instruments.cgm_service.collector.octets import (
    DamagedOctetsError,
    HeardFeatures,
    HeardRecord,
    features_in,
    measured_in,
    report_from,
    start_time_in,
    status_in,
    time_octets,
)
from rig.roles import GlucoseReading
from rig.wire import RadioTransport

if TYPE_CHECKING:
    from bumble.core import UUID
    from bumble.device import Connection, Device, Peer
    from bumble.gatt_client import CharacteristicProxy

CGM_SERVICE = 0x181F
CGM_MEASUREMENT, CGM_FEATURE, CGM_STATUS, SESSION_START_TIME = 0x2AA7, 0x2AA8, 0x2AA9, 0x2AAA
RECORD_ACCESS = 0x2A52
INTERVAL_MIN = 5
"""So often sensors measure; one that measures more often has these time offsets, too."""
REPORTED, NONE_FOUND = b"\x01", b"\x06"
HEARD_WITHIN_S = 3.0
ANSWER_WITHIN_S = 30.0
OWN_ADDRESS = "C0:FF:EE:00:00:02"
DAY_0 = datetime.datetime(2000, 1, 1)
"""What the collector calls the bench clock's second 0, so that nothing depends on the day."""

Note = Callable[[str, int, bytes], None]
"""Is given ">" or "<", the characteristic's number, and the octets of each exchange."""


class Collector:
    """Reads one sensor, and keeps what it has read until it is fetched.

    Args:
        peer: the sensor's address, as bumble writes it.
        now_s: the bench's clock, in s.
        note: keeps all octets.
        incident: keeps a sentence on what went wrong and ended nothing.
    """

    def __init__(
        self, peer: str, now_s: Callable[[], float], note: Note, incident: Callable[[str], None]
    ) -> None:  # fmt: skip
        self._peer, self._now_s, self._note, self._incident = peer, now_s, note, incident
        self._connection: Connection | None = None
        self._features = HeardFeatures(with_crc=False)
        self._began_s: float | None = None
        self._seen: set[int] = set()
        self._gone: set[int] = set()
        self._had_until_min = 0
        self._came: deque[tuple[float, bytes]] = deque()
        self._readings: list[GlucoseReading] = []
        self._answered: asyncio.Future[bytes] | None = None
        self._joining: asyncio.Future[Connection] | None = None

    async def power_on(self, transport: RadioTransport) -> None:
        """Switch the radio on; nobody is connected yet."""
        from bumble.device import Device
        from bumble.hci import Address

        device = Device.with_hci("collector", Address(OWN_ADDRESS), transport.source, transport.sink)
        await device.power_on()
        self._device: Device = device

    async def join(self) -> None:
        """Connect, subscribe, and read what the sensor offers; raises what bumble raises when nobody answers."""
        from bumble.core import UUID
        from bumble.device import Peer

        # a request that stands: whenever the sensor is heard again it is taken, as by a phone
        if self._joining is None:
            self._joining = asyncio.ensure_future(self._device.connect(self._peer))
        done, _ = await asyncio.wait({self._joining}, timeout=HEARD_WITHIN_S)
        if not done:
            raise TimeoutError("it is not heard")
        joined, self._joining = self._joining, None
        connection = joined.result()
        try:
            await self._subscribe(Peer(connection), UUID.from_16_bits(CGM_SERVICE))
        except BaseException:
            with suppress(Exception):  # what went wrong first is what matters
                await connection.disconnect()
            raise
        connection.on("disconnection", self._lost)
        self._connection = connection

    async def _subscribe(self, peer: Peer, service_uuid: UUID) -> None:
        found: dict[int, CharacteristicProxy[bytes]] = {}
        for service in await peer.discover_service(service_uuid):
            for each in await service.discover_characteristics():
                found[int.from_bytes(each.uuid.to_bytes()[:2], "little")] = each
        self._found = found
        self._features = features_in(await self._read(CGM_FEATURE))
        await found[RECORD_ACCESS].subscribe(self._access_answered, prefer_notify=False)
        await found[CGM_MEASUREMENT].subscribe(self._measurement_came)
        await self._agree_on_time()

    async def collect(self) -> None:
        """Make readings of what has come; join anew, and catch up what is missing, where something is."""
        await self._take_in(caught_up=False)
        if self._connection is not None and self._missing_min is None:
            return
        try:
            if self._connection is None:
                await self.join()
                await self._take_in(caught_up=False)
            if self._missing_min is not None:
                await self._catch_up()
        except DamagedOctetsError as error:
            self._incident(str(error))
        except Exception as error:  # bumble and its transports raise errors of many families
            self._incident(f"the sensor was not reached: {type(error).__name__} {error}".rstrip())

    def fetch(self) -> list[GlucoseReading]:
        """Hand over the readings since the last time, in the order in which they came."""
        found, self._readings = self._readings, []
        return found

    async def leave(self) -> None:
        """Disconnect."""
        if self._connection is not None:
            with suppress(Exception):  # it may have gone by itself
                await self._connection.disconnect()

    # ---- the sensor's session -------------------------------------------------------------------------------------

    @property
    def _missing_min(self) -> int | None:
        """The time offset of the first record that is due and has not come: a sensor measures every 5 min (3.1.1.4)."""
        while self._had_until_min in self._seen or self._had_until_min in self._gone:
            self._had_until_min += INTERVAL_MIN
        if self._began_s is None:
            return self._had_until_min
        due_min = INTERVAL_MIN * int((self._now_s() - self._began_s + 1.0) // (60.0 * INTERVAL_MIN))
        return self._had_until_min if self._had_until_min <= due_min else None

    def _forget(self) -> None:
        """Know nothing of a session that is new."""
        self._seen.clear()
        self._gone.clear()
        self._had_until_min = 0

    async def _agree_on_time(self) -> None:
        """Tell a sensor what time it is that does not know it, as one does whose session is new; keep its start."""
        _, annunciated = status_in(await self._read(CGM_STATUS), with_crc=self._features.with_crc)
        if "session stopped" in annunciated:
            return
        if "time not set" in annunciated:
            self._forget()
            now = DAY_0 + datetime.timedelta(seconds=self._now_s())
            await self._write(SESSION_START_TIME, time_octets(now, with_crc=self._features.with_crc))
        began = start_time_in(await self._read(SESSION_START_TIME), with_crc=self._features.with_crc)
        self._began_s = None if began is None else (began - DAY_0).total_seconds()

    async def _catch_up(self) -> None:
        """Ask for all records from the first missing one on; one that a sensor does not have any more is given up."""
        await self._agree_on_time()
        first_min = self._missing_min
        if first_min is None:
            return
        self._answered = asyncio.get_running_loop().create_future()
        await self._write(RECORD_ACCESS, report_from(first_min))
        answer = await asyncio.wait_for(self._answered, ANSWER_WITHIN_S)
        if answer[:3] != bytes([0x06, 0x00, 0x01]) or answer[3:] not in (REPORTED, NONE_FOUND):
            raise DamagedOctetsError(f"record access {answer.hex(' ')}: the records were not reported")
        if await self._take_in(caught_up=True):
            newest_min = max(self._seen, default=0)
            self._gone |= set(range(first_min, newest_min, INTERVAL_MIN)) - self._seen

    async def _take_in(self, *, caught_up: bool) -> bool:
        """Make readings of what has come; returns whether none of it was damaged."""
        whole = True
        while self._came:
            at_s, octets = self._came.popleft()
            try:
                found = measured_in(octets, with_crc=self._features.with_crc)
                if any("time not set" in each.annunciated for each in found) and not caught_up:
                    await self._agree_on_time()
            except DamagedOctetsError as error:
                self._incident(str(error))
                whole = False
                continue
            for each in found:
                if each.offset_min not in self._seen:
                    self._seen.add(each.offset_min)
                    self._readings.append(self._reading(each, at_s, caught_up=caught_up))
        return whole

    def _reading(self, each: HeardRecord, at_s: float, *, caught_up: bool) -> GlucoseReading:
        return GlucoseReading(
            received_at_s=at_s,
            measured_at_s=None if self._began_s is None else self._began_s + 60.0 * each.offset_min,
            offset_min=each.offset_min,
            glucose_mg_per_dl=each.glucose_mg_per_dl,
            annunciated=each.annunciated,
            trend_mg_per_dl_per_min=each.trend_mg_per_dl_per_min,
            quality_percent=each.quality_percent,
            caught_up=caught_up,
        )

    # ---- octets ---------------------------------------------------------------------------------------------------

    async def _read(self, characteristic: int) -> bytes:
        octets = bytes(await self._found[characteristic].read_value())
        self._note("<", characteristic, octets)
        return octets

    async def _write(self, characteristic: int, octets: bytes) -> None:
        self._note(">", characteristic, octets)
        await self._found[characteristic].write_value(octets, with_response=True)

    def _measurement_came(self, octets: bytes) -> None:
        self._note("<", CGM_MEASUREMENT, octets)
        self._came.append((self._now_s(), bytes(octets)))

    def _access_answered(self, octets: bytes) -> None:
        self._note("<", RECORD_ACCESS, octets)
        if self._answered is not None and not self._answered.done():
            self._answered.set_result(bytes(octets))

    def _lost(self, reason: Any) -> None:  # noqa: ANN401 - bumble's reason
        self._connection = None
        self._incident(f"the link to the sensor was lost (reason {int(reason):#04x})")
