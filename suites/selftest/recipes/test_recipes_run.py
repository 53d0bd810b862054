"""Each recipe does a night on the virtual bench: one that passes, one that is not run, one that is cancelled.

The shell steps of the recipes themselves are run, as their servers do (`suites.stands.ci_server`). Not responsible for
what the files say besides (`suites/selftest/test_recipes.py`).
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from rig.clock import Deadline, WallClock
from rig.lab.night import NOT_RUN
from rig.run.reading import read_whole_run
from rig.shipped import DEFAULT_BENCH, shipped
from suites.stands.ci_server import GITHUB, GITLAB, JENKINS, cancel, command, shell_steps

EVERY = pytest.mark.parametrize("path", [GITHUB, GITLAB, JENKINS], ids=lambda path: path.stem)
PATIENCE_S = 600.0
CLOCK = WallClock()


class Server:
    """A CI server in a folder: the steps of one recipe, on the virtual bench, with a plan of one test."""

    def __init__(self, path: Path, folder: Path, *, select: str = "stopped", overdue: bool = False) -> None:
        self.path, self.folder = path, folder
        self.night = folder / "nights" / "1"
        self.steps = shell_steps(path)
        bench = shipped(DEFAULT_BENCH)
        text = bench.read_text(encoding="utf-8").replace('"../', f'"{bench.resolve().parent.parent}/')
        if overdue:
            text = text.replace("calibration_due = 2027-03-02", "calibration_due = 2026-11-20")
        (folder / "bench.toml").write_text(text, encoding="utf-8")
        plan = f'name = "tiny"\npurpose = "One test."\nselect = "{select}"\n'
        (folder / "plan.toml").write_text(plan, encoding="utf-8")
        self.summary, self.output = folder / "job-summary.md", folder / "outputs"
        (folder / "bin").mkdir()
        (folder / "bin" / "rig").write_text(f'#!/bin/sh\nexec "{sys.executable}" -P -m rig "$@"\n', encoding="utf-8")
        (folder / "bin" / "rig").chmod(0o755)
        own = {
            "RIG_BENCH": str(folder / "bench.toml"),
            "RIG_PLAN": str(folder / "plan.toml"),
            "RIG_STORE": str(folder / "store.sqlite"),
            "NIGHT": str(self.night),
        }
        assert set(own) <= set(self.steps.environment)
        self.environment = {
            **os.environ,
            **own,
            "PATH": f"{folder / 'bin'}:{os.environ['PATH']}",
            "PYTHONPATH": str(Path.cwd()),
            "GITHUB_STEP_SUMMARY": str(self.summary),
            "GITHUB_OUTPUT": str(self.output),
        }

    def begin(self, script: str) -> subprocess.Popen[bytes]:
        """Start a step as a process that leads a group of its own."""
        return subprocess.Popen(
            command(self.path, script, self.folder),
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def do(self, script: str) -> tuple[int, str]:
        """Do a step to its end."""
        with self.begin(script) as process:
            said = process.communicate(timeout=PATIENCE_S)[0].decode()
        return process.returncode, said

    def shown(self) -> str:
        """What people see of the night: on the page of the job, or at the end of its log."""
        code, said = self.do(self.steps.always)
        assert code == 0, said
        return self.summary.read_text(encoding="utf-8") if self.path == GITHUB else said

    def kept(self) -> Path:
        """The folder that the recipe uploads."""
        return self.night if self.path == GITHUB else self.folder / "night"


@EVERY
def test_a_night_passes_and_everything_is_kept(path: Path, tmp_path: Path) -> None:
    server = Server(path, tmp_path)
    if server.steps.before:
        code, said = server.do(server.steps.before)
        assert code == 0, said
        assert server.output.read_text(encoding="utf-8") == "fit=yes\n"
    code, said = server.do(server.steps.night)
    assert code == 0, said
    assert "# Night on Virtual bench: PASS" in server.shown()
    assert read_whole_run(server.kept() / "run").results.verdict.value == "PASS"
    assert "<testsuites" in (server.kept() / "junit.xml").read_text(encoding="utf-8")


@EVERY
def test_a_bench_that_is_not_fit_is_not_run_and_nothing_is_red(path: Path, tmp_path: Path) -> None:
    server = Server(path, tmp_path, overdue=True)
    if server.steps.before:
        code, said = server.do(server.steps.before)
        assert code == 0, said
        assert server.output.read_text(encoding="utf-8") == "fit=no\n"  # which skips the job of the night
        assert "NOT RUN" in server.summary.read_text(encoding="utf-8")
    code, said = server.do(server.steps.night)
    assert code == NOT_RUN, said
    assert "its calibration was due on 2026-11-20" in server.shown()
    assert not (server.kept() / "run").exists()


@EVERY
def test_a_cancelled_job_leaves_a_closed_run_and_a_summary(path: Path, tmp_path: Path) -> None:
    server = Server(path, tmp_path, select="day or basal")
    with server.begin(server.steps.night) as process:
        deadline = Deadline(CLOCK, PATIENCE_S)
        while not list(server.night.glob("run/record/tests/*/1/*/balance.csv")):
            assert process.poll() is None
            assert not deadline.expired
            CLOCK.sleep(0.05)
        cancel(path, process)
        said = process.communicate(timeout=PATIENCE_S)[0].decode()
    if path == GITLAB:  # the shell that leads the group was signalled, too, and may end by that
        while json.loads((server.night / "night.json").read_text(encoding="utf-8"))["ended_utc"] is None:
            assert not deadline.expired
            CLOCK.sleep(0.05)
        assert process.returncode != 0, said
    else:
        assert process.returncode == 3, said
    assert re.search(r"# Night on Virtual bench: INTERRUPTED\n", server.shown())
    assert read_whole_run(server.kept() / "run").manifest.outcome == "interrupted"
    assert "<error" in (server.kept() / "junit.xml").read_text(encoding="utf-8")
