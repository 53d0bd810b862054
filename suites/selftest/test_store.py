"""A store of runs: each run whole and once, values as the records hold them, and what it refuses."""

from __future__ import annotations

import json
import os
import random
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, func, select

from rig.clock import SimClock
from rig.errors import BenchFileError, RigError
from rig.store.adding import Added, add_run, add_runs, run_folders
from rig.store.asking import stored_history
from rig.store.opening import StoreError, open_store
from rig.store.tables import METADATA, RUNS, STORE
from rig.store.trending import stored_trend
from suites.selftest.compared_runs import stored_run
from suites.selftest.recorded import sealed, writable
from suites.selftest.store_fixtures import VALUES, engine, rig, short_run

__all__ = ["engine"]


def _everything(engine: Engine) -> dict[str, list[tuple[Any, ...]]]:
    """All rows but for the number that a run has in its store."""
    found = {}
    with engine.connect() as connection:
        for table in METADATA.sorted_tables:
            columns = [column for column in table.c if column.name != "run"]
            question = select(*columns, *([] if table in (RUNS, STORE) else [RUNS.c.head]))
            if table not in (RUNS, STORE):
                question = question.join(RUNS, RUNS.c.run == table.c.run)
            found[table.name] = sorted((tuple(row) for row in connection.execute(question)), key=repr)
    return found


def test_values_are_those_of_the_record(recorded: Path, engine: Engine) -> None:
    assert add_run(engine, recorded, SimClock()).became is Added.NEW
    results = json.loads((recorded / "record" / "results.json").read_text())
    expected = sorted(
        (row["id"], m["test"], m["attempt"], m["quantity"]["name"], m["value"], m["expanded_uncertainty"],
         m["limit"]["low"], m["limit"]["high"], m["verdict"])
        for row in results["requirements"] for m in row["measurements"]
    )  # fmt: skip
    found = sorted(
        (row.requirement, row.test, row.attempt, row.name, row.value, row.expanded_uncertainty,
         row.low, row.high, row.verdict)
        for row in stored_history(engine) if row.requirement is not None
    )  # fmt: skip
    assert found == sorted(set(expected))
    assert {row.pump_serial for row in stored_history(engine, pump="RC1-000001")} == {"RC1-000001"}
    assert stored_trend(engine, "flow in the opening blank run")[0].unit == "U/h"


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(order=st.lists(st.integers(0, 3), min_size=4, max_size=10), seed=st.integers(0, 99))
def test_any_order_and_any_number_of_times_gives_the_same_store(
    order: list[int], seed: int, four_runs: list[Path]
) -> None:
    order = order + random.Random(seed).sample(range(4), 4)
    with (
        tempfile.TemporaryDirectory() as folder,
        open_store(f"{folder}/mixed.sqlite", make=True) as mixed,
        open_store(f"{folder}/plain.sqlite", make=True) as plain,
    ):
        became = [add_run(mixed, four_runs[n], SimClock()).became for n in order]
        assert became.count(Added.NEW) == 4
        assert set(became) <= {Added.NEW, Added.THERE}
        for run in four_runs:
            add_run(plain, run, SimClock())
        assert _everything(mixed) == _everything(plain)


