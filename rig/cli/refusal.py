"""An expected error in one sentence on stderr, and the exit code that it means.

Not responsible for errors that nobody expects (`rig.cli.entry`).
"""

from __future__ import annotations

import sys

from rig.cli.printing import one_line
from rig.errors import BenchFileError, DataFileError, RigError

EXIT_USAGE = 2
EXIT_RIG = 3


def say_refusal(error: RigError) -> int:
    """Say why something was not done; returns 2 where it was asked for wrongly, 3 where it cannot be done."""
    say_reason(error)
    return EXIT_USAGE if isinstance(error, BenchFileError | DataFileError) else EXIT_RIG


def say_reason(reason: object) -> None:
    """Print a sentence to stderr."""
    print(f"rig: {one_line(str(reason))}", file=sys.stderr)  # noqa: T201 - plain, so that a terminal never folds it
