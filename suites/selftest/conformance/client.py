"""A client of the Insulin Delivery Service that knows octets, counters and checksums, and nothing of insulin.

It speaks to any pump over any link that carries ATT PDUs. Not responsible for the link, nor for what is asked.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

READ, WRITE = "0a", "12"
CHARACTERISTICS = {
    "status changed": 0x2B20,
    "status": 0x2B21,
    "annunciation": 0x2B22,
    "features": 0x2B23,
    "reader": 0x2B24,
    "command": 0x2B25,
    "command data": 0x2B26,
    "racp": 0x2B27,
    "history": 0x2B28,
    "current time": 0x2A2B,
}
"""By the names that the tables use: UUIDs of the Bluetooth SIG's assigned numbers."""

CONTROL_POINTS, DATA = ("reader", "command", "racp"), ("command data", "history")


class Link(Protocol):
    """Carries one ATT PDU at a time, both ways."""

    def send(self, pdu: bytes) -> None:
        """Send one PDU."""
        ...

    def receive(self, timeout_s: float) -> bytes | None:
        """The next PDU, None when none has come within `timeout_s`."""
        ...


@dataclass(frozen=True)
class Answer:
    """What a procedure brought: what was notified and what was indicated at the end, less counters and checksums."""

    data: tuple[bytes, ...]
    indication: bytes


