"""Every bench file opens; every mistake in one is a sentence with file, key, what was found and what is allowed."""

import re
import shutil
from pathlib import Path

import pytest

from rig.bench.channels import channels
from rig.bench.file import parse_override, read_bench_file
from rig.bench.open import open_bench
from rig.errors import BenchFileError

BENCHES = Path("fixtures/benches")
VIRTUAL = BENCHES / "virtual.toml"


@pytest.mark.parametrize("path", sorted(BENCHES.glob("*.toml")), ids=lambda path: path.name)
def test_every_bench_file_of_the_repository_is_valid(path: Path) -> None:
    for each in [Path(f"{path}#{name}") for name in channels(path)] or [path]:
        bench, _ = read_bench_file(each)
        assert bench.switch.lines["occluder"] >= 0


def test_quantities_are_read_in_base_units() -> None:
    bench, _ = read_bench_file(VIRTUAL)
    assert (bench.balance.repeatability, bench.supply.voltage) == (pytest.approx(2.5e-6), 3.7)
    assert bench.environment.highest_temperature == 30.0


def test_only_a_virtual_bench_is_virtual() -> None:
    assert read_bench_file(VIRTUAL)[0].virtual is not None
    assert read_bench_file(BENCHES / "lab_example.toml")[0].virtual is None


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ('[balance]\ndriver = "mettler_xpr"\n', "[balance]\n", "balance.driver is missing"),
        ("repeatability", "repeatabilty", "balance.repeatabilty is not a known key; did you mean 'repeatability'?"),
        ('repeatability = "2.5 µg"', "repeatability = 2.5", "balance.repeatability is 2.5: a quantity needs its unit"),
        ('"2.5 µg"', '"2.5 kPa"', "balance.repeatability is '2.5 kPa': '2.5 kPa' is not a mass: allowed units are g"),
        ('"3.7 V"', '"37 V"', "supply.voltage is '37 V': input should be less than or equal to 25"),
        ("{ occluder = 0 }", "{ vent = 0 }", "lines needs an 'occluder'"),
        ("2027-03-02", "2026-03-01", "calibration_due must be later than calibrated, 2026-03-02"),
        ("seed = 1", 'seed = "one"', "virtual.seed is 'one': input should be a valid integer"),
        ("seed = 1", "sead = 1", "virtual.sead is not a known key; did you mean 'seed'?"),
        ("controller.elf", "nowhere.elf", "virtual.firmware is '../controller/nowhere.elf': there is no file"),
        ("[supply]", "[suply]", "suply is not a known key; did you mean 'supply'?"),
        ("seed = 1", "seed =", "is no valid TOML"),
    ],
)
def test_a_mistake_is_one_sentence(tmp_path: Path, old: str, new: str, sentence: str) -> None:
    shutil.copytree("fixtures/benches", tmp_path / "benches")
    (tmp_path / "controller").mkdir()
    (tmp_path / "controller" / "controller.elf").write_bytes(b"")
    path = tmp_path / "benches" / "virtual.toml"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(BenchFileError) as raised:
        read_bench_file(path)
    assert str(raised.value).startswith(f"{path}: ")
    assert sentence in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("key", "value", "sentence"),
    [
        ("balance.repeatability", "0 µg", "is '0 µg': input should be greater than 0"),
        ("balance.readability", "-1 µg", "is '-1 µg': input should be greater than 0"),
        ("balance.calibration_uncertainty", "-0.01 %", "is '-0.01 %': input should be greater than 0"),
        ("balance.calibration_uncertainty", "101 %", "is '101 %': input should be less than or equal to 100"),
        ("balance.routine_test_every", "0 h", "is '0 h': input should be greater than 0"),
        ("balance.calibrated", 0, "is 0: a day is written as 2026-03-02, without quotation marks or a time"),
        ("pressure.expanded_uncertainty", "-1 kPa", "is '-1 kPa': input should be greater than 0"),
        ("supply.current_limit", "0 A", "is '0 A': input should be greater than 0"),
        ("switch.lines.occluder", -1, "is -1: input should be greater than or equal to 0"),
        ("switch.lines.occluder", True, "is True: input should be a valid integer"),
        ("environment.lowest_temperature", "-1 °C", "is '-1 °C': input should be greater than or equal to 0"),
        ("environment.highest_temperature", "41 °C", "is '41 °C': input should be less than or equal to 40"),
        ("environment.lowest_humidity", "-1 %", "is '-1 %': input should be greater than or equal to 0"),
        ("environment.highest_humidity", "101 %", "is '101 %': input should be less than or equal to 100"),
        ("environment.lowest_temperature", "30 °C", "30 °C, must be less than highest_temperature, 30 °C"),
        ("environment.highest_humidity", "20 %", "lowest_humidity, 20 %, must be less than highest_humidity, 20 %"),
        ("fluid.evaporation_per_hour", "-0.02 mg", "is '-0.02 mg': input should be greater than or equal to 0"),
        ("fluid.evaporation_uncertainty_per_hour", "-0.005 mg", "is '-0.005 mg': input should be greater than or"),
        ("fluid.blank_wander", "-1 µg", "is '-1 µg': input should be greater than or equal to 0"),
        ("vessel", {"outlet": "immersed", "bore": "0 mm"}, "vessel.bore is '0 mm': input should be greater than 0"),
        (
            "vessel",
            {"outlet": "immersed", "bore": "15 mm", "bore_uncertainty": "20 mm"},
            "bore_uncertainty must be less than bore, 15 mm",
        ),
        ("virtual.seed", True, "is True: input should be a valid integer"),
        ("virtual.seed", "1", "is '1': input should be a valid integer"),
        ("virtual.seed", 2.0, "is 2.0: input should be a valid integer"),
        ("virtual.parameters.weighing.noise_g", "1e-6", "is '1e-6': input should be a valid number"),
        ("virtual.parameters.weighing.noise_g", True, "is True: input should be a valid number"),
        ("virtual.parameters.fluid.head_m", float("inf"), "is inf: input should be a finite number"),
        ("virtual.parameters.air.temperature_c", -300, "is -300: input should be greater than or equal to -40"),
    ],
)
def test_a_number_that_no_bench_can_have_is_refused(key: str, value: object, sentence: str) -> None:
    with pytest.raises(BenchFileError) as raised:
        read_bench_file(VIRTUAL, {key: value})
    assert key.split(".")[0] in str(raised.value)
    assert sentence in str(raised.value)
    assert "more mistake" not in str(raised.value)


