"""What is asked of the simulated laboratory, and its answers over several seeds: mean and spread.

Not responsible for the simulation (`suites.studies.scale.lab`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from suites.studies.scale.lab import DAY_H, MORNING_H, Job, JobKind, LabAsked, LabCount, lab_count

SHORT_FIRST = tuple(
    JobKind(name, hours, share, place)
    for place, (name, hours, share) in enumerate((("15 min", 0.25, 0.5), ("5.5 h", 5.5, 0.35), ("49 h", 49.0, 0.15)))
)


def scenarios(rigs: int) -> dict[str, LabAsked]:
    """The questions to a laboratory of so many rigs, each changing one thing of the first."""
    base = LabAsked(rigs, 0.8)
    return {
        "as it is: load 0.8, MTBF 500 h, 2 % killed": base,
        "load 0.6": replace(base, load=0.6),
        "load 0.9": replace(base, load=0.9),
        "MTBF 100 h": replace(base, mtbf_h=100.0),
        "MTBF 100 h, nothing resumed": replace(base, mtbf_h=100.0, resumes=False),
        "repair in 48 h": replace(base, repair_h=48.0),
        "10 % killed, freed in 1 min": replace(base, killed=0.1),
        "10 % killed, freed in 12 h": replace(base, killed=0.1, freed_h=12.0),
        "all calibrated on one day": replace(base, same_day=True),
        "5 % of the rigs kept for 15 min": replace(base, kept_for_short=max(1, rigs // 20)),
        "short jobs first": replace(base, mix=SHORT_FIRST),
    }


@dataclass(frozen=True)
class ScaleAnswer:
    """A figure over the seeds: mean and standard deviation."""

    mean: float
    spread: float


ANSWERS = (
    "wait of 15 min, p50 (h)",
    "wait of 15 min, p95 (h)",
    "wait of 5.5 h, p95 (h)",
    "wait of 49 h, p95 (h)",
    "night's 15 min and 5.5 h done by 07:00 (%)",
    "rigs busy (%)",
    "of it done twice (%)",
    "rig hours blocked",
    "longest queue",
)


def figures(asked: LabAsked, count: LabCount) -> list[float]:
    """The answers of one simulation, in the order of `ANSWERS`."""
    end_h = (asked.warm_up_d + asked.days) * DAY_H
    waits = {
        kind.name: [(end_h if job.began_h is None else job.began_h) - job.came_h for job in _of(count, kind.name)]
        for kind in asked.mix
    }
    nightly = [job for job in count.jobs if job.in_burst and job.kind.hours < MORNING_H]
    nightly = [job for job in nightly if _morning_after(job.came_h) <= end_h]
    done = [job.ended_h is not None and job.ended_h <= _morning_after(job.came_h) for job in nightly]
    hours = asked.rigs * asked.days * DAY_H
    short, middle, long = (np.array(waits[kind.name]) for kind in asked.mix)
    return [
        float(np.percentile(short, 50)),
        float(np.percentile(short, 95)),
        float(np.percentile(middle, 95)),
        float(np.percentile(long, 95)),
        100.0 * float(np.mean(done)),
        100.0 * count.busy_h / hours,
        100.0 * count.lost_h / count.busy_h,
        count.blocked_h,
        float(count.longest_queue),
    ]


def _of(count: LabCount, kind: str) -> list[Job]:
    return [job for job in count.jobs if job.kind.name == kind]


def _morning_after(came_h: float) -> float:
    return (came_h // DAY_H + 1.0) * DAY_H + MORNING_H


def answers(asked: LabAsked, seeds: Sequence[int]) -> list[ScaleAnswer]:
    """The answers over several seeds."""
    table = np.array([figures(asked, lab_count(asked, seed)) for seed in seeds])
    return [ScaleAnswer(float(column.mean()), float(column.std(ddof=1))) for column in table.T]
