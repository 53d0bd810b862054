"""Options of a device: what its driver takes, checked before anything is opened, and really set on its line."""

from __future__ import annotations

import importlib
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import pyvisa
from pyvisa.constants import Parity, StopBits
from pyvisa.resources import SerialInstrument

from rig.bench.drivers import driver_module, refuse_wrong_options, twin_module
from rig.bench.open import open_bench
from rig.clock import SimClock
from rig.errors import BenchFileError
from rig.virtual.port import Port
from rig.virtual.visa import VirtualVisaLibrary
from rig.wire import NoLog, Wire

VIRTUAL = "fixtures/benches/virtual.toml"
DEFAULTS = {
    "balance": {"baud": 9600, "framing": "8N1"},
    "pressure": {"address": 250, "baud": 9600},
    "supply": {},
    "switch": {"baud": 9600},
    "environment": {"baud": 4800, "framing": "7E1"},
    "pump": {},
}


class Disk:
    """A byte log that counts what went over any wire."""

    def __init__(self) -> None:
        self.heard = 0

    def wire(self, at_s: float, device: str, direction: str, data: bytes) -> None:
        del at_s, device, direction
        self.heard += len(data)

    def incident(self, at_s: float, of_whom: str, what: str) -> None:
        """Nothing is expected to go wrong."""
        raise AssertionError(f"{of_whom} at {at_s} s: {what}")


def test_the_virtual_bench_takes_every_default_when_it_is_said() -> None:
    said = {f"{role}.options": options for role, options in DEFAULTS.items()}
    with open_bench(VIRTUAL, said) as bench:
        assert bench.pressure.read_kpa() == pytest.approx(0.0, abs=1.0)
        assert bench.balance.read().mass_g > 0
        assert bench.environment.read_air().relative_humidity > 0


WRONG = [
    ("balance", {"speed": 9600}, "balance.options.speed: mettler_xpr has no such option; known are baud, framing"),
    ("balance", {"baud": "9600"}, "balance.options.baud is '9600': input should be 600, 1200, 2400"),
    ("balance", {"framing": "8E1"}, "balance.options.framing is '8E1': input should be '8N1', '7N1', '7E1' or '7O1'"),
    ("pressure", {"baud": 1200}, "pressure.options.baud is 1200: input should be 9600 or 115200"),
    ("pressure", {"address": 251}, "pressure.options.address is 251: input should be less than or equal to 250"),
    ("pressure", {"address": 0}, "pressure.options.address is 0: input should be greater than or equal to 1"),
    ("pressure", {"address": True}, "pressure.options.address is True: input should be a valid integer"),
    ("pressure", {"address": 2.0}, "pressure.options.address is 2.0: input should be a valid integer"),
    ("supply", {"baud": 9600}, "supply.options.baud: keysight_e36312a has no such option; it has none"),
    ("switch", {"lines": {"occluder": 1}}, "switch.options.lines: numato_relay_32 has no such option; known are baud"),
    ("environment", {"framing": "9N1"}, "environment.options.framing is '9N1': input should be '7E1'"),
    ("pump", {"baud": 9600}, "pump.options.baud: ids has no such option; it has none"),
]


@pytest.mark.parametrize(("role", "options", "sentence"), WRONG)
def test_a_wrong_option_is_one_sentence_before_anything_is_opened(
    role: str, options: Mapping[str, Any], sentence: str
) -> None:
    disk = Disk()
    with pytest.raises(BenchFileError) as raised, open_bench(VIRTUAL, {f"{role}.options": options}, log=disk):
        pass
    assert str(raised.value).startswith(sentence)
    assert "\n" not in str(raised.value)
    assert disk.heard == 0


@pytest.mark.parametrize("command", ["check", "verify"])
@pytest.mark.parametrize(
    ("setting", "sentence"),
    [
        ("environment.options.bawd=4800", "environment.options.bawd: vaisala_ptu300 has no such option"),
        ("pressure.options.address=one", "pressure.options.address is 'one': input should be a valid integer"),
        ("pressure.options.address=1000", "pressure.options.address is 1000: input should be less than or equal to"),
    ],
)
def test_the_command_line_ends_with_2_and_a_sentence(tmp_path: Path, command: str, setting: str, sentence: str) -> None:
    out = ["--out", str(tmp_path / "run")] if command == "verify" else []
    arguments = [sys.executable, "-m", "rig", command, "--set", setting, *out]
    done = subprocess.run(arguments, capture_output=True, text=True, check=False)
    assert done.returncode == 2, done.stdout
    assert sentence in " ".join((done.stdout + done.stderr).split())
    assert "Traceback" not in done.stdout + done.stderr
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("name", "options", "expected"),
    [
        ("mettler_xpr", {}, (9600, 8, Parity.none, StopBits.one)),
        ("mettler_xpr", {"baud": 38400, "framing": "7O1"}, (38400, 7, Parity.odd, StopBits.one)),
        ("keller_33x", {}, (9600, 8, Parity.none, StopBits.one)),
        ("keller_33x", {"baud": 115200}, (115200, 8, Parity.none, StopBits.one)),
        ("numato_relay", {"baud": 921600, "lines": {"occluder": 0}}, (921600, 8, Parity.none, StopBits.one)),
        ("vaisala_ptu300", {}, (4800, 7, Parity.even, StopBits.one)),
        ("vaisala_ptu300", {"baud": 19200, "framing": "8N2"}, (19200, 8, Parity.none, StopBits.two)),
    ],
)
def test_a_driver_sets_its_line_as_the_options_say(
    name: str, options: dict[str, Any], expected: tuple[int, int, Parity, StopBits]
) -> None:
    clock = SimClock()
    library = VirtualVisaLibrary.over({"ASRL1::INSTR": Port(clock, baud=9600)})
    resource = pyvisa.ResourceManager(library).open_resource("ASRL1::INSTR")
    assert isinstance(resource, SerialInstrument)
    module = importlib.import_module(f"instruments.{name}.driver")
    module.open_driver(Wire(resource, name, clock, NoLog()), clock=clock, **options)
    assert (resource.baud_rate, resource.data_bits, resource.parity, resource.stop_bits) == expected


def test_a_line_at_another_speed_than_the_instruments_gives_no_bench() -> None:
    with (
        pytest.raises(Exception, match=r"pressure keller_33x on ASRL2::INSTR, at .*9600 8N1, or as in its options"),
        open_bench(VIRTUAL, {"pressure.options": {"baud": 115200}}),
    ):
        pass


def test_a_relay_that_the_module_does_not_have_is_a_mistake_of_the_file() -> None:
    with (
        pytest.raises(
            BenchFileError,
            match=r"^switch.lines.occluder is 32: numato_relay_32 has the lines 0 to 31, and no such one$",
        ),
        open_bench(VIRTUAL, {"switch.lines": {"occluder": 32}}),
    ):
        pass


@pytest.mark.parametrize("role", ["balance", "pump"])
def test_pumps_and_instruments_are_found_in_one_way(role: str) -> None:
    with pytest.raises(BenchFileError, match=rf"^{role}\.driver is 'nothing': there is no such device; known are .*, "):
        refuse_wrong_options(role, "nothing", {})
    assert hasattr(driver_module("pump", "new_era_ne1000"), "open_driver")
    assert hasattr(twin_module("balance", "mettler_xpr"), "open_twin")
    assert hasattr(twin_module("pump", "new_era_ne1000"), "open_twin")
    assert twin_module("pump", "ids") is None