def test_a_whole_number_stands_for_a_number_with_a_point() -> None:
    bench, _ = read_bench_file(VIRTUAL, {"virtual.parameters.fluid.head_m": 1})
    assert bench.virtual is not None
    assert bench.virtual.parameters.fluid.head_m == 1.0


@pytest.mark.parametrize("role", ["balance", "pressure", "environment"])
def test_a_calibration_of_a_day_to_come_is_refused_before_any_device_is_opened(role: str) -> None:
    sentence = (
        f"{role}.calibrated is 2026-11-24, and today is 2026-11-23: it is the day on which the instrument was "
        "calibrated, today or earlier"
    )
    dates = {f"{role}.calibrated": "2026-11-24", f"{role}.calibration_due": "2027-11-24"}
    with pytest.raises(BenchFileError, match=f"^{re.escape(sentence)}$"), open_bench(VIRTUAL, dates):
        pass


def test_a_missing_file_is_a_sentence() -> None:
    with pytest.raises(BenchFileError, match=r"^nowhere\.toml: cannot be read \(No such file or directory\)$"):
        read_bench_file(Path("nowhere.toml"))


def test_overrides_are_laid_over_the_file() -> None:
    bench, content = read_bench_file(VIRTUAL, {"virtual.seed": 7, "balance.repeatability": "4 µg"})
    assert bench.virtual is not None
    assert (bench.virtual.seed, bench.balance.repeatability) == (7, pytest.approx(4e-6))
    assert content["virtual"]["seed"] == 7


def test_an_override_below_a_table_leaves_the_callers_table_alone() -> None:
    table = {"outlet": "free"}
    bench, _ = read_bench_file(VIRTUAL, {"vessel": table, "vessel.bore": "15 mm"})
    assert (bench.vessel.bore, table) == (pytest.approx(0.015), {"outlet": "free"})


def test_an_override_of_an_unknown_key_is_refused() -> None:
    with pytest.raises(BenchFileError, match=r"virtual\.sead is not a known key; did you mean 'seed'\?"):
        read_bench_file(VIRTUAL, {"virtual.sead": 7})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("virtual.seed=2", ("virtual.seed", 2)),
        ("balance.repeatability=4 µg", ("balance.repeatability", "4 µg")),
        ('pump.port="/dev/ttyUSB3"', ("pump.port", "/dev/ttyUSB3")),
        ("virtual.fault=[{device='balance',kind='mute',at='1 h'}]",
         ("virtual.fault", [{"device": "balance", "kind": "mute", "at": "1 h"}])),
    ],
)  # fmt: skip
def test_a_setting_of_the_command_line_is_a_toml_value_or_plain_text(text: str, expected: object) -> None:
    assert parse_override(text) == expected


def test_a_setting_without_a_value_is_refused() -> None:
    with pytest.raises(BenchFileError, match=r"write it as table\.key=value, such as virtual\.seed=2"):
        parse_override("virtual.seed")
