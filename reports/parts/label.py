"""The label's tables, assembled: what 21 CFR 880.5730 asks the label of a pump to state, from what this run measured.

Boluses by class of size; the volume of the first hours without warm-up; times to the occlusion alarm. What the run does
not hold is called not measured. Not responsible for any number: they are in the record's analyses and results.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median
from typing import TypeVar

from reports.document import AnyCell, DocumentBlock, Paragraph, Section, TableBlock, TableColumn, TextCell
from reports.parts.given import NOT_MEASURED, Given
from reports.words import NBSP, NONE, duration, quantity, value_and_uncertainty
from rig.procedures.basal import FIRST_HOURS, FIRST_VOLUME
from rig.record.analyses import BolusNumbers, OcclusionSeries, Trumpet
from rig.record.models import MeasuredRecord
from rig.record.reading import Run
from rig.record.results import JudgedRecord, ReportedRecord
from rig.units import parse

A = TypeVar("A")

BOLUS_SPEED = "occluded_bolus.time_to_alarm"
BOLUS_UNALARMED = "occluded_bolus.unalarmed"
BOLUS_RELEASED = "occluded_bolus.released"


def label(given: Given) -> tuple[Section, ...]:
    """Assemble the tables of the label."""
    about = Paragraph(
        "21 CFR 880.5730 asks the label of an alternate controller enabled pump for these numbers. They are those of "
        "the "
        "one pump of this run: a label speaks of several pumps, and typical, least and most delivering pumps come from "
        "as many runs.",
        about=True,
    )
    return (
        Section(1, "Label tables (21 CFR 880.5730)", "label", (about,), new_page=True),
        Section(2, "Boluses by class of size", "label-boluses", _boluses(given)),
        Section(2, "Basal volume of the first hours, without warm-up", "label-basal", _first_hours(given)),
        Section(2, "Time to the occlusion alarm", "label-occlusion", _occlusions(given)),
    )


def _boluses(given: Given) -> tuple[DocumentBlock, ...]:
    found = sorted(_of(given.run, BolusNumbers), key=lambda each: each.programmed_u)
    if not found:
        return (Paragraph(f"Boluses: {NOT_MEASURED}."),)
    classes = tuple(found[0].bins)
    columns = (
        TableColumn("Command"),
        TableColumn("n", "right"),
        *(TableColumn(f"{each}{NBSP}%", "right", 1.0) for each in classes),
        TableColumn("Mean error", "right"),
    )
    rows: tuple[tuple[AnyCell, ...], ...] = tuple(
        (
            TextCell(f"{each.programmed_u:g}{NBSP}U", strong=True),
            str(len(each.delivered_u)),
            *(_share(each.bins.get(name, 0), len(each.delivered_u)) for name in classes),
            quantity(each.mean_error_percent, "%", 2, signed=True),
        )
        for each in found
    )
    caption = "Number of boluses, and their share, by size in % of the command; each bolus weighed on its own."
    return (TableBlock(caption, columns, rows), *_lacking_sizes(given, found))


def _share(count: int, of: int) -> str:
    return f"{count} ({100.0 * count / of:.0f}{NBSP}%)" if count else NONE


def _lacking_sizes(given: Given, found: Sequence[BolusNumbers]) -> list[Paragraph]:
    """Name the sizes that a label asks for, of the pump sheet, and that the run did not weigh."""
    sizes = {"minimum": _claim(given, "bolus", "minimum"), "maximum": _claim(given, "bolus", "maximum")}
    weighed = {round(each.programmed_u, 6) for each in found}
    lacking = [
        f"{name} ({value:g}{NBSP}U)" for name, value in sizes.items() if value and round(value, 6) not in weighed
    ]
    return [Paragraph(f"Consecutive boluses of the {' and '.join(lacking)}: {NOT_MEASURED}.")] if lacking else []


def _claim(given: Given, table: str, key: str) -> float | None:
    sheet = given.run.manifest.pump_sheet
    value = sheet.content.get(table, {}).get(key) if sheet is not None else None
    text = value.get("value") if isinstance(value, dict) else value
    try:
        return parse(text, "insulin_u" if table == "bolus" else "rate_u_per_h") if isinstance(text, str) else None
    except ValueError:
        return None


def _first_hours(given: Given) -> tuple[DocumentBlock, ...]:
    volumes = first_volumes(given.run)
    rates = sorted({each.rate_u_per_h for each in _of(given.run, Trumpet)})
    if not rates:
        return (Paragraph(f"Basal delivery: {NOT_MEASURED}."),)
    columns = (
        TableColumn("Rate"),
        *(TableColumn(f"First {hours}{NBSP}h, this pump", "right", 1.0) for hours in FIRST_HOURS),
        TableColumn("Typical, least and most delivering pump", "left", 1.0),
    )
    rows: list[tuple[AnyCell, ...]] = []
    for rate in rates:
        own = [volumes.get((rate, hours)) for hours in FIRST_HOURS]
        cells = [_volume(each) if each is not None else TextCell(NOT_MEASURED, emphasis=True) for each in own]
        one = "one pump" if any(each is not None for each in own) else NOT_MEASURED
        rows.append((TextCell(f"{rate:g}{NBSP}U/h", strong=True), *cells, TextCell(one, emphasis=True)))
    why = (
        []
        if volumes
        else [
            Paragraph(
                "Basal delivery was weighed after a stabilisation, as IEC 60601-2-24 has it (method); the label's "
                "volumes "
                "count from the start. The test plan label_880_5730 measures them."
            )
        ]
    )
    return (TableBlock("Delivered volume after the start of basal delivery, ± U.", columns, tuple(rows)), *why)


def first_volumes(run: Run) -> dict[tuple[float, int], MeasuredRecord]:
    """Find the volumes of the first hours by rate in U/h and hours."""
    every = [*run.results.reported, *(each for row in run.results.requirements for each in row.measurements)]
    found: dict[tuple[float, int], MeasuredRecord] = {}
    for each in every:
        if each.quantity.kind == FIRST_VOLUME.name:
            rate = parse(each.quantity.parameters["rate"], "rate_u_per_h")
            found[rate, round(parse(each.quantity.parameters["hours"], "time_s") / 3600.0)] = each
    return found


def _volume(each: MeasuredRecord) -> str:
    value, u = value_and_uncertainty(each.value, each.expanded_uncertainty)
    return f"{value}{NBSP}±{NBSP}{u}{NBSP}{each.unit}" if u else f"{value}{NBSP}{each.unit}"


def _occlusions(given: Given) -> tuple[DocumentBlock, ...]:
    columns = (
        TableColumn("At", share=1.0),
        TableColumn("n", "right"),
        TableColumn("Typical time", "right"),
        TableColumn("Longest time", "right"),
        TableColumn("Largest volume missed", "right"),
        TableColumn("Largest volume released", "right"),
    )
    rows = [_series(each) for each in sorted(_of(given.run, OcclusionSeries), key=lambda one: one.rate_u_per_h)]
    rows += _at_bolus_speed(given)
    if not rows:
        return (Paragraph(f"Occlusions: {NOT_MEASURED}."),)
    caption = "Time from closing the outlet to the alarm; the typical time is the median."
    missing = (
        []
        if _values(given.run, BOLUS_SPEED)
        else [Paragraph(f"Occlusion while a bolus is delivered, at the speed of boluses: {NOT_MEASURED}.")]
    )
    return (TableBlock(caption, columns, tuple(rows)), *missing)


def _series(each: OcclusionSeries) -> tuple[AnyCell, ...]:
    times = [one.time_to_alarm_s for one in each.occlusions if one.time_to_alarm_s is not None]
    silent = len(each.occlusions) - len(times)
    typical, longest = (duration(median(times)), duration(max(times))) if times else ("no alarm", "no alarm")
    return (
        each.title.removeprefix("Occlusions at "),
        str(len(each.occlusions)) + (f", {silent} not alarmed" if silent and times else ""),
        typical,
        longest,
        quantity(max(one.missed_u for one in each.occlusions), "U", 2),
        quantity(max(one.released_u for one in each.occlusions), "U", 2),
    )


def _at_bolus_speed(given: Given) -> list[tuple[AnyCell, ...]]:
    """Write a row for the boluses of each size that were delivered into a closed line, under the sudden occlusion."""
    speed = _speed(given)
    times = [each for each in _values(given.run, BOLUS_SPEED) if each.quantity.parameters.get("fault") == "F1"]
    silent: dict[str, set[tuple[str, int]]] = {}
    for each in _values(given.run, BOLUS_UNALARMED):
        if each.quantity.parameters.get("fault") == "F1" and each.value:
            silent.setdefault(each.quantity.parameters.get("size", ""), set()).add((each.test, each.attempt))
    rows: list[tuple[AnyCell, ...]] = []
    for size in dict.fromkeys(each.quantity.parameters.get("size", "") for each in times):
        of_size = [each for each in times if each.quantity.parameters.get("size", "") == size]
        # Without an alarm the record holds for how long one was waited for, which is no time to an alarm.
        own = [each.value for each in of_size if (each.test, each.attempt) not in silent.get(size, ())]
        unheard = len(of_size) - len(own)
        at = f"bolus of {size}{f', {speed}' if speed else ''}"
        rows.append(
            (
                at,
                str(len(of_size)) + (f", {unheard} not alarmed" if unheard and own else ""),
                duration(median(own)) if own else "no alarm",
                duration(max(own)) if own else "no alarm",
                NONE,  # what is missing of such a bolus is no quantity of its own
                _largest(given.run, BOLUS_RELEASED, size),
            )
        )
    return rows


def _speed(given: Given) -> str:
    sheet = given.run.manifest.pump_sheet
    value = sheet.content.get("bolus", {}).get("speed") if sheet is not None else None
    return str(value.get("value", "")) if isinstance(value, dict) else str(value or "")


def _largest(run: Run, kind: str, size: str) -> str:
    own = [
        each.value
        for each in _values(run, kind)
        if each.quantity.parameters.get("size") == size and each.quantity.parameters.get("fault") == "F1"
    ]
    return quantity(max(own), "U", 2) if own else NONE


def _values(run: Run, kind: str) -> list[JudgedRecord | ReportedRecord]:
    """List the values of a kind of quantity, each once, whoever judges it."""
    judged = [each for row in run.results.requirements for each in row.measurements]
    every: list[JudgedRecord | ReportedRecord] = [*judged, *run.results.reported]
    once = {(each.quantity.quantity, (each.test, each.attempt)): each for each in every}
    return [each for (of, _), each in once.items() if of.kind == kind]


def _of(run: Run, kind: type[A]) -> list[A]:
    return [each.analysis for each in run.analyses if isinstance(each.analysis, kind)]
