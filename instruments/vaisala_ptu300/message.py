"""The measurement message of a Vaisala transmitter, written by a formatter string.

    6.1 "P=" P " " U6 3.1 "T=" T ...      a length modifier, a text, a quantity, a text, a unit in six characters

Not here: time, date, status and checksums. Not responsible for what is measured.
Source: Vaisala PTU300 user's guide M210796EN, FORM command and its table of modifiers.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

DEFAULT_FORMAT = '6.1 "P=" P " " U6 3.1 "T=" T " " U3 3.1 "RH=" RH " " U4 #r #n'
"""Of a PTU300 with one pressure transducer; no dew point is configured."""

_UNITS = {"P": "hPa", "T": "'C", "RH": "%RH"}
_CONTROLS = {"#t": "\t", "#r": "\r", "#n": "\n"}
_TOKEN = re.compile(
    r'\s*(?:(?P<length>\d\.\d)|"(?P<text>[^"]*)"|(?P<code>#\d{3})|(?P<control>#[trn])|U(?P<width>\d*)'
    r"|(?P<name>RH|P|T|SN|ERR)(?![A-Za-z0-9]))",
    re.IGNORECASE,
)


class Message:
    """A formatter string, ready to write messages; ValueError when it has something unknown in it."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._tokens: list[tuple[str, str]] = []
        position, end = 0, len(text.rstrip())
        while position < end:
            match = _TOKEN.match(text, position)
            if match is None:
                raise ValueError(f"unknown in a format: {text[position:]!r}")
            kind = match.lastgroup or ""
            self._tokens.append((kind, match[kind]))
            position = match.end()

    def write(self, readings: Mapping[str, float], *, serial_number: str, failed: bool) -> str:
        """Write one message.

        Args:
            readings: by quantity name: P in hPa, T in °C, RH in %RH.
            serial_number: what SN stands for.
            failed: stars in place of numbers.
        """
        message, length, unit = "", "6.2", ""
        for kind, value in self._tokens:
            if kind == "length":
                length = value
            elif kind == "text":
                message += value
            elif kind == "code":
                message += chr(int(value[1:]) % 128)
            elif kind == "control":
                message += _CONTROLS[value.lower()]
            elif kind == "width":
                message += unit.ljust(int(value or 0))
            elif value.upper() in readings:
                message += _number(readings[value.upper()], length, failed)
                unit = _UNITS[value.upper()]
            else:
                message += {"SN": serial_number, "ERR": "1111" if failed else "0000"}[value.upper()]
        return message


def _number(value: float, length: str, failed: bool) -> str:
    digits, decimals = int(length[0]), int(length[2])
    width = digits + (1 + decimals if decimals else 0)
    text = f"{value:{width}.{decimals}f}"
    return "*" * width if failed or len(text) > width else text
