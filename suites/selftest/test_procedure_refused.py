"""Boluses above the maximum: what is refused delivers nothing, and what a pump accepts is weighed as its failure."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from rig.procedures.refused import DELIVERED, REFUSED, WATCHED, BolusAnswered, Refused
from rig.record.taking import read_taken
from suites.measuring import measured_on
from suites.studies.coverage.laboratory import declared, laboratory
from suites.studies.coverage.whole_bench import watched_bench


@pytest.mark.parametrize(
    ("sizes", "refused", "about_u"),
    [
        ("25.5 U, 30 U, 100 U", (True, True, True), 0.0),
        ("30 U, 1 U", (True, False), 1.0),  # as a pump with too high a maximum would answer
        ("20 U, 30 U", (False, True), 1.5),  # and goes on with after the 60 s for which it is watched
    ],
)
def test_the_share_refused_and_what_came_are_the_truth(
    tmp_path: Path, sizes: str, refused: tuple[bool, ...], about_u: float
) -> None:
    asked = Refused.model_validate({"sizes": sizes, "watch": "60 s", "blank": "300 s"})
    with watched_bench(laboratory(7, declared())) as watched:
        found = measured_on(watched.bench, tmp_path / "taken", asked)
        truth_u, at_s = np.array(watched.balance.truth_u), np.array(watched.balance.at_s)
    taken = read_taken(tmp_path / "taken")
    assert tuple(answer.refused for answer in taken.facts(BolusAnswered)) == refused
    share = found.values[REFUSED.of()]
    assert share.value == pytest.approx(100.0 * sum(refused) / len(refused))
    assert share.expanded_uncertainty == 0.0
    readings = taken.series(WATCHED)
    true_u = float(np.diff(np.interp([readings.at_s[0], readings.at_s[-1]], at_s, truth_u))[0])
    delivered = found.values[DELIVERED.of()]
    assert true_u == pytest.approx(about_u, abs=0.2)
    if not about_u:
        assert abs(delivered.value - true_u) <= delivered.expanded_uncertainty < 0.002
    else:
        assert delivered.value == pytest.approx(true_u, abs=0.02)  # 25 mU a s flow while the balance settles


@pytest.mark.parametrize("sizes", ["30 U, 100 U", ["30 U", "100 U"], (30.0, 100.0)])
def test_sizes_are_written_as_a_protocol_a_plan_and_a_test_write_them(sizes: object) -> None:
    assert Refused.model_validate({"sizes": sizes}).sizes_u == (30.0, 100.0)


@pytest.mark.parametrize(("sizes", "sentence"), [([], "at least 1 item"), ("30", "has no unit")])
def test_sizes_that_are_none_are_refused(sizes: object, sentence: str) -> None:
    with pytest.raises(ValidationError, match=sentence):
        Refused.model_validate({"sizes": sizes})
