"""Channels of a bench file, and conditions that a bench is set up to."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import ValidationError

from rig.bench.channels import channels, split
from rig.bench.conditions import Conditions, PlannedCondition
from rig.bench.file import parse_override, read_bench_file
from rig.bench.open import open_bench
from rig.errors import BenchFileError, BlockedError
from rig.procedures.gates import blank_run
from rig.procedures.sampling import read_air
from rig.record.taking import Recorder
from rig.roles import Bench
from suites.measuring import recorded
from suites.selftest.recorded import rig

VIRTUAL = Path("fixtures/benches/virtual.toml")
THREE = Path("fixtures/benches/virtual_channels.toml")
LAB = Path("fixtures/benches/lab_example.toml")


def test_a_channel_is_the_file_with_its_tables_laid_over() -> None:
    assert channels(THREE) == ["left", "middle", "right"]
    left, middle = (read_bench_file(Path(f"{THREE}#{name}"))[0] for name in ("left", "middle"))
    assert left.virtual is not None
    assert middle.virtual is not None
    assert (left.virtual.seed, middle.virtual.seed) == (1, 2)
    assert middle.name == "Virtual bench with three channels, middle"
    assert middle.virtual.date == left.virtual.date
    assert (left.balance, left.pump) == (middle.balance, middle.pump)


def test_a_bench_without_channels_has_none_and_a_channel_has_no_channels() -> None:
    assert channels(VIRTUAL) == []
    assert channels(Path(f"{THREE}#left")) == []
    assert split(Path("a#b/bench.toml")) == (Path("a#b/bench.toml"), None)


def with_channels(folder: Path, base: Path, tables: str) -> Path:
    path = folder / "bench.toml"
    path.write_text(base.read_text(encoding="utf-8") + tables, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        (THREE, "has the channels left, middle, right; name one, as"),
        (Path(f"{THREE}#lft"), "there is no channel 'lft'; known are left, middle, right"),
        (Path(f"{VIRTUAL}#left"), "there is no channel 'left'; the file has none"),
    ],
)
def test_a_wrong_channel_is_a_sentence(asked: Path, sentence: str) -> None:
    with pytest.raises(BenchFileError, match=sentence):
        read_bench_file(asked)


@pytest.mark.parametrize(
    ("base", "tables", "sentence"),
    [
        (VIRTUAL, '[[channel]]\nname = "a"\n[[channel]]\nname = "a"\n', "the channel 'a' stands twice"),
        (VIRTUAL, '[[channel]]\nname = "a b"\n', "channel.0.name is 'a b': string should match pattern"),
        (VIRTUAL, "[[channel]]\nseed = 1\n", "channel.0.name is missing"),
        (VIRTUAL, '[[channel]]\nname = "a"\n[[channel]]\nname = "b"\n', "a and b have one virtual.seed"),
        (
            LAB,
            '[[channel]]\nname = "a"\n[[channel]]\nname = "b"\npump = { port = "/dev/ttyUSB9" }\n',
            "the channels a and b both have ASRL/dev/ttyUSB0::INSTR as their balance, and a port has one owner",
        ),
    ],
)
def test_channels_that_cannot_run_side_by_side_are_refused(
    tmp_path: Path, base: Path, tables: str, sentence: str
) -> None:
    with pytest.raises(BenchFileError, match=sentence):
        channels(with_channels(tmp_path, base, tables))


def test_conditions_say_the_same_in_a_bench_file() -> None:
    condition = Conditions.model_validate({"back_pressure": "100 mmHg", "head": "-50 cm"})
    assert condition.title == "back pressure 13.3322 kPa, head -0.5 m"
    spec, _ = read_bench_file(VIRTUAL, dict(parse_override(f"{k}={v}") for k, v in condition.overrides().items()))
    assert spec.conditions.back_pressure == pytest.approx(13.3322, abs=1e-4)
    assert spec.conditions.line_pressure_kpa == pytest.approx(13.3322 - 0.5 * 9.789, abs=1e-4)
    assert Conditions().title == "nominal"


def test_a_planned_condition_changes_one_thing() -> None:
    for wrong in ({}, {"head": "0.5 m", "temperature": "5 °C"}):
        with pytest.raises(ValidationError, match="a condition sets one of back_pressure, head"):
            PlannedCondition.model_validate(wrong)


def under(folder: Path, setting: str, ask: Callable[[Bench, Recorder], None]) -> None:
    with open_bench(VIRTUAL, dict([parse_override(setting)])) as bench, recorded(folder, bench) as record:
        ask(bench, record)


@pytest.mark.parametrize(
    ("setting", "expected_kpa"),
    [
        ("conditions.back_pressure=13.33 kPa", 13.33),
        ("conditions.back_pressure=-13.33 kPa", -13.33),
        ("conditions.head=0.5 m", 4.89),
    ],
)
def test_the_virtual_bench_sets_the_line_up_and_its_sensor_sees_it(
    tmp_path: Path, setting: str, expected_kpa: float
) -> None:
    def ask(bench: Bench, record: Recorder) -> None:
        assert bench.pressure.read_kpa() == pytest.approx(expected_kpa, abs=0.5)
        blank_run(bench, record, "opening", duration_s=600.0)

    under(tmp_path / "run", setting, ask)


def test_the_virtual_bench_sets_the_air_up_and_the_band_goes_with_it(tmp_path: Path) -> None:
    def cold(bench: Bench, record: Recorder) -> None:
        assert read_air(bench, record, "now").temperature_c == pytest.approx(5.0, abs=1.0)

    def high(bench: Bench, record: Recorder) -> None:
        assert read_air(bench, record, "now").pressure_hpa == pytest.approx(750.0, abs=8.0)

    under(tmp_path / "cold", "conditions.temperature=5 °C", cold)
    under(tmp_path / "high", "conditions.ambient_pressure=75 kPa", high)


def test_a_condition_that_nobody_set_up_blocks_and_never_blames_the_pump(tmp_path: Path) -> None:
    with open_bench(VIRTUAL) as bench, recorded(tmp_path / "taken", bench) as record:
        wanted = {
            "line": replace(bench.metrology, line_pressure_at_rest_kpa=13.33),
            "air": replace(bench.metrology, ambient_pressure_band_hpa=(740.0, 760.0)),
        }
        with pytest.raises(BlockedError, match=r"the line rested at .* kPa .* make 13\.33 ± 1\.5 kPa; set up"):
            blank_run(replace(bench, metrology=wanted["line"]), record, "opening", duration_s=300.0)
        with pytest.raises(BlockedError, match=r"hPa at the balance is outside 740 … 760 hPa; set up the ambient"):
            read_air(replace(bench, metrology=wanted["air"]), record, "now")


def test_a_check_looks_at_every_channel() -> None:
    done = rig("check", "--bench", str(THREE), "--set", "virtual.serial_numbers.balance=X1")
    assert done.returncode == 3
    assert [f"three channels, {name}" in done.stdout for name in ("left", "middle", "right")] == [True] * 3
    assert done.stdout.count("it answered 'X1'") == 3
