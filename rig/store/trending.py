"""A quantity over the runs of a store: of pumps, or of the bench. What differs in kind is never one series.

Not responsible for limits and rules (`rig.analysis.control_chart`), nor for printing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from sqlalchemy import Connection, Engine, case, select

from rig.errors import BenchFileError
from rig.store.asking import AT_ONCE, not_resumed, unknown_name
from rig.store.opening import asking
from rig.store.tables import BENCH_FACTS, INSTRUMENTS, RUNS, VALUES


@dataclass(frozen=True)
class Point:
    """A value of a quantity in a run, and what it was measured on and under; None for what is of no matter to it."""

    started_utc: str
    run_id: str
    simulated: bool
    bench: str
    condition: str | None
    plan: str | None
    plan_sha256: str | None
    pump_model: str | None
    pump: str | None
    instruments: Mapping[str, str]
    value: float
    unit: str


@dataclass(frozen=True)
class TrendOf:
    """Which of a quantity's values are meant, where the store holds several kinds; None for what was not said."""

    simulated: bool | None = None
    bench: str | None = None
    condition: str | None = None
    plan: str | None = None
    model: str | None = None
    pump: str | None = None
    instruments: tuple[str, ...] = ()


def stored_trend(engine: Engine, quantity: str, series: TrendOf = TrendOf()) -> list[Point]:
    """List a quantity over the runs, oldest first. Of several values in a run, each counts.

    One series is of one bench, one serial number in each role of its instruments, one condition, one plan by its name
    and one model of pump, of simulated or of real runs.

    Raises:
        BenchFileError: the store holds no such quantity, or of several kinds of runs; with the choices.
        StoreError: it does not answer.
    """
    with asking(engine) as connection:
        points = [*_of_pumps(connection, quantity), *_of_bench(connection, quantity)]
        if not points:
            names = (VALUES.c.name, BENCH_FACTS.c.what)
            raise unknown_name("quantity", quantity, [each for name in names for each in
                                                 connection.scalars(select(name).distinct())])  # fmt: skip
    for kind in _KINDS:
        if (wanted := kind.wanted(series)) is not None:
            points = _only(points, quantity, kind, wanted)
    for serial in series.instruments:
        points = _only(points, quantity, _Kind("instruments", "--instrument", _nothing, _serials), serial)
    of_runs = list({point.run_id: point for point in points}.values())
    for kind in _KINDS:
        if kind.what != "pumps":
            _refuse_several(of_runs, quantity, kind)
    for role in sorted({role for point in of_runs for role in point.instruments}):
        _refuse_several(
            of_runs, quantity, _Kind(f"instruments as {role}", "--instrument", _nothing, partial(_of, role))
        )
    if len(units := {point.unit for point in points}) > 1:
        raise BenchFileError(f"{quantity!r} was measured in {', '.join(sorted(units))}: no trend")
    return sorted(points, key=lambda point: (point.started_utc, point.run_id))


@dataclass(frozen=True)
class _Kind:
    """What the values of one series have in common, the option that chooses it, and what was chosen."""

    what: str
    option: str
    wanted: Callable[[TrendOf], str | None]
    of: Callable[[Point], tuple[str, ...]]


def _told(name: str | None) -> tuple[str, ...]:
    return () if name is None else (name,)


def _real(simulated: bool | None) -> str | None:
    return None if simulated is None else "simulated" if simulated else "real"


def _serials(point: Point) -> tuple[str, ...]:
    return tuple(point.instruments.values())


def _of(role: str, point: Point) -> tuple[str, ...]:
    return _told(point.instruments.get(role))


def _nothing(_: TrendOf) -> None:
    return None


_KINDS = (
    _Kind("kinds of run", "--simulated or --real", lambda s: _real(s.simulated), lambda p: _told(_real(p.simulated))),
    _Kind("benches", "--bench", lambda s: s.bench, lambda p: _told(p.bench)),
    _Kind("conditions", "--condition", lambda s: s.condition, lambda p: _told(p.condition)),
    _Kind("plans", "--plan", lambda s: s.plan, lambda p: _told(p.plan)),
    _Kind("models of pump", "--model", lambda s: s.model, lambda p: _told(p.pump_model)),
    _Kind("pumps", "--pump", lambda s: s.pump, lambda p: _told(p.pump)),
)


