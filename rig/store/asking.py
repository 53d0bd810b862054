"""Questions to a store: what was ever measured on a pump or with an instrument, and a quantity over the runs.

Not responsible for printing.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Engine, Select, select

from rig.errors import BenchFileError
from rig.store.opening import asking
from rig.store.tables import BENCH_FACTS, INSTRUMENTS, JUDGEMENTS, RUNS, VALUES, VERDICTS

LEAST_OF_HASH = 8
"""So many digits of a firmware's hash name it."""


@dataclass(frozen=True)
class StoredValue:
    """A value of a run, the requirement that judged it, if any, and what it was measured on."""

    started_utc: str
    run_id: str
    head: str
    simulated: bool
    pump_serial: str | None
    pump_firmware: str | None
    test: str
    attempt: int
    name: str
    unit: str
    value: float
    expanded_uncertainty: float | None
    requirement: str | None
    low: float | None
    high: float | None
    verdict: str | None


def stored_history(
    engine: Engine, *, pump: str | None = None, requirement: str | None = None, instrument: str | None = None
) -> list[StoredValue]:
    """List what was measured, oldest first; of a pump, for a requirement, with an instrument, by serial number.

    Raises:
        BenchFileError: the store knows no such pump, requirement or instrument.
        StoreError: it does not answer.
    """
    with asking(engine) as connection:
        for column, wanted in (
            (RUNS.c.pump_serial, pump), (VERDICTS.c.requirement, requirement),
            (INSTRUMENTS.c.serial_number, instrument),
        ):  # fmt: skip
            if wanted is not None:
                _refuse_unknown(wanted, column.name, list(connection.scalars(select(column).distinct())))
        question = _measured()
        if pump is not None:
            question = question.where(RUNS.c.pump_serial == pump)
        if requirement is not None:
            question = question.where(JUDGEMENTS.c.requirement == requirement)
        if instrument is not None:
            with_it = select(INSTRUMENTS.c.head).where(INSTRUMENTS.c.serial_number == instrument)
            question = question.where(RUNS.c.head.in_(with_it))
        return [StoredValue(*row) for row in connection.execute(question)]


@dataclass(frozen=True)
class Point:
    """A value of a quantity in a run."""

    started_utc: str
    run_id: str
    simulated: bool
    of: str
    value: float
    unit: str


def stored_trend(
    engine: Engine, quantity: str, *, pump: str | None = None, simulated: bool | None = None
) -> list[Point]:
    """List a quantity over the runs, oldest first: of pumps, or of the bench, such as "flow in the opening blank run".

    Of several values in a run, each counts. Simulated runs and real ones are never mixed: where the store holds both,
    `simulated` has to say which.

    Raises:
        BenchFileError: the store knows no such quantity, or holds it of simulated and real runs.
    """
    with asking(engine) as connection:
        known = [*connection.scalars(select(VALUES.c.name).distinct()),
                 *connection.scalars(select(BENCH_FACTS.c.what).distinct())]  # fmt: skip
        _refuse_unknown(quantity, "quantity", known)
        points: list[Point] = []
        for table, name, of in (
            (VALUES, VALUES.c.name, RUNS.c.pump_serial), (BENCH_FACTS, BENCH_FACTS.c.what, RUNS.c.bench),
        ):  # fmt: skip
            question = (
                select(RUNS.c.started_utc, RUNS.c.run_id, RUNS.c.simulated, of, table.c.value, table.c.unit)
                .join(RUNS, RUNS.c.head == table.c.head)
                .where(name == quantity)
                .order_by(RUNS.c.started_utc, RUNS.c.run_id, table.c.n)
            )
            if pump is not None:
                question = question.where(RUNS.c.pump_serial == pump)
            if simulated is not None:
                question = question.where(RUNS.c.simulated == simulated)
            points.extend(Point(row[0], row[1], row[2], row[3] or "unknown", row[4], row[5]) for row in
                          connection.execute(question))  # fmt: skip
    if len({point.simulated for point in points}) > 1:
        raise BenchFileError(
            f"{quantity!r} was measured in simulated and in real runs, which are never mixed; say --simulated or --real"
        )
    if len({point.unit for point in points}) > 1:
        raise BenchFileError(f"{quantity!r} was measured in {', '.join(sorted({p.unit for p in points}))}: no trend")
    return points


def verdicts(engine: Engine, firmware: str) -> list[tuple[str, str, str]]:
    """List run, requirement and verdict of all runs of a firmware, by its version or the beginning of its hash."""
    with asking(engine) as connection:
        rows = connection.execute(
            select(VERDICTS.c.head, VERDICTS.c.requirement, VERDICTS.c.verdict)
            .join(RUNS, RUNS.c.head == VERDICTS.c.head)
            .where(_of_firmware(firmware), VERDICTS.c.in_scope)
        )
        return [(row[0], row[1], row[2]) for row in rows]


def values_of_firmware(engine: Engine, firmware: str) -> list[StoredValue]:
    """List what was measured on a firmware, by its version or the beginning of its hash; each value once.

    Raises:
        BenchFileError: the store knows no such firmware.
    """
    with asking(engine) as connection:
        rows = connection.execute(select(RUNS.c.pump_firmware, RUNS.c.firmware_sha256).distinct())
        known = sorted({each for row in rows for each in row if each})
        if not any(
            each == firmware or (len(firmware) >= LEAST_OF_HASH and each.startswith(firmware)) for each in known
        ):
            _refuse_unknown(firmware, "firmware", known)
        found = [StoredValue(*row) for row in connection.execute(_measured().where(_of_firmware(firmware)))]
    return list(
        {(each.head, each.test, each.attempt, each.name, each.unit, each.value): each for each in found}.values()
    )


def _of_firmware(firmware: str) -> ColumnElement[bool]:
    by_version = RUNS.c.pump_firmware == firmware
    by_hash = RUNS.c.firmware_sha256.startswith(firmware, autoescape=True)
    return by_version | by_hash if len(firmware) >= LEAST_OF_HASH else by_version


def _measured() -> Select[Any]:
    return (
        select(
            RUNS.c.started_utc, RUNS.c.run_id, RUNS.c.head, RUNS.c.simulated, RUNS.c.pump_serial, RUNS.c.pump_firmware,
            VALUES.c.test, VALUES.c.attempt, VALUES.c.name, VALUES.c.unit, VALUES.c.value,
            VALUES.c.expanded_uncertainty, JUDGEMENTS.c.requirement, JUDGEMENTS.c.low, JUDGEMENTS.c.high,
            JUDGEMENTS.c.verdict,
        )
        .select_from(VALUES)
        .join(RUNS, RUNS.c.head == VALUES.c.head)
        .outerjoin(JUDGEMENTS, (JUDGEMENTS.c.head == VALUES.c.head) & (JUDGEMENTS.c.n == VALUES.c.n))
        .order_by(RUNS.c.started_utc, RUNS.c.run_id, VALUES.c.n, JUDGEMENTS.c.requirement)
    )  # fmt: skip


def _refuse_unknown(wanted: str, what: str, known: list[str]) -> None:
    if wanted in known:
        return
    near = difflib.get_close_matches(wanted, [each for each in known if each], n=3, cutoff=0.4)
    hint = f"; near to it: {', '.join(near)}" if near else ""
    raise BenchFileError(f"the store knows no {what.replace('_', ' ')} {wanted!r}{hint}")
