"""A sensor that jumps off and back is an error of the rig; a pressure that rises, falls or stays is the pump's."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.analysis.checks import FloatArray
from rig.analysis.pressure_spike import PressureSpike, pressure_spike
from rig.bench.open import open_bench
from rig.errors import BlockedError
from rig.procedures.occlusion import Occlusion
from suites.measuring import VIRTUAL, measured_on

EVERY_S = 10.0
RATE_UL_PER_H = 60.0
MOST_KPA = (RATE_UL_PER_H / 3600.0 * EVERY_S + 0.5) / 0.1 + 10.0 * 0.25
"""What 6 U/h, one dose of 0.05 U and the noise can do in 10 s to the stiffest line: 9.2 kPa."""


def found(pressure_kpa: FloatArray) -> PressureSpike | None:
    """What is seen in readings every 10 s at 6 U/h, by a sensor whose U is 0.5 kPa."""
    return pressure_spike(
        EVERY_S * np.arange(pressure_kpa.size), pressure_kpa, rate_ul_per_h=RATE_UL_PER_H, sd_kpa=0.25
    )


def occluded(readings: int = 60) -> FloatArray:
    """Readings of a line of 0.25 µL/kPa that fills at 6 U/h."""
    return np.linspace(0.0, RATE_UL_PER_H / 3600.0 * EVERY_S / 0.25 * (readings - 1), readings)


@given(at=st.integers(1, 50), lasts=st.integers(1, 3), jump_kpa=st.floats(10.0, 300.0), down=st.booleans())
def test_a_jump_off_and_back_is_named_with_its_moment_and_size(
    at: int, lasts: int, jump_kpa: float, down: bool
) -> None:
    signed_kpa = -jump_kpa if down else jump_kpa
    pressure = occluded()
    pressure[at : at + lasts] += signed_kpa
    spike = found(pressure)
    if down or jump_kpa > MOST_KPA + 1.0:  # upwards the fall back is less than the jump by what was pushed
        assert spike is not None
        assert (spike.from_s, spike.to_s) == (EVERY_S * at, EVERY_S * (at + lasts))
        assert spike.jump_kpa == pytest.approx(signed_kpa + 0.667, abs=1e-3)


@given(at=st.integers(1, 58), jump_kpa=st.floats(-300.0, 300.0))
def test_a_pressure_that_jumps_and_stays_is_no_spike(at: int, jump_kpa: float) -> None:
    pressure = occluded()
    pressure[at:] += jump_kpa
    assert found(pressure) is None


@given(noise_kpa=st.lists(st.floats(-1.0, 1.0), min_size=60, max_size=60), dose_kpa=st.floats(0.0, 5.0))
def test_noise_and_doses_of_a_tight_line_are_no_spikes(noise_kpa: list[float], dose_kpa: float) -> None:
    pressure = occluded() + np.array(noise_kpa)
    pressure[::2] += dose_kpa  # into an open line each dose comes and goes
    assert found(pressure) is None


def test_two_readings_hold_no_spike() -> None:
    assert found(np.array([0.0, 300.0])) is None


@pytest.mark.parametrize("from_s", ["0 s", "900 s"])
def test_a_gauge_with_spikes_is_an_error_of_the_rig(tmp_path: Path, from_s: str) -> None:
    fault = {"device": "pressure", "kind": "spikes", "at": from_s, "period": "20 s"}
    with (
        open_bench(VIRTUAL, {"virtual.fault": [fault]}) as bench,
        pytest.raises(BlockedError, match=r"^pressure: the sensor jumped by [+-]\d+\.?\d* kPa at .*and measure again$"),
    ):
        measured_on(bench, tmp_path / "taken", Occlusion(rate_u_per_h=6.0, blank_s=300.0))
