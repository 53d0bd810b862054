"""Filling the tubing and the cannula, weighed between two blank runs: how much, how fast, and counted as no therapy.

Not responsible for limits.
"""

from __future__ import annotations

import math
from functools import partial
from typing import Annotated, ClassVar

import numpy as np
from pydantic import Field

from rig.analysis.bolus_profile import ENDED_SHARE, lateness_s
from rig.analysis.budget import Budget
from rig.analysis.checks import FloatArray
from rig.analysis.programme import Course
from rig.procedures.at_once import at_once
from rig.procedures.between_blanks import between_blanks, scale_between_blanks
from rig.procedures.bounds import Size, Speed
from rig.procedures.budgets import bolus_budget, error_of, error_unit, measured, moment_budget
from rig.procedures.consecutive import DeliveredBolus, weigh_delivered
from rig.procedures.contents import Part, profile_content
from rig.procedures.from_sheet import FromSheet
from rig.procedures.gaps import step_at_s
from rig.procedures.parameters import SIZE
from rig.procedures.procedure import AT_REST_S, BetweenBlanks, Computed
from rig.procedures.rest import AVERAGED_S, SAMPLE_EVERY_S, wait_for_rest
from rig.procedures.sampling import sample_for
from rig.record.taking import Fact, Recorder, Taken, joined
from rig.roles import Bench, Capability, Metrology, require
from rig.units import ul_from_u
from rig.verdicts.limits import Measurement
from rig.verdicts.quantities import Kind, Quantity

BEFORE, PARTS = "rest before priming", ("tubing", "cannula")
TUBING_ERROR, CANNULA_ERROR = (
    Kind(
        f"priming.{part}_error",
        f"error of filling the {part} with {{size}}",
        ("%", "U"),
        (SIZE,),
        f"Error of what came when the {part} was filled: in % from 1 U up, in U below.",
    )
    for part in PARTS
)
TUBING_TIME = Kind(
    "priming.tubing_time",
    "time to fill the tubing with {size}",
    ("s",),
    (SIZE,),
    f"Time from the command until {100.0 * ENDED_SHARE:g} % of what came had come.",
)
COUNTED = Kind(
    "priming.counted_as_therapy",
    "priming counted as therapy",
    ("U",),
    (),
    "Most by which one of the pump's accounts of therapy grew: day's total, insulin on board, boluses in its log.",
)


class Primed(Fact):
    """A part that was filled: which one, with how much in U, and when the pump was told to, on the bench's clock."""

    part: str
    size_u: float
    commanded_at_s: float


class TherapyAccounts(Fact):
    """What the pump's accounts of therapy grew by over the priming, in U."""

    day_total_u: float
    on_board_u: float
    logged_boluses_u: float


