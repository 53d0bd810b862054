"""The numbers of a log's entries: each that is left out counts, and none that is told twice hides one."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.bench import open_bench
from rig.procedures.log import MISSING, LogRead, PumpLog
from rig.record.taking import read_taken
from rig.roles import Capability, require
from suites.measuring import VIRTUAL, measured_on
from suites.selftest.crafted import METROLOGY, crafted


def missing(folder: Path, sequence: tuple[int, ...]) -> float:
    with crafted(folder) as taken:
        taken.fact(LogRead(at_s=0.0, sequence=sequence))
    (measurement,) = PumpLog().compute(read_taken(folder), METROLOGY).measured
    assert (measurement.quantity, measurement.expanded_uncertainty) == (MISSING.of(), 0.0)
    return measurement.value


@pytest.mark.parametrize(
    ("sequence", "gaps"),
    [((), 0), ((7,), 0), ((1, 2, 3), 0), ((5, 7, 8, 11), 3), ((1, 2, 2, 4), 1), ((3, 1, 2), 0), ((4, 1), 2)],
)
def test_entries_that_are_left_out_are_counted(tmp_path: Path, sequence: tuple[int, ...], gaps: int) -> None:
    assert missing(tmp_path, sequence) == gaps


@given(first=st.integers(0, 2**32), length=st.integers(3, 200), data=st.data())
def test_each_entry_taken_out_of_the_middle_is_one_that_is_missing(
    tmp_path_factory: pytest.TempPathFactory, first: int, length: int, data: st.DataObject
) -> None:
    whole = range(first, first + length)
    out = data.draw(st.sets(st.sampled_from(whole[1:-1])))
    left = tuple(number for number in whole if number not in out)
    assert missing(tmp_path_factory.mktemp("log"), left) == len(out)


def test_the_reference_pump_leaves_out_none(tmp_path: Path) -> None:
    with open_bench(VIRTUAL) as bench:
        bench.pump.run()
        bench.pump.stop()
        entries = [entry.sequence for entry in require(bench.pump, Capability.HISTORY).history()]
        found = measured_on(bench, tmp_path / "taken", PumpLog())
    assert list(read_taken(tmp_path / "taken").the(LogRead).sequence) == entries
    assert len(entries) > 2
    assert [(str(each.quantity), each.value) for each in found.measured] == [
        ("missing log entries", 0.0),
        ("unexpected restarts of the pump", 0.0),
    ]
