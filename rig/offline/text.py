"""Text files as lines: encoding, line ends, and what a power cut left between them.

Not responsible for what a line holds (`delimited`, `printout`).
"""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from rig.errors import DataFileError

_BLOCK = 1 << 20
_SNIFFED = 1 << 16
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_CONTROL = re.compile(rb"[\x05\x07\x08\x0b\x0e-\x1a\x1c-\x1f\x7f]")
"""Octets that text has no use for. STX, ETX, SOH, EOT, ACK and ESC frame what balances send, and are left out."""

_FRAMES = str.maketrans("", "", "\x01\x02\x03\x04\x06\x0c\x1b")

LOST = "\N{REPLACEMENT CHARACTER}\x00"
"""Stands for a line with NUL octets: what is written to disk last when the power goes is often nothing but these."""


def cleaned(line: str) -> str:
    """Give a line without what frames it on the wire; `LOST` for one with NUL octets."""
    if "\0" in line:
        return LOST + "\n"
    return line.translate(_FRAMES)


@dataclass(frozen=True)
class TextFile:
    """A text file and its encoding."""

    path: Path
    encoding: str
    notes: tuple[str, ...]

    def lines(self) -> Iterator[str]:
        """Give each line with its end; a line with NUL octets as `LOST`."""
        with self.path.open(encoding=self.encoding, errors="replace", newline="") as file:
            for line in file:
                yield cleaned(line)


def opened(path: Path) -> TextFile:
    """Find the encoding of a text file.

    Raises:
        DataFileError: it is no text.
    """
    with path.open("rb") as file:
        head = file.read(_SNIFFED)
    for bom, encoding in _BOMS:
        if head.startswith(bom):
            return TextFile(path, encoding, ())
    wide = _wide(head)
    if wide is not None:
        return TextFile(path, wide, (f"The text has no byte order mark; it was read as {wide.upper()}.",))
    written = re.sub(rb"\0+", b"", head)
    if len(_CONTROL.findall(written)) > 0.05 * len(written) or not written.strip():
        raise DataFileError(f"{path}: is neither text nor a workbook (.xlsx, .xls, .ods)")
    if _is_utf8(path):
        return TextFile(path, "utf-8", ())
    return TextFile(path, "cp1252", ("The text is no UTF-8; it was read as Windows-1252.",))


def _wide(head: bytes) -> str | None:
    """Find UTF-16 without a byte order mark: nearly every other octet is NUL."""
    pairs = len(head) // 2
    if pairs < 8:
        return None
    for offset, encoding in ((1, "utf-16-le"), (0, "utf-16-be")):
        nul, other = head[offset : 2 * pairs : 2].count(0), head[1 - offset : 2 * pairs : 2].count(0)
        if nul > 0.9 * pairs and other < 0.1 * pairs:
            return encoding
    return None


def _is_utf8(path: Path) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    with path.open("rb") as file:
        try:
            while block := file.read(_BLOCK):
                decoder.decode(block)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return False
    return True


def ends_with_a_line(path: Path) -> bool:
    """Tell whether the last octet ends a line."""
    with path.open("rb") as file:
        file.seek(-min(4, path.stat().st_size), io.SEEK_END)
        return file.read().rstrip(b"\0").endswith((b"\n", b"\r"))
