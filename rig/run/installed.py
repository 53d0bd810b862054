"""Are the files of installed packages those that were installed? Each is held against the hash in its list (RECORD).

What a list has no hash of, such as itself and compiled code, is passed over. Not responsible for whether the list
is the maker's: what was installed is what is compared (`rig.run.software` hashes the lists).
"""

from __future__ import annotations

import base64
import csv
import hashlib
import importlib.metadata
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from rig.run.software import ROOMS, SUITE_SUFFIXES, VENDORED
from rig.shipped import PUMP_SUITES


@dataclass(frozen=True)
class CheckedPackages:
    """What came of holding packages against their lists.

    Attributes:
        packages: how many.
        files: how many files of them.
        altered: files that are missing or have another hash, in words.
        unlisted: packages that have no list.
    """

    packages: int
    files: int
    altered: tuple[str, ...]
    unlisted: tuple[str, ...]


def check_packages(distributions: Iterable[importlib.metadata.Distribution] | None = None) -> CheckedPackages:
    """Hold every file of every installed package against its list.

    Args:
        distributions: those packages; None for all that are installed.
    """
    seen: set[str] = set()
    files, altered, unlisted = 0, [], []
    for distribution in importlib.metadata.distributions() if distributions is None else distributions:
        name: str | None = distribution.metadata["Name"]
        if name is None or name.lower() in seen or VENDORED in Path(str(distribution.locate_file(""))).parts:
            continue
        seen.add(name.lower())  # the first is the one that is imported
        if not distribution.read_text("RECORD"):
            unlisted.append(f"{name} {distribution.version}")
            continue
        for _, problem in _held(distribution):
            files += 1
            if problem is not None:
                altered.append(f"{name} {distribution.version}: {problem}")
    return CheckedPackages(len(seen), files, tuple(sorted(altered)), tuple(sorted(unlisted)))


def missing_packages_of(distribution: importlib.metadata.Distribution) -> list[str]:
    """List the packages that a distribution always needs and that are not installed; versions are the installer's."""
    always = [each for each in distribution.requires or () if ";" not in each]
    names = [found[0] for each in always if (found := re.match(r"[A-Za-z0-9._-]+", each)) is not None]
    return [name for name in names if not any(True for _ in importlib.metadata.distributions(name=name))]


def has_own_files(distribution: importlib.metadata.Distribution, root: Path) -> bool:
    """Say whether a distribution's list holds the code below `root`: a wheel's does, an editable one's does not."""
    wanted = root / "rig" / "__init__.py"
    return any(Path(str(each.locate())).resolve() == wanted for each in distribution.files or () if each.hash)


def altered_files(distribution: importlib.metadata.Distribution) -> list[str]:
    """List which files of a distribution are missing or changed, and which code or suites lie beside the rig's."""
    found = [problem for _, problem in _held(distribution) if problem is not None]
    listed = {Path(str(each.locate())).resolve() for each in distribution.files or ()}
    root = Path(str(distribution.locate_file("")))
    beside = [path for room in ROOMS for path in sorted((root / room).rglob("*.py"))]
    beside += [path for path in sorted((root / PUMP_SUITES).rglob("*")) if path.suffix in SUITE_SUFFIXES]
    return found + [f"{path.relative_to(root)} was added" for path in beside if path.resolve() not in listed]


def _held(distribution: importlib.metadata.Distribution) -> Iterator[tuple[str, str | None]]:
    """Hold each listed file that has a hash against it; yields its name, and what is wrong with it.

    The list is read here: some versions of `Distribution.files` leave out what is missing.
    """
    for name, listed, *_ in csv.reader((distribution.read_text("RECORD") or "").splitlines()):
        mode, _, expected = listed.partition("=")
        if mode not in hashlib.algorithms_available:
            continue
        try:
            with Path(str(distribution.locate_file(name))).open("rb") as file:
                digest = hashlib.file_digest(file, mode).digest()
        except FileNotFoundError:
            yield name, f"{name} is missing"
            continue
        except OSError as error:
            yield name, f"{name} cannot be read ({error.strerror})"
            continue
        as_listed = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        yield name, None if as_listed == expected else f"{name} was changed"
