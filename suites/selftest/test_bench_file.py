"""Every bench file opens; every mistake in one is a sentence with file, key, what was found and what is allowed."""

import datetime
import os
import re
import shutil
import typing
from dataclasses import is_dataclass
from pathlib import Path
from typing import Annotated, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, TypeAdapter, ValidationError

from rig.bench.addresses import resolved
from rig.bench.channels import channels
from rig.bench.fault_table import FaultTable
from rig.bench.file import BenchFile, parse_override, read_bench_file
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
        ('"3.7 V"', '"37 V"', "supply.voltage is '37 V': allowed are 0.1 V to 25 V"),
        ("occluder = 0 ", "drain = 0 ", "lines needs an 'occluder'"),
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
        ("balance.repeatability", "0 µg", "is '0 µg': allowed are 0.01 µg to 10 mg"),
        ("balance.readability", "-1 µg", "is '-1 µg': allowed are 0.01 µg to 10 mg"),
        ("balance.repeatability", "2.5 g", "is '2.5 g': allowed are 0.01 µg to 10 mg"),
        ("balance.calibration_uncertainty", "5000 %", "is '5000 %': allowed are 0.000001 % to 1 %"),
        ("balance.calibration_uncertainty", "-0.01 %", "is '-0.01 %': allowed are 0.000001 % to 1 %"),
        ("balance.calibration_uncertainty", "101 %", "is '101 %': allowed are 0.000001 % to 1 %"),
        ("balance.routine_test_every", "0 h", "is '0 h': allowed are 1 min to 366 d"),
        ("balance.calibrated", 0, "is 0: a day is written as 2026-03-02, without quotation marks or a time"),
        ("pressure.expanded_uncertainty", "-1 kPa", "is '-1 kPa': allowed are 0.0001 kPa to 20 kPa"),
        ("supply.current_limit", "0 A", "is '0 A': allowed are 1 mA to 5 A"),
        ("switch.lines.occluder", -7, "is -7: allowed are 0 to 255, as the instrument counts its relays"),
        (
            "switch.lines",
            {"occluder": 0, "vent": 0},
            "the lines 'occluder' and 'vent' are both number 0; give",
        ),
        ("switch.lines", {"occluder": 0, "": 1}, "lines..[key] is"),
        ("switch.lines.occluder", True, "is True: input should be a valid integer"),
        ("environment.lowest_temperature", "-1 °C", "is '-1 °C': allowed are 0 °C to 40 °C"),
        ("environment.highest_temperature", "41 °C", "is '41 °C': allowed are 0 °C to 40 °C"),
        ("environment.lowest_humidity", "-1 %", "is '-1 %': allowed are 0 % to 100 %"),
        ("environment.highest_humidity", "101 %", "is '101 %': allowed are 0 % to 100 %"),
        ("environment.lowest_temperature", "30 °C", "30 °C, must be less than highest_temperature, 30 °C"),
        ("environment.highest_humidity", "20 %", "lowest_humidity, 20 %, must be less than highest_humidity, 20 %"),
        ("fluid.evaporation_per_hour", "-0.02 mg", "is '-0.02 mg': allowed are 0 g to 100 mg"),
        ("fluid.evaporation_uncertainty_per_hour", "-0.005 mg", "is '-0.005 mg': allowed are 0 g to 100 mg"),
        ("fluid.evaporation_per_hour", "-5 g", "is '-5 g': allowed are 0 g to 100 mg"),
        ("fluid.evaporation_per_hour", "-5 g/h", "'-5 g/h' is not a mass: allowed units are g, mg, ug, µg"),
        ("fluid.blank_wander", "-1 µg", "is '-1 µg': allowed are 0 g to 10 mg"),
        (
            "balance.calibration_due",
            "9999-12-31",
            "9999-12-31, is more than 10 years after calibrated",
        ),
        ("virtual.serial_numbers", {"balanc": "7"}, "virtual.serial_numbers.balanc"),
        ("virtual.seed", 2**63, "input should be less than 9223372036854775808"),
        ("name", "  ", "name is '  ': string should match pattern"),
        ("pump.serial_number", "", "pump.serial_number is ''"),
        ("pump.port", "ASRL1::INSTR", "balance and pump are both on 'ASRL1::INSTR'; each device needs its own"),
        ("vessel", {"outlet": "immersed", "bore": "0 mm"}, "vessel.bore is '0 mm': allowed are 0.01 mm to 200 mm"),
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


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ASRL1::INSTR", "asrl1"),
        ("ASRL/dev/ttyUSB0::INSTR", "/dev/ttyUSB0"),
        ("ASRL/dev/ttyUSB0", "/dev/../dev/ttyUSB0"),
        ("ASRL9::INSTR", "COM9"),
        ("ASRLCOM9::INSTR", r"\\.\com9"),
        ("TCPIP0::192.0.2.1::5025::SOCKET", "socket://192.0.2.1:5025"),
        ("TCPIP::Scope::05025::socket", "rfc2217://scope:5025/?logging=debug"),
        ("TCPIP0::192.0.2.1::INSTR", "tcpip::192.0.2.1::inst0::INSTR"),
        ("USB0::0x0957::0x8E18::MY1::INSTR", "usb0::0x0957::0x8e18::my1"),
        ("twin://pump", "TWIN://pump"),
    ],
)
def test_two_spellings_of_one_line_are_one_line(one: str, other: str) -> None:
    assert resolved(one) == resolved(other)
    sentence = f"balance and pump are both on {one!r} and {other!r}, which are one line; each device needs its own"
    with pytest.raises(BenchFileError, match=re.escape(sentence)):
        read_bench_file(VIRTUAL, {"balance.address": one, "pump.port": other})


