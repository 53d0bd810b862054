"""Where `rig` and `python -m rig` begin: whatever happens, the exit code means what the documentation says.

An error that nobody expected is one sentence and exit code 3, never a traceback and never 1, which says that a
requirement failed. This module imports nothing but Python's own library before it has said so. Not responsible for the
commands (`rig.cli.app`).
"""

from __future__ import annotations

import os
import sys
import tempfile
import traceback

from rig.cli.streams import forgiving_streams

EXIT_RIG = 3
TRACEBACK = "RIG_TRACEBACK"
"""Environment variable that asks for the traceback of an unexpected error on the terminal."""


def main() -> None:
    """Run the command line and exit; 3 where it broke off, or where what it printed could not be written."""
    with forgiving_streams() as lost:
        code = _exit_code()
        sys.stdout.flush()
        sys.stderr.flush()
        for reason in lost.reasons:
            _say(f"{reason}; the rest of it is lost")
        if lost.reasons and code == 0:
            code = EXIT_RIG
    sys.exit(code)


def _exit_code() -> int:
    """Run the command line; returns its exit code, whatever ended it."""
    try:
        from rig.cli.app import run

        run()
    except SystemExit as ended:
        if ended.code is None or isinstance(ended.code, int):
            return ended.code or 0
        _say(str(ended.code))
        return EXIT_RIG
    except KeyboardInterrupt:
        _say("interrupted")
        return EXIT_RIG
    except MemoryError as error:
        _say(f"{_asked()} broke off: the memory of this computer is exhausted; what was written before is kept")
        _keep(error)
        return EXIT_RIG
    except OSError as error:
        what = f"{error.filename}: {error.strerror}" if error.filename else str(error)
        _say(f"{_asked()} broke off: {what}; {_keep(error)}")
        return EXIT_RIG
    except BaseException as error:  # whatever it is, it is no failed requirement
        words = " ".join(f"{type(error).__name__}: {error}".split())
        _say(f"{_asked()} broke off by a mistake of the rig, not of the pump: {words}; {_keep(error)}")
        return EXIT_RIG
    return 0


def _asked() -> str:
    command = next((word for word in sys.argv[1:] if not word.startswith("-")), "")
    return f"rig {command}".strip()


def _keep(error: BaseException) -> str:
    """Keep the traceback of an error in a file, or print it where that was asked for; says where it is."""
    if os.environ.get(TRACEBACK):
        traceback.print_exception(error)
        return "the details are above"
    try:
        descriptor, path = tempfile.mkstemp(prefix="rig-error-", suffix=".txt")
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.write(f"{sys.argv!r}\n")
            traceback.print_exception(error, file=file)
    except (OSError, MemoryError):
        return f"set {TRACEBACK}=1 to see the details"
    return f"the details are in {path}"


def _say(sentence: str) -> None:
    print(f"rig: {sentence}", file=sys.stderr)  # noqa: T201 - plain, so that a terminal never folds it
