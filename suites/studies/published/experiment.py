"""Virtual units weighed for 12 h without warm-up, analysed by the rig's functions, and experiments with 12 of them.

Not responsible for the published numbers (`omnipod`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from rig.analysis.flow import volume_after_h
from rig.procedures.sampling import series_of
from rig.units import u_from_ul
from rig.virtual.parameters import DriveParameters
from suites.studies.coverage.laboratory import declared, laboratory
from suites.studies.coverage.light import LightBench
from suites.studies.published.omnipod import DOSE_U, PUBLISHED, UNITS, Spread

PRIMING_DOSES = 40
"""So many doses go before, so that stick-slip has forgotten how it began. Assumption."""
HOURS = (1, 12)
EXPERIMENTS = 4000
BAND_PERCENT = (2.5, 97.5)


@dataclass(frozen=True)
class Band:
    """Median and 95 % of many experiments with 12 units: what one experiment may find."""

    typical: Spread
    low: Spread
    high: Spread

    def holds(self, found: Spread) -> dict[str, bool]:
        """Tell for each number of one experiment whether it lies in the band."""
        return {
            name: getattr(self.low, name) <= getattr(found, name) <= getattr(self.high, name)
            for name in ("median_u", "least_u", "most_u")
        }


def unit_volumes_u(seed: int, rate_u_per_h: float, drive: DriveParameters) -> list[float]:
    """What one unit delivered after 1 h and 12 h, as weighed, in U."""
    lab = laboratory(seed, declared())
    lab = replace(lab, parameters=replace(lab.parameters, drive=drive))
    bench = LightBench(lab, dose_u=DOSE_U)
    bench.bolus(PRIMING_DOSES * DOSE_U)
    bench.clock.sleep(600.0)
    interval_s = DOSE_U / rate_u_per_h * 3600.0
    samples = bench.basal(
        rate_u_per_h, first_dose_s=interval_s / 2.0, duration_s=HOURS[-1] * 3600.0, sample_every_s=3600.0
    )
    scale = lab.scale(bench.air)
    volume_ul = volume_after_h(
        HOURS, scale.dry_mass_g(series_of(samples)), interval_min=60.0, density_g_per_ml=scale.density_g_per_ml
    )
    return [u_from_ul(float(volume)) for volume in volume_ul]


def bands(units: int, drive: DriveParameters) -> dict[tuple[float, int], Band]:
    """Simulate so many units, and draw experiments of 12 from them, no unit twice; by rate in U/h and hours."""
    rng = np.random.default_rng(1)
    drawn = np.array([rng.choice(units, UNITS, replace=False) for _ in range(EXPERIMENTS)])
    found = {}
    for rate_u_per_h in sorted({rate for rate, _ in PUBLISHED}):
        volumes_u = np.array([unit_volumes_u(seed, rate_u_per_h, drive) for seed in range(units)])
        for index, hours in enumerate(HOURS):
            found[rate_u_per_h, hours] = _band(volumes_u[drawn, index])
    return found


def _band(volumes_u: np.ndarray) -> Band:
    each = np.stack([np.median(volumes_u, axis=1), volumes_u.min(axis=1), volumes_u.max(axis=1)])
    low, high = (Spread(*np.percentile(each, percent, axis=1).tolist()) for percent in BAND_PERCENT)
    return Band(Spread(*np.median(each, axis=1).tolist()), low, high)
