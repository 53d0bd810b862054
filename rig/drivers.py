"""Drivers and twins by the name that a bench file gives them, and whether its options are what the driver takes.

A driver is a module with `open_driver(wire or port, *, clock, …)`. The keywords that the rig does not give itself are
its options; their annotations say what is allowed. Not responsible for opening anything (`rig.bench`).
"""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import pkgutil
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from types import ModuleType
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError, create_model

from rig.errors import BenchFileError
from rig.validation import explain

GIVEN = frozenset({"wire", "port", "clock", "log", "radio", "lines"})
"""What the rig itself hands to `open_driver`: never an option, though a bench file says it elsewhere."""


@dataclass(frozen=True)
class _Home:
    """Where the devices of a kind live: the package that lists them, and the modules of one of them."""

    package: str
    driver: str
    twin: str
    called: str


_INSTRUMENTS = _Home("instruments", "instruments.{}.driver", "instruments.{}.twin", "instrument")
_PUMPS = _Home("rig.pump", "rig.pump.{}", "rig.virtual.{}.twin", "driver")


def driver_module(role: str, name: str) -> ModuleType:
    """Import the driver of a device; BenchFileError naming the known ones when there is none of this name."""
    return importlib.import_module(_home_of(role, name).driver.format(name))


def twin_module(role: str, name: str) -> ModuleType | None:
    """Import the twin of a device; None where it has none, such as a pump that its controller's firmware simulates.

    Raises:
        BenchFileError: there is no device of this name.
    """
    twin = _home_of(role, name).twin.format(name)
    package = twin.rpartition(".")[0]
    if importlib.util.find_spec(package) is None or importlib.util.find_spec(twin) is None:
        return None
    return importlib.import_module(twin)


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


def _home_of(role: str, name: str) -> _Home:
    """Find the home of a role's devices; BenchFileError when none of this name lives there."""
    home = _PUMPS if role == "pump" else _INSTRUMENTS
    modules = pkgutil.iter_modules(importlib.import_module(home.package).__path__)
    known = [module.name for module in modules if module.ispkg]
    if name not in known:
        raise BenchFileError(f"{role}.driver is {name!r}: there is no such {home.called}; known are {', '.join(known)}")
    return home


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
