"""Capability before a run, and `rig samples` as people call it."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from rig.analysis.capability import Decidability, Measurand, Statistic, capability
from rig.analysis.uncertainty import WeighingUncertainty, bias_of_extremes, delivered_volume
from rig.bench.file import read_bench_file
from rig.cli.app import app
from rig.errors import BenchFileError
from rig.run.decidable import minutes_up, undecidable
from rig.verdicts.limits import Limit, Measurement, Rule, Verdict, judge
from rig.verdicts.quantities import Kind
from suites.stands.own_requirements import own_plan, own_requirements

BENCH = Path(__file__).parents[2] / "fixtures/benches/virtual.toml"
SCATTER_ONLY = WeighingUncertainty(repeatability_g=10e-6, readability_g=0.0, u_calibration_percent=0.0)
KNOWN = WeighingUncertainty(10e-6, 1e-6, 0.05, u_evaporation_mg_per_h=0.02, u_z_ul_per_mg=1e-4)


def basal(window_h: float, *, rate_ul_per_h: float = 1.0, n: int = 1) -> Measurand:
    return Measurand(rate_ul_per_h * window_h, window_h, n, is_rate=True)


def assess(
    measurand: Measurand,
    tolerance_percent: float = 15.0,
    known: WeighingUncertainty = KNOWN,
    rule: Rule = Rule.GUARD_BAND,
) -> Decidability:
    return capability(measurand, known, tolerance_percent=tolerance_percent, z_ul_per_mg=1.0, rule=rule)


def test_the_window_floor_is_root_two_s_over_m() -> None:
    # 0.1 U/h for 15 min is 0.25 mg: √2 · 10 µg/0.25 mg = 5.66 %, U twice that.
    assert assess(basal(0.25), known=SCATTER_ONLY).expanded_percent == pytest.approx(200 * math.sqrt(2) * 0.01 / 0.25)


@given(st.floats(0.1, 100), st.floats(0.1, 48))
def test_the_expected_u_is_the_one_that_the_measurement_will_have(volume_ul: float, hours: float) -> None:
    budget = delivered_volume(0.0, volume_ul * 1e-3, hours=hours, z_ul_per_mg=1.0, uncertainty=KNOWN)
    found = assess(Measurand(volume_ul, hours))
    assert found.expanded_percent == pytest.approx(100 * budget.expanded / volume_ul, rel=1e-4)


def test_noise_widens_the_extremes_of_many_windows_and_not_a_mean() -> None:
    each = assess(basal(0.25, n=97), known=SCATTER_ONLY)
    assert each.bias_percent == pytest.approx(bias_of_extremes(each.expanded_percent / 2, 97))
    mean = assess(replace(basal(0.25, n=4), statistic=Statistic.MEAN), known=SCATTER_ONLY)
    assert (mean.bias_percent, mean.expanded_percent) == (0.0, pytest.approx(each.expanded_percent / 2))


@given(st.floats(0.01, 20), st.floats(0.05, 50), st.sampled_from(list(Rule)))
def test_what_can_be_decided_is_what_a_perfect_pump_passes(hours: float, tolerance: float, rule: Rule) -> None:
    found = assess(basal(hours), tolerance, rule=rule)
    perfect = Measurement(Kind("test.error", "error", ("%",)).of(), 0.0, found.expanded_percent)
    assert found.decidable == (judge(perfect, Limit("%", -tolerance, tolerance), rule) is Verdict.PASS)


@given(st.floats(0.01, 5), st.floats(0.5, 50), st.integers(1, 200), st.sampled_from(list(Statistic)))
def test_every_remedy_decides_and_a_little_less_of_it_does_not(
    hours: float, tolerance: float, n: int, statistic: Statistic
) -> None:
    asked = replace(basal(hours, n=n), statistic=statistic)
    found = assess(asked, tolerance)
    if found.window_h is not None:
        assert assess(replace(asked, hours=found.window_h, volume_ul=found.window_h), tolerance).decidable
        shorter = found.window_h * (1 - 1e-6)
        assert not assess(replace(asked, hours=shorter, volume_ul=shorter), tolerance).decidable
    if found.repeatability_g is not None:
        assert assess(asked, tolerance, replace(KNOWN, repeatability_g=found.repeatability_g)).decidable
        worse = replace(KNOWN, repeatability_g=found.repeatability_g * (1 + 1e-3) + 1e-12)
        assert not assess(asked, tolerance, worse).decidable
    if found.n is not None:
        step = -1 if statistic is Statistic.MEAN else 1
        assert assess(replace(asked, n=found.n), tolerance).decidable
        assert not assess(replace(asked, n=found.n + step), tolerance).decidable


def test_a_coarse_balance_cannot_decide_a_low_basal_rate_and_the_remedy_is_named() -> None:
    found = assess(basal(0.25), 15.0, replace(SCATTER_ONLY, repeatability_g=100e-6))
    assert not found.decidable
    assert found.room_percent == pytest.approx(15 - 200 * math.sqrt(2) * 0.1 / 0.25)
    assert found.window_h == pytest.approx(200 * math.sqrt(2) * 0.1 / 15)
    assert found.repeatability_g == pytest.approx(15 * 0.25 / (200 * math.sqrt(2)) * 1e-3)


def test_evaporation_that_nobody_knows_helps_no_window() -> None:
    found = assess(basal(24.0), 1.0)
    assert (found.decidable, found.window_h, found.repeatability_g) == (False, None, None)
    assert found.largest_source == "evaporation"


def test_a_volume_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="volume_ul must be above 0"):
        Measurand(0.0, 1.0)
    with pytest.raises(ValueError, match="n must be 1 or above"):
        Measurand(1.0, 1.0, 0)


def test_minutes_are_rounded_up() -> None:
    assert [minutes_up(hours) for hours in (0.25, 0.2501, 1.0 + 1e-9)] == [15, 16, 60]


def plan(*words: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["samples", "--bench", str(BENCH), *words])
    if isinstance(result.exception, BenchFileError):
        return 2, str(result.exception)
    return result.exit_code, " ".join(result.output.split())


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["--confidence", "95", "--reliability", "95"], 0, "59 trials with 0 failures or fewer"),
        (["--reliability", "95 %", "--failures", "2"], 0, "124 trials with 2 failures or fewer"),
        (["--reliability", "0.5 %", "--confidence", "1.5"], 0, "a reliability of 0.5 % with 1.5 % confidence"),
        (["--tolerance", "±5 %", "--sd", "2 %"], 0, "35 values (normal, mean 0 %, SD 2 %)"),
        (["--tolerance", "≤5 %", "--sd", "2 %", "--mean", "1 %"], 0, "values (normal, mean 1 %, SD 2 %)"),
        (["--tolerance", "±5 %", "--sd", "3 %"], 4, "No number of values can show"),
        (["--rate", "0.1 U/h", "--window", "60 min", "--limit", "±15 %"], 0, "yes"),
        (["--bolus", "0.1 U", "--limit", "±0.05 U", "--n", "25"], 0, "yes"),
        (["--bolus", "0.05 U", "--limit", "±0.3 %"], 4, "less uncertainty of the"),
        (
            ["--set", "balance.repeatability=100 µg", "--rate", "0.1 U/h", "--window", "15 min", "--limit", "±15 %"],
            4,
            "This balance, window and n cannot decide this limit: you need a window of ",
        ),
        (["--bolus", "0.1 U", "--limit", "±1 %", "--n", "9", "--rule", "simple acceptance"], 4, "cannot decide"),
    ],
)
def test_plan_answers_with_a_sentence_and_an_exit_code(words: list[str], code: int, says: str) -> None:
    exit_code, output = plan(*words)
    assert exit_code == code
    assert says in output


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ([], "rig samples: ask with --reliability, or"),
        (["--rate", "0.1", "--window", "1 h", "--limit", "±5 %"], "--rate: '0.1' has no unit"),
        (["--rate", "1 U/h", "--limit", "±5 %"], "--window is missing"),
        (["--rate", "1 U/h", "--window", "1 h", "--limit", "5 %"], "--limit '5 %': write a limit as '±5 %' or '≤5 %'"),
        (["--bolus", "-1 U", "--limit", "±5 %"], "--bolus '-1 U': it must be above 0"),
        (["--bolus", "1 U", "--rate", "1 U/h"], "--rate and --bolus are different questions"),
        (["--reliability", "100 %"], "--reliability '100 %': it must lie between 0 % and 100 %"),
        (
            ["--confidence", "0.95", "--reliability", "95"],
            "--confidence '0.95': a share is written in percent, such as '95 %', not as a fraction",
        ),
        (["--reliability", "0.9"], "--reliability '0.9': a share is written in percent, such as '95 %'"),
        (["--reliability", "1"], "--reliability '1': a share is written in percent, such as '95 %'"),
        (["--reliability", "0"], "--reliability '0': it must lie between 0 % and 100 %"),
        (
            ["--tolerance", "±5 %", "--sd", "2 %", "--confidence", "0.95"],
            "--confidence '0.95': a share is written in percent, such as '95 %', not as a fraction",
        ),
        (["--tolerance", "±5 %"], "--sd is missing"),
        (["--bolus", "1 U", "--limit", "±5 %", "--of", "most"], "--of 'most': it is one of 'each', 'mean'"),
        (["--bolus", "1 U", "--limit", "±5 %", "--rule", "by eye"], "it is one of 'guard band', 'simple acceptance'"),
    ],
)
def test_plan_refuses_what_it_cannot_read_in_one_sentence(words: list[str], says: str) -> None:
    code, output = plan(*words)
    assert code == 2
    assert says in output


def foreseen(plan: str, **settings: str) -> list[str]:
    spec, _ = read_bench_file(Path("fixtures/benches/virtual.toml"), settings)
    return undecidable(spec, own_plan(plan).plan, own_requirements())


@pytest.mark.parametrize("plan", ["default", "nightly", "iec_full", "tir101", "label_880_5730", "smoke"])
def test_the_virtual_bench_can_decide_what_the_plans_set_out_to_decide(plan: str) -> None:
    assert foreseen(plan) == []


def test_a_limit_that_no_pump_could_be_shown_to_meet_is_named_before_the_run(tmp_path: Path) -> None:
    sentences = foreseen("default", **{"balance.repeatability": "100 µg"})
    assert [sentence for sentence in sentences if sentence.startswith("PR-D3.1,")] == [
        f"PR-D3.1, {which} bolus error at 0.1 U: expected U is 28 %. This balance, window and n cannot decide this "
        "limit: you need a balance with a repeatability of 77.7 µg or less, or n = 3 or fewer."
        for which in ("largest", "smallest")
    ]
    command = ["verify", "--select", "stopped", "--out", str(tmp_path / "run"), "--set", "balance.repeatability=100 µg"]
    done = subprocess.run([sys.executable, "-m", "rig", *command], capture_output=True, text=True, check=False)
    assert all(f"\n{sentence}\n" in done.stdout for sentence in sentences), done.stdout + done.stderr
    manifest = json.loads((tmp_path / "run" / "record" / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["undecidable"] == sentences
