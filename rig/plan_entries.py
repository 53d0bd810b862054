"""Entries of a test plan: what one of its tables may say, and which requirements it decides; basal delivery, boluses.

Not responsible for measuring, nor for limits.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from rig.analysis.capability import Measurand, Statistic
from rig.analysis.dose_phase import MIN_SAMPLES_PER_DOSE
from rig.analysis.pulses import MIN_DOSES
from rig.procedures.basal import BasalPlan
from rig.procedures.bolus import BolusPlan
from rig.procedures.gates import BLANK_S
from rig.quantities import InsulinU, RateUPerH, TimeS
from rig.requirements import Requirement
from rig.units import ul_from_u

BOLUS_H = 5.0 / 60.0
"""Assumed time between the weighings before and after a bolus, for what evaporation may do meanwhile."""
STANDARD_BOLUS_U_PER_H = 90.0
"""1.5 U/min, the usual speed of a fast bolus."""


class PlanTable(BaseModel):
    """A table of a plan file: unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Entry(PlanTable, ABC):
    """One measurement that a plan asks for, between two blank runs."""

    blank: TimeS = Field(default=BLANK_S, ge=300.0)

    @property
    @abstractmethod
    def title(self) -> str:
        """What tells it from the other entries of its table."""

    @property
    @abstractmethod
    def needed_u(self) -> float:
        """Insulin that it takes in U."""

    @property
    @abstractmethod
    def measures(self) -> frozenset[str]:
        """Names of its measurements."""

    @property
    def extent(self) -> Mapping[str, float]:
        """How much it does, in the words of a requirement's `at_least`."""
        return {}

    @property
    def measurands(self) -> Mapping[str, Measurand]:
        """What is weighed for a measurement, by its name, as far as that can be told before a run."""
        return {}

    def decides(self, requirements: Mapping[str, Requirement]) -> tuple[str, ...]:
        """Get the ids of the requirements that ask for one of its measurements, and for no more than it does."""
        return tuple(
            name
            for name, requirement in requirements.items()
            if any(requirement.asks_for(measurement) for measurement in self.measures)
            and all(self.extent.get(what, 0.0) >= least for what, least in requirement.at_least.model_dump().items())
        )


class BasalEntry(Entry):
    """Basal delivery at one rate: stabilisation, then an analysis period; S and P of the trumpet curve."""

    rate: RateUPerH = Field(gt=0)
    dose: InsulinU = Field(default=0.025, gt=0)
    stabilisation: TimeS = Field(default=24 * 3600.0, ge=0)
    analysis: TimeS = Field(default=25 * 3600.0, gt=0)
    interval: TimeS = Field(default=900.0, gt=0)
    windows: tuple[TimeS, ...] = Field(default=(900.0, 3600.0, 9000.0, 19800.0, 34200.0, 55800.0), min_length=1)
    sample_every: TimeS = Field(default=15.0, gt=0)

    @model_validator(mode="after")
    def _periods_fit(self) -> Self:
        for what, longer in {"a window": self.windows, "1 h": (3600.0,), "analysis": (self.analysis,)}.items():
            if any(broken(each, self.interval) for each in longer):
                raise ValueError(f"interval is {self.interval:g} s, and {what} is not a multiple of it")
        if broken(self.interval, self.sample_every):
            raise ValueError(f"interval is {self.interval:g} s, which is no multiple of sample_every")
        if max(self.windows) > self.analysis:
            raise ValueError(f"the longest window, {max(self.windows):g} s, is longer than analysis")
        if self.analysis < 3600.0:
            raise ValueError("analysis must be 1 h or longer: statistics of single hours stand beside each curve")
        return self

    @model_validator(mode="after")
    def _doses_can_be_told_apart(self) -> Self:
        dose_interval_s = self.procedure().dose_interval_s
        longest_s = dose_interval_s / MIN_SAMPLES_PER_DOSE
        came = f"doses of {self.dose:g} U at {self.rate:g} U/h come every {dose_interval_s:g} s"
        if self.sample_every > longest_s * (1.0 + 1e-9):
            raise ValueError(
                f"{came}, so that sample_every must be {longest_s:g} s or shorter, and it is {self.sample_every:g} s"
            )
        if self.analysis < MIN_DOSES * dose_interval_s:
            raise ValueError(f"{came}, and analysis, {self.analysis:g} s, is shorter than {MIN_DOSES} of them")
        return self

    @property
    def title(self) -> str:
        """What tells it from the other entries: its rate."""
        return f"{self.rate:g} U/h"

    @property
    def needed_u(self) -> float:
        """Insulin that it takes in U."""
        return self.rate * (self.stabilisation + self.analysis) / 3600.0

    @property
    def measures(self) -> frozenset[str]:
        """Names of its measurements."""
        plan = self.procedure()
        return frozenset((*plan.names, *plan.first_hours))

    @property
    def extent(self) -> Mapping[str, float]:
        """How long it stabilises and analyses, in s."""
        return {"stabilisation": self.stabilisation, "analysis": self.analysis}

    @property
    def measurands(self) -> Mapping[str, Measurand]:
        """The whole analysis period, and each window of an hour."""
        names, hours, hour = self.procedure().names, self.analysis / 3600.0, ul_from_u(self.rate)
        windows = round((self.analysis - 3600.0) / self.interval) + 1
        return {
            names.mean: Measurand(hour * hours, hours),
            names.largest: Measurand(hour, 1.0, windows),
            names.smallest: Measurand(hour, 1.0, windows),
        }

    def procedure(self) -> BasalPlan:
        """Get what `rig.procedures.basal` needs."""
        return BasalPlan(
            rate_u_per_h=self.rate,
            dose_u=self.dose,
            stabilisation_h=self.stabilisation / 3600.0,
            analysis_h=self.analysis / 3600.0,
            interval_min=self.interval / 60.0,
            windows_min=tuple(window / 60.0 for window in self.windows),
            sample_every_s=self.sample_every,
            blank_s=self.blank,
        )


class BolusEntry(Entry):
    """Consecutive boluses of one size, at the speed at which the pump delivers them."""

    size: InsulinU = Field(gt=0)
    count: int = Field(ge=2, le=1000)
    speed: RateUPerH = Field(default=STANDARD_BOLUS_U_PER_H, gt=0)

    @property
    def title(self) -> str:
        """What tells it from the other entries: its size."""
        return f"{self.size:g} U"

    @property
    def needed_u(self) -> float:
        """Insulin that it takes in U."""
        return self.size * self.count

    @property
    def measures(self) -> frozenset[str]:
        """Names of its measurements."""
        return frozenset(self.procedure().names)

    @property
    def extent(self) -> Mapping[str, float]:
        """How many there are."""
        return {"count": float(self.count)}

    @property
    def measurands(self) -> Mapping[str, Measurand]:
        """Each bolus, and the mean of all."""
        names, volume_ul = self.procedure().names, ul_from_u(self.size)
        return {
            names.mean: Measurand(volume_ul, BOLUS_H, self.count, Statistic.MEAN),
            names.largest: Measurand(volume_ul, BOLUS_H, self.count),
            names.smallest: Measurand(volume_ul, BOLUS_H, self.count),
        }

    def procedure(self) -> BolusPlan:
        """Get what `rig.procedures.bolus` needs."""
        return BolusPlan(self.size, self.count, planned_s=round(self.size / self.speed * 3600.0, 6), blank_s=self.blank)


def broken(longer_s: float, shorter_s: float) -> bool:
    """Say whether `shorter_s` does not go into `longer_s` a whole number of times."""
    return abs(longer_s / shorter_s - round(longer_s / shorter_s)) > 1e-9
