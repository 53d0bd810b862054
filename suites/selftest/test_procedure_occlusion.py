"""One occlusion: missed by the alarm and released afterwards is the truth, and what a pump pushes on is seen."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rig.bench import open_bench
from rig.errors import EvidenceError
from rig.procedures.between_blanks import scale_between_blanks
from rig.procedures.occlusion import (
    LONGEST,
    LOOK_EVERY_S,
    LOOKS,
    MISSED,
    RELEASED,
    RISE,
    TYPICAL,
    UNALARMED,
    Occlusion,
    OcclusionProvoked,
)
from rig.record.taking import read_taken
from suites.measuring import VIRTUAL, measured_on, measured_virtually
from suites.studies.coverage.laboratory import declared, laboratory
from suites.studies.coverage.whole_bench import watched_bench

ONE = Occlusion(rate_u_per_h=5.0, free_s=120.0, watch_s=120.0, blank_s=300.0)
AT: dict[str, Any] = {"rate": 5.0}


def test_missed_and_released_are_the_truth_and_the_looks_are_in_the_uncertainty(tmp_path: Path) -> None:
    """An alarm is seen up to 10 s late: a rectangle of 5 U/h times that, which at this rate outweighs all else."""
    with watched_bench(laboratory(10, declared())) as watched:
        found = measured_on(watched.bench, tmp_path / "taken", ONE)
        truth_u, at_s = np.array(watched.balance.truth_u), np.array(watched.balance.at_s)
        metrology = watched.bench.metrology
    taken = read_taken(tmp_path / "taken")
    one = taken.the(OcclusionProvoked)

    def came_u(from_s: float, to_s: float) -> float:
        return float(np.diff(np.interp([from_s, to_s], at_s, truth_u))[0])

    assert (one.alarmed, found.values[UNALARMED.of(**AT)].value) == (True, 0.0)
    missed, released = found.values[MISSED.of(**AT)], found.values[RELEASED.of(**AT)]
    programmed_u = 5.0 * (one.alarm_at_s - one.closed_at_s) / 3600.0
    assert abs(missed.value - (programmed_u - came_u(one.closed_at_s, one.alarm_at_s))) <= missed.expanded_uncertainty
    held_s = taken.series("before opening 1").at_s[-1]  # it opens while the relay answers
    assert abs(released.value - came_u(held_s, at_s[-1])) <= released.expanded_uncertainty < 0.01
    budget = found.budgets[MISSED.of(**AT)]
    (looks,) = [row for row in budget.rows if row.source == LOOKS]
    assert looks.contribution == pytest.approx(5.0 * LOOK_EVERY_S / 3600.0 / 3.0**0.5)
    scale = scale_between_blanks(taken, metrology, blank_s=300.0)
    time_s = found.values[LONGEST.of(**AT)].value
    without = scale.budget(missed.value, time_s)
    assert budget.u == pytest.approx(np.hypot(without.u, looks.contribution))
    assert missed.expanded_uncertainty > 5.0 * without.expanded
    assert found.values[TYPICAL.of(**AT)].value == time_s == one.alarm_at_s - one.closed_at_s


def test_pressure_that_rises_after_the_alarm_is_reported_to_the_last_digit(tmp_path: Path) -> None:
    """As of a pump that goes on pushing: 30 kPa more from some reading on, for as long as it is watched."""
    found = measured_virtually(tmp_path, ONE)
    path = tmp_path / "pressure.csv"
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    at = next(n for n, line in enumerate(lines) if line.split(",")[1] == "after occlusion alarm 1")
    at_alarm_kpa = float(lines[at - 1].split(",")[2])
    watched = [n for n, line in enumerate(lines) if line.split(",")[1] == "after occlusion alarm 1" and n >= at + 20]
    pushed_kpa = []
    for n in watched:
        at_s, phase, pressure_kpa = lines[n].split(",")
        pushed_kpa.append(float(pressure_kpa) + 30.0)
        lines[n] = f"{at_s},{phase},{pushed_kpa[-1]!r}\n"
    path.write_text("".join(lines), encoding="utf-8")
    with open_bench(VIRTUAL) as bench:
        pushed = ONE.compute(read_taken(tmp_path), bench.metrology)
    rise = pushed.values[RISE.of(**AT)]
    assert abs(found.values[RISE.of(**AT)].value) < 5.0
    assert rise.value == pytest.approx(max(pushed_kpa) - at_alarm_kpa, abs=1e-9)
    assert rise.expanded_uncertainty == pytest.approx(0.5, rel=1e-3)  # U of the bench file's sensor


def test_an_occlusion_less_than_were_asked_for_is_a_sentence_unless_the_last_was_not_alarmed(tmp_path: Path) -> None:
    measured_virtually(tmp_path, ONE)
    three = ONE.model_copy(update={"count": 3})
    with open_bench(VIRTUAL) as bench:
        metrology = bench.metrology
    with pytest.raises(EvidenceError, match=r"facts\.jsonl: holds 1 OcclusionProvoked, not 3$"):
        three.compute(read_taken(tmp_path), metrology)
    facts = tmp_path / "facts.jsonl"
    said = [json.loads(line) for line in facts.read_text(encoding="utf-8").splitlines()]
    given_up = [each | {"alarmed": False} if each["fact"] == "OcclusionProvoked" else each for each in said]
    facts.write_text("".join(json.dumps(each) + "\n" for each in given_up), encoding="utf-8")
    assert three.compute(read_taken(tmp_path), metrology).values[UNALARMED.of(**AT)].value == 1.0
    facts.write_text("", encoding="utf-8")
    with pytest.raises(EvidenceError, match=r"facts\.jsonl: holds 0 OcclusionProvoked, not 3$"):
        three.compute(read_taken(tmp_path), metrology)


def test_what_is_pressed_into_the_closed_line_first_is_missed_too(tmp_path: Path) -> None:
    """1 U of bolus and 5 U/h on top of it, less what came, which is nothing once the line is closed."""
    asked = ONE.model_copy(update={"pressed_u": 1.0})
    found = measured_virtually(tmp_path / "taken", asked).values
    one = read_taken(tmp_path / "taken").the(OcclusionProvoked)
    missed = found[MISSED.of(rate=5.0, pressed=1.0)]
    assert one.alarmed
    programmed_u = 1.0 + 5.0 * (one.alarm_at_s - one.closed_at_s) / 3600.0
    assert missed.value == pytest.approx(programmed_u, abs=0.05)  # what was in the line's tail at the closing
    assert asked.title == "5 U/h, 1 U pressed first"
    with pytest.raises(ValueError, match="less than what an occlusion is given up after"):
        Occlusion(rate_u_per_h=5.0, pressed_u=7.0)
