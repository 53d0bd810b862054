"""Densities and Z against published values; volumes and evaporation against numbers worked by hand."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.analysis.evaporation import EvaporationRate, evaporation_rate, interpolated, rate_between
from rig.analysis.gravimetry import (
    air_density_kg_per_m3,
    corrected_volume_ul,
    immersion_factor,
    water_density_kg_per_m3,
    z_factor_ul_per_mg,
)


@pytest.mark.parametrize(
    ("temperature_c", "density"),
    [(0, 999.8428), (4, 999.9749), (10, 999.7027), (15, 999.1026), (20, 998.2067), (25, 997.0470), (30, 995.6488)],
)
def test_water_density_is_that_of_tanakas_table(temperature_c: float, density: float) -> None:
    """Tanaka et al., Metrologia 38 (2001) 301, table 1, to its last printed figures."""
    assert water_density_kg_per_m3(temperature_c) == pytest.approx(density, abs=2e-4)


def test_the_three_sources_of_water_density_agree_within_5_in_a_million() -> None:
    t = np.linspace(5, 40, 71)
    tanaka = water_density_kg_per_m3(t)
    np.testing.assert_allclose(water_density_kg_per_m3(t, "iso_tr_20461"), tanaka, rtol=5e-6)
    np.testing.assert_allclose(water_density_kg_per_m3(t, "kell_1975"), tanaka, rtol=5e-6)
    assert not np.array_equal(water_density_kg_per_m3(t, "kell_1975"), tanaka)


AIR_TABLE_PRESSURES_HPA = (940, 960, 980, 1000, 1013.25, 1050)
AIR_TABLE = {
    10: (1.156, 1.181, 1.205, 1.230, 1.246, 1.291),
    15: (1.134, 1.158, 1.182, 1.206, 1.222, 1.267),
    20: (1.112, 1.136, 1.160, 1.184, 1.199, 1.243),
}
"""Air density in kg/m³ at 50 % humidity as printed in a densimeter manual's table after Spieweck and Bettin."""


def test_air_density_is_that_of_the_printed_table() -> None:
    density = air_density_kg_per_m3(np.array(list(AIR_TABLE))[:, None], np.array(AIR_TABLE_PRESSURES_HPA))
    np.testing.assert_allclose(density, list(AIR_TABLE.values()), rtol=0, atol=5.1e-4)


def test_moist_air_is_lighter_than_dry_air() -> None:
    """By hand at 20 °C: 0.252·20 − 2.0582 = 2.9818, over 293.15 K: 0.010172 kg/m³ between dry and saturated."""
    assert air_density_kg_per_m3(20, 1000, 0.0) == pytest.approx(348.44 / 293.15)
    difference = air_density_kg_per_m3(20, 1000, 0.0) - air_density_kg_per_m3(20, 1000, 1.0)
    assert difference == pytest.approx(0.010172, abs=1e-6)


Z_TABLE_PRESSURES_HPA = (950, 1000, 1013, 1050)
Z_TABLE = {
    20.0: (1.0028, 1.0028, 1.0029, 1.0029),
    20.5: (1.0029, 1.0029, 1.0030, 1.0030),
    21.0: (1.0030, 1.0031, 1.0031, 1.0031),
    21.5: (1.0031, 1.0032, 1.0032, 1.0032),
    22.0: (1.0032, 1.0033, 1.0033, 1.0033),
    22.5: (1.0033, 1.0034, 1.0034, 1.0034),
    23.0: (1.0034, 1.0035, 1.0035, 1.0036),
    23.5: (1.0036, 1.0036, 1.0036, 1.0037),
}
"""Z in µL/mg as printed in the Sartorius Picus pipette manual (p. 34, after ISO 8655-6)."""


def test_z_is_that_of_the_printed_table() -> None:
    z = z_factor_ul_per_mg(np.array(list(Z_TABLE))[:, None], np.array(Z_TABLE_PRESSURES_HPA))
    assert z.shape == (8, 4)
    np.testing.assert_allclose(z, list(Z_TABLE.values()), rtol=0, atol=1.0e-4)


def test_z_at_20_degrees_and_what_a_density_of_0_998_reads_low() -> None:
    z = z_factor_ul_per_mg(20, 1013)
    assert round(float(z), 4) == 1.0029
    assert 100 * (1 / 0.998 / float(z) - 1) == pytest.approx(-0.084, abs=1e-3)
    assert isinstance(z, float)


@given(st.floats(5, 40), st.floats(600, 1090), st.floats(0, 1))
def test_z_rises_with_temperature_and_with_pressure(t: float, p: float, phi: float) -> None:
    here = z_factor_ul_per_mg(t, p, phi)
    assert z_factor_ul_per_mg(t, p + 10, phi) > here
    if t < 39:
        assert z_factor_ul_per_mg(t + 1, p, phi) > here


def test_a_tube_as_wide_as_half_the_vessel_takes_a_quarter() -> None:
    assert immersion_factor(5, 10) == 0.75
    assert immersion_factor(0, 10) == 1.0


def test_volume_is_mass_plus_evaporation_times_z_times_immersion() -> None:
    """2 h, 10 mg on the balance, 0.5 mg/h lost: 11 mg, Z 1.003, immersion 0.99."""
    volume = corrected_volume_ul(
        [0, 3600, 7200], [50.0, 50.004, 50.010], z_ul_per_mg=1.003, evaporation_mg_per_h=0.5, immersion=0.99
    )
    np.testing.assert_allclose(volume, np.array([0, 4.5, 11.0]) * 1.003 * 0.99, atol=1e-9)


