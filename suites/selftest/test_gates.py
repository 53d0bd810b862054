"""Blank runs: the numbers they give, the gates they hold, and that an unfit bench is never the pump's fault."""

import json
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.analysis.blank_run import change_of_rate, largest_credible_sd, repeatability_g
from rig.analysis.evaporation import EvaporationRate, with_earlier_knowledge
from rig.bench.open import open_bench
from rig.errors import BenchFileError, BlockedError
from rig.procedures.gates import BlankRun, blank_run, with_blanks
from rig.procedures.volume import VolumeScale
from rig.roles import Air
from suites.measuring import recorded

VIRTUAL = Path("fixtures/benches/virtual.toml")
WEIGHING = "virtual.parameters.weighing"


def blank(folder: Path, overrides: Mapping[str, Any]) -> BlankRun:
    with open_bench(VIRTUAL, overrides) as bench, recorded(folder, bench) as record:
        return blank_run(bench, record, "opening", duration_s=600.0)


def test_repeatability_is_that_of_the_steps_and_blind_to_a_steady_drift() -> None:
    assert repeatability_g([0.0, 1.0, 0.0, 1.0]) == (pytest.approx(np.sqrt(0.5)), pytest.approx(18 / 8))
    noise = np.random.default_rng(1).normal(0.0, 2e-6, 20_001)
    assert repeatability_g(noise)[0] == pytest.approx(2e-6, rel=0.02)
    assert repeatability_g(noise + 1e-7 * np.arange(20_001))[0] == pytest.approx(2e-6, rel=0.02)


@given(st.lists(st.floats(-1, 1), min_size=3, max_size=30), st.floats(-10, 10))
def test_repeatability_does_not_know_the_load(readings: list[float], load_g: float) -> None:
    assert repeatability_g(np.array(readings) + load_g)[0] == pytest.approx(repeatability_g(readings)[0], abs=1e-9)


def test_the_largest_credible_sd_is_the_tables() -> None:
    assert largest_credible_sd(2.0, 10.0, share=0.95) == pytest.approx(2.0 * np.sqrt(18.307 / 10.0), rel=1e-5)
    with pytest.raises(ValueError, match="share must be between 0 and 1, got 1"):
        largest_credible_sd(2.0, 10.0, share=1)


def test_a_steady_loss_does_not_change_and_one_that_doubles_does() -> None:
    at_s = np.arange(0.0, 3601.0, 60.0)
    steady_g = -1e-3 * at_s / 3600.0
    assert change_of_rate(at_s, steady_g)[0] == pytest.approx(0.0, abs=1e-9)
    bent_g = steady_g - 1e-3 * np.clip(at_s - 1770.0, 0.0, None) / 3600.0
    assert change_of_rate(at_s, bent_g)[0] == pytest.approx(1.0, abs=1e-6)
    with pytest.raises(ValueError, match="at least 6"):
        change_of_rate([0, 1, 2, 3, 4], [0, 0, 0, 0, 0])


@pytest.mark.parametrize("seed", range(1, 13))
def test_a_fit_bench_passes_and_shows_its_evaporation(tmp_path: Path, seed: int) -> None:
    found = blank(tmp_path / "run", {"virtual.seed": seed})
    assert found.evaporation.rate_mg_per_h == pytest.approx(0.02, abs=0.05)
    assert 1e-6 < found.repeatability_g < 3e-6


def test_a_blank_run_knows_the_evaporation_no_better_than_the_blank_wanders(tmp_path: Path) -> None:
    wandering = blank(tmp_path / "wandering", {"fluid.blank_wander_per_hour": "9.5 µg"})
    still = blank(tmp_path / "still", {"fluid.blank_wander": "0 µg", "fluid.blank_wander_per_hour": "0 µg"})
    u_wander_mg_per_h = np.sqrt(wandering.evaporation.u_mg_per_h**2 - still.evaporation.u_mg_per_h**2)
    assert u_wander_mg_per_h == pytest.approx(0.0095)


@pytest.mark.parametrize(
    ("overrides", "found", "remedy"),
    [
        ({f"{WEIGHING}.noise_g": 8e-6}, "scatter by", "keep off draught and vibration"),
        ({f"{WEIGHING}.warm_up_g": 2e-4, f"{WEIGHING}.warm_up_s": 600.0}, "its drift changed by", "warm-up"),
        ({f"{WEIGHING}.evaporation_mg_per_h": 0.5}, "the vessel lost 0.5", "renew the oil film or the cover"),
        ({"fluid.evaporation_per_hour": "0.5 mg"}, "allows 0.5 ± 0.0", "look for a drip, a leak or a siphon"),
        ({"virtual.parameters.air.temperature_c": 33.0}, "33.", "bring the room into its band"),
        ({"virtual.parameters.air.relative_humidity": 0.1}, "relative humidity", "bring the room into its band"),
    ],
)
def test_an_unfit_bench_is_blocked_with_what_to_do(
    tmp_path: Path, overrides: Mapping[str, Any], found: str, remedy: str
) -> None:
    with pytest.raises(BlockedError) as blocked:
        blank(tmp_path / "run", overrides)
    assert found in str(blocked.value)
    assert remedy in str(blocked.value)


def test_the_analysis_joins_the_evaporation_between_both_blank_runs_with_what_the_bench_file_knows() -> None:
    before = BlankRun(EvaporationRate(0.10, 0.03, 50.0, 0.0), 2e-6)
    after = BlankRun(EvaporationRate(0.16, 0.03, 50.0, 7200.0), 2e-6)
    with open_bench(VIRTUAL) as bench:
        found = with_blanks(bench.metrology, before, after)
    # now: 0.13 mg/h, with halves of each run's u and a rectangle over their difference; earlier: 0.02 ± 0.005 mg/h
    now, earlier = 1 / (2 * 0.015**2 + 0.06**2 / 12), 1 / 0.005**2
    assert found.evaporation_g_per_h * 1e3 == pytest.approx((now * 0.13 + earlier * 0.02) / (now + earlier))
    assert found.evaporation_uncertainty_g_per_h * 1e3 == pytest.approx((now + earlier) ** -0.5)
    assert found.balance_repeatability_g == pytest.approx(2.5e-6)


