"""A fault under basal delivery that a pump is to annunciate: how soon it does, and whether it goes on delivering.

Not responsible for faults that stop a bolus (`fault_in_bolus`), nor for limits.
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from rig.faults import shipped_faults
from rig.procedures.answers import ask_pump
from rig.procedures.bounds import Rate, lasting
from rig.procedures.budgets import measured
from rig.procedures.parameters import FAULT
from rig.procedures.preparation import start_therapy
from rig.procedures.procedure import Computed
from rig.procedures.provoking import provoking
from rig.procedures.restarting import restarted_on_purpose
from rig.procedures.sampling import sample_for
from rig.procedures.under_fault import (
    TAIL_S,
    AlarmAwaited,
    UnderFault,
    await_alarm,
    came,
    scale_of_bench,
    shown_now,
    time_to_alarm,
    without_blanks,
)
from rig.record.taking import Recorder, Taken
from rig.roles import Bench, Capability, Metrology
from rig.toml_files import TimeS
from rig.verdicts.limits import Measurement
from rig.verdicts.quantities import Kind, Parameter, Quantity

BUZZER = "F32 buzzer"
FREE, FAULTY, AFTER = "delivery before", "delivery under the fault", "fault cleared"
LOOK_EVERY_S = 2.0
SILENT = "buzzer broken"
WHEN = Parameter("when", words=("running", "at start", SILENT))
_PARAMETERS = (FAULT, WHEN)


def _kind(name: str, words: str, unit: str, meaning: str) -> Kind:
    return Kind(f"annunciated.{name}", f"{words} of fault {{fault}}, {{when}}", (unit,), _PARAMETERS, meaning)


MISSING = _kind("missing", "missing annunciation", "annunciations", "1 where the pump did not annunciate it.")
TIME = _kind("time", "time to the annunciation", "s", "From the fault's beginning, or until it was given up.")
ERROR = _kind(
    "delivery_error", "error of basal delivery", "%", "Of what came under the fault, from therapy's start on."
)


class Annunciated(UnderFault):
    """Inject a fault while the pump delivers, or before it starts; wait for the annunciation, and weigh meanwhile.

    With its buzzer broken the pump finds that out, too, when it is to sound.
    """

    TABLE: ClassVar = "annunciated"
    KEYWORD: ClassVar = "Inject Fault While Delivering"
    IN_WORDS: ClassVar = "fault {title}"
    KINDS: ClassVar = (MISSING, TIME, ERROR)
    EXPECTED: ClassVar = frozenset(
        {"temperature out of range", "temperature", "air pressure out of range", "system issue"}
    )

    rate_u_per_h: Annotated[Rate, Field(alias="rate")] = 6.0
    when: Literal["running", "at start", "buzzer broken"] = "running"
    watch_s: Annotated[TimeS, lasting("1 min", "1 d"), Field(alias="watch")] = 600.0

    @property
    def title(self) -> str:
        """What tells it from others: the fault, and when it begins."""
        return f"{self.fault}, {self.when}"

    @property
    def needs(self) -> tuple[Capability, ...]:
        """What a pump must be able to do for it."""
        return (Capability.BASAL_PROFILE, *((Capability.RESTART,) if self.when == "at start" else ()))

    @property
    def needed_u(self) -> float:
        """Insulin that it takes in U."""
        return self.rate_u_per_h * (self.watch_s + 2.0 * TAIL_S) / 3600.0

    @property
    def needed_lines(self) -> tuple[str, ...]:
        """Lines of the bench's switch that the fault is provoked by, and the buzzer's where that is broken, too."""
        more = shipped_faults().injection(BUZZER).lines if self.when == SILENT else ()
        return (*self.injection.lines, *more)

    @property
    def quantities(self) -> tuple[Quantity, ...]:
        """What it measures."""
        return tuple(self._quantity(kind) for kind in self.KINDS)

    @property
    def _kinds(self) -> tuple[str, ...]:
        """What counts as its annunciation; that of a broken buzzer, too: a pump may show one of them."""
        more = shipped_faults().injection(BUZZER).fault.annunciated if self.when == SILENT else ()
        return (*self.injection.fault.annunciated, *more)

    def _quantity(self, kind: Kind) -> Quantity:
        return kind.of(fault=self.fault, when=self.when)

    def take(self, bench: Bench, record: Recorder) -> None:
        """Deliver, inject, and read on for `watch_s` whatever the pump does."""

        def deliver() -> None:
            with provoking(bench, record) as faults:
                if self.when == SILENT:
                    faults.inject(shipped_faults().injection(BUZZER))
                before = shown_now(bench)
                if self.when == "at start":
                    began_s = faults.inject(self.injection)
                    restarted_on_purpose(bench, record)
                    ask_pump(bench, record, "therapy", bench.pump.run)
                else:
                    start_therapy(bench, record)
                sample_for(bench, record, FREE, duration_s=TAIL_S, every_s=LOOK_EVERY_S)
                if self.when != "at start":
                    began_s = faults.inject(self.injection)
                await_alarm(
                    bench, record, FAULTY, kinds=self._kinds, before=before, since_s=began_s,
                    watch_s=self.watch_s, every_s=LOOK_EVERY_S,
                )  # fmt: skip
                ask_pump(bench, record, "stopping", bench.pump.stop)
            sample_for(bench, record, AFTER, duration_s=TAIL_S, every_s=LOOK_EVERY_S)

        without_blanks(bench, record, rate_u_per_h=self.rate_u_per_h, deliver=deliver)

    def compute(self, taken: Taken, metrology: Metrology) -> Computed:
        """Weigh what came while it delivered, with the line's tail."""
        scale = scale_of_bench(taken, metrology)
        alarm, faulty = taken.the(AlarmAwaited), taken.series(FAULTY)
        ran_s = float(faulty.at_s[-1] - taken.series(FREE).at_s[0])
        delivered = came(scale, taken.series(FREE, FAULTY, AFTER))
        budgets = {
            self._quantity(TIME): time_to_alarm(taken, alarm),
            self._quantity(ERROR): delivered.error_percent_of(self.rate_u_per_h * ran_s / 3600.0),
        }
        return Computed(
            (
                Measurement(self._quantity(MISSING), float(not alarm.seen)),
                *(measured(quantity, budget) for quantity, budget in budgets.items()),
            ),
            budgets=budgets,
        )
