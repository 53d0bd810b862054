"""Drivers and twins by the name that a bench file gives them, and whether its options are what the driver takes.

A device is a folder of `instruments/`, or a package that declares an entry point. Its driver is a module with a `ROLE`
and `open_driver(wire or port, *, clock, …)`. The keywords that the rig does not give itself are its options; their
annotations say what is allowed. Not responsible for opening anything (`rig.bench.open`).
"""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import pkgutil
import sys
import typing
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import entry_points
from types import ModuleType
from typing import TYPE_CHECKING, Any, Protocol, cast

from pydantic import BaseModel, ConfigDict, ValidationError, create_model

from rig.errors import BenchFileError
from rig.roles import (
    Balance,
    DebugProbe,
    Environment,
    GlucoseSensor,
    Hands,
    Instrument,
    MassReading,
    PowerSupply,
    PressureSensor,
    Pump,
    SoundRecorder,
    Switch,
    lacking,
)
from rig.roles.traffic import ReadTraffic
from rig.toml_files import explain

if TYPE_CHECKING:
    from rig.virtual.world import TwinModule  # a lab bench installs without what it needs

GIVEN = frozenset({"wire", "port", "clock", "log", "radio", "lines", "serial_number"})
"""What the rig itself hands to `open_driver`: never an option, though a bench file says it elsewhere."""


GROUP = "rig.devices"
"""Entry points of this group name further devices: name = a package with `driver`, and `twin` where there is one."""

ROLES: Mapping[str, type] = {
    "supply": PowerSupply,
    "switch": Switch,
    "environment": Environment,
    "pressure": PressureSensor,
    "balance": Balance,
    "sound": SoundRecorder,
    "hands": Hands,
    "sensor": GlucoseSensor,
    "pump": Pump,
    "probe": DebugProbe,
}
"""What a device of each role does. In the order of opening: the supply first, because the pump has no power before. The
probe is the last, since what was opened last is made safe first: a pump whose controller is halted cannot be stopped.

Which of them a bench has, its file says (`BenchFile.roles`).
"""


class DriverModule(Protocol):
    """A module `driver` of a device's package."""

    ROLE: str

    @property
    def open_driver(self) -> Callable[..., Instrument]:
        """Put the driver on its wire or port; its own keywords are its options."""
        ...


@dataclass(frozen=True)
class _Package:
    """The package of a device, and whose it is."""

    module: str
    owner: str


def driver_module(role: str, name: str) -> DriverModule:
    """Import the driver of a device by its name in a bench file.

    Raises:
        BenchFileError: there is none of this name, with those that there are; there are several; it cannot be
            imported; or it is no driver of this role.
    """
    module = _imported(role, name, f"{_package(role, name).module}.driver", ("ROLE", "open_driver"))
    if role != module.ROLE:
        raise BenchFileError(f"{role}.driver is {name!r}: that is a driver of a {module.ROLE}, not of a {role}")
    return cast(DriverModule, module)


def refuse_unfit(role: str, name: str, device: object) -> None:
    """Refuse what a driver opened when it cannot be of its role; BenchFileError with what it lacks."""
    if missing := lacking(device, ROLES[role]):
        raise BenchFileError(f"{role}.driver is {name!r}: what it opens is no {role}, it has no {', '.join(missing)}")


def twin_module(role: str, name: str) -> TwinModule | None:
    """Import the twin of a device; None where it has none, such as a pump that its controller's firmware simulates.

    Raises:
        BenchFileError: there is no device of this name; or its twin cannot be imported, or lacks something.
    """
    driver_module(role, name)
    twin = f"{_package(role, name).module}.twin"
    if importlib.util.find_spec(twin) is None:
        return None
    return cast("TwinModule", _imported(role, name, twin, ("BAUD", "BITS_PER_CHARACTER", "DATA_BITS", "open_twin")))


def traffic_reader(name: str) -> ReadTraffic | None:
    """Take `read_traffic` of a pump's module `traffic`, which reads back its octets; None where it has no such module.

    Raises:
        BenchFileError: there is no device of this name; or the module cannot be imported, or lacks the function.
    """
    module = f"{_package('pump', name).module}.traffic"
    if importlib.util.find_spec(module) is None:
        return None
    return cast("ReadTraffic", _imported("pump", name, module, ("read_traffic",)).read_traffic)


def mass_reader(name: str) -> Callable[[bytes], tuple[list[MassReading], bytes]] | None:
    """Take `masses_in` of a balance's driver, which reads masses back from octets; None where it has no such function.

    Raises:
        BenchFileError: there is no device of this name, or its driver cannot be imported.
    """
    return getattr(driver_module("balance", name), "masses_in", None)


def device_names(role: str) -> list[str]:
    """List the names of the devices of a role; a package that is no driver is none.

    Raises:
        BenchFileError: a driver cannot be imported.
    """
    drivers = {name: f"{package.module}.driver" for name, (package, *_) in sorted(_packages().items())}
    return [name for name, module in drivers.items() if getattr(_imported(role, name, module, ()), "ROLE", "") == role]


