"""The computed numbers of deliveries over time: beside their programme, and occlusions one after the other.

Not responsible for computing them (`rig.procedures`), nor for how they are shown.
"""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from reports.numbers import Evaporation, Numbers, same_length


class OneOcclusion(Numbers):
    """What one occlusion of a series showed; `time_to_alarm_s` is None when it was not alarmed."""

    time_to_alarm_s: float | None
    pressure_at_alarm_kpa: float
    missed_u: float
    released_u: float


class OcclusionSeries(Numbers):
    """Occlusions one after the other at one rate and threshold."""

    kind: Literal["occlusions"]
    title: str
    rate_u_per_h: float = Field(gt=0)
    occlusions: tuple[OneOcclusion, ...] = Field(min_length=1)


class Course(Numbers):
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

    kind: Literal["profile"]
    title: str
    course: Course
    trace: Delivered
    parts: tuple[ProfilePart, ...]
    moments: tuple[ProfileMoment, ...]
    evaporation: Evaporation | None = None

    @model_validator(mode="after")
    def _arrays_agree(self) -> Self:
        same_length("the course", self.course.at_s, self.course.insulin_u)
        same_length("the trace", self.trace.at_s, self.trace.delivered_u)
        return self


class Day(Numbers):
    """Insulin of each hour of a day in U, programmed and weighed, and what the pump says of the whole day."""

    kind: Literal["day"]
    title: str
    programmed_u: tuple[float, ...] = Field(min_length=1)
    weighed_u: tuple[float, ...]
    logged_u: float
    reservoir_u: float | None

    @model_validator(mode="after")
    def _arrays_agree(self) -> Self:
        same_length("the hours", self.programmed_u, self.weighed_u)
        return self
