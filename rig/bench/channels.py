"""Channels of a bench file: several pumps, each with its balance, that run side by side.

`two_pumps.toml#left` is the bench of the channel "left": the file with that channel's tables laid over it. A channel is
a bench like any other from there on. Not responsible for running anything.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from rig.bench.addresses import NETWORK, resolved
from rig.errors import BenchFileError
from rig.toml_files import read_toml, validated

MARK = "#"
NEEDED_ROLES = ("balance", "pressure", "supply", "switch", "environment")
"""Instruments without which no bench is one."""
OPTIONAL_ROLES = ("sound", "hands", "probe")
"""Instruments that a bench may have; what needs one of them says so (`Procedure.needed_roles`)."""
INSTRUMENT_ROLES = (*NEEDED_ROLES, *OPTIONAL_ROLES)
"""Those that have a VISA address."""
PORT_ROLES = ("pump", "sensor")
"""Devices whose driver opens a port of its own; a bench may do without the sensor."""


class _Channel(BaseModel):
    """A channel's name; its tables are checked with the bench that they make."""

    model_config = ConfigDict(extra="allow", frozen=True)
    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$")


class _File(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)
    channel: tuple[_Channel, ...] = ()

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        names = [channel.name for channel in self.channel]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"the channel {name!r} stands twice")
        return self


def split(path: Path) -> tuple[Path, str | None]:
    """The file and the channel that `file#channel` names; None where it names none."""
    file, mark, name = str(path).rpartition(MARK)
    return (Path(file), name) if mark and file.endswith(".toml") else (path, None)


def channels(path: Path) -> list[str]:
    """The names of a bench file's channels in its order; none when it is one bench, or names one already.

    Raises:
        BenchFileError: the file cannot be read, a name is wrong or stands twice, or two channels want one port.
    """
    file, name = split(path)
    if name is not None:
        return []
    content = read_toml(file)
    names = [channel.name for channel in validated(file, content, _File).channel]
    _refuse_shared(file, {each: _laid_over(content, each) for each in names})
    return names


def bench_content(path: Path, content: dict[str, Any]) -> dict[str, Any]:
    """Choose what a bench file's content says of one bench, or of the channel that `path` names.

    Raises:
        BenchFileError: the file has channels and none was named, or has no such channel.
    """
    file, name = split(path)
    if name is None and "channel" not in content:
        return content
    known = [channel.name for channel in validated(file, content, _File).channel]
    if name is None:
        raise BenchFileError(f"{file}: has the channels {', '.join(known)}; name one, as {file}{MARK}{known[0]}")
    if name not in known:
        there = f"known are {', '.join(known)}" if known else "the file has none"
        raise BenchFileError(f"{path}: there is no channel {name!r}; {there}")
    return _laid_over(content, name)


def _laid_over(content: Mapping[str, Any], name: str) -> dict[str, Any]:
    own = next(channel for channel in content["channel"] if channel["name"] == name)
    shared = {key: value for key, value in content.items() if key != "channel"}
    title = f"{shared.get('name', '')}, {name}".removeprefix(", ")
    merged = _merged(shared, {key: value for key, value in own.items() if key != "name"})
    return {**merged, "name": title}


def _merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(below)
    for key, value in above.items():
        inner = merged.get(key)
        merged[key] = _merged(inner, value) if isinstance(inner, dict) and isinstance(value, dict) else value
    return merged


def _refuse_shared(file: Path, benches: Mapping[str, Mapping[str, Any]]) -> None:
    """Refuse two channels on one port; the air's sensor on a network may be one for several. Virtual ones: one seed."""
    for (one, first), (other, second) in combinations(benches.items(), 2):
        if "virtual" in first:
            if first["virtual"].get("seed", 1) == second["virtual"].get("seed", 1):
                raise BenchFileError(
                    f"{file}: the channels {one} and {other} have one virtual.seed, and so are the same pump twice; "
                    "give each its own"
                )
            continue
        others = {resolved(port): role for role, port in _ports(second)}
        for role, port in _ports(first):
            if (theirs := others.get(resolved(port))) is not None:
                whose = f"as their {role}" if theirs == role else f"as {role} and {theirs}"
                raise BenchFileError(
                    f"{file}: the channels {one} and {other} both have {port} {whose}, and a port has one owner; give "
                    "each its own, or one on the network"
                )


def _ports(bench: Mapping[str, Any]) -> Sequence[tuple[str, str]]:
    named = [(role, _of(bench, role, "address")) for role in INSTRUMENT_ROLES]
    named += [(role, _of(bench, role, "port")) for role in PORT_ROLES]
    return [(role, port) for role, port in named if port and not resolved(port).startswith(NETWORK)]


def _of(bench: Mapping[str, Any], role: str, key: str) -> str:
    """What a bench says of a device; nothing where it says nonsense, which is refused when the bench is read."""
    table = bench.get(role)
    value = table.get(key) if isinstance(table, dict) else None
    return value if isinstance(value, str) else ""
