"""A night says what it came to, whatever ended it: its preflight, exit code, summary, what is new, its trends."""

from __future__ import annotations

import datetime
import json
import os
import re
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from rig.bench.file import read_bench_file
from rig.clock import Deadline, WallClock
from rig.lab.night import NOT_RUN, Night, NightRun
from rig.lab.preflight import (
    TOLD_BEFORE_DAYS,
    PreflightFinding,
    look_at_calibrations,
    look_at_disk,
    look_at_store,
    what_stops,
)
from rig.lab.summary import night_json, night_markdown
from rig.lab.trends import run_trends
from rig.run.reading import read_whole_run
from rig.run.stopping import StopSignals
from rig.shipped import DEFAULT_BENCH, shipped
from rig.store.adding import add_runs
from rig.store.before import since_before
from suites.selftest.compared_runs import MEAN, TEST, stored_run
from suites.selftest.store_fixtures import engine, rig

__all__ = ["engine"]
CLOCK = WallClock()
BENCH = shipped(DEFAULT_BENCH)
PATIENCE_S = 300.0
UTC = datetime.UTC


def nightly(*arguments: str | Path) -> list[str]:
    return [sys.executable, "-m", "rig", "nightly", *map(str, arguments)]


def called(*arguments: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(Path.cwd())}
    return subprocess.run(
        nightly(*arguments), cwd=cwd, env=environment, capture_output=True, text=True, check=False, timeout=PATIENCE_S
    )


def dated(folder: Path, n: int, value: float, **more: Any) -> Path:  # noqa: ANN401 - any value of a manifest
    started = datetime.datetime(2026, 11, 1, 22, tzinfo=UTC) + datetime.timedelta(days=n)
    return stored_run(folder / f"{n}", [(TEST, MEAN, value, 0.1)], run_id=f"night {n}", started_utc=started, **more)


