r"""Reads the executable transcripts of protocol pages: their fenced `wire` blocks.

    ```wire > \r\n < \r\n            what lines to the device and from it end in; without this they travel as they are
    @ serial_number K0710040         the name plate of the twin
    @ option lines {'occluder': 0}   a keyword argument of open_driver
    @ load_g 1.2345 unstable         the world: see transcript_players.StatedWorld
    > S                              host to device; control characters as \r, \n, \t, \\, \x1b
    @ wait_s 2.0                     for so long nothing comes from the device
    @ load_g 1.2345 stable
    < S S     1.234500 g             device to host
    = read_stable() -> MassReading(mass_g=1.2345, stable=True)
    > x 01 30 34 00                  bytes, in hexadecimal; no line end is added
    < x 01 B0 20 79 0C
    = identify() raises RefusedError: a part of its sentence
    ```

A line with = is a call on the driver; the lines since the last = are what travels meanwhile. A block without = is a
talk with the device that the driver never holds. A block ```wire driver … is what only a broken line or device would
say: it is played to the driver alone. Not responsible for playing: transcript_players is.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

_BLOCK = re.compile(r"^```wire(?P<info>[^\n]*)\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL)
_INFO = re.compile(r"(?P<driver>\s+driver)?(?:\s+> (?P<host_end>\S+))?(?:\s+< (?P<device_end>\S+))?\s*")
_HEX = re.compile(r"x((?: [0-9A-Fa-f]{2})+)")
_ESCAPE = re.compile(r"\\(?:x([0-9A-Fa-f]{2})|(.))")
_CONTROLS = {"r": "\r", "n": "\n", "t": "\t", "\\": "\\"}


@dataclass(frozen=True)
class Line:
    """One line of a block: its sign (one of > < @ =), its text, and the bytes that travel, if any do."""

    where: str
    sign: str
    text: str
    data: bytes = b""


@dataclass(frozen=True)
class Transcript:
    """One block: where it stands, its lines, and whether only a broken line would say it."""

    where: str
    lines: tuple[Line, ...]
    driver_only: bool

    @property
    def has_calls(self) -> bool:
        """Whether the driver takes part."""
        return any(line.sign == "=" for line in self.lines)

    def statement(self, name: str, default: str) -> str:
        """What the block states as `@ name …`; the last one counts."""
        stated = [rest for line in self.lines if line.sign == "@" for word, rest in [split(line.text)] if word == name]
        return stated[-1] if stated else default


def read_page(path: Path) -> list[Transcript]:
    """The transcripts of the page at `path`, named by page and line."""
    return parse_page(path.read_text(encoding="utf-8"), f"{path.parent.name}/{path.name}")


def parse_page(text: str, name: str) -> list[Transcript]:
    """The transcripts in a page's text; ValueError naming the line that is none of > < @ =."""
    transcripts = []
    for block in _BLOCK.finditer(text):
        first = text.count("\n", 0, block.start()) + 1
        info = _INFO.fullmatch(block["info"])
        if info is None:
            raise ValueError(f"{name}:{first}: expected 'wire [driver] [> end] [< end]', got 'wire{block['info']}'")
        ends = {">": _bytes(info["host_end"] or ""), "<": _bytes(info["device_end"] or "")}
        lines = tuple(
            _line(line, f"{name}:{number}", ends)
            for number, line in enumerate(block["body"].splitlines(), first + 1)
            if line.strip()
        )
        if not lines:
            raise ValueError(f"{name}:{first}: this block is empty")
        transcript = Transcript(f"{name}:{first}", lines, bool(info["driver"]))
        if transcript.has_calls and lines[-1].sign != "=":
            raise ValueError(f"{lines[-1].where}: lines after the last = belong to no call")
        if transcript.driver_only and not transcript.has_calls:
            raise ValueError(f"{name}:{first}: a block for the driver alone calls nothing (=)")
        transcripts.append(transcript)
    return transcripts


def split(text: str) -> tuple[str, str]:
    """Split the first word from the rest."""
    word, _, rest = text.partition(" ")
    return word, rest.strip()


def _line(line: str, where: str, ends: dict[str, bytes]) -> Line:
    sign, _, text = line.partition(" ")
    if sign not in (">", "<", "@", "="):
        raise ValueError(f"{where}: expected a line that begins with >, <, @ or =, got {line!r}")
    if sign in ("@", "="):
        return Line(where, sign, text.strip())
    if hexadecimal := _HEX.fullmatch(text.strip()):
        return Line(where, sign, text, bytes.fromhex(hexadecimal[1]))
    try:
        return Line(where, sign, text, _bytes(text) + ends[sign])
    except (ValueError, KeyError) as error:
        raise ValueError(f"{where}: an escape or character that no byte stands for in {line!r}") from error


def _bytes(text: str) -> bytes:
    def character(escape: re.Match[str]) -> str:
        return chr(int(escape[1], 16)) if escape[1] else _CONTROLS[escape[2]]

    return _ESCAPE.sub(character, text).encode("latin-1")
