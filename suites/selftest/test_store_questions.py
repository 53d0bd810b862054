"""Questions to a store: pages, series of one kind, and firmware compared like with like."""

from __future__ import annotations

import csv
import datetime
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from sqlalchemy import Engine

from rig.clock import SimClock
from rig.errors import BenchFileError
from rig.record.manifest import Equipment, Resumed
from rig.record.models import Device
from rig.store.adding import add_run
from rig.store.asking import StoredValue, stored_history
from rig.store.comparing import compare_firmware, holm
from rig.store.opening import open_store
from rig.store.trending import TrendOf, stored_trend
from suites.selftest.compared_runs import MEAN, stored_run
from suites.selftest.store_fixtures import VALUES, engine, rig, short_run

__all__ = ["engine"]

OTHER_PUMP = Device(maker="Open Rig", model="RC-2", serial_number="A", firmware="1.0")
OTHER_BALANCE = Equipment(
    role="balance", driver="mettler_xpr", address="ASRL1", maker="Mettler-Toledo", model="XPR26", serial_number="B2",
    firmware="2.00", calibrated=None, calibration_due=None, status="in date",
)  # fmt: skip


def test_history_in_words_in_a_file_and_as_json(tmp_path: Path) -> None:
    short_run(tmp_path / "runs", 1, serial="A7")
    short_run(tmp_path / "runs", 2, serial="B9", value=-0.5)
    store = tmp_path / "runs.sqlite"
    assert rig("store", "add", tmp_path / "runs", "--store", store).returncode == 0
    done = rig("history", "--pump", "B9", "--csv", tmp_path / "rows.csv", "--store", store)
    assert done.stdout == f"Wrote 1 rows to {tmp_path / 'rows.csv'}.\n"
    with (tmp_path / "rows.csv").open(newline="") as file:
        assert [row["value"] for row in csv.DictReader(file)] == ["-0.5"]
    rows = json.loads(rig("history", "--json", "--instrument", "B1", "--store", store).stdout)
    assert [(row["pump_serial"], row["value"]) for row in rows] == [("B9", -0.5), ("A7", 0.5)]
    assert rig("history", "--csv", tmp_path / "rows.csv", "--store", store).returncode == 2
    wrong = rig("history", "--pump", "B8", "--store", store)
    assert (wrong.returncode, wrong.stderr) == (2, "rig: the store knows no pump 'B8'; near to it: B9\n")


