"""Persons who lived the same days on two controllers: who pairs with whom, and what a report says of them.

Not responsible for the numbers (`rig.patient.cohort_pairs`, `rig.patient.profile`), nor for single loops
(`reports.kinds.loop`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from reports.document import DocumentBlock, Figure, Paragraph, TableBlock, TableColumn, TableRow, TextCell
from reports.glucose_profile import glucose_profile_curve, ranges_curve
from reports.words import NONE, quantity
from rig.patient.cohort_pairs import DAYS_FOR_GMI, LEAST_PAIRS, PairedMetric, WeighedLife, paired_metrics
from rig.patient.metrics import MG_PER_DL_PER_MMOL_PER_L
from rig.patient.profile import GlucoseProfile, glucose_profile
from rig.record.analyses import LoopNumbers

OPEN = "basal-bolus"
"""The controller that looks at no sensor: an open loop."""
NO_EFFICACY = (
    "A cohort on a bench shows how the pump executes what is asked of it, and what its execution does to these models. "
    "It shows nothing of the efficacy of a therapy: persons are test points of a model, compared with no "
    "patients."
)
Lives = Mapping[str, Sequence[LoopNumbers]]


@dataclass(frozen=True)
class PairedLoops:
    """The same persons on the same days, with two controllers; `diabetes` is the type of all of them."""

    diabetes: str
    before_controller: str
    after_controller: str
    before: Lives
    after: Lives

    @property
    def of(self) -> str:
        """Whose lives they are, in words."""
        persons, days = len(self.before), sum(len(each) for each in self.before.values())
        who = next(iter(self.before)) if persons == 1 else f"{persons} persons with {self.diabetes} diabetes"
        return f"{who}, {days} {'day' if days == 1 else 'days'} on each controller"


def loop_in_words(controller: str) -> str:
    """Name a controller with its kind of loop."""
    return f"open loop, {controller}" if controller == OPEN else f"closed loop, {controller}"


def paired_loops(loops: Iterable[LoopNumbers]) -> tuple[PairedLoops, ...]:
    """Find which loops pair: the same person, day, meals, sensor and disturbance, on another controller.

    The first controller that was met is held against each other one, the open loop before all.
    """
    same: dict[tuple[object, ...], dict[str, LoopNumbers]] = {}
    for each in loops:
        if each.person and each.seed is not None:
            done = (each.disturbed, each.carbs_g, each.announced_g, each.exercise_min, each.lost_from_min)
            day = (each.person, each.called, each.sensor, each.seed, *done)
            same.setdefault(day, {})[each.controller] = each
    found: dict[tuple[str, str, str], tuple[dict[str, list[LoopNumbers]], dict[str, list[LoopNumbers]]]] = {}
    for (person, *_), by_controller in same.items():
        first = OPEN if OPEN in by_controller else next(iter(by_controller))
        for other in by_controller:
            if other != first:
                before, after = found.setdefault((_diabetes(str(person)), first, other), ({}, {}))
                before.setdefault(str(person), []).append(by_controller[first])
                after.setdefault(str(person), []).append(by_controller[other])
    return tuple(PairedLoops(*key, before, after) for key, (before, after) in found.items())


def _diabetes(person: str) -> str:
    return person.partition(" no. ")[0]


def metrics_of(pairs: PairedLoops) -> tuple[PairedMetric, ...]:
    """Compute what differs between the two lives of each person."""
    return paired_metrics(*({person: [_weighed(day) for day in days] for person, days in lives.items()}
                            for lives in (pairs.before, pairs.after)))  # fmt: skip


def _weighed(loop: LoopNumbers) -> WeighedLife:
    return WeighedLife(
        np.arange(float(len(loop.glucose_mg_per_dl))), np.array(loop.glucose_mg_per_dl), np.array(loop.u_mg_per_dl),
        sum(loop.weighed_u), loop.u_weighed_u,
    )  # fmt: skip


def profiles_of(pairs: PairedLoops) -> Mapping[str, GlucoseProfile]:
    """Lay the days of all persons over the clock, for each controller."""
    return {
        loop_in_words(controller): glucose_profile(
            [(range(len(day.glucose_mg_per_dl)), day.glucose_mg_per_dl) for days in lives.values() for day in days]
        )
        for controller, lives in ((pairs.before_controller, pairs.before), (pairs.after_controller, pairs.after))
    }


def paired_blocks(pairs: PairedLoops) -> tuple[DocumentBlock, ...]:
    """Say and show what differs: a table of all metrics, the profiles, the bars, and each person."""
    before, after = loop_in_words(pairs.before_controller), loop_in_words(pairs.after_controller)
    metrics, profiles = metrics_of(pairs), profiles_of(pairs)
    drawn = (glucose_profile_curve(profiles, pairs.of), ranges_curve(profiles, pairs.of))
    return (
        Paragraph(
            "The same persons lived the same days with the same meals and noise of the sensor twice: on "
            f"{before}, and on {after}. Each had what the balance weighed. Glucose is that in plasma."
        ),
        _table(pairs, metrics),
        Paragraph(_caveats(pairs), about=True),
        *(Figure(each.name, each.caption, each.alt, curve=each) for each in drawn),
        _persons_table(pairs, metrics),
        Paragraph(NO_EFFICACY),
    )


def _table(pairs: PairedLoops, metrics: Sequence[PairedMetric]) -> TableBlock:
    before, after = loop_in_words(pairs.before_controller), loop_in_words(pairs.after_controller)
    enough = len(pairs.before) >= LEAST_PAIRS
    interval = ", 95 % interval over persons (bootstrap of pairs, BCa)" if enough else ""
    rows: list[TableRow] = []
    for each in metrics:
        found = each.difference
        rows.append(
            (
                f"{each.name} / {each.unit}" if each.unit else each.name,
                _number(float(np.mean(each.before)), each, signed=False),
                _number(float(np.mean(each.after)), each, signed=False),
                TextCell(_number(each.mean_difference, each), strong=True),
                NONE if found is None else f"{_number(found.low, each)} to {_number(found.high, each)}",
                _number(each.u, each, signed=False, more=1),
            )
        )
        if each.unit == "mg/dL":
            rows.append(_in_mmol(each))
    heads = ("Open", "Closed") if pairs.before_controller == OPEN else ("Before", "After")
    columns = (
        TableColumn("Mean of persons", share=1.0),
        *(TableColumn(title, "right") for title in (*heads, "Difference", "Interval", "± U")),
    )
    return TableBlock(
        f"Of {pairs.of}: {after}, less {before}{interval}. U is what the weighing leaves open of the mean difference "
        "(k = 2), as if it erred alike for all; it is not in the interval.",
        columns, tuple(rows),
    )  # fmt: skip


def _in_mmol(metric: PairedMetric) -> tuple[str | TextCell, ...]:
    def mmol(mg_per_dl: float, *, signed: bool = True, places: int = 2) -> str:
        return quantity(mg_per_dl / MG_PER_DL_PER_MMOL_PER_L, "", places, signed=signed)

    found = metric.difference
    return (
        f"{metric.name} / (mmol/L)",
        mmol(float(np.mean(metric.before)), signed=False),
        mmol(float(np.mean(metric.after)), signed=False),
        TextCell(mmol(metric.mean_difference), strong=True),
        NONE if found is None else f"{mmol(found.low)} to {mmol(found.high)}",
        mmol(metric.u, signed=False, places=3),
    )


def _number(value: float, metric: PairedMetric, *, signed: bool = True, more: int = 0) -> str:
    return quantity(value, "", metric.places + more, signed=signed)


def _caveats(pairs: PairedLoops) -> str:
    minutes = min(
        sum(len(day.weighed_u) for day in days) for lives in (pairs.before, pairs.after) for days in lives.values()
    )
    few = f" Fewer than {LEAST_PAIRS} persons have no interval." if len(pairs.before) < LEAST_PAIRS else ""
    short = (
        f" GMI is meant for {DAYS_FOR_GMI:.0f} days or more, and each person has {minutes / 60.0:.0f} h on a "
        "controller: here it is the mean glucose in another unit, and no A1C."
        if minutes < DAYS_FOR_GMI * 1440.0
        else ""
    )
    return (
        "LBGI and HBGI are Kovatchev's risk indices of low and high glucose. Neither the model's uncertainty nor a "
        f"person's own is in any of these numbers.{short}{few}"
    )


SHOWN_OF_PERSONS = (
    "time below 70 mg/dL", "time in range, 70 to 180 mg/dL", "mean glucose", "LBGI", "HBGI", "weighed insulin",
)  # fmt: skip


def _persons_table(pairs: PairedLoops, metrics: Sequence[PairedMetric]) -> TableBlock:
    shown = [each for name in SHOWN_OF_PERSONS for each in metrics if each.name == name]
    heads = {"time below 70 mg/dL": "< 70 / %", "time in range, 70 to 180 mg/dL": "In range / %",
             "mean glucose": "Mean / (mg/dL)", "weighed insulin": "Insulin / U"}  # fmt: skip
    rows = tuple(
        (
            person,
            *(
                f"{_number(each.before[place], each, signed=False)} → {_number(each.after[place], each, signed=False)}"
                for each in shown
            ),
        )
        for place, person in enumerate(pairs.before)
    )
    columns = (
        TableColumn("Person", share=1.0),
        *(TableColumn(heads.get(each.name, each.name), "right") for each in shown),
    )
    caption = f"Each person: {loop_in_words(pairs.before_controller)} → {loop_in_words(pairs.after_controller)}."
    return TableBlock(caption, columns, rows, dense=True)
