"""Experiments with a virtual person on the pump: the lives of each drawn together, and their numbers side by side.

Not responsible for the numbers, which the record holds, nor for each life by itself, which stands in the annex.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from reports.document import AnyCell, DocumentBlock, Figure, Paragraph, Section, TableBlock, TableColumn
from reports.kinds.loop_arms import KETONES, SENSOR_HIGH_MG_PER_DL, arms_curve, sensor_high_h
from reports.parts.given import Given
from reports.words import NBSP, NONE, quantity, with_unit
from rig.patient.ketones import PUBLISHED_HOURS, hours_to_bhb
from rig.procedures import loop, loop_signs
from rig.record.analyses import LoopNumbers
from rig.record.models import MeasuredRecord
from rig.record.reading import TestAnalysis
from rig.record.results import JudgedRecord, ReportedRecord

ABOUT = (
    "What was weighed drove a virtual person; each life of an experiment differs from the others by what its name "
    "says. It shows what the pump's execution does to this model, and nothing of the efficacy of a therapy. U (k = 2) "
    "is what the weighing leaves open: neither the model nor the person is in it."
)
NEGLIGIBLE = 0.02
"""A share of what was commanded: less of it weighed is none, so that the line of ketones holds."""
CLINIC_HOURS = {300.0: f"5.8{NBSP}h (5 to 9)"}
"""To a level in mg/dL: the mean of studies, and their range (Klonoff 2024, doi 10.1177/19322968241280386)."""
COLUMNS = (
    ("Highest", loop.HIGHEST), ("Lowest", loop.LOWEST), ("70 to 180", loop.IN_RANGE), ("Above 180", loop.ABOVE),
    ("Below 70", loop.BELOW),
)  # fmt: skip

Valued = JudgedRecord | ReportedRecord


@dataclass(frozen=True)
class Arm:
    """One life of an experiment, and what was measured of it, by kind."""

    numbers: LoopNumbers
    values: dict[str, MeasuredRecord]

    def value(self, kind: str) -> str:
        """Write a value ± U with its unit; a dash where it was not measured."""
        found = self.values.get(kind)
        if found is None:
            return NONE
        return with_unit(found.value, found.expanded_uncertainty, found.quantity.unit)


def experiments(given: Given) -> tuple[Section, ...]:
    """Show each experiment of the run on a page; nothing where there is none."""
    results = given.run.results
    judged = [each for row in results.requirements for each in row.measurements]
    return sections_of(given.run.analyses, [*judged, *results.reported])


def sections_of(analyses: Iterable[TestAnalysis], values: Sequence[Valued]) -> tuple[Section, ...]:
    """Show each experiment among analyses on a page, with what was measured of each life."""
    found = _arms(analyses, values)
    if not found:
        return ()
    return (
        Section(1, "Experiments with a person on the pump", "experiments", (Paragraph(ABOUT),), new_page=True),
        *(
            Section(
                2,
                name[:1].upper() + name[1:],
                f"experiment-{number}",
                tuple(_page(number, name, arms)),
                together=True,
                new_page=number > 1,
            )
            for number, (name, arms) in enumerate(found.items(), start=1)
        ),
    )


def _arms(analyses: Iterable[TestAnalysis], values: Sequence[Valued]) -> dict[str, list[Arm]]:
    found: dict[str, list[Arm]] = {}
    for each in analyses:
        numbers = each.analysis
        if not isinstance(numbers, LoopNumbers) or numbers.experiment is None:
            continue
        own = {"person": numbers.person, "controller": numbers.controller, "called": numbers.called}
        measured = {
            one.quantity.kind: one
            for one in values
            if (one.test, one.attempt) == (each.test, each.attempt) and own.items() <= one.quantity.parameters.items()
        }
        found.setdefault(numbers.experiment, []).append(Arm(numbers, dict(measured)))
    return found


def _page(number: int, name: str, arms: Sequence[Arm]) -> list[DocumentBlock]:
    curve = arms_curve(name, [arm.numbers for arm in arms])
    blocks: list[DocumentBlock] = [
        Figure(f"experiment-{number}", curve.caption, curve.alt, curve=curve),
        TableBlock(
            "Glucose in plasma, ± U, and insulin weighed. A share of time without U is the same at both ends of U.",
            (
                TableColumn("", share=1.0),
                *(TableColumn(title, "right") for title, _ in COLUMNS),
                TableColumn("Weighed", "right"),
            ),
            tuple(_row(arm) for arm in arms),
        ),
    ]
    lost = [arm for arm in arms if arm.numbers.lost_from_min is not None]
    return [*blocks, *_signs(lost)] if lost else blocks


def _row(arm: Arm) -> tuple[AnyCell, ...]:
    weighed = quantity(sum(arm.numbers.weighed_u), "U", 2)
    return (arm.numbers.called, *(arm.value(kind.name) for _, kind in COLUMNS), weighed)


def _signs(lost: Sequence[Arm]) -> list[DocumentBlock]:
    """Tabulate what tells that the cannula is out, in hours since then, and what the clinic saw."""
    rows: list[tuple[AnyCell, ...]] = [
        ("Annunciated by the pump", *(_annunciated(arm) for arm in lost), ""),
        (f"Sensor at {SENSOR_HIGH_MG_PER_DL:.0f}{NBSP}mg/dL", *(_sensor_high(arm) for arm in lost), ""),
        ("Twice the basal rate commanded for 1 h", *(arm.value(loop_signs.SIGN.name) for arm in lost), ""),
        *(
            (
                f"Plasma at {level:.0f}{NBSP}mg/dL",
                *(arm.value(kind.name) for arm in lost),
                CLINIC_HOURS.get(level, ""),
            )
            for level, kind in loop_signs.TO_LEVEL.items()
        ),
        *(
            (f"Ketones up by {level:.1f}{NBSP}mmol/L", *(_ketones(arm, level) for arm in lost), _published(level))
            for level in KETONES
        ),
    ]
    columns = (
        TableColumn("Hours since the cannula came out", share=1.0),
        *(TableColumn(arm.numbers.called, "right") for arm in lost),
        TableColumn("Clinic", "right"),
    )
    return [
        TableBlock("What tells that the cannula is out, and when.", columns, tuple(rows)),
        Paragraph(
            "A dash: not before the end. Hours to a level are of this model and stand beside the clinic's; they do not "
            "replace them. Ketones are no model's: an empirical line (Klonoff 2024), 0.0038 mmol/L a minute after an "
            "hour without any insulin. Its 3.0 mmol/L is an extrapolation of studies of 5 to 9 h.",
            about=True,
        ),
    ]


def _annunciated(arm: Arm) -> str:
    found = arm.values.get(loop_signs.ALARMS.name)
    return NONE if found is None else "nothing" if found.value == 0.0 else f"{found.value:.0f}"


def _sensor_high(arm: Arm) -> str:
    after_h = sensor_high_h(arm.numbers)
    return NONE if after_h is None else quantity(after_h, "h", 1)


def _ketones(arm: Arm, level: float) -> str:
    """Write the hour of the empirical line; nothing is said where insulin arrives, or the loop ends before."""
    numbers, lost = arm.numbers, arm.numbers.lost_from_min or 0
    without = sum(numbers.weighed_u[lost:]) <= NEGLIGIBLE * sum(numbers.commanded_u[lost:])
    hours = hours_to_bhb(level)
    return quantity(hours, "h", 1) if without and hours <= (len(numbers.weighed_u) - lost) / 60.0 else NONE


def _published(level: float) -> str:
    hours = PUBLISHED_HOURS.get(level)
    return "" if hours is None else f"{hours[0]:.0f} to {hours[1]:.0f}{NBSP}h"
