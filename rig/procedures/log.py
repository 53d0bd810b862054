"""The pump's own log: are its entries gapless?

Not responsible for what stands in them, nor for limits.
"""

from __future__ import annotations

from typing import ClassVar

from rig.procedures.procedure import Computed, Procedure
from rig.record.taking import Fact, Recorder, Taken
from rig.roles import Bench, Capability, Metrology, require
from rig.verdicts.limits import Measurement
from rig.verdicts.quantities import Kind, Quantity

MISSING = Kind("log.missing_entries", "missing log entries", ("entries",), (), "Gaps in the numbers of its entries.")


class LogRead(Fact):
    """The numbers of the entries that the pump's log holds, in their order."""

    sequence: tuple[int, ...]


class PumpLog(Procedure):
    """Read the pump's log and count the gaps in its numbering."""

    TABLE: ClassVar = "log"
    KEYWORD: ClassVar = "Count Missing Log Entries"
    KINDS: ClassVar = (MISSING,)

    @property
    def title(self) -> str:
        """What it is called."""
        return "numbers of the entries"

    @property
    def needs(self) -> tuple[Capability, ...]:
        """What a pump must be able to do for it."""
        return (Capability.HISTORY,)

    @property
    def quantities(self) -> tuple[Quantity, ...]:
        """What it measures."""
        return (MISSING.of(),)

    @property
    def bench_time_s(self) -> float:
        """Reading the log, in s."""
        return 60.0

    def take(self, bench: Bench, record: Recorder) -> None:
        """Read the log."""
        numbers = tuple(event.sequence for event in require(bench.pump, Capability.HISTORY).history())
        record.fact(LogRead(at_s=bench.clock.now(), sequence=numbers))
        record.step("log read", entries=len(numbers))

    def compute(self, taken: Taken, metrology: Metrology) -> Computed:
        """Count the gaps."""
        del metrology
        numbers = taken.the(LogRead).sequence
        missing = max(numbers) - min(numbers) + 1 - len(set(numbers)) if numbers else 0  # one told twice fills no gap
        return Computed((Measurement(MISSING.of(), float(missing)),))
