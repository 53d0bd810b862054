"""Where a store is, and opening it: a file of SQLite, or a database by its URL.

Not responsible for what it holds. A password in a URL is never repeated.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine, create_engine, event, insert, inspect, select
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, IntegrityError, NoSuchModuleError, SQLAlchemyError

from rig.errors import BenchFileError, RigError
from rig.store.tables import METADATA, STORE, VERSION

VARIABLE = "RIG_STORE"
DEFAULT = "store.sqlite"


class StoreError(RigError):
    """The store cannot be opened, read or written."""


def store_named(given: str | None) -> str:
    """Choose a store: what was given, else what RIG_STORE says, else `store.sqlite` in this folder."""
    return given or os.environ.get(VARIABLE) or DEFAULT


def open_store(named: str, *, make: bool) -> Engine:
    """Open a store.

    Args:
        named: a file, or a URL such as postgresql+psycopg://rig@server/runs.
        make: make it where it is not there yet.

    Raises:
        BenchFileError: it is named wrongly, or not there.
        StoreError: it cannot be opened, is no store, or one of another version.
    """
    url = _url(named)
    if url.get_backend_name() == "sqlite" and not make and not Path(url.database or "").is_file():
        raise BenchFileError(f"{named}: there is no such store; rig store add makes one")
    try:
        engine = create_engine(url, pool_pre_ping=True)
    except (NoSuchModuleError, ModuleNotFoundError) as error:
        raise BenchFileError(
            f"{store_shown(url)}: no driver for {url.drivername} is installed; PostgreSQL needs the extra [postgresql]"
        ) from error
    if url.get_backend_name() == "sqlite":
        event.listen(engine, "connect", _keep_foreign_keys)
    try:
        _begin(engine, store_shown(url), make=make)
    except SQLAlchemyError as error:
        raise StoreError(f"{store_shown(url)}: cannot be opened as a store: {why(error)}") from error
    return engine


@contextmanager
def asking(engine: Engine) -> Iterator[Connection]:
    """Ask a store; StoreError where it does not answer."""
    try:
        with engine.connect() as connection:
            yield connection
    except SQLAlchemyError as error:
        raise StoreError(f"{store_shown(engine.url)}: cannot be read: {why(error)}") from error


def store_shown(url: URL) -> str:
    """Name a store without its password; a file by its path."""
    if url.get_backend_name() == "sqlite":
        return str(url.database)
    return url.render_as_string(hide_password=True)


def why(error: SQLAlchemyError) -> str:
    """Say in one line what a database said."""
    said = str(getattr(error, "orig", None) or error)
    return " ".join(said.split())


def _url(named: str) -> URL:
    if "://" not in named:
        return URL.create("sqlite", database=named)
    try:
        url = make_url(named)
    except (ArgumentError, ValueError) as error:
        raise BenchFileError("a store is a file or a URL such as postgresql+psycopg://rig@server/runs") from error
    if url.drivername in ("postgresql", "postgres"):
        url = url.set(drivername="postgresql+psycopg")
    return url


def _begin(engine: Engine, name: str, *, make: bool) -> None:
    """Make the tables of a new store; refuse a database that holds something else, or another version."""
    with engine.connect() as connection:
        there = set(inspect(connection).get_table_names())
    if not there and make:
        try:
            with engine.begin() as connection:
                METADATA.create_all(connection)
                connection.execute(insert(STORE).values(version=VERSION))
        except IntegrityError:  # somebody made it meanwhile
            pass
    elif "store" not in there:
        raise StoreError(f"{name}: is a database that holds something else, and no store of runs")
    with engine.connect() as connection:
        versions = list(connection.scalars(select(STORE.c.version)))
    if versions != [VERSION]:
        raise StoreError(
            f"{name}: is a store of version {', '.join(map(str, versions)) or 'none'}, and this rig's is {VERSION}; "
            "make a new one from the runs with rig store add"
        )


def _keep_foreign_keys(connection: object, _: object) -> None:
    connection.execute("PRAGMA foreign_keys=ON")  # type: ignore[attr-defined] # a connection of sqlite3