def fluid(**said: str) -> dict[str, Any]:
    """Lay a fluid of 0.02 ± 0.005 mg/h over the bench file's, with a source only where one is said."""
    return {"fluid": {"evaporation_per_hour": "0.02 mg", "evaporation_uncertainty_per_hour": "0.005 mg"} | said}


def test_an_evaporation_without_its_source_joins_nothing_and_the_blank_runs_alone_speak() -> None:
    before = BlankRun(EvaporationRate(0.10, 0.03, 50.0, 0.0), 2e-6)
    after = BlankRun(EvaporationRate(0.10, 0.03, 50.0, 7200.0), 2e-6)
    with open_bench(VIRTUAL, fluid()) as bench:
        found = with_blanks(bench.metrology, before, after)
    assert found.evaporation_g_per_h * 1e3 == pytest.approx(0.10)
    assert found.evaporation_uncertainty_g_per_h * 1e3 == pytest.approx(0.03 / np.sqrt(2))
    assert found.evaporation_source is None


def test_an_evaporation_without_its_source_still_says_what_is_plausible(tmp_path: Path) -> None:
    with pytest.raises(BlockedError, match=r"the vessel lost 0\.5"):
        blank(tmp_path / "run", {**fluid(), f"{WEIGHING}.evaporation_mg_per_h": 0.5})


@pytest.mark.parametrize(
    ("overrides", "row"),
    [
        ({}, "evaporation, with earlier blank runs (simulated: parameters of the virtual world, 2026-11-23)"),
        (
            fluid(evaporation_source="runs 17, 18", evaporation_date="2026-03-16"),
            "evaporation, with earlier blank runs (runs 17, 18, 2026-03-16)",
        ),
        (fluid(), "evaporation"),
        (
            {"fluid": {"evaporation_source": "runs 17, 18", "evaporation_date": "2026-03-16"}},
            "evaporation",  # without an uncertainty there is nothing to join
        ),
    ],
)
def test_a_budget_says_whether_and_from_where_earlier_knowledge_was_used(
    overrides: Mapping[str, Any], row: str
) -> None:
    blank_of_an_hour = BlankRun(EvaporationRate(0.02, 0.01, 50.0, 0.0), 2e-6)
    with open_bench(VIRTUAL, overrides) as bench:
        later = replace(blank_of_an_hour, evaporation=replace(blank_of_an_hour.evaporation, at_s=7200.0))
        scale = VolumeScale.in_air(with_blanks(bench.metrology, blank_of_an_hour, later), Air(21.5, 1008.0, 0.48))
    assert row in [each.source for each in scale.budget(1.0, 3600.0).rows]


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        (
            {"evaporation_source": "runs 17, 18"},
            "evaporation_date is missing: source and date of the evaporation go together",
        ),
        (
            {"evaporation_date": "2026-03-16"},
            "evaporation_source is missing: source and date of the evaporation go together",
        ),
        ({"evaporation_source": " ", "evaporation_date": "2026-03-16"}, "fluid.evaporation_source is ' '"),
        (
            {"evaporation_source": "runs 17, 18", "evaporation_date": "2026-11-24"},
            "fluid.evaporation_date is 2026-11-24, and today is 2026-11-23",
        ),
    ],
)
def test_half_a_source_or_one_of_a_day_to_come_is_refused(said: Mapping[str, Any], sentence: str) -> None:
    with pytest.raises(BenchFileError, match=re.escape(sentence)), open_bench(VIRTUAL, fluid(**said)):
        pass


@given(st.floats(-1, 1), st.floats(0.001, 1), st.floats(-1, 1), st.floats(0.001, 1))
def test_knowledge_from_now_and_earlier_lies_between_and_is_surer_than_either(
    now: float, u_now: float, earlier: float, u_earlier: float
) -> None:
    found = with_earlier_knowledge(EvaporationRate(now, u_now, 10.0, 0.0), earlier, u_earlier)
    assert min(now, earlier) - 1e-9 <= found.rate_mg_per_h <= max(now, earlier) + 1e-9
    assert found.u_mg_per_h <= min(u_now, u_earlier)
    assert found.degrees_of_freedom >= 10.0


def test_a_bench_file_that_knows_nothing_of_evaporation_leaves_what_the_blanks_showed() -> None:
    found = EvaporationRate(0.1, 0.01, 10.0, 0.0)
    assert with_earlier_knowledge(found, 0.0, 0.0) == found


def test_a_gate_that_is_not_passed_is_the_rigs_error_and_no_verdict_on_the_pump(tmp_path: Path) -> None:
    arguments = ["--select", "test_consecutive_boluses and 0.1", "--set", f"{WEIGHING}.evaporation_mg_per_h=0.5"]
    command = [sys.executable, "-m", "rig", "verify", "--out", str(tmp_path / "run"), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    results = json.loads((tmp_path / "run" / "record" / "results.json").read_text(encoding="utf-8"))
    row = next(row for row in results["requirements"] if row["id"] == "PR-D3.1")
    assert (done.returncode, row["verdict"], row["measurements"]) == (3, "ERROR", []), done.stdout
    assert "BlockedError: balance: the vessel lost 0.5" in row["reason"]
    assert "Traceback" not in done.stdout + done.stderr
