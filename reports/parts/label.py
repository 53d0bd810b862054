"""The label's tables, assembled: what 21 CFR 880.5730 asks the label of a pump to state, from what runs measured.

Boluses by class of size; the volume of the first hours without warm-up; times to the occlusion alarm. What the runs do
not hold is called not measured. Not responsible for any number: they are in the record's analyses and results.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Generic, TypeVar

from reports.document import AnyCell, DocumentBlock, Paragraph, Section, TableBlock, TableColumn, TextCell
from reports.parts.given import NOT_MEASURED, Given
from reports.words import NBSP, NONE, and_list, quantity, with_unit
from rig.procedures.basal import FIRST_HOURS, FIRST_VOLUME
from rig.record.analyses import BolusNumbers, OcclusionSeries, Trumpet
from rig.record.models import MeasuredRecord
from rig.record.reading import Run
from rig.record.results import JudgedRecord, ReportedRecord
from rig.units import parse

A = TypeVar("A", BolusNumbers, OcclusionSeries, Trumpet)
T = TypeVar("T")
Valued = JudgedRecord | ReportedRecord

BOLUS_SPEED = "occluded_bolus.time_to_alarm"
BOLUS_UNALARMED = "occluded_bolus.unalarmed"
BOLUS_RELEASED = "occluded_bolus.released"
SUDDEN = "F1"
"""The fault of the catalogue that closes the outlet at once."""
ABOUT = "21 CFR 880.5730 asks the label of an alternate controller enabled pump for these numbers. "
OF_ONE = (
    "They are those of the one pump of this run; typical, least and most delivering pumps come from a report of "
    "several runs."
)
TYPICAL, LEAST, MOST = "typical", "least delivering", "most delivering"
IN_MINUTES_S = 300.0
"""From here on a time is written in minutes."""


def label(given: Given) -> tuple[Section, ...]:
    """Assemble the tables of the label from one run."""
    return label_of([given.run], ABOUT + OF_ONE)


def label_of(runs: Sequence[Run], about: str) -> tuple[Section, ...]:
    """Assemble the tables of the label from the runs of one or more pumps, a run a pump."""
    return (
        Section(1, "Label tables (21 CFR 880.5730)", "label", (Paragraph(about, about=True),), new_page=True),
        Section(2, "Boluses by class of size", "label-boluses", _boluses(runs)),
        Section(2, "Basal volume of the first hours, without warm-up", "label-basal", _first_hours(runs)),
        Section(2, "Time to the occlusion alarm", "label-occlusion", _occlusions(runs)),
    )


@dataclass(frozen=True)
class _Found(Generic[A]):
    """An analysis, and what its test measured in the same attempt."""

    analysis: A
    values: tuple[Valued, ...]

    def value(self, kind: str) -> Valued | None:
        """Find a value by its kind."""
        return next((each for each in self.values if each.quantity.kind == kind), None)


def _found(runs: Iterable[Run], kind: type[A]) -> Iterator[_Found[A]]:
    for run in runs:
        for each in run.analyses:
            if isinstance(each.analysis, kind):
                own = (one for one in _values(run) if (one.test, one.attempt) == (each.test, each.attempt))
                yield _Found(each.analysis, tuple(one for one in own if _belongs(one, each.analysis)))


def _belongs(value: Valued, analysis: BolusNumbers | OcclusionSeries | Trumpet) -> bool:
    """Say whether a value is of the size or rate of an analysis; a test may have several of them."""
    if isinstance(analysis, BolusNumbers):
        return _parameter(value, "size", "insulin_u") == round(analysis.programmed_u, 6)
    return _parameter(value, "rate", "rate_u_per_h") == round(analysis.rate_u_per_h, 6)


def _parameter(value: MeasuredRecord, name: str, unit: str) -> float | None:
    said = value.quantity.parameters.get(name)
    return round(parse(said, unit), 6) if said else None


def _values(run: Run) -> list[Valued]:
    """List the values of a run, each once, whoever judges it."""
    judged = [each for row in run.results.requirements for each in row.measurements]
    every: list[Valued] = [*judged, *run.results.reported]
    return list({(each.quantity.quantity, (each.test, each.attempt)): each for each in every}.values())


def _boluses(runs: Sequence[Run]) -> tuple[DocumentBlock, ...]:
    by_size: dict[float, list[_Found[BolusNumbers]]] = {}
    for each in _found(runs, BolusNumbers):
        by_size.setdefault(round(each.analysis.programmed_u, 6), []).append(each)
    lacking = _lacking_sizes(runs[0], by_size.keys())
    if not by_size:
        return (Paragraph(f"Boluses: {NOT_MEASURED}."),)
    classes = tuple(next(iter(by_size.values()))[0].analysis.bins)
    columns = (
        TableColumn("Command"),
        TableColumn("n", "right"),
        *(TableColumn(f"{each.replace('–<', ' to <').replace('–', ' to ')}{NBSP}%", "right", 1.0) for each in classes),
        TableColumn("Mean error ± U", "right", 1.9),
    )
    rows = tuple(_bolus_row(size, by_size[size], classes) for size in sorted(by_size))
    of = "; of several pumps the mean errors of the least and of the most delivering one" if len(runs) > 1 else ""
    caption = f"Number of boluses, and their share, by size in % of the command; each bolus weighed on its own{of}."
    return (TableBlock(caption, columns, rows), *lacking)


def _bolus_row(size: float, found: Sequence[_Found[BolusNumbers]], classes: Sequence[str]) -> tuple[AnyCell, ...]:
    count = sum(len(each.analysis.delivered_u) for each in found)
    counts = {name: sum(each.analysis.bins.get(name, 0) for each in found) for name in classes}
    return (
        TextCell(f"{size:g}{NBSP}U", strong=True),
        str(count),
        *(f"{counts[name]} ({100.0 * counts[name] / count:.0f}{NBSP}%)" if counts[name] else NONE for name in classes),
        " … ".join(dict.fromkeys(_mean_error(each) for each in _ends(found, _by_mean))),
    )


def _by_mean(each: _Found[BolusNumbers]) -> float:
    return each.analysis.mean_error_percent


def _mean_error(found: _Found[BolusNumbers]) -> str:
    """Write a mean error in %, with the U that the record has of it, in % or in U."""
    measured = found.value("bolus.mean_error")
    if measured is None:
        return quantity(found.analysis.mean_error_percent, "%", 2, signed=True)
    scale = 100.0 / found.analysis.programmed_u if measured.unit == "U" else 1.0
    return with_unit(scale * measured.value, scale * measured.expanded_uncertainty, "%")


def _ends(found: Sequence[T], by: Callable[[T], float]) -> tuple[T, ...]:
    """Choose the least and the most of several, or the one."""
    return (min(found, key=by), max(found, key=by)) if len(found) > 1 else tuple(found)


def _lacking_sizes(run: Run, weighed: Iterable[float]) -> list[Paragraph]:
    """Name the sizes that a label asks for, of the pump sheet, and that the runs did not weigh."""
    sizes = {name: _claim(run, "bolus", name) for name in ("minimum", "maximum")}
    lacking = [
        f"{name} ({value:g}{NBSP}U)" for name, value in sizes.items() if value and round(value, 6) not in weighed
    ]
    return [Paragraph(f"Consecutive boluses of the {and_list(lacking)}: {NOT_MEASURED}.")] if lacking else []


def _stated(run: Run, table: str, key: str) -> str | None:
    """Look up what the pump sheet claims, in its words."""
    sheet = run.manifest.pump_sheet
    value = sheet.content.get(table, {}).get(key) if sheet is not None else None
    text = value.get("value") if isinstance(value, dict) else value
    return text if isinstance(text, str) else None


def _claim(run: Run, table: str, key: str) -> float | None:
    text = _stated(run, table, key)
    try:
        return parse(text, "insulin_u") if text is not None else None
    except ValueError:
        return None


def _first_hours(runs: Sequence[Run]) -> tuple[DocumentBlock, ...]:
    volumes = [first_volumes(run) for run in runs]
    rates = sorted(
        {each.analysis.rate_u_per_h for each in _found(runs, Trumpet)} | {key[0] for own in volumes for key in own}
    )
    if not rates:
        return (Paragraph(f"Basal delivery: {NOT_MEASURED}."),)
    columns = (
        TableColumn("Rate"),
        TableColumn("Pump", share=1.0),
        *(TableColumn(f"First {hours}{NBSP}h", "right", 1.0) for hours in FIRST_HOURS),
    )
    rows = [row for rate in rates for row in _volume_rows(rate, volumes)]
    why = (
        []
        if any(volumes)
        else [
            Paragraph(
                "Basal delivery was weighed after a stabilisation, as IEC 60601-2-24 has it (method); the label's "
                "volumes count from the start. The test plan label_880_5730 measures them."
            )
        ]
    )
    return (TableBlock("Delivered volume after the start of basal delivery, ± U.", columns, tuple(rows)), *why)


def _volume_rows(rate: float, volumes: Sequence[dict[tuple[float, int], MeasuredRecord]]) -> list[tuple[AnyCell, ...]]:
    """Write a row for the one pump, or for the typical, least and most delivering of several, by the last hour."""
    pumps = [
        {hours: own[rate, hours] for hours in FIRST_HOURS if (rate, hours) in own}
        for own in volumes
        if any((rate, hours) in own for hours in FIRST_HOURS)
    ]
    ordered = sorted(pumps, key=lambda own: (len(own), own[max(own)].value))
    if len(ordered) > 1:
        chosen = {TYPICAL: ordered[(len(ordered) - 1) // 2], LEAST: ordered[0], MOST: ordered[-1]}
    else:
        chosen = {"this pump" if len(volumes) == 1 else "one pump" if ordered else NONE: ordered[0] if ordered else {}}
    return [
        (
            TextCell(f"{rate:g}{NBSP}U/h" if number == 0 else "", strong=True),
            f"{name}{f', of {len(ordered)}' if number == 0 and len(ordered) > 1 else ''}",
            *(
                with_unit(own[hours].value, own[hours].expanded_uncertainty, own[hours].unit)
                if hours in own
                else TextCell(NOT_MEASURED, emphasis=True)
                for hours in FIRST_HOURS
            ),
        )
        for number, (name, own) in enumerate(chosen.items())
    ]


def first_volumes(run: Run) -> dict[tuple[float, int], MeasuredRecord]:
    """Find the volumes of the first hours by rate in U/h and hours."""
    found: dict[tuple[float, int], MeasuredRecord] = {}
    for each in _values(run):
        if each.quantity.kind == FIRST_VOLUME.name:
            rate = parse(each.quantity.parameters["rate"], "rate_u_per_h")
            found[rate, round(parse(each.quantity.parameters["hours"], "time_s") / 3600.0)] = each
    return found


def _occlusions(runs: Sequence[Run]) -> tuple[DocumentBlock, ...]:
    columns = (
        TableColumn("At", share=1.0),
        TableColumn("n", "right"),
        TableColumn("Typical time", "right"),
        TableColumn("Longest time", "right"),
        TableColumn("Most missed", "right"),
        TableColumn("Most released", "right"),
    )
    series: dict[tuple[float, str], list[_Found[OcclusionSeries]]] = {}
    for each in _found(runs, OcclusionSeries):
        series.setdefault((each.analysis.rate_u_per_h, each.analysis.title), []).append(each)
    rows = [_series_row(title, series[rate, title]) for rate, title in sorted(series)]
    at_speed = _at_bolus_speed(runs)
    if not rows and not at_speed:
        return (Paragraph(f"Occlusions: {NOT_MEASURED}."),)
    caption = (
        "Time from closing the outlet to the alarm; the typical time is the median; the largest volumes; each ± U."
    )
    missing = (
        []
        if at_speed
        else [Paragraph(f"Occlusion while a bolus is delivered, at the speed of boluses: {NOT_MEASURED}.")]
    )
    return (TableBlock(caption, columns, (*rows, *at_speed)), *missing)


def _series_row(title: str, found: Sequence[_Found[OcclusionSeries]]) -> tuple[AnyCell, ...]:
    every = [one for each in found for one in each.analysis.occlusions]
    times = [one.time_to_alarm_s for one in every if one.time_to_alarm_s is not None]
    return (
        title.removeprefix("Occlusions at "),
        _count(len(every), len(times)),
        *_times(times, _largest_u(found, "occlusion.longest_time")),
        with_unit(max(one.missed_u for one in every), _largest_u(found, "occlusion.largest_missed"), "U"),
        with_unit(max(one.released_u for one in every), _largest_u(found, "occlusion.largest_release"), "U"),
    )


def _largest_u(found: Iterable[_Found[OcclusionSeries]], kind: str) -> float:
    own = (each.value(kind) for each in found)
    return max((each.expanded_uncertainty for each in own if each is not None), default=0.0)


def _count(count: int, alarmed: int) -> str:
    return str(count) + (f", {count - alarmed} not alarmed" if 0 < alarmed < count else "")


def _times(times: Sequence[float], u_s: float) -> tuple[str, str]:
    """Write the typical and the longest of times in s."""
    return (_time(median(times), u_s), _time(max(times), u_s)) if times else ("no alarm", "no alarm")


def _time(seconds: float, u_s: float) -> str:
    minutes = seconds >= IN_MINUTES_S
    scale, unit = (60.0, "min") if minutes else (1.0, "s")
    return with_unit(seconds / scale, u_s / scale, unit)


def _at_bolus_speed(runs: Sequence[Run]) -> list[tuple[AnyCell, ...]]:
    """Write a row for the boluses of each size that were delivered into a closed line, under the sudden occlusion."""
    speed = _stated(runs[0], "bolus", "speed")
    values = [
        ((number, each.test, each.attempt), each)
        for number, run in enumerate(runs)
        for each in _values(run)
        if each.quantity.parameters.get("fault") == SUDDEN
    ]
    rows: list[tuple[AnyCell, ...]] = []
    for size in dict.fromkeys(each.quantity.parameters.get("size", "") for _, each in values if _is(each, BOLUS_SPEED)):
        own = [(of, each) for of, each in values if each.quantity.parameters.get("size", "") == size]
        silent = {of for of, each in own if _is(each, BOLUS_UNALARMED) and each.value}
        every = [(of, each) for of, each in own if _is(each, BOLUS_SPEED)]
        # Without an alarm the record holds for how long one was waited for, which is no time to an alarm.
        heard = [each for of, each in every if of not in silent]
        released = max(
            (each for _, each in own if _is(each, BOLUS_RELEASED)), key=lambda each: each.value, default=None
        )
        rows.append(
            (
                f"bolus of {size}{f', {speed}' if speed else ''}",
                _count(len(every), len(heard)),
                *_times(
                    [each.value for each in heard], max((each.expanded_uncertainty for each in heard), default=0.0)
                ),
                NONE,  # what is missing of such a bolus is no quantity of its own
                with_unit(released.value, released.expanded_uncertainty, released.unit) if released else NONE,
            )
        )
    return rows


def _is(each: Valued, kind: str) -> bool:
    return each.quantity.kind == kind
