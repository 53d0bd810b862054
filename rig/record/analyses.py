"""The computed numbers of a measurement, by kind: what a record keeps of them, written and read by these models.

A kind that a reader does not know is shown as a plain list of its numbers, never left out. Not responsible for
computing them (`rig.analysis`, `rig.procedures`), nor for how they are shown (`reports`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator


class Numbers(BaseModel):
    """Computed numbers as a record holds them: unknown ones are left alone, infinite ones refused."""

    model_config = ConfigDict(
        extra="ignore", frozen=True, allow_inf_nan=False, json_schema_serialization_defaults_required=True
    )


def same_length(owner: str, *arrays: tuple[float, ...]) -> None:
    """Refuse arrays of one owner that differ in length; ValueError."""
    if len({len(array) for array in arrays}) != 1:
        raise ValueError(f"the arrays of {owner} differ in length: {', '.join(str(len(array)) for array in arrays)}")


class Evaporation(Numbers):
    """What blank runs showed of the vessel's loss in mg/h, with its standard uncertainty."""

    rate_mg_per_h: float
    u_mg_per_h: float


class Flow(Numbers):
    """Mean flow in U/h of each sample interval, beside the hour at which it ended."""

    at_h: tuple[float, ...] = Field(min_length=1)
    flow_u_per_h: tuple[float, ...]


class Hourly(Numbers):
    """Errors in % of consecutive windows of one hour; `within` gives the share (0..1) inside ± so many %."""

    mean_percent: float
    sd_percent: float
    within: dict[str, float]


class MissedDosesNumbers(Numbers):
    """How many doses were due, and how many of them were left out."""

    doses: int
    missed: int


class Strokes(Numbers):
    """How single doses scatter: n, mean, SD (n − 1), extremes in U, and the SD in % of the mean."""

    doses: int
    mean_u: float
    sd_u: float
    min_u: float
    max_u: float
    cv_percent: float


class Stability(Numbers):
    """Allan deviation of flow in U/h by averaging time in s; `reading_u` is u of one reading of the balance in U."""

    averaging_s: tuple[float, ...] = Field(min_length=1)
    deviation_u_per_h: tuple[float, ...]
    reading_u: float | None


class Trumpet(Numbers):
    """A trumpet curve and what must stand beside it; None stands for what was not to be had.

    `cumulative_error_percent` belongs to the ends of the intervals of `flow`; `doses_u` are single basal doses,
    `dose_expanded_u` is the expanded uncertainty of one of them, and `no_doses_because` says why there are none.
    """

    kind: Literal["trumpet"] = "trumpet"
    title: str
    rate_u_per_h: float = Field(gt=0)
    interval_min: float = Field(gt=0)
    windows_min: tuple[float, ...] = Field(min_length=1)
    error_max_percent: tuple[float, ...]
    error_min_percent: tuple[float, ...]
    overall_error_percent: float
    density_g_per_ml: float
    stabilisation_h: float
    analysis_h: float
    dose_interval_s: float | None = Field(gt=0)
    flow: Flow
    hourly: Hourly | None
    missed_doses: MissedDosesNumbers | None = None
    cumulative_error_percent: tuple[float, ...] | None = None
    start_up: Flow | None = None
    doses_u: tuple[float, ...] | None = None
    dose_expanded_u: float | None = None
    dose_interval_found_s: float | None = None
    no_doses_because: str | None = None
    strokes: Strokes | None = None
    stability: Stability | None = None
    evaporation: Evaporation | None = None

    @model_validator(mode="after")
    def _arrays_agree(self) -> Self:
        same_length("the curve", self.windows_min, self.error_max_percent, self.error_min_percent)
        same_length("the flow", self.flow.at_h, self.flow.flow_u_per_h)
        if self.cumulative_error_percent is not None:
            same_length("the cumulative error", self.flow.at_h, self.cumulative_error_percent)
        if self.start_up is not None:
            same_length("the start-up flow", self.start_up.at_h, self.start_up.flow_u_per_h)
        if self.stability is not None:
            same_length("the stability", self.stability.averaging_s, self.stability.deviation_u_per_h)
        return self


class BolusNumbers(Numbers):
    """Consecutive boluses of one size in U, each weighed on its own; `u_u` is the expanded uncertainty of each.

    None stands for what is not known.
    """

    kind: Literal["bolus"] = "bolus"
    title: str
    programmed_u: float = Field(gt=0)
    delivered_u: tuple[float, ...] = Field(min_length=1)
    logged_u: tuple[float, ...] | None = None
    u_u: tuple[float, ...] | None
    mean_error_percent: float
    sd_percent: float
    worst_error_percent: float
    bins: dict[str, int]
    tail_percent: float | None
    z_ul_per_mg: float | None = None
    evaporation: Evaporation | None = None

    @model_validator(mode="after")
    def _arrays_agree(self) -> Self:
        if self.u_u is not None:
            same_length("the boluses", self.delivered_u, self.u_u)
        return self


