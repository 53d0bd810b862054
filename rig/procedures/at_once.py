"""A command whose moment counts: given at once, or the measurement is BLOCKED.

A computer that stands still within a command leaves unknown when it was heard: what the pump did meanwhile, before it
or after it, would be held against the pump. Not responsible for gaps between readings (`gaps`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from rig.clock import Clock
from rig.errors import BlockedError, RefusedError

Answer = TypeVar("Answer")
LATE_S = 3.0
"""A command is answered within so much. The house's own: a driver waits 2 s for an answer, and then ends the test."""


def at_once(clock: Clock, doing: str, command: Callable[[], Answer], *, within_s: float = LATE_S) -> Answer:
    """Give a command, or several that belong together, and return what comes back; `doing` is for the sentence.

    Raises:
        BlockedError: it took longer than `within_s`, by the bench's clock; so too where the pump then refused it.
    """
    asked_s = clock.now()
    try:
        answered = command()
    except RefusedError as error:
        _refuse_late(clock.now() - asked_s, doing, within_s, error)
        raise
    _refuse_late(clock.now() - asked_s, doing, within_s)
    return answered


def _refuse_late(took_s: float, doing: str, within_s: float, error: RefusedError | None = None) -> None:
    if took_s > within_s:
        raise BlockedError(
            f"rig: {took_s:.4g} s passed in {doing}, {within_s:g} s may, so that nobody knows when it was done; find "
            "out what held the computer up (sleep, updates, other programs), and measure again"
        ) from error
