"""A pump whose controller is emulated by QEMU, and a host at its serial line that knows frames and checksums.

Frames after RFC 1662, handles as in the attribute table of `instruments/ids/protocol.md`. QEMU's USART raises no
interrupt when it could send, so the firmware sends an octet each time it receives one: the host sends flags (7E),
which mean nothing between frames, until the answer is there. Not responsible for what an ATT PDU means: the tests are.
"""

from __future__ import annotations

import select
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rig.clock import Deadline, WallClock
from rig.errors import RigError
from suites.stands.firmware_host import crc, fcs

QEMU = "qemu-system-arm"
MACHINE = "netduinoplus2"
"""The machine of QEMU that has an STM32F405RG with USART1 as its first serial line."""

LOG_ADDRESS, LOG_SIZE = 0x080C0000, 0x40000
"""Sectors 10 and 11 of the flash, where the firmware keeps its log (RM0090, table 5; the firmware's link.ld)."""

UNASKED = ("0300", "0600", "0900")
"""Status Changed, Status and Annunciation Status: they indicate when something happens in the pump."""

ANSWERS_WITHIN_S, STARTS_WITHIN_S = 10.0, 30.0
_FLAGS = b"\x7e" * 16
_LOOK_AGAIN_S = 0.005
_NO_SUCH_HANDLE, _ITS_ANSWER = "0affff", "010affff01"


def framed(pdu: str) -> bytes:
    """Put a PDU into a frame (RFC 1662, 4.2)."""
    raw = bytes.fromhex(pdu)
    return b"\x7e" + (raw + fcs(raw)).replace(b"\x7d", b"\x7d\x5d").replace(b"\x7e", b"\x7d\x5e") + b"\x7e"


def unframed(frame: bytes) -> str:
    """Take a PDU out of its frame; AssertionError when the FCS is wrong."""
    raw = frame.strip(b"\x7e").replace(b"\x7d\x5e", b"\x7e").replace(b"\x7d\x5d", b"\x7d")
    assert fcs(raw[:-2]) == raw[-2:], f"wrong FCS in {frame.hex(' ')}"
    return raw[:-2].hex()


def protected(octets: str, counter: int) -> str:
    """Add E2E-Counter and E2E-CRC."""
    value = bytes.fromhex(octets) + bytes([counter])
    return (value + crc(value)).hex()


class Pump:
    """The host's end of the line, for one connection; it confirms what the pump indicates of its own accord."""

    def __init__(self, line: socket.socket) -> None:
        self._line = line
        self._line.settimeout(ANSWERS_WITHIN_S)
        self._clock = WallClock()
        self._heard = b""
        self._counters: dict[str, int] = {}

    def send(self, frame: bytes) -> None:
        """Put octets on the line."""
        self._line.sendall(frame)

    def hear(self, within_s: float = ANSWERS_WITHIN_S) -> bytes:
        """The next frame, empty when there is none; what comes unasked is checked and confirmed."""
        deadline = Deadline(self._clock, within_s)
        while not deadline.expired:
            while b"\x7e" in self._heard:
                body, _, self._heard = self._heard.partition(b"\x7e")
                if body and not self._is_unasked(body):
                    return b"\x7e" + body + b"\x7e"
            self._line.sendall(_FLAGS)
            if select.select([self._line], [], [], _LOOK_AGAIN_S)[0]:
                octets = self._line.recv(4096)
                if not octets:
                    raise RigError(f"{QEMU} ended")
                self._heard += octets
        return b""

    def _is_unasked(self, body: bytes) -> bool:
        pdu = unframed(body)
        if pdu[:2] != "1d" or pdu[2:6] not in UNASKED:
            return False
        self.check_protection(pdu[2:6], bytes.fromhex(pdu[6:]))
        self.send(framed("1e"))
        return True

    def check_protection(self, handle: str, value: bytes) -> None:
        """Assert that a value's E2E-CRC is right, and its E2E-Counter the next of its characteristic."""
        assert crc(value[:-2]) == value[-2:], f"{handle}: wrong E2E-CRC in {value.hex()}"
        expected = self._counters.get(handle, 0) % 255 + 1
        assert value[-3] == expected, f"{handle}: E2E-Counter {value[-3]} where {expected} was due"
        self._counters[handle] = expected

    def ask(self, pdu: str) -> str:
        """Send a request and get its response."""
        self.send(framed(pdu))
        answer = self.hear()
        assert answer, f"no answer to {pdu} within {ANSWERS_WITHIN_S} s"
        return unframed(answer)

    def connect(self) -> None:
        """Begin a connection and let the control points indicate, and the log notify."""
        assert self.ask("10 0100 ffff 0028").startswith("11")
        for configuration in ("0f00 0200", "1200 0200", "1800 0200", "1b00 0100"):
            assert self.ask(f"12 {configuration}") == "13"

    def procedure(self, point: str, value: str) -> list[str]:
        """Write to a control point and confirm its indication; gives what was notified, and it last."""
        assert self.ask(f"12 {point} {value}") == "13"
        heard = [unframed(self.hear())]
        while heard[-1][:2] == "1b":
            heard.append(unframed(self.hear()))
        assert heard[-1][:6] == "1d" + point, f"{point} answers {heard[-1]}"
        self.send(framed("1e"))
        return [pdu[6:] for pdu in heard]

    def wait_for_start(self) -> None:
        """Ask until the firmware listens; RigError when it does not.

        What arrives before it has set up its USART is lost, as on a board.
        """
        deadline = Deadline(self._clock, STARTS_WITHIN_S)
        while not deadline.expired:
            self.send(b"\x7e" + framed("021700"))
            if self.hear(0.1):
                self.send(framed(_NO_SUCH_HANDLE))
                while answer := self.hear():
                    if unframed(answer) == _ITS_ANSWER:
                        return
        raise RigError(f"the firmware does not answer within {STARTS_WITHIN_S} s of its start")


@contextmanager
def running_pump(image: Path, *, log: Path, complaints: Path | None = None) -> Iterator[Pump]:
    """Run `image` until leaving.

    Args:
        image: the firmware.
        log: what the sectors of its log hold: QEMU takes flash for ROM, and does not erase it.
        complaints: where QEMU writes what the firmware asks of it in vain.

    Raises:
        RigError: QEMU is not installed, or does not start.
    """
    program = shutil.which(QEMU)
    if program is None:
        raise RigError(f"{QEMU} is not installed: on Debian and Ubuntu, apt-get install qemu-system-arm")
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(STARTS_WITHIN_S)
        command = [program, "-M", MACHINE, "-kernel", str(image), "-display", "none", "-monitor", "none"]
        command += ["-serial", f"tcp:127.0.0.1:{server.getsockname()[1]}"]
        command += ["-device", f"loader,file={log},addr={LOG_ADDRESS:#x},force-raw=on"]
        if complaints is not None:
            command += ["-d", "unimp,guest_errors", "-D", str(complaints)]
        with subprocess.Popen(command, stderr=subprocess.PIPE) as process:
            try:
                with _accepted(server, process) as line:
                    pump = Pump(line)
                    pump.wait_for_start()
                    yield pump
            finally:
                process.terminate()


def _accepted(server: socket.socket, process: subprocess.Popen[bytes]) -> socket.socket:
    """The line to the emulator; RigError with its own words when it does not start."""
    try:
        return server.accept()[0]
    except TimeoutError as error:
        process.terminate()
        words = process.communicate()[1].decode(errors="replace").strip()
        raise RigError(f"{QEMU} does not start: {words}") from error