class Priming(BetweenBlanks):
    """Fill the tubing, then the cannula, and weigh both; therapy stays stopped."""

    TABLE: ClassVar = "priming"
    KEYWORD: ClassVar = "Weigh Priming"
    IN_WORDS: ClassVar = "priming with {title}"
    KINDS: ClassVar = (TUBING_ERROR, CANNULA_ERROR, TUBING_TIME, COUNTED)

    tubing_u: Annotated[Size, Field(alias="tubing")]
    cannula_u: Annotated[Size, Field(alias="cannula")]
    speed_u_per_h: Annotated[Speed, FromSheet("priming.speed"), Field(alias="speed")] = 180.0

    @property
    def title(self) -> str:
        """What tells it from others: what tubing and cannula take."""
        return f"{self.tubing_u:g} U and {self.cannula_u:g} U"

    @property
    def needs(self) -> tuple[Capability, ...]:
        """What a pump must be able to do for it."""
        return (Capability.PRIMING, Capability.DAILY_TOTAL, Capability.INSULIN_ON_BOARD, Capability.HISTORY)

    @property
    def needed_u(self) -> float:
        """Insulin that it takes in U."""
        return self.tubing_u + self.cannula_u

    @property
    def quantities(self) -> tuple[Quantity, ...]:
        """What it measures."""
        return (
            TUBING_ERROR.of(size=self.tubing_u, unit=error_unit(self.tubing_u)),
            CANNULA_ERROR.of(size=self.cannula_u, unit=error_unit(self.cannula_u)),
            TUBING_TIME.of(size=self.tubing_u),
            COUNTED.of(),
        )

    @property
    def bench_time_s(self) -> float:
        """Both parts, each to its rest, and what is around them, in s."""
        return self._planned_s(self.tubing_u + self.cannula_u) + 2.0 * AT_REST_S + self.around_s

    def take(self, bench: Bench, record: Recorder) -> None:
        """Fill both, each to its rest; the pump's accounts are read before and after."""

        def deliver() -> None:
            pump = require(bench.pump, Capability.PRIMING)
            day = require(bench.pump, Capability.DAILY_TOTAL)
            acting = require(bench.pump, Capability.INSULIN_ON_BOARD)
            log = require(bench.pump, Capability.HISTORY)
            before_u, on_board_u = day.daily_total(), acting.insulin_on_board().insulin_u
            first_entry = log.history()[-1].sequence + 1
            wait_for_rest(bench, record, BEFORE)
            for part, size_u in zip(PARTS, (self.tubing_u, self.cannula_u), strict=True):
                start_s = bench.clock.now()
                at_once(bench.clock, f"beginning to fill the {part}", partial(pump.prime, size_u))
                record.fact(Primed(at_s=bench.clock.now(), part=part, size_u=size_u, commanded_at_s=start_s))
                record.step("priming", part=part, insulin_u=size_u)
                sample_for(bench, record, part, duration_s=self._planned_s(size_u), every_s=SAMPLE_EVERY_S)
                wait_for_rest(bench, record, _rest_after(part))
            after_u = day.daily_total()
            boluses = (each for each in log.history(since=first_entry) if each.kind == "bolus delivered")
            record.fact(
                TherapyAccounts(
                    at_s=bench.clock.now(),
                    day_total_u=after_u.bolus_u + after_u.basal_u - before_u.bolus_u - before_u.basal_u,
                    on_board_u=acting.insulin_on_board().insulin_u - on_board_u,
                    logged_boluses_u=sum(float(each.fields["delivered_u"]) for each in boluses),
                )
            )

        between_blanks(bench, record, rate_u_per_h=0.0, blank_s=self.blank_s, deliver=deliver)

    def compute(self, taken: Taken, metrology: Metrology) -> Computed:
        """Weigh both parts, compute how long the tubing took, and how far an account of therapy grew."""
        scale = scale_between_blanks(taken, metrology, blank_s=self.blank_s)
        parts, before = [], taken.series(BEFORE)
        primed = taken.exactly(len(PARTS), Primed)
        start_s = primed[0].commanded_at_s
        for one in primed:
            rest = taken.series(_rest_after(one.part))
            readings = joined(before, taken.series(one.part), rest)
            delivered = DeliveredBolus(readings, one.commanded_at_s, one.size_u)
            budget = bolus_budget(scale, weigh_delivered(delivered, self._planned_s(one.size_u), scale))
            from_s, to_s = one.commanded_at_s - start_s, float(rest.at_s[-1]) - start_s
            parts.append(Part(one.part, from_s, to_s, one.size_u, budget))
            before = rest.part(rest.at_s >= float(rest.at_s[-1]) - AVERAGED_S)
        readings = taken.series(BEFORE, *(phase for part in PARTS for phase in (part, _rest_after(part))))
        since_s, delivered_u = readings.at_s - start_s, scale.delivered_u(readings)
        moments = {}
        if parts[0].delivered.value > 0.0:  # what never came took no time, and its error says it
            moments["end of the tubing"] = self._tubing_time(since_s, delivered_u, parts[0])
        tubing_error, cannula_error, tubing_time, counted = self.quantities
        budgets = {
            tubing_error: error_of(self.tubing_u, parts[0].delivered),
            cannula_error: error_of(self.cannula_u, parts[1].delivered),
        }
        if moments:
            budgets[tubing_time] = moments["end of the tubing"]
        grew = taken.the(TherapyAccounts)
        therapy_u = max(grew.day_total_u, grew.on_board_u, grew.logged_boluses_u)
        profile = profile_content(
            f"Priming with {self.title}",
            course=self._course(parts[1].from_s),
            at_s=since_s,
            delivered_u=delivered_u,
            parts=parts,
            moments=moments,
            evaporation=scale.evaporation,
        )
        return Computed(
            measured=(
                *(measured(quantity, budget) for quantity, budget in budgets.items()),
                Measurement(counted, therapy_u),
            ),
            analyses={"profile": profile},
            budgets=budgets,
        )

    def _planned_s(self, size_u: float) -> float:
        return 3600.0 * size_u / self.speed_u_per_h

    def _course(self, cannula_s: float) -> Course:
        """The line that both parts are programmed to follow, in s since the first command."""
        ends_s = (self._planned_s(self.tubing_u), cannula_s + self._planned_s(self.cannula_u))
        at_s = np.array([0.0, ends_s[0], cannula_s, ends_s[1]])
        return Course(at_s, np.array([0.0, self.tubing_u, self.tubing_u, self.tubing_u + self.cannula_u]))

    def _tubing_time(self, since_s: FloatArray, delivered_u: FloatArray, tubing: Part) -> Budget:
        """Compute the time until the tubing was full, known to the readings beside it, in s."""
        own = since_s <= tubing.to_s
        took_s = lateness_s(since_s[own], ul_from_u(1.0) * delivered_u[own], start_s=0.0, share=ENDED_SHARE, due_s=0.0)
        step_s = step_at_s(since_s[own], took_s, every_s=SAMPLE_EVERY_S)
        sources = {"time between readings": step_s / math.sqrt(3.0)}
        return moment_budget(took_s, tubing.delivered, flow_u_per_h=self.speed_u_per_h, sources=sources)


def _rest_after(part: str) -> str:
    """Name the phase of the rest after a part was filled."""
    return f"rest after the {part}"
