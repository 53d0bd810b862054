"""The store on a real PostgreSQL server: the same rows, and nothing lost or doubled when it is restarted meanwhile."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import func, select

from rig.clock import SimClock, WallClock
from rig.store.adding import Added, add_run
from rig.store.asking import stored_history
from rig.store.opening import open_store
from rig.store.tables import RUNS, VALUES
from rig.store.taking import CLOCK_RATE
from rig.store.trending import stored_trend
from suites.selftest.compared_runs import LARGEST, MEAN, TEST, stored_run

RUNS_ADDED = 60
SERVES = "postgres"
"""The user that Debian's package makes."""


@dataclass
class Server:
    """A server in a folder of its own, on a port of its own."""

    programs: Path
    folder: Path
    port: int

    @property
    def url(self) -> str:
        """By which a store is named."""
        return f"postgresql://postgres@127.0.0.1:{self.port}/postgres"

    @property
    def data(self) -> Path:
        """Its database's folder."""
        return self.folder / "data"

    def control(self, *words: str) -> None:
        """Start or stop it."""
        log = str(self.folder / "log")
        self.call("pg_ctl", "-D", str(self.data), "-w", "-t", "60", "-l", log, *words)

    def call(self, program: str, *words: str) -> None:
        """Call a program of PostgreSQL's as the user that it wants: never root."""
        done = subprocess.run(
            [str(self.programs / program), *words], check=False, cwd="/", stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT, user=SERVES if os.geteuid() == 0 else None,
        )  # fmt: skip
        if done.returncode:
            log = self.folder / "log"
            pytest.fail(f"{program} {' '.join(words)}: {log.read_text() if log.exists() else done.returncode}")


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """A running server with an empty database.

    Its folder is none of pytest's, which are for one user alone, and the server may have to run as another.
    """
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not programs:
        pytest.fail("PostgreSQL's server has to be installed: Debian's package postgresql")
    with tempfile.TemporaryDirectory() as folder, socket.create_server(("127.0.0.1", 0)) as free:
        running = Server(programs[-1].parent, Path(folder), free.getsockname()[1])
        free.close()
        if os.geteuid() == 0:
            shutil.chown(folder, SERVES)
        options = ["-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C", "--no-sync"]
        running.call("initdb", "-D", str(running.data), *options)
        (running.data / "postgresql.auto.conf").write_text(
            f"port = {running.port}\nlisten_addresses = '127.0.0.1'\nunix_socket_directories = ''\n"
        )
        running.control("start")
        try:
            yield running
        finally:
            running.control("stop", "-m", "immediate")


def _runs(folder: Path, count: int) -> list[Path]:
    return [
        stored_run(
            folder / f"run {n}", [(TEST, MEAN, 0.01 * n, 0.1), (TEST, LARGEST, 0.02 * n, 0.1)], run_id=f"run {n}"
        )
        for n in range(count)
    ]


def test_a_server_holds_what_a_file_holds(server: Server, old_run: Path, tmp_path: Path) -> None:
    clocked = stored_run(tmp_path / "clocked", [(TEST, MEAN, 0.5, 0.1)], run_id="clocked", clock_correction_ppm=-12.5)
    with open_store(server.url, make=True) as there, open_store(str(tmp_path / "runs.sqlite"), make=True) as here:
        for engine in (there, here):
            assert add_run(engine, old_run, SimClock()).became is Added.NEW
            assert add_run(engine, old_run, SimClock()).became is Added.THERE
            assert add_run(engine, clocked, SimClock()).became is Added.NEW
        whole = list(stored_history(here))
        assert list(stored_history(there)) == whole
        assert list(stored_history(there, after=whole[1].place)) == list(stored_history(here, after=whole[1].place))
        for quantity in (whole[0].name, CLOCK_RATE):
            assert stored_trend(there, quantity) == stored_trend(here, quantity)


def test_a_server_that_is_restarted_meanwhile_loses_and_doubles_nothing(server: Server, tmp_path: Path) -> None:
    runs = _runs(tmp_path, RUNS_ADDED)
    before, _ = _stored(server)
    command = [sys.executable, "-X", "dev", "-m", "rig", "store", "add", str(tmp_path), "--store", server.url]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as adding:
        try:
            clock = WallClock()
            while _stored(server)[0] < before + 5 and adding.poll() is None:
                clock.sleep(0.02)
            server.control("restart", "-m", "immediate")
            said, errors = adding.communicate(timeout=120)
        finally:
            adding.kill()
    assert (adding.returncode, errors) == (0, "")  # nor is a connection left open, of which -X dev would tell
    assert said.endswith(f"{len(runs)} added.\n")
    assert _stored(server) == (before + len(runs), 2 * len(runs))


def _stored(server: Server) -> tuple[int, int]:
    """How many runs a store holds, and how many values of those that this module wrote."""
    of_these = select(func.count()).select_from(VALUES.join(RUNS, RUNS.c.run == VALUES.c.run))
    with open_store(server.url, make=True) as engine, engine.connect() as connection:
        return (
            connection.scalar(select(func.count()).select_from(RUNS)) or 0,
            connection.scalar(of_these.where(RUNS.c.run_id.like("run %"))) or 0,
        )


def test_a_server_that_is_gone_is_told_in_one_sentence(server: Server) -> None:
    url = server.url.replace(f":{server.port}/", ":1/").replace("postgres@", "postgres:secret@")
    done = subprocess.run(
        [sys.executable, "-m", "rig", "history", "--store", url], capture_output=True, text=True, check=False
    )
    assert done.returncode == 3
    assert done.stderr.startswith("rig: postgresql+psycopg://postgres:***@127.0.0.1:1/postgres: cannot be opened as")
    assert len(done.stderr.splitlines()) == 1
    assert "secret" not in done.stderr
