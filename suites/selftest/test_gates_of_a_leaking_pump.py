"""A pump that delivers while stopped is the pump's failure, never the vessel's: the gates tell one from the other."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any, cast

import pytest

from rig.bench.open import open_bench
from rig.errors import BlockedError
from rig.procedures.procedure import measure
from rig.procedures.stopped import DELIVERED, Stopped
from rig.record.appending import DirectAppender
from rig.record.taking import Recorder
from rig.roles import Bench, Capability, Pump, PumpStatus, require
from rig.therapy import BasalSegment

VIRTUAL = Path("fixtures/benches/virtual.toml")


class RunsOn:
    """The pump, deaf to stop."""

    def __init__(self, pump: Pump) -> None:
        self._pump = pump
        self._deaf = False

    def __getattr__(self, name: str) -> object:
        return getattr(self._pump, name)

    def run(self) -> None:
        """Start, and be deaf from now on."""
        self._deaf = True
        self._pump.run()

    def stop(self) -> None:
        """Stop, unless it was started."""
        if not self._deaf:
            self._pump.stop()

    def set_basal_profile(self, segments: list[BasalSegment]) -> None:
        """Take the profile and start."""
        require(self._pump, Capability.BASAL_PROFILE).set_basal_profile(segments)

    def status(self) -> PumpStatus:
        """Tell that therapy is stopped, and run."""
        told = self._pump.status()
        self._pump.run()
        return told


def stopped(folder: Path, overrides: Mapping[str, Any], *, runs_on: bool) -> float:
    with closing(DirectAppender()) as appender, open_bench(VIRTUAL, overrides) as bench:
        devices = cast("dict[str, Any]", {**bench.devices, "pump": RunsOn(bench.pump)} if runs_on else bench.devices)
        seen = Bench(clock=bench.clock, metrology=bench.metrology, **devices)
        computed = measure(seen, Recorder(folder, bench.clock, appender), Stopped(duration_s=1800.0))
    return computed.values[DELIVERED.of()].value


def test_a_pump_that_runs_on_is_weighed_and_not_blamed_on_the_vessel(tmp_path: Path) -> None:
    assert stopped(tmp_path / "run", {}, runs_on=True) == pytest.approx(0.5, rel=0.1)


def test_a_pump_that_stops_delivers_nothing(tmp_path: Path) -> None:
    assert stopped(tmp_path / "run", {}, runs_on=False) == pytest.approx(0.0, abs=0.005)


@pytest.mark.parametrize(
    "overrides",
    [
        {"virtual.parameters.weighing.noise_g": 8e-6},
        {"virtual.parameters.weighing.evaporation_mg_per_h": 0.5},
    ],
)
def test_a_bench_that_is_not_fit_still_blocks(tmp_path: Path, overrides: Mapping[str, Any]) -> None:
    with pytest.raises(BlockedError, match="balance: "):
        stopped(tmp_path / "run", overrides, runs_on=False)
