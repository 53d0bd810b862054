"""Commands that arrive damaged: none may have any effect, and a good one after each is answered.

The driver's own command is held back anew for each damaged form, so that each is the one that the pump expects next but
for its damage. Not responsible for limits, nor for how frames are damaged (the driver knows).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar

from pydantic import Field

from rig.errors import DeviceError
from rig.procedures.between_blanks import between_blanks, scale_between_blanks
from rig.procedures.bounds import Size, lasting
from rig.procedures.budgets import error_of, error_unit, measured
from rig.procedures.parameters import SIZE
from rig.procedures.power import weighed_over
from rig.procedures.preparation import start_therapy
from rig.procedures.procedure import BetweenBlanks, Computed
from rig.procedures.rest import SAMPLE_EVERY_S, wait_for_rest
from rig.procedures.sampling import sample_for
from rig.procedures.tapped import HEARD_S, answers, held_back, last_number, logged_boluses, tapped
from rig.record.taking import Fact, Recorder, Taken, joined
from rig.roles import Bench, Capability, Metrology, require
from rig.toml_files import TimeS
from rig.verdicts.limits import Measurement
from rig.verdicts.quantities import Kind, Quantity

REST, DAMAGED, GOOD, LAST = "rest before", "damaged commands", "good command", "rest after"

DELIVERED = Kind(
    "damaged.delivered", "delivered on damaged commands", ("U",), (), "Weighed while damaged boluses are commanded."
)
TAKEN = Kind("damaged.taken", "damaged commands that the pump took", ("commands",), (), "By its own log.")
UNANSWERED = Kind(
    "damaged.unanswered",
    "good requests after a damaged command that were not answered",
    ("requests",),
    (),
    "Each damaged command is followed by a request for the pump's state.",
)
GOOD_ERROR = Kind(
    "damaged.good_bolus_error",
    "error of a bolus of {size} after damaged commands",
    ("%", "U"),
    (SIZE,),
    "The same command, whole: a pump that does nothing at all fails here.",
)


class DamageSent(Fact):
    """Damaged commands: how each was damaged, and after which of them the pump did not answer; boluses it logged."""

    how: tuple[str, ...]
    unanswered: tuple[str, ...]
    logged: int


class Damaged(BetweenBlanks):
    """Command a bolus in every damaged form, weigh that nothing comes, then command it whole."""

    TABLE: ClassVar = "damaged"
    KEYWORD: ClassVar = "Damage Commands On The Line"
    IN_WORDS: ClassVar = "damaged commands of {title}"
    KINDS: ClassVar = (DELIVERED, TAKEN, UNANSWERED, GOOD_ERROR)

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
        return (DELIVERED.of(), TAKEN.of(), UNANSWERED.of(), GOOD_ERROR.of(size=self.size_u, unit=unit))

    def take(self, bench: Bench, record: Recorder) -> None:
        """Send the damaged forms, then the whole command."""
        pump, log = require(bench.pump, Capability.FAST_BOLUS), require(bench.pump, Capability.HISTORY)
        line = tapped(bench)

        def command() -> None:
            start_therapy(bench, record)
            wait_for_rest(bench, record, REST)
            last = last_number(log)
            how: list[str] = []
            unanswered: list[str] = []
            while True:
                forms = line.damaged_forms(held_back(bench, lambda: pump.bolus(self.size_u)))
                if len(how) == len(forms):
                    break
                form = forms[len(how)]
                how.append(form.how)
                line.line_tap().send(form.octets)
                line.line_tap().hear(HEARD_S)
                if not (answers(bench, record, of=form.how) and _in_step(bench, record)):
                    unanswered.append(form.how)
            sample_for(bench, record, DAMAGED, duration_s=self.takes_s, every_s=SAMPLE_EVERY_S)
            record.fact(
                DamageSent(
                    at_s=bench.clock.now(),
                    how=tuple(how),
                    unanswered=tuple(unanswered),
                    logged=logged_boluses(log, since=last + 1),
                )
            )
            try:
                pump.bolus(self.size_u)
            except DeviceError as error:
                record.step("the whole command failed", reason=str(error))
            sample_for(bench, record, GOOD, duration_s=self.takes_s, every_s=SAMPLE_EVERY_S)
            wait_for_rest(bench, record, LAST)

        between_blanks(bench, record, rate_u_per_h=0.0, blank_s=self.blank_s, deliver=command)

    @property
    def extent(self) -> Mapping[str, float]:
        """For how long it weighs after the damaged commands, in s."""
        return {"analysis": self.takes_s}

    def compute(self, taken: Taken, metrology: Metrology) -> Computed:
        """Weigh what came on damaged commands, and on the whole one."""
        scale = scale_between_blanks(taken, metrology, blank_s=self.blank_s)
        sent, damaged = taken.the(DamageSent), taken.series(DAMAGED)
        delivered = weighed_over(scale, joined(taken.series(REST).part(slice(-1, None)), damaged))
        whole = weighed_over(scale, joined(damaged.part(slice(-1, None)), taken.series(GOOD, LAST)))
        error = error_of(self.size_u, whole)
        of_error = GOOD_ERROR.of(size=self.size_u, unit=error_unit(self.size_u))
        return Computed(
            measured=(
                measured(DELIVERED.of(), delivered),
                Measurement(TAKEN.of(), float(sent.logged)),
                Measurement(UNANSWERED.of(), float(len(sent.unanswered))),
                measured(of_error, error),
            ),
            budgets={DELIVERED.of(): delivered, of_error: error},
        )


def _in_step(bench: Bench, record: Recorder) -> bool:
    """Tell the running pump to run, which changes nothing, so that driver and pump count alike again."""
    try:
        bench.pump.run()
    except DeviceError as error:
        record.step("a good command failed", what=str(error))
        return False
    return True
