"""How SCPI program messages are spelled: message units, headers in short and long form, parameters.

Pure text, for instruments on the far side of a wire. Not responsible for what a command does, nor for status.
Sources: SCPI-99 volume 1 (chapters 6 to 8) and IEEE 488.2-1992 (chapter 7).
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

VOLTS: Mapping[str, float] = {"UV": 1e-6, "MV": 1e-3, "V": 1.0, "KV": 1e3}
"""Suffixes of a voltage and their factors to V (SCPI-99 volume 1, 7.5; IEEE 488.2 table 7-2)."""

AMPERES: Mapping[str, float] = {"UA": 1e-6, "MA": 1e-3, "A": 1.0, "KA": 1e3}
"""Suffixes of a current and their factors to A (same source)."""

_MNEMONIC = re.compile(r"([A-Z]+)([a-z]*)|(#)|(.)")
_HEADER = re.compile(r"(\*[A-Za-z]+|:?[A-Za-z][A-Za-z0-9_]*(?::[A-Za-z][A-Za-z0-9_]*)*)(\?)?(?:\s+(.*))?", re.DOTALL)
_NUMBER = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*([A-Za-z]*)")
_SPAN = re.compile(r"(\d+)(?::(\d+))?")
_CLOSING = {"(": ")", '"': '"', "'": "'"}


class ScpiError(Exception):
    """A message that the instrument does not accept, by its SCPI-99 error number."""

    def __init__(self, number: int) -> None:
        super().__init__(f"SCPI error {number}")
        self.number = number


@dataclass(frozen=True)
class MessageUnit:
    """One command or query: its header from the root of the tree, with "?" when a query, and its parameters."""

    header: str
    parameters: tuple[str, ...]


def message_units(message: str) -> Iterator[MessageUnit]:
    """Read a program message unit by unit; ScpiError -102 (syntax) or -101 (character) at the unit that is wrong.

    A header without a leading colon continues at the level of the header before it; common commands leave that level
    alone (SCPI-99 volume 1, 6.2.4).
    """
    level = ""
    for text in _split(message, ";"):
        if not text:
            if not message.strip():
                return
            raise ScpiError(-102)
        if any(not " " <= character <= "~" and character != "\t" for character in text):
            raise ScpiError(-101)
        match = _HEADER.fullmatch(text)
        if match is None:
            raise ScpiError(-102)
        header, query, rest = match.groups()
        if not header.startswith("*"):
            header = header[1:] if header.startswith(":") else level + header
            level = header[: header.rfind(":") + 1]
        parameters = tuple(_split(rest, ",")) if rest and rest.strip() else ()
        if "" in parameters:
            raise ScpiError(-102)
        yield MessageUnit(header + (query or ""), parameters)


@cache
def spelling(notation: str) -> re.Pattern[str]:
    """Compile the notation of manuals, such as `[SOURce:]VOLTage[:LEVel]`, into what it accepts.

    Upper case is the short form, the rest makes the long form, brackets are optional, `#` is a numeric suffix (a
    group, empty when left out). Case never matters (SCPI-99 volume 1, 6.2.1).
    """
    parts = []
    for short, rest, suffix, other in _MNEMONIC.findall(notation):
        if short:
            parts.append(f"{short}(?:{rest})?" if rest else short)
        elif suffix:
            parts.append(r"(\d*)")
        else:
            parts.append({"[": "(?:", "]": ")?"}.get(other) or re.escape(other))
    return re.compile("".join(parts), re.IGNORECASE)


def numeric_value(text: str, factors: Mapping[str, float] | None = None) -> float:
    """Read decimal numeric data with an optional suffix from `factors`.

    Raises:
        ScpiError: -104 when it is no number, -131 for a suffix that is not in `factors`, -138 for any suffix when no
            suffix is allowed, -123 when the exponent is too large.
    """
    match = _NUMBER.fullmatch(text)
    if match is None:
        raise ScpiError(-104)
    digits, suffix = match.groups()
    if suffix and factors is None:
        raise ScpiError(-138)
    if suffix and factors is not None and suffix.upper() not in factors:
        raise ScpiError(-131)
    value = float(digits) * (factors[suffix.upper()] if suffix and factors is not None else 1.0)
    if not math.isfinite(value):
        raise ScpiError(-123)
    return value


def boolean(text: str) -> bool:
    """Read ON, OFF or a number, of which 0 after rounding is OFF (SCPI-99 volume 1, 7.3); ScpiError -224 otherwise."""
    word = text.upper()
    if word in ("ON", "OFF"):
        return word == "ON"
    if _NUMBER.fullmatch(text) is None:
        raise ScpiError(-224)
    return round(numeric_value(text)) != 0


def keyword(text: str, choices: Sequence[str]) -> str | None:
    """Find which of `choices`, in the notation of manuals, `text` spells; None when it spells none."""
    return next((choice for choice in choices if spelling(choice).fullmatch(text)), None)


def is_channel_list(text: str) -> bool:
    """Whether `text` is a channel list, such as `(@1,3)` (SCPI-99 volume 1, 8.3.2)."""
    return re.match(r"\(\s*@", text) is not None


def channel_list(text: str) -> tuple[int, ...]:
    """Read `(@1,3)` or `(@1:3)` into channel numbers in the order given; ScpiError -171 when it is none."""
    match = re.fullmatch(r"\(\s*@(.*)\)", text)
    channels: list[int] = []
    for part in match[1].split(",") if match else [""]:
        span = _SPAN.fullmatch(part.strip())
        if span is None:
            raise ScpiError(-171)
        first, last = int(span[1]), int(span[2] or span[1])
        if max(first, last) > 9999:  # four digits name every channel of every mainframe
            raise ScpiError(-222)
        channels += range(first, last + 1) if first <= last else range(first, last - 1, -1)
    return tuple(channels)


def _split(text: str, separator: str) -> Iterator[str]:
    """Split at `separator` outside quotes and parentheses; ScpiError -102 when one is left open."""
    start, closing = 0, ""
    for i, character in enumerate(text):
        if closing:
            closing = "" if character == closing else closing
        elif character in _CLOSING:
            closing = _CLOSING[character]
        elif character == separator:
            yield text[start:i].strip()
            start = i + 1
    if closing:
        raise ScpiError(-102)
    yield text[start:].strip()
