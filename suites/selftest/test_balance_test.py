"""The routine test of the balance: what it computes and keeps, and that no run begins on a balance that failed it."""

import hashlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.analysis.reference_mass import reference_weighing
from suites.selftest.recorded import rig

VIRTUAL = Path("fixtures/benches/virtual.toml")
grams = st.floats(-1.0, 1.0)


def test_error_and_repeatability_are_those_of_the_differences() -> None:
    found = reference_weighing([0.0, 0.1, 0.2], [10.0, 10.2, 10.1], mass_g=10.0, u_mass_g=0.03)
    assert found.error_g == pytest.approx(0.0, abs=1e-12)  # differences 10.0, 10.1, 9.9
    assert found.repeatability_g == pytest.approx(0.1 / 2**0.5)
    assert found.u_error_g == pytest.approx((0.01 / 3 + 0.0009) ** 0.5)
    assert found.degrees_of_freedom == 2


@given(st.lists(st.tuples(grams, grams), min_size=3, max_size=20), grams)
def test_a_tare_changes_nothing(pairs: list[tuple[float, float]], tare_g: float) -> None:
    empty_g, loaded_g = zip(*pairs, strict=True)
    found = reference_weighing(empty_g, loaded_g, mass_g=1.0)
    tared = reference_weighing([m + tare_g for m in empty_g], [m + tare_g for m in loaded_g], mass_g=1.0)
    assert tared.error_g == pytest.approx(found.error_g, abs=1e-12)
    assert tared.repeatability_g == pytest.approx(found.repeatability_g, abs=1e-12)


@pytest.mark.parametrize(
    ("empty_g", "loaded_g", "mass_g", "sentence"),
    [
        ([0.0, 0.0], [1.0, 1.0], 1.0, "at least 3"),
        ([0.0, 0.0, 0.0], [1.0, 1.0, 1.0, 1.0], 1.0, "must be equally long, got 3 and 4"),
        ([0.0, 0.0, 0.0], [1.0, 1.0, 1.0], 0.0, "mass_g must be"),
    ],
)
def test_bad_input_is_a_sentence(empty_g: list[float], loaded_g: list[float], mass_g: float, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        reference_weighing(empty_g, loaded_g, mass_g=mass_g)


def balance_test(file: Path, *arguments: str) -> tuple[int, dict[str, Any], str]:
    done = rig("balance-test", "--mass", "10 g", "--out", str(file), *arguments)
    content = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    return done.returncode, content, done.stdout + done.stderr


def test_a_good_balance_is_fit_and_its_readings_are_kept(tmp_path: Path) -> None:
    code, kept, output = balance_test(tmp_path / "a.json", "--count", "20")
    assert (code, kept["passed"], kept["simulated"]) == (0, True, True), output
    assert (len(kept["empty_g"]), len(kept["loaded_g"])) == (20, 20)
    assert kept["balance"]["serial_number"] == "B831204417"
    assert 1e-6 < kept["repeatability_g"] < 3.5e-6  # 2 µg is simulated
    assert abs(kept["error_g"]) < 10 * 60e-6  # 20 ppm of 10 g is its SD over devices


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        ("weighing.noise_g=8e-6", "its repeatability is 8.7 µg, and the bench file's 2.5 µg allow 4.43 µg"),
        (
            "weighing.sensitivity_error_ppm=2000",
            "for 10 g, and the bench file's calibration allows 3e+03 µg",
        ),
    ],
)
def test_a_balance_that_is_not_what_its_file_says_is_unfit(tmp_path: Path, fault: str, sentence: str) -> None:
    code, kept, output = balance_test(tmp_path / "a.json", "--set", f"virtual.parameters.{fault}")
    assert (code, kept["passed"]) == (3, False)
    assert sentence in kept["problems"][0]
    assert "NOT FIT" in output


def check_with(path: Path, *settings: str) -> tuple[int, str]:
    words = [word for text in (f"balance.routine_test={path}", *settings) for word in ("--set", text)]
    done = rig("check", "--bench", str(VIRTUAL), *words)
    return done.returncode, done.stdout


