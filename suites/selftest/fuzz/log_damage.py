"""Whole logs in many forms, and the ways in which logs are damaged. Not responsible for judging them (`logs`)."""

from __future__ import annotations

import datetime
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from random import Random

import numpy as np
import openpyxl

MG_PER_U = 9.98
ZERO = datetime.datetime(2025, 4, 3, 23, 0)


@dataclass(frozen=True)
class Form:
    """A whole log: its octets, the ending of its name, and what has to be said of it."""

    content: bytes
    suffix: str = ".csv"
    options: Mapping[str, str] = field(default_factory=dict)


def _samples() -> list[tuple[int, float]]:
    at_s = np.arange(0, 7201, 30)
    noise_mg = np.random.default_rng(1).normal(0.0, 0.002, at_s.size)
    mass_mg = 5000.0 + 0.05 * MG_PER_U * np.floor(at_s / 180.0 + 0.5) + noise_mg
    return list(zip(at_s.tolist(), mass_mg.tolist(), strict=True))


def _text(header: str, row: Callable[[int, float], str], **options: str) -> Form:
    lines = [*([header] if header else []), *(row(t, m) for t, m in _samples())]
    return Form(("\n".join(lines) + "\n").encode(), options=options)


def _at(t: int) -> datetime.datetime:
    return ZERO + datetime.timedelta(seconds=t)


def _workbook() -> Form:
    book = openpyxl.Workbook()
    book.active.append(["time [s]", "mass [mg]"])
    for row in _samples():
        book.active.append(row)
    kept = io.BytesIO()
    book.save(kept)
    return Form(kept.getvalue(), ".xlsx")


WHOLE: Mapping[str, Form] = {
    "seconds": _text("time [s],mass [mg]", lambda t, m: f"{t},{m:.3f}"),
    "German": _text("Zeit;Gewicht [mg]", lambda t, m: f"{_at(t):%d.%m.%Y %H:%M:%S};{m:.3f}".replace(".", ",", 0)),
    "commas": _text("Zeit [s];Masse [g]", lambda t, m: f"{t};{m / 1000:.6f}".replace(".", ",")),
    "clock": _text("time,mass", lambda t, m: f"{_at(t):%H:%M:%S},{m:.3f} mg"),
    "flags": _text(
        "no,date,time,flag,weight,unit",
        lambda t, m: f"{t // 30},{_at(t):%Y/%m/%d,%H:%M:%S},{'ST' if t % 210 else 'US'},{m / 1000:+012.6f},  g",
    ),
    "American": _text("Date\tWeight (g)", lambda t, m: f"{_at(t):%m/%d/%Y %I:%M:%S %p}\t{m / 1000:.6f}"),
    "MT-SICS": _text("", lambda t, m: f"S {'S' if t % 210 else 'D'} {m / 1000:11.6f} g", interval="30 s"),
    "stamped": _text("", lambda t, m: f"[{_at(t):%Y-%m-%d %H:%M:%S}] S S {m / 1000:11.6f} g"),
    "A&D": _text("", lambda t, m: f"{t} s,{'ST' if t % 210 else 'US'},{m / 1000:+012.6f}  g"),
    "Sartorius": _text("", lambda t, m: f"{_at(t):%H:%M:%S} N     + {m / 1000:9.6f} {'g' if t % 210 else ' '}"),
    "workbook": _workbook(),
}


def _flip(rng: Random, data: bytes) -> bytes:
    damaged = bytearray(data)
    for _ in range(rng.randint(1, 8)):
        damaged[rng.randrange(len(damaged))] ^= 1 << rng.randrange(8)
    return bytes(damaged)


