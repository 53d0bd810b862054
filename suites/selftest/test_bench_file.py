"""Every bench file opens; every mistake in one is a sentence with file, key, what was found and what is allowed."""

import shutil
from pathlib import Path

import pytest

from rig.bench.channels import channels
from rig.bench.file import parse_override, read_bench_file
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
