"""A laboratory of alike rigs as a queue (SimPy): jobs come, wait, run, are broken off by failures and kills, come back.

Not responsible for what a job measures, nor for which numbers are worth asking for (`suites.studies.scale.scenarios`).
"""

from __future__ import annotations

import heapq
from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import simpy

DAY_H = 24.0
MORNING_H = 7.0
"""By then people want the results of a night."""

Process = Generator[simpy.Event, Any, None]


@dataclass(frozen=True)
class JobKind:
    """A kind of job: its name, its hours on a rig, its share of all jobs, and its place in the queue, lowest first."""

    name: str
    hours: float
    share: float
    priority: int = 0


MIX = (JobKind("15 min", 0.25, 0.50), JobKind("5.5 h", 5.5, 0.35), JobKind("49 h", 49.0, 0.15))
"""Assumption: half of the jobs are a smoke plan, a third a night, the rest a whole trumpet curve of IEC 60601-2-24."""


@dataclass(frozen=True)
class LabAsked:
    """A laboratory and what comes to it.

    Attributes:
        rigs: how many.
        load: hours of jobs that come in an hour, for each rig, when nothing ever fails.
        mix: the kinds of jobs.
        burst: share of the jobs that come at `burst_at_h` of each day, all at once; the others at any moment.
        mtbf_h: mean busy hours of a rig between two failures, which break its job off.
        repair_h: hours that a failed rig is away.
        resumes: a job that was broken off goes on after its last whole hour; else it begins anew.
        killed: share of the attempts at a job that are killed, at any moment of it.
        freed_h: hours until the rig of a killed job is free.
        calibration_h, calibrated_every_d: hours away, and days between two calibrations of a rig.
        same_day: all rigs are calibrated on one day, else evenly over the days.
        kept_for_short: so many rigs take nothing but jobs of the first kind.
        exponential: hours of jobs are spread exponentially, with the same mean; only to hold against a closed form.
        days: that are looked at, after `warm_up_d` that are not.
    """

    rigs: int
    load: float
    mix: tuple[JobKind, ...] = MIX
    burst: float = 0.6
    burst_at_h: float = 19.0
    mtbf_h: float = 500.0
    repair_h: float = 6.0
    resumes: bool = True
    killed: float = 0.02
    freed_h: float = 1.0 / 60.0
    calibration_h: float = 24.0
    calibrated_every_d: float = 90.0
    same_day: bool = False
    kept_for_short: int = 0
    exponential: bool = False
    days: float = 21.0
    warm_up_d: float = 7.0


@dataclass
class Job:
    """A job: when it came, what it still needs, and when it first ran and ended, in h."""

    kind: JobKind
    came_h: float
    hours: float
    in_burst: bool
    left_h: float = 0.0
    began_h: float | None = None
    ended_h: float | None = None


@dataclass
class LabCount:
    """What a laboratory came to: its jobs, and hours of rigs by what they did, after the warm-up."""

    jobs: list[Job] = field(default_factory=list)
    busy_h: float = 0.0
    lost_h: float = 0.0
    blocked_h: float = 0.0
    away_h: float = 0.0
    longest_queue: int = 0


