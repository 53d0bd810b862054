"""Extended and multiwave boluses: their whole course on the balance, between two blank runs.

What comes at once, how evenly the rest is spread, when it begins and ends. Not responsible for limits, nor for the
formulas (`rig.analysis.bolus_profile`, `rig.analysis.programme`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from rig.analysis.bolus import WeighedBolus
from rig.analysis.bolus_profile import BEGUN_SHARE, ENDED_SHARE, lateness_s
from rig.analysis.budget import Budget
from rig.analysis.programme import Course, Started, programmed_course
from rig.procedures.between_blanks import scale_between_blanks
from rig.procedures.bolus import STANDARD_BOLUS_U_PER_H
from rig.procedures.bounds import Dose, Minutes, Share, Size, Speed, lasting
from rig.procedures.budgets import bolus_budget, error_of, error_unit, mean_bolus_budget, measured, moment_budget
from rig.procedures.consecutive import DeliveredBolus, delivered_boluses, give_boluses, weigh_delivered
from rig.procedures.contents import Part, profile_content
from rig.procedures.from_sheet import FromSheet
from rig.procedures.gaps import doubt_in_gaps, step_at_s, with_doubt
from rig.procedures.parameters import DURATION, EXTENDED, SIZE
from rig.procedures.procedure import AT_REST_S, BetweenBlanks, Computed
from rig.procedures.rest import SAMPLE_EVERY_S
from rig.procedures.sampling import sample_for
from rig.procedures.volume import VolumeScale
from rig.record.taking import Recorder, Taken
from rig.roles import Bench, Capability, Metrology
from rig.therapy import BolusRequest
from rig.toml_files import WholeNumber
from rig.units import u_from_ul, ul_from_u
from rig.verdicts.quantities import Kind, Quantity

SLOW_SAMPLE_EVERY_S = 10.0
TAIL_S = 60.0
"""So long after its last dose the immediate part has arrived: 13 time constants of a line that fades in 4.5 s."""
BEGINNING, END = "beginning", "end"

_PARAMETERS = (SIZE, EXTENDED, DURATION)
_OF = "{size}, {extended} extended over {duration}"
TOTAL = Kind("extended.total_error", f"total error of {_OF}", ("%", "U"), _PARAMETERS, "Error of the whole bolus.")
IMMEDIATE = Kind(
    "extended.immediate_error",
    f"immediate error of {_OF}",
    ("%", "U"),
    _PARAMETERS,
    "Error of the part that comes at once; a bolus that is extended whole has none.",
)
LARGEST, SMALLEST = (
    Kind(
        f"extended.{which}_slice_error",
        f"{which} slice error of {_OF}",
        ("%",),
        _PARAMETERS,
        f"The {which} error of equal slices of the extended part's time.",
    )
    for which in ("largest", "smallest")
)
DELAY = Kind("extended.delay", f"delay of {_OF}", ("s",), _PARAMETERS, "How late the bolus begins.")
LATE_END = Kind("extended.late_end", f"late end of {_OF}", ("s",), _PARAMETERS, "How late the bolus ends.")


class Extended(BetweenBlanks):
    """Weigh a bolus of which a share is extended evenly over a duration; all of it, or a multiwave bolus.

    The extended part is looked at in equal `slices` of its time, after the immediate part has come at `speed_u_per_h`.
    `dose_u` is the pump's single dose: nothing of a delivery is known finer than that from its course.
    """

    TABLE: ClassVar = "extended"
    KEYWORD: ClassVar = "Weigh Extended Bolus"
    KINDS: ClassVar = (TOTAL, IMMEDIATE, LARGEST, SMALLEST, DELAY, LATE_END)

    size_u: Annotated[Size, Field(alias="size")]
    extended_percent: Annotated[Share, Field(alias="extended")] = 100.0
    duration_s: Annotated[Minutes, lasting("1 min", "1 d"), Field(alias="duration")]
    slices: WholeNumber = Field(default=4, ge=2, le=100)
    count: WholeNumber = Field(default=1, ge=1, le=100)
    speed_u_per_h: Annotated[Speed, FromSheet("bolus.speed"), Field(alias="speed")] = STANDARD_BOLUS_U_PER_H
    dose_u: Annotated[Dose, FromSheet("dose.size"), Field(alias="dose")] = 0.025

    @model_validator(mode="after")
    def _can_be_looked_at_in_slices(self) -> Self:
        slice_s = (self.duration_s - self.immediate_s) / self.slices
        if slice_s < self.dose_interval_s:
            raise ValueError(
                f"slices of {max(slice_s, 0.0):.4g} s after the immediate part hold no dose, one comes every "
                f"{self.dose_interval_s:.4g} s: take fewer, or a longer duration"
            )
        return self

    @property
    def title(self) -> str:
        """What it is called: its size, extended share and duration."""
        return f"{self.size_u:g} U, {self.extended_percent:g} % extended over {self.duration_s / 60.0:g} min"

    @property
    def needs(self) -> tuple[Capability, ...]:
        """What a pump must be able to do for it."""
        whole = self.extended_percent == 100.0
        return (Capability.EXTENDED_BOLUS if whole else Capability.MULTIWAVE_BOLUS, Capability.HISTORY)

    @property
    def needed_u(self) -> float:
        """Insulin that it takes in U."""
        return self.size_u * self.count

    @property
    def quantities(self) -> tuple[Quantity, ...]:
        """What it measures; without an immediate part there is no error of it."""
        immediate = [self._quantity(IMMEDIATE, error_unit(self.bolus.fast_u))] if self.bolus.fast_u else []
        others = [self._quantity(kind) for kind in (LARGEST, SMALLEST, DELAY, LATE_END)]
        return (self._quantity(TOTAL, error_unit(self.size_u)), *immediate, *others)

    @property
    def bench_time_s(self) -> float:
        """Each bolus with its time to rest, and what is around them, in s."""
        return self.count * (self.immediate_s + self.duration_s + AT_REST_S) + self.around_s

    @property
    def extent(self) -> Mapping[str, float]:
        """How many there are."""
        return {"count": float(self.count)}

    def _quantity(self, kind: Kind, unit: str | None = None) -> Quantity:
        return kind.of(size=self.size_u, extended=self.extended_percent, duration=self.duration_s, unit=unit)

    @property
    def bolus(self) -> BolusRequest:
        """The bolus as the pump is told."""
        extended_u = round(self.size_u * (self.extended_percent / 100.0), 6)
        return BolusRequest(
            fast_u=round(self.size_u - extended_u, 6),
            extended_u=extended_u,
            duration_min=round(self.duration_s / 60.0),
        )

    @property
    def immediate_s(self) -> float:
        """When the immediate part has arrived, in s after the start; 0 without one."""
        return 3600.0 * self.bolus.fast_u / self.speed_u_per_h + TAIL_S if self.bolus.fast_u else 0.0

    @property
    def dose_interval_s(self) -> float:
        """Time from dose to dose of the extended part in s."""
        return self.duration_s * self.dose_u / self.bolus.extended_u

    @property
    def course(self) -> Course:
        """The line that the bolus is programmed to follow."""
        started = [Started(0.0, self.bolus)]
        minutes = self.bolus.duration_min
        return programmed_course([], started, 0.0, minutes, bolus_u_per_min=self.speed_u_per_h / 60.0)

    def take(self, bench: Bench, record: Recorder) -> None:
        """Deliver the boluses over a basal rate of 0 and read their course; stops the pump at the end.

        The extended part is given one dose interval more than programmed: between two doses a line is at rest too.
        """

        def during(phase: str, start_s: float) -> None:
            sample_for(bench, record, phase, duration_s=self.immediate_s, every_s=SAMPLE_EVERY_S)
            left_s = start_s + self.duration_s + self.dose_interval_s - bench.clock.now()
            sample_for(bench, record, phase, duration_s=left_s, every_s=SLOW_SAMPLE_EVERY_S)

        give_boluses(bench, record, self.bolus, count=self.count, blank_s=self.blank_s, during=during)

    def compute(self, taken: Taken, metrology: Metrology) -> Computed:
        """Weigh each bolus in its parts, and compute when it began and ended."""
        scale = scale_between_blanks(taken, metrology, blank_s=self.blank_s)
        courses = [analyse_course(bolus, self, scale) for bolus in delivered_boluses(taken, count=self.count)]
        analyses = {}
        for number, course in enumerate(courses, start=1):
            of_several = f", {number} of {self.count}" if self.count > 1 else ""
            analyses[f"profile-{number}"] = profile_content(
                self.title + of_several,
                course=self.course,
                at_s=course.at_s,
                delivered_u=course.delivered_u,
                parts=course.parts,
                moments=course.moments,
                evaporation=scale.evaporation,
            )
        budgets = self.budgets(scale, courses)
        measurements = tuple(measured(quantity, budget) for quantity, budget in budgets.items())
        return Computed(measurements, analyses, budgets)

    def budgets(self, scale: VolumeScale, courses: Sequence[ExtendedCourse]) -> dict[Quantity, Budget]:
        """Write a budget for each number that is reported.

        Of several boluses the total is their mean; every other number is that of the bolus that is farthest off.
        """
        parts = [part for course in courses for part in course.parts]
        weighed = [course.weighed for course in courses]
        total = mean_bolus_budget(scale, weighed) if len(weighed) > 1 else bolus_budget(scale, weighed[0])
        immediate = [
            error_of(part.programmed_u, part.delivered) for part in parts if part.from_s == 0.0 < self.immediate_s
        ]
        slices = [
            part.delivered.error_percent_of(part.programmed_u) for part in parts if part.from_s >= self.immediate_s
        ]
        budgets = {self._quantity(TOTAL, error_unit(self.size_u)): error_of(self.size_u, total)}
        if immediate:
            budgets[self._quantity(IMMEDIATE, error_unit(self.bolus.fast_u))] = _farthest(immediate)
        return budgets | {
            self._quantity(LARGEST): max(slices, key=lambda budget: budget.value),
            self._quantity(SMALLEST): min(slices, key=lambda budget: budget.value),
            **{
                self._quantity(kind): _farthest([course.moments[name] for course in courses])
                for kind, name in ((DELAY, BEGINNING), (LATE_END, END))
                if all(name in course.moments for course in courses)
            },
        }


def _farthest(budgets: Sequence[Budget]) -> Budget:
    return max(budgets, key=lambda budget: abs(budget.value))


@dataclass(frozen=True)
class ExtendedCourse:
    """What one bolus showed: its weight, its parts (slices last) with budgets in U, and how late it was, in s."""

    weighed: WeighedBolus
    parts: tuple[Part, ...]
    moments: dict[str, Budget]
    at_s: NDArray[np.float64]
    delivered_u: NDArray[np.float64]


def analyse_course(bolus: DeliveredBolus, plan: Extended, scale: VolumeScale) -> ExtendedCourse:
    """Compute the parts and moments of one bolus from its readings."""
    at_s = bolus.readings.at_s - bolus.start_s
    delivered_u = scale.delivered_u(bolus.readings)
    delivered_u = delivered_u - float(np.mean(delivered_u[at_s <= 0.0]))
    shares = {BEGINNING: BEGUN_SHARE, END: ENDED_SHARE} if _came(at_s, delivered_u) else {}
    return ExtendedCourse(
        weighed=weigh_delivered(bolus, plan.duration_s, scale),
        parts=(*_immediate(at_s, delivered_u, plan, scale), *_slices(at_s, delivered_u, plan, scale)),
        moments={name: _moment(at_s, delivered_u, plan, scale, share) for name, share in shares.items()},
        at_s=at_s,
        delivered_u=delivered_u,
    )


def _came(at_s: NDArray[np.float64], delivered_u: NDArray[np.float64]) -> bool:
    """Say whether anything came since the command: nothing neither begins nor ends, and its errors say it."""
    return float(delivered_u[-1]) > float(np.interp(0.0, at_s, delivered_u))


def _immediate(
    at_s: NDArray[np.float64], delivered_u: NDArray[np.float64], plan: Extended, scale: VolumeScale
) -> list[Part]:
    """Weigh the immediate part: what had come when it should have, less what the extended part was to bring by then.

    The extended part is known to within a dose then, early or late: a rectangle of that half-width.
    """
    if not plan.bolus.fast_u:
        return []
    extended_u = plan.bolus.extended_u * plan.immediate_s / plan.duration_s
    arrived_u = float(np.interp(plan.immediate_s, at_s, delivered_u))
    budget = scale.budget(arrived_u, plan.immediate_s).linear(1.0, offset=-extended_u, unit="U")
    budget = budget.plus("doses of the extended part", "B", plan.dose_u / math.sqrt(3.0))
    (doubt_u,) = doubt_in_gaps(at_s, delivered_u, np.array([plan.immediate_s]), every_s=SLOW_SAMPLE_EVERY_S)
    budget = with_doubt(budget, float(doubt_u))
    return [Part("immediate part", 0.0, plan.immediate_s, plan.bolus.fast_u, budget)]


def _slices(
    at_s: NDArray[np.float64], delivered_u: NDArray[np.float64], plan: Extended, scale: VolumeScale
) -> list[Part]:
    """Weigh the slices of the extended part, of its time after the immediate part."""
    slice_s = (plan.duration_s - plan.immediate_s) / plan.slices
    edges_s = plan.immediate_s + (plan.duration_s - plan.immediate_s) * np.arange(plan.slices + 1) / plan.slices
    slice_ul = np.diff(np.interp(edges_s, at_s, ul_from_u(1.0) * delivered_u))
    doubt_u = doubt_in_gaps(at_s, delivered_u, edges_s, every_s=SLOW_SAMPLE_EVERY_S)
    programmed_u = plan.bolus.extended_u * slice_s / plan.duration_s
    return [
        Part(
            f"slice {number + 1}",
            plan.immediate_s + number * slice_s,
            plan.immediate_s + (number + 1) * slice_s,
            programmed_u,
            with_doubt(
                scale.budget(u_from_ul(float(volume_ul)), slice_s), float(doubt_u[number] + doubt_u[number + 1])
            ),
        )
        for number, volume_ul in enumerate(slice_ul)
    ]


def _moment(
    at_s: NDArray[np.float64],
    delivered_u: NDArray[np.float64],
    plan: Extended,
    scale: VolumeScale,
    share: float,
) -> Budget:
    """Compute how late a share of the bolus had arrived, in s: known to the readings and doses beside it."""
    course = plan.course
    due_s = course.due_s(share * course.total_u)
    late_s = lateness_s(at_s, ul_from_u(1.0) * delivered_u, start_s=0.0, share=share, due_s=due_s)
    flow_u_per_h = course.rate_u_per_h(due_s)
    every_s = SAMPLE_EVERY_S if due_s <= plan.immediate_s else SLOW_SAMPLE_EVERY_S
    every_s = step_at_s(at_s, due_s + late_s, every_s=every_s)
    return moment_budget(
        late_s,
        scale.budget(share * float(delivered_u[-1]), due_s),
        flow_u_per_h=flow_u_per_h,
        sources={
            "time between readings": every_s / math.sqrt(3.0),
            "time between doses": 3600.0 * plan.dose_u / flow_u_per_h / math.sqrt(12.0),
        },
    )
