"""Sensors against the statistics of other people's code, and what goes wrong with them."""

from __future__ import annotations

import numpy as np
import pytest

from rig.patient import cgm
from rig.patient.ketones import empirical_bhb_mmol_per_l, hours_to_bhb
from rig.patient.sensor import MODELS
from rig.patient.sensor_faults import CompressionLow, DropOut, Jump, Stale, shown_with_faults
from suites.studies.patient.reference_data import Reference
from suites.studies.patient.sensor_noise import PUBLISHED, STEP_MIN, correlation, errors_of

REFERENCE = Reference()


@pytest.mark.parametrize("model", PUBLISHED)
def test_noise_has_the_spread_and_the_memory_of_other_peoples(model: str) -> None:
    _, sd, first, second = PUBLISHED[model]
    errors = errors_of(model, STEP_MIN, 400_000)
    assert np.concatenate(errors).std() == pytest.approx(sd, rel=0.01)
    assert abs(np.concatenate(errors).mean()) < 0.1
    assert correlation(errors, 1) == pytest.approx(first, abs=0.005)
    assert correlation(errors, 2) == pytest.approx(second, abs=0.005)


def test_g5_noise_is_that_of_its_closed_form() -> None:
    a1, a2, variance = 1.27, -0.42, 7.64
    sd = np.sqrt((1.0 - a2) * variance / ((1.0 + a2) * ((1.0 - a2) ** 2 - a1**2)))
    errors = errors_of("vettoretti-g5", STEP_MIN, 400_000)
    assert np.concatenate(errors).std() == pytest.approx(sd, rel=0.01)
    assert correlation(errors, 1) == pytest.approx(a1 / (1.0 - a2), abs=0.005)


def test_breton_and_kovatchevs_error_is_skewed_as_theirs() -> None:
    errors = errors_of("breton", 1.0, 800_000)
    everything = np.concatenate(errors)
    assert everything.mean() == pytest.approx(0.742, abs=0.3)
    assert everything.std() == pytest.approx(10.946, rel=0.03)
    assert correlation(errors, 1) == pytest.approx(0.9990, abs=0.005)
    assert correlation(errors, 5) == pytest.approx(0.9761, abs=0.005)
    z = (everything - everything.mean()) / everything.std()
    assert (z**3).mean() == pytest.approx(0.70, abs=0.1)
    assert (z**4).mean() == pytest.approx(5.6, abs=0.8)


@pytest.mark.parametrize(
    ("model", "file", "key"),
    [
        ("facchinetti", "cgm/loopinsight_stats.json", "Facchinetti2014"),
        ("vettoretti-g6", "cgm/loopinsight_stats.json", "Vettoretti2019"),
        ("vettoretti-mean", "cgm/replaybg_mean_sensor.json", None),
    ],
)
def test_without_noise_a_sensor_drifts_as_the_other_code(model: str, file: str, key: str | None) -> None:
    whole = REFERENCE.content(file)
    rows = np.array((whole[key] if key else whole)["noise_free"]["rows"])
    shown = cgm(model, 1).calibrated(rows[:, 0] * 1440.0, rows[:, 1])
    assert shown == pytest.approx(rows[:, 2], abs=1e-6)


@pytest.mark.parametrize("model", MODELS)
def test_a_reading_is_a_matter_of_seed_and_minute_alone(model: str) -> None:
    minutes = np.arange(0.0, 40000.0, 5.0)
    glucose = 120.0 + 60.0 * np.sin(minutes / 200.0)
    at_once, in_portions = cgm(model, 7), cgm(model, 7)
    whole = at_once.read(minutes, glucose)
    parts = [in_portions.read(minutes[a : a + 13], glucose[a : a + 13]) for a in range(0, minutes.size, 13)]
    assert np.concatenate(parts).tobytes() == whole.tobytes()
    assert cgm(model, 8).read(minutes, glucose).tobytes() != whole.tobytes()
    assert whole.min() >= 40.0
    assert whole.max() <= 400.0


def test_an_unknown_sensor_is_named_with_those_that_are_known() -> None:
    with pytest.raises(ValueError, match=r"^there is no sensor 'libre'; there are breton, facchinetti, vettoretti-g5"):
        cgm("libre", 1)
    with pytest.raises(ValueError, match=r"^a seed is a whole number of 0 or more, got -1$"):
        cgm("breton", -1)
    with pytest.raises(ValueError, match=r"^glucose must be finite numbers; a sensor reads no gaps$"):
        cgm("breton", 1).read([0.0, 5.0], [100.0, float("nan")])


def test_faults_of_a_sensor() -> None:
    minutes = np.arange(0.0, 60.0, 5.0)
    shown = np.linspace(100.0, 155.0, 12)
    dropped = shown_with_faults(minutes, shown, [DropOut(10.0, 20.0)])
    assert np.isnan(dropped).tolist() == [False, False, True, True] + [False] * 8
    assert shown_with_faults(minutes, shown, [Stale(10.0, 25.0)])[1:6].tolist() == [105.0, 105.0, 105.0, 105.0, 125.0]
    assert shown_with_faults(minutes, shown, [Jump(30.0, 40.0)])[5:7].tolist() == [125.0, 170.0]
    pressed = shown_with_faults(minutes, shown, [CompressionLow(10.0, 40.0, 90.0)])
    assert pressed[:6].tolist() == [100.0, 105.0, 110.0, 85.0, 60.0, 40.0]
    assert pressed[-1] == 155.0


def test_ketones_rise_by_the_published_line() -> None:
    assert empirical_bhb_mmol_per_l([0.0, 60.0, 360.0]).tolist() == [0.0, 0.0, 0.0038 * 300.0]
    assert hours_to_bhb(1.6) == pytest.approx(8.0, abs=0.05)
    assert hours_to_bhb(3.0) == pytest.approx(14.2, abs=0.05)
    with pytest.raises(ValueError, match="0 or more"):
        empirical_bhb_mmol_per_l([-1.0])
