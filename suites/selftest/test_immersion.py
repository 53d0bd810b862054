"""A tube that dips into the vessel: what is shown too much is taken off, and what is not known of it is in U."""

from __future__ import annotations

import math
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.analysis.immersion import FREE, LARGEST_UNSTATED, UNSTATED, immersed
from rig.bench.declared import immersion, metrology
from rig.bench.file import read_bench_file
from rig.bench.open import open_bench
from rig.errors import BenchFileError, BlockedError
from rig.procedures.volume import VolumeScale
from rig.record.taking import Series
from rig.roles import Air
from rig.therapy import BasalSegment
from suites.stands.known_pump import open_ids_bench

VIRTUAL = Path("fixtures/benches/virtual.toml")
DIPPING = {"virtual.parameters.weighing.tube_diameter_mm": 1.2}
STATED = {
    "vessel.outlet": "immersed",
    "vessel.bore": "15 mm",
    "vessel.bore_uncertainty": "0.05 mm",
    "vessel.tube_outer_diameter": "1.2 mm",
    "vessel.tube_outer_diameter_uncertainty": "0.01 mm",
}
UNSAID: dict[str, dict[str, str]] = {"vessel": {}}
AIR = Air(21.5, 1008.0, 0.48)


def read(overrides: Mapping[str, Any]) -> Any:  # noqa: ANN401 - a BenchFile
    return read_bench_file(VIRTUAL, overrides)[0]


def without(*keys: str) -> dict[str, str]:
    return {key: value for key, value in STATED.items() if key.removeprefix("vessel.") not in keys}


def ten_units(overrides: Mapping[str, Any]) -> tuple[float, float]:
    """Deliver a bolus of 10 U on the virtual bench; get its error in % and the U of that, as the bench sees them."""
    with open_ids_bench(VIRTUAL, overrides) as bench:
        bench.pump.set_reservoir_level(300.0)
        bench.pump.set_basal_profile([BasalSegment(1440, 0.0)])
        bench.pump.run()
        at_s, mass_g = [bench.clock.now()], [bench.balance.read_stable().mass_g]
        bench.pump.bolus(10.0)
        bench.clock.sleep(900.0)
        at_s.append(bench.clock.now())
        mass_g.append(bench.balance.read_stable().mass_g)
        scale = VolumeScale.in_air(bench.metrology, bench.environment.read_air())
    readings = Series(np.array(at_s), np.array(mass_g), np.zeros(2))
    budget = scale.budget(float(scale.delivered_u(readings)[-1]), at_s[1] - at_s[0]).error_percent_of(10.0)
    return budget.value, budget.expanded


@given(st.floats(1.0, 50.0), st.floats(0.0, 0.95), st.floats(1.0, 5000.0))
def test_the_pressure_on_the_bottom_times_the_factor_is_the_water_that_came(
    bore_mm: float, share: float, mass_mg: float
) -> None:
    tube_mm = share * bore_mm
    area, tube_area = math.pi / 4 * bore_mm**2, math.pi / 4 * tube_mm**2
    rise_mm = mass_mg / (area - tube_area)  # 1 mg of water is 1 mm³
    shown_mg = rise_mm * area
    found = immersed(tube_diameter_mm=tube_mm, vessel_bore_mm=bore_mm, u_tube_mm=0.0, u_bore_mm=0.0)
    assert found.factor * shown_mg == pytest.approx(mass_mg, rel=1e-9)
    assert found.u == 0.0


def test_a_needle_of_18_gauge_in_15_mm_is_0_64_percent_and_is_known_to_0_014() -> None:
    found = immersed(tube_diameter_mm=1.2, vessel_bore_mm=15.0, u_tube_mm=0.01, u_bore_mm=0.1)
    assert found.factor == pytest.approx(1 - 0.0064)
    assert found.u == pytest.approx(math.hypot(2 * 1.2 / 225 * 0.01, 2 * 1.44 / 3375 * 0.1))
    wider, narrower = (
        immersed(tube_diameter_mm=1.2 + step, vessel_bore_mm=15.0, u_tube_mm=0, u_bore_mm=0).factor
        for step in (0.01, -0.01)
    )
    by_tube = immersed(tube_diameter_mm=1.2, vessel_bore_mm=15.0, u_tube_mm=0.01, u_bore_mm=0.0).u
    assert by_tube == pytest.approx((narrower - wider) / 2, rel=1e-6)


def test_a_tube_as_wide_as_the_vessel_is_refused() -> None:
    with pytest.raises(ValueError, match="tube_diameter_mm must be below vessel_bore_mm, got 15 and 15"):
        immersed(tube_diameter_mm=15.0, vessel_bore_mm=15.0, u_tube_mm=0.1, u_bore_mm=0.1)
    with pytest.raises(BenchFileError, match=r"vessel: tube_outer_diameter must be less than bore, 15 mm"):
        read(STATED | {"vessel.tube_outer_diameter": "15 mm"})


def test_diameters_without_an_outlet_are_refused() -> None:
    sentence = "outlet is missing: say whether the tube dips in, 'immersed', or not, 'free'"
    with pytest.raises(BenchFileError, match=sentence):
        read(UNSAID | {"vessel.bore": "15 mm"})
    with pytest.raises(BenchFileError, match=r"vessel\.outlet is 'wet': input should be 'immersed' or 'free'"):
        read({"vessel.outlet": "wet"})


