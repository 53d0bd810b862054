"""A reply that is lost once, of whichever instrument, ends no measurement and changes none: it is an incident."""

from __future__ import annotations

from pathlib import Path

import pytest

from rig.clock import NS_PER_S
from rig.procedures.stopped import DELIVERED, STAYS, Stopped
from rig.record.taking import read_taken
from suites.measuring import measured_on
from suites.selftest.test_wires_under_trouble import Incidents
from suites.stands.troubled_line import Trouble, TroubledLine, damaged, late, lost
from suites.studies.coverage.laboratory import declared, laboratory
from suites.studies.coverage.whole_bench import watched_bench

TEN_MINUTES = Stopped(duration_s=600.0)


@pytest.mark.parametrize("trouble", [lost(), damaged(4), late(2.6)], ids=lambda trouble: trouble.name)
def test_a_balance_that_loses_a_reply_now_and_then_ends_no_test(tmp_path: Path, trouble: Trouble) -> None:
    log = Incidents()
    with watched_bench(laboratory(4, declared()), log) as watched:
        line = TroubledLine(watched.world.ports["balance"])
        clock = watched.world.clock
        for minutes in range(1, 40):
            clock.call_at(clock.now_ns + minutes * 60 * NS_PER_S, lambda: line.expect([trouble]))
        found = measured_on(watched.bench, tmp_path / "taken", TEN_MINUTES)
    delivered = found.values[DELIVERED.of()]
    assert abs(delivered.value) <= delivered.expanded_uncertainty
    readings = read_taken(tmp_path / "taken").series(STAYS)
    assert readings.at_s[-1] - readings.at_s[0] >= 600.0
    again = [what for what in log.kept if what.endswith("asked again, answered")]
    assert len(again) >= 10
    assert len(log.kept) == 2 * len(again)
