"""A pressure sensor that shows one value while a pump pushes into a closed line is an error of the rig."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest

from rig.bench.open import open_bench
from rig.clock import Clock
from rig.errors import BlockedError
from rig.procedures.occlusion import UNALARMED, Occlusion
from rig.roles import PressureSensor
from suites.measuring import VIRTUAL, measured_on

ASKED = Occlusion(rate_u_per_h=5.0, blank_s=300.0)
CLOSED_S = 900.0


class FrozenGauge:
    """The bench's sensor, which repeats its last value from a bench second on."""

    def __init__(self, sensor: PressureSensor, clock: Clock, from_s: float) -> None:
        self._sensor, self._clock, self._from_s = sensor, clock, from_s
        self._kept_kpa: float | None = None

    def __getattr__(self, name: str) -> object:
        return getattr(self._sensor, name)

    def read_kpa(self) -> float:
        """Measure the pressure in kPa, or repeat it."""
        now_kpa = self._sensor.read_kpa()
        if self._clock.now() < self._from_s or self._kept_kpa is None:
            self._kept_kpa = now_kpa
        return self._kept_kpa


@pytest.mark.parametrize("from_s", [0.0, CLOSED_S, CLOSED_S + 300.0], ids=["from the start", "closing", "rising"])
def test_a_frozen_gauge_is_an_error(tmp_path: Path, from_s: float) -> None:
    with open_bench(VIRTUAL) as bench:
        frozen = replace(bench, pressure=cast("PressureSensor", FrozenGauge(bench.pressure, bench.clock, from_s)))
        with pytest.raises(BlockedError, match=r"^pressure: the sensor has shown .* it is frozen, or cut off "):
            measured_on(frozen, tmp_path / "taken", ASKED)
        assert bench.clock.now() < max(from_s, CLOSED_S) + 300.0


def test_a_gauge_that_lives_is_none(tmp_path: Path) -> None:
    with open_bench(VIRTUAL) as bench:
        found = measured_on(bench, tmp_path / "taken", ASKED)
    assert found.values[UNALARMED.of(rate=5.0)].value == 0.0
