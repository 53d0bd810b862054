"""Fixtures that self-tests share, and which modules are left out because their packages are not installed."""

from __future__ import annotations

import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from rig.run.ledger_copy import VARIABLE
from suites.selftest.needed_packages import missing_packages
from suites.selftest.recorded import FORMAT_1, verified, writable

_LEFT_OUT = pytest.StashKey[dict[Path, frozenset[str]]]()


def pytest_configure() -> None:
    """Heed Ctrl-C, which tests send: a shell has its background jobs ignore it, and whatever these start."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


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


@pytest.fixture(scope="session", autouse=True)
def _no_copy_of_ledgers_in_the_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Benches of tests have ledgers of which this PC keeps no copy."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(VARIABLE, str(tmp_path_factory.mktemp("state") / "ledgers.jsonl"))
        yield


@pytest.fixture(scope="session")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run with a basal, a bolus, a stopped and an occlusion test: to read, never to change."""
    return verified(tmp_path_factory.mktemp("recorded"))


@pytest.fixture
def run(recorded: Path, tmp_path: Path) -> Path:
    """A copy of it, to change."""
    return writable(Path(shutil.copytree(recorded, tmp_path / "run")))


@pytest.fixture
def old_run(tmp_path: Path) -> Path:
    """A copy of a run of format 1."""
    return Path(shutil.copytree(FORMAT_1, tmp_path / "old run"))
