"""One measurement outside of a run, for studies, benchmarks and self-tests: taken, then computed from what it left.

Not responsible for requirements and verdicts, which belong to runs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rig.bench.open import open_bench
from rig.procedures.procedure import Computed, Procedure, measure
from rig.record.appending import DirectAppender
from rig.record.taking import Recorder
from rig.roles import Bench
from rig.shipped import DEFAULT_BENCH, shipped

VIRTUAL = shipped(DEFAULT_BENCH)


@contextmanager
def recorded(folder: Path, bench: Bench) -> Iterator[Recorder]:
    """Begin a measurement in a new folder."""
    appender = DirectAppender()
    record = Recorder(folder, bench.clock, appender)
    try:
        yield record
    finally:
        record.close()
        appender.close()


def measured_on(bench: Bench, folder: Path, procedure: Procedure) -> Computed:
    """Take a measurement on an open bench into a folder, and compute it as a run does."""
    with recorded(folder, bench) as record:
        record.asked(procedure.asked)
        return measure(bench, record, procedure)


def measured_virtually(folder: Path, procedure: Procedure, overrides: Mapping[str, Any] | None = None) -> Computed:
    """Do the same on a virtual bench of its own, with settings laid over its file."""
    with open_bench(VIRTUAL, overrides or {}) as bench:
        return measured_on(bench, folder, procedure)