def test_a_night_that_passes_leaves_report_junit_store_and_summary(tmp_path: Path) -> None:
    done = called("--select", "stopped", "--out", "a", "--store", "s.sqlite", cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    summary = (tmp_path / "a/summary.md").read_text(encoding="utf-8")
    assert summary.startswith("# Night on Virtual bench: PASS\n\n**SIMULATED")
    assert summary in done.stdout
    told = json.loads((tmp_path / "a/night.json").read_text(encoding="utf-8"))
    assert (told["format"], told["code"], told["verdict"], told["runs"][0]["verdict"]) == (1, 0, "PASS", "PASS")
    assert told["runs"][0]["added"] == "in the store"
    assert '<testsuites name="rig verify"' in (tmp_path / "a/junit.xml").read_text(encoding="utf-8")
    assert (tmp_path / "a/run/reports/rev-1/report.pdf").is_file()
    assert read_whole_run(tmp_path / "a/run").results.verdict.value == "PASS"
    again = called("--select", "stopped", "--out", "a", cwd=tmp_path)
    assert (again.returncode, again.stderr.count("name a new folder for each night")) == (3, 1)


def test_a_bench_that_is_not_fit_is_not_run_and_nothing_is_measured(tmp_path: Path) -> None:
    overdue = ("--set", "balance.calibrated=2026-01-01", "--set", "balance.calibration_due=2026-11-20")
    done = called(*overdue, "--out", "a", cwd=tmp_path)
    assert done.returncode == NOT_RUN, done.stdout + done.stderr
    summary = (tmp_path / "a/summary.md").read_text(encoding="utf-8")
    assert summary.startswith("# Night on Virtual bench: NOT RUN\n")
    assert "its calibration was due on 2026-11-20" in summary
    assert sorted(path.name for path in (tmp_path / "a").iterdir()) == ["night.json", "summary.md"]
    assert rig("nightly", "--preflight", "--store", tmp_path / "s.sqlite", *overdue).returncode == NOT_RUN


def test_what_is_asked_wrongly_is_no_bench_that_is_not_fit(tmp_path: Path) -> None:
    store = ("--store", tmp_path / "s.sqlite")
    wrong = rig("nightly", *store, "--out", tmp_path / "a", "--plan", "no_such_plan")
    assert wrong.returncode == 2
    assert "# Night on" in (tmp_path / "a/summary.md").read_text(encoding="utf-8")
    assert "WRONG INPUT" in (tmp_path / "a/summary.md").read_text(encoding="utf-8")
    assert rig("nightly", *store, "--preflight", "--bench", tmp_path / "none.toml").returncode == 2
    for text, why in (("6", "has no unit"), ("0 h", "name more than 0"), ("6 V", "allowed units")):
        refused = rig("nightly", *store, "--at-most", text)
        assert (refused.returncode, why in refused.stderr, refused.stdout) == (2, True, "")


def test_a_disk_without_room_and_a_store_that_does_not_answer_are_what_stops(tmp_path: Path) -> None:
    assert what_stops([look_at_disk(tmp_path / "not" / "there", 0.0)]) == []
    (full,) = what_stops([look_at_disk(tmp_path, 1e9)])
    assert full.said.endswith("and 1e+09 GB are asked for; make room")
    (tmp_path / "other.sqlite").write_bytes(b"no database at all, but long enough to be taken for one" * 20)
    (broken,) = what_stops([look_at_store(str(tmp_path / "other.sqlite"))])
    assert "cannot be opened as a store" in broken.said
    assert what_stops([look_at_store(str(tmp_path / "new.sqlite"))]) == []


def test_a_calibration_is_told_of_while_there_is_time_to_renew_it() -> None:
    spec = read_bench_file(BENCH)[0]
    assert spec.virtual is not None
    today = spec.virtual.date
    for left, told in ((TOLD_BEFORE_DAYS, True), (TOLD_BEFORE_DAYS + 1, False), (0, True)):
        due = (today + datetime.timedelta(days=left)).isoformat()
        found = look_at_calibrations("b", read_bench_file(BENCH, {"pressure.calibration_due": due})[0])
        assert [f"the calibration of the pressure is due on {due}, in {left} days"] == [
            each.said for each in found
        ] or not told
        assert what_stops(found) == []


def test_a_night_that_is_stopped_closes_its_run_and_writes_all_of_it(tmp_path: Path) -> None:
    command = nightly("--select", "day or basal", "--out", tmp_path / "a", "--store", tmp_path / "s.sqlite")
    with subprocess.Popen([*command, "--jobs", "1"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        wait_for_reading(tmp_path / "a/run", process)
        process.send_signal(signal.SIGTERM)
        process.send_signal(signal.SIGTERM)  # a second one breaks nothing off
        output = process.communicate(timeout=PATIENCE_S)[0].decode()
    assert process.returncode == 3, output
    assert "Traceback" not in output
    summary = (tmp_path / "a/summary.md").read_text(encoding="utf-8")
    assert summary.startswith("# Night on Virtual bench: INTERRUPTED\n")
    assert "it was interrupted: the run was interrupted by SIGTERM" in summary
    assert "; in the store" in summary
    assert read_whole_run(tmp_path / "a/run").manifest.outcome == "interrupted"
    assert "<error" in (tmp_path / "a/junit.xml").read_text(encoding="utf-8")
    assert (tmp_path / "a/run/reports/rev-1/report.pdf").is_file()


def test_a_night_that_was_killed_is_closed_by_the_next_one(tmp_path: Path) -> None:
    killed = tmp_path / "nights/1"
    dated(killed, 0, 0.5, outcome="started").rename(killed / "run")
    (killed / "night.json").write_text('{"code": null}', encoding="utf-8")
    arguments = ("--out", tmp_path / "nights/2", "--store", tmp_path / "s.sqlite", "--room", "1e9")
    assert rig("nightly", *arguments).returncode == NOT_RUN  # and still it tidies up
    told = json.loads((killed / "night.json").read_text(encoding="utf-8"))
    assert (told["code"], told["verdict"]) == (3, "INTERRUPTED")
    assert read_whole_run(killed / "run").manifest.outcome == "interrupted"
    assert "was killed; its run is closed now" in (tmp_path / "nights/2/summary.md").read_text(encoding="utf-8")


def wait_for_reading(run: Path, process: subprocess.Popen[bytes]) -> None:
    deadline = Deadline(CLOCK, PATIENCE_S)
    while not list(run.glob("record/tests/*/1/*/balance.csv")):
        assert process.poll() is None
        assert not deadline.expired
        CLOCK.sleep(0.05)


def test_a_limit_of_time_names_itself_to_whoever_answers_signals_within() -> None:
    with StopSignals() as outer, outer.end_after(0.05, "its limit"), StopSignals() as inner:
        with pytest.raises(KeyboardInterrupt):
            CLOCK.sleep(20.0)
        assert (inner.asked, outer.asked) == ("its limit", "its limit")
    with StopSignals() as stop:
        with stop.end_after(0.05, "its limit"):
            pass
        CLOCK.sleep(0.1)
        assert stop.asked is None


def test_a_signal_within_is_known_by_its_name_around_it() -> None:
    with StopSignals() as outer, StopSignals():
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGTERM)
        assert outer.asked == "SIGTERM"


def test_what_is_new_is_told_beside_the_last_complete_run_of_its_kind(tmp_path: Path, engine: Engine) -> None:
    runs = [
        dated(tmp_path, 1, 0.5, requirements_sha256="a" * 64),
        dated(tmp_path, 2, 0.5, outcome="interrupted"),
        dated(tmp_path, 3, 0.6, requirements_sha256="b" * 64, serial="B"),
    ]
    assert [each.why for each in add_runs(engine, runs, CLOCK)] == ["", "", ""]
    since = since_before(engine, "night 3")
    assert since is not None
    assert (since.run_id, since.changed) == ("night 1", {})
    assert {"the requirements", "the pump"} <= set(since.differs)
    assert since_before(engine, "night 1") is None
    assert since_before(engine, "no run") is None


def test_a_value_that_leaves_its_row_is_told_and_only_in_its_own_night(tmp_path: Path, engine: Engine) -> None:
    usual = [0.50, 0.52, 0.49, 0.51, 0.50] * 4
    nights = [dated(tmp_path, n, value) for n, value in enumerate([*usual, 0.90, 0.50])]
    list(add_runs(engine, nights, CLOCK))
    (out,) = run_trends(engine, "night 20").broken
    assert (out.quantity, out.rule, out.value, out.unit) == (MEAN.name, 1, 0.9, "%")
    assert out.centre == pytest.approx(0.504)
    assert out.three_sigma == pytest.approx(3.0 * 4 * 0.08 / 19.0 / 1.128)
    assert run_trends(engine, "night 19").broken == ()
    assert run_trends(engine, "night 21").broken == ()
    assert (run_trends(engine, "night 4").charted, run_trends(engine, "night 5").charted) == (0, 1)


def test_equal_values_every_night_meet_no_rule(tmp_path: Path, engine: Engine) -> None:
    list(add_runs(engine, [dated(tmp_path, n, 0.5) for n in range(16)], CLOCK))
    trends = run_trends(engine, "night 15")
    assert (trends.charted, trends.broken, trends.uncharted) == (1, (), ())


NIGHT = Night(Path("n"), "B", "2026-11-28T22:00:00Z", "2026-11-29T05:00:00Z", code=1)
RUN = NightRun(
    Path("n/run"), "", "r", "B", "p", "M 1", False, True, "complete", "FAIL", None, "ab", ("PR-1 FAIL: x <b> | y",), "-"
)


def test_the_summary_is_plain_markdown_and_never_html() -> None:
    text = night_markdown(replace(NIGHT, runs=[RUN]))
    assert text.startswith("# Night on B: FAIL\n")
    assert r"- PR-1 FAIL: x \<b\> \| y" in text
    assert "SIMULATED" not in text
    assert not re.search(r"(?<!\\)<", text)


def test_a_night_that_is_going_on_has_no_code_yet_and_says_so() -> None:
    night = replace(NIGHT, code=None, ended_utc=None)
    assert "# Night on B: NOT ENDED" in night_markdown(night)
    assert json.loads(night_json(night))["code"] is None


def test_a_night_that_was_not_run_names_each_reason() -> None:
    found = [PreflightFinding("disk", "full", stops=True), PreflightFinding("store", "answers")]
    text = night_markdown(replace(NIGHT, code=NOT_RUN, preflight=found))
    assert "NOT RUN" in text
    assert "  - disk: full\n" in text
    assert "Preflight" in text