def package_names() -> list[str]:
    """List every device's name, of whatever role."""
    return sorted(_packages())


def any_driver_module(name: str) -> DriverModule:
    """Import the driver of a device by its name, of whatever role; as `driver_module`."""
    module = f"{_package('device', name).module}.driver"
    return cast(DriverModule, _imported("device", name, module, ("ROLE", "open_driver")))


def device_of(module: str) -> str | None:
    """Name the device, "role name", that a module belongs to; None where it is no device's."""
    for name, packages in _packages().items():
        for each in packages:
            if module == each.module or module.startswith(f"{each.module}."):
                role = getattr(sys.modules.get(f"{each.module}.driver"), "ROLE", "device")
                return f"{role} {name}"
    return None


def _package(role: str, name: str) -> _Package:
    packages = _packages()
    if name not in packages:
        known = ", ".join(sorted(packages))
        raise BenchFileError(f"{role}.driver is {name!r}: there is no such device; known are {known}")
    first, *others = packages[name]
    if others:
        owners = " and ".join(f"{each.module} of {each.owner}" for each in packages[name])
        raise BenchFileError(
            f"{role}.driver is {name!r}: {len(packages[name])} devices have this name, {owners}; a name is one "
            "device's, so rename one of them or uninstall it"
        )
    return first


@cache
def _packages() -> Mapping[str, Sequence[_Package]]:
    """List the packages of devices by name: a folder of `instruments`, or an entry point of anybody's package."""
    folders = pkgutil.iter_modules(importlib.import_module("instruments").__path__)
    found = {folder.name: [_Package(f"instruments.{folder.name}", "the rig")] for folder in folders if folder.ispkg}
    for entry in entry_points(group=GROUP):
        owner = entry.dist.name if entry.dist is not None else "an unknown distribution"
        package, there = _Package(entry.module, owner), found.setdefault(entry.name, [])
        if package not in there:  # a distribution may be found twice, on two entries of the path
            there.append(package)
    return found


def _imported(role: str, name: str, module: str, needed: Sequence[str]) -> ModuleType:
    """Import a module of a device that has what every such module must have."""
    try:
        found = importlib.import_module(module)
    except Exception as error:  # whatever anybody's package does when it is imported
        raise BenchFileError(
            f"{role}.driver is {name!r}: {module} cannot be imported ({type(error).__name__}: {error})"
        ) from error
    missing = [each for each in needed if not hasattr(found, each)]
    if missing:
        raise BenchFileError(
            f"{role}.driver is {name!r}: {module} has no {missing[0]}; such a module has {', '.join(needed)}"
        )
    return found


def refuse_wrong_options(role: str, name: str, options: Mapping[str, Any]) -> None:
    """Check the options of a device against its driver; nothing is opened.

    Raises:
        BenchFileError: there is no such driver; or an option is unknown, missing, of another type or out of range.
    """
    try:
        known = _options_of(driver_module(role, name).open_driver)
    except (NameError, KeyError, TypeError) as error:
        raise BenchFileError(
            f"{role}.driver is {name!r}: what open_driver takes cannot be read ({type(error).__name__}: {error}); each "
            "option needs an annotation"
        ) from error
    for option in options:
        if option not in known.model_fields:
            there = f"known are {', '.join(sorted(known.model_fields))}" if known.model_fields else "it has none"
            raise BenchFileError(f"{role}.options.{option}: {name} has no such option; {there}")
    try:
        known.model_validate(dict(options))
    except ValidationError as error:
        sentence = explain(f"{role}.options", error, known, options)
        raise BenchFileError(sentence.replace(": ", ".", 1)) from error  # the key in full, as in every other mistake


def refuse_missing_lines(name: str, lines: Mapping[str, int]) -> None:
    """Refuse lines that a switch does not have, where its driver says by `LINES` which it has; BenchFileError."""
    known = getattr(driver_module("switch", name), "LINES", None)
    if known is None:
        return
    for line, number in lines.items():
        if number not in known:
            raise BenchFileError(
                f"switch.lines.{line} is {number}: {name} has the lines {min(known)} to {max(known)}, and no such one"
            )


def takes(role: str, name: str, keyword: str) -> bool:
    """Say whether a driver takes this keyword, such as `radio` where a pump can be reached over Bluetooth LE."""
    return keyword in inspect.signature(driver_module(role, name).open_driver).parameters


@cache
def _options_of(open_driver: Callable[..., Any]) -> type[BaseModel]:
    """Make the model of a driver's options: one field for each keyword of its own, nothing converted."""
    allowed = typing.get_type_hints(open_driver, include_extras=True)
    fields: dict[str, Any] = {
        parameter.name: (allowed[parameter.name], ... if parameter.default is parameter.empty else parameter.default)
        for parameter in inspect.signature(open_driver).parameters.values()
        if parameter.name not in GIVEN
    }
    return create_model("Options", __config__=ConfigDict(extra="forbid", strict=True), **fields)
