"""The apparatus as a drawing from the bench file: a box for each device that the bench has, and their connections.

Words are wrapped until they fit their box. Not responsible for what the devices do.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any
from xml.sax.saxutils import escape

from reports.style import BLUE, GREY, INK, TINT

WIDTH, HEIGHT = 680, 292
SIZE = 11.5
"""Of letters, in the drawing's own units: at the width of the report's text about 8.4 points."""
LETTER = 0.5
"""Width of a letter in its size: more than the page's font has on average, so that words stay inside."""
LINE = 1.18
"""From line to line, in sizes of letters."""

TITLE, WORDS = f'fill="{INK}" font-weight="bold"', f'fill="{GREY}"'


@dataclass(frozen=True)
class ApparatusBox:
    """A device in the drawing: its place and its words."""

    x: float
    y: float
    width: float
    height: float
    title: str
    words: str

    @property
    def lines(self) -> tuple[str, ...]:
        """Title and words, wrapped to the box; what does not fit is cut with an ellipsis."""
        most = max(1, int((self.width - 10.0) / (SIZE * LETTER)))
        rows = int((self.height - 8.0) / (SIZE * LINE))
        wrapped = [*wrap(self.title, most), *wrap(self.words, most)]
        if len(wrapped) > rows:
            wrapped = [*wrapped[: rows - 1], wrapped[rows - 1][: most - 1].rstrip() + "…"]
        return tuple(wrapped)


PLACES: dict[str, tuple[float, float, float, float, str]] = {
    "supply": (10, 8, 122, 66, "Supply"),
    "probe": (142, 8, 122, 66, "Debug probe"),
    "sound": (274, 8, 122, 66, "Microphone, pickup"),
    "hands": (406, 8, 122, 66, "Person at the bench"),
    "environment": (548, 8, 122, 66, "Air sensor"),
    "pump": (10, 118, 140, 74, "Pump under test"),
    "pressure": (206, 124, 130, 62, "Pressure sensor"),
    "switch": (384, 124, 120, 62, "Occluder valve, by a relay of"),
    "balance": (548, 118, 122, 74, "Vessel on the balance"),
    "sensor": (90, 196, 170, 40, "Played glucose sensor"),
}
"""Where each role stands: x, y, width, height, title."""


def drawn_roles(bench: Mapping[str, Any]) -> tuple[str, ...]:
    """List the roles of a bench that the drawing shows."""
    return tuple(role for role in PLACES if isinstance(bench.get(role), dict))


def boxes(bench: Mapping[str, Any], named: Mapping[str, str]) -> dict[str, ApparatusBox]:
    """Place a box for each device of a bench, with the name under which it answered, or its driver."""
    found = {}
    for role in drawn_roles(bench):
        x, y, width, height, title = PLACES[role]
        words = named.get(role) or str(bench[role].get("driver", ""))
        found[role] = ApparatusBox(x, y, width, height, title, words)
    return found


def apparatus_svg(bench: Mapping[str, Any], named: Mapping[str, str]) -> str:
    """Draw the apparatus of a bench; the same bytes for the same bench."""
    placed = boxes(bench, named)
    parts = [*_liquid(placed), *_surroundings(placed), *_data(placed), _computer()]
    parts += [_box(role, box) for role, box in placed.items()]
    body = "\n".join(parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" '
        f'font-family="Libertinus Serif" font-size="{SIZE}">\n{body}\n</svg>\n'
    )


def wrap(words: str, most: int) -> list[str]:
    """Break words into lines of so many letters; a longer word is broken itself."""
    lines: list[str] = []
    for word in words.split():
        parts = [word[start : start + most] for start in range(0, len(word), most)]
        for part in parts:
            if lines and len(lines[-1]) + 1 + len(part) <= most:
                lines[-1] += f" {part}"
            else:
                lines.append(part)
    return lines


def _box(role: str, box: ApparatusBox) -> str:
    fill = TINT if role in ("pump", "balance") else "white"
    top = box.y + (box.height - SIZE * LINE * len(box.lines)) / 2.0 + SIZE * 0.92
    titles = len(wrap(box.title, max(1, int((box.width - 10.0) / (SIZE * LETTER)))))
    text = "".join(
        f'<text x="{box.x + box.width / 2:g}" y="{top + number * SIZE * LINE:.1f}" text-anchor="middle" '
        f"{TITLE if number < titles else WORDS}>{escape(line)}</text>"
        for number, line in enumerate(box.lines)
    )
    return (
        f'<rect x="{box.x:g}" y="{box.y:g}" width="{box.width:g}" height="{box.height:g}" rx="4" fill="{fill}" '
        f'stroke="{INK}" stroke-width="0.9"/>{text}'
    )


def _line(points: list[tuple[float, float]], *, width: float, color: str, dash: str = "") -> str:
    path = " ".join(f"{x:g},{y:g}" for x, y in points)
    dashed = f' stroke-dasharray="{dash}"' if dash else ""
    return f'<polyline points="{path}" fill="none" stroke="{color}" stroke-width="{width:g}"{dashed}/>'


def _liquid(placed: Mapping[str, ApparatusBox]) -> list[str]:
    """Draw the liquid's way through what is there of it, from left to right."""
    way = [placed[role] for role in ("pump", "pressure", "switch", "balance") if role in placed]
    return [
        _line([(one.x + one.width, 155.0), (other.x, 155.0)], width=3.0, color=BLUE) for one, other in pairwise(way)
    ]


def _surroundings(placed: Mapping[str, ApparatusBox]) -> list[str]:
    """Draw what reaches the pump from above, and the air at the balance."""
    parts = []
    if "pump" in placed:
        above = [role for role in ("supply", "probe", "sound", "hands") if role in placed]
        for number, role in enumerate(above):
            box, level = placed[role], 112.0 - 9.0 * number
            down, at = box.x + box.width / 2.0, 36.0 + 26.0 * number
            straight = [(down, box.y + box.height), (down, level), (at, level), (at, placed["pump"].y)]
            parts.append(_line(straight, width=0.9, color=GREY))
    if "environment" in placed and "balance" in placed:
        middle = placed["balance"].x + placed["balance"].width / 2.0
        parts.append(_line([(middle, 74.0), (middle, placed["balance"].y)], width=0.9, color=GREY))
    return parts


def _data(placed: Mapping[str, ApparatusBox]) -> list[str]:
    return [
        _line([(x, box.y + box.height), (x, 240.0)], width=0.9, color=GREY, dash="4 3")
        for role in ("pump", "pressure", "switch", "balance")
        if role in placed
        for box in (placed[role],)
        for x in (box.x + box.width / 2.0,)
    ]


def _computer() -> str:
    words = "Computer of the bench: commands and reads the pump and every instrument, those of the upper row, too"
    return (
        f'<rect x="10" y="240" width="660" height="40" rx="4" fill="white" stroke="{INK}" stroke-width="0.9"/>'
        f'<text x="340" y="264" text-anchor="middle" fill="{INK}">{escape(words)}</text>'
    )
