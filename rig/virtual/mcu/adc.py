"""ADC1 with single conversions started by software (RM0090 rev 19, section 13).

A conversion is done at once: at 8 MHz it takes under 65 µs even with the longest sampling, and the core's instructions
take no simulated time either. Not responsible for what is refused: sequences, continuous, triggered and injected
conversion, DMA.
"""

from __future__ import annotations

from collections.abc import Callable

from rig.errors import RigError
from rig.virtual.mcu.peripheral import Line

SR, CR1, CR2, SMPR1, SQR1, SQR3, JDR4, DR = 0x00, 0x04, 0x08, 0x0C, 0x2C, 0x34, 0x48, 0x4C
HTR = 0x24
EOC, STRT, OVR = 1 << 1, 1 << 4, 1 << 5
EOCIE = 1 << 5
ADON, CONT, DMA, ALIGN_LEFT, JSWSTART, SWSTART = 1, 1 << 1, 1 << 8, 1 << 11, 1 << 22, 1 << 30
_REFUSED_CR2 = CONT | DMA | JSWSTART | 3 << 20 | 3 << 28

VREF_V = 3.3
"""The reference voltage of the board."""


class Adc:
    """The converter; `volts(channel)` gives the voltage at an input, `line` is its interrupt."""

    def __init__(self, words: memoryview, volts: Callable[[int], float], line: Line) -> None:
        self.words = words
        self.clocked = False
        self._volts = volts
        self._line = line
        self.reset()

    def reset(self) -> None:
        """Take reset values: off (13.13)."""
        for index in range(20):
            self.words[index] = 0
        self.words[HTR >> 2] = 0xFFF
        self._line(False)

    def read(self, offset: int) -> int:
        """Read a register; reading DR clears EOC (13.13.1)."""
        value: int = self.words[offset >> 2] if offset <= DR else 0
        if offset == DR:
            self.words[SR >> 2] &= ~EOC
            self._update_line()
        return value

    def write(self, offset: int, value: int) -> None:
        """Write a register."""
        words = self.words
        if offset == SR:
            words[SR >> 2] &= value | ~0x3F & 0xFFFFFFFF  # rc_w0
        elif offset == CR2:
            if value & _REFUSED_CR2:
                raise RigError(
                    "the firmware asked ADC1 for continuous, triggered, injected or DMA conversion, not modelled"
                )
            words[CR2 >> 2] = value & ~SWSTART
            if value & SWSTART and value & ADON:
                self._convert()
        elif offset != DR and offset <= JDR4:
            words[offset >> 2] = value
        self._update_line()

    def _convert(self) -> None:
        words = self.words
        if words[SQR1 >> 2] >> 20 & 15:
            raise RigError("the firmware asked ADC1 for a sequence of conversions, which the model does not have")
        bits = 12 - 2 * (words[CR1 >> 2] >> 24 & 3)
        code = round_down(self._volts(words[SQR3 >> 2] & 31), bits)
        words[DR >> 2] = code << 16 - bits if words[CR2 >> 2] & ALIGN_LEFT else code
        words[SR >> 2] |= EOC | STRT

    def _update_line(self) -> None:
        self._line(bool(self.words[SR >> 2] & EOC and self.words[CR1 >> 2] & EOCIE))


def round_down(volts: float, bits: int) -> int:
    """The ideal code of a voltage: one step is VREF/2^bits, transitions at whole steps, both ends saturate."""
    full = 1 << bits
    return min(max(int(volts / VREF_V * full), 0), full - 1)