def _cut(rng: Random, data: bytes) -> bytes:
    return data[: rng.randrange(len(data) // 2, len(data))]


def _lose(rng: Random, data: bytes) -> bytes:
    start = rng.randrange(len(data))
    return data[:start] + data[start + rng.randint(1, 40) :]


def _fill(rng: Random, data: bytes) -> bytes:
    start = rng.randrange(len(data))
    length = rng.randint(1, 200)
    return data[:start] + bytes(length) + data[start + rng.choice([0, length]) :]


def _insert(rng: Random, data: bytes) -> bytes:
    start = rng.randrange(len(data))
    return data[:start] + rng.randbytes(rng.randint(1, 20)) + data[start:]


def _lines(data: bytes) -> list[bytes]:
    return data.split(b"\n")


def _drop_lines(rng: Random, data: bytes) -> bytes:
    lines = _lines(data)
    start = rng.randrange(len(lines))
    del lines[start : start + rng.randint(1, 60)]
    return b"\n".join(lines)


def _repeat_lines(rng: Random, data: bytes) -> bytes:
    lines = _lines(data)
    start, length = rng.randrange(len(lines)), rng.randint(1, 20)
    return b"\n".join([*lines[: start + length], *lines[start : start + length], *lines[start + length :]])


def _swap_lines(rng: Random, data: bytes) -> bytes:
    lines = _lines(data)
    one, other = rng.randrange(len(lines)), rng.randrange(len(lines))
    lines[one], lines[other] = lines[other], lines[one]
    return b"\n".join(lines)


_PLAIN = '#N/A OVERLOAD ---- NaN inf 9999999E+19 -9999 [/x] , ; 1,234.5 1.234,5 =A1 0 1e9|Err 54||S I|I4 A "B0"'
WORDS = tuple(
    word.encode("latin-1")
    for part in (_PLAIN + '|\xff\xfe|"|\t|time [s],mass [mg]|\x1b[31m').split("|")
    for word in (part.split() if part.startswith("#N/A") else [part])
)
"""What stands in a cell instead of a number."""


def _word(rng: Random, data: bytes) -> bytes:
    lines = _lines(data)
    for _ in range(rng.randint(1, 3)):
        at = rng.randrange(len(lines))
        cells = lines[at].split(b",")
        cells[rng.randrange(len(cells))] = rng.choice(WORDS)
        lines[at] = b",".join(cells) if rng.random() < 0.7 else rng.choice(WORDS)
    return b"\n".join(lines)


def _digit(rng: Random, data: bytes) -> bytes:
    damaged = bytearray(data)
    places = [place for place, octet in enumerate(damaged) if 48 <= octet < 58]
    for _ in range(rng.randint(1, 4)):
        damaged[rng.choice(places)] = 48 + rng.randrange(10)
    return bytes(damaged)


def _trim_lines(rng: Random, data: bytes) -> bytes:
    lines = _lines(data)
    for _ in range(rng.randint(1, 5)):
        at = rng.randrange(len(lines))
        lines[at] = (
            lines[at][: rng.randrange(len(lines[at]) + 1)] if rng.random() < 0.7 else lines[at][rng.randint(1, 6) :]
        )
    return b"\n".join(lines)


def _twice(_: Random, data: bytes) -> bytes:
    return data + data


def _glue(rng: Random, data: bytes) -> bytes:
    lines = _lines(data)
    at = rng.randrange(len(lines) - 1)
    lines[at : at + 2] = [lines[at] + lines[at + 1]]
    return b"\n".join(lines)


DAMAGES: Mapping[str, Callable[[Random, bytes], bytes]] = {
    "flipped bits": _flip,
    "cut off": _cut,
    "lost octets": _lose,
    "NUL octets": _fill,
    "random octets": _insert,
    "lost lines": _drop_lines,
    "repeated lines": _repeat_lines,
    "swapped lines": _swap_lines,
    "error cells": _word,
    "wrong digits": _digit,
    "trimmed lines": _trim_lines,
    "the file twice": _twice,
    "lines glued": _glue,
}

UNKNOWABLE = frozenset({("MT-SICS", "lost lines")})
"""Whole lines that are missing from a print-out without times leave no trace."""
