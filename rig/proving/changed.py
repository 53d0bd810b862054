"""Which functions of the firmware a patch changes, read from the diff and the C sources.

Rests on the sources' style: a function begins in the first column, and its closing brace stands there. Good enough to
order tests by, and used for nothing else. Not responsible for which functions a test executes (`rig.proving.order`).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

_FILE = re.compile(r"^--- (?:a/)?(\S+)", re.MULTILINE)
_HUNK = re.compile(r"^@@ -(\d+)(?:,\d+)? \+\d+(?:,\d+)? @@")
_NAMED = re.compile(r"(\w+)\s*\(")
_BEGINS = re.compile(r"^[A-Za-z_][^;={}]*\)\s*\{?\s*$")


@dataclass(frozen=True)
class SourceFunction:
    """A function of a source file: its name, and its first and last line, counted from 1."""

    name: str
    first: int
    last: int


def functions_in(source: str) -> list[SourceFunction]:
    """List the functions of a C source, in their order."""
    found: list[SourceFunction] = []
    name, first = "", 0
    for number, line in enumerate(source.splitlines(), start=1):
        if line.startswith("}") and name:
            found.append(SourceFunction(name, first, number))
            name = ""
        elif not name and _BEGINS.match(line) and (called := _NAMED.search(line)):
            name, first = called[1], number
    return found


def changed_functions(patch: str, sources: Mapping[str, str]) -> frozenset[str]:
    """Name the functions in which a patch changes a line.

    Args:
        patch: a unified diff against the sources.
        sources: text by file name.

    Returns:
        Their names; empty where it changes none, such as a constant of a header.
    """
    names = set()
    for file, line in _changed_lines(patch):
        spans = functions_in(sources.get(file.rpartition("/")[2], ""))
        names |= {span.name for span in spans if span.first <= line <= span.last}
    return frozenset(names)


def still_there(names: Collection[str], known: Collection[str], sources: Mapping[str, str]) -> frozenset[str]:
    """Replace functions that the compiler has put into their callers by those callers.

    Args:
        names: of the sources.
        known: the functions that stand in the image.
        sources: text by file name.
    """
    bodies = {
        span.name: "\n".join(text.splitlines()[span.first : span.last])
        for text in sources.values()
        for span in functions_in(text)
    }
    found, seen, left = set(), set(), list(names)
    while left:
        name = left.pop()
        if name in seen:
            continue
        seen.add(name)
        if name in known:
            found.add(name)
        else:
            left += [caller for caller, body in bodies.items() if re.search(rf"\b{re.escape(name)}\b", body)]
    return frozenset(found)


def _changed_lines(patch: str) -> Iterator[tuple[str, int]]:
    """Tell file and line, of the sources before the patch, of every change; an added line counts as the one before."""
    file, line = "", 0
    for text in patch.splitlines():
        if text.startswith("--- ") and (named := _FILE.match(text)):
            file, line = named[1], 0
        elif hunk := _HUNK.match(text):
            line = int(hunk[1])
        elif not line or text.startswith("+++"):
            continue
        elif text.startswith("-"):
            yield file, line
            line += 1
        elif text.startswith("+"):
            yield file, max(line - 1, 1)
        else:
            line += 1