def test_a_bench_file_can_ask_for_the_test_and_no_run_begins_without(tmp_path: Path) -> None:
    path = tmp_path / "test.json"
    assert "there is no routine test" in check_with(path)[1]
    assert balance_test(path)[0] == 0
    assert check_with(path)[0] == 0
    done = rig("verify", "--select", "stopped", "--out", str(tmp_path / "run"), "--set", f"balance.routine_test={path}")
    record = tmp_path / "run" / "record"
    manifest = json.loads((record / "manifest.json").read_text(encoding="utf-8"))
    kept = (record / "inputs" / "routine_test.json").read_bytes()
    assert (done.returncode, json.loads(kept)["mass_g"]) == (0, 10.0), done.stdout + done.stderr
    assert kept == path.read_bytes()
    assert manifest["inputs"]["routine_test.json"] == hashlib.sha256(kept).hexdigest()

    good = json.loads(path.read_text(encoding="utf-8"))
    for change, sentence in [
        ({"passed": False, "problems": ["too noisy"]}, "was not passed: too noisy"),
        ({"date": "2026-11-21"}, "is of 2026-11-21, today is 2026-11-23, and it holds 1 d"),
        ({"date": "2026-11-24"}, "is of 2026-11-24, today is 2026-11-23"),
        ({"balance": good["balance"] | {"serial_number": "X1"}}, "is of the balance X1, not B831204417"),
        ({"balance": None}, "this is no routine test"),
    ]:
        path.write_text(json.dumps(good | change), encoding="utf-8")
        code, output = check_with(path)
        assert code == 3
        assert sentence in output
    path.write_text(json.dumps(good | {"date": "2026-11-21"}), encoding="utf-8")
    assert check_with(path, "balance.routine_test_every=7 d")[0] == 0


def test_nothing_is_overwritten_and_a_mass_needs_its_unit(tmp_path: Path) -> None:
    path = tmp_path / "test.json"
    path.write_text("{}", encoding="utf-8")
    code, _, output = balance_test(path)
    assert (code, output.count("\n")) == (3, 1)
    assert "exists already; name another file" in output
    assert path.read_text(encoding="utf-8") == "{}"
    done = rig("balance-test", "--mass", "10", "--out", str(tmp_path / "b.json"))
    assert (done.returncode, done.stderr) == (2, "rig: --mass: '10' has no unit: write one of g, mg, ug, µg\n")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--mass", "0 g"], "--mass is '0 g': allowed are 10 mg to 50000 g"),
        (["--mass", "-1 g"], "--mass is '-1 g': allowed are 10 mg to 50000 g"),
        (["--mass", "1e300 g"], "--mass is '1e300 g': allowed are 10 mg to 50000 g"),
        (["--mass", "nan g"], "--mass: 'nan g' is not a number with a unit, such as '1 g'"),
        (["--mass", "[s] g"], "--mass: '[s] g' is not a number with a unit, such as '1 g'"),
        (["--mass", "1 g", "--mass-u", "-1 µg"], "--mass-u is '-1 µg': allowed are 0 g to 1000 µg, a thousandth of"),
        (["--mass", "1 g", "--mass-u", "2 g"], "--mass-u is '2 g': allowed are 0 g to 1000 µg, a thousandth of --mass"),
    ],
)
def test_a_mass_that_tests_no_balance_is_wrong_usage(tmp_path: Path, words: list[str], sentence: str) -> None:
    done = rig("balance-test", *words, "--out", str(tmp_path / "b.json"))
    assert done.returncode == 2
    assert done.stderr.startswith(f"rig: {sentence}")
    assert list(tmp_path.iterdir()) == []


def test_a_real_balance_needs_a_person(tmp_path: Path) -> None:
    command = ["balance-test", "--mass", "10 g", "--bench", "fixtures/benches/lab_example.toml"]
    done = subprocess.run(
        [sys.executable, "-m", "rig", *command, "--out", str(tmp_path / "a.json")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "nobody is there to put the mass on; call it from a terminal" in done.stderr
