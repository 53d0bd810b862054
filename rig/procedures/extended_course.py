"""An extended or multiwave bolus: what is asked for, and what the readings of one show of its parts and moments.

Not responsible for delivering it, nor for the formulas (`rig.analysis.bolus_profile`, `rig.analysis.programme`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rig.analysis.bolus import WeighedBolus
from rig.analysis.bolus_profile import BEGUN_SHARE, ENDED_SHARE, bolus_profile, lateness_s
from rig.analysis.budget import Budget
from rig.analysis.programme import Course, Started, programmed_course
from rig.procedures.bolus import SAMPLE_EVERY_S, DeliveredBolus, weigh_delivered
from rig.procedures.budgets import moment_budget
from rig.procedures.contents import Part
from rig.procedures.gates import BLANK_S
from rig.procedures.volume import VolumeScale
from rig.therapy import Bolus
from rig.units import u_from_ul, ul_from_u

SLOW_SAMPLE_EVERY_S = 10.0
TAIL_S = 60.0
"""So long after its last dose the immediate part has arrived: 13 time constants of a line that fades in 4.5 s."""
BEGINNING, END = "beginning", "end"


class ExtendedNames(NamedTuple):
    """Names of the measurements of one kind of bolus, by which requirements ask for them."""

    total: str
    immediate: str
    largest_slice: str
    smallest_slice: str
    delay: str
    end: str

    @classmethod
    def of(cls, title: str) -> ExtendedNames:
        """Get the names for a bolus that is called `title`."""
        return cls(
            f"total error of {title}",
            f"immediate error of {title}",
            f"largest slice error of {title}",
            f"smallest slice error of {title}",
            f"delay of {title}",
            f"late end of {title}",
        )


@dataclass(frozen=True)
class ExtendedPlan:
    """What to measure: `count` boluses of one size in U, a share of it (0..1) extended over so many minutes.

    The extended part is looked at in equal `slices` of its time, after the immediate part has come at `speed_u_per_h`.
    `dose_u` is the pump's single dose: nothing of a delivery is known finer than that from its course.
    """

    insulin_u: float
    extended_share: float
    duration_min: int
    slices: int
    count: int = 1
    speed_u_per_h: float = 90.0
    dose_u: float = 0.025
    blank_s: float = BLANK_S

    @property
    def title(self) -> str:
        """What it is called: its size, extended share and duration."""
        return f"{self.insulin_u:g} U, {100.0 * self.extended_share:g} % extended over {self.duration_min:g} min"

    @property
    def names(self) -> ExtendedNames:
        """What the measurements are called; without an immediate part there is no error of it."""
        return ExtendedNames.of(self.title)

    @property
    def bolus(self) -> Bolus:
        """The bolus as the pump is told."""
        extended_u = round(self.insulin_u * self.extended_share, 6)
        return Bolus(
            fast_u=round(self.insulin_u - extended_u, 6), extended_u=extended_u, duration_min=self.duration_min
        )

    @property
    def immediate_s(self) -> float:
        """When the immediate part has arrived, in s after the start; 0 without one."""
        return 3600.0 * self.bolus.fast_u / self.speed_u_per_h + TAIL_S if self.bolus.fast_u else 0.0

    @property
    def duration_s(self) -> float:
        """How long the extended part lasts in s."""
        return 60.0 * self.duration_min

    @property
    def dose_interval_s(self) -> float:
        """Time from dose to dose of the extended part in s."""
        return self.duration_s * self.dose_u / self.bolus.extended_u

    @property
    def course(self) -> Course:
        """The line that the bolus is programmed to follow."""
        started = [Started(0.0, self.bolus)]
        return programmed_course([], started, 0.0, self.duration_min, bolus_u_per_min=self.speed_u_per_h / 60.0)


@dataclass(frozen=True)
class ExtendedCourse:
    """What one bolus showed: its weight, its parts (slices last) with budgets in U, and how late it was, in s."""

    weighed: WeighedBolus
    parts: tuple[Part, ...]
    moments: dict[str, Budget]
    at_s: NDArray[np.float64]
    delivered_u: NDArray[np.float64]


def analyse_course(bolus: DeliveredBolus, plan: ExtendedPlan, scale: VolumeScale) -> ExtendedCourse:
    """Compute the parts and moments of one bolus from its readings."""
    at_s = bolus.readings.at_s - bolus.start_s
    delivered_u = scale.delivered_u(bolus.readings)
    delivered_u = delivered_u - float(np.mean(delivered_u[at_s <= 0.0]))
    return ExtendedCourse(
        weighed=weigh_delivered(bolus, plan.duration_s, scale),
        parts=(*_immediate(at_s, delivered_u, plan, scale), *_slices(at_s, delivered_u, plan, scale)),
        moments={
            BEGINNING: _moment(at_s, delivered_u, plan, scale, BEGUN_SHARE),
            END: _moment(at_s, delivered_u, plan, scale, ENDED_SHARE),
        },
        at_s=at_s,
        delivered_u=delivered_u,
    )


def _immediate(
    at_s: NDArray[np.float64], delivered_u: NDArray[np.float64], plan: ExtendedPlan, scale: VolumeScale
) -> list[Part]:
    """Get the immediate part: what had come when it should have, less what the extended part was to bring by then.

    The extended part is known to within a dose then, early or late: a rectangle of that half-width.
    """
    if not plan.bolus.fast_u:
        return []
    extended_u = plan.bolus.extended_u * plan.immediate_s / plan.duration_s
    arrived_u = float(np.interp(plan.immediate_s, at_s, delivered_u))
    budget = scale.budget(arrived_u, plan.immediate_s).linear(1.0, offset=-extended_u, unit="U")
    budget = budget.plus("doses of the extended part", "B", plan.dose_u / math.sqrt(3.0))
    return [Part("immediate part", 0.0, plan.immediate_s, plan.bolus.fast_u, budget)]


def _slices(
    at_s: NDArray[np.float64], delivered_u: NDArray[np.float64], plan: ExtendedPlan, scale: VolumeScale
) -> list[Part]:
    """Get the slices of the extended part, of its time after the immediate part."""
    rest_s = plan.duration_s - plan.immediate_s
    slice_s = rest_s / plan.slices
    profile = bolus_profile(
        at_s, ul_from_u(1.0) * delivered_u, start_s=plan.immediate_s, duration_s=rest_s, slices=plan.slices
    )
    programmed_u = plan.bolus.extended_u * slice_s / plan.duration_s
    return [
        Part(
            f"slice {number + 1}",
            plan.immediate_s + number * slice_s,
            plan.immediate_s + (number + 1) * slice_s,
            programmed_u,
            scale.budget(u_from_ul(float(volume_ul)), slice_s),
        )
        for number, volume_ul in enumerate(profile.slice_ul)
    ]


def _moment(
    at_s: NDArray[np.float64],
    delivered_u: NDArray[np.float64],
    plan: ExtendedPlan,
    scale: VolumeScale,
    share: float,
) -> Budget:
    """Get how late a share of the bolus had arrived, in s: known to the readings beside it and to the pump's doses."""
    course = plan.course
    due_s = course.due_s(share * course.total_u)
    late_s = lateness_s(at_s, ul_from_u(1.0) * delivered_u, start_s=0.0, share=share, due_s=due_s)
    flow_u_per_h = course.rate_u_per_h(due_s)
    every_s = SAMPLE_EVERY_S if due_s <= plan.immediate_s else SLOW_SAMPLE_EVERY_S
    return moment_budget(
        late_s,
        scale.budget(share * float(delivered_u[-1]), due_s),
        flow_u_per_h=flow_u_per_h,
        sources={
            "time between readings": every_s / math.sqrt(3.0),
            "time between doses": 3600.0 * plan.dose_u / flow_u_per_h / math.sqrt(12.0),
        },
    )