def _only(points: Sequence[Point], quantity: str, kind: _Kind, wanted: str) -> list[Point]:
    found = [point for point in points if wanted in kind.of(point)]
    if not found:
        known = sorted({each for point in points for each in kind.of(point)})
        raise BenchFileError(
            f"{kind.option} {wanted!r}: the store holds no {quantity!r} of that kind; {kind.what} there: "
            + (", ".join(map(repr, known)) or "none")
        )
    return found


def _refuse_several(points: Sequence[Point], quantity: str, kind: _Kind) -> None:
    counts = Counter(each for point in points for each in kind.of(point))
    if len(counts) > 1:
        choices = ", ".join(f"{each!r} ({count} runs)" for each, count in sorted(counts.items()))
        raise BenchFileError(
            f"{quantity!r} was measured in several {kind.what}, which are never mixed: {choices}; say {kind.option}"
        )


def _of_pumps(connection: Connection, quantity: str) -> list[Point]:
    rows = connection.execute(
        select(
            RUNS.c.run, RUNS.c.started_utc, RUNS.c.run_id, RUNS.c.simulated, RUNS.c.bench, RUNS.c.condition,
            RUNS.c.plan, RUNS.c.plan_sha256, RUNS.c.pump_model, RUNS.c.pump_serial, VALUES.c.value, VALUES.c.unit,
        )
        .join(RUNS, RUNS.c.run == VALUES.c.run)
        .where(VALUES.c.name == quantity, not_resumed())
        .order_by(RUNS.c.started_utc, RUNS.c.run_id, VALUES.c.n)
    ).all()  # fmt: skip
    used = _instruments(connection, {row.run for row in rows})
    return [Point(*row[1:10], used.get(row.run, {}), row.value, row.unit) for row in rows]


def _of_bench(connection: Connection, quantity: str) -> list[Point]:
    """What a bench tells of itself before a run knows neither condition nor plan; of no test does it know the pump."""
    of_test = BENCH_FACTS.c.test.is_not(None)
    rows = connection.execute(
        select(
            RUNS.c.run, RUNS.c.started_utc, RUNS.c.run_id, RUNS.c.simulated, RUNS.c.bench,
            case((of_test, RUNS.c.condition)), case((of_test, RUNS.c.plan)), case((of_test, RUNS.c.plan_sha256)),
            BENCH_FACTS.c.value, BENCH_FACTS.c.unit, BENCH_FACTS.c.role,
        )
        .join(RUNS, RUNS.c.run == BENCH_FACTS.c.run)
        .where(BENCH_FACTS.c.what == quantity, not_resumed())
        .order_by(RUNS.c.started_utc, RUNS.c.run_id, BENCH_FACTS.c.n)
    ).all()  # fmt: skip
    used = _instruments(connection, {row.run for row in rows})
    return [
        Point(*row[1:8], None, None, _in_role(used.get(row.run, {}), row.role), row.value, row.unit) for row in rows
    ]


def _in_role(instruments: Mapping[str, str], role: str | None) -> Mapping[str, str]:
    return {each: serial for each, serial in instruments.items() if each == role}


def _instruments(connection: Connection, runs: set[int]) -> dict[int, dict[str, str]]:
    """The serial numbers of what each run measured with, by their roles."""
    found: dict[int, dict[str, str]] = {}
    asked = select(INSTRUMENTS.c.run, INSTRUMENTS.c.role, INSTRUMENTS.c.serial_number)
    wanted = sorted(runs)
    for start in range(0, len(wanted), AT_ONCE):
        for run, role, serial in connection.execute(
            asked.where(INSTRUMENTS.c.run.in_(wanted[start : start + AT_ONCE]))
        ):
            found.setdefault(run, {})[role] = serial
    return found
