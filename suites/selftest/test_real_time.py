"""Faults are provoked in real time on a served bench, of which the rig knows no more than of a laboratory's."""

from __future__ import annotations

from pathlib import Path

from rig.bench.file import read_bench_file
from suites.studies.real_time import SPEED_U_PER_S, WITHIN_U, Shown, shown_on_a_served_bench


def test_a_reservoir_is_taken_out_and_a_link_lost_where_only_wires_lead_to_the_pump(tmp_path: Path) -> None:
    found: list[Shown] = []
    shown_on_a_served_bench(tmp_path, found.append)
    assert read_bench_file(tmp_path / "served.toml")[0].virtual is None
    lost, out = found
    assert (lost.fault, out.fault) == ("F26", "F14 removed")
    assert lost.agrees
    assert abs(lost.weighed_u - 0.15) <= WITHIN_U, "the bolus was not finished without the link"
    assert out.agrees
    assert abs(out.weighed_u - 3.0 * SPEED_U_PER_S) <= WITHIN_U, "it did not stop when the reservoir was taken out"
    assert out.alarm_after_s is not None
    assert out.alarm_after_s <= 2.0
