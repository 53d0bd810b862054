"""Passphrases and PINs: asked for at the terminal without echo, or handed over by whoever starts the program.

A secret is never an argument: arguments stand in the list of processes and in the shell's history. Not responsible for
what a secret opens.
"""

from __future__ import annotations

import getpass
import os
import warnings

from rig.errors import BenchFileError, RigError

HANDED = "env:NAME|fd:N"


def secret(what: str, source: str | None, *, twice: bool = False) -> str:
    """Get a secret.

    Args:
        what: "passphrase of ada.p12", as it is asked for.
        source: `env:NAME` takes it from an environment variable, `fd:N` the first line of an open file; None asks.
        twice: ask again, since a slip would lock its owner out.

    Raises:
        BenchFileError: the source is none of these, or holds nothing; or it was given otherwise the second time.
        RigError: there is no terminal to ask at.
    """
    if source is not None:
        return _handed(what, source)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", getpass.GetPassWarning)  # it would be shown while it is typed
            given = getpass.getpass(f"{what[:1].upper()}{what[1:]}: ")
            if twice and getpass.getpass("The same again: ") != given:
                raise BenchFileError(f"the {what} was not the same both times")
    except (getpass.GetPassWarning, EOFError, OSError) as error:
        raise RigError(
            f"there is no terminal to ask for the {what} at; call it from a terminal, or hand it over as {HANDED}"
        ) from error
    return given


def _handed(what: str, source: str) -> str:
    kind, _, name = source.partition(":")
    if kind == "env" and name:
        given = os.environ.get(name, "")
    elif kind == "fd" and name.isdecimal():
        try:
            with os.fdopen(os.dup(int(name)), encoding="utf-8") as file:
                given = file.readline().rstrip("\n")
        except (OSError, ValueError, OverflowError) as error:
            raise BenchFileError(f"{source}: the {what} cannot be read from this file descriptor") from error
    else:
        raise BenchFileError(f"what is given is no source of the {what}; allowed are env:NAME and fd:N")
    if not given:
        raise BenchFileError(f"{source}: holds no {what}")
    return given
