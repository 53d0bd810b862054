"""A fresh environment with the rig installed from its wheel, to see what somebody has who installs it.

Its dependencies are those of the running environment, lent by a .pth file, so that nothing is downloaded. A .pth file
that lies in a lent folder is not read, so a rig that is installed in editable mode there does not come along, and what
the wheel brings lies before it on the path. Not responsible for what is then tried.
"""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Environment:
    """A virtual environment, and an empty folder to stand in."""

    folder: Path
    empty: Path

    @property
    def packages(self) -> Path:
        """Where its packages are installed."""
        (found,) = self.folder.glob("lib/python*/site-packages")
        return found

    def install(self, *wheels: Path) -> None:
        """Install wheels, without what they depend on, and although the lent packages may hold the same version."""
        python = str(self.folder / "bin" / "python")
        options = ("--no-deps", "--no-index", "--no-compile", "--ignore-installed")
        _pip("--python", python, "install", *options, *map(str, wheels))

    def call(
        self, *command: str, stdin: str = "", path: Path | None = None, at: Path | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a command of the environment in the empty folder, or in `at`; `path` lies first on Python's path."""
        named = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "PYTEST"))}
        given = {"PYTHONHASHSEED": "0", **({"PYTHONPATH": str(path)} if path is not None else {})}
        return subprocess.run(
            [str(self.folder / "bin" / command[0]), *command[1:]],
            cwd=at or self.empty,
            env=named | given,
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
        )


def build_wheels(folder: Path, trees: Sequence[Path]) -> list[Path]:
    """Build the wheel of each source tree, by the build backend of the running environment."""
    _pip("wheel", "--no-deps", "--no-index", "--no-build-isolation", "-w", str(folder), *map(str, trees))
    return sorted(folder.glob("*.whl"))


def make_environment(folder: Path, wheels: Sequence[Path]) -> Environment:
    """Make an environment below `folder` with these wheels installed."""
    made = Environment(folder / "env", folder / "empty")
    made.empty.mkdir(parents=True)
    venv.create(made.folder, with_pip=False, symlinks=True)
    lent = sorted({sysconfig.get_path("purelib"), sysconfig.get_path("platlib")})
    (made.packages / "lent.pth").write_text("\n".join(lent) + "\n", encoding="utf-8")
    made.install(*wheels)
    return made


def _pip(*arguments: str) -> None:
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "-q", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
