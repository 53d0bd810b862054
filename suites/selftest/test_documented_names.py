"""Every path, module, quantity and page that the documentation names is there.

Not responsible for what the documentation says of them, nor for its examples (`test_documented_examples`).
"""

from __future__ import annotations

import ast
import re
import subprocess
from pathlib import Path
from pkgutil import resolve_name

import pytest

from rig.procedures.catalogue import KINDS, TABLES

ROOT = Path()
ROOMS = ("rig", "instruments", "fixtures", "reports", "suites")
TRACKED = [
    Path(line)
    for line in subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    if Path(line).exists()
]
PAGES = [path for path in TRACKED if path.suffix == ".md"]
MODULES = [path for path in TRACKED if path.suffix == ".py"]
TOPS = {path.parts[0] for path in TRACKED}
ENTRY_POINTS = "rig.devices"  # a group's name that looks like a module's
OF_A_RUN = re.compile(r"reports/rev-")  # a run's folder `reports/` is not ours
SOURCES = (".py", ".md", ".c", ".h", ".robot", ".typ", ".svg")  # a file of these, named without its folder, is ours too
EVERY_PAGE = pytest.mark.parametrize("page", PAGES, ids=str)


def ticked(text: str) -> list[str]:
    """Find what stands between single backticks, outside of fenced and indented blocks."""
    prose = re.sub(r"^(```|~~~).*?^\1", "", text, flags=re.MULTILINE | re.DOTALL)
    prose = re.sub(r"^    .*$", "", prose, flags=re.MULTILINE)
    return re.findall(r"`([^`\n]+)`", prose)


def is_there(name: str, beside: Path) -> bool:
    """Whether a path, which may hold <placeholders> and *, leads to something, from the root or from `beside`."""
    pattern = re.sub(r"<[^>]+>", "*", name).rstrip("/")
    return any(True for start in (ROOT, beside) for _ in start.glob(pattern))


def headings(page: Path) -> set[str]:
    """Make the anchors of a page's headings as GitHub does: lower case, spaces to hyphens, no punctuation."""
    found = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", each.lower()).replace(" ", "-") for each in found}


def stale_paths(names: list[str], beside: Path) -> list[str]:
    """Choose what looks like a path of this repository and leads nowhere."""
    paths = [each for each in names if re.fullmatch(r"[\w.*<>/-]+", each) and not OF_A_RUN.match(each)]
    ours = [each for each in paths if "/" in each.rstrip("/") and each.split("/")[0] in TOPS]
    loose = [each for each in paths if "/" not in each and each.endswith(SOURCES) and re.match(r"\w", each)]
    known = {path.name for path in TRACKED}
    return [each for each in ours if not is_there(each, beside)] + [each for each in loose if each not in known]


def stale_modules(names: list[str]) -> list[str]:
    """Choose dotted names of our modules, and of what is in them, that cannot be imported."""
    dotted = [each for each in names if re.match(rf"({'|'.join(ROOMS)})(\.\w+)+$", each) and each != ENTRY_POINTS]
    return [each for each in dotted if not importable(each)]


def importable(name: str) -> bool:
    """Whether a module, or something in one, goes by this name."""
    try:
        resolve_name(name)
    except (ImportError, AttributeError):
        return False
    return True


@EVERY_PAGE
def test_paths_lead_somewhere(page: Path) -> None:
    assert stale_paths(ticked(page.read_text(encoding="utf-8")), page.parent) == []


@EVERY_PAGE
def test_links_lead_somewhere(page: Path) -> None:
    lost = []
    for target, anchor in re.findall(r"\]\(([^)#\s]*)(?:#([^)\s]+))?\)", page.read_text(encoding="utf-8")):
        aim = page.parent / target if target else page
        if "://" not in target and not (aim.exists() and (not anchor or anchor in headings(aim))):
            lost.append(f"{target}#{anchor}")
    assert lost == []


@EVERY_PAGE
def test_modules_can_be_imported(page: Path) -> None:
    assert stale_modules(ticked(page.read_text(encoding="utf-8"))) == []


@EVERY_PAGE
def test_quantities_are_in_the_catalogue(page: Path) -> None:
    tables = "|".join(map(re.escape, TABLES))
    named = re.findall(
        rf"^((?:{tables})\.[a-z_]{{3,}})$", "\n".join(ticked(page.read_text(encoding="utf-8"))), re.MULTILINE
    )
    assert [each for each in named if each not in KINDS and not each.endswith(".json")] == []


@pytest.mark.parametrize("room", ROOMS)
def test_docstrings_name_what_is_there(room: str) -> None:
    stale = {}
    for path in (each for each in MODULES if each.parts[0] == room):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        nodes = (ast.Module, ast.ClassDef, ast.FunctionDef)
        names = [
            name
            for node in ast.walk(tree)
            if isinstance(node, nodes)
            for name in re.findall(r"`([^`\n]+)`", ast.get_docstring(node) or "")
        ]
        if found := stale_paths(names, path.parent) + stale_modules(names):
            stale[str(path)] = found
    assert stale == {}
