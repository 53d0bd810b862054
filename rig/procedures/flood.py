"""A flood of commands, a hundred a second: nothing is delivered unasked, a bolus under way is right, the pump answers.

Half of the frames ask for the pump's state, half repeat an old command. Not responsible for limits.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar

import numpy as np
from pydantic import Field

from rig.procedures.between_blanks import between_blanks, scale_between_blanks
from rig.procedures.bounds import Size, lasting
from rig.procedures.budgets import error_of, error_unit, measured
from rig.procedures.parameters import SIZE
from rig.procedures.power import weighed_over
from rig.procedures.preparation import start_therapy
from rig.procedures.procedure import BetweenBlanks, Computed
from rig.procedures.rest import SAMPLE_EVERY_S, wait_for_rest
from rig.procedures.sampling import sample_for, take_sample
from rig.procedures.tapped import captured, last_number, logged_boluses, reached, tapped
from rig.record.taking import Fact, Recorder, Taken, joined
from rig.roles import Bench, Capability, Metrology, require
from rig.toml_files import TimeS, WholeNumber
from rig.verdicts.limits import Measurement
from rig.verdicts.quantities import Kind, Quantity

REST, BOLUS, LAST = "rest before", "bolus in the flood", "rest after"
ROUND_S = 1.0
"""After so long of the flood balance and current are read, and what the pump has said is taken off the line."""

ERROR = Kind(
    "flood.delivered_error",
    "error of a bolus of {size} in a flood of commands",
    ("%", "U"),
    (SIZE,),
    "All that came, less the one bolus that was commanded.",
)
TAKEN = Kind("flood.taken", "old commands in a flood that the pump took", ("commands",), (), "By its own log.")
UNANSWERED = Kind(
    "flood.unanswered", "floods after which the pump did not answer", ("floods",), (), "Over a new connection."
)
CURRENT = Kind("flood.current", "current of the pump in a flood of commands", ("mA",), (), "Mean of readings.")


class Flooded(Fact):
    """Frames that were sent in `lasted_s`, whether the pump answers after it, boluses logged of it, current in A."""

    frames: int
    lasted_s: float
    answers: bool
    logged: int
    current_a: tuple[float, ...]


class Flood(BetweenBlanks):
    """Command a bolus and flood the pump with commands for a duration while it is delivered."""

    TABLE: ClassVar = "flood"
    KEYWORD: ClassVar = "Flood The Pump With Commands"
    IN_WORDS: ClassVar = "a flood of {title}"
    KINDS: ClassVar = (ERROR, TAKEN, UNANSWERED, CURRENT)

    per_s: Annotated[WholeNumber, Field(alias="per_second", ge=1, le=200)] = 100
    duration_s: Annotated[TimeS, lasting("1 s", "1 h"), Field(alias="duration")] = 20.0
    size_u: Annotated[Size, Field(alias="size")] = 1.0
    takes_s: Annotated[TimeS, lasting("1 s", "1 h"), Field(alias="takes")] = 60.0

    @property
    def title(self) -> str:
        """What tells it from others: how many, and for how long."""
        return f"{self.per_s} commands a second for {self.duration_s:g} s"

    @property
    def needs(self) -> tuple[Capability, ...]:
        """What a pump must be able to do for it."""
        return (Capability.FAST_BOLUS, Capability.HISTORY, Capability.TAPPED_LINE)

    @property
    def needed_u(self) -> float:
        """Insulin that it takes in U."""
        return self.size_u

    @property
    def quantities(self) -> tuple[Quantity, ...]:
        """What it measures."""
        error = ERROR.of(size=self.size_u, unit=error_unit(self.size_u))
        return (error, TAKEN.of(), UNANSWERED.of(), CURRENT.of())

    @property
    def extent(self) -> Mapping[str, float]:
        """How many commands it sends, and for how long in s."""
        return {"count": self.per_s * self.duration_s, "analysis": self.duration_s}

    def take(self, bench: Bench, record: Recorder) -> None:
        """Command the bolus, send the flood, and weigh."""
        pump, log = require(bench.pump, Capability.FAST_BOLUS), require(bench.pump, Capability.HISTORY)

        def deliver() -> None:
            start_therapy(bench, record)
            wait_for_rest(bench, record, REST)
            asking, _ = captured(bench, bench.pump.status)
            command, _ = captured(bench, lambda: pump.bolus(self.size_u))
            last = last_number(log)
            frames, lasted_s, current_a = self._flood(bench, record, (asking, command))
            answers = reached(bench, record)
            sample_for(bench, record, BOLUS, duration_s=self.takes_s, every_s=SAMPLE_EVERY_S)
            wait_for_rest(bench, record, LAST)
            record.fact(
                Flooded(
                    at_s=bench.clock.now(),
                    frames=frames,
                    lasted_s=lasted_s,
                    answers=answers,
                    logged=logged_boluses(log, since=last + 1),
                    current_a=current_a,
                )
            )

        between_blanks(bench, record, rate_u_per_h=0.0, blank_s=self.blank_s, deliver=deliver)

    def _flood(
        self, bench: Bench, record: Recorder, frames: tuple[bytes, bytes]
    ) -> tuple[int, float, tuple[float, ...]]:
        """Send the flood; returns how many frames went, how long it took in s, and the current in A."""
        tap, begun_s, sent = tapped(bench).line_tap(), bench.clock.now(), 0
        current_a: list[float] = []
        while (passed_s := bench.clock.now() - begun_s) < self.duration_s:
            due = round((passed_s + ROUND_S) * self.per_s)
            while sent < due:
                tap.send(frames[sent % 2])
                sent += 1
                tap.hear(max(0.0, begun_s + sent / self.per_s - bench.clock.now()))
            current_a.append(bench.supply.read_current_a())
            take_sample(bench, record, BOLUS)
        tap.hear(ROUND_S)
        record.step("flooded", frames=sent)
        return sent, bench.clock.now() - begun_s, tuple(current_a)

    def compute(self, taken: Taken, metrology: Metrology) -> Computed:
        """Weigh all that came."""
        scale = scale_between_blanks(taken, metrology, blank_s=self.blank_s)
        fact = taken.the(Flooded)
        parts = (taken.series(REST).part(slice(-1, None)), taken.series(BOLUS), taken.series(LAST))
        error = error_of(self.size_u, weighed_over(scale, joined(*parts)))
        of_error = ERROR.of(size=self.size_u, unit=error_unit(self.size_u))
        return Computed(
            measured=(
                measured(of_error, error),
                Measurement(TAKEN.of(), float(fact.logged)),
                Measurement(UNANSWERED.of(), float(not fact.answers)),
                Measurement(CURRENT.of(), 1e3 * float(np.mean(fact.current_a))),
            ),
            budgets={of_error: error},
        )
