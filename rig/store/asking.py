"""Questions to a store: what was ever measured on a pump, for a requirement or with an instrument, page by page.

A run that another one in the store goes on with is passed over: that one holds its tests, too. Not responsible for
printing, nor for charts (`trending`) and comparisons (`comparing`).
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, Engine, Select, and_, exists, literal, or_, select, tuple_

from rig.errors import BenchFileError
from rig.store.opening import asking
from rig.store.tables import INSTRUMENTS, JUDGEMENTS, RUNS, VALUES, VERDICTS

AT_ONCE = 1000
"""So many rows are fetched at a time."""


@dataclass(frozen=True)
class StoredValue:
    """A value of a run, the requirement that judged it, if any, and what it was measured on.

    `place` is what a page goes on after; a value that several requirements judged has a row for each, in one page.
    """

    place: str
    started_utc: str
    run_id: str
    head: str
    simulated: bool
    bench: str
    condition: str
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
    engine: Engine, *, pump: str | None = None, requirement: str | None = None, instrument: str | None = None,
    limit: int | None = None, after: str | None = None,
) -> Iterator[StoredValue]:  # fmt: skip
    """List what was measured, newest run first; of a pump, for a requirement, with an instrument, by serial number.

    Args:
        engine: the store.
        pump: its serial number.
        requirement: its id.
        instrument: its serial number.
        limit: so many values at most.
        after: the place of the last value of the page before.

    Raises:
        BenchFileError: the store knows no such pump, requirement, instrument or place.
        StoreError: it does not answer, also while the rows are fetched.
    """
    with asking(engine) as connection:
        page = select(VALUES.c.run, VALUES.c.n).join(RUNS, RUNS.c.run == VALUES.c.run).where(not_resumed())
        if pump is not None:
            _refuse_unknown(connection, RUNS.c.pump_serial, pump, "pump")
            page = page.where(RUNS.c.pump_serial == pump)
        if requirement is not None:
            _refuse_unknown(connection, VERDICTS.c.requirement, requirement, "requirement")
            judged = (JUDGEMENTS.c.run == VALUES.c.run) & (JUDGEMENTS.c.n == VALUES.c.n)
            page = page.join(JUDGEMENTS, judged).where(JUDGEMENTS.c.requirement == requirement)
        if instrument is not None:
            _refuse_unknown(connection, INSTRUMENTS.c.serial_number, instrument, "instrument")
            used = (INSTRUMENTS.c.serial_number == instrument) & (INSTRUMENTS.c.run == RUNS.c.run)
            page = page.where(exists().where(used))
        if after is not None:
            page = page.where(_after(connection, after))
    page = page.order_by(*_ORDER).limit(limit)
    return _fetched(engine, _measured(page, requirement))


def not_resumed() -> ColumnElement[bool]:
    """Leave out runs that another in the store goes on with."""
    later = RUNS.alias("later")
    return ~exists().where((later.c.resumes == RUNS.c.run_id) & (later.c.run != RUNS.c.run))


def _refuse_unknown(connection: Connection, column: Column[Any], wanted: str, what: str) -> None:
    """Refuse a name that the store does not know in a column; BenchFileError with those near to it."""
    if connection.scalar(select(column).where(column == wanted).limit(1)) is None:
        known = connection.scalars(select(column).where(column.is_not(None)).distinct())
        raise unknown_name(what, wanted, list(known))


def unknown_name(what: str, wanted: str, known: list[str]) -> BenchFileError:
    """Say that the store knows no such thing, and what is near to it."""
    near = difflib.get_close_matches(wanted, known, n=3, cutoff=0.4)
    hint = f"; near to it: {', '.join(near)}" if near else ""
    return BenchFileError(f"the store knows no {what} {wanted!r}{hint}")


_ORDER = (RUNS.c.started_utc.desc(), RUNS.c.run.desc(), VALUES.c.n)


def _after(connection: Connection, place: str) -> ColumnElement[bool]:
    run_id, _, n = place.rpartition(":")
    at = connection.execute(select(RUNS.c.run, RUNS.c.started_utc).where(RUNS.c.run_id == run_id)).one_or_none()
    if at is None or not (n.isascii() and n.isdecimal()):
        raise BenchFileError(f"the store knows no place {place!r}; a page tells at its end where the next one begins")
    not_newer = tuple_(RUNS.c.started_utc, RUNS.c.run) <= tuple_(literal(at.started_utc), literal(at.run))
    return and_(not_newer, or_(RUNS.c.run != at.run, VALUES.c.n > int(n)))


def _measured(page: Select[Any], requirement: str | None) -> Select[Any]:
    on = page.subquery("page")
    judged = (JUDGEMENTS.c.run == on.c.run) & (JUDGEMENTS.c.n == on.c.n)
    if requirement is not None:
        judged &= JUDGEMENTS.c.requirement == requirement
    return (
        select(
            RUNS.c.started_utc, RUNS.c.run_id, RUNS.c.head, RUNS.c.simulated, RUNS.c.bench, RUNS.c.condition,
            RUNS.c.pump_serial, RUNS.c.pump_firmware, VALUES.c.test, VALUES.c.attempt, VALUES.c.name, VALUES.c.unit,
            VALUES.c.value, VALUES.c.expanded_uncertainty, JUDGEMENTS.c.requirement, JUDGEMENTS.c.low,
            JUDGEMENTS.c.high, JUDGEMENTS.c.verdict, VALUES.c.n,
        )
        .select_from(on)
        .join(RUNS, RUNS.c.run == on.c.run)
        .join(VALUES, (VALUES.c.run == on.c.run) & (VALUES.c.n == on.c.n))
        .outerjoin(JUDGEMENTS, judged)
        .order_by(*_ORDER, JUDGEMENTS.c.requirement)
    )  # fmt: skip


def _fetched(engine: Engine, question: Select[Any]) -> Iterator[StoredValue]:
    with asking(engine) as connection:
        for row in connection.execution_options(yield_per=AT_ONCE).execute(question):
            *told, n = row
            yield StoredValue(f"{row.run_id}:{n}", *told)
