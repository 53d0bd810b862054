"""Dips of the supply in the middle of a bolus: the pump rides through, or stops cleanly and says so.

Each bolus is weighed from rest to rest beside what the pump logs of it. How short a dip can be is the supply's: what
it took is kept. Not responsible for limits.
"""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from rig.procedures.between_blanks import between_blanks, scale_between_blanks
from rig.procedures.bounds import ShareOrNone, Size, lasting
from rig.procedures.budgets import measured
from rig.procedures.consecutive import logged_bolus_u
from rig.procedures.power import CURRENT_LIMIT_A, START_S, commanded, confirm_what_is_shown, find_again, weighed_over
from rig.procedures.procedure import BetweenBlanks, Computed
from rig.procedures.rest import SAMPLE_EVERY_S, wait_for_rest
from rig.procedures.sampling import sample_for
from rig.procedures.watch import RESET
from rig.record.taking import Fact, Recorder, Taken, joined
from rig.roles import Bench, Capability, HistoryEvent, Metrology, require
from rig.therapy import TherapyState
from rig.toml_files import TimeS
from rig.verdicts.limits import Measurement
from rig.verdicts.quantities import Kind, Quantity

BEFORE = "rest before the first bolus"
AGREES_U = 1e-6
"""Amounts that a pump logs and is told are numbers of doses; they agree to the last digit."""

EXCESS = Kind(
    "dips.largest_excess",
    "largest amount above the programmed bolus, after a dip of the supply",
    ("U",),
    (),
    "Weighed less programmed.",
)
LOG_ERROR = Kind(
    "dips.largest_log_error",
    "largest difference of logged and weighed bolus, after a dip of the supply",
    ("U",),
    (),
    "Its size, whichever of the two is more.",
)
UNCLEAN = Kind(
    "dips.unclean",
    "dips after which the bolus was neither complete nor stopped with an annunciation",
    ("dips",),
    (),
    "By the log's entry, the state and what the pump annunciates.",
)
RODE_THROUGH = Kind("dips.ridden_through", "dips that the pump rode through", ("dips",), (), "The bolus was complete.")


class DipDone(Fact):
    """A dip to `share_percent` of the supply that took `lasted_s`, in the middle of a bolus, and what came of it."""

    number: int
    share_percent: float
    lasted_s: float
    programmed_u: float
    logged_u: float
    end_reason: str
    restarted: bool
    runs: bool
    annunciated: tuple[str, ...]


