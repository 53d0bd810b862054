"""Whose mistake an exception is: one that passed through the code of a device becomes a rig error that names it.

Drivers and twins may be anybody's, so that anything can come out of them. Not responsible for the errors that a driver
raises on purpose (`rig.errors`): they say more, and pass unchanged.
"""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from rig.bench.drivers import device_of
from rig.errors import DriverError, RigError


@contextmanager
def named_errors(role: str | None = None, asked: str = "") -> Iterator[None]:
    """Turn an exception from the code of a device into a DriverError; every other one passes.

    Args:
        role: the device that is being asked, when it is known: whatever comes out is its mistake then.
        asked: what it is asked to do, to go with `role`.

    Raises:
        DriverError: with device, what was asked, the exception and where to look.
    """
    try:
        yield
    except Exception as error:
        found = driver_error(error, role, asked)
        if found is None:
            raise
        raise found from error


def driver_error(error: Exception, role: str | None = None, asked: str = "") -> DriverError | None:
    """Say in a sentence which device's code an exception came from; None for a rig error, or where it is nobody's.

    Looks for the innermost line of a driver or twin; failing that, for the object that lacked what it was asked for.
    """
    if isinstance(error, RigError):
        return None
    came = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    lines = [(frame, number) for frame, number in traceback.walk_tb(error.__traceback__) if _device(frame)]
    if lines:
        frame, number = lines[-1]
        device, kind = _device(frame), _kind(frame)
        first = next(each for each, _ in lines if _device(each) == device and _kind(each) == kind)
        what = f"{first.f_code.co_name}()"
        return DriverError(
            f"{device}: its {kind} broke off at {what} with {came}; see line {number} of {frame.f_code.co_filename}"
        )
    lacking = device_of(type(error.obj).__module__) if isinstance(error, AttributeError) else None
    if lacking is None and role is None:
        return None
    return DriverError(
        f"{lacking or role}: its driver broke off{f' at {asked}' if asked else ''} with {came}; "
        "see what a driver of this role must have, in rig/roles.py"
    )


def _module(frame: FrameType) -> str:
    return str(frame.f_globals.get("__name__", ""))


def _device(frame: FrameType) -> str | None:
    return device_of(_module(frame))


def _kind(frame: FrameType) -> str:
    return "twin" if _module(frame).rpartition(".")[2].startswith("twin") else "driver"
