"""What a pump answers where the answer itself is measured: done, or refused with a reason; both are facts.

Not responsible for a pump that does not answer at all (`silence`).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from rig.errors import RefusedError
from rig.record.taking import Fact, Recorder, Taken
from rig.roles import Annunciation, Bench, Capability, require

MOST_ANNUNCIATIONS = 8
"""More are not confirmed one after the other: a pump that raises each anew would keep the bench for ever."""


class PumpAnswered(Fact):
    """What a pump was asked for, in words, whether it refused, and its reason."""

    asked: str
    refused: bool
    reason: str


def ask_pump(bench: Bench, record: Recorder, asked: str, command: Callable[[], object]) -> bool:
    """Ask a pump for something and keep its answer; says whether it did not refuse."""
    try:
        command()
    except RefusedError as error:
        record.fact(PumpAnswered(at_s=bench.clock.now(), asked=asked, refused=True, reason=str(error)))
        record.step(f"{asked}: refused", reason=error.came_back)
        return False
    record.fact(PumpAnswered(at_s=bench.clock.now(), asked=asked, refused=False, reason=""))
    record.step(f"{asked}: accepted")
    return True


def ask_for_bolus(bench: Bench, record: Recorder, insulin_u: float, asked: str = "a bolus") -> int | None:
    """Ask a pump for a fast bolus in U; returns its number, None where the pump refuses."""
    pump = require(bench.pump, Capability.FAST_BOLUS)
    given: list[int] = []
    ask_pump(bench, record, asked, lambda: given.append(pump.bolus(insulin_u)))
    return given[0] if given else None


def accepted(taken: Taken, asked: str) -> int:
    """Count how often a pump did what it was asked for in these words."""
    return sum(answer.asked == asked and not answer.refused for answer in taken.facts(PumpAnswered))


def confirm_if_allowed(bench: Bench, record: Recorder, shown: Annunciation) -> bool:
    """Confirm an annunciation in passing; a pump that refuses, as where its cause holds, goes on showing it."""
    try:
        bench.pump.confirm(shown.annunciation_id)
    except RefusedError as error:
        record.step("not confirmed", kind=shown.kind, reason=error.came_back)
        return False
    return True


def confirm_all(bench: Bench, record: Recorder) -> None:
    """Confirm what is annunciated, one after the other; what the pump does not let be confirmed ends it."""
    for _ in range(MOST_ANNUNCIATIONS):
        shown = bench.pump.annunciations()
        if not shown:
            return
        for each in shown:
            if not ask_pump(
                bench, record, f"confirming {each.kind}", partial(bench.pump.confirm, each.annunciation_id)
            ):
                return