def test_a_changing_evaporation_rate_is_integrated() -> None:
    """0 to 2 mg/h within an hour, then 2 to 0: 1 mg lost in each."""
    volume = corrected_volume_ul([0, 3600, 7200], [50.0] * 3, z_ul_per_mg=1.0, evaporation_mg_per_h=[0, 2, 0])
    np.testing.assert_allclose(volume, [0, 1, 2])


@given(st.floats(-1e6, 1e6), st.floats(0, 100))
def test_start_of_clock_and_load_change_no_volume(shift_s: float, load_g: float) -> None:
    times, mass = np.arange(0, 600, 60.0), 1e-4 * np.arange(10) ** 2
    plain = corrected_volume_ul(times, mass, z_ul_per_mg=1.003, evaporation_mg_per_h=0.3)
    moved = corrected_volume_ul(times + shift_s, mass + load_g, z_ul_per_mg=1.003, evaporation_mg_per_h=0.3)
    np.testing.assert_allclose(moved, plain, atol=1e-7)


def test_evaporation_from_a_blank_run_worked_by_hand() -> None:
    """Times 0, 1, 2, 3 h; mass 0, −1, −1, −2 mg: slope −0.6 mg/h, Σ residual² = 0.2, u = √(0.1/5)."""
    rate = evaporation_rate([0, 3600, 7200, 10800], [0.0, -1e-3, -1e-3, -2e-3])
    assert rate.rate_mg_per_h == pytest.approx(0.6)
    assert rate.u_mg_per_h == pytest.approx(0.02**0.5)
    assert rate.degrees_of_freedom == 2
    assert rate.at_s == 5400


def test_its_uncertainty_covers_the_truth_as_often_as_it_says() -> None:
    """Of 2,000 blank runs with 20 µg of noise, 95 % of the ±t(0.975, 28) u intervals hold the true 0.4 mg/h."""
    rng = np.random.default_rng(8)
    at_s = np.arange(30) * 60.0
    covered = 0
    for _ in range(2000):
        rate = evaporation_rate(at_s, 20.0 - 0.4e-3 * at_s / 3600 + rng.normal(0, 2e-5, 30))
        covered += abs(rate.rate_mg_per_h - 0.4) <= 2.0484 * rate.u_mg_per_h
    assert covered / 2000 == pytest.approx(0.95, abs=0.015)


def test_half_way_between_two_blank_runs() -> None:
    before, after = EvaporationRate(0.4, 0.06, 8, 0.0), EvaporationRate(0.6, 0.08, 10, 3600.0)
    middle = interpolated(before, after, at_s=1800)
    variance = 0.03**2 + 0.04**2 + 0.2**2 / 12
    assert middle.rate_mg_per_h == pytest.approx(0.5)
    assert middle.u_mg_per_h == pytest.approx(variance**0.5)
    assert middle.degrees_of_freedom == pytest.approx(variance**2 / (0.03**4 / 8 + 0.04**4 / 10))
    np.testing.assert_allclose(rate_between(before, after, [0, 900, 3600]), [0.4, 0.45, 0.6])


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: z_factor_ul_per_mg(20, 101.3), "pressure_hpa must be within 500 … 1100, got 101.3"),
        (lambda: z_factor_ul_per_mg(20, 1013, 50), "relative_humidity must be within 0 … 1, got 50"),
        (lambda: z_factor_ul_per_mg(293, 1013), "temperature_c must be within 0 … 40, got 293"),
        (lambda: z_factor_ul_per_mg([20, np.nan], 1013), "temperature_c must be within 0 … 40, got nan"),
        (lambda: z_factor_ul_per_mg("warm", 1013), "temperature_c must be numbers, got 'warm'"),
        (
            lambda: water_density_kg_per_m3(20, "wagner"),  # type: ignore[arg-type]
            "source must be one of tanaka_2001, iso_tr_20461, kell_1975, got 'wagner'",
        ),
        (lambda: immersion_factor(10, 10), "tube_diameter_mm must be below vessel_bore_mm, got 10 and 10"),
        (lambda: immersion_factor(-1, 10), "tube_diameter_mm must not be negative, got -1"),
        (
            lambda: corrected_volume_ul([0, 1], [0, 1], z_ul_per_mg=1, evaporation_mg_per_h=[1, 2, 3]),
            "evaporation_mg_per_h must be one number or one a sample, got 3 for 2",
        ),
        (lambda: corrected_volume_ul([0, 1], [0, 1], z_ul_per_mg=0), "z_ul_per_mg must be above 0, got 0"),
        (lambda: evaporation_rate([0, 1], [0, 1]), "at_s is too short: 2 samples, at least 3 are needed"),
        (
            lambda: interpolated(EvaporationRate(1, 1, 1, 5), EvaporationRate(1, 1, 1, 5), at_s=5),
            "the later blank run must follow the earlier, got 5 s after 5 s",
        ),
        (
            lambda: interpolated(EvaporationRate(1, 1, 1, 0), EvaporationRate(1, 1, 1, 5), at_s=6),
            "at_s must lie between the blank runs, 0 … 5 s, got 6",
        ),
    ],
)
def test_bad_input_is_refused_in_one_sentence(call: Callable[[], object], sentence: str) -> None:
    with pytest.raises(ValueError, match=f"^{sentence}$"):
        call()