class _Lab:
    def __init__(self, asked: LabAsked, seed: int) -> None:
        self.asked = asked
        self.env = simpy.Environment()
        self.rng = np.random.default_rng(seed)
        self.count = LabCount()
        self.from_h = asked.warm_up_d * DAY_H
        self.until_h = self.from_h + asked.days * DAY_H
        self._queues: dict[bool, list[tuple[int, float, int, Job]]] = {True: [], False: []}  # short ones apart
        self._idle: dict[bool, list[simpy.Event]] = {True: [], False: []}  # rigs that are kept for short jobs apart
        self._number = 0
        self._running_since_h: dict[int, float] = {}

    def run(self) -> LabCount:
        self.env.process(self._steadily())
        self.env.process(self._in_bursts())
        for number in range(self.asked.rigs):
            self.env.process(self._rig(number))
        self.env.run(self.until_h)
        self.count.busy_h += sum(map(self._counted, self._running_since_h.values()))
        return self.count

    @property
    def _jobs_an_hour(self) -> float:
        mean_h = sum(kind.share * kind.hours for kind in self.asked.mix)
        return self.asked.load * self.asked.rigs / mean_h

    def _steadily(self) -> Process:
        rate = self._jobs_an_hour * (1.0 - self.asked.burst)
        while rate:
            yield self.env.timeout(self.rng.exponential(1.0 / rate))
            self._comes(in_burst=False)

    def _in_bursts(self) -> Process:
        yield self.env.timeout(self.asked.burst_at_h)
        while True:
            for _ in range(self.rng.poisson(self._jobs_an_hour * DAY_H * self.asked.burst)):
                self._comes(in_burst=True)
            yield self.env.timeout(DAY_H)

    def _comes(self, *, in_burst: bool) -> None:
        kinds = self.asked.mix
        kind = kinds[self.rng.choice(len(kinds), p=[each.share for each in kinds])]
        hours = self.rng.exponential(kind.hours) if self.asked.exponential else kind.hours
        job = Job(kind, self.env.now, hours, in_burst, hours)
        if self.env.now >= self.from_h:
            self.count.jobs.append(job)
        self._queue(job)

    def _queue(self, job: Job) -> None:
        """Give a job to a rig that is idle, or let it wait; one that comes again has the age of its first coming."""
        short = job.kind is self.asked.mix[0]
        for kept in (True, False) if short else (False,):
            if self._idle[kept]:
                self._idle[kept].pop().succeed(job)
                return
        self._number += 1
        heapq.heappush(self._queues[short], (job.kind.priority, job.came_h, self._number, job))
        if self.env.now >= self.from_h:
            self.count.longest_queue = max(self.count.longest_queue, sum(map(len, self._queues.values())))

    def _taken(self, *, kept: bool) -> Job | None:
        """Take the job that is first in the queue, of those that a rig may do."""
        waiting = [queue for short, queue in self._queues.items() if queue and (short or not kept)]
        return heapq.heappop(min(waiting, key=lambda queue: queue[0]))[3] if waiting else None

    def _rig(self, number: int) -> Process:
        asked = self.asked
        kept = number < asked.kept_for_short
        every_h = asked.calibrated_every_d * DAY_H
        due_h = self.from_h + DAY_H if asked.same_day else (number + 0.5) / asked.rigs * every_h
        fails_in_h = self.rng.exponential(asked.mtbf_h)
        while True:
            if self.env.now >= due_h:
                yield from self._away(asked.calibration_h)
                due_h += every_h
                continue
            job = self._taken(kept=kept)
            if job is None:
                job = yield from self._called(due_h, kept=kept)
            if job is None:
                continue
            ran_h = yield from self._attempt(job, fails_in_h)
            fails_in_h -= ran_h
            if fails_in_h <= 0.0:
                yield from self._away(asked.repair_h)
                fails_in_h = self.rng.exponential(asked.mtbf_h)

    def _called(self, due_h: float, *, kept: bool) -> Generator[simpy.Event, Any, Job | None]:
        """Wait idle for a job; None where the calibration is due before one comes."""
        call = self.env.event()
        self._idle[kept].append(call)
        yield call | self.env.timeout(due_h - self.env.now)
        if not call.triggered:
            self._idle[kept].remove(call)
            return None
        taken: Job | None = call.value
        return taken

    def _attempt(self, job: Job, fails_in_h: float) -> Generator[simpy.Event, Any, float]:
        """Run a job until it ends, is killed or the rig fails; returns for how many hours."""
        killed_in_h = job.left_h * self.rng.random() if self.rng.random() < self.asked.killed else np.inf
        ran_h = min(job.left_h, killed_in_h, fails_in_h)
        job.began_h = self.env.now if job.began_h is None else job.began_h
        before_h = self.env.now
        self._running_since_h[id(job)] = before_h
        yield self.env.timeout(ran_h)
        self.count.busy_h += self._counted(self._running_since_h.pop(id(job)))
        if ran_h == job.left_h:
            job.ended_h = self.env.now
            return ran_h
        needed_h = job.left_h
        job.left_h = needed_h - float(np.floor(ran_h)) if self.asked.resumes else job.hours
        if self.env.now >= self.from_h:
            self.count.lost_h += job.left_h - (needed_h - ran_h)  # what was done, and is to be done again
        self._queue(job)
        if ran_h == killed_in_h:
            before_h = self.env.now
            yield self.env.timeout(self.asked.freed_h)
            self.count.blocked_h += self._counted(before_h)
        return ran_h

    def _away(self, hours: float) -> Process:
        before_h = self.env.now
        yield self.env.timeout(hours)
        self.count.away_h += self._counted(before_h)

    def _counted(self, since_h: float) -> float:
        """The hours since a moment, as far as they are looked at."""
        return max(0.0, self.env.now - max(since_h, self.from_h))


def lab_count(asked: LabAsked, seed: int) -> LabCount:
    """Simulate a laboratory once."""
    return _Lab(asked, seed).run()
