"""Placeholders: where a requirement, a plan or a suite says `{bolus.maximum}`, the claim of the pump sheet is put in.

What stands in braces is the name of a claim, with a factor before it where one is needed: `{2 dose.size}`. A sign
stands outside, as in any text: `"-{basal.tolerance}"`. There is no other arithmetic. Not responsible for what the text
means then, nor for the sheet.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rig.errors import BenchFileError
from rig.pump_sheet.claims import CLAIMS, COUNT, ClaimKind
from rig.pump_sheet.sheet import NOT_STATED, OWN, Claim, PumpSheet

_BRACES = re.compile(r"(?<![$@&%])\{([^{}]*)\}")
"""Braces that are no variable of Robot Framework's."""
_NUMBER_AND_UNIT = re.compile(r"(\S*?\d\.?)\s*([^\d\s.]\S*)")
_INSIDE = re.compile(r"\s*(?:(\d+(?:\.\d+)?)\s*×?\s*)?([a-z]\w*\.\w+)\s*")


class NotClaimedError(BenchFileError):
    """The pump sheet has no value for what is referred to: whatever needs it does not apply to this pump."""


def refers_to_the_sheet(text: str) -> bool:
    """Say whether text holds a placeholder."""
    return _BRACES.search(text) is not None


def claims_named_in(content: object) -> list[str]:
    """List the claims that the placeholders of what was read from a file name, each once, in their order."""
    if isinstance(content, str):
        inside = (_INSIDE.fullmatch(match) for match in _BRACES.findall(content))
        return list(dict.fromkeys(match[2] for match in inside if match is not None))
    inner = content.values() if isinstance(content, Mapping) else content if isinstance(content, list | tuple) else ()
    return list(dict.fromkeys(name for each in inner for name in claims_named_in(each)))


def filled(content: Any, sheet: PumpSheet | None, where: Path | str) -> Any:  # noqa: ANN401 - any TOML value
    """Put the claims of a sheet into every text of what was read from a file, at any depth.

    Args:
        content: tables, lists, text, numbers.
        sheet: the sheet; None where there is none, and then nothing may refer to one.
        where: the file, or whatever else a sentence shall name.

    Raises:
        NotClaimedError: the sheet states no such value, or the pump cannot do it.
        BenchFileError: a placeholder is none, with the nearest.
    """
    if isinstance(content, str):
        return filled_text(content, sheet, where)
    if isinstance(content, Mapping):
        return {key: filled(value, sheet, where) for key, value in content.items()}
    if isinstance(content, list | tuple):
        return [filled(value, sheet, where) for value in content]
    return content


def filled_text(text: str, sheet: PumpSheet | None, where: Path | str) -> str:
    """Put the claims of a sheet into one text; as `filled`."""
    return _BRACES.sub(lambda match: _claimed(match[1], sheet, where), text)


def filled_where_stated(content: Any, sheet: PumpSheet | None, where: Path | str, *, in_words: bool) -> Any:  # noqa: ANN401
    """As `filled`, with a stand-in where the sheet states nothing.

    Args:
        content: as of `filled`.
        sheet: likewise.
        where: likewise.
        in_words: say that nothing is stated, for a reader; else put in a value of the right dimension, for a check.
    """
    if isinstance(content, str):
        return _BRACES.sub(lambda match: _stand_in(match, sheet, where, in_words=in_words), content)
    if isinstance(content, Mapping):
        return {key: filled_where_stated(value, sheet, where, in_words=in_words) for key, value in content.items()}
    if isinstance(content, list | tuple):
        return [filled_where_stated(value, sheet, where, in_words=in_words) for value in content]
    return content


def _stand_in(match: re.Match[str], sheet: PumpSheet | None, where: Path | str, *, in_words: bool) -> str:
    try:
        return _claimed(match[1], sheet, where)
    except NotClaimedError:
        factor, name = _apart(match[1], sheet, where)
        if in_words:
            return f"({name} {NOT_STATED})"
        kind = CLAIMS.get(name)
        return "1 s" if kind is None else _times(_lowest(kind), factor)


def _lowest(kind: ClaimKind) -> Claim:
    return Claim(kind.name, kind.words[0] if kind.words else kind.lowest, ())


def _claimed(inside: str, sheet: PumpSheet | None, where: Path | str) -> str:
    factor, name = _apart(inside, sheet, where)
    if sheet is None:
        raise BenchFileError(f"{where}: {{{inside}}} refers to a pump sheet, and there is none")
    lacking = sheet.lacks(name)
    if lacking is not None:
        raise NotClaimedError(lacking)
    return _times(sheet.claims[name], factor)


def _apart(inside: str, sheet: PumpSheet | None, where: Path | str) -> tuple[float | None, str]:
    """Take apart what stands in braces: a factor, if any, and the name of a claim that there is."""
    match = _INSIDE.fullmatch(inside)
    if match is None:
        raise BenchFileError(
            f"{where}: {{{inside}}} is no placeholder; it is the name of a claim such as {{bolus.maximum}}, or a number"
            " and the name such as {2 dose.size}"
        )
    name = match[2]
    own = [each for each in (sheet.claims if sheet is not None else ()) if each.startswith(f"{OWN}.")]
    if name not in CLAIMS and name not in own:
        near = difflib.get_close_matches(name, [*CLAIMS, *own], n=1)
        hint = f"did you mean {{{near[0]}}}?" if near else "docs/pump-sheets.md lists them"
        raise BenchFileError(f"{where}: {{{inside}}} is no claim of a pump sheet; {hint}")
    return (float(match[1]) if match[1] else None), name


def _times(claim: Claim, factor: float | None) -> str:
    """Write a claim, so many times where there is a factor, in the unit in which it was stated."""
    if factor is None:
        return claim.text
    kind = CLAIMS.get(claim.name)
    if kind is not None and kind.dimension == COUNT:
        return f"{factor * float(claim.text):.12g}"
    if kind is not None and kind.words:
        raise BenchFileError(f"{{{factor:g} {claim.name}}}: a word has no multiples")
    parts = (_NUMBER_AND_UNIT.fullmatch(part.strip()) for part in claim.text.split(","))
    return ", ".join(f"{factor * float(part[1]):.12g} {part[2]}" for part in parts if part)
