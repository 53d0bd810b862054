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
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError, create_model

from rig.errors import BenchFileError
from rig.toml_files import explain

GIVEN = frozenset({"wire", "port", "clock", "log", "radio", "lines"})
"""What the rig itself hands to `open_driver`: never an option, though a bench file says it elsewhere."""


GROUP = "rig.devices"
"""Entry points of this group name further devices: name = a package with `driver`, and `twin` where there is one."""


def driver_module(role: str, name: str) -> ModuleType:
    """Import the driver of a device by its name in a bench file.

    Raises:
        BenchFileError: there is none of this name, with those that there are; it cannot be imported; or it is no driver
            of this role.
    """
    packages = _packages()
    if name not in packages:
        known = ", ".join(sorted(packages))
        raise BenchFileError(f"{role}.driver is {name!r}: there is no such device; known are {known}")
    module = _imported(role, name, f"{packages[name]}.driver")
    found = getattr(module, "ROLE", None)
    if found != role:
        raise BenchFileError(f"{role}.driver is {name!r}: that is a driver of a {found}, not of a {role}")
    return module


def twin_module(role: str, name: str) -> ModuleType | None:
    """Import the twin of a device; None where it has none, such as a pump that its controller's firmware simulates.

    Raises:
        BenchFileError: there is no device of this name.
    """
    driver_module(role, name)
    twin = f"{_packages()[name]}.twin"
    return _imported(role, name, twin) if importlib.util.find_spec(twin) is not None else None


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
