"""The simulated laboratory agrees with closed forms: the queue M/M/c, jobs that begin anew, calibrations."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from suites.studies.scale.__main__ import cell, seeds_of
from suites.studies.scale.lab import JobKind, LabAsked, lab_count
from suites.studies.scale.scenarios import ANSWERS, answers, figures, scenarios

NEVER = 1e12
PLAIN = LabAsked(
    5, 0.8, (JobKind("only", 1.0, 1.0),), burst=0.0, mtbf_h=NEVER, killed=0.0, calibrated_every_d=NEVER, days=50.0
)
SEEDS = range(1, 21)


def erlang_c_wait_h(servers: int, load: float, service_h: float) -> float:
    """The mean wait in the queue M/M/c, by Erlang's C (Erlang 1917; Kleinrock 1975, Queueing Systems I, 3.5)."""
    offered = servers * load
    waiting = offered**servers / math.factorial(servers) / (1.0 - load)
    c = waiting / (sum(offered**k / math.factorial(k) for k in range(servers)) + waiting)
    return c * service_h / (servers * (1.0 - load))


@pytest.mark.parametrize(("servers", "load"), [(1, 0.5), (5, 0.8)])
def test_the_mean_wait_is_erlangs(servers: int, load: float) -> None:
    asked = replace(PLAIN, rigs=servers, load=load, exponential=True)
    means = []
    for seed in SEEDS:
        waits = [job.began_h - job.came_h for job in lab_count(asked, seed).jobs if job.began_h is not None]
        means.append(np.mean(waits))
    expected = erlang_c_wait_h(servers, load, 1.0)
    assert float(np.std(means, ddof=1)) / math.sqrt(len(SEEDS)) < 0.08 * expected  # else it would show nothing
    assert float(np.mean(means)) == pytest.approx(expected, abs=4.0 * float(np.std(means, ddof=1)) / len(SEEDS) ** 0.5)


def test_erlangs_c_by_hand() -> None:
    assert erlang_c_wait_h(1, 0.5, 1.0) == pytest.approx(1.0)  # M/M/1: load / (1 - load)
    assert erlang_c_wait_h(2, 0.5, 1.0) == pytest.approx(1.0 / 3.0)  # M/M/2: load² / (1 - load²)


@pytest.mark.parametrize(("resumes", "lost_of_49_h"), [(False, 100.0 * math.expm1(0.49) - 49.0), (True, None)])
def test_hours_that_are_done_twice(resumes: bool, lost_of_49_h: float | None) -> None:
    """A job of L hours that begins anew takes (exp(L / M) - 1) M busy hours, where failures come every M of them."""
    asked = replace(
        PLAIN, rigs=400, load=0.02, mix=(JobKind("only", 49.0, 1.0),), mtbf_h=100.0, repair_h=0.0, resumes=resumes
    )
    shares = []
    for seed in SEEDS:
        count = lab_count(asked, seed)
        shares.append(count.lost_h / count.busy_h)
    once = 0.5 / 100.0  # of each hour that is broken off the half, once in 100 h
    expected = once if lost_of_49_h is None else lost_of_49_h / (lost_of_49_h + 49.0)
    error = float(np.std(shares, ddof=1)) / len(SEEDS) ** 0.5
    assert error < 0.1 * expected
    assert float(np.mean(shares)) == pytest.approx(expected, abs=4.0 * error)


def test_idle_rigs_are_calibrated_when_they_are_due() -> None:
    asked = replace(PLAIN, rigs=90, load=0.001, calibrated_every_d=90.0, days=90.0, warm_up_d=0.0)
    assert lab_count(asked, 1).away_h == pytest.approx(90 * 24.0, abs=24.0)  # each once, evenly over the days
    assert lab_count(replace(asked, same_day=True, days=3.0), 1).away_h == pytest.approx(90 * 24.0)


def test_a_rig_that_is_kept_for_short_jobs_does_no_other() -> None:
    mix = (JobKind("short", 0.25, 0.5), JobKind("long", 49.0, 0.5))
    asked = replace(PLAIN, rigs=4, load=0.1, mix=mix, kept_for_short=4)
    jobs = lab_count(asked, 1).jobs
    assert {job.kind.name for job in jobs if job.began_h is not None} == {"short"}


def test_the_page_has_the_figures_that_the_command_prints() -> None:
    page = Path("docs/scale.md").read_text(encoding="utf-8")
    assert page.count(f"| {' | '.join(ANSWERS)} |") == 2
    for rigs in (20, 1000):
        of_size = page[page.index(f"{rigs} rigs, ") :]
        assert [name for name in scenarios(rigs) if f"\n| {name} | " not in of_size] == []
    name = "load 0.6"
    row = f"| {name} | {' | '.join(cell(each) for each in answers(scenarios(20)[name], seeds_of(20)))} |"
    assert row in page


def test_one_seed_is_one_answer_and_another_one_another() -> None:
    asked = scenarios(20)["load 0.6"]
    assert figures(asked, lab_count(asked, 1)) == figures(asked, lab_count(asked, 1))
    assert figures(asked, lab_count(asked, 1)) != figures(asked, lab_count(asked, 2))
    assert len(answers(replace(asked, days=3.0, warm_up_d=1.0), [1, 2])) == len(ANSWERS)
