"""A command that comes again: at once, later, out of order. It is executed at most once, and what comes is weighed.

Not responsible for limits. Nothing here repeats a command in a later connection at the one moment at which its counter
is due again: without encryption a pump cannot tell that from its own controller, and over radio the link is encrypted.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, ClassVar

from pydantic import Field

from rig.errors import DeviceError
from rig.procedures.between_blanks import between_blanks, scale_between_blanks
from rig.procedures.bounds import Size, lasting
from rig.procedures.budgets import error_of, error_unit, measured
from rig.procedures.parameters import SIZE
from rig.procedures.power import stop_and_fade, weighed_over
from rig.procedures.preparation import start_therapy
from rig.procedures.procedure import BetweenBlanks, Computed
from rig.procedures.rest import SAMPLE_EVERY_S, wait_for_rest
from rig.procedures.sampling import sample_for
from rig.procedures.tapped import HEARD_S, answers, captured, held_back, last_number, logged_boluses, tapped
from rig.record.taking import Fact, Recorder, Taken, joined
from rig.roles import Bench, Capability, Metrology, require
from rig.toml_files import TimeS
from rig.verdicts.limits import Measurement
from rig.verdicts.quantities import Kind, Quantity

REST, ONCE, AFTER_ONCE, AGAIN = "rest before", "first time", "rest after the first time", "repeated"
TIMES = 3
"""So often each is repeated."""

DELIVERED = Kind(
    "replayed.delivered", "delivered on repeated commands", ("U",), (), "Weighed from the first repetition on."
)
TAKEN = Kind("replayed.taken", "repeated commands that the pump took", ("commands",), (), "By its own log.")
UNANSWERED = Kind(
    "replayed.unanswered",
    "requests after a repeated command that were not answered",
    ("requests",),
    (),
    "Each is followed by a request for the pump's state.",
)
FIRST_ERROR = Kind(
    "replayed.first_error",
    "error of a bolus of {size} that is repeated afterwards",
    ("%", "U"),
    (SIZE,),
    "The command that came the first time is executed.",
)


class Repeated(Fact):
    """How commands were repeated, after which the pump did not answer, and how many boluses it logged of them."""

    how: tuple[str, ...]
    unanswered: tuple[str, ...]
    logged: int


class Replayed(BetweenBlanks):
    """Command a bolus, repeat its command as a duplicate, an old one and out of order, and weigh what comes."""

    TABLE: ClassVar = "replayed"
    KEYWORD: ClassVar = "Repeat Commands On The Line"
    IN_WORDS: ClassVar = "repeated commands of {title}"
    KINDS: ClassVar = (DELIVERED, TAKEN, UNANSWERED, FIRST_ERROR)

    size_u: Annotated[Size, Field(alias="size")] = 1.0
    takes_s: Annotated[TimeS, lasting("1 s", "1 h"), Field(alias="takes")] = 60.0

    @property
    def title(self) -> str:
        """What tells it from others: the size of the bolus."""
        return f"{self.size_u:g} U"

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
        unit = error_unit(self.size_u)
        return (DELIVERED.of(), TAKEN.of(), UNANSWERED.of(), FIRST_ERROR.of(size=self.size_u, unit=unit))

    def take(self, bench: Bench, record: Recorder) -> None:
        """Command the bolus once and repeat it; each time it is over before the next: an active one would hide it."""
        pump, log = require(bench.pump, Capability.FAST_BOLUS), require(bench.pump, Capability.HISTORY)
        unanswered: list[str] = []
        how: list[str] = []

        def again(what: str, frame: bytes) -> None:
            for _ in range(TIMES):
                tapped(bench).line_tap().send(frame)
                tapped(bench).line_tap().hear(HEARD_S)
            record.step("repeated", how=what)
            how.append(what)
            if not answers(bench, record, of=what):
                unanswered.append(what)
            sample_for(bench, record, AGAIN, duration_s=self.takes_s, every_s=SAMPLE_EVERY_S)

        def command() -> None:
            start_therapy(bench, record)
            wait_for_rest(bench, record, REST)
            frame, failed = captured(bench, lambda: pump.bolus(self.size_u))
            record.step("bolus", insulin_u=self.size_u, failed=failed)
            sample_for(bench, record, ONCE, duration_s=self.takes_s, every_s=SAMPLE_EVERY_S)
            wait_for_rest(bench, record, AFTER_ONCE)
            last = last_number(log)
            again("at once after it, with nothing between", frame)
            _others(bench, record)
            again("after other commands", frame)
            late = held_back(bench, lambda: pump.bolus(self.size_u))
            _others(bench, record)
            again("held back and overtaken by other commands", late)
            record.fact(
                Repeated(
                    at_s=bench.clock.now(),
                    how=tuple(how),
                    unanswered=tuple(unanswered),
                    logged=logged_boluses(log, since=last + 1),
                )
            )
            stop_and_fade(bench, record)

        between_blanks(bench, record, rate_u_per_h=0.0, blank_s=self.blank_s, deliver=command)

    def compute(self, taken: Taken, metrology: Metrology) -> Computed:
        """Weigh the bolus and what came on its repetitions."""
        scale = scale_between_blanks(taken, metrology, blank_s=self.blank_s)
        repeated, rest = taken.the(Repeated), taken.series(AFTER_ONCE)
        first = weighed_over(scale, joined(taken.series(REST).part(slice(-1, None)), taken.series(ONCE), rest))
        delivered = weighed_over(scale, joined(rest.part(slice(-1, None)), taken.series(AGAIN)))
        error = error_of(self.size_u, first)
        of_error = FIRST_ERROR.of(size=self.size_u, unit=error_unit(self.size_u))
        return Computed(
            measured=(
                measured(DELIVERED.of(), delivered),
                Measurement(TAKEN.of(), float(repeated.logged)),
                Measurement(UNANSWERED.of(), float(len(repeated.unanswered))),
                measured(of_error, error),
            ),
            budgets={DELIVERED.of(): delivered, of_error: error},
        )


def _others(bench: Bench, record: Recorder) -> None:
    """Give other commands, after which therapy runs again; what the pump refuses of them is kept as a step."""
    others: tuple[Callable[[], None], ...] = (bench.pump.stop, bench.pump.run, bench.pump.stop, bench.pump.run)
    for other in others:
        try:
            other()
        except DeviceError as error:
            record.step("another command failed", reason=str(error))
