"""A link that loses a reply, or itself, around a bolus: the bolus is given once, and its result can be read afterwards.

Not responsible for limits.
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from rig.errors import DeviceError, NoReplyError, RefusedError
from rig.procedures.between_blanks import between_blanks, scale_between_blanks
from rig.procedures.bounds import Size, lasting
from rig.procedures.budgets import error_of, error_unit, measured
from rig.procedures.parameters import LOST, SIZE
from rig.procedures.power import UNKNOWN, commanded, weighed_over
from rig.procedures.preparation import start_therapy
from rig.procedures.procedure import BetweenBlanks, Computed
from rig.procedures.rest import SAMPLE_EVERY_S, wait_for_rest
from rig.procedures.sampling import sample_for
from rig.procedures.tapped import last_number, reached, result_of, tapped
from rig.record.taking import Fact, Recorder, Taken, joined
from rig.roles import Bench, Capability, HistoryEvent, Metrology, require
from rig.toml_files import TimeS
from rig.verdicts.limits import Measurement
from rig.verdicts.quantities import Kind, Quantity

REST, BOLUS, LAST = "rest before", "bolus", "rest after"

ERROR = Kind(
    "link.delivered_error",
    "error of a bolus of {size} that lost its {lost}",
    ("%", "U"),
    (SIZE, LOST),
    "Weighed: given once, and whole.",
)
LOGGED = Kind(
    "link.logged_less_weighed",
    "logged less weighed amount of a bolus of {size} that lost its {lost}",
    ("U",),
    (SIZE, LOST),
    "Read from the log by the bolus's id, over a new connection.",
)
UNREADABLE = Kind(
    "link.unreadable",
    "results of a bolus of {size} that lost its {lost}, not readable afterwards",
    ("results",),
    (SIZE, LOST),
    "Over a new connection, by the bolus's id.",
)
UNSEEN = Kind(
    "link.unseen",
    "boluses of {size} under way that the pump did not tell of after a lost reply",
    ("boluses",),
    (SIZE,),
    "What a controller asks before it would command the bolus again.",
)


class LinkLost(Fact):
    """A bolus around a lost link: its id, whether the pump told of it when asked, and what the log says in U."""

    bolus_id: int
    told: bool
    logged_u: float | None


class LostLink(BetweenBlanks):
    """Give a bolus, lose the reply to its command or the link in its middle, and weigh and read what came of it."""

    TABLE: ClassVar = "link"
    KEYWORD: ClassVar = "Lose The Link During A Bolus"
    IN_WORDS: ClassVar = "a bolus of {title}"
    KINDS: ClassVar = (ERROR, LOGGED, UNREADABLE, UNSEEN)

    lost: Literal["reply", "link"]
    size_u: Annotated[Size, Field(alias="size")] = 2.0
    after_s: Annotated[TimeS, lasting("1 s", "1 h"), Field(alias="after")] = 10.0
    silence_s: Annotated[TimeS, lasting("1 s", "20 min"), Field(alias="silence")] = 60.0
    takes_s: Annotated[TimeS, lasting("1 s", "1 h"), Field(alias="takes")] = 120.0

    @property
    def title(self) -> str:
        """What tells it from others: its size, and what is lost."""
        return f"{self.size_u:g} U that loses its {self.lost}"

    @property
    def needs(self) -> tuple[Capability, ...]:
        """What a pump must be able to do for it."""
        return (Capability.FAST_BOLUS, Capability.HISTORY, Capability.TAPPED_LINE)

    @property
    def needed_u(self) -> float:
        """Insulin that it takes in U."""
        return self.size_u

    def _of(self, kind: Kind, unit: str | None = None) -> Quantity:
        """Name a quantity of this bolus."""
        return kind.of(unit=unit, size=self.size_u, lost=self.lost)

    @property
    def quantities(self) -> tuple[Quantity, ...]:
        """What it measures."""
        unseen = (UNSEEN.of(size=self.size_u),) if self.lost == "reply" else ()
        return (self._of(ERROR, error_unit(self.size_u)), self._of(LOGGED), self._of(UNREADABLE), *unseen)

    def take(self, bench: Bench, record: Recorder) -> None:
        """Give the bolus and lose what is to be lost; the command is never given again."""
        pump, log = require(bench.pump, Capability.FAST_BOLUS), require(bench.pump, Capability.HISTORY)

        def deliver() -> None:
            start_therapy(bench, record)
            wait_for_rest(bench, record, REST)
            last = last_number(log)
            bolus_id, told = (
                self._without_reply(bench, record)
                if self.lost == "reply"
                else (commanded(record, lambda: pump.bolus(self.size_u)), True)
            )
            sample_for(bench, record, BOLUS, duration_s=self.after_s, every_s=SAMPLE_EVERY_S)
            if self.lost == "link":
                record.step("link lost", lasts_s=self.silence_s)
                with tapped(bench).line_tap().mute():
                    sample_for(bench, record, BOLUS, duration_s=self.silence_s, every_s=SAMPLE_EVERY_S)
                record.step("link back", answers=reached(bench, record))
            sample_for(bench, record, BOLUS, duration_s=self.takes_s, every_s=SAMPLE_EVERY_S)
            wait_for_rest(bench, record, LAST)
            if bolus_id == UNKNOWN:
                bolus_id = _programmed(log.history(since=last + 1))
            logged_u = result_of(log, bolus_id)
            record.fact(LinkLost(at_s=bench.clock.now(), bolus_id=bolus_id, told=told, logged_u=logged_u))

        between_blanks(bench, record, rate_u_per_h=0.0, blank_s=self.blank_s, deliver=deliver)

    def _without_reply(self, bench: Bench, record: Recorder) -> tuple[int, bool]:
        """Command the bolus and hear no reply; then ask which are under way, as a controller must before a retry."""
        pump = require(bench.pump, Capability.FAST_BOLUS)
        try:
            with tapped(bench).line_tap().without_replies():
                pump.bolus(self.size_u)
            record.step("the driver took a bolus for started without a reply")
        except NoReplyError as error:
            record.step("reply lost", what=str(error))
        except RefusedError as error:
            record.step("bolus refused", what=str(error))
        try:
            active = pump.active_boluses()
        except DeviceError as error:
            record.step("boluses not told", what=str(error))
            active = []
        record.step("boluses under way", count=len(active))
        return (active[0].bolus_id, True) if active else (UNKNOWN, False)

    def compute(self, taken: Taken, metrology: Metrology) -> Computed:
        """Weigh the bolus and hold the log against it."""
        scale = scale_between_blanks(taken, metrology, blank_s=self.blank_s)
        fact = taken.the(LinkLost)
        parts = (taken.series(REST).part(slice(-1, None)), taken.series(BOLUS), taken.series(LAST))
        weighed = weighed_over(scale, joined(*parts))
        budgets = {
            self._of(ERROR, error_unit(self.size_u)): error_of(self.size_u, weighed),
            self._of(LOGGED): weighed.linear(-1.0, offset=fact.logged_u or 0.0, unit="U"),
        }
        counts = {self._of(UNREADABLE): fact.logged_u is None}
        if self.lost == "reply":
            counts[UNSEEN.of(size=self.size_u)] = not fact.told
        return Computed(
            measured=(
                *(measured(quantity, budget) for quantity, budget in budgets.items()),
                *(Measurement(quantity, float(count)) for quantity, count in counts.items()),
            ),
            budgets=budgets,
        )


def _programmed(log: list[HistoryEvent]) -> int:
    """Find the bolus that a log says was programmed last."""
    ids = [event.fields.get("bolus_id") for event in log if event.kind == "bolus programmed"]
    return int(ids[-1] or UNKNOWN) if ids else UNKNOWN
