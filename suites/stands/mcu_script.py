"""A tiny firmware that obeys a script in RAM: a test says which registers the core writes and reads, and when.

The firmware is hand-made Thumb code (ARMv7-M); each exception has a script of its own and is logged. Not responsible
for what the registers then do.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass

from rig.clock import SimClock
from rig.virtual.mcu import Stm32F405
from rig.virtual.port import Port

CODE = 0x08000200
START, HANDLER, FLASH_ROUTINE = CODE, CODE + 0x40, CODE + 0x100
SCRIPT, HANDLER_SCRIPTS, LOG, ROUTINES = 0x20000000, 0x20008000, 0x20010000, 0x20018000
STACK_TOP = 0x20020000

FIRMWARE = """
2420 0624 f000 f802                                 start:   r4 = 0x20000000; bl script
bf30 e7fd                                           sleep:   wfi; b sleep
b510                                                script:  push {r4, lr}
cc07 2801 d314 d009 2803 d309 d00c 2805 d30c d001   next:    ldm r4!, {r0-r2}; branch by r0
800a e7f3                                           half:    strh r2, [r1]; b next
700a e7f1                                           byte:    strb r2, [r1]; b next
600a e7ef                                           store:   str r2, [r1]; b next
680a 1f21 600a e7eb                                 load:    ldr r2, [r1]; str r2, [r4, -4]; b next
bf30 e7e9                                           wait:    wfi; b next
4788 e7e7                                           call:    blx r1; b next
bd10                                                done:    pop {r4, pc}
b510 f3ef 8005                                      handler: push {r4, lr}; mrs r0, ipsr
2420 0224 3401 0424 6821 3101 6021 0089 5060        r4 = 0x20010000; r4[0] += 1; r4[r4[0]] = r0
0200 2180 0209 1a64 1824 f7ff ffd3 bd10             r4 += r0 * 256 - 0x8000; bl script; pop {r4, pc}
"""

Op = tuple[int, int, int]
WAIT: Op = (3, 0, 0)


def store(address: int, value: int) -> Op:
    """Store a word."""
    return 1, address, value


def load(address: int) -> Op:
    """Load a word; `Scripted.loaded` tells it."""
    return 2, address, 0


def call(address: int) -> Op:
    """Call Thumb code."""
    return 4, address | 1, 0


def store_byte(address: int, value: int) -> Op:
    """Store a byte."""
    return 5, address, value


def store_half(address: int, value: int) -> Op:
    """Store a halfword."""
    return 6, address, value


def thumb(listing: str) -> bytes:
    """The code of a listing: four-digit halfwords up to the first other word of each line."""
    halfwords = []
    for line in listing.splitlines():
        for word in line.split():
            if len(word) != 4 or any(digit not in "0123456789abcdef" for digit in word):
                break
            halfwords.append(int(word, 16))
    return struct.pack(f"<{len(halfwords)}H", *halfwords)


def elf(address: int, data: bytes) -> bytes:
    """Make an ELF file for ARM with one segment."""
    header = struct.pack("<4s5B7xHHIIIIIHHHHHH", b"\x7fELF", 1, 1, 1, 0, 0, 2, 40, 1, 0, 52, 0, 0, 52, 32, 1, 40, 0, 0)
    segment = struct.pack("<8I", 1, 84, address, address, len(data), len(data), 5, 4)
    return header + segment + data


def firmware(routine: str = "") -> bytes:
    """Make the firmware's ELF file: vectors that send every exception to the handler, code, a routine in flash."""
    vectors = struct.pack("<98I", STACK_TOP, START | 1, *[HANDLER | 1] * 96)
    code = thumb(FIRMWARE).ljust(FLASH_ROUTINE - CODE, b"\0") + thumb(routine)
    return elf(0x08000000, vectors.ljust(CODE - 0x08000000, b"\0") + code)


@dataclass(frozen=True)
class PinEdge:
    """A change of an output."""

    at_ns: int
    pin: str
    high: bool


class Scripted:
    """A microcontroller that obeys scripts; powered on, with its first instruction still to come."""

    def __init__(self, image: bytes | None = None) -> None:
        self.clock = SimClock()
        self.port = Port(self.clock, baud=115200, bytewise=True)
        self.edges: list[PinEdge] = []
        self.on_edge: Callable[[PinEdge], object] = lambda _edge: None
        self.volts = dict.fromkeys(range(19), 0.0)
        self.mcu = Stm32F405(
            self.clock, image or firmware(), uart=self.port, adc_v=self.volts.__getitem__, on_pin=self._on_pin
        )
        self.power_on()

    def power_on(self) -> None:
        """Give power and clear the RAM that the scripts use."""
        self.mcu.power(True)
        self.mcu.write_memory(SCRIPT, bytes(STACK_TOP - 0x100 - SCRIPT))

    def _on_pin(self, pin: str, high: bool) -> None:
        edge = PinEdge(self.clock.now_ns, pin, high)
        self.edges.append(edge)
        self.on_edge(edge)

    def script(self, *ops: Op) -> None:
        """Say what the core does after reset."""
        self.mcu.write_memory(SCRIPT, b"".join(struct.pack("<3I", *op) for op in ops))

    def on_exception(self, number: int, *ops: Op) -> None:
        """Say what the handler of an exception does."""
        self.mcu.write_memory(HANDLER_SCRIPTS + 256 * number, b"".join(struct.pack("<3I", *op) for op in ops))

    def routine(self, listing: str, offset: int = 0) -> int:
        """Put Thumb code into RAM and return its address."""
        self.mcu.write_memory(ROUTINES + offset, thumb(listing))
        return ROUTINES + offset

    def run(self, *ops: Op, seconds: float = 0.0) -> None:
        """Run a script from reset and let time pass."""
        self.script(*ops)
        self.clock.sleep(seconds)

    def word(self, address: int) -> int:
        """Read a word of memory."""
        return int.from_bytes(self.mcu.read_memory(address, 4), "little")

    def loaded(self, index: int) -> int:
        """What the script's operation `index` loaded."""
        return self.word(SCRIPT + 12 * index + 8)

    def log(self) -> list[int]:
        """The numbers of the exceptions taken so far."""
        return [self.word(LOG + 4 * (index + 1)) for index in range(self.word(LOG))]
