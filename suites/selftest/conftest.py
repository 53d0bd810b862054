"""Fixtures that self-tests share: one short run, as `rig verify` leaves it, made once in a session."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from suites.selftest.recorded import FORMAT_1, verified


@pytest.fixture(scope="session")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run with a basal, a bolus, a stopped and an occlusion test: to read, never to change."""
    return verified(tmp_path_factory.mktemp("recorded"))


@pytest.fixture
def run(recorded: Path, tmp_path: Path) -> Path:
    """A copy of it, to change."""
    return Path(shutil.copytree(recorded, tmp_path / "run"))


@pytest.fixture
def old_run(tmp_path: Path) -> Path:
    """A copy of a run of format 1."""
    return Path(shutil.copytree(FORMAT_1, tmp_path / "old run"))
