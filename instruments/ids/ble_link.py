"""ATT PDUs over Bluetooth LE, by bumble: the second link, with the same two methods as the serial one.

    ble://usb:0/F0:F1:F2:F3:F4:F5            a USB dongle, and the pump's address; with /P behind it a public one
    ble://serial:/dev/ttyUSB1,115200/F0:…    a controller with HCI over UART; any transport that bumble opens

bumble runs on an event loop that belongs to the link and turns only while the link is asked for something. Its ATT is
not used: what the driver says goes out as it is, on L2CAP's fixed channel. Not responsible for what the PDUs mean, nor
for pairing: a pump that wants an encrypted link refuses what it protects (ATT error 05 or 0F).
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

from rig.clock import Clock, Deadline
from rig.errors import NotConnectedError
from rig.wire import ByteLog, Radio, RadioTransport, incident_of

SCHEME = "ble://"
ATT_CHANNEL = 4
"""L2CAP channel of the Attribute Protocol (Core specification 5.4, Vol 3 Part A, 2.1)."""
REPLY_WITHIN_S = 30.0
"""ATT transaction time-out (Core specification 5.4, Vol 3 Part F, 3.3.3)."""
POLL_S = 0.002
SHORTEST_S = 1e-9
"""A simulated clock goes on by it; by less it stands."""
TURNS = 12
"""Turns of the loop from poll to poll: what is ready there passes through bumble's layers, one a turn."""
OPEN_WITHIN_S = 10.0
OWN_ADDRESS = "C0:FF:EE:00:00:01"


class _Loop(asyncio.SelectorEventLoop):
    """An event loop whose timers go by the bench's clock: bumble's own intervals too."""

    def __init__(self, clock: Clock) -> None:
        self._bench_clock = clock
        super().__init__()

    def time(self) -> float:
        return self._bench_clock.now()


class BleLink:
    """The link to one pump over Bluetooth LE.

    Args:
        url: ble://transport/address.
        clock: paces the polling.
        log: keeps every PDU.
        radio: opens the transport; bumble's own where None.

    Attributes:
        reply_within_s: how long a pump may take to answer.

    Raises:
        ValueError: the URL has not these two parts.
        NotConnectedError: the radio cannot be opened, or the pump does not answer within 10 s.
    """

    reply_within_s = REPLY_WITHIN_S

    def __init__(self, url: str, clock: Clock, log: ByteLog, radio: Radio | None = None) -> None:
        self.name = f"pump ids on {url}"
        self._clock = clock
        self._log = log
        self._pdus: deque[bytes] = deque()
        self._lost = ""
        self._transport: RadioTransport | None = None
        transport, peer = _parts(url.removeprefix(SCHEME))
        if not (url.startswith(SCHEME) and transport and peer):
            raise ValueError(f"{url!r} is not ble://transport/address, such as ble://usb:0/F0:F1:F2:F3:F4:F5")
        try:
            from bumble.transport import open_transport
        except ImportError as error:
            raise self._not_connected(
                "bumble is not installed", "install it: pip install 'insulin-pump-rig[ble]'"
            ) from error
        self._peer = peer
        self._loop = _Loop(clock)
        try:
            self._wait_for(self._connect(transport, radio or open_transport))
        except BaseException:
            with suppress(NotConnectedError):  # what went wrong first is what matters
                self._give_back()
            raise

    def renew(self) -> bool:
        """Disconnect and connect again: after a time-out a bearer takes no more requests (Vol 3 Part F, 3.3.3)."""
        if not self._lost:
            self._wait_for(self._connection.disconnect())
        self._pdus.clear()
        self._wait_for(self._join())
        return True

    def note(self, what: str) -> None:
        """Keep `what` went wrong and ended nothing."""
        incident_of(self._log)(self._clock.now(), self.name, what)

    def send(self, pdu: bytes) -> None:
        """Send one PDU."""
        self._note(">", pdu)
        self._turn(lambda: self._device.send_l2cap_pdu(self._connection.handle, ATT_CHANNEL, pdu))

    @property
    def damaged_frames(self) -> int:
        """None: the radio's own checks let no damaged one through."""
        return 0

    def receive(self, timeout_s: float) -> bytes | None:
        """The next PDU, None when none has come within `timeout_s`."""
        deadline = Deadline(self._clock, timeout_s)
        self._turn()
        while not self._pdus:
            if self._lost:
                raise self._not_connected(f"the connection was lost ({self._lost})", "is the pump near and powered?")
            if deadline.expired:
                return None
            self._clock.sleep(max(SHORTEST_S, min(POLL_S, deadline.remaining_s)))
            self._turn()
        pdu = self._pdus.popleft()
        self._note("<", pdu)
        return pdu

    def close(self) -> None:
        """Disconnect, and give the radio back."""
        try:
            if not self._lost:
                self._wait_for(self._connection.disconnect())
        finally:
            self._give_back()

    # ---- bumble -----------------------------------------------------------------------------------------------

    async def _connect(self, transport: str, radio: Radio) -> None:
        from bumble.device import Device
        from bumble.hci import Address

        self._transport = await radio(transport)
        device = Device.with_hci("rig", Address(OWN_ADDRESS), self._transport.source, self._transport.sink)
        await device.power_on()
        self._device = device
        await self._join()
        device.l2cap_channel_manager.register_fixed_channel(ATT_CHANNEL, lambda _handle, pdu: self._pdus.append(pdu))

    async def _join(self) -> None:
        self._connection = await self._device.connect(self._peer)
        self._lost = ""
        self._connection.on("disconnection", self._disconnected)

    def _disconnected(self, reason: int) -> None:
        self._lost = f"reason {reason:#04x}"

    def _wait_for(self, work: Awaitable[Any]) -> None:
        """Turn the loop until `work` is done, and let the bench's time pass meanwhile."""
        deadline = Deadline(self._clock, OPEN_WITHIN_S)
        task = asyncio.ensure_future(work, loop=self._loop)
        while not task.done():
            if deadline.expired:
                task.cancel()
                self._turn()
                raise self._not_connected(f"no connection within {OPEN_WITHIN_S:g} s", "is the pump near and powered?")
            self._turn()
            if not task.done():
                self._clock.sleep(POLL_S)
        try:
            task.result()
        except NotConnectedError:
            raise
        except Exception as error:  # bumble and its transports raise errors of many families
            raise self._not_connected(
                f"{type(error).__name__}: {error}", "check the radio and the pump's address"
            ) from error

    def _turn(self, first: Callable[[], object] | None = None) -> None:
        async def some() -> None:
            if first is not None:
                first()
            for _ in range(TURNS):
                await asyncio.sleep(0)

        self._loop.run_until_complete(some())

    def _give_back(self) -> None:
        try:
            if self._transport is not None:
                self._wait_for(self._transport.close())
        finally:
            self._end()

    def _end(self) -> None:
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._turn()
        self._loop.close()

    def _note(self, direction: str, pdu: bytes) -> None:
        self._log.wire(self._clock.now(), self.name, direction, pdu)

    def _not_connected(self, came_back: str, look_at: str) -> NotConnectedError:
        return NotConnectedError(asked="reaching it", of_whom=self.name, came_back=came_back, look_at=look_at)


def _parts(name: str) -> tuple[str, str]:
    """Split transport/address; the /P of a public address belongs to it, as bumble writes it."""
    transport, _, peer = name.removesuffix("/P").rpartition("/")
    return transport, peer + "/P" if peer and name.endswith("/P") else peer
