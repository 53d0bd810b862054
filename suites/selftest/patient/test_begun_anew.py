"""What a controller that is begun anew reads of the pump's own log: the commands that the pump accepted, no others."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from rig.bench.open import open_bench
from rig.errors import BlockedError
from rig.loop.accepted import Accepted, insulin_of
from rig.procedures.alive import Alive, ControllerBegun, ControllerFailed, LoopBegan
from rig.procedures.begun_anew import accepted_by_log, accepted_in
from rig.procedures.commanding import Commanded
from rig.procedures.loop import Loop, refuse_failed
from rig.record.taking import read_taken
from rig.roles.pump import HistoryEvent
from suites.measuring import VIRTUAL, measured_on, recorded

SHORT = Loop.model_validate(
    {"called": "anew", "controller": "pid", "duration": "30 min", "eat": ["00:10 30 g"], "blank": "300 s"}
)


def test_the_pump_s_log_tells_what_it_accepted(tmp_path: Path) -> None:
    with open_bench(VIRTUAL, {}) as bench:
        measured_on(bench, tmp_path / "night", SHORT)
        taken = read_taken(tmp_path / "night")
        minute = (bench.clock.now() - taken.the(LoopBegan).at_s) / 60.0
        found = accepted_by_log(bench, minute)
        with recorded(tmp_path / "anew", bench) as record:
            alive = Alive(SHORT, bench, record)
            alive.begin_controller_anew(round(minute))
            alive.close()
    commanded = [each.accepted for each in taken.facts(Commanded)]
    told = [each for each in found if each.rate_u_per_h is not None or each.bolus_u is not None]
    assert len(commanded) == len(told) == 7
    for ours, theirs in zip(commanded, told, strict=True):
        assert ours is not None
        assert theirs.at_min == pytest.approx(ours.at_min, abs=0.2)
        assert (theirs.rate_u_per_h, theirs.bolus_u) == pytest.approx((ours.rate_u_per_h, ours.bolus_u))
        assert ours.bolus_u is not None or theirs.lasts_min == ours.lasts_min == 30
    assert read_taken(tmp_path / "anew").the(ControllerBegun).accepted == len(found)


def test_entries_are_dated_by_the_clock_that_the_pump_shows() -> None:
    events = [
        HistoryEvent(0, "bolus programmed", -5.0, {"programmed_u": 9.0}),
        HistoryEvent(1, "reference time", 0.0, {"date_time": "2026-03-01T23:00:00"}),
        HistoryEvent(2, "temporary rate started", 3600.0, {"rate_u_per_h": 0.5, "duration_min": 30}),
        HistoryEvent(3, "command refused", 3700.0, {"op_code": "F066", "answer": "no"}),
        HistoryEvent(4, "temporary rate ended", 3900.0, {"duration_min": 5, "end_reason": "cancelled"}),
        HistoryEvent(5, "bolus programmed", 4200.0, {"programmed_u": 1.5}),
    ]
    found = accepted_in(events[1:], datetime(2026, 3, 2, 0, 20), minute=30.0)
    assert found == (Accepted(10.0, rate_u_per_h=0.5, lasts_min=30.0), Accepted(15.0), Accepted(20.0, bolus_u=1.5))
    assert accepted_in(events[:1], datetime(2026, 3, 2), minute=30.0) == ()


def test_a_loop_whose_controller_failed_is_not_judged() -> None:
    refuse_failed(SHORT, ())
    failed = [ControllerFailed(at_s=0.0, at_min=at_min, why="it died") for at_min in (10, 25)]
    with pytest.raises(BlockedError, match=r"gave no decision 2 of 6 times, first at minute 10: it died; it wanted"):
        refuse_failed(SHORT, failed)


def test_insulin_of_accepted_commands_by_hand() -> None:
    accepted = (
        Accepted(-10.0, rate_u_per_h=1.2, lasts_min=12.0),  # two minutes of it lie within
        Accepted(4.0, bolus_u=0.5),
        Accepted(5.2, rate_u_per_h=0.0, lasts_min=30.0),
        Accepted(7.0),  # ended
        Accepted(8.0, rate_u_per_h=3.0, lasts_min=30.0),
        Accepted(9.0, rate_u_per_h=1.8, lasts_min=30.0),  # in its place
    )
    expected = [0.02, 0.02, 0.01, 0.01, 0.51, 0.0, 0.0, 0.01, 0.05, 0.03]
    assert insulin_of(accepted, 0.6, 0, 10) == pytest.approx(expected, abs=1e-12)