@dataclass
class Client:
    """One connection to a pump.

    Attributes:
        link: what carries the PDUs.
        handles: value handle by characteristic's name, as discovered; a name that is not there is not offered.
        properties: what may be done with each, as bits: read 02, write 08, notify 10, indicate 20.
    """

    link: Link
    handles: dict[str, int] = field(default_factory=dict)
    properties: dict[str, int] = field(default_factory=dict)
    _sent: dict[str, int] = field(default_factory=dict)
    _heard: dict[str, int] = field(default_factory=dict)
    _values: list[tuple[int, str, bytes]] = field(default_factory=list)

    def connect(self, *, configured: tuple[str, ...] = (*CONTROL_POINTS, *DATA)) -> None:
        """Begin a connection: discover, and let the `configured` characteristics indicate or notify."""
        self.handles.clear()
        self._sent.clear()
        self._heard.clear()
        self._values.clear()
        first = 1
        while (found := self.request(f"10 {_u16(first)} ffff 0028"))[0] == 0x11:
            first = int.from_bytes(found[-found[1] :][2:4], "little") + 1
            if first > 0xFFFF:
                break
        first = 1
        while (found := self.request(f"08 {_u16(first)} ffff 0328"))[0] == 0x09:
            for place in range(2, len(found), found[1]):
                first = self._note(found[place : place + found[1]]) + 1
        for name in configured:
            self.configure(name)

    def _note(self, declaration: bytes) -> int:
        handle = int.from_bytes(declaration[3:5], "little")
        uuid = int.from_bytes(declaration[5:7], "little")
        for name in (name for name, known in CHARACTERISTICS.items() if known == uuid):
            self.handles[name] = handle
            self.properties[name] = declaration[2]
        return handle

    def configure(self, name: str, *, on: bool = True) -> None:
        """Let a characteristic indicate or notify, or not."""
        value = (1 if name in DATA else 2) if on else 0
        answer = self.request(f"{WRITE} {_u16(self._configuration(name))} {_u16(value)}")
        assert answer.hex() == "13", f"the configuration of {name} cannot be written: {answer.hex()}"

    def _configuration(self, name: str) -> int:
        """Find the Client Characteristic Configuration descriptor, 2902."""
        last = min((handle for handle in self.handles.values() if handle > self.handles[name]), default=0x10001) - 2
        found = self.request(f"04 {_u16(self.handles[name] + 1)} {_u16(last)}")
        for place in range(2, len(found), 4):
            if found[place + 2 : place + 4] == b"\x02\x29":
                return int.from_bytes(found[place : place + 2], "little")
        raise AssertionError(f"{name} has no Client Characteristic Configuration descriptor")

    # ---- octets --------------------------------------------------------------------------------------------

    def send(self, octets: str) -> None:
        """Send one PDU."""
        self.link.send(bytes.fromhex(octets))

    def expect(self, timeout_s: float = 2.0) -> bytes:
        """The next PDU that is no notification or indication; those are kept."""
        while (pdu := self.link.receive(timeout_s)) is not None:
            if pdu[0] not in (0x1B, 0x1D):
                return pdu
            self._keep(pdu)
        raise AssertionError(f"the pump says nothing for {timeout_s} s")

    def request(self, octets: str) -> bytes:
        """Send a request and get its response."""
        self.send(octets)
        return self.expect()

    def _keep(self, pdu: bytes) -> None:
        handle = int.from_bytes(pdu[1:3], "little")
        name = next(name for name, known in self.handles.items() if known == handle)
        self._values.append((pdu[0], name, pdu[3:]))

    def next_value(self, timeout_s: float = 2.0) -> tuple[int, str, bytes] | None:
        """The next notification or indication: its ATT op code, its characteristic, its octets as sent."""
        if not self._values:
            pdu = self.link.receive(timeout_s)
            if pdu is None:
                return None
            assert pdu[0] in (0x1B, 0x1D), f"nobody asked for {pdu.hex()}"
            self._keep(pdu)
        return self._values.pop(0)

    # ---- values --------------------------------------------------------------------------------------------

    def read(self, name: str) -> bytes:
        """Read a characteristic; gives its octets without counter and checksum, which are checked."""
        answer = self.request(f"{READ} {_u16(self.handles[name])}")
        assert answer[0] == 0x0B, f"{name} cannot be read: {answer.hex()}"
        return self.unprotected(name, answer[1:])

    def write(self, point: str, value: bytes) -> str:
        """Write octets as they are; gives "" when the pump took them, the ATT error code otherwise."""
        handle = _u16(self.handles[point])
        answer = self.request(f"{WRITE} {handle} {value.hex()}").hex()
        if answer == "13":
            return ""
        assert answer[:8] == "0112" + handle, f"no answer to a write: {answer}"
        return answer[8:]

    def protected(self, point: str, octets: str, *, skip: int = 0) -> bytes:
        """Add the counter that comes next, or `skip` further on, and the checksum (3.1.1, 3.16)."""
        value = bytes.fromhex(octets) + bytes([(self._sent.get(point, 0) + skip) % 255 + 1])
        return value + crc(value)

    def count(self, point: str) -> None:
        """Take a write as accepted: the next one carries the next counter."""
        self._sent[point] = self._sent.get(point, 0) % 255 + 1

    def unprotected(self, name: str, value: bytes) -> bytes:
        """Check checksum and counter of a value and take them off (3.1.1, 3.5.1.1, 3.10.4.5)."""
        if name == "features":
            assert crc(value[2:]) == value[:2], f"{name}: wrong E2E-CRC in {value.hex()}"
            self._check_counter(name, value[2])
            return value[3:]
        assert crc(value[:-2]) == value[-2:], f"{name}: wrong E2E-CRC in {value.hex()}"
        if name == "history":
            return value[:-2]
        self._check_counter(name, value[-3])
        return value[:-3]

    def _check_counter(self, name: str, counter: int) -> None:
        expected = self._heard.get(name, 0) % 255 + 1
        assert counter == expected, f"{name}: E2E-Counter {counter} where {expected} was due"
        self._heard[name] = counter

    # ---- procedures ----------------------------------------------------------------------------------------

    def procedure(self, point: str, octets: str) -> Answer:
        """Carry out a procedure to its end, and confirm the indication that ends it (3.11.3)."""
        error = self.write(point, self.protected(point, octets))
        assert not error, f"{point} refuses {octets} with ATT error {error}"
        self.count(point)
        return self.outcome(point)

    def outcome(self, point: str) -> Answer:
        """Gather what a procedure brings until its indication, and confirm that."""
        data: list[bytes] = []
        while (value := self.next_value(5.0)) is not None:
            kind, name, octets = value
            payload = self.unprotected(name, octets)
            if kind == 0x1D:
                self.send("1e")
            if name == point:
                return Answer(tuple(data), payload)
            if name in DATA:
                data.append(payload)
        raise AssertionError(f"{point} does not indicate the end of its procedure")


def crc(octets: bytes) -> bytes:
    """The E2E-CRC, low octet first (3.16): D16 + D12 + D5 + 1, least significant bit first, from FFFF."""
    value = 0xFFFF
    for octet in octets:
        value ^= octet
        for _ in range(8):
            value = value >> 1 ^ (0x8408 if value & 1 else 0)
    return value.to_bytes(2, "little")


def _u16(value: int) -> str:
    return value.to_bytes(2, "little").hex()
