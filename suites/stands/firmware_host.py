"""The reference controller's firmware on its emulated board, and a host that knows frames and nothing of the service.

Frames after RFC 1662. Not responsible for what an ATT PDU means: the tests are.
"""

from pathlib import Path

from rig.clock import SimClock
from rig.virtual.board import ControllerBoard
from rig.virtual.port import Port

IMAGE = Path("fixtures/controller/controller.elf").read_bytes()


def fcs(data: bytes) -> bytes:
    """RFC 1662, appendix C: as slow and plain as it gets."""
    value = 0xFFFF
    for octet in data:
        for bit in range(8):
            odd = (value ^ octet >> bit) & 1
            value = value >> 1 ^ (0x8408 if odd else 0)
    return (value ^ 0xFFFF).to_bytes(2, "little")


def crc(data: bytes) -> bytes:
    """The E2E-CRC is the same polynomial without the final complement."""
    return bytes(octet ^ 0xFF for octet in fcs(data))


class Host:
    """A host that knows frames and nothing of the service."""

    def __init__(self) -> None:
        self.clock = SimClock()
        self.port = Port(self.clock, baud=115200, bytewise=True)
        self.steps = 0
        self.force_n, self.temperature_c, self.ambient_hpa = 2.0, 22.0, 1013.0
        self.board = ControllerBoard(
            self.clock,
            IMAGE,
            self.port,
            on_step=self._stepped,
            plunger_force_n=lambda: self.force_n,
            temperature_c=lambda: self.temperature_c,
            ambient_hpa=lambda: self.ambient_hpa,
        )
        self.board.set_rail(3.7)
        self.clock.sleep(0.1)

    def _stepped(self, direction: int) -> None:
        self.steps += direction

    def send(self, pdu: str) -> None:
        raw = bytes.fromhex(pdu)
        body = (raw + fcs(raw)).replace(b"\x7d", b"\x7d\x5d").replace(b"\x7e", b"\x7d\x5e")
        self.port.host_write(b"\x7e" + body + b"\x7e")

    def hear(self) -> str:
        """The next PDU as hex, "" when there is none within 0.2 s."""
        body = b""
        while not body:
            part = self.port.host_read(100, until=b"\x7e", timeout_s=0.2)
            if not part:
                return ""
            body = part.rstrip(b"\x7e")
        body = body.replace(b"\x7d\x5e", b"\x7e").replace(b"\x7d\x5d", b"\x7d")
        assert fcs(body[:-2]) == body[-2:]
        return body[:-2].hex()

    def ask(self, pdu: str) -> str:
        self.send(pdu)
        return self.hear()

    def connect(self) -> None:
        """Discover, and let the control points indicate."""
        self.ask("10 0100 ffff 0028")
        for configuration in ("0f00", "1200", "1800"):
            assert self.ask(f"12 {configuration} 0200") == "13"

    def procedure(self, point: str, value: str) -> str:
        """Write to a control point, confirm its indication and get that, without op and handle."""
        assert self.ask(f"12 {point} {value}") == "13"
        indication = self.hear()
        assert indication.startswith("1d" + point)
        self.send("1e")
        return indication[6:]
