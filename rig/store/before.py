"""The run before a run: the last complete one of its kind, and which requirements have another verdict since.

Of one kind are runs of one bench, plan, selection, condition and model of pump, simulated or real. Not responsible for
trends (`trending`), nor for two firmware versions (`comparing`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, Engine, select

from rig.store.asking import not_resumed
from rig.store.opening import asking
from rig.store.tables import RUNS, VERDICTS

NEVER = "–"
"""Stands for the verdict of a requirement that a run did not have in scope."""

_TOLD = {
    "plan_sha256": "the plan",
    "requirements_sha256": "the requirements",
    "pump_serial": "the pump",
    "pump_firmware": "the pump's firmware",
    "firmware_sha256": "the pump's image",
    "rig_commit": "the rig",
}


@dataclass(frozen=True)
class SinceBefore:
    """What a run has that the one before it had not.

    Attributes:
        run_id, started_utc: the run before.
        changed: verdict before and now by requirement, where they differ.
        differs: what is not the same in both, in words.
    """

    run_id: str
    started_utc: str
    changed: Mapping[str, tuple[str, str]]
    differs: tuple[str, ...]


def since_before(engine: Engine, run_id: str) -> SinceBefore | None:
    """Hold a run against the last complete one of its kind that began before it; None where there is none.

    Raises:
        StoreError: the store does not answer.
    """
    with asking(engine) as connection:
        now = connection.execute(select(RUNS).where(RUNS.c.run_id == run_id)).one_or_none()
        if now is None:
            return None
        alike = [RUNS.c[name].is_not_distinct_from(getattr(now, name)) for name in _KIND]
        before = connection.execute(
            select(RUNS)
            .where(*alike, RUNS.c.outcome == "complete", RUNS.c.started_utc < now.started_utc, not_resumed())
            .order_by(RUNS.c.started_utc.desc(), RUNS.c.run.desc())
            .limit(1)
        ).one_or_none()
        if before is None:
            return None
        was, is_now = (_verdicts(connection, each.run) for each in (before, now))
    changed = {
        name: (was.get(name, NEVER), is_now.get(name, NEVER))
        for name in sorted(was.keys() | is_now.keys())
        if was.get(name) != is_now.get(name)
    }
    differs = tuple(what for name, what in _TOLD.items() if getattr(before, name) != getattr(now, name))
    return SinceBefore(before.run_id, before.started_utc, changed, differs)


_KIND = ("bench", "plan", "selected", "condition", "pump_model", "simulated")


def _verdicts(connection: Connection, run: int) -> dict[str, str]:
    rows = connection.execute(
        select(VERDICTS.c.requirement, VERDICTS.c.verdict).where(VERDICTS.c.run == run, VERDICTS.c.in_scope)
    )
    return {row.requirement: row.verdict for row in rows}