def test_history_page_by_page_is_the_whole_newest_run_first(tmp_path: Path, engine: Engine) -> None:
    for n in range(3):
        started = datetime.datetime(2026, 11, 23, n // 2, tzinfo=datetime.UTC)  # two of them in one second
        add_run(engine, stored_run(tmp_path / f"{n}", VALUES, run_id=f"run:{n}", started_utc=started), SimClock())
    whole = list(stored_history(engine))
    assert [row.run_id for row in whole] == ["run:2"] * 3 + ["run:1"] * 3 + ["run:0"] * 3
    for size in (1, 2, 4, 9):
        pages: list[StoredValue] = []
        after = None
        while page := list(stored_history(engine, limit=size, after=after)):
            assert len(page) <= size
            pages, after = [*pages, *page], page[-1].place
        assert pages == whole
    with pytest.raises(BenchFileError, match=r"the store knows no place 'run:9:0'"):
        stored_history(engine, after="run:9:0")


def test_a_run_that_was_gone_on_with_counts_once(tmp_path: Path, engine: Engine) -> None:
    add_run(engine, short_run(tmp_path, 1, outcome="interrupted"), SimClock())
    assert [row.run_id for row in stored_history(engine)] == ["run 1"]
    add_run(engine, short_run(tmp_path, 2, resumes=Resumed(run_id="run 1", closing_sha256="ab" * 32)), SimClock())
    assert [row.run_id for row in stored_history(engine)] == ["run 2"]
    assert [point.run_id for point in stored_trend(engine, MEAN.name)] == ["run 2"]


@pytest.fixture(scope="module")
def eight_runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store of eight runs, of which the last leaps."""
    folder = tmp_path_factory.mktemp("eight")
    with open_store(str(folder / "runs.sqlite"), make=True) as engine:
        for n in range(8):
            add_run(engine, short_run(folder, n, value=0.1 * (n % 2) + (5.0 if n == 7 else 0.0)), SimClock())
    return folder / "runs.sqlite"


def test_a_trend_with_its_limits_and_the_run_that_breaks_a_rule(eight_runs: Path, tmp_path: Path) -> None:
    store = eight_runs
    done = rig("trend", MEAN.name, "--baseline", "6", "--svg", tmp_path / "t.svg", "--store", store)
    assert done.returncode == 0, done.stderr
    assert "Bench; pump RC-1; plan short; condition nominal; balance B1." in done.stdout
    assert "Rule 1 of Nelson 1984, one value beyond 3 sigma: run 7, 2026-11-23" in done.stdout
    assert (tmp_path / "t.svg").read_text().startswith("<?xml")
    assert "limits need 5 or more" not in done.stdout
    assert rig("trend", MEAN.name, "--baseline", "3", "--store", store).returncode == 2
    told = json.loads(rig("trend", MEAN.name, "--baseline", "6", "--json", "--store", store).stdout)
    assert [point["run_id"] for point in told["points"]] == [f"run {n}" for n in range(8)]
    assert {"rule": 1, "meaning": "one value beyond 3 sigma", "at": 7} in told["chart"]["found"]
    assert told["points"][0]["instruments"] == {"balance": "B1"}


def test_a_trend_overwrites_nothing_and_never_draws_nothing_in_silence(
    eight_runs: Path, tmp_path: Path, engine: Engine
) -> None:
    there = tmp_path / "there"
    there.write_text("mine")
    for option, other in (("--svg", "--csv"), ("--csv", "--svg")):
        done = rig("trend", MEAN.name, option, there, other, tmp_path / "new", "--store", eight_runs)
        assert (done.returncode, there.read_text()) == (2, "mine")
        assert done.stderr == f"rig: {option} {there}: is there already; name a new file\n"
        assert not (tmp_path / "new").exists()
    for n in range(4):
        add_run(engine, short_run(tmp_path, n), SimClock())
    done = rig("trend", MEAN.name, "--svg", tmp_path / "few.svg", "--store", tmp_path / "runs.sqlite")
    assert done.returncode == 3
    assert "no chart was drawn" in done.stderr
    assert "has 4 values of one kind, and limits need 5 or more" in done.stderr
    assert not (tmp_path / "few.svg").exists()


@pytest.mark.parametrize(
    ("other", "choices", "series"),
    [
        ({"bench": {"name": "Other"}}, "benches, .*'Bench' .*'Other' .*say --bench", TrendOf(bench="Other")),
        (
            {"conditions": {"head": 0.5}},
            "conditions, .*'head 0.5 m' .*'nominal' .*say --condition",
            TrendOf(condition="head 0.5 m"),
        ),
        ({"virtual": True, "seed": 1}, "kinds of run, .*'real' .*'simulated' .*say --sim", TrendOf(simulated=True)),
        ({"equipment": (OTHER_BALANCE,)}, "instruments as balance, .*'B1' .*'B2' .*say --instrument",
         TrendOf(instruments=("B2",))),
        ({"dut": OTHER_PUMP}, "models of pump, .*'RC-1' .*'RC-2' .*say --model", TrendOf(model="RC-2")),
    ],
)  # fmt: skip
def test_what_differs_in_kind_is_never_one_series(
    other: dict[str, Any], choices: str, series: TrendOf, tmp_path: Path, engine: Engine
) -> None:
    add_run(engine, short_run(tmp_path, 1), SimClock())
    add_run(engine, short_run(tmp_path, 2, **other), SimClock())
    with pytest.raises(BenchFileError, match=choices):
        stored_trend(engine, MEAN.name)
    assert [point.run_id for point in stored_trend(engine, MEAN.name, series)] == ["run 2"]


def test_two_firmware_versions_by_welch_and_holm(tmp_path: Path, engine: Engine) -> None:
    before, after = [0.1, 0.3, 0.2, 0.25], [0.6, 0.5, 0.75]
    for n, value in enumerate([*before, *after]):
        firmware = "1.0" if n < len(before) else "2.0"
        add_run(engine, short_run(tmp_path, n, value=value, firmware=firmware), SimClock())
    compared = compare_firmware(engine, "1.0", "2.0")
    assert compared.apart == ()
    (found,) = compared.quantities
    assert found.runs == (4, 3)
    assert found.difference == pytest.approx(np.mean(after) - np.mean(before))
    a, b = np.var(before, ddof=1) / 4, np.var(after, ddof=1) / 3
    df = (a + b) ** 2 / (a**2 / 3 + b**2 / 2)  # Welch-Satterthwaite, by hand
    half = stats.t.ppf(0.975, df) * np.sqrt(a + b)
    assert found.interval == pytest.approx((found.difference - half, found.difference + half))
    with pytest.raises(BenchFileError, match=r"the store knows no firmware '3\.0'"):
        compare_firmware(engine, "1.0", "3.0")


def test_firmware_is_compared_like_with_like_and_the_rest_is_named(tmp_path: Path, engine: Engine) -> None:
    cold: dict[str, Any] = {"conditions": {"temperature": 10.0}}
    other_rules = {"requirements_sha256": "99" * 32}
    for n, (firmware, value, kind) in enumerate([
        ("1.0", 1.0, {}), ("1.0", 9.0, cold), ("2.0", 2.0, other_rules), ("2.0", 2.5, {"bench": {"name": "Other"}}),
    ]):  # fmt: skip
        add_run(engine, short_run(tmp_path, n, value=value, firmware=firmware, **kind), SimClock())
    found = compare_firmware(engine, "1.0", "2.0")
    assert [(each.basis.condition, each.means) for each in found.quantities] == [("nominal", (1.0, 2.25))]
    nominal = "pump RC-1, plan short (aaaaaaaa), condition nominal"
    assert found.apart == (
        f"{nominal}: 1.0 was measured on Bench, 2.0 on Bench, Other; what differs may be the bench",
        "not compared, as 1.0 alone has it: pump RC-1, plan short (aaaaaaaa), condition temperature 10 °C (1 runs)",
        f"{nominal}: verdicts not compared, as 2.0 alone was judged by requirements 99999999",
    )
    add_run(engine, short_run(tmp_path, 5, firmware="3.0", plan=None), SimClock())
    with pytest.raises(BenchFileError, match=r"no run of 1\.0 is like one of 3\.0: 1\.0 was run with .*plan unknown"):
        compare_firmware(engine, "1.0", "3.0")
    add_run(engine, short_run(tmp_path, 6, firmware="2.0", virtual=True, seed=1), SimClock())
    with pytest.raises(BenchFileError, match="never mixed; say --simulated or --real"):
        compare_firmware(engine, "1.0", "2.0")
    assert compare_firmware(engine, "1.0", "2.0", simulated=False) == found


@given(probabilities=st.lists(st.floats(0.0, 1.0), min_size=1, max_size=12))
def test_holm_keeps_the_order_and_never_makes_anything_likelier(probabilities: list[float]) -> None:
    adjusted = holm(probabilities)
    assert all(p <= q <= 1.0 for p, q in zip(probabilities, adjusted, strict=True))
    order = sorted(range(len(adjusted)), key=lambda n: probabilities[n])
    assert [adjusted[n] for n in order] == sorted(adjusted)
    assert min(adjusted) == pytest.approx(min(1.0, len(adjusted) * min(probabilities)))


def test_the_time_base_is_charted_where_something_keeps_it_right(tmp_path: Path, engine: Engine) -> None:
    add_run(engine, short_run(tmp_path, 1, clock_correction_ppm=-12.5, clock_largest_error_s=0.002), SimClock())
    add_run(engine, short_run(tmp_path, 2, conditions={"head": 0.5}, serial="B"), SimClock())
    (rate,) = stored_trend(engine, "correction of the host's clock rate")
    (error,) = stored_trend(engine, "largest error of the host's clock")
    assert [(each.value, each.unit, each.bench) for each in (rate, error)] == [
        (-12.5, "ppm", "Bench"), (0.002, "s", "Bench"),
    ]  # fmt: skip
    assert (rate.pump, rate.condition, rate.instruments) == (None, None, {})
