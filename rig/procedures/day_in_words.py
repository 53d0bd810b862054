"""A day as a person plans it, in words: meals, sport, a basal profile from midnight on.

Not responsible for living it on a bench (`day`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo

from rig.procedures.bounds import LARGEST_RATE, Carbohydrates, Glucose, Minutes, ShareOrNone, lasting
from rig.procedures.preparation import MINUTES_A_DAY
from rig.procedures.temporary import RateOrShare
from rig.therapy import BasalSegment, Meal, TemporaryRate
from rig.toml_files import WholeNumber, by_a_person, within
from rig.units import parse, parse_time_of_day


def _minute(written: object, info: ValidationInfo[dict[str, Any] | None]) -> object:
    if not isinstance(written, str) and by_a_person(info):
        raise ValueError("a time of day needs quotation marks, such as '07:30'")
    return parse_time_of_day(written) if isinstance(written, str) else written


AtMin = Annotated[WholeNumber, BeforeValidator(_minute), Field(alias="at", ge=0, lt=1440)]
"""A time of day such as "07:30", as minutes since midnight."""


class _Words(BaseModel):
    """A part of a day as people write it."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_by_name=True, validate_by_alias=True)

    at_min: AtMin


class Eat(_Words):
    """A meal, or a correction without one; a share of its insulin may be extended, as for protein and fat."""

    carbohydrates_g: Annotated[Carbohydrates, Field(alias="carbohydrates")] = 0.0
    glucose_mg_per_dl: Annotated[Glucose | None, Field(alias="glucose")] = None
    extended_percent: Annotated[ShareOrNone, Field(alias="extended")] = 0.0
    over_s: Annotated[Minutes, lasting("0 min", "1 d"), Field(alias="over")] = 0.0

    @property
    def meal(self) -> Meal:
        """What the calculator is told: glucose as a meter shows it, in whole mg/dL."""
        glucose = self.glucose_mg_per_dl
        return Meal(self.carbohydrates_g, round(glucose) if glucose is not None else None)


class Exercise(_Words):
    """A temporary basal rate: a share of the profile, or a rate."""

    rate: RateOrShare
    duration_s: Annotated[Minutes, lasting("1 min", "1 d"), Field(alias="duration")]

    @property
    def temporary(self) -> TemporaryRate:
        """What the pump is told."""
        return TemporaryRate(round(self.duration_s / 60.0), *self.rate)


def _written_segment(written: object, info: ValidationInfo[dict[str, Any] | None]) -> object:
    if not isinstance(written, str) and by_a_person(info):
        raise ValueError("a segment is a time of day with a rate, such as '04:00 1.2 U/h'")
    return _segment(written) if isinstance(written, str) else written


def _segment(written: str) -> tuple[int, float]:
    """Read "04:00 1.2 U/h" into a minute of the day and a rate in U/h."""
    start, _, rate = written.strip().partition(" ")
    if not rate:
        raise ValueError(f"{written!r} is no time with a rate, such as '04:00 1.2 U/h'")
    return parse_time_of_day(start), parse(rate, "rate_u_per_h")


def read_profile(segments: Sequence[str]) -> tuple[BasalSegment, ...]:
    """Read a basal profile from words such as "04:00 1.2 U/h"; ValueError unless it begins at 00:00 and goes on."""
    return segments_of(_from_midnight_on(tuple(_segment(each) for each in segments)))


def segments_of(profile: Sequence[tuple[int, float]]) -> tuple[BasalSegment, ...]:
    """Make a day's segments of minutes of the day and rates in U/h."""
    ends = [*(start for start, _ in profile[1:]), MINUTES_A_DAY]
    return tuple(BasalSegment(end - start, rate) for (start, rate), end in zip(profile, ends, strict=True))


def _from_midnight_on(profile: tuple[tuple[int, float], ...]) -> tuple[tuple[int, float], ...]:
    starts = [start for start, _ in profile]
    if starts[:1] != [0] or starts != sorted(set(starts)):
        got = ", ".join(time_of_day(start) for start in starts) or "none"
        raise ValueError(f"a profile's times go from 00:00 on, each later than the one before, got {got}")
    return profile


_RateUPerH = Annotated[float, within("rate_u_per_h", "0 U/h", LARGEST_RATE)]  # its text is read with its time
Profile = Annotated[
    tuple[Annotated[tuple[int, _RateUPerH], BeforeValidator(_written_segment)], ...],
    AfterValidator(_from_midnight_on),
]
"""A basal profile: from which minute of the day on which rate in U/h."""


def _written_meal(written: object, info: ValidationInfo[dict[str, Any] | None]) -> object:
    if not isinstance(written, str):
        if by_a_person(info):
            raise ValueError("a meal is a time of day with carbohydrates, such as '07:30 60 g'")
        return written
    at, _, carbohydrates = written.strip().partition(" ")
    if not carbohydrates:
        raise ValueError(f"{written!r} is no time with carbohydrates, such as '07:30 60 g'")
    return parse_time_of_day(at), parse(carbohydrates, "mass_g")


_Grams = Annotated[float, within("mass_g", "0 g", "1000 g")]  # its text is read with its time


def _several_meals(written: object) -> object:
    """Take "07:30 60 g, 12:00 70 g" apart, as a protocol writes it."""
    return tuple(part.strip() for part in written.split(",") if part.strip()) if isinstance(written, str) else written


Meals = Annotated[
    tuple[Annotated[tuple[int, _Grams], BeforeValidator(_written_meal)], ...], BeforeValidator(_several_meals)
]
"""Meals: at which minute of the day how much carbohydrate in g."""


def time_of_day(minute: int) -> str:
    """Write a minute since midnight as people do, such as 07:30."""
    return f"{minute // 60:02d}:{minute % 60:02d}"
