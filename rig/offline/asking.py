"""From options as text to the questions that each kind of analysis answers: quantities, moments on the log's clock.

Not responsible for which options there are (`question`).
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable, Mapping
from pathlib import Path

from rig.analysis.trumpet import AMBULATORY, VOLUMETRIC, TrumpetMethod
from rig.errors import DataFileError
from rig.offline.basal import BasalQuestion
from rig.offline.bolus import BolusQuestion
from rig.offline.breaks import OnBreak
from rig.offline.log import BalanceLog
from rig.offline.moments import DAY_S, moment
from rig.offline.occlusion import OcclusionQuestion
from rig.offline.question import LogKind, Question, checked_quantity, flags, written
from rig.offline.read import Layout
from rig.offline.scale import STANDARD_DENSITY_G_PER_ML, FlowMeter, Weighing
from rig.offline.spoken import Spoken
from rig.procedures.rest import REST_SPAN_S
from rig.roles import Air

METHODS: Mapping[str, TrumpetMethod] = {"ambulatory": AMBULATORY, "volumetric": VOLUMETRIC}
DELIMITERS: Mapping[str, str] = {"comma": ",", "semicolon": ";", "tab": "\t", "bar": "|", "blank": " ", "blanks": "  "}
HPA_PER_KPA = 10.0


def number_of(asked: Question, name: str) -> float | None:
    """Give an option as a number in the base unit of its dimension; None when it was not given."""
    text, flag = getattr(asked, name), flags()[name]
    if text is None:
        return None
    assert flag.dimension is not None
    return checked_quantity(written(name), text, flag.dimension, zero=flag.zero)


def needed(asked: Question, name: str) -> float:
    """Give an option that the kind of analysis needs; DataFileError when it is missing."""
    value = number_of(asked, name)
    if value is None:
        raise DataFileError(f"{written(name)} is missing: --kind {asked.kind} needs it, with its unit")
    return value


def kind_of_log(asked: Question) -> LogKind:
    """Give the kind of analysis; DataFileError when nobody said, or what it needs is missing."""
    if asked.kind is None:
        raise DataFileError("--kind is missing: say what was measured, basal, bolus, occlusion or alarm")
    kind = LogKind(asked.kind)
    if kind is LogKind.ALARM:
        return kind
    needed(asked, "bolus" if kind is LogKind.BOLUS else "rate")
    if kind is LogKind.OCCLUSION and asked.closed is None:
        raise DataFileError("--closed is missing: say when the outlet was closed, such as '30 min' or a timestamp")
    return kind


def layout_of(asked: Question) -> Layout:
    """Give what was said of how the file is laid out."""
    delimiter = DELIMITERS.get(asked.delimiter, asked.delimiter) if asked.delimiter is not None else None
    if delimiter is not None and len(delimiter) > 1 and delimiter != "  ":
        raise DataFileError(f"--delimiter {asked.delimiter!r}: it is one of {', '.join(DELIMITERS)}, or one character")
    return Layout(asked.sheet, delimiter, asked.header_row)


def spoken_of(asked: Question) -> Spoken:
    """Give what was said of the columns and rows."""
    air = _air(asked)
    return Spoken(
        time_column=asked.time_column,
        date_column=asked.date_column,
        mass_column=asked.mass_column,
        volume_column=asked.volume_column,
        flow_column=asked.flow_column,
        pressure_column=asked.pressure_column,
        time_unit=asked.time_unit,
        mass_unit=asked.mass_unit,
        volume_unit=asked.volume_unit,
        flow_unit=asked.flow_unit,
        pressure_unit=asked.pressure_unit,
        ignore_header_units=asked.header_units == "ignore",
        time_format=asked.time_format,
        date_format=asked.date_format,
        decimal={"point": ".", "comma": ","}.get(asked.decimal or "", asked.decimal),
        interval_s=number_of(asked, "interval"),
        skip_bad_rows=asked.bad_rows == "skip",
        leave_unstable_out=asked.unstable == "leave-out",
        rate_u_per_h=number_of(asked, "rate"),
        density_g_per_ml=1.0 / _z(air) if air is not None else STANDARD_DENSITY_G_PER_ML,
    )


def _z(air: Air) -> float:
    from rig.offline.scale import Scale

    return Scale(Weighing(air=air), is_volume=False).z_ul_per_mg


def on_break_of(asked: Question) -> OnBreak:
    """Give what shall be done where a log breaks."""
    return OnBreak(asked.on_break)


def weighing_of(asked: Question) -> Weighing:
    """Give what was said of air, vessel and balance."""
    return Weighing(
        air=_air(asked),
        evaporation_g_per_h=number_of(asked, "evaporation"),
        u_evaporation_g_per_h=number_of(asked, "evaporation_u"),
        repeatability_g=number_of(asked, "repeatability"),
        readability_g=number_of(asked, "readability"),
        u_calibration_percent=number_of(asked, "calibration"),
        blank_wander_g=number_of(asked, "blank_wander"),
        blank_wander_g_per_h=number_of(asked, "blank_wander_per_hour"),
    )


def meter_of(asked: Question) -> FlowMeter:
    """Give what was said of the flow meter."""
    return FlowMeter(number_of(asked, "flow_calibration"), number_of(asked, "flow_zero"))


def _air(asked: Question) -> Air | None:
    temperature_c, pressure_kpa = number_of(asked, "air_temperature"), number_of(asked, "air_pressure")
    if temperature_c is None or pressure_kpa is None:
        return None
    pressure_hpa = HPA_PER_KPA * pressure_kpa
    humidity = (number_of(asked, "air_humidity") or 0.0) / 100.0
    for flag, value, low, high in (
        ("--air-temperature", temperature_c, 0.0, 40.0),
        ("--air-pressure", pressure_hpa, 500.0, 1100.0),
        ("--air-humidity", humidity, 0.0, 1.0),
    ):
        if not low <= value <= high:
            raise DataFileError(f"{flag}: {value:g} is outside {low:g} … {high:g}, for which the Z factor is known")
    return Air(temperature_c=temperature_c, pressure_hpa=pressure_hpa, relative_humidity=humidity)


def basal_question(asked: Question, log: BalanceLog, longest_gap_s: float | None = None) -> BasalQuestion:
    """Give a basal question; moments are put on the clock of the log."""
    method = METHODS[asked.method]
    interval_s = number_of(asked, "sample_interval") or 60.0 * method.interval_min
    stabilisation_s = number_of(asked, "stabilisation")
    analysis_s = 60.0 * method.analysis_min
    if asked.analysis is not None:
        analysis_s = 0.0 if asked.analysis == "rest" else checked_quantity("--analysis", asked.analysis, "time_s")
    windows_min = method.windows_min
    if asked.windows is not None:
        parts = asked.windows.split(",")
        windows_min = tuple(checked_quantity("--windows", part.strip(), "time_s") / 60.0 for part in parts)
    return BasalQuestion(
        rate_u_per_h=needed(asked, "rate"),
        start_s=moment_s("--start", asked.start, log) if asked.start is not None else None,
        stabilisation_h=(stabilisation_s if stabilisation_s is not None else 60.0 * method.stabilisation_min) / 3600.0,
        analysis_h=analysis_s / 3600.0 or None,
        interval_min=interval_s / 60.0,
        windows_min=windows_min,
        dose_u=number_of(asked, "dose"),
        longest_gap_s=longest_gap_s or number_of(asked, "max_gap") or interval_s,
        accept_implausible=asked.implausible == "accept",
    )


def bolus_question(asked: Question, log: BalanceLog, starts_of: Callable[[Path], list[str]]) -> BolusQuestion:
    """Give a bolus question; `starts_of` reads the moments of a second file."""
    texts = [part.strip() for text in asked.at for part in text.split(",")]
    if asked.starts is not None:
        texts = starts_of(asked.starts)
    return BolusQuestion(
        insulin_u=needed(asked, "bolus"),
        starts_s=tuple(moment_s("--at", text, log) for text in texts) if texts else None,
        planned_s=number_of(asked, "duration"),
        rest_s=number_of(asked, "rest") or REST_SPAN_S,
        accept_implausible=asked.implausible == "accept",
    )


def occlusion_question(asked: Question, log: BalanceLog) -> OcclusionQuestion:
    """Give an occlusion question."""
    assert asked.closed is not None
    return OcclusionQuestion(
        rate_u_per_h=needed(asked, "rate"),
        closed_at_s=moment_s("--closed", asked.closed, log),
        alarm_at_s=moment_s("--alarm", asked.alarm, log) if asked.alarm is not None else None,
        released_at_s=moment_s("--released", asked.released, log) if asked.released is not None else None,
        rest_s=number_of(asked, "rest") or REST_SPAN_S,
        accept_implausible=asked.implausible == "accept",
    )


def moment_s(flag: str, text: str, log: BalanceLog) -> float:
    """Give a moment on the log's clock in s: "30 min" or 23:15:00 on it, or a timestamp when the log has such."""
    found = moment(text)
    clock = re.fullmatch(r"(\d+):([0-5]\d)(?::([0-5]\d(?:\.\d+)?))?", text)
    if clock is not None and log.zero is None:
        at_s = 3600.0 * int(clock[1]) + 60.0 * int(clock[2]) + float(clock[3] or 0.0)
        return at_s + DAY_S if at_s < log.at_s[0] and log.at_s[-1] >= DAY_S else at_s
    if found is None:
        try:
            return checked_quantity(flag, text, "time_s", zero=True)
        except ValueError as error:
            raise DataFileError(str(error)) from None
    if log.zero is None:
        raise DataFileError(
            f"{flag} {text!r}: the log has no timestamps; write the moment on its own clock, as '30 min'"
        )
    return _seconds_between(flag, text, log.zero, found)


def _seconds_between(flag: str, text: str, zero: datetime.datetime, found: datetime.datetime) -> float:
    if (zero.tzinfo is None) != (found.tzinfo is None):
        raise DataFileError(f"{flag} {text!r}: the log's timestamps and this one must both have a time zone, or none")
    return (found - zero).total_seconds()
