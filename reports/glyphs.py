"""Characters that the report's fonts do not have, written by their number, such as [U+738B].

A PDF/A file may not show a character that it has no glyph for, and a report must not drop one. The typesetter's widest
font is DejaVu Sans Mono, which matplotlib ships too: its table of characters decides. Not responsible for bidirectional
text or shaping.
"""

from __future__ import annotations

import unicodedata
from functools import cache
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.ft2font import FT2Font

WIDEST_FONT = "fonts/ttf/DejaVuSansMono.ttf"
_UNSHOWN = ("Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp")
"""Unicode's controls, format marks, unassigned and private codes, halves of pairs, and separators of lines."""


@cache
def _covered() -> frozenset[int]:
    covered = FT2Font(str(Path(mpl.get_data_path()) / WIDEST_FONT)).get_charmap()
    return frozenset(code for code in covered if unicodedata.category(chr(code)) not in _UNSHOWN)


def readable(content: Any) -> Any:  # noqa: ANN401 - any JSON value
    """Write each character without a glyph by its number, in every string of `content`; line ends stay."""
    if isinstance(content, str):
        return "".join(sign if sign == "\n" or ord(sign) in _covered() else f"[U+{ord(sign):04X}]" for sign in content)
    if isinstance(content, dict):
        return {key: readable(value) for key, value in content.items()}
    if isinstance(content, list | tuple):
        return [readable(value) for value in content]
    return content
