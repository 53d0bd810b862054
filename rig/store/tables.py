"""The tables of a store. Not responsible for filling them (`adding`) nor for asking them (`asking`)."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Double, ForeignKey, Index, Integer, MetaData, String, Table

VERSION = 1
"""Of these tables. A store of another version is refused; it can be made anew from the runs at any time."""

METADATA = MetaData()


def _of_run() -> Column[str]:
    return Column("head", String(64), ForeignKey("runs.head", ondelete="CASCADE"), primary_key=True)


STORE = Table("store", METADATA, Column("version", Integer, primary_key=True))

RUNS = Table(
    "runs",
    METADATA,
    Column("head", String(64), primary_key=True),
    Column("run_id", String, nullable=False, unique=True),
    Column("folder", String, nullable=False),
    Column("started_utc", String, nullable=False),
    Column("ended_utc", String),
    Column("outcome", String, nullable=False),
    Column("verdict", String, nullable=False),
    Column("simulated", Boolean, nullable=False),
    Column("bench", String),
    Column("plan", String),
    Column("selected", String),
    Column("operator", String),
    Column("rig_version", String),
    Column("rig_commit", String),
    Column("requirements_sha256", String, nullable=False),
    Column("firmware_sha256", String),
    Column("pump_maker", String),
    Column("pump_model", String),
    Column("pump_serial", String, index=True),
    Column("pump_firmware", String),
    Column("conditions", String, nullable=False),
)

INSTRUMENTS = Table(
    "instruments",
    METADATA,
    _of_run(),
    Column("n", Integer, primary_key=True),
    Column("role", String, nullable=False),
    Column("maker", String, nullable=False),
    Column("model", String, nullable=False),
    Column("serial_number", String, nullable=False, index=True),
    Column("firmware", String, nullable=False),
    Column("calibrated", String),
    Column("calibration_due", String),
    Column("status", String, nullable=False),
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
)

VALUES = Table(
    "measured_values",
    METADATA,
    _of_run(),
    Column("n", Integer, primary_key=True),
    Column("test", String, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("kind", String, nullable=False),
    Column("name", String, nullable=False, index=True),
    Column("unit", String, nullable=False),
    Column("value", Double, nullable=False),
    Column("expanded_uncertainty", Double),
)

JUDGEMENTS = Table(
    "judgements",
    METADATA,
    _of_run(),
    Column("requirement", String, primary_key=True),
    Column("n", Integer, primary_key=True),
    Column("low", Double),
    Column("high", Double),
    Column("rule", String, nullable=False),
    Column("verdict", String, nullable=False),
)

BENCH_FACTS = Table(
    "bench_facts",
    METADATA,
    _of_run(),
    Column("n", Integer, primary_key=True),
    Column("what", String, nullable=False, index=True),
    Column("test", String, nullable=False),
    Column("unit", String, nullable=False),
    Column("value", Double, nullable=False),
    Column("standard_uncertainty", Double),
)

Index("values_by_name_and_run", VALUES.c.name, VALUES.c.head)
