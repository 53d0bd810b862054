"""Which packages a test module needs that are not installed, read from its imports without running it."""

from __future__ import annotations

import ast
from functools import cache
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).parents[2]


@cache
def missing_packages(path: Path) -> frozenset[str]:
    """List packages that a module, or a module of the suites that it imports, wants at its top and nobody installed."""
    missing: set[str] = set()
    for node in ast.parse(path.read_bytes()).body:
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        else:
            continue
        for name in names:
            package = name.partition(".")[0]
            if find_spec(package) is None:
                missing.add(package)
            helper = ROOT / f"{name.replace('.', '/')}.py"
            if package == "suites" and helper.is_file():
                missing |= missing_packages(helper)
    return frozenset(missing)
