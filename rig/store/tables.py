"""The tables of a store. Not responsible for filling them (`adding`) nor for asking them (`asking`, `trending`)."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Double, ForeignKey, Index, Integer, MetaData, String, Table

VERSION = 2
"""Of these tables. A store of another version is refused; it can be made anew from the runs at any time."""

METADATA = MetaData()


def _of_run() -> Column[int]:
    return Column("run", Integer, ForeignKey("runs.run", ondelete="CASCADE"), primary_key=True)


STORE = Table("store", METADATA, Column("version", Integer, primary_key=True))

RUNS = Table(
    "runs",
    METADATA,
    Column("run", Integer, primary_key=True),
    Column("head", String(64), nullable=False, unique=True),
    Column("run_id", String, nullable=False, unique=True),
    Column("resumes", String, index=True),
    Column("folder", String, nullable=False),
    Column("started_utc", String, nullable=False),
    Column("ended_utc", String),
    Column("outcome", String, nullable=False),
    Column("verdict", String, nullable=False),
    Column("simulated", Boolean, nullable=False),
    Column("bench", String, nullable=False),
    Column("plan", String),
    Column("plan_sha256", String),
    Column("selected", String),
    Column("condition", String, nullable=False),
    Column("operator", String),
    Column("rig_version", String),
    Column("rig_commit", String),
    Column("requirements_sha256", String, nullable=False),
    Column("firmware_sha256", String),
    Column("pump_maker", String),
    Column("pump_model", String),
    Column("pump_serial", String),
    Column("pump_firmware", String),
    Index("runs_by_time", "started_utc", "run"),
    Index("runs_by_pump", "pump_serial", "started_utc", "run"),
)

INSTRUMENTS = Table(
    "instruments",
    METADATA,
    _of_run(),
    Column("n", Integer, primary_key=True),
    Column("role", String, nullable=False),
    Column("maker", String, nullable=False),
    Column("model", String, nullable=False),
    Column("serial_number", String, nullable=False),
    Column("firmware", String, nullable=False),
    Column("calibrated", String),
    Column("calibration_due", String),
    Column("status", String, nullable=False),
    Index("instruments_by_serial_number", "serial_number", "run"),
)

ATTEMPTS = Table(
    "attempts",
    METADATA,
    _of_run(),
    Column("n", Integer, primary_key=True),
    Column("test", String, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("title", String, nullable=False),
    Column("outcome", String, nullable=False),
    Column("duration_s", Double, nullable=False),
    Column("superseded", Boolean, nullable=False),
)

VERDICTS = Table(
    "verdicts",
    METADATA,
    _of_run(),
    Column("requirement", String, primary_key=True),
    Column("verdict", String, nullable=False),
    Column("reason", String),
    Column("in_scope", Boolean, nullable=False),
    Index("verdicts_by_requirement", "requirement", "run"),
)

VALUES = Table(
    "measured_values",
    METADATA,
    _of_run(),
    Column("n", Integer, primary_key=True),
    Column("test", String, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("kind", String, nullable=False),
    Column("name", String, nullable=False),
    Column("unit", String, nullable=False),
    Column("value", Double, nullable=False),
    Column("expanded_uncertainty", Double),
    Index("values_by_name", "name", "run"),
)

JUDGEMENTS = Table(
    "judgements",
    METADATA,
    _of_run(),
    Column("n", Integer, primary_key=True),
    Column("requirement", String, primary_key=True),
    Column("low", Double),
    Column("high", Double),
    Column("rule", String, nullable=False),
    Column("verdict", String, nullable=False),
    Index("judgements_by_requirement", "requirement", "run", "n"),
)

BENCH_FACTS = Table(
    "bench_facts",
    METADATA,
    _of_run(),
    Column("n", Integer, primary_key=True),
    Column("what", String, nullable=False),
    Column("role", String),
    Column("test", String),
    Column("unit", String, nullable=False),
    Column("value", Double, nullable=False),
    Column("standard_uncertainty", Double),
    Index("bench_facts_by_what", "what", "run"),
)
