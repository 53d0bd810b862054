"""Two rigs as two processes on loopback, places, tags and a queue by labgrid, which may forget what it has given away.

labgrid is called by its command line; `LABGRID_BIN` names the folder of its programs, whose environment is its own.
Not responsible for labgrid itself.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from rig.clock import Deadline, WallClock
from rig.lab.night import NOT_RUN
from suites.stands.ci_server import LABGRID
from suites.stands.served_bench import ServedBench, served_bench

CLOCK = WallClock()
PATIENCE_S = 300.0
FREED_S = 60.0
PROGRAMS = Path(os.environ.get("LABGRID_BIN", "/nonexistent"))
PLACES = ("bench-1", "bench-2")


def wait_until(happened: Callable[[], object], within_s: float = PATIENCE_S) -> float:
    deadline = Deadline(CLOCK, within_s)
    while not happened():
        assert not deadline.expired, f"not within {within_s:g} s"
        CLOCK.sleep(0.2)
    return within_s - deadline.remaining_s


class Coordinator:
    """A coordinator and the exporters of two hosts; places and tags stand in its folder and outlast it."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self.folder, self.environment = folder, environment
        self.processes: list[subprocess.Popen[bytes]] = []

    def start(self) -> None:
        at = self.environment["LG_COORDINATOR"]
        self._run("labgrid-coordinator", "-l", at)
        host, port = at.split(":")
        wait_until(lambda: _answers(host, int(port)))
        for n, place in enumerate(PLACES):
            file = self.folder / f"{place}.yaml"
            file.write_text(
                f"{place}:\n  NetworkSerialPort:\n    host: 127.0.0.1\n    port: {50001 + n}\n", encoding="utf-8"
            )
            self._run("labgrid-exporter", "-c", at, "-n", f"host-{place}", str(file))
        wait_until(lambda: all(place in self.client("resources") for place in PLACES))

    def _run(self, *command: str) -> None:
        self.processes.append(
            subprocess.Popen(
                [str(PROGRAMS / command[0]), *command[1:]],
                cwd=self.folder,
                env=self.environment,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        )

    def kill(self) -> None:
        for process in self.processes:
            process.kill()
            process.wait()
        self.processes.clear()

    def client(self, *arguments: str) -> str:
        command = [str(PROGRAMS / "labgrid-client"), *arguments]
        return subprocess.run(command, env=self.environment, capture_output=True, text=True, check=True).stdout


def _answers(host: str, port: int) -> bool:
    with socket.socket() as tried:
        return tried.connect_ex((host, port)) == 0


class Lab:
    """Two served benches, each a place of its name, and jobs on them."""

    def __init__(self, folder: Path, benches: dict[str, ServedBench]) -> None:
        self.folder, self.benches = folder, benches
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        (folder / "bin").mkdir()
        rig = folder / "bin" / "rig"
        rig.write_text(
            f"#!/bin/sh\n"
            f'case "$*" in *bench-1.toml*) host=1 ;; *) host=2 ;; esac\n'  # each host has leases of its own
            f'RIG_LEASE_FOLDER="{folder}/leases-$host" exec "{sys.executable}" -P -m rig "$@"\n',
            encoding="utf-8",
        )
        rig.chmod(0o755)
        (folder / "plan.toml").write_text(
            'name = "tiny"\npurpose = "One test."\nselect = "stopped"\n', encoding="utf-8"
        )
        (folder / "benches").mkdir()
        for place, bench in benches.items():
            (folder / "benches" / f"{place}.toml").write_bytes(bench.file.read_bytes())
        self.nights = folder / "nights"
        self.nights.mkdir()
        self.environment = {
            **os.environ,
            "PATH": f"{folder / 'bin'}:{PROGRAMS}:{os.environ['PATH']}",
            "PYTHONPATH": str(Path.cwd()),
            "RIG_STORE": str(folder / "store.sqlite"),
            "RIG_BENCHES": str(folder / "benches"),
            "RIG_NIGHTS": str(self.nights),
            "RIG_PLAN": str(folder / "plan.toml"),
            "RIG_AT_MOST": "1 h",
            "LG_COORDINATOR": f"127.0.0.1:{port}",
        }
        self.coordinator = Coordinator(folder, self.environment)

    def job(self, *tags: str) -> subprocess.Popen[bytes]:
        log = (self.folder / "jobs.log").open("ab")
        with log:
            return subprocess.Popen(
                [str(LABGRID.resolve()), *tags], env=self.environment, stdin=subprocess.DEVNULL, stdout=log,
                stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip

    def running(self) -> dict[str, Path]:
        """The nights that measure, by place: the last one of each."""
        found = sorted(self.nights.glob("*/run/record/manifest.json"), key=lambda path: path.stat().st_mtime)
        return {path.parents[2].name.rpartition("-")[0]: path.parents[2] for path in found}

    def is_acquired(self, place: str) -> bool:
        return "acquired: None" not in self.coordinator.client("-p", place, "show")


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    with ExitStack() as stack:
        benches = {}
        for place in PLACES:
            (tmp_path / place).mkdir()
            benches[place] = stack.enter_context(served_bench(tmp_path / place))
        found = Lab(tmp_path, benches)
        stack.callback(found.coordinator.kill)
        found.coordinator.start()
        for place in PLACES:
            found.coordinator.client("-p", place, "create")
            found.coordinator.client("-p", place, "set-tags", "kind=pump", f"name={place}")
            found.coordinator.client("-p", place, "add-match", f"host-{place}/{place}/*")
        yield found


@contextmanager
def ended(jobs: list[subprocess.Popen[bytes]]) -> Iterator[None]:
    """See to it that no job outlives a test."""
    try:
        yield
    finally:
        for job in jobs:
            if job.poll() is None:
                job.send_signal(signal.SIGTERM)
        for job in jobs:
            job.wait(timeout=PATIENCE_S)


def test_jobs_are_spread_a_killed_one_frees_its_rig_and_a_forgetful_coordinator_gives_away_nothing(lab: Lab) -> None:
    jobs = [lab.job("kind=pump") for _ in PLACES]
    with ended(jobs):
        wait_until(lambda: set(lab.running()) == set(PLACES))  # each on a rig of its own
        killed, kept = PLACES
        victim = next(job for job in jobs if f"{killed}.toml" in _words(job))
        survivor = next(job for job in jobs if job is not victim)

        victim.kill()
        freed_s = wait_until(lambda: not lab.is_acquired(killed), FREED_S)
        wait_until(lambda: not lab.benches[killed].supply_is_on(), FREED_S - freed_s)
        assert lab.is_acquired(kept)

        lab.coordinator.kill()
        lab.coordinator.start()
        assert not lab.is_acquired(kept)  # it has forgotten who has it
        second = lab.job(f"name={kept}")
        jobs.append(second)
        assert second.wait(timeout=PATIENCE_S) == NOT_RUN  # and the host has not
        assert survivor.poll() is None
        refused = [json.loads(path.read_text(encoding="utf-8")) for path in lab.nights.glob(f"{kept}-*/night.json")]
        (told,) = [each for each in refused if each["code"] == NOT_RUN]
        assert f"is in use: rig nightly into {lab.running()[kept]}" in told["preflight"][0]["said"]


def _words(job: subprocess.Popen[bytes]) -> str:
    return Path(f"/proc/{job.pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