def test_a_symbolic_link_to_a_port_is_that_port(tmp_path: Path) -> None:
    by_id = tmp_path / "usb-Mettler_XPR-if00"
    by_id.symlink_to("/dev/null")
    assert resolved(f"ASRL{by_id}::INSTR") == resolved("/dev/null")
    with pytest.raises(BenchFileError, match=r"pressure and switch are both on '/dev/null' and '.*', which are one"):
        read_bench_file(VIRTUAL, {"pressure.address": "/dev/null", "switch.address": f"ASRL{by_id}::INSTR"})


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ASRL1::INSTR", "ASRL11::INSTR"),
        ("/dev/ttyUSB0", "/dev/ttyusb0"),
        ("TCPIP0::192.0.2.1::5025::SOCKET", "TCPIP0::192.0.2.1::5026::SOCKET"),
        ("TCPIP0::192.0.2.1::inst0::INSTR", "TCPIP0::192.0.2.1::inst1::INSTR"),
    ],
)
def test_two_lines_are_two(one: str, other: str) -> None:
    assert resolved(one) != resolved(other)


def test_two_channels_on_one_port_in_other_words_or_roles_are_refused(tmp_path: Path) -> None:
    text = (BENCHES / "lab_example.toml").read_text(encoding="utf-8")
    path = tmp_path / "two.toml"
    path.write_text(f'{text}\n[[channel]]\nname = "a"\n[[channel]]\nname = "b"\n', encoding="utf-8")
    with pytest.raises(BenchFileError, match="the channels a and b both have ASRL/dev/ttyUSB0::INSTR as their balance"):
        channels(path)
    other = '[[channel]]\nname = "b"\nbalance.address = "/dev/ttyUSB3"\npump.port = "/dev/ttyUSB9"\n'
    shared = 'pressure.address = "ASRL7"\nswitch.address = "ASRL8"\nenvironment.address = "ASRL9"\n'
    text_a = f'{text}\n[[channel]]\nname = "a"\n{shared}'
    path.write_text(f"{text_a}{other}", encoding="utf-8")
    with pytest.raises(BenchFileError, match="both have /dev/ttyUSB3 as pump and balance, and a port has one owner"):
        channels(path)


