"""The store on a real PostgreSQL server: the same rows, and nothing lost or doubled when it is restarted meanwhile."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
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
from suites.selftest.compared_runs import LARGEST, MEAN, TEST, stored_run

RUNS_ADDED = 60

# A connection whose server was killed cannot be closed by anybody, and psycopg says so when it is forgotten.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


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

    def control(self, *words: str) -> None:
        """Start or stop it, as the user that PostgreSQL wants."""
        program = [str(self.programs / "pg_ctl"), "-D", str(self.folder), "-w", "-l", f"{self.folder}.log", *words]
        subprocess.run(as_nobody_else(program), check=True, stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL)


def as_nobody_else(command: list[str]) -> list[str]:
    """PostgreSQL does not run as root."""
    return ["runuser", "-u", "postgres", "--", *command] if os.geteuid() == 0 else command


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A running server with an empty database."""
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not programs:
        pytest.fail("PostgreSQL's server has to be installed: Debian's package postgresql")
    folder = tmp_path_factory.mktemp("server")
    for each in (folder, *folder.parents):
        if each.name.startswith("pytest-"):
            each.chmod(0o755)
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres")
    data = folder / "data"
    initdb = [str(programs[-1]), "-D", str(data), "-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C"]
    subprocess.run(as_nobody_else(initdb), check=True, stdout=subprocess.DEVNULL, cwd="/")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    running = Server(programs[-1].parent, data, port)
    (data / "postgresql.auto.conf").write_text(
        f"port = {port}\nlisten_addresses = '127.0.0.1'\nunix_socket_directories = ''\n"
    )
    running.control("start")
    yield running
    running.control("stop", "-m", "immediate")


def _runs(folder: Path, count: int) -> list[Path]:
    return [
        stored_run(
            folder / f"run {n}", [(TEST, MEAN, 0.01 * n, 0.1), (TEST, LARGEST, 0.02 * n, 0.1)], run_id=f"run {n}"
        )
        for n in range(count)
    ]


def test_a_server_holds_what_a_file_holds(server: Server, recorded: Path, tmp_path: Path) -> None:
    there, here = open_store(server.url, make=True), open_store(str(tmp_path / "runs.sqlite"), make=True)
    for engine in (there, here):
        assert add_run(engine, recorded, SimClock()).became is Added.NEW
        assert add_run(engine, recorded, SimClock()).became is Added.THERE
    assert stored_history(there) == stored_history(here)


def test_a_server_that_is_restarted_meanwhile_loses_and_doubles_nothing(server: Server, tmp_path: Path) -> None:
    runs = _runs(tmp_path, RUNS_ADDED)
    engine = open_store(server.url, make=True)
    with engine.connect() as connection:
        before = connection.scalar(select(func.count()).select_from(RUNS)) or 0
    adding = subprocess.Popen(
        [sys.executable, "-m", "rig", "store", "add", str(tmp_path), "--store", server.url],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    clock, there = WallClock(), before
    while there < before + 5 and adding.poll() is None:
        with engine.connect() as connection:
            there = connection.scalar(select(func.count()).select_from(RUNS)) or 0
        clock.sleep(0.02)
    server.control("restart", "-m", "immediate")
    said, errors = adding.communicate(timeout=120)
    assert adding.returncode == 0, errors
    assert said.endswith(f"{RUNS_ADDED} added.\n")
    with engine.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(RUNS)) == before + RUNS_ADDED
        of_these = select(func.count()).select_from(VALUES.join(RUNS, RUNS.c.head == VALUES.c.head))
        assert connection.scalar(of_these.where(RUNS.c.run_id.like("run %"))) == 2 * RUNS_ADDED
    assert len(runs) == RUNS_ADDED


def test_a_server_that_is_gone_is_told_in_one_sentence(server: Server) -> None:
    url = server.url.replace(f":{server.port}/", ":1/").replace("postgres@", "postgres:secret@")
    done = subprocess.run(
        [sys.executable, "-m", "rig", "history", "--store", url], capture_output=True, text=True, check=False
    )
    assert done.returncode == 3
    assert done.stderr.startswith("rig: postgresql+psycopg://postgres:***@127.0.0.1:1/postgres: cannot be opened as")
    assert len(done.stderr.splitlines()) == 1
    assert "secret" not in done.stderr
