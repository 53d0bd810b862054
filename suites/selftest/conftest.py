"""Leaves out the modules of the self-test whose packages are not installed, and says so; nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from suites.selftest.needed_packages import missing_packages

_LEFT_OUT = pytest.StashKey[dict[Path, frozenset[str]]]()


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave out a test module that could not be imported."""
    if collection_path.suffix != ".py" or not collection_path.name.startswith("test_"):
        return None
    missing = missing_packages(collection_path)
    if not missing:
        return None
    config.stash.setdefault(_LEFT_OUT, {})[collection_path] = missing
    return True


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say what was left out."""
    left_out = config.stash.get(_LEFT_OUT, {})
    if left_out:
        packages = ", ".join(sorted(set().union(*left_out.values())))
        terminalreporter.write_line(
            f"modules of the self-test left out for want of {packages}: {len(left_out)} (pip install --group test)",
            red=True,
        )
