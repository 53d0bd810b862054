"""What the tests of the store share: runs of one value, an empty store, and the command line in this process."""

from __future__ import annotations

import io
import subprocess
import sys
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from rig.cli.app import run
from rig.store.opening import open_store
from suites.selftest.compared_runs import LARGEST, MEAN, OTHER_TEST, TEST, stored_run

VALUES = [(TEST, MEAN, 0.5, 0.1), (TEST, LARGEST, 1.5, 0.2), (OTHER_TEST, MEAN, -0.25, 0.1)]


def short_run(folder: Path, n: int, value: float = 0.5, **manifest: Any) -> Path:  # noqa: ANN401 - any value of a manifest
    """Write a closed run of one value."""
    return stored_run(folder / f"run {n}", [(TEST, MEAN, value, 0.1)], run_id=f"run {n}", **manifest)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    """An empty store."""
    with open_store(str(tmp_path / "runs.sqlite"), make=True) as opened:
        yield opened


def rig(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Call the command line in this process."""
    said, errors, code = io.StringIO(), io.StringIO(), None
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(said), redirect_stderr(errors):
        patch.setattr(sys, "argv", ["rig", *map(str, arguments)])
        try:
            run()
        except SystemExit as ended:
            code = ended.code
    return subprocess.CompletedProcess(arguments, int(code or 0), said.getvalue(), errors.getvalue())
