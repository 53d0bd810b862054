"""A store of runs: each run whole and once, values as the records hold them, and what it refuses."""

from __future__ import annotations

import csv
import json
import random
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy import stats
from sqlalchemy import Engine, func, select

from rig.clock import SimClock
from rig.errors import BenchFileError, RigError
from rig.store.adding import Added, add_run, run_folders
from rig.store.asking import stored_history, stored_trend
from rig.store.comparing import compare_firmware, holm
from rig.store.opening import StoreError, open_store
from rig.store.tables import METADATA, RUNS
from suites.selftest.compared_runs import LARGEST, MEAN, OTHER_TEST, TEST, stored_run
from suites.selftest.recorded import sealed, writable

VALUES = [(TEST, MEAN, 0.5, 0.1), (TEST, LARGEST, 1.5, 0.2), (OTHER_TEST, MEAN, -0.25, 0.1)]


def _run(folder: Path, n: int, value: float = 0.5, **manifest: Any) -> Path:  # noqa: ANN401 - any value of a manifest
    return stored_run(folder / f"run {n}", [(TEST, MEAN, value, 0.1)], run_id=f"run {n}", **manifest)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    """An empty store."""
    with open_store(str(tmp_path / "runs.sqlite"), make=True) as opened:
        yield opened


def _everything(engine: Engine) -> dict[str, list[tuple[Any, ...]]]:
    with engine.connect() as connection:
        return {
            table.name: sorted((tuple(row) for row in connection.execute(select(table))), key=repr)
            for table in METADATA.sorted_tables
        }


def _rig(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "rig", *map(str, arguments)], capture_output=True, text=True, check=False
    )


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
    good, other = _run(tmp_path / "runs", 1), _run(tmp_path / "others", 1, value=0.75)
    altered = writable(_run(tmp_path / "runs", 2))
    path = altered / "record" / "results.json"
    path.write_text(path.read_text().replace("0.5", "0.4"))
    damaged = writable(_run(tmp_path / "runs", 3))
    (damaged / "record" / "closing.json").unlink()
    store = tmp_path / "runs.sqlite"
    done = _rig("store", "add", tmp_path / "runs", other, "--store", store)
    assert done.returncode == 5, done.stderr
    assert "1 added, 1 not added, 1 cannot be read, 1 altered." in done.stdout
    assert f"{path}: was changed after the run was closed" in done.stdout
    assert "two different records of one name" in done.stdout
    assert _rig("store", "add", good, "--store", store).stdout == "1 was there.\n"
    assert _rig("store", "add", damaged, "--store", store).returncode == 3


def test_nobody_is_left_half_added(tmp_path: Path, engine: Engine) -> None:
    run = _run(tmp_path, 1)
    with engine.begin() as connection:  # a value's place is taken: the run's rows cannot all go in
        connection.exec_driver_sql(
            "CREATE TRIGGER full BEFORE INSERT ON judgements BEGIN SELECT RAISE(ABORT, 'x'); END"
        )
        connection.exec_driver_sql("CREATE TRIGGER more BEFORE INSERT ON attempts BEGIN SELECT RAISE(ABORT, 'x'); END")
    with pytest.raises(StoreError, match="cannot be added"):
        add_run(engine, run, SimClock())
    with engine.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(RUNS)) == 0


def test_two_at_once_add_each_run_once(tmp_path: Path) -> None:
    for n in range(12):
        _run(tmp_path / "runs", n)
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


def test_a_password_is_never_repeated() -> None:
    done = _rig("history", "--store", "postgresql://rig:secret@127.0.0.1:1/runs")
    assert done.returncode == 3
    assert "secret" not in done.stdout + done.stderr
    assert "cannot be opened as a store" in done.stderr


def test_history_in_words_in_a_file_and_as_json(tmp_path: Path) -> None:
    _run(tmp_path / "runs", 1, serial="A7")
    _run(tmp_path / "runs", 2, serial="B9", value=-0.5)
    store = tmp_path / "runs.sqlite"
    assert _rig("store", "add", tmp_path / "runs", "--store", store).returncode == 0
    done = _rig("history", "--pump", "B9", "--csv", tmp_path / "rows.csv", "--store", store)
    assert "1 values of 1 runs." in done.stdout
    with (tmp_path / "rows.csv").open(newline="") as file:
        assert [row["value"] for row in csv.DictReader(file)] == ["-0.5"]
    rows = json.loads(_rig("history", "--json", "--instrument", "B1", "--store", store).stdout)
    assert [(row["pump_serial"], row["value"]) for row in rows] == [("A7", 0.5), ("B9", -0.5)]
    wrong = _rig("history", "--pump", "B8", "--store", store)
    assert (wrong.returncode, wrong.stderr) == (2, "rig: the store knows no pump serial 'B8'; near to it: B9\n")


