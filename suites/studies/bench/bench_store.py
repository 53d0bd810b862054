"""The store: runs put in, beside pandas' `to_sql` with the same rows and tables; and questions to it.

Run by `python -m suites.studies.bench.bench_store`. Not responsible for correctness: suites/selftest is, nor for how
long it takes to read runs from their folders, which are none here.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sqlalchemy import Engine, func, select

from rig.clock import WallClock
from rig.store.adding import put_runs
from rig.store.asking import stored_history
from rig.store.opening import open_store
from rig.store.tables import ATTEMPTS, JUDGEMENTS, RUNS, VALUES, VERDICTS
from rig.store.taking import RunRows
from rig.store.trending import stored_trend

RUNS_PUT = 1000
VALUES_EACH = 24
"""A small run: two tests, and the verdicts of all requirements."""
VERDICTS_EACH = 159
TARGETS = "targets: 60 s for 1,000 runs, 1 s for a question"


def made_up(n: int) -> RunRows:
    """A run of two tests."""
    head = f"{n:064x}"
    rows = RunRows(
        Path(f"runs/{n}"), head, f"run {n}",
        {
            "head": head, "run_id": f"run {n}", "resumes": None, "folder": f"runs/{n}",
            "started_utc": f"2026-{1 + n // 84:02d}-{1 + n // 3 % 28:02d}T{n % 3:02d}:00:00+00:00", "ended_utc": None,
            "outcome": "complete", "verdict": "PASS", "simulated": True, "bench": "Bench", "plan": "small",
            "plan_sha256": "ab" * 32, "selected": None, "condition": "nominal", "operator": None, "rig_version": "1",
            "rig_commit": None, "requirements_sha256": "cd" * 32, "firmware_sha256": "ef" * 32, "pump_maker": "M",
            "pump_model": "P", "pump_serial": f"S{n % 10}", "pump_firmware": "1.0",
        },
    )  # fmt: skip
    for test in range(2):
        rows.attempts.append(
            {"n": test, "test": f"test {test}", "attempt": 1, "title": f"test {test}", "outcome": "passed",
             "duration_s": 60.0, "superseded": False}
        )  # fmt: skip
    for place in range(VALUES_EACH):
        rows.values.append(
            {"n": place, "test": f"test {place % 2}", "attempt": 1, "kind": "quantity", "name": f"quantity {place}",
             "unit": "%", "value": 0.001 * ((n * 7 + place) % 100), "expanded_uncertainty": 0.01}
        )  # fmt: skip
        rows.judgements.append(
            {"n": place, "requirement": f"PR-{place}", "low": -5.0, "high": 5.0, "rule": "simple", "verdict": "PASS"}
        )
    rows.verdicts.extend(
        {"requirement": f"PR-{each}", "verdict": "PASS", "reason": None, "in_scope": each < VALUES_EACH}
        for each in range(VERDICTS_EACH)
    )
    return rows


def put(engine: Engine, runs: list[RunRows]) -> None:
    """Put runs into a store as `rig store add` does."""
    put_runs(engine, runs, WallClock())


def put_by_pandas(engine: Engine, runs: list[RunRows]) -> None:
    """Append the same rows to the same tables, all of a table at once; the numbers of runs are known beforehand."""
    import pandas as pd  # type: ignore[import-untyped,unused-ignore]

    def numbered(of: Callable[[RunRows], list[dict[str, Any]]]) -> Any:  # noqa: ANN401 - a frame of pandas
        return pd.DataFrame([{"run": n, **row} for n, rows in enumerate(runs, start=1) for row in of(rows)])

    with engine.begin() as connection:
        for table, frame in (
            (RUNS, numbered(lambda rows: [rows.run])), (ATTEMPTS, numbered(lambda rows: rows.attempts)),
            (VERDICTS, numbered(lambda rows: rows.verdicts)), (VALUES, numbered(lambda rows: rows.values)),
            (JUDGEMENTS, numbered(lambda rows: rows.judgements)),
        ):  # fmt: skip
            frame.to_sql(table.name, connection, if_exists="append", index=False)


def seconds(work: Callable[[], object]) -> float:
    """How long work takes in s."""
    clock = WallClock()
    begin = clock.now()
    work()
    return clock.now() - begin


def bench_store() -> list[str]:
    """The lines to print."""
    runs = [made_up(n) for n in range(RUNS_PUT)]
    count = sum(rows.size for rows in runs) + len(runs)
    with TemporaryDirectory() as folder, open_store(f"{folder}/ours.sqlite", make=True) as engine:
        ours_s = seconds(lambda: put(engine, runs))
        again_s = seconds(lambda: put(engine, runs))
        page_s = seconds(lambda: list(stored_history(engine, pump="S3", limit=200)))
        requirement_s = seconds(lambda: list(stored_history(engine, requirement="PR-3")))
        trend_s = seconds(lambda: stored_trend(engine, "quantity 3"))
        kept = _counts(engine)
        lines = [
            f"{RUNS_PUT:,} small runs into a new store of SQLite, {count:,} rows ({TARGETS})",
            f"  rig.store          {ours_s:10.2f} s   once more, all there: {again_s:.2f} s",
            f"  history            {page_s:10.3f} s   a page of a pump; {requirement_s:.3f} s all of a requirement",
            f"  trend              {trend_s:10.3f} s   a quantity over all runs",
        ]
        try:
            with open_store(f"{folder}/pandas.sqlite", make=True) as other:
                pandas_s = seconds(lambda: put_by_pandas(other, runs))
                if _counts(other) != kept:
                    raise RuntimeError("pandas put other rows in")
        except ModuleNotFoundError:
            return [*lines, "  pandas             not installed"]
    return [
        *lines,
        f"  pandas to_sql      {pandas_s:10.2f} s   {pandas_s / ours_s:.1f} times as long, one transaction, nothing "
        "looked up",
    ]


def _counts(engine: Engine) -> list[int]:
    with engine.connect() as connection:
        tables = (RUNS, ATTEMPTS, VERDICTS, VALUES, JUDGEMENTS)
        return [connection.scalar(select(func.count()).select_from(table)) or 0 for table in tables]


if __name__ == "__main__":
    sys.stdout.write("\n".join(bench_store()) + "\n")
