"""The wrong pumps that `rig prove` tries: patches of the firmware, ready images, wrong hardware, seeds, faults.

Not responsible for building a patch (`fixtures/controller/build.py`), nor for what a wrong pump does.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from rig.errors import BenchFileError
from rig.record.files import slug
from rig.record.proof import Source
from rig.run.selection import family
from rig.toml_files import read_toml

EXPECTED = "expected.toml"


@dataclass(frozen=True)
class TriedPump:
    """One pump to be tried.

    Attributes:
        name: by which it is chosen and told.
        source: what makes it a pump of its own.
        path: its patch or image; None for one that runs the right firmware.
        settings: laid over the bench file, "table.key" to value.
        expected: ids of the requirements that it must fail; empty where nobody has named any.
        told_in: the file that names these.
    """

    name: str
    source: Source
    path: Path | None = None
    settings: tuple[tuple[str, Any], ...] = ()
    expected: tuple[str, ...] = ()
    told_in: Path | None = None


def named_patches(folder: Path) -> list[TriedPump]:
    """Read the patches of a folder, with what its `expected.toml` says of each, in their order by name.

    Raises:
        BenchFileError: patches and entries differ, or the file is wrong.
    """
    paths = {path.stem: path for path in folder.glob("*.patch")}
    expected = read_toml(folder / EXPECTED)
    different = sorted(set(paths) ^ set(expected))
    if different:
        raise BenchFileError(f"{folder / EXPECTED}: patches and entries differ: {', '.join(different)}")
    return [
        TriedPump(name, "patch", paths[name], (), _ids(folder / EXPECTED, name, expected[name]), folder / EXPECTED)
        for name in sorted(paths)
    ]


def found_in(folder: Path, source: Literal["patch", "image"]) -> list[TriedPump]:
    """List the patches or images of any folder; an `expected.toml` in it names requirements of some or all.

    Raises:
        BenchFileError: there is none, or the file names others or is wrong.
    """
    suffix = {"patch": ".patch", "image": ".elf"}[source]
    paths = sorted(folder.glob(f"*{suffix}"))
    if not paths:
        raise BenchFileError(f"{folder}: there is no file *{suffix} in it")
    expected = read_toml(folder / EXPECTED) if (folder / EXPECTED).is_file() else {}
    unknown = sorted(set(expected) - {path.stem for path in paths})
    if unknown:
        raise BenchFileError(f"{folder / EXPECTED}: {unknown[0]}: there is no file {unknown[0]}{suffix} beside it")
    return [
        TriedPump(
            path.stem,
            source,
            path,
            (),
            _ids(folder / EXPECTED, path.stem, expected.get(path.stem, [])),
            folder / EXPECTED,
        )
        for path in paths
    ]


def wrong_hardware(path: Path) -> list[TriedPump]:
    """Read sets of parameters of the virtual hardware: a table each, with `set` and `must_fail`.

    Raises:
        BenchFileError: the file is wrong.
    """
    pumps = []
    for name, table in read_toml(path).items():
        if not isinstance(table, dict) or set(table) != {"set", "must_fail"} or not isinstance(table["set"], dict):
            raise BenchFileError(f"{path}: {name}: allowed are set, a table of bench settings, and must_fail, a list")
        settings = tuple((f"virtual.{key}", value) for key, value in table["set"].items())
        pumps.append(TriedPump(name, "hardware", None, settings, _ids(path, name, table["must_fail"]), path))
    if not pumps:
        raise BenchFileError(f"{path}: holds no set of parameters; write a table for each, such as [line_yields]")
    return pumps


def seeds(count: int, first: int = 1) -> list[TriedPump]:
    """List so many right pumps, each a device and a laboratory of its own."""
    return [TriedPump(f"seed {seed}", "seed", None, (("virtual.seed", seed),)) for seed in range(first, first + count)]


def with_faults(names: Sequence[str]) -> list[TriedPump]:
    """List the bench's own pump with each of these faults of the catalogue, which is there in every test."""
    return [TriedPump(name, "fault", None, (("provoke", name),)) for name in names]


def pumps_named(pumps: Sequence[TriedPump], names: Collection[str]) -> list[TriedPump]:
    """Choose pumps by name; all when none is named.

    Raises:
        BenchFileError: there is none of that name, or two have the same.
    """
    known = [pump.name for pump in pumps]
    called: dict[str, str] = {}
    for name in known:
        other = called.setdefault(slug(name).casefold(), name)  # the folder of its run is called so
        if other is not name or known.count(name) > 1:
            both = f"are called {name!r}" if other == name else f"{other!r} and {name!r} have names too much alike"
            raise BenchFileError(f"two wrong pumps {both}; a name belongs to one")
    unknown = sorted(set(names) - set(known))
    if unknown:
        raise BenchFileError(f"there is no wrong pump {unknown[0]!r}; known are {', '.join(known)}")
    return [pump for pump in pumps if not names or pump.name in names]


def with_families(pumps: Sequence[TriedPump], requirements: Collection[str]) -> list[TriedPump]:
    """Put the requirements of a family in the place of its name, such as PR-D2.

    Raises:
        BenchFileError: an expected requirement that there is none of.
    """
    found = []
    for pump in pumps:
        ids = [family(name, requirements) for name in pump.expected]
        if frozenset() in ids:
            name = pump.expected[ids.index(frozenset())]
            where = f"{pump.told_in}: " if pump.told_in is not None else ""
            raise BenchFileError(f"{where}{pump.name}: no requirement has the id {name!r}, which it is said to fail")
        found.append(replace(pump, expected=tuple(each for each in requirements if any(each in one for one in ids))))
    return found


def _ids(where: Path, name: str, value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise BenchFileError(f"{where}: {name}: {value!r} is no list of ids of requirements")
    return tuple(value)