class Dips(BetweenBlanks):
    """Give a bolus for each dip, let the supply fall to each share of its voltage for each duration in its middle."""

    TABLE: ClassVar = "dips"
    KEYWORD: ClassVar = "Dip The Supply During Boluses"
    IN_WORDS: ClassVar = "dips of the supply during boluses of {size_u:g} U"
    KINDS: ClassVar = (EXCESS, LOG_ERROR, UNCLEAN, RODE_THROUGH)
    EXPECTED: ClassVar = frozenset({"system issue", "bolus cancelled", "battery low", "battery empty"})

    to_percent: Annotated[tuple[ShareOrNone, ...], Field(alias="to", min_length=1)] = (0.0, 30.0, 60.0, 90.0)
    lasting_s: Annotated[
        tuple[Annotated[TimeS, lasting("1 ms", "1 min")], ...], Field(alias="lasting", min_length=1)
    ] = (0.01, 0.1, 1.0)
    size_u: Annotated[Size, Field(alias="size")] = 0.5
    after_s: Annotated[TimeS, lasting("1 s", "1 h"), Field(alias="after")] = 5.0
    takes_s: Annotated[TimeS, lasting("1 s", "1 h"), Field(alias="takes")] = 30.0

    @property
    def title(self) -> str:
        """What tells it from others: how deep and how long."""
        depths = ", ".join(f"{share:g} %" for share in self.to_percent)
        return f"to {depths} for {', '.join(f'{each:g} s' for each in self.lasting_s)}"

    @property
    def needs(self) -> tuple[Capability, ...]:
        """What a pump must be able to do for it."""
        return (Capability.FAST_BOLUS, Capability.HISTORY)

    @property
    def needed_roles(self) -> tuple[str, ...]:
        """Instruments that it uses."""
        return ("supply",)

    @property
    def dips(self) -> tuple[tuple[float, float], ...]:
        """Each dip: to how many %, and for how long in s."""
        return tuple((share, lasts_s) for share in self.to_percent for lasts_s in self.lasting_s)

    @property
    def needed_u(self) -> float:
        """Insulin that it takes in U, at most."""
        return self.size_u * len(self.dips)

    @property
    def quantities(self) -> tuple[Quantity, ...]:
        """What it measures."""
        return tuple(kind.of() for kind in self.KINDS)

    def take(self, bench: Bench, record: Recorder) -> None:
        """Give the boluses, one for each dip."""

        def deliver() -> None:
            wait_for_rest(bench, record, BEFORE)
            for number, (share, lasts_s) in enumerate(self.dips, start=1):
                self._one(bench, record, number, share, lasts_s)

        between_blanks(bench, record, rate_u_per_h=0.0, blank_s=self.blank_s, deliver=deliver)

    def _one(self, bench: Bench, record: Recorder, number: int, share_percent: float, lasts_s: float) -> None:
        pump, log = require(bench.pump, Capability.FAST_BOLUS), require(bench.pump, Capability.HISTORY)
        if bench.pump.status().therapy is not TherapyState.RUN:
            bench.pump.run()
        nominal_v = bench.supply.read_voltage_v()
        last = max((each.sequence for each in log.history()), default=-1)
        bolus_id = commanded(record, lambda: pump.bolus(self.size_u))
        sample_for(bench, record, f"bolus {number}", duration_s=self.after_s, every_s=SAMPLE_EVERY_S)
        record.step("dip", number=number, to_percent=share_percent, lasts_s=lasts_s)
        bench.supply.set_output(voltage_v=nominal_v * share_percent / 100.0, current_limit_a=CURRENT_LIMIT_A)
        fell_s = bench.clock.now()
        bench.clock.sleep(lasts_s)
        bench.supply.set_output(voltage_v=nominal_v, current_limit_a=CURRENT_LIMIT_A)
        lasted_s = bench.clock.now() - fell_s
        sample_for(bench, record, f"bolus {number}", duration_s=self.takes_s + START_S, every_s=SAMPLE_EVERY_S)
        status = find_again(bench)
        wait_for_rest(bench, record, _rest(number))
        entries = log.history()
        record.fact(
            DipDone(
                at_s=bench.clock.now(),
                number=number,
                share_percent=share_percent,
                lasted_s=lasted_s,
                programmed_u=self.size_u,
                logged_u=logged_bolus_u(log, bolus_id),
                end_reason=end_reason(entries, bolus_id),
                restarted=any(each.kind == RESET and each.sequence > last for each in entries),
                runs=status.therapy is TherapyState.RUN,
                annunciated=confirm_what_is_shown(bench, record),
            )
        )

    def compute(self, taken: Taken, metrology: Metrology) -> Computed:
        """Weigh each bolus and find the worst."""
        scale = scale_between_blanks(taken, metrology, blank_s=self.blank_s)
        before, excesses, differences = taken.series(BEFORE), [], []
        done = taken.exactly(len(self.dips), DipDone)
        for dip in done:
            rest = taken.series(_rest(dip.number))
            weighed = weighed_over(
                scale, joined(before.part(slice(-1, None)), taken.series(f"bolus {dip.number}"), rest)
            )
            excesses.append(weighed.linear(1.0, offset=-dip.programmed_u, unit="U"))
            differences.append(weighed.linear(-1.0, offset=dip.logged_u, unit="U"))
            before = rest
        excess = max(excesses, key=lambda each: each.value)
        difference = max(differences, key=lambda each: abs(each.value))
        size = difference if difference.value >= 0.0 else difference.linear(-1.0, unit="U")
        return Computed(
            measured=(
                measured(EXCESS.of(), excess),
                measured(LOG_ERROR.of(), size),
                Measurement(UNCLEAN.of(), float(sum(not (_complete(dip) or _stopped(dip)) for dip in done))),
                Measurement(RODE_THROUGH.of(), float(sum(_complete(dip) for dip in done))),
            ),
            budgets={EXCESS.of(): excess, LOG_ERROR.of(): size},
        )


def _rest(number: int) -> str:
    return f"rest after bolus {number}"


def _complete(dip: DipDone) -> bool:
    """Say whether the bolus was delivered as if nothing had been: a restart in its middle is something."""
    return dip.runs and not dip.restarted and abs(dip.logged_u - dip.programmed_u) < AGREES_U


def _stopped(dip: DipDone) -> bool:
    """Say whether the pump stopped, and told a person so."""
    return not dip.runs and bool(dip.annunciated)


def end_reason(log: list[HistoryEvent], bolus_id: int) -> str:
    """Read from a log why a bolus ended: the second part of its entry; "not logged" where there is none."""
    number = next(
        (each.sequence for each in log if each.kind == "bolus delivered" and each.fields.get("bolus_id") == bolus_id),
        None,
    )
    told = next((each for each in log if number is not None and each.sequence == number + 1), None)
    return "not logged" if told is None else str(told.fields.get("end_reason", "not given"))
