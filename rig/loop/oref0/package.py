"""Where oref0 is: npm's package of one version, fetched by one command and called without a network.

Not responsible for calling it (`process`).
"""

from __future__ import annotations

from pathlib import Path

from rig.errors import BenchFileError, RigError
from rig.npm import NpmPackage

ADAPTER = Path(__file__).parent / "adapter.js"
FETCHED_BY = "rig oref0"
"""The command that fetches it."""
OREF0 = NpmPackage(
    name="oref0",
    own=Path(__file__).parent,
    title="oref0",
    needs="the controller oref0 needs",
    without="choose another controller",
)


def oref0_command() -> tuple[str, ...]:
    """The command line that starts the adapter.

    Raises:
        BenchFileError: Node.js is missing or too old, or oref0 was never fetched; the sentence says what to do.
    """
    try:
        node = OREF0.node()
    except RigError as error:
        raise BenchFileError(str(error)) from error
    if not OREF0.is_fetched:
        raise BenchFileError(
            f"the controller oref0 {OREF0.version} is not in {OREF0.place}; fetch it once by `{FETCHED_BY}`, for which "
            "a network is needed, or choose another controller"
        )
    return node, str(ADAPTER), str(OREF0.place)
