"""Which quantities of a run are out of control beside the runs before it: the rules of Nelson that its values meet.

A trend is no verdict, and one of many charts is out of control on some night by chance. Not responsible for the charts
(`rig.analysis.control_chart`), nor for which values make one series (`rig.store.trending`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from sqlalchemy import Engine, select

from rig.analysis.control_chart import LEAST_BASELINE, RULES, control_chart
from rig.errors import BenchFileError
from rig.store.opening import asking
from rig.store.tables import BENCH_FACTS, INSTRUMENTS, RUNS, VALUES
from rig.store.trending import Point, TrendOf, stored_trend

BASELINE = 20
"""So many of the first values give centre and sigma, or all where there are fewer: as `rig trend` has it."""
LEAST_NIGHTS = LEAST_BASELINE + 1
"""Runs that a chart needs: a baseline, and a value that is held against it."""
ONLY_OF_SPREAD = (7, 8)
"""Rules about values near to the centre or far from it, which say nothing where the baseline has no spread."""


@dataclass(frozen=True)
class BrokenRule:
    """A rule of Nelson that a run's value of a quantity meets: the value, centre and 3 sigma in `unit`."""

    quantity: str
    rule: int
    value: float
    centre: float
    three_sigma: float
    unit: str

    def __str__(self) -> str:
        """Say it in one line."""
        return (
            f"{self.quantity}: {self.value:.6g} {self.unit}, of {self.centre:.6g} ± {self.three_sigma:.2g}: rule "
            f"{self.rule}, {RULES[self.rule]}"
        )


@dataclass(frozen=True)
class RunTrends:
    """How many quantities of a run were charted, which rules its values meet, and why some have no chart."""

    charted: int
    broken: tuple[BrokenRule, ...]
    too_few: int
    uncharted: tuple[str, ...]


def run_trends(engine: Engine, run_id: str) -> RunTrends:
    """Chart every quantity that a run measured, and every fact of its bench, over the runs of its kind up to it.

    Raises:
        StoreError: the store does not answer.
    """
    charted, too_few = 0, 0
    broken: list[BrokenRule] = []
    uncharted: list[str] = []
    for quantity, of in _series_of(engine, run_id).items():
        try:
            points = _up_to(stored_trend(engine, quantity, of), run_id)
        except BenchFileError as error:  # several kinds of runs, which are never mixed
            uncharted.append(str(error))
            continue
        if len({point.run_id for point in points}) < LEAST_NIGHTS:
            too_few += 1
            continue
        charted += 1
        broken += _broken(quantity, points, run_id)
    return RunTrends(charted, tuple(sorted(broken, key=lambda each: (each.rule, each.quantity))), too_few,
                     tuple(uncharted))  # fmt: skip


def _up_to(points: list[Point], run_id: str) -> list[Point]:
    """Leave out what was measured after a run, which may have been added later."""
    last = max(at for at, point in enumerate(points) if point.run_id == run_id)
    return points[: last + 1]


def _broken(quantity: str, points: list[Point], run_id: str) -> list[BrokenRule]:
    before = sum(point.run_id != run_id for point in points)
    chart = control_chart([point.value for point in points], min(BASELINE, before))
    return [
        BrokenRule(quantity, each.rule, points[each.at].value, chart.centre, 3.0 * chart.sigma, points[each.at].unit)
        for each in chart.found
        if points[each.at].run_id == run_id and (chart.sigma or each.rule not in ONLY_OF_SPREAD)
    ]


def _series_of(engine: Engine, run_id: str) -> dict[str, TrendOf]:
    """List what a run has a value of, each with the kind of runs among which it is charted."""
    with asking(engine) as connection:
        run = connection.execute(select(RUNS).where(RUNS.c.run_id == run_id)).one()
        names = connection.scalars(select(VALUES.c.name).where(VALUES.c.run == run.run).distinct()).all()
        facts = connection.execute(
            select(BENCH_FACTS.c.what, BENCH_FACTS.c.role, BENCH_FACTS.c.test).where(BENCH_FACTS.c.run == run.run)
        ).all()
        asked = select(INSTRUMENTS.c.role, INSTRUMENTS.c.serial_number).where(INSTRUMENTS.c.run == run.run)
        used = {row.role: row.serial_number for row in connection.execute(asked)}
    of_bench = TrendOf(simulated=run.simulated, bench=run.bench)
    of_test = replace(of_bench, condition=run.condition, plan=run.plan)
    of_pump = replace(of_test, model=run.pump_model, instruments=tuple(used.values()))
    found = dict.fromkeys(names, of_pump)
    for fact in facts:
        of = of_bench if fact.test is None else of_test
        found[fact.what] = replace(of, instruments=(used[fact.role],) if fact.role in used else ())
    return found
