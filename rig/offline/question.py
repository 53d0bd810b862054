"""What was asked on the command line, as it was written, and its parsing: each quantity with its unit, once.

Not responsible for answering (`analyse`).
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from enum import Enum
from pathlib import Path
from typing import TypeVar

from rig.analysis.trumpet import AMBULATORY, VOLUMETRIC, TrumpetMethod
from rig.errors import DataFileError
from rig.offline.basal import BasalQuestion
from rig.offline.bolus import BolusQuestion
from rig.offline.breaks import OnBreak
from rig.offline.cells import timestamp
from rig.offline.columns import Layout
from rig.offline.log import Log
from rig.offline.occlusion import OcclusionQuestion
from rig.offline.scale import Weighing
from rig.procedures.rest import REST_SPAN_S
from rig.roles import Air
from rig.units import parse

_Choice = TypeVar("_Choice")
HPA_PER_KPA = 10.0


class Kind(Enum):
    """Kinds of analysis."""

    BASAL = "basal"
    BOLUS = "bolus"
    OCCLUSION = "occlusion"


METHODS: Mapping[str, TrumpetMethod] = {"ambulatory": AMBULATORY, "volumetric": VOLUMETRIC}


@dataclass(frozen=True)
class Question:
    """Every option as text; None where none was given. Names are those of the flags."""

    kind: str
    rate: str | None = None
    bolus: str | None = None
    time_column: str | None = None
    mass_column: str | None = None
    volume_column: str | None = None
    pressure_column: str | None = None
    time_unit: str | None = None
    mass_unit: str | None = None
    volume_unit: str | None = None
    pressure_unit: str | None = None
    interval: str | None = None
    sheet: str | None = None
    bad_rows: str = "refuse"
    on_break: str = "refuse"
    max_gap: str | None = None
    start: str | None = None
    stabilisation: str | None = None
    analysis: str | None = None
    sample_interval: str | None = None
    windows: str | None = None
    method: str = "ambulatory"
    dose: str | None = None
    at: tuple[str, ...] = ()
    starts: Path | None = None
    duration: str | None = None
    rest: str | None = None
    closed: str | None = None
    alarm: str | None = None
    released: str | None = None
    air_temperature: str | None = None
    air_pressure: str | None = None
    air_humidity: str = "50 %"
    evaporation: str | None = None
    evaporation_u: str | None = None
    repeatability: str | None = None
    readability: str | None = None
    calibration: str | None = None
    blank_wander: str | None = None
    blank_wander_per_hour: str | None = None


def given(asked: Question) -> dict[str, str]:
    """Get the options that were given, by flag, as they were written."""
    written: dict[str, str] = {}
    for field in fields(asked):
        value = getattr(asked, field.name)
        if value != field.default:
            text = ", ".join(value) if isinstance(value, tuple) else str(value)
            written[f"--{field.name.replace('_', '-')}"] = text
    return written


def quantity(flag: str, text: str, dimension: str, *, above_zero: bool = True) -> float:
    """Parse what follows a flag; DataFileError naming the flag when it is no such quantity."""
    try:
        value = parse(text, dimension)
    except ValueError as error:
        raise DataFileError(f"{flag}: {error}") from None
    if value < 0 or (above_zero and value == 0):
        raise DataFileError(f"{flag} {text!r}: it must be {'above 0' if above_zero else '0 or above'}")
    return value


def _optional(flag: str, text: str | None, dimension: str, *, above_zero: bool = True) -> float | None:
    return quantity(flag, text, dimension, above_zero=above_zero) if text is not None else None


def _needed(flag: str, text: str | None, dimension: str, kind: Kind) -> float:
    if text is None:
        raise DataFileError(f"{flag} is missing: --kind {kind.value} needs it, with its unit")
    return quantity(flag, text, dimension)


def choice(flag: str, text: str, known: Mapping[str, _Choice]) -> _Choice:
    """Look up a word; DataFileError that lists the allowed ones."""
    if text not in known:
        raise DataFileError(f"{flag} {text!r}: it is one of {', '.join(known)}")
    return known[text]


def kind_of(asked: Question) -> Kind:
    """Get the kind of analysis, and refuse options that only another kind knows."""
    kind = choice("--kind", asked.kind, {each.value: each for each in Kind})
    own = {
        Kind.BASAL: ("start", "stabilisation", "analysis", "sample_interval", "windows", "dose"),
        Kind.BOLUS: ("bolus", "at", "starts", "duration"),
        Kind.OCCLUSION: ("closed", "alarm", "released", "pressure_column", "pressure_unit"),
    }
    for other, names in own.items():
        for name in names:
            if other is not kind and getattr(asked, name):
                raise DataFileError(f"--{name.replace('_', '-')} belongs to --kind {other.value}, not {kind.value}")
    return kind


def layout_of(asked: Question) -> Layout:
    """Get what was said of the file."""
    return Layout(
        time_column=asked.time_column,
        mass_column=asked.mass_column,
        volume_column=asked.volume_column,
        pressure_column=asked.pressure_column,
        time_unit=asked.time_unit,
        mass_unit=asked.mass_unit,
        volume_unit=asked.volume_unit,
        pressure_unit=asked.pressure_unit,
        interval_s=_optional("--interval", asked.interval, "time_s"),
        skip_bad_rows=choice("--bad-rows", asked.bad_rows, {"refuse": False, "skip": True}),
    )


def on_break_of(asked: Question) -> OnBreak:
    """Get what shall be done where a log breaks."""
    return choice("--on-break", asked.on_break, {each.value: each for each in OnBreak})


def weighing_of(asked: Question) -> Weighing:
    """Get what was said of air, vessel and balance."""
    if (asked.blank_wander is None) is not (asked.blank_wander_per_hour is None):
        raise DataFileError("--blank-wander and --blank-wander-per-hour belong together: one of them is missing")
    return Weighing(
        air=_air(asked),
        evaporation_g_per_h=_optional("--evaporation", asked.evaporation, "evaporation_g_per_h", above_zero=False),
        u_evaporation_g_per_h=_optional(
            "--evaporation-u", asked.evaporation_u, "evaporation_g_per_h", above_zero=False
        ),
        repeatability_g=_optional("--repeatability", asked.repeatability, "mass_g"),
        readability_g=_optional("--readability", asked.readability, "mass_g"),
        u_calibration_percent=_optional("--calibration", asked.calibration, "percent"),
        blank_wander_g=_optional("--blank-wander", asked.blank_wander, "mass_g", above_zero=False),
        blank_wander_g_per_h=_optional(
            "--blank-wander-per-hour", asked.blank_wander_per_hour, "mass_g", above_zero=False
        ),
    )


def _air(asked: Question) -> Air | None:
    if asked.air_temperature is None and asked.air_pressure is None:
        return None
    if asked.air_temperature is None or asked.air_pressure is None:
        raise DataFileError("--air-temperature and --air-pressure belong together: one of them is missing")
    temperature_c = quantity("--air-temperature", asked.air_temperature, "temperature_c")
    pressure_hpa = HPA_PER_KPA * quantity("--air-pressure", asked.air_pressure, "pressure_kpa")
    humidity = quantity("--air-humidity", asked.air_humidity, "percent", above_zero=False) / 100.0
    for flag, value, low, high in (
        ("--air-temperature", temperature_c, 0.0, 40.0),
        ("--air-pressure", pressure_hpa, 500.0, 1100.0),
        ("--air-humidity", humidity, 0.0, 1.0),
    ):
        if not low <= value <= high:
            raise DataFileError(f"{flag}: {value:g} is outside {low:g} … {high:g}, for which the Z factor is known")
    return Air(temperature_c=temperature_c, pressure_hpa=pressure_hpa, relative_humidity=humidity)


def longest_gap_s(asked: Question, default_s: float) -> float:
    """Get how far apart samples may be."""
    return _optional("--max-gap", asked.max_gap, "time_s") or default_s


def basal_question(asked: Question, log: Log) -> BasalQuestion:
    """Get a basal question; moments are put on the clock of the log."""
    method = choice("--method", asked.method, METHODS)
    interval_s = _optional("--sample-interval", asked.sample_interval, "time_s") or 60.0 * method.interval_min
    stabilisation_s = _optional("--stabilisation", asked.stabilisation, "time_s", above_zero=False)
    analysis_s = 60.0 * method.analysis_min
    if asked.analysis is not None:
        analysis_s = 0.0 if asked.analysis == "rest" else quantity("--analysis", asked.analysis, "time_s")
    windows_min = method.windows_min
    if asked.windows is not None:
        parts = asked.windows.split(",")
        windows_min = tuple(quantity("--windows", part.strip(), "time_s") / 60.0 for part in parts)
    return BasalQuestion(
        rate_u_per_h=_needed("--rate", asked.rate, "rate_u_per_h", Kind.BASAL),
        start_s=moment_s("--start", asked.start, log) if asked.start is not None else None,
        stabilisation_h=(stabilisation_s if stabilisation_s is not None else 60.0 * method.stabilisation_min) / 3600.0,
        analysis_h=analysis_s / 3600.0 or None,
        interval_min=interval_s / 60.0,
        windows_min=windows_min,
        dose_u=_optional("--dose", asked.dose, "insulin_u"),
        longest_gap_s=longest_gap_s(asked, interval_s),
    )


def bolus_question(asked: Question, log: Log, starts_of: Callable[[Path], list[str]]) -> BolusQuestion:
    """Get a bolus question; `starts_of` reads the moments of a second file."""
    if asked.at and asked.starts is not None:
        raise DataFileError("--at and --starts both give the moments of the boluses: give one of them")
    written = [part.strip() for text in asked.at for part in text.split(",")]
    if asked.starts is not None:
        written = starts_of(asked.starts)
    return BolusQuestion(
        insulin_u=_needed("--bolus", asked.bolus, "insulin_u", Kind.BOLUS),
        starts_s=tuple(moment_s("--at", text, log) for text in written) if written else None,
        planned_s=_optional("--duration", asked.duration, "time_s"),
        rest_s=_optional("--rest", asked.rest, "time_s") or REST_SPAN_S,
    )


def occlusion_question(asked: Question, log: Log) -> OcclusionQuestion:
    """Get an occlusion question."""
    if asked.closed is None:
        raise DataFileError("--closed is missing: say when the outlet was closed, such as '30 min' or a timestamp")
    return OcclusionQuestion(
        rate_u_per_h=_needed("--rate", asked.rate, "rate_u_per_h", Kind.OCCLUSION),
        closed_at_s=moment_s("--closed", asked.closed, log),
        alarm_at_s=moment_s("--alarm", asked.alarm, log) if asked.alarm is not None else None,
        released_at_s=moment_s("--released", asked.released, log) if asked.released is not None else None,
        rest_s=_optional("--rest", asked.rest, "time_s") or REST_SPAN_S,
    )


def moment_s(flag: str, text: str, log: Log) -> float:
    """Get a moment on the clock of the log in s: "30 min" on that clock, or a timestamp when the log has timestamps."""
    moment = timestamp(text)
    if moment is None:
        return quantity(flag, text, "time_s", above_zero=False)
    if log.zero is None:
        raise DataFileError(
            f"{flag} {text!r}: the log has no timestamps; write the moment on its own clock, as '30 min'"
        )
    return _seconds_between(flag, text, log.zero, moment)


def _seconds_between(flag: str, text: str, zero: datetime.datetime, moment: datetime.datetime) -> float:
    if (zero.tzinfo is None) != (moment.tzinfo is None):
        raise DataFileError(f"{flag} {text!r}: the log's timestamps and this one must both have a time zone, or none")
    return (moment - zero).total_seconds()
