"""The glucose sensor that the rig plays over Bluetooth LE, and the collector of the controller beside the bench.

    ble://usb:0/F0:F1:F2:F3:F4:C6        a dongle, and the address under which the sensor is found

`sensor` is what is played, `collector` who reads it: two hosts with a radio each, which share no line of code about
what is on the air. The radios are opened when they are first needed. Not responsible for what is shown.
Source: Bluetooth Continuous Glucose Monitoring Service 1.0.2, see protocol.md.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from typing import Annotated, Any, TypeVar

from pydantic import Field

from instruments.cgm_service.collector.client import Collector
from instruments.cgm_service.sensor.octets import Offered
from instruments.cgm_service.sensor.server import MAKER, MODEL, PlayedSensor
from instruments.cgm_service.sensor.session import SensorMake
from instruments.cgm_service.turning import OnBenchTime, OnThread, Turning
from rig.clock import Clock
from rig.errors import NotConnectedError
from rig.roles import GlucoseReading, Identity, LinkFault
from rig.wire import ByteLog, Radio, RadioTransport, incident_of

ROLE = "sensor"
"""What it does on a bench: the table of a bench file that it belongs into."""
NUMBERED_BY_HAND = True
"""Its number is what the bench file calls it."""

SCHEME = "ble://"
OPEN_WITHIN_S, WITHIN_S = 10.0, 60.0
VERSION = "CGMS 1.0.2"

Made = TypeVar("Made")
QualityPercent = Annotated[float, Field(ge=0.0, le=100.0)]
RunTimeH = Annotated[int, Field(ge=1, le=1000)]


class CgmService:
    """Role of the glucose sensor over Bluetooth LE.

    Args:
        port: ble://transport/address.
        collector: transport of the collector's radio; None: nobody of the rig listens.
        make: which sensor is played.
        serial_number: by which it names itself.
        clock: the bench's.
        log: keeps what the collector heard and wrote.
        radio: opens transports; bumble's own where None.

    Raises:
        ValueError: the port is not ble://transport/address, or both have one radio.
    """

    def __init__(
        self, port: str, collector: str | None, make: SensorMake, serial_number: str,
        *, clock: Clock, log: ByteLog, radio: Radio | None,
    ) -> None:  # fmt: skip
        self._name = f"sensor cgm_service on {port}"
        self._transport, self._address = _parts(port)
        if collector == self._transport:
            raise ValueError(f"options.collector is {collector!r}, the sensor's own radio; the collector needs another")
        self._collectors_transport = collector
        self._serial_number, self._clock, self._log, self._radio = serial_number, clock, log, radio
        self._sensor = PlayedSensor(make, serial_number, clock.now)
        self._collector: Collector | None = None
        self._notes: deque[tuple[float, int, str, bytes]] = deque()
        self._incidents: deque[tuple[float, str]] = deque()
        self._turning: Turning | None = None
        self._transports: list[RadioTransport] = []

    def identify(self) -> Identity:
        """The name plate of the played sensor, as its Device Information Service tells it."""
        return Identity(MAKER, MODEL, self._serial_number, VERSION)

    def self_test(self) -> str:
        """Switch real radios on, so that a dongle that is missing is found; a simulated one cannot be."""
        if self._radio is not None:
            return "plays a sensor on the virtual link from its first value on"
        self._running()
        return f"is found as {self._address}"

    def show(self, glucose_mg_per_dl: float) -> None:
        """Show this glucose in mg/dL from now on; the first one begins the sensor's session.

        Raises:
            ValueError: it is no number, or negative.
            NotConnectedError: a radio cannot be opened.
        """
        self._do(lambda: self._sensor.feel(glucose_mg_per_dl))

    def show_nothing(self) -> None:
        """Show a sensor that malfunctions: records come, without a value."""
        self._do(lambda: self._sensor.feel(None))

    def received(self) -> Sequence[GlucoseReading] | None:
        """Let the collector read what has come, and catch up what it missed; None where the bench has none."""
        if self._collectors_transport is None:
            return None
        collector = self._running()
        assert collector is not None
        self._do(collector.collect)
        return collector.fetch()

    def fail(self, fault: LinkFault | None) -> None:
        """Let the link fail in one way from now on; None: no longer. A session that was stopped begins anew."""
        sensor = self._sensor

        async def let() -> None:
            sensor.holds_back = fault is LinkFault.PACKETS_LOST
            sensor.damages = fault is LinkFault.BAD_CRC
            await sensor.be_heard(fault is not LinkFault.LINK_LOST)
            if fault is LinkFault.SESSION_STOPPED:
                await sensor.stop_session()
            elif sensor.stopped:
                await sensor.start_session()

        self._do(let)

    def make_safe(self) -> None:
        """Show nothing, so that no pump doses by a value that nobody stands behind any more."""
        if self._turning is not None:
            self.show_nothing()

    def close(self) -> None:
        """Switch the radios off."""
        if self._turning is None:
            return
        turning, self._turning = self._turning, None
        try:
            for transport in self._transports:
                with suppress(Exception):  # a dongle that was pulled out is off
                    turning.do(transport.close, OPEN_WITHIN_S)
        finally:
            self._transports.clear()
            turning.end()
            self._tell()

    # ---- radios ---------------------------------------------------------------------------------------------------

    def _running(self) -> Collector | None:
        """Switch the radios on where they are not."""
        if self._turning is None:
            self._turning = OnThread() if self._radio is None else OnBenchTime(self._clock)
            try:
                self._turning.do(self._power_on, OPEN_WITHIN_S)
            except ImportError as error:
                self.close()
                raise self._not_connected(
                    "bumble is not installed", "install it: pip install 'insulin-pump-rig[ble]'"
                ) from error
            except Exception as error:  # bumble and its transports raise errors of many families
                self.close()
                raise self._not_connected(f"{type(error).__name__}: {error}", "check the radios in [sensor]") from error
        return self._collector

    async def _power_on(self) -> None:
        from bumble.transport import open_transport

        radio = self._radio or open_transport
        transport = await radio(self._transport)
        self._transports.append(transport)
        await self._sensor.power_on(transport, self._address)
        if self._collectors_transport is not None:
            self._collector = Collector(self._address, self._clock.now, self._note, self._incident)
            transport = await radio(self._collectors_transport)
            self._transports.append(transport)
            await self._collector.power_on(transport)
            await self._collector.join()

    def _do(self, work: Callable[[], Coroutine[Any, Any, Made]]) -> Made:
        self._running()
        assert self._turning is not None
        try:
            return self._turning.do(work, WITHIN_S)
        except TimeoutError as error:
            raise self._not_connected(f"nothing happened within {WITHIN_S:g} s", "check the radios") from error
        finally:
            self._tell()

    def _note(self, direction: str, characteristic: int, octets: bytes) -> None:
        self._notes.append((self._clock.now(), characteristic, direction, octets))

    def _incident(self, what: str) -> None:
        self._incidents.append((self._clock.now(), what))

    def _tell(self) -> None:
        """Keep what the loop's thread has noted: the log belongs to this one."""
        while self._notes:
            at_s, characteristic, direction, octets = self._notes.popleft()
            self._log.wire(at_s, f"{self._name} {characteristic:04X}", direction, octets)
        while self._incidents:
            at_s, what = self._incidents.popleft()
            incident_of(self._log)(at_s, self._name, what)

    def _not_connected(self, came_back: str, look_at: str) -> NotConnectedError:
        return NotConnectedError(asked="playing it", of_whom=self._name, came_back=came_back, look_at=look_at)


