"""JSON as a record writes it, and in no other way: whoever holds a file against its sum wants every octet to count.

Each object names a key once, no number is one that JSON lacks, and the octets are those that the rig writes for what
they say: another space or another order is another file. Not responsible for what the keys mean (the models).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any


def json_octets(content: Mapping[str, Any]) -> bytes:
    """Write an object as a file of a record holds it; ValueError for a number that JSON does not have."""
    return (json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode()


def written_line(content: Mapping[str, Any]) -> bytes:
    """Write an object as a line of a file of lines; ValueError for a number that JSON does not have."""
    return (json.dumps(content, ensure_ascii=False, allow_nan=False) + "\n").encode()


def read_exactly(data: bytes, *, line: bool = False) -> dict[str, Any]:
    """Read an object from octets that must be those which the rig writes for it.

    Args:
        data: the whole file, or a line with its end.
        line: whether it is a line.

    Raises:
        ValueError: what is wrong, as the end of a sentence that begins with the file's name.
    """
    try:
        content = json.loads(data.decode(), object_pairs_hook=_once, parse_constant=_no_number)
    except _NotAsWrittenError:
        raise
    except (ValueError, RecursionError) as error:
        raise _NotAsWrittenError(f"is no JSON ({error})") from error
    if not isinstance(content, dict):
        raise _NotAsWrittenError("holds no JSON object")
    try:
        again = written_line(content) if line else json_octets(content)
    except ValueError as error:  # a number beyond all bounds, such as 1e999, or half of a character
        raise _NotAsWrittenError(f"holds what no record holds ({error})") from error
    if again != data:
        raise _NotAsWrittenError("is not written as the rig writes it")
    return content


class _NotAsWrittenError(ValueError):
    """What is wrong with the octets, as the end of a sentence."""


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise _NotAsWrittenError(f"names the key {twice!r} twice")
    return content


def _no_number(word: str) -> Any:  # noqa: ANN401 - never returns
    raise _NotAsWrittenError(f"holds the number {word}, which JSON does not have")
