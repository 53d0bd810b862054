"""Runs go into a store, each whole or not at all, and each once.

Not responsible for reading a run (`taking`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from sqlalchemy import Connection, Engine, insert, select
from sqlalchemy.exc import DBAPIError, IntegrityError, InterfaceError, OperationalError, SQLAlchemyError

from rig.clock import Clock
from rig.errors import EvidenceError
from rig.record.folder import holds_a_run
from rig.store.opening import StoreError, store_shown, why
from rig.store.tables import ATTEMPTS, BENCH_FACTS, INSTRUMENTS, JUDGEMENTS, RUNS, VALUES, VERDICTS
from rig.store.taking import AlteredRunError, RunRows, take_run

TRIES = 20
"""How often a run is tried again when the server went away; half a second apart."""
TRY_AGAIN_S = 0.5


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
    """Add one run in one transaction; a server that goes away meanwhile is waited for.

    Raises:
        StoreError: the store cannot be written.
    """
    try:
        rows = take_run(folder)
    except AlteredRunError as error:
        return Addition(folder, Added.ALTERED, str(error))
    except EvidenceError as error:
        return Addition(folder, Added.DAMAGED, str(error))
    for attempt in range(TRIES):
        try:
            added = _add(engine, folder, rows)
        except SQLAlchemyError as error:
            if not _gone(engine, error) or attempt == TRIES - 1:
                raise StoreError(f"{store_shown(engine.url)}: {folder} cannot be added: {why(error)}") from error
            clock.sleep(TRY_AGAIN_S)
        else:  # the answer to a first try may have been lost, though the run went in
            return Addition(folder, Added.NEW) if attempt and added.became is Added.THERE else added
    raise AssertionError("every try ends above")


def _add(engine: Engine, folder: Path, rows: RunRows) -> Addition:
    with engine.connect() as connection:
        if (found := _there(connection, folder, rows)) is not None:
            return found
    try:
        with engine.begin() as connection:
            connection.execute(insert(RUNS), rows.run)
            for table, content in (
                (INSTRUMENTS, rows.instruments), (ATTEMPTS, rows.attempts), (VERDICTS, rows.verdicts),
                (VALUES, rows.values), (JUDGEMENTS, rows.judgements), (BENCH_FACTS, rows.bench_facts),
            ):  # fmt: skip
                if content:
                    connection.execute(insert(table), content)
    except IntegrityError:  # somebody else added it meanwhile
        with engine.connect() as connection:
            if (found := _there(connection, folder, rows)) is not None:
                return found
        raise
    return Addition(folder, Added.NEW)


def _there(connection: Connection, folder: Path, rows: RunRows) -> Addition | None:
    """Say that a run is there already, or another of its name."""
    head = connection.scalar(select(RUNS.c.head).where(RUNS.c.run_id == rows.run_id))
    if head is None:
        return None
    if head == rows.head:
        return Addition(folder, Added.THERE)
    return Addition(
        folder, Added.ANOTHER,
        f"{folder}: run {rows.run_id} is in the store with the head {head[:12]}, and this one has {rows.head[:12]}; "
        "two different records of one name: find out which is the run's",
    )  # fmt: skip


def _gone(engine: Engine, error: SQLAlchemyError) -> bool:
    """Is a server away for now, as one that restarts is? A file of SQLite is not a server."""
    if engine.dialect.name == "sqlite" or not isinstance(error, DBAPIError):
        return False
    return error.connection_invalidated or isinstance(error, OperationalError | InterfaceError)
