"""The radio side of a pump whose controller speaks ATT on its serial line: a bumble peripheral on a virtual link.

What comes on L2CAP's ATT channel goes to the controller in its frames and back, as a Bluetooth module beside it would
do; the controller is the ATT server. Frames after `instruments/ids/protocol.md`, section 1, written here anew: the far
side shares nothing with the near one. Not responsible for radio: the link loses nothing and takes no time.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rig.virtual.port import Port

if TYPE_CHECKING:
    from bumble.device import Device
    from bumble.transport.common import TransportSink, TransportSource

ATT_CHANNEL = 4
FLAG, ESCAPE, FLIP = 0x7E, 0x7D, 0x20
PUMP_ADDRESS = "F0:F1:F2:F3:F4:F5"


def check_sequence(octets: bytes) -> bytes:
    """The frame check sequence of RFC 1662, low octet first."""
    value = 0xFFFF
    for octet in octets:
        value ^= octet
        for _ in range(8):
            value = value >> 1 ^ (0x8408 if value & 1 else 0)
    return (value ^ 0xFFFF).to_bytes(2, "little")


def framed(pdu: bytes) -> bytes:
    """Put a PDU into a frame."""
    frame = bytearray([FLAG])
    for octet in pdu + check_sequence(pdu):
        frame += bytes([ESCAPE, octet ^ FLIP]) if octet in (FLAG, ESCAPE) else bytes([octet])
    return bytes(frame) + bytes([FLAG])


@dataclass
class Unframer:
    """Takes frames apart; what is damaged is dropped."""

    _body: bytearray = field(default_factory=bytearray)

    def feed(self, octets: bytes) -> list[bytes]:
        """The PDUs that `octets` complete."""
        pdus = []
        for octet in octets:
            if octet != FLAG:
                self._body.append(octet)
                continue
            body, self._body = bytes(self._body), bytearray()
            plain, escaped = bytearray(), False
            for one in body:
                if one == ESCAPE and not escaped:
                    escaped = True
                else:
                    plain.append(one ^ FLIP if escaped else one)
                    escaped = False
            if len(plain) > 2 and check_sequence(bytes(plain[:-2])) == bytes(plain[-2:]):
                pdus.append(bytes(plain[:-2]))
        return pdus


@dataclass
class Transport:
    """What a host speaks HCI to."""

    source: TransportSource
    sink: TransportSink
    pump: asyncio.Task[None]

    async def close(self) -> None:
        """Switch the radio off."""
        self.pump.cancel()


class BleBridge:
    """The pump's radio, and a dongle for whoever wants to reach it.

    Args:
        port: the controller's serial line.

    Attributes:
        out_of_range: fault: every connection is lost.
    """

    def __init__(self, port: Port) -> None:
        self.out_of_range = False
        self._port = port
        self._unframer = Unframer()

    async def open(self, name: str) -> Transport:
        """A dongle on the virtual link, whatever its `name`; the pump advertises there from now on."""
        from bumble.controller import Controller
        from bumble.device import Device
        from bumble.hci import Address
        from bumble.host import Host
        from bumble.link import LocalLink
        from bumble.transport.common import AsyncPipeSink

        del name
        air = LocalLink()
        here = Controller("pump", link=air)
        device = Device("pump", address=Address(PUMP_ADDRESS), host=Host(here, AsyncPipeSink(here)))
        device.l2cap_channel_manager.register_fixed_channel(ATT_CHANNEL, self._to_controller)
        await device.power_on()
        await device.start_advertising(auto_restart=True)
        dongle = Controller("dongle", link=air)
        return Transport(dongle, AsyncPipeSink(dongle), asyncio.ensure_future(self._carry(device)))

    def _to_controller(self, _handle: int, pdu: bytes) -> None:
        self._port.host_write(framed(pdu))

    async def _carry(self, device: Device) -> None:
        """Send on what the controller has said whenever the loop turns."""
        while True:
            if self.out_of_range:
                for connection in list(device.connections.values()):
                    await connection.disconnect()
            if waiting := self._port.host_waiting():
                pdus = self._unframer.feed(self._port.host_read(waiting, timeout_s=0.0))
                for connection in list(device.connections.values()):
                    for pdu in pdus:
                        device.send_l2cap_pdu(connection.handle, ATT_CHANNEL, pdu)
            await asyncio.sleep(0)
