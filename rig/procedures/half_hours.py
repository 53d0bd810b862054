"""A profile of 48 half-hours, no two alike, over a whole day and past midnight: each one weighed against its programme.

Not responsible for limits, nor for how late a switch comes (`switch`).
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Annotated, ClassVar

import numpy as np
from pydantic import Field

from rig.procedures.between_blanks import between_blanks, scale_between_blanks
from rig.procedures.bounds import Rate, SampleEvery
from rig.procedures.budgets import measured
from rig.procedures.parameters import RATE
from rig.procedures.preparation import MIDNIGHT, start_therapy
from rig.procedures.procedure import BetweenBlanks, Computed
from rig.procedures.rest import SAMPLE_EVERY_S, wait_for_rest
from rig.procedures.sampling import sample_for
from rig.record.taking import Fact, Recorder, Taken
from rig.roles import Bench, Capability, Metrology, require
from rig.therapy import BasalSegment
from rig.verdicts.quantities import Kind, Parameter, Quantity

BEFORE, DAY, AFTER = "rest before", "48 half-hours", "rest after"
COUNT, HALF_HOUR_S = 48, 1800.0
BEGINS = datetime.timedelta(hours=12)
"""By the pump's clock: midnight lies in the middle, and not where a test begins or ends."""
TURN = 17
"""Rates follow each other by so many steps, modulo 48, to which it has no common divisor: each comes once, and no two
neighbours are alike, so that a half-hour that is left out, shifted or repeated shows."""
STEP = Parameter("step", ("U/h",))
LARGEST, SMALLEST = (
    Kind(
        f"half_hours.{which}_error",
        f"{which} error of 48 half-hours from {{rate}} in steps of {{step}}",
        ("U",),
        (RATE, STEP),
        f"What was delivered in a half-hour of a profile of 48, less its programme, the {which} of all.",
    )
    for which in ("largest", "smallest")
)
WHOLE = Kind(
    "half_hours.error",
    "error of a day of 48 half-hours from {rate} in steps of {step}",
    ("%",),
    (RATE, STEP),
    "Error of what was delivered over the whole day.",
)


class HalfHoursBegan(Fact):
    """When therapy began to follow the profile, with the pump's clock at noon."""


class HalfHours(BetweenBlanks):
    """Deliver a profile of 48 half-hours of different rates for a day from noon, and weigh each half-hour."""

    TABLE: ClassVar = "half_hours"
    KEYWORD: ClassVar = "Weigh 48 Half Hours"
    IN_WORDS: ClassVar = "48 half-hours {title}"
    KINDS: ClassVar = (LARGEST, SMALLEST, WHOLE)

    rate_u_per_h: Annotated[Rate, Field(alias="rate")]
    step_u_per_h: Annotated[Rate, Field(alias="step")]
    sample_every_s: Annotated[SampleEvery, Field(alias="sample_every")] = 30.0

    @property
    def title(self) -> str:
        """What tells it from others: its lowest rate and the step between rates."""
        return f"from {self.rate_u_per_h:g} U/h in steps of {self.step_u_per_h:g} U/h"

    @property
    def needs(self) -> tuple[Capability, ...]:
        """What a pump must be able to do for it."""
        return (Capability.BASAL_PROFILE, Capability.CLOCK)

    @property
    def rates_u_per_h(self) -> tuple[float, ...]:
        """The rate of each half-hour from midnight on, in U/h."""
        steps = ((TURN * number) % COUNT for number in range(COUNT))
        return tuple(round(self.rate_u_per_h + step * self.step_u_per_h, 6) for step in steps)

    @property
    def needed_u(self) -> float:
        """Insulin that it takes in U."""
        return sum(self.rates_u_per_h) * HALF_HOUR_S / 3600.0

    @property
    def quantities(self) -> tuple[Quantity, ...]:
        """What it measures."""
        return tuple(self._of(kind) for kind in (LARGEST, SMALLEST, WHOLE))

    @property
    def extent(self) -> Mapping[str, float]:
        """How long it weighs, in s."""
        return {"analysis": COUNT * HALF_HOUR_S}

    def _of(self, kind: Kind) -> Quantity:
        return kind.of(rate=self.rate_u_per_h, step=self.step_u_per_h)

    def take(self, bench: Bench, record: Recorder) -> None:
        """Set the pump's clock to noon, let it follow the profile for a day, and read the balance."""

        def deliver() -> None:
            require(bench.pump, Capability.BASAL_PROFILE).set_basal_profile(
                [BasalSegment(round(HALF_HOUR_S / 60.0), rate) for rate in self.rates_u_per_h]
            )
            wait_for_rest(bench, record, BEFORE)
            require(bench.pump, Capability.CLOCK).set_clock(MIDNIGHT + BEGINS)
            start_therapy(bench, record)
            record.fact(HalfHoursBegan(at_s=bench.clock.now()))
            sample_for(bench, record, DAY, duration_s=COUNT * HALF_HOUR_S, every_s=self.sample_every_s)
            bench.pump.stop()
            sample_for(bench, record, AFTER, duration_s=60.0, every_s=SAMPLE_EVERY_S)

        between_blanks(bench, record, rate_u_per_h=0.0, blank_s=self.blank_s, deliver=deliver)

    def compute(self, taken: Taken, metrology: Metrology) -> Computed:
        """Hold each half-hour against its programme."""
        scale = scale_between_blanks(taken, metrology, blank_s=self.blank_s)
        readings, start_s = taken.series(BEFORE, DAY, AFTER), taken.the(HalfHoursBegan).at_s
        edges_s = start_s + HALF_HOUR_S * np.arange(COUNT + 1)
        delivered_u = np.diff(np.interp(edges_s, readings.at_s, scale.delivered_u(readings)))
        first = round(BEGINS.total_seconds() / HALF_HOUR_S)
        programmed_u = np.roll(np.array(self.rates_u_per_h), -first) * HALF_HOUR_S / 3600.0
        errors_u = delivered_u - programmed_u
        budgets = {}
        for kind, number in ((LARGEST, int(np.argmax(errors_u))), (SMALLEST, int(np.argmin(errors_u)))):
            volume = scale.budget(float(delivered_u[number]), HALF_HOUR_S)
            budgets[self._of(kind)] = volume.linear(1.0, offset=-float(programmed_u[number]), unit="U")
        whole = scale.budget(float(np.sum(delivered_u)), COUNT * HALF_HOUR_S)
        budgets[self._of(WHOLE)] = whole.error_percent_of(float(np.sum(programmed_u)))
        return Computed(
            measured=tuple(measured(quantity, budget) for quantity, budget in budgets.items()), budgets=budgets
        )