class Trace(Numbers):
    """Line pressure in kPa and delivered insulin in U over the seconds of the bench's clock."""

    at_s: tuple[float, ...] = Field(min_length=1)
    pressure_kpa: tuple[float, ...]
    delivered_u: tuple[float, ...]


class OcclusionNumbers(Numbers):
    """An occlusion under basal delivery.

    `alarm_at_s` is None when the pump never alarmed, `released_at_s` when nobody saw the line open.
    """

    kind: Literal["occlusion"] = "occlusion"
    title: str
    rate_u_per_h: float = Field(gt=0)
    occluded_at_s: float
    alarm_at_s: float | None
    released_at_s: float | None
    time_to_alarm_s: float | None
    pressure_at_alarm_kpa: float
    missed_u: float
    released_u: float | None
    compliance_ul_per_kpa: float | None
    trace: Trace

    @model_validator(mode="after")
    def _arrays_agree(self) -> Self:
        same_length("the trace", self.trace.at_s, self.trace.pressure_kpa, self.trace.delivered_u)
        return self


class SourceRow(Numbers):
    """One source of an uncertainty budget; `degrees_of_freedom` is None where it is infinite."""

    source: str
    kind: str
    value: float
    unit: str
    u: float = Field(gt=0)
    degrees_of_freedom: float | None
    sensitivity: float
    contribution: float
    share_percent: float


class QuantityBudget(Numbers):
    """A reported number, its U, and every source of it."""

    quantity: str = Field(min_length=1)
    note: str | None = None
    value: float
    unit: str
    u: float = Field(ge=0)
    degrees_of_freedom: float | None
    coverage_percent: float
    coverage_factor: float
    expanded: float = Field(ge=0)
    rows: tuple[SourceRow, ...]


class OneOcclusion(Numbers):
    """What one occlusion of a series showed; `time_to_alarm_s` is None when it was not alarmed."""

    time_to_alarm_s: float | None
    pressure_at_alarm_kpa: float
    missed_u: float
    released_u: float


class OcclusionSeries(Numbers):
    """Occlusions one after the other at one rate and threshold."""

    kind: Literal["occlusions"] = "occlusions"
    title: str
    rate_u_per_h: float = Field(gt=0)
    occlusions: tuple[OneOcclusion, ...] = Field(min_length=1)


class CourseNumbers(Numbers):
    """What was programmed: knots of a line, in s since its start and U since then."""

    at_s: tuple[float, ...] = Field(min_length=2)
    insulin_u: tuple[float, ...]


class Delivered(Numbers):
    """What the balance showed, in s since the start of the programme and U since then."""

    at_s: tuple[float, ...] = Field(min_length=2)
    delivered_u: tuple[float, ...]


class ProfilePart(Numbers):
    """A part of a delivery, from `from_s` to `to_s`; `u_u` is the expanded uncertainty of what was delivered."""

    name: str
    from_s: float
    to_s: float
    programmed_u: float
    delivered_u: float
    u_u: float = Field(ge=0)


class ProfileMoment(Numbers):
    """By how many s a moment of the programme came late, with its expanded uncertainty."""

    name: str
    late_s: float
    u_s: float = Field(ge=0)


class DeliveryProfile(Numbers):
    """A delivery that follows a programme: an extended bolus, a temporary rate, a profile's switch."""

    kind: Literal["profile"] = "profile"
    title: str
    course: CourseNumbers
    trace: Delivered
    parts: tuple[ProfilePart, ...]
    moments: tuple[ProfileMoment, ...]
    evaporation: Evaporation | None = None

    @model_validator(mode="after")
    def _arrays_agree(self) -> Self:
        same_length("the course", self.course.at_s, self.course.insulin_u)
        same_length("the trace", self.trace.at_s, self.trace.delivered_u)
        return self


class DayNumbers(Numbers):
    """Insulin of each hour of a day in U, programmed and weighed, and what the pump says of the whole day.

    `u_u` is the expanded uncertainty of each hour's weighed insulin.
    """

    kind: Literal["day"] = "day"
    title: str
    programmed_u: tuple[float, ...] = Field(min_length=1)
    weighed_u: tuple[float, ...]
    u_u: tuple[float, ...] | None = None
    delivered_u: float | None = None
    logged_u: float
    reservoir_u: float | None
    evaporation: Evaporation | None = None

    @model_validator(mode="after")
    def _arrays_agree(self) -> Self:
        same_length("the hours", self.programmed_u, self.weighed_u)
        return self