def test_what_the_bench_file_says_of_the_outlet_is_what_the_bench_corrects() -> None:
    assert immersion(read({})) == FREE
    assert immersion(read(STATED)).factor == pytest.approx(1 - 0.0064)
    assert immersion(read(STATED | {"vessel.outlet": "free"})) == FREE
    assert immersion(read(UNSAID)) == UNSTATED
    assert (UNSTATED.factor, pytest.approx(0.0225 / math.sqrt(3))) == (1.0, UNSTATED.u)


@pytest.mark.parametrize(
    "missing", ["bore", "bore_uncertainty", "tube_outer_diameter", "tube_outer_diameter_uncertainty"]
)
def test_an_immersed_outlet_without_its_diameters_blocks_the_bench(missing: str) -> None:
    with pytest.raises(BlockedError, match=r"vessel\.outlet is 'immersed'.* enter bore, .* in \[vessel\]"):
        metrology(read(without(missing)))
    with pytest.raises(BlockedError, match=r"vessel\.outlet is 'immersed'"), open_bench(VIRTUAL, without(missing)):
        pass


def test_the_command_line_says_so_and_ends_with_3(tmp_path: Path) -> None:
    settings = [word for key, value in without("bore").items() for word in ("--set", f"{key}={value}")]
    for command in (["check"], ["verify", "--select", "stopped", "--out", str(tmp_path / "run")]):
        done = subprocess.run(
            [sys.executable, "-m", "rig", *command, *settings], capture_output=True, text=True, check=False
        )
        assert done.returncode == 3, done.stdout + done.stderr
        assert "vessel.outlet is 'immersed', so what is weighed is too large" in " ".join(done.stdout.split())
        assert "Traceback" not in done.stdout + done.stderr


def test_a_dipping_tube_is_corrected_to_what_a_free_outlet_shows() -> None:
    free, u_free = ten_units({})
    corrected, u_corrected = ten_units(DIPPING | STATED)
    wrong, u_wrong = ten_units(DIPPING)  # a bench file that calls the outlet free
    assert corrected == pytest.approx(free, abs=0.005)
    assert abs(corrected - free) < u_corrected
    assert wrong - free == pytest.approx(0.64, abs=0.02)
    assert u_wrong == pytest.approx(u_free, rel=0.01)
    assert u_corrected > u_free


@pytest.mark.parametrize("tube_mm", [0.0, 1.2, 2.0])
def test_where_nothing_is_said_of_the_outlet_the_uncertainty_holds_the_truth(tube_mm: float) -> None:
    free, _ = ten_units({})
    found, expanded = ten_units(UNSAID | {"virtual.parameters.weighing.tube_diameter_mm": tube_mm})
    assert abs(found - free) < expanded
    assert expanded == pytest.approx(2 * 100 * UNSTATED.u, rel=0.02)


@given(st.floats(0.0, LARGEST_UNSTATED))
def test_the_uncertainty_of_the_unsaid_covers_every_plausible_tube(share: float) -> None:
    shown_too_much = 1.0 / (1.0 - share) - 1.0
    assert shown_too_much < 2.0 * UNSTATED.u


@pytest.mark.parametrize(("overrides", "u"), [(STATED, 1.15e-4), (UNSAID, UNSTATED.u)])
def test_the_budget_has_a_row_for_the_tube(overrides: Mapping[str, Any], u: float) -> None:
    scale = VolumeScale.in_air(metrology(read(overrides)), AIR)
    budget = scale.budget(10.0, 3600.0)
    row = next(row for row in budget.rows if row.source == "immersion of the tube")
    assert (row.kind, row.unit) == ("B", "1")
    assert row.u == pytest.approx(u, rel=0.01)
    assert row.contribution == pytest.approx(10.0 * row.u / row.value, rel=1e-9)
    assert budget.value == pytest.approx(10.0, rel=1e-12)


def test_a_free_outlet_has_no_row_and_changes_no_number() -> None:
    scale = VolumeScale.in_air(metrology(read({})), AIR)
    assert scale.z_ul_per_mg == scale.z_factor_ul_per_mg
    assert "immersion of the tube" not in [row.source for row in scale.budget(10.0, 3600.0).rows]


def test_every_way_from_mass_to_volume_takes_the_tube_into_account() -> None:
    free = VolumeScale.in_air(metrology(read({})), AIR)
    dipping = VolumeScale.in_air(metrology(read(STATED)), AIR)
    readings = Series(np.array([0.0, 3600.0]), np.array([10.0, 10.01]), np.zeros(2))
    factor = 1 - 0.0064
    assert dipping.delivered_u(readings)[-1] == pytest.approx(factor * free.delivered_u(readings)[-1])
    assert dipping.z_ul_per_mg == pytest.approx(factor * free.z_ul_per_mg)
    assert dipping.density_g_per_ml == pytest.approx(free.density_g_per_ml / factor)
    assert dipping.reading_u == pytest.approx(factor * free.reading_u)
