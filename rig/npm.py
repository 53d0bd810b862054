"""npm packages that the rig calls with Node.js: each in one version, fetched once by its sums into the user's cache.

A folder of the rig's own holds `package.json` and `package-lock.json`; no script of a package runs while it is
installed. Not responsible for what a package does.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory

from rig.errors import RigError

PACKAGE, LOCK = "package.json", "package-lock.json"
NODE = 18
"""The oldest main version of Node.js that is taken."""
FETCH_S = 600.0


@dataclass(frozen=True)
class NpmPackage:
    """A package: its name, the folder with its two files, and what is said where Node.js is missing.

    Attributes:
        name: npm's.
        own: the folder that holds `package.json` and `package-lock.json`.
        title: what people call it.
        needs: who needs Node.js, such as "--page needs".
        without: what can be done without it.
    """

    name: str
    own: Path
    title: str
    needs: str
    without: str

    @property
    def version(self) -> str:
        """The version that the lock file names."""
        version: str = json.loads((self.own / LOCK).read_bytes())["packages"][f"node_modules/{self.name}"]["version"]
        return version

    @property
    def place(self) -> Path:
        """The folder in the user's cache that holds `node_modules`, or will; another lock file is another folder."""
        lock = sha256((self.own / LOCK).read_bytes()).hexdigest()[:12]
        return _cache() / f"{self.name}-{self.version}-{lock}"

    @property
    def is_fetched(self) -> bool:
        """Is it there? It was put there whole or not at all."""
        return (self.place / "node_modules" / self.name / PACKAGE).is_file()

    def node(self) -> str:
        """Find Node.js; RigError where it is missing or too old."""
        return self._programs("node")[0]

    def refuse_without_programs(self) -> None:
        """Refuse where Node.js or npm is missing or too old; RigError says so."""
        self._programs("node", "npm")

    def fetch(self) -> Path:
        """Find the package in the user's cache, or fetch it: whole or not at all.

        Raises:
            RigError: Node.js or npm is missing or too old, or it cannot be fetched or put there.
        """
        _, npm = self._programs("node", "npm")
        place, cache = self.place, _cache()
        if self.is_fetched:
            return place
        try:
            cache.mkdir(parents=True, exist_ok=True)
            with TemporaryDirectory(prefix=f"{self.name}-", dir=cache, ignore_cleanup_errors=True) as temporary:
                work = Path(temporary) / self.name
                work.mkdir()
                for name in (PACKAGE, LOCK):
                    shutil.copyfile(self.own / name, work / name)
                command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
                called(command, work, FETCH_S, f"fetching {self.title} {self.version} by npm")
                if not place.exists():
                    work.rename(place)
        except OSError as error:
            if not self.is_fetched:  # somebody else may have put it there meanwhile
                raise RigError(
                    f"{place}: {self.title} {self.version} cannot be put there ({error.strerror}); see XDG_CACHE_HOME"
                ) from error
        return place

    def _programs(self, *names: str) -> tuple[str, ...]:
        on_path = {name: shutil.which(name) for name in names}
        missing = " and ".join(name for name, path in on_path.items() if path is None)
        what = f"Node.js {NODE} or later" + (" with npm" if "npm" in names else "")
        if missing:
            raise RigError(f"{self.needs} {what}, and {missing} is not to be found; install it, or {self.without}")
        paths = tuple(str(path) for path in on_path.values())
        said = called([paths[0], "--version"], Path.cwd(), 60.0, "node").strip()
        version = re.search(r"^v(\d+)\.", said, re.MULTILINE)
        if version is None or int(version[1]) < NODE:
            found = said or "of no version"
            raise RigError(f"{self.needs} Node.js {NODE} or later, and {paths[0]} is {found}; install a later one")
        return paths


def _cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "insulin-pump-rig"


def called(command: Sequence[str], folder: Path, patience_s: float, what: str) -> str:
    """Call a program and return what it said; RigError with its last words where it fails."""
    try:
        done = subprocess.run(
            command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, text=True,
            errors="replace", timeout=patience_s, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise RigError(f"{what} did not end within {patience_s:g} s") from error
    except OSError as error:
        raise RigError(f"{what}: {command[0]} cannot be started ({error.strerror})") from error
    if done.returncode != 0:
        raise RigError(f"{what} failed with exit code {done.returncode}: {telling_words(done.stdout)}")
    return done.stdout


def telling_words(said: str) -> str:
    """Choose the words of a program's output that say what is wrong, on one line."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    telling = [line for line in lines if "error" in line.lower()][:4] or lines[-3:]
    return " / ".join(telling)[:400] or "it said nothing"