def _numbers(model: type[BaseModel] | object, before: str = "") -> list[str]:
    """Every key of a bench file that holds a number, a quantity or a day, as `--set` writes it."""
    found = []
    for name, kind in typing.get_type_hints(model, include_extras=True).items():
        table = next((each for each in (kind, *typing.get_args(kind)) if isinstance(each, type)), None)
        if table is not None and (is_dataclass(table) or issubclass(table, BaseModel)):
            if table is not FaultTable:  # a list of tables, which no key of one call reaches
                found += _numbers(table, f"{before}{name}.")
        elif any(str(number) in str(kind) for number in ("float", "int", "datetime.date")) and name != "lines":
            found.append(f"{before}{name}")
    return found


NUMBERS = _numbers(BenchFile)
NONSENSE = [-1, 0, 10**400, 1e308, -1e308, float("nan"), float("inf"), True, "", "x", "-1e300 g", "1e300 s", "nan %",
            [], {}, [1], "9999-12-31", "1 U", "1e99 V", "-0.5 kPa", "1e9 °C", "-1 A", "1e5 m", "500 mm"]  # fmt: skip


def test_every_number_of_a_bench_file_is_known() -> None:
    assert len(NUMBERS) > 60
    assert {"balance.repeatability", "fluid.blank_wander", "virtual.parameters.drive.pitch_error_um"} <= set(NUMBERS)


@given(key=st.sampled_from(NUMBERS), value=st.sampled_from(NONSENSE))
@settings(max_examples=600, deadline=None)
def test_nonsense_for_any_number_is_one_sentence_or_within_its_bounds(key: str, value: object) -> None:
    try:
        bench, _ = read_bench_file(VIRTUAL, {key: value})
    except BenchFileError as error:
        sentence = str(error)
        assert key.split(".")[0] in sentence
        assert "\n" not in sentence
        return
    found: Any = bench
    for part in key.split("."):
        found = getattr(found, part)
    each = found if isinstance(found, tuple) else (found,)
    assert all(one is None or isinstance(one, datetime.date) or abs(one) <= 2**63 for one in each)


@pytest.mark.parametrize("key", NUMBERS)
@pytest.mark.parametrize("huge", [1e300, -1e300, float("nan"), float("inf")])
def test_every_number_of_a_bench_file_has_a_lowest_and_a_highest_value(key: str, huge: float) -> None:
    *tables, name = key.split(".")
    model: Any = BenchFile
    for table in tables:
        kind = typing.get_type_hints(model)[table]
        model = next(each for each in (kind, *typing.get_args(kind)) if isinstance(each, type))
    annotation = typing.get_type_hints(model, include_extras=True)[name]
    metadata = getattr(getattr(model, "model_fields", {}).get(name), "metadata", [])
    pair = [huge, huge] if "tuple" in str(annotation) else huge
    with pytest.raises(ValidationError):
        TypeAdapter(Annotated[annotation, *metadata] if metadata else annotation).validate_python(pair)


@pytest.mark.parametrize(
    ("key", "value", "sentence"),
    [
        (
            "switch.lines.occluder",
            32,
            "switch.lines.occluder is 32: numato_relay_32 has the lines 0 to 31, and no such one",
        ),
        ("balance.address", "garbage", "balance.address is 'garbage': this is no VISA address, such as ASRL1::INSTR"),
        ("supply.voltage", "12 V", "supply.voltage and supply.current_limit: Expected a voltage from 0 to 6.18 V"),
    ],
)
def test_what_an_instrument_cannot_have_is_refused_by_its_key(key: str, value: object, sentence: str) -> None:
    with pytest.raises(BenchFileError, match=f"^{re.escape(sentence)}"), open_bench(VIRTUAL, {key: value}):
        pass


def test_a_pipe_a_device_and_a_huge_file_are_no_bench_files(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.toml")
    with (tmp_path / "huge.toml").open("wb") as file:
        file.truncate(2_000_000_000)
    for path, why in {"pipe.toml": "is a pipe or a device", "huge.toml": "is larger than 100 MB"}.items():
        with pytest.raises(BenchFileError, match=why):
            read_bench_file(tmp_path / path)
    with pytest.raises(BenchFileError, match="is a pipe or a device"):
        read_bench_file(Path("/dev/zero"))


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
