"""Runs go into a store, each whole or not at all, and each once.

Not responsible for reading a run (`taking`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from sqlalchemy import Connection, Engine, insert, select
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, InterfaceError, OperationalError, SQLAlchemyError

from rig.clock import Clock
from rig.errors import EvidenceError
from rig.record.folder import holds_a_run
from rig.store.opening import StoreError, store_shown, why
from rig.store.tables import ATTEMPTS, BENCH_FACTS, INSTRUMENTS, JUDGEMENTS, RUNS, VALUES, VERDICTS
from rig.store.taking import AlteredRunError, RunRows, take_run

TRIES = 20
"""How often runs are tried again when the server went away; half a second apart."""
TRY_AGAIN_S = 0.5
AT_ONCE = 20_000
"""So many rows go in with one transaction: the disk is waited for once, and each page of an index written once."""


class Added(Enum):
    """What became of a run."""

    NEW = "added"
    THERE = "was there"
    ANOTHER = "not added"
    DAMAGED = "cannot be read"
    ALTERED = "altered"


@dataclass(frozen=True)
class Addition:
    """A folder, what became of it, and why it was not added."""

    folder: Path
    became: Added
    why: str = ""


def run_folders(path: Path) -> Iterator[Path]:
    """Find the runs that a path means: itself, or all below it; nothing inside a run is looked at."""
    if holds_a_run(path) or (path / "manifest.json").is_file():
        yield path
        return
    for each in sorted(path.iterdir()):
        if each.is_dir() and not each.is_symlink():
            yield from run_folders(each)


def add_run(engine: Engine, folder: Path, clock: Clock) -> Addition:
    """Add one run, as `add_runs` does."""
    (added,) = add_runs(engine, [folder], clock)
    return added


def add_runs(engine: Engine, folders: Iterable[Path], clock: Clock) -> Iterator[Addition]:
    """Add runs, many in one transaction; a server that goes away meanwhile is waited for.

    What cannot be taken from its folder is told at once, the others when they are in the store.

    Raises:
        StoreError: the store cannot be written.
    """
    together: list[RunRows] = []
    for folder in folders:
        try:
            together.append(take_run(folder))
        except AlteredRunError as error:
            yield Addition(folder, Added.ALTERED, str(error))
        except EvidenceError as error:
            yield Addition(folder, Added.DAMAGED, str(error))
        if sum(rows.size for rows in together) >= AT_ONCE:
            yield from put_runs(engine, together, clock)
            together.clear()
    yield from put_runs(engine, together, clock)


def put_runs(engine: Engine, runs: Sequence[RunRows], clock: Clock) -> list[Addition]:
    """Put runs in with one transaction; where the store takes one of them never, the others go in without it.

    Raises:
        StoreError: the store cannot be written.
    """
    tried: set[str] = set()
    for attempt in range(TRIES):
        try:
            return _put_once(engine, runs, tried)
        except (DataError, IntegrityError, ValueError) as error:
            if len(runs) > 1:
                return [added for rows in runs for added in put_runs(engine, [rows], clock)]
            if not attempt and isinstance(error, IntegrityError):
                continue  # somebody else added it meanwhile
            said = why(error) if isinstance(error, SQLAlchemyError) else str(error)
            folder = runs[0].folder
            return [Addition(folder, Added.DAMAGED, f"{folder}: the store cannot hold it: {said}")]
        except SQLAlchemyError as error:
            if not _gone(engine, error) or attempt == TRIES - 1:
                first = f"{runs[0].folder}{f' and {len(runs) - 1} more' if len(runs) > 1 else ''}"
                raise StoreError(f"{store_shown(engine.url)}: {first} cannot be added: {why(error)}") from error
            clock.sleep(TRY_AGAIN_S)
    raise AssertionError("every try ends above")


def _put_once(engine: Engine, runs: Sequence[RunRows], tried: set[str]) -> list[Addition]:
    """Put all of them in or none; those `tried` before, whose answer was lost, may be there, and are new still."""
    if not runs:
        return []
    with engine.begin() as connection:
        found = []
        for rows in runs:
            there = _there(connection, rows)
            if there is None:
                tried.add(rows.head)
                _insert(connection, rows)
            elif there.became is Added.THERE and rows.head in tried:
                there = None
            found.append(there or Addition(rows.folder, Added.NEW))
    return found


def _insert(connection: Connection, rows: RunRows) -> None:
    run = connection.scalar(insert(RUNS).returning(RUNS.c.run), rows.run)
    for table, content in (
        (INSTRUMENTS, rows.instruments), (ATTEMPTS, rows.attempts), (VERDICTS, rows.verdicts), (VALUES, rows.values),
        (JUDGEMENTS, rows.judgements), (BENCH_FACTS, rows.bench_facts),
    ):  # fmt: skip
        if content:
            connection.execute(insert(table), [{"run": run, **row} for row in content])


def _there(connection: Connection, rows: RunRows) -> Addition | None:
    """Say that a run is there already, or another of its name."""
    run = connection.execute(select(RUNS.c.head, RUNS.c.folder).where(RUNS.c.run_id == rows.run_id)).one_or_none()
    if run is None:
        return None
    if run.head == rows.head:
        return Addition(rows.folder, Added.THERE)
    return Addition(
        rows.folder, Added.ANOTHER,
        f"{rows.folder}: run {rows.run_id} is in the store, from {run.folder}, with the head {run.head[:12]}, and this "
        f"one has {rows.head[:12]}; two different records of one name: find out which is the run's",
    )  # fmt: skip


def _gone(engine: Engine, error: SQLAlchemyError) -> bool:
    """Is a server away for now, as one that restarts is? A file of SQLite is not a server."""
    if engine.dialect.name == "sqlite" or not isinstance(error, DBAPIError):
        return False
    return error.connection_invalidated or isinstance(error, OperationalError | InterfaceError)
