"""The CRC calculation unit (RM0090 rev 19, section 4): CRC-32 of whole words, polynomial 0x4C11DB7, start 0xFFFFFFFF.

Not responsible for byte order: software feeds words.
"""

from __future__ import annotations

DR, IDR, CR = 0x00, 0x04, 0x08
POLYNOMIAL = 0x04C11DB7


def _table() -> tuple[int, ...]:
    table = []
    for octet in range(256):
        value = octet << 24
        for _ in range(8):
            value = (value << 1 ^ POLYNOMIAL if value >> 31 else value << 1) & 0xFFFFFFFF
        table.append(value)
    return tuple(table)


_TABLE = _table()


class CrcUnit:
    """The unit: writing DR feeds a word, reading it gives the CRC so far."""

    def __init__(self, words: memoryview) -> None:
        self.words = words
        self.clocked = False
        self.reset()

    def reset(self) -> None:
        """Start over."""
        self.words[DR >> 2], self.words[IDR >> 2] = 0xFFFFFFFF, 0

    def write(self, offset: int, value: int) -> None:
        """Write a register."""
        if offset == DR:
            crc = self.words[DR >> 2] ^ value
            for _ in range(4):
                crc = (crc << 8 & 0xFFFFFFFF) ^ _TABLE[crc >> 24]
            self.words[DR >> 2] = crc
        elif offset == IDR:
            self.words[IDR >> 2] = value & 0xFF
        elif offset == CR and value & 1:
            self.words[DR >> 2] = 0xFFFFFFFF