def _parts(port: str) -> tuple[str, str]:
    """Split ble://transport/address; ValueError where it is none."""
    transport, _, address = port.removeprefix(SCHEME).rpartition("/")
    if not (port.startswith(SCHEME) and transport and address):
        raise ValueError(f"port is {port!r}, and not ble://transport/address, such as ble://usb:0/F0:F1:F2:F3:F4:C6")
    return transport, address


def open_driver(
    port: str,
    *,
    clock: Clock,
    log: ByteLog,
    serial_number: str,
    radio: Radio | None = None,
    collector: str | None = None,
    crc: bool = True,
    trend: bool = True,
    quality_percent: QualityPercent | None = None,
    run_time_h: RunTimeH = 240,
) -> CgmService:
    """Make the sensor; no radio is opened yet.

    Args:
        port: ble://transport/address.
        clock: the bench's.
        log: keeps what the collector heard and wrote.
        serial_number: by which the sensor names itself.
        radio: opens transports; bumble's own where None.
        collector: transport of the collector's radio, such as "usb:1"; None where only a pump listens.
        crc: everything is protected by an E2E-CRC.
        trend: records tell the change since the last.
        quality_percent: records tell this quality; None: none.
        run_time_h: for how long the sensor says that it is approved.
    """
    offered = Offered.PATIENT_ALERTS | Offered.MALFUNCTION_DETECTION | Offered.RANGE_DETECTION
    offered |= Offered.MULTIPLE_SESSIONS
    for offers, feature in (
        (crc, Offered.E2E_CRC),
        (trend, Offered.TREND),
        (quality_percent is not None, Offered.QUALITY),
    ):
        offered |= feature if offers else Offered(0)
    make = SensorMake(offered, run_time_h=run_time_h, quality_percent=quality_percent or 0.0)
    return CgmService(port, collector, make, serial_number, clock=clock, log=log, radio=radio)