@pytest.fixture(scope="module")
def four_runs(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Four closed runs of one pump."""
    folder = tmp_path_factory.mktemp("four")
    return [stored_run(folder / f"run {n}", VALUES, run_id=f"run {n}") for n in range(4)]


def test_an_altered_run_another_of_its_name_and_a_damaged_one_stay_out_and_the_others_go_in(tmp_path: Path) -> None:
    good, other = short_run(tmp_path / "runs", 1), short_run(tmp_path / "others", 1, value=0.75)
    altered = writable(short_run(tmp_path / "runs", 2))
    path = altered / "record" / "results.json"
    path.write_text(path.read_text().replace("0.5", "0.4"))
    damaged = writable(short_run(tmp_path / "runs", 3))
    (damaged / "record" / "closing.json").unlink()
    store = tmp_path / "runs.sqlite"
    done = rig("store", "add", tmp_path / "runs", other, "--store", store)
    assert done.returncode == 5, done.stderr
    assert "1 added, 1 not added, 1 cannot be read, 1 altered." in done.stdout
    assert f"{path}: was changed after the run was closed" in done.stdout
    assert "two different records of one name" in done.stdout
    assert rig("store", "add", good, "--store", store).stdout == "1 was there.\n"
    assert rig("store", "add", damaged, "--store", store).returncode == 3


def test_a_run_that_no_database_takes_is_left_out_whole_and_the_others_go_in(tmp_path: Path, engine: Engine) -> None:
    runs = [short_run(tmp_path, n, serial=f"Ä{n}") for n in range(3)]
    with engine.begin() as connection:
        connection.exec_driver_sql(
            "CREATE TRIGGER one BEFORE INSERT ON measured_values WHEN NEW.run IN"
            " (SELECT run FROM runs WHERE pump_serial = 'Ä1') BEGIN SELECT RAISE(ABORT, 'no room'); END"
        )
    added = list(add_runs(engine, runs, SimClock()))
    assert [each.became for each in added] == [Added.NEW, Added.DAMAGED, Added.NEW]
    assert added[1].why == f"{runs[1]}: the store cannot hold it: no room"
    assert {row.pump_serial for row in stored_history(engine)} == {"Ä0", "Ä2"}
    assert len(_everything(engine)["instruments"]) == 2


def test_what_was_found_is_told_though_the_store_fails_afterwards(tmp_path: Path) -> None:
    good, altered, store = short_run(tmp_path / "runs", 2), short_run(tmp_path / "runs", 1), tmp_path / "runs.sqlite"
    with open_store(str(store), make=True) as engine, engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE measured_values")
    writable(altered)
    path = altered / "record" / "results.json"
    path.write_text(path.read_text().replace("0.5", "0.4"))
    done = rig("store", "add", tmp_path / "runs", "--store", store)
    assert done.returncode == 3
    assert done.stdout == f"{path}: was changed after the run was closed\n1 altered.\n"
    assert done.stderr == f"rig: {store}: {good} cannot be added: no such table: measured_values\n"


def test_two_at_once_add_each_run_once(tmp_path: Path) -> None:
    for n in range(12):
        short_run(tmp_path / "runs", n)
    store = tmp_path / "runs.sqlite"
    command = [sys.executable, "-m", "rig", "store", "add", str(tmp_path / "runs"), "--store", str(store)]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    said = [process.communicate()[0] for process in both]
    assert [process.returncode for process in both] == [0, 0], said
    with open_store(str(store), make=False) as engine, engine.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(RUNS)) == 12


def test_a_run_of_format_1_goes_in(old_run: Path, engine: Engine) -> None:
    assert add_run(engine, old_run, SimClock()).became is Added.NEW
    assert add_run(engine, old_run, SimClock()).became is Added.THERE
    assert stored_history(engine)


def test_what_is_no_store_is_named(tmp_path: Path) -> None:
    text = tmp_path / "notes.txt"
    text.write_text("no database at all, but longer than a page header would be " * 20)
    _refused(text, StoreError, r"notes\.txt: cannot be opened as a store: file is not a database")
    nowhere = tmp_path / "nowhere.sqlite"
    _refused(nowhere, BenchFileError, r"nowhere\.sqlite: there is no such store; rig store add makes one", make=False)
    for named in (":memory:", "sqlite://", "sqlite:///:memory:"):
        _refused(named, BenchFileError, "is no file: a store has to last")
    empty = tmp_path / "empty.sqlite"
    empty.touch()
    _refused(empty, BenchFileError, r"empty\.sqlite: is empty; rig store add makes a store of it", make=False)
    _refused("nosuch://", BenchFileError, "no driver for nosuch is installed")
    later = tmp_path / "later.sqlite"
    with open_store(str(later), make=True) as engine, engine.begin() as connection:
        connection.exec_driver_sql("UPDATE store SET version = 99")
    _refused(later, StoreError, "is a store of version 99, and this rig's is", make=False)
    foreign = tmp_path / "foreign.sqlite"
    with sqlite3.connect(foreign) as connection:
        connection.execute("CREATE TABLE t (x)")
    _refused(foreign, StoreError, "holds something else, and no store of runs")


def _refused(named: str | Path, error: type[RigError], why: str, *, make: bool = True) -> None:
    with pytest.raises(error, match=why), open_store(str(named), make=make):
        pass


@pytest.mark.parametrize(
    ("url", "code", "why"),
    [
        ("postgresql://rig:secret@127.0.0.1:1/runs", 3, "cannot be opened as a store"),
        ("postgresql://127.0.0.1:1/runs?user=rig&password=secret", 3, "cannot be opened as a store"),
        ("postgresql://rig:my@secret@127.0.0.1:1/runs", 2, "several @; one in a password is written %40"),
        ("postgresql://rig:secret@127.0.0.1:port/runs", 2, "a store is a file or a URL"),
    ],
)
def test_a_password_is_never_repeated(url: str, code: int, why: str) -> None:
    done = rig("history", "--store", url)
    assert done.returncode == code
    assert "secret" not in done.stdout + done.stderr
    assert why in done.stderr


def test_names_that_no_database_holds_are_refused_and_an_odd_folder_is_not(tmp_path: Path) -> None:
    store = tmp_path / "runs.sqlite"
    folder = tmp_path / os.fsdecode(b"odd \xff")
    assert rig("store", "add", short_run(folder, 1, serial="Ä日本'\""), "--store", store).returncode == 0
    assert "1 values of 1 runs." in rig("history", "--pump", "Ä日本'\"", "--store", store).stdout
    for option, value in (("--pump", "\udcff"), ("--limit", "9" * 20), ("--after", f"run 1:{'9' * 20}")):
        done = rig("history", option, value, "--store", store)
        assert done.returncode == 2
        assert f"{store}: cannot be asked so: " in done.stderr
    assert rig("history", "--store", "a" * 300).returncode == 2


def test_runs_are_found_below_a_folder_and_nothing_inside_them(tmp_path: Path) -> None:
    for n in range(2):
        short_run(tmp_path / "a" / "b", n)
    (tmp_path / "a" / "empty").mkdir()
    shutil.copytree(tmp_path / "a" / "b" / "run 0", tmp_path / "a" / "b" / "run 1" / "copy")
    assert [path.name for path in run_folders(tmp_path)] == ["run 0", "run 1"]


def test_what_a_run_tells_of_its_bench_can_be_charted(tmp_path: Path, engine: Engine) -> None:
    weighed = {
        "date": "2026-11-20", "tested_utc": "2026-11-20T08:00:00Z", "simulated": False, "operator": None,
        "balance": {"maker": "M", "model": "X", "serial_number": "B1", "firmware": "1"}, "mass_g": 10.0,
        "u_mass_g": 1e-5, "empty_g": [0.0], "loaded_g": [10.0], "error_g": 2.5e-5, "u_error_g": 1e-5,
        "repeatability_g": 4e-6, "degrees_of_freedom": 9, "allowed_error_g": 1e-4, "allowed_repeatability_g": 1e-5,
        "answers": {}, "problems": [], "passed": True,
    }  # fmt: skip
    run = writable(short_run(tmp_path, 1))
    path = run / "record" / "inputs" / "routine_test.json"
    path.parent.mkdir()
    path.write_text(json.dumps(weighed))
    sealed(run)
    assert add_run(engine, run, SimClock()).became is Added.NEW
    (error,) = stored_trend(engine, "error of the balance at its reference mass")
    (repeatability,) = stored_trend(engine, "repeatability of the balance")
    assert (error.value, error.unit, error.bench) == (2.5e-5, "g", "Bench")
    assert (repeatability.value, repeatability.unit) == (4e-6, "g")


def test_a_run_that_is_closed_later_goes_into_the_store_that_is_named(
    tmp_path: Path, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = short_run(tmp_path, 1, outcome="started")
    assert add_run(engine, run, SimClock()).became is Added.DAMAGED
    monkeypatch.setenv("RIG_STORE", str(tmp_path / "runs.sqlite"))
    done = rig("trace", run, "--out", tmp_path / "trace")
    assert f"Store: {run} added." in done.stdout, done.stderr
    assert add_run(engine, run, SimClock()).became is Added.THERE
