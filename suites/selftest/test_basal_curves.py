"""What a record of basal delivery shows beside its curve: start-up, single doses, steadiness, or why it does not."""

from pathlib import Path

import numpy as np
import pytest

from rig.analysis.allan import flow_stability
from rig.analysis.checks import FloatArray
from rig.analysis.flow import start_up_of_record
from rig.analysis.single_doses import single_doses
from rig.procedures.basal import Basal
from rig.record.analyses import Trumpet
from suites.measuring import measured_virtually

DOSE_UL, INTERVAL_S = 0.5, 180.0


def doses_of(step_s: float, *, hours: float = 10.0, left_out: tuple[int, ...] = ()) -> tuple[FloatArray, FloatArray]:
    """Times in s and volumes in µL of a pump that gives whole doses, each in the middle of its interval."""
    at_s = np.arange(0.0, 3600.0 * hours + 1.0, step_s)
    given = np.floor(at_s / INTERVAL_S + 0.5)
    return at_s, DOSE_UL * (given - sum((given > number).astype(float) for number in left_out))


def test_doses_are_told_apart_with_and_without_the_programme() -> None:
    at_s, volume_ul = doses_of(15.0)
    told = single_doses(at_s, volume_ul, step_s=15.0, longest_gap_s=60.0, dose_interval_s=INTERVAL_S, dose_ul=DOSE_UL)
    untold = single_doses(at_s, volume_ul, step_s=15.0, longest_gap_s=60.0)
    assert told.interval_s == INTERVAL_S
    for doses in (told, untold):
        assert doses.reason is None
        assert doses.found_interval_s == pytest.approx(INTERVAL_S, rel=1e-4)
        assert doses.volumes is not None
        assert doses.volumes.volume_ul == pytest.approx(DOSE_UL, abs=1e-9)
    assert told.missed is not None
    assert (told.missed.missed, untold.missed) == (0, None)


def test_a_dose_that_was_left_out_counts_only_where_the_dose_is_known() -> None:
    at_s, volume_ul = doses_of(15.0, left_out=(40, 90))
    doses = single_doses(at_s, volume_ul, step_s=15.0, longest_gap_s=60.0, dose_interval_s=INTERVAL_S, dose_ul=DOSE_UL)
    assert doses.missed is not None
    assert doses.missed.missed == 2


def test_doses_that_were_weighed_too_seldom_are_not_told_apart_and_the_reason_is_said() -> None:
    at_s, volume_ul = doses_of(90.0)
    doses = single_doses(at_s, volume_ul, step_s=90.0, longest_gap_s=200.0, dose_interval_s=INTERVAL_S)
    assert (doses.interval_s, doses.volumes, doses.missed) == (INTERVAL_S, None, None)
    assert doses.reason == ("samples must be at most a fifth of the dose interval of 180 s apart, got 90 s as a rule")


def test_a_steady_flow_has_no_doses() -> None:
    at_s = np.arange(0.0, 36000.0, 15.0)
    doses = single_doses(at_s, at_s / 360.0, step_s=15.0, longest_gap_s=60.0)
    assert (doses.interval_s, doses.found_interval_s, doses.volumes) == (None, None, None)
    assert doses.reason == "the delivery has no rhythm of 3597 s or less"


def test_the_flow_from_the_start_is_read_between_samples_and_never_across_a_gap() -> None:
    at_s = np.array([0.0, 310.0, 590.0, 900.0, 1220.0, 1795.0])
    mass_g = at_s * 1e-3 / 3600.0  # 1 mg/h
    curve = start_up_of_record(
        at_s, mass_g, start_s=0.0, duration_min=29.0, interval_min=10.0, longest_gap_s=600.0, density_g_per_ml=1.0
    )
    assert curve is not None
    assert curve.at_min.tolist() == [10.0, 20.0]
    assert curve.flow_ul_per_h == pytest.approx([1.0, 1.0])
    assert (
        start_up_of_record(at_s, mass_g, start_s=0.0, duration_min=9.0, interval_min=10.0, longest_gap_s=600.0) is None
    )
    with pytest.raises(ValueError, match="lies in a gap of 320 s"):
        start_up_of_record(at_s, mass_g, start_s=0.0, duration_min=29.0, interval_min=10.0, longest_gap_s=315.0)


def test_a_steady_flow_is_steady_at_every_averaging_time() -> None:
    at_s = np.arange(0.0, 3601.0, 10.0)
    stability = flow_stability(at_s, 7.0 * at_s / 3600.0, interval_s=10.0, longest_gap_s=20.0)
    assert stability.averaging_s[0] == 10.0
    assert stability.averaging_s[-1] == 1000.0  # a third of the record is 1200 s
    assert stability.averaging_s.tolist() == [
        10,
        20,
        30,
        40,
        50,
        60,
        80,
        100,
        130,
        160,
        200,
        250,
        320,
        400,
        500,
        630,
        790,
        1000,
    ]
    assert stability.deviation_ul_per_h == pytest.approx(0.0, abs=1e-9)


def test_readings_that_scatter_by_themselves_fall_with_the_averaging_time() -> None:
    """Independent readings: E (x₂ − 2 x₁ + x₀)² = 6 u², so that σ(τ) = √3 u/τ."""
    at_s = np.arange(0.0, 200_000.0, 1.0)
    noise_ul = np.random.default_rng(5).normal(0.0, 0.01, at_s.size)
    stability = flow_stability(at_s, noise_ul, interval_s=1.0, longest_gap_s=2.0)
    short = stability.averaging_s <= 100.0
    expected = 3600.0 * np.sqrt(3.0) * 0.01 / stability.averaging_s
    assert stability.deviation_ul_per_h[short] == pytest.approx(expected[short], rel=0.02)


def test_a_record_of_two_intervals_has_no_steadiness() -> None:
    with pytest.raises(ValueError, match="shorter than three intervals"):
        flow_stability([0.0, 10.0, 20.0], [0.0, 1.0, 2.0], interval_s=10.0, longest_gap_s=20.0)


def kept(folder: Path, **asked: float) -> Trumpet:
    basal = Basal(rate_u_per_h=1.0, windows_s=(900.0, 3600.0), analysis_s=7200.0, **asked)
    curve = measured_virtually(folder, basal).analyses["trumpet"]
    assert isinstance(curve, Trumpet)
    return curve


def test_a_run_without_stabilisation_has_no_start_up_and_one_that_is_read_too_seldom_neither(tmp_path: Path) -> None:
    assert kept(tmp_path / "cold", stabilisation_s=0.0).start_up is None
    seldom = kept(tmp_path / "seldom", stabilisation_s=7200.0, warm_up_sample_every_s=3600.0)
    assert seldom.start_up is None
    assert seldom.doses_u is not None
