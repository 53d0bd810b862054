"""Which software a run is made with: the rig's own code and its commit, and every installed package.

Not responsible for what is done with it (`rig.run.begin`).
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import os
import platform
import subprocess
from pathlib import Path

from rig.errors import EvidenceError
from rig.record.manifest import Manifest, Package, Software
from rig.shipped import PUMP_SUITES, ROOT

DISTRIBUTION = "insulin-pump-rig"
ROOMS = ("rig", "instruments", "fixtures", "reports")
"""The packages whose code makes a run."""
SUITE_SUFFIXES = (".py", ".robot", ".resource", ".toml")
"""Of the files of a suite, all of which a run freezes."""
VENDORED = "_vendor"
"""Where setuptools has copies of packages of its own. Once it is imported they are on the path, and seem installed."""
_SHOWN = (DISTRIBUTION, "pyvisa", "pyserial", "numpy", "scipy", "gtc", "pytest", "robotframework", "typst", "unicorn")


def versions() -> dict[str, str]:
    """List the versions of Python and of the packages that a reader of a report wants to see."""
    installed = packages()
    return {
        "python": platform.python_version(),
        **{name: installed[name].version for name in _SHOWN if name in installed},
    }


def this_version() -> str:
    """Say in one line which rig this is: version, commit where one is known, and Python."""
    commit, dirty = commit_of(ROOT)
    known = f" (commit {commit[:12]}{'-dirty' if dirty else ''})" if commit else ""
    return f"rig {importlib.metadata.version(DISTRIBUTION)}{known}, Python {platform.python_version()}"


def packages() -> dict[str, Package]:
    """List every installed package with its version and the SHA-256 of its own list of files and their hashes."""
    found: dict[str, Package] = {}
    for distribution in importlib.metadata.distributions():
        name: str | None = distribution.metadata["Name"]
        if name is None:  # a folder of metadata that was left half removed
            continue
        if VENDORED in Path(str(distribution.locate_file(""))).parts:
            continue
        listed = distribution.read_text("RECORD")
        sha256 = hashlib.sha256(listed.encode()).hexdigest() if listed else None
        found.setdefault(name.lower(), Package(version=distribution.version, sha256=sha256))  # the first is imported
    return dict(sorted(found.items()))


def software() -> Software:
    """Identify the rig's own code as it stands now."""
    commit, dirty = commit_of(ROOT)
    return Software(
        version=importlib.metadata.version(DISTRIBUTION), commit=commit, dirty=dirty, sha256=code_sha256(ROOT)
    )


def code_sha256(root: Path) -> str:
    """Hash the code of the rig's own packages below `root`: every Python file with its path."""
    digest = hashlib.sha256()
    for room in ROOMS:
        for path in sorted((root / room).rglob("*.py")):
            digest.update(f"{path.relative_to(root).as_posix()}\0".encode())
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def refuse_changed(manifest: Manifest) -> None:
    """Refuse to go on with a run whose code is not the code that began it; EvidenceError."""
    if manifest.software is not None and code_sha256(ROOT) != manifest.software.sha256:
        raise EvidenceError(
            f"run {manifest.run_id}: the rig's code is not that which began the run; begin a new run with it"
        )


def commit_of(root: Path) -> tuple[str | None, bool | None]:
    """Name the commit of a checkout and whether its tree differs; None where `root` is no checkout of the rig itself.

    A rig that lies below the top of a repository is part of somebody else's, and one that is not tracked is none. Code
    that nobody has committed yet makes the tree differ, too: it takes part in the run.
    """
    if _git(root, "rev-parse", "--show-prefix") != "" or _git(root, "ls-files", "rig/__init__.py") in (None, ""):
        return None, None
    commit, changed = _git(root, "rev-parse", "HEAD"), _git(root, "status", "--porcelain", "--untracked-files=no")
    new = _git(root, "ls-files", "--others", "--", *(f"{room}/*.py" for room in ROOMS), *_suite_patterns())
    listed = _git(root, "ls-files", "-v")  # an "h" or "S" first: git was told to overlook changes of the file
    if changed is None or listed is None:
        return commit, None
    return commit, bool(changed or new or any(line[0] == "S" or line[0].islower() for line in listed.splitlines()))


def _suite_patterns() -> list[str]:
    return [f"{PUMP_SUITES}/*{suffix}" for suffix in SUITE_SUFFIXES]


def _git(root: Path, *arguments: str) -> str | None:
    """Ask git about `root`, whatever repository a hook that the rig runs in may be about; None when it cannot say."""
    apart = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    try:
        done = subprocess.run(
            ["git", "-C", str(root), *arguments], capture_output=True, text=True, check=True, env=apart
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()
