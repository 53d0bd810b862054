"""The covariance of a volume series against the budget of two weighings and against simulation."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from rig.analysis.uncertainty import WeighingUncertainty, delivered_volume
from rig.analysis.volume_series import VolumeSeries, volume_series

AT_S = np.arange(0, 7201, 720.0)
MASS_G = 50.0 + 5e-6 * AT_S / 3.6


def a_series(mass_g: NDArray[np.float64] = MASS_G) -> VolumeSeries:
    return volume_series(
        AT_S,
        mass_g,
        z_ul_per_mg=1.003,
        u_z_ul_per_mg=2e-3,
        u_reading_g=3e-6,
        u_calibration_percent=0.1,
        evaporation_mg_per_h=0.5,
        u_evaporation_mg_per_h=0.02,
    )


def test_the_whole_series_has_the_uncertainty_of_its_first_and_last_weighing() -> None:
    """Two ways to one number: the low-rank covariance, and the budget by GTC."""
    volume, u = a_series().difference_ul(0, 10)
    known = WeighingUncertainty(
        repeatability_g=3e-6,
        readability_g=0,
        u_calibration_percent=0.1,
        evaporation_mg_per_h=0.5,
        u_evaporation_mg_per_h=0.02,
        u_z_ul_per_mg=2e-3,
    )
    budget = delivered_volume(MASS_G[0], MASS_G[-1], hours=2, z_ul_per_mg=1.003, uncertainty=known)
    assert volume == pytest.approx(budget.value, rel=1e-12)
    assert u == pytest.approx(budget.u, rel=1e-9)


def test_any_difference_has_the_uncertainty_that_the_covariance_says() -> None:
    series = a_series()
    covariance = series.covariance_ul2()
    assert series.difference_ul(3, 3) == (0.0, 0.0)
    for first, last in ((0, 10), (2, 7), (9, 10)):
        variance = covariance[first, first] + covariance[last, last] - 2 * covariance[first, last]
        assert series.difference_ul(first, last)[1] == pytest.approx(variance**0.5, rel=1e-9)


def test_the_covariance_is_that_of_simulated_records() -> None:
    rng = np.random.default_rng(10)
    hours = AT_S / 3600
    records = []
    for _ in range(4000):
        readings = MASS_G + rng.normal(0, 3e-6, AT_S.size)
        net_mg = (readings - readings[0]) * 1e3 * (1 + rng.normal(0, 1e-3))
        records.append((net_mg + rng.normal(0.5, 0.02) * hours) * rng.normal(1.003, 2e-3))
    simulated = np.cov(np.array(records).T)
    expected = a_series().covariance_ul2()
    scale = np.sqrt(np.outer(np.diag(expected)[1:], np.diag(expected)[1:]))
    np.testing.assert_allclose(simulated[1:, 1:] / scale, expected[1:, 1:] / scale, atol=0.06)
    assert np.allclose(expected[0], 0)


def test_bad_input_is_refused_in_one_sentence() -> None:
    with pytest.raises(ValueError, match=r"^mass_g must be finite, got nan at index 0$"):
        a_series(np.full(AT_S.size, np.nan))
