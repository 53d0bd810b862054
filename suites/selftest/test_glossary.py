"""One word for one thing: no public name is defined in two modules, and the glossary's words are in the code.

Not responsible for what the words mean: docs/glossary.md says it.
"""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

from suites.selftest.test_documented_names import importable

GLOSSARY = Path("docs/glossary.md")
ROOMS = ("rig", "instruments", "reports", "fixtures")

CONTRACTS = {
    "open_driver": "every device has one",
    "open_twin": "every device has one",
    "main": "where a program begins",
    **dict.fromkeys(
        ("pytest_addoption", "pytest_collection_modifyitems", "pytest_configure", "pytest_sessionfinish"),
        "pytest looks for its hooks in each plugin",
    ),
    "air_density_kg_per_m3": "computed twice on purpose: the world does not borrow what the rig believes",
    "water_density_kg_per_m3": "computed twice on purpose, likewise",
}
"""Names that many modules define because somebody looks for them there."""


def public_names(path: Path) -> Iterator[str]:
    """List the public classes and functions that a module defines at its top."""
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, (ast.ClassDef, ast.FunctionDef)) and not node.name.startswith("_"):
            yield node.name


def homes() -> dict[str, list[str]]:
    """Where each public name is defined. A command of the command line is named by its function, and left out."""
    found = defaultdict(list)
    for room in ROOMS:
        for path in sorted(Path(room).rglob("*.py")):
            if path.parent != Path("rig/cli/commands"):
                for name in sorted(set(public_names(path))):
                    found[name].append(str(path))
    return found


def words() -> list[tuple[str, str]]:
    """Read the words of the glossary, each with how the code spells it."""
    return re.findall(r"^\| ([^|]+) \|.*\| `([^`|]+)` \|$", GLOSSARY.read_text(encoding="utf-8"), re.MULTILINE)


def test_no_public_name_is_defined_twice() -> None:
    twice = {name: paths for name, paths in homes().items() if len(paths) > 1 and name not in CONTRACTS}
    assert twice == {}


@pytest.mark.parametrize(("word", "spelt"), words(), ids=[word for word, _ in words()])
def test_a_word_is_in_the_code(word: str, spelt: str) -> None:
    assert importable(spelt), f"{word} is spelt {spelt}, which is not there"


def test_each_word_stands_once() -> None:
    listed = [word for word, _ in words()]
    assert len(listed) > 30
    assert [word for word in listed if listed.count(word) > 1] == []