class LoopNumbers(Numbers):
    """A virtual person on a pump, minute by minute: glucose in mg/dL at n + 1 minutes, insulin in U of each of n.

    `u_mg_per_dl` is what the weighing leaves open, k = 2; `commanded_…` is what would be, had the pump done as it was
    told. The sensor's values in mg/dL have minutes of their own. Who lived, on which controller and sensor, on a day
    called how, and what was done to him: "" and None in older records, which pair with nothing. Loops of one
    `experiment` are drawn together. `carbs_g` was eaten, `announced_g` announced; from `lost_from_min` on the cannula
    was out.
    """

    kind: Literal["loop"] = "loop"
    title: str
    person: str = ""
    controller: str = ""
    called: str = ""
    sensor: str = ""
    seed: int | None = None
    disturbed: str = ""
    u_weighed_u: float = 0.0
    glucose_mg_per_dl: tuple[float, ...] = Field(min_length=1)
    u_mg_per_dl: tuple[float, ...]
    commanded_mg_per_dl: tuple[float, ...]
    weighed_u: tuple[float, ...]
    commanded_u: tuple[float, ...]
    carbs_g: tuple[float, ...]
    sensor_min: tuple[int, ...]
    sensor_mg_per_dl: tuple[float, ...]
    experiment: str | None = None
    announced_g: tuple[float, ...] | None = None
    basal_u_per_h: float | None = None
    lost_from_min: int | None = None
    exercise_min: tuple[float, float] | None = None

    @model_validator(mode="after")
    def _arrays_agree(self) -> Self:
        same_length("the minutes", self.glucose_mg_per_dl, self.u_mg_per_dl, self.commanded_mg_per_dl)
        same_length("the insulin", self.weighed_u, self.commanded_u, self.carbs_g, self.glucose_mg_per_dl[1:])
        same_length("the sensor", self.sensor_mg_per_dl, tuple(map(float, self.sensor_min)))
        return self


class AlarmBurst(Numbers):
    """A burst of an alarm: its priority and why, its pulses in s since the beginning, pitches in Hz, level in dB.

    None stands for what is not known, or for what there is none of.
    """

    source: int
    priority: str
    reason: str
    at_s: float
    pulse_at_s: tuple[float, ...] = Field(min_length=1)
    pulse_end_s: tuple[float, ...]
    pitches_hz: tuple[float, ...]
    partials_hz: tuple[float, ...]
    pulse_duration_s: float
    spacing_s: float | None
    pause_s: float | None
    halves_pause_s: float | None
    fundamental_hz: float | None
    level_db: float
    interburst_s: float | None
    conforms: bool | None
    faults: tuple[str, ...]
    confidence: float

    @model_validator(mode="after")
    def _arrays_agree(self) -> Self:
        same_length("the pulses", self.pulse_at_s, self.pulse_end_s, self.pitches_hz)
        return self


class AlarmNumbers(Numbers):
    """What was heard of alarms in a recording; `silences_s` are (from, to), `escalations` are (at s, why)."""

    kind: Literal["alarm"] = "alarm"
    title: str
    edition: str
    duration_s: float
    channel: int
    clipped_percent: float
    confidence: float
    bursts: tuple[AlarmBurst, ...]
    silences_s: tuple[tuple[float, float], ...]
    escalations: tuple[tuple[float, str], ...]
    remarks: tuple[str, ...]


class Budgets(Numbers):
    """The uncertainty budgets of a test's numbers."""

    kind: Literal["budget"] = "budget"
    title: str
    budgets: tuple[QuantityBudget, ...]


class Other(Numbers):
    """A kind that this report has no drawing for: its single values, by name."""

    kind: str
    title: str
    values: dict[str, str]

    @classmethod
    def of(cls, content: Mapping[str, Any]) -> Other:
        """Take the single values out of `content`."""
        kind = str(content.get("kind", "unnamed"))
        single = {key: value for key, value in content.items() if isinstance(value, str | int | float)}
        shown = {key: f"{value:.6g}" if isinstance(value, float) else str(value) for key, value in single.items()}
        values = {key: text for key, text in shown.items() if key not in ("kind", "title")}
        return cls(kind=kind, title=str(content.get("title", kind)), values=values)


Analysis = (
    Trumpet
    | BolusNumbers
    | OcclusionNumbers
    | OcclusionSeries
    | DeliveryProfile
    | DayNumbers
    | LoopNumbers
    | AlarmNumbers
    | Budgets
    | Other
)
KINDS: Mapping[str, type[Analysis]] = {
    "trumpet": Trumpet,
    "bolus": BolusNumbers,
    "occlusion": OcclusionNumbers,
    "occlusions": OcclusionSeries,
    "profile": DeliveryProfile,
    "day": DayNumbers,
    "loop": LoopNumbers,
    "alarm": AlarmNumbers,
    "budget": Budgets,
}


def model_of(kind: object) -> type[Analysis]:
    """Look up the model of a kind of analysis; `Other` for a kind that is not known here."""
    return KINDS.get(str(kind), Other)
