"""Where a store is, and opening it: a file of SQLite, or a database by its URL.

Not responsible for what it holds. A password in a URL is never repeated.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine, create_engine, event, insert, inspect, select
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DataError, DBAPIError, NoSuchModuleError, SQLAlchemyError

from rig.errors import BenchFileError, RigError
from rig.store.tables import METADATA, STORE, VERSION

VARIABLE = "RIG_STORE"
DEFAULT = "store.sqlite"
CACHE_KIB = 65_536
"""So much of a file is kept in memory: what one transaction changes, at least."""
PATIENCE_S = 60.0
"""So long whoever writes to a file waits for another who does."""


class StoreError(RigError):
    """The store cannot be opened, read or written."""


def store_named(given: str | None) -> str:
    """Choose a store: what was given, else what RIG_STORE says, else `store.sqlite` in this folder."""
    return given or os.environ.get(VARIABLE) or DEFAULT


@contextmanager
def open_store(named: str, *, make: bool) -> Iterator[Engine]:
    """Open a store, and close all its connections afterwards, however that ends.

    Args:
        named: a file, or a URL such as postgresql+psycopg://rig@server/runs.
        make: make it where it is not there yet.

    Raises:
        BenchFileError: it is named wrongly, or not there.
        StoreError: it cannot be opened, is no store, or one of another version.
    """
    url = _url(named)
    sqlite = url.get_backend_name() == "sqlite"
    if sqlite:
        if url.database in (None, "", ":memory:"):
            raise BenchFileError(f"{named}: is no file: a store has to last; name a file, or a database by its URL")
        if not make and not _is_file(str(url.database)):
            raise BenchFileError(f"{named}: there is no such store; rig store add makes one")
    try:
        engine = create_engine(url, pool_pre_ping=True, connect_args={"timeout": PATIENCE_S} if sqlite else {})
    except (NoSuchModuleError, ModuleNotFoundError) as error:
        raise BenchFileError(
            f"{store_shown(url)}: no driver for {url.drivername} is installed; PostgreSQL needs the extra [postgresql]"
        ) from error
    if sqlite:
        _sqlite_begins(engine, "BEGIN IMMEDIATE" if make else "BEGIN")
    try:
        try:
            _begin(engine, store_shown(url), make=make)
        except SQLAlchemyError as error:
            raise StoreError(f"{store_shown(url)}: cannot be opened as a store: {why(error)}") from error
        yield engine
    finally:
        engine.dispose()


@contextmanager
def asking(engine: Engine) -> Iterator[Connection]:
    """Ask a store; StoreError where it does not answer, BenchFileError where no database could be asked so."""
    try:
        with engine.connect() as connection:
            yield connection
    except (UnicodeError, OverflowError, DataError) as error:
        said = why(error) if isinstance(error, DataError) else str(error)
        raise BenchFileError(f"{store_shown(engine.url)}: cannot be asked so: {said}") from error
    except SQLAlchemyError as error:
        raise StoreError(f"{store_shown(engine.url)}: cannot be read: {why(error)}") from error


def store_shown(url: URL) -> str:
    """Name a store without its password, which may also stand behind a question mark; a file by its path."""
    if url.get_backend_name() == "sqlite":
        return str(url.database)
    return url.set(query={}).render_as_string(hide_password=True)


def why(error: SQLAlchemyError) -> str:
    """Say in one line what a database said."""
    said = str(getattr(error, "orig", None) or error)
    return " ".join(said.split())


def _is_file(name: str) -> bool:
    try:
        return Path(name).is_file()
    except OSError:  # such as too long a name
        return False


def _url(named: str) -> URL:
    if "://" not in named:
        return URL.create("sqlite", database=named)
    try:
        url = make_url(named)
    except (ArgumentError, ValueError) as error:
        raise BenchFileError("a store is a file or a URL such as postgresql+psycopg://rig@server/runs") from error
    if "@" in (url.host or ""):  # the rest of a password
        raise BenchFileError("the URL of the store has several @; one in a password is written %40")
    if url.drivername in ("postgresql", "postgres"):
        url = url.set(drivername="postgresql+psycopg")
    return url


def _begin(engine: Engine, name: str, *, make: bool) -> None:
    """Make the tables of a new store, all or none; refuse a database that holds something else, or another version."""
    there = _tables(engine)
    if not there and make:
        try:
            with engine.begin() as connection:
                METADATA.create_all(connection)
                connection.execute(insert(STORE).values(version=VERSION))
        except DBAPIError:
            if not _tables(engine):  # nor did somebody else make it meanwhile
                raise
    elif not there:
        raise BenchFileError(f"{name}: is empty; rig store add makes a store of it")
    elif STORE.name not in there:
        raise StoreError(f"{name}: is a database that holds something else, and no store of runs")
    with engine.connect() as connection:
        versions = list(connection.scalars(select(STORE.c.version)))
    if versions != [VERSION]:
        raise StoreError(
            f"{name}: is a store of version {', '.join(map(str, versions)) or 'none'}, and this rig's is {VERSION}; "
            "make a new one from the runs with rig store add"
        )


def _tables(engine: Engine) -> set[str]:
    with engine.connect() as connection:
        return set(inspect(connection).get_table_names())


def _sqlite_begins(engine: Engine, begin: str) -> None:
    """Have SQLite begin transactions when asked to, which Python's module puts off until a row is written."""

    def connected(connection: sqlite3.Connection, _: object) -> None:
        connection.isolation_level = None
        connection.execute("PRAGMA foreign_keys=ON")
        connection.execute(f"PRAGMA cache_size=-{CACHE_KIB}")

    event.listen(engine, "connect", connected)
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql(begin))
