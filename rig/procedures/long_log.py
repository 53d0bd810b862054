"""A log of thousands of entries: gapless, over a loss of power in its middle, and the same however it is asked for.

The entries are made by starting and stopping therapy without delivery, which costs little time. Not responsible for
limits, nor for what stands in the entries (`log_contents`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, ClassVar

from pydantic import Field

from rig.errors import DeviceError
from rig.procedures.power import put_battery_in, take_battery_out
from rig.procedures.preparation import MINUTES_A_DAY
from rig.procedures.procedure import Computed, Procedure
from rig.procedures.tapped import last_number
from rig.record.taking import Fact, Recorder, Taken
from rig.roles import Bench, Capability, HistoryEvent, Metrology, require
from rig.roles.pump import ReadsPartsOfHistory
from rig.therapy import BasalSegment
from rig.toml_files import WholeNumber
from rig.verdicts.limits import Measurement
from rig.verdicts.quantities import Kind, Quantity

OFF_S = 5.0
RATE_U_PER_H = 1.0
"""So that a start changes the basal rate, too, which leaves an entry more; a dose takes longer to come than a stop."""
BEFORE_POWER_IS_LOST = 100
FEWEST, TRIED = 1, 5
"""Entries that a start and a stop leave at least; how many are made to see how many they leave."""
ASKED = 50
"""Entries of a range that is asked for."""

ENTRIES = Kind("long_log.entries", "entries of a long log", ("entries",), (), "How many it holds.")
MISSING = Kind("long_log.missing", "numbers missing in a long log", ("entries",), (), "Over a loss of power, too.")
CHANGED = Kind(
    "long_log.changed",
    "entries of a long log that a loss of power changed",
    ("entries",),
    (),
    "Entries that were read before it and are gone or differ.",
)
DIFFERING = Kind(
    "long_log.parts_differing",
    "ways to ask a log that answer otherwise than the whole of it",
    ("ways",),
    (),
    "The first, the last, a range, and from a number on.",
)


class LongLogRead(Fact):
    """Numbers of the entries, how many a loss of power changed, and which ways of asking answered otherwise."""

    numbers: tuple[int, ...]
    changed: int
    differing: tuple[str, ...]


class LongLog(Procedure):
    """Fill the pump's log with entries, take the supply away in the middle, and read the log in several ways."""

    TABLE: ClassVar = "long_log"
    KEYWORD: ClassVar = "Fill The Log"
    IN_WORDS: ClassVar = "a log of {title}"
    KINDS: ClassVar = (ENTRIES, MISSING, CHANGED, DIFFERING)
    EXPECTED: ClassVar = frozenset({"system issue"})

    entries: Annotated[WholeNumber, Field(ge=10, le=100_000)] = 2000

    @property
    def title(self) -> str:
        """What tells it from others: how many entries."""
        return f"{self.entries} entries"

    @property
    def needs(self) -> tuple[Capability, ...]:
        """What a pump must be able to do for it."""
        return (Capability.HISTORY, Capability.BASAL_PROFILE)

    @property
    def needed_roles(self) -> tuple[str, ...]:
        """Instruments that it uses."""
        return ("supply",)

    @property
    def quantities(self) -> tuple[Quantity, ...]:
        """What it measures."""
        return tuple(kind.of() for kind in self.KINDS)

    @property
    def extent(self) -> Mapping[str, float]:
        """How many entries it asks for."""
        return {"count": float(self.entries)}

    def take(self, bench: Bench, record: Recorder) -> None:
        """Make some entries, lose power, make the others, and read."""
        log = require(bench.pump, Capability.HISTORY)
        bench.pump.stop()
        flat = [BasalSegment(MINUTES_A_DAY, RATE_U_PER_H)]
        require(bench.pump, Capability.BASAL_PROFILE).set_basal_profile(flat)
        self._fill(bench, BEFORE_POWER_IS_LOST)
        before = log.history()
        take_battery_out(bench, record)
        bench.clock.sleep(OFF_S)
        put_battery_in(bench, record)
        self._fill(bench, self.entries - len(before))
        whole = log.history()
        record.step("log read", entries=len(whole))
        record.fact(
            LongLogRead(
                at_s=bench.clock.now(),
                numbers=tuple(event.sequence for event in whole),
                changed=_changed(before, whole),
                differing=_differing(bench.pump, whole) if isinstance(bench.pump, ReadsPartsOfHistory) else (),
            )
        )

    def _fill(self, bench: Bench, entries: int) -> None:
        """Start and stop therapy until the log has so many entries more, or far too many changes have left none."""
        log = require(bench.pump, Capability.HISTORY)
        begun = last_number(log)
        made, rounds, each_leaves = 0, 0, FEWEST
        while made < entries and rounds < entries:
            step = math.ceil((entries - made) / each_leaves) if rounds else TRIED
            for _ in range(step):
                bench.pump.run()
                bench.pump.stop()
            rounds += step
            made = last_number(log) - begun
            each_leaves = max(FEWEST, made // rounds)

    def compute(self, taken: Taken, metrology: Metrology) -> Computed:
        """Count the gaps."""
        del metrology
        read = taken.the(LongLogRead)
        numbers = set(read.numbers)
        missing = max(numbers) - min(numbers) + 1 - len(numbers) if numbers else 0
        return Computed(
            (
                Measurement(ENTRIES.of(), float(len(numbers))),
                Measurement(MISSING.of(), float(missing)),
                Measurement(CHANGED.of(), float(read.changed)),
                Measurement(DIFFERING.of(), float(len(read.differing))),
            )
        )


def _changed(before: Sequence[HistoryEvent], after: Sequence[HistoryEvent]) -> int:
    """Count the entries that were read before and are gone or differ; the oldest may have made room."""
    now = {event.sequence: event for event in after}
    first = min(now, default=0)
    told = [event for event in before if event.sequence >= first]
    return sum(now.get(event.sequence) is None or now[event.sequence].kind != event.kind for event in told)


def _differing(pump: ReadsPartsOfHistory, whole: Sequence[HistoryEvent]) -> tuple[str, ...]:
    """Ask for parts of the log, and list the ways that answer otherwise than the whole."""
    numbers = [event.sequence for event in whole]
    if not numbers:
        return ()
    middle = numbers[len(numbers) // 2]
    ways: Mapping[str, tuple[Callable[[], list[int]], list[int]]] = {
        "first": (lambda: pump.history_numbers("first"), numbers[:1]),
        "last": (lambda: pump.history_numbers("last"), numbers[-1:]),
        "range": (
            lambda: pump.history_numbers("range", middle, middle + ASKED - 1),
            [number for number in numbers if middle <= number < middle + ASKED],
        ),
        "from a number on": (lambda: pump.history_numbers("from", numbers[-1] - ASKED), numbers[-ASKED - 1 :]),
    }
    differing = []
    for name, (ask, wanted) in ways.items():
        try:
            told = ask()
        except DeviceError:
            told = []
        if told != wanted:
            differing.append(name)
    return tuple(differing)
