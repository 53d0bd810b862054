"""Boluses above the maximum: what is refused delivers nothing, and what a pump accepts is weighed as its failure."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from pydantic import ValidationError

from rig.procedures.refused import DELIVERED, REFUSED, WATCHED, BolusAnswered, Refused
from rig.record.taking import read_taken
from rig.roles import Capability, Pump, require
from rig.units import ul_from_u
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


def test_a_bolus_that_is_refused_for_another_reason_is_not_refused_as_out_of_range(tmp_path: Path) -> None:
    """A pump whose therapy is stopped refuses each bolus: that says nothing of its maximum."""
    with watched_bench(laboratory(7, declared())) as watched:
        pump = cast("Pump", RefusesEverything(watched.bench.pump))
        asked = Refused.model_validate({"sizes": "30 U, 100 U", "watch": "60 s", "blank": "300 s"})
        found = measured_on(replace(watched.bench, pump=pump), tmp_path / "taken", asked)
    answers = read_taken(tmp_path / "taken").facts(BolusAnswered)
    assert [(answer.refused, answer.reason) for answer in answers] == 2 * [(True, "not applicable now")]
    assert found.values[REFUSED.of()].value == 0.0


class RefusesEverything:
    """A pump that stops whenever it is asked for a bolus, and so refuses it."""

    def __init__(self, pump: Pump) -> None:
        self._pump = pump

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the pump has
        return getattr(self._pump, name)

    def bolus(self, insulin_u: float) -> int:
        """Stop, and ask for a bolus within the maximum."""
        self._pump.stop()
        return require(self._pump, Capability.FAST_BOLUS).bolus(min(insulin_u, 1.0))


@pytest.mark.parametrize("sizes", ["30 U, 100 U", ["30 U", "100 U"], (30.0, 100.0)])
def test_sizes_are_written_as_a_protocol_a_plan_and_a_test_write_them(sizes: object) -> None:
    assert Refused.model_validate({"sizes": sizes}).sizes_u == (30.0, 100.0)


@pytest.mark.parametrize(("sizes", "sentence"), [([], "at least 1 item"), ("30", "has no unit")])
def test_sizes_that_are_none_are_refused(sizes: object, sentence: str) -> None:
    with pytest.raises(ValidationError, match=sentence):
        Refused.model_validate({"sizes": sizes})


class DeliversThenRefuses:
    """A pump that gives some insulin beside its drive, takes its time, and then answers as it should."""

    def __init__(self, pump: Pump, world: Any) -> None:  # noqa: ANN401 - a World
        self._pump, self._world = pump, world

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the pump has
        return getattr(self._pump, name)

    def bolus(self, insulin_u: float) -> int:
        """Deliver 0.1 U, and answer 30 s later."""
        self._world.fluid.push(ul_from_u(0.1))
        self._world.clock.sleep(30.0)
        return require(self._pump, Capability.FAST_BOLUS).bolus(insulin_u)


def test_what_comes_until_a_bolus_is_refused_counts(tmp_path: Path) -> None:
    asked = Refused.model_validate({"sizes": "30 U, 100 U", "blank": "600 s"})
    with watched_bench(laboratory(7, declared())) as watched:
        pump = DeliversThenRefuses(watched.bench.pump, watched.world)
        found = measured_on(replace(watched.bench, pump=cast("Pump", pump)), tmp_path / "taken", asked)
    delivered = found.values[DELIVERED.of()]
    assert found.values[REFUSED.of()].value == 100.0
    assert abs(delivered.value - 0.2) <= delivered.expanded_uncertainty < 0.002