def test_a_trend_with_its_limits_and_the_run_that_breaks_a_rule(tmp_path: Path) -> None:
    for n in range(8):
        _run(tmp_path / "runs", n, value=0.1 * (n % 2) + (5.0 if n == 7 else 0.0))
    store = tmp_path / "runs.sqlite"
    _rig("store", "add", tmp_path / "runs", "--store", store)
    done = _rig("trend", MEAN.name, "--baseline", "6", "--svg", tmp_path / "t.svg", "--store", store)
    assert done.returncode == 0, done.stderr
    assert "Rule 1 of Nelson 1984, one value beyond 3 sigma: run 7, 2026-11-23" in done.stdout
    assert (tmp_path / "t.svg").read_text().startswith("<?xml")
    assert "limits need 5 or more" not in done.stdout
    assert _rig("trend", MEAN.name, "--baseline", "3", "--store", store).returncode == 2


def test_simulated_and_real_runs_are_never_mixed(tmp_path: Path, engine: Engine) -> None:
    add_run(engine, _run(tmp_path, 1), SimClock())
    add_run(engine, _run(tmp_path, 2, virtual=True, bench={"virtual": {}}, seed=1), SimClock())
    with pytest.raises(BenchFileError, match="never mixed; say --simulated or --real"):
        stored_trend(engine, MEAN.name)
    assert [point.run_id for point in stored_trend(engine, MEAN.name, simulated=False)] == ["run 1"]


def test_two_firmware_versions_by_welch_and_holm(tmp_path: Path, engine: Engine) -> None:
    before, after = [0.1, 0.3, 0.2, 0.25], [0.6, 0.5, 0.75]
    for n, value in enumerate([*before, *after]):
        firmware = "1.0" if n < len(before) else "2.0"
        add_run(engine, _run(tmp_path, n, value=value, firmware=firmware), SimClock())
    (found,) = compare_firmware(engine, "1.0", "2.0").quantities
    assert found.runs == (4, 3)
    assert found.difference == pytest.approx(np.mean(after) - np.mean(before))
    a, b = np.var(before, ddof=1) / 4, np.var(after, ddof=1) / 3
    df = (a + b) ** 2 / (a**2 / 3 + b**2 / 2)  # Welch-Satterthwaite, by hand
    half = stats.t.ppf(0.975, df) * np.sqrt(a + b)
    assert found.interval == pytest.approx((found.difference - half, found.difference + half))
    with pytest.raises(BenchFileError, match=r"the store knows no firmware '3\.0'"):
        compare_firmware(engine, "1.0", "3.0")


@given(probabilities=st.lists(st.floats(0.0, 1.0), min_size=1, max_size=12))
def test_holm_keeps_the_order_and_never_makes_anything_likelier(probabilities: list[float]) -> None:
    adjusted = holm(probabilities)
    assert all(p <= q <= 1.0 for p, q in zip(probabilities, adjusted, strict=True))
    order = sorted(range(len(adjusted)), key=lambda n: probabilities[n])
    assert [adjusted[n] for n in order] == sorted(adjusted)
    assert min(adjusted) == pytest.approx(min(1.0, len(adjusted) * min(probabilities)))


def test_runs_are_found_below_a_folder_and_nothing_inside_them(tmp_path: Path) -> None:
    for n in range(2):
        _run(tmp_path / "a" / "b", n)
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
    run = writable(_run(tmp_path, 1))
    path = run / "record" / "inputs" / "routine_test.json"
    path.parent.mkdir()
    path.write_text(json.dumps(weighed))
    sealed(run)
    assert add_run(engine, run, SimClock()).became is Added.NEW
    (error,) = stored_trend(engine, "error of the balance at its reference mass")
    (repeatability,) = stored_trend(engine, "repeatability of the balance")
    assert (error.value, error.unit, error.of) == (2.5e-5, "g", "Bench")
    assert (repeatability.value, repeatability.unit) == (4e-6, "g")
