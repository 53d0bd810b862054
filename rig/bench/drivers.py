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
import typing
from collections.abc import Callable, Mapping
from functools import cache
from importlib.metadata import entry_points
from types import ModuleType
from typing import TYPE_CHECKING, Any, Protocol, cast

from pydantic import BaseModel, ConfigDict, ValidationError, create_model

from rig.errors import BenchFileError
from rig.roles import Balance, Environment, Instrument, PowerSupply, PressureSensor, Pump, Switch, lacking
from rig.toml_files import explain

if TYPE_CHECKING:
    from rig.virtual.world import TwinModule  # a lab bench installs without what it needs

GIVEN = frozenset({"wire", "port", "clock", "log", "radio", "lines"})
"""What the rig itself hands to `open_driver`: never an option, though a bench file says it elsewhere."""


GROUP = "rig.devices"
"""Entry points of this group name further devices: name = a package with `driver`, and `twin` where there is one."""

ROLES: Mapping[str, type] = {
    "supply": PowerSupply,
    "switch": Switch,
    "environment": Environment,
    "pressure": PressureSensor,
    "balance": Balance,
    "pump": Pump,
}
"""What a device of each role does. In the order of opening: the supply first, because the pump has no power before."""


class DriverModule(Protocol):
    """A module `driver` of a device's package."""

    ROLE: str

    @property
    def open_driver(self) -> Callable[..., Instrument]:
        """Put the driver on its wire or port; its own keywords are its options."""
        ...


def driver_module(role: str, name: str) -> DriverModule:
    """Import the driver of a device by its name in a bench file.

    Raises:
        BenchFileError: there is none of this name, with those that there are; it cannot be imported; or it is no driver
            of this role, or none at all.
    """
    packages = _packages()
    if name not in packages:
        known = ", ".join(sorted(packages))
        raise BenchFileError(f"{role}.driver is {name!r}: there is no such device; known are {known}")
    module = _imported(role, name, f"{packages[name]}.driver")
    found = getattr(module, "ROLE", None)
    if found != role:
        raise BenchFileError(f"{role}.driver is {name!r}: that is a driver of a {found}, not of a {role}")
    if not callable(getattr(module, "open_driver", None)):
        raise BenchFileError(f"{role}.driver is {name!r}: {module.__name__} has no open_driver")
    return cast(DriverModule, module)


def refuse_unfit(role: str, name: str, device: object) -> None:
    """Refuse what a driver opened when it cannot be of its role; BenchFileError with what it lacks."""
    if missing := lacking(device, ROLES[role]):
        raise BenchFileError(f"{role}.driver is {name!r}: what it opens is no {role}, it has no {', '.join(missing)}")


def twin_module(role: str, name: str) -> TwinModule | None:
    """Import the twin of a device; None where it has none, such as a pump that its controller's firmware simulates.

    Raises:
        BenchFileError: there is no device of this name.
    """
    driver_module(role, name)
    twin = f"{_packages()[name]}.twin"
    if importlib.util.find_spec(twin) is None:
        return None
    return cast("TwinModule", _imported(role, name, twin))


def device_names(role: str) -> list[str]:
    """List the names of the devices of a role; a package that is no driver is none.

    Raises:
        BenchFileError: a driver cannot be imported.
    """
    drivers = {name: f"{package}.driver" for name, package in sorted(_packages().items())}
    return [name for name, module in drivers.items() if getattr(_imported(role, name, module), "ROLE", None) == role]


@cache
def _packages() -> Mapping[str, str]:
    """List the packages of devices by name: a folder of `instruments`, or an entry point of anybody's package."""
    folders = pkgutil.iter_modules(importlib.import_module("instruments").__path__)
    own = {folder.name: f"instruments.{folder.name}" for folder in folders if folder.ispkg}
    return {**{entry.name: entry.value for entry in entry_points(group=GROUP)}, **own}


def _imported(role: str, name: str, module: str) -> ModuleType:
    try:
        return importlib.import_module(module)
    except Exception as error:  # whatever anybody's package does when it is imported
        raise BenchFileError(
            f"{role}.driver is {name!r}: {module} cannot be imported ({type(error).__name__}: {error})"
        ) from error


def refuse_wrong_options(role: str, name: str, options: Mapping[str, Any]) -> None:
    """Check the options of a device against its driver; nothing is opened.

    Raises:
        BenchFileError: there is no such driver; or an option is unknown, missing, of another type or out of range.
    """
    known = _options_of(driver_module(role, name).open_driver)
    for option in options:
        if option not in known.model_fields:
            there = f"known are {', '.join(sorted(known.model_fields))}" if known.model_fields else "it has none"
            raise BenchFileError(f"{role}.options.{option}: {name} has no such option; {there}")
    try:
        known.model_validate(dict(options))
    except ValidationError as error:
        sentence = explain(f"{role}.options", error, known, options)
        raise BenchFileError(sentence.replace(": ", ".", 1)) from error  # the key in full, as in every other mistake


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
