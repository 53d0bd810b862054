"""One simulated laboratory a run: every input of the budgets drawn from the distribution that the bench declares.

JCGM 101:2008 propagates the distributions assigned to the inputs. So the world of a run has an evaporation, a
sensitivity and a measured air of its own, each as far from what is declared as its standard uncertainty says. Noise,
buoyancy of the vessel and zero are the virtual bench's own. Not responsible for the physics (`rig.virtual`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from rig.bench.declared import metrology
from rig.bench.file import read_bench_file
from rig.procedures.volume import U_PRESSURE_HPA, U_RELATIVE_HUMIDITY, U_TEMPERATURE_C, VolumeScale
from rig.roles import Air, Metrology
from rig.virtual.parameters import VirtualParameters

BENCH = Path("fixtures/benches/virtual.toml")


def declared() -> Metrology:
    """What the virtual bench's file declares."""
    return metrology(read_bench_file(BENCH)[0])


@dataclass(frozen=True)
class Laboratory:
    """One run's world, what it declares, and what its air sensors are wrong by: °C, hPa and relative humidity."""

    seed: int
    declares: Metrology
    parameters: VirtualParameters
    air_error: tuple[float, float, float]

    def scale(self, air: tuple[float, float, float]) -> VolumeScale:
        """The scale that this laboratory would use, which measures `air` with its error."""
        measured = Air(*(true + error for true, error in zip(air, self.air_error, strict=True)))
        return VolumeScale.in_air(self.declares, measured)


def laboratory(seed: int, declares: Metrology) -> Laboratory:
    """Draw one; an evaporation below none (4 SD away) becomes none."""
    rng = np.random.default_rng(seed)
    evaporation_g_per_h = rng.normal(declares.evaporation_g_per_h, declares.evaporation_uncertainty_g_per_h)
    weighing = replace(
        VirtualParameters().weighing,
        noise_g=declares.balance_repeatability_g,
        sensitivity_error_ppm=1e4 * declares.balance_calibration_percent,
        evaporation_mg_per_h=max(0.0, 1e3 * evaporation_g_per_h),
    )
    temperature_c, pressure_hpa, humidity = rng.normal(0.0, (U_TEMPERATURE_C, U_PRESSURE_HPA, U_RELATIVE_HUMIDITY))
    return Laboratory(
        seed, declares, replace(VirtualParameters(), weighing=weighing), (temperature_c, pressure_hpa, humidity)
    )
