"""Every instrument is built alike: a driver that fulfils one role, a twin that never met it, a page between them."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, get_type_hints

import pytest
import pyvisa

from rig import roles
from rig.clock import SimClock
from rig.virtual.port import Port
from rig.virtual.visa import VirtualVisaLibrary
from rig.wire import NoLog, Wire
from suites.stands.transcript_players import options
from suites.stands.transcripts import read_page

ROOT = Path(__file__).parents[2]
DEVICES = sorted(path.name for path in (ROOT / "instruments").iterdir() if (path / "__init__.py").exists())
FOLDERS = [name for name in DEVICES if import_module(f"instruments.{name}.driver").ROLE != "pump"]
ASKED = [name for name in FOLDERS if import_module(f"instruments.{name}.driver").ROLE != "sensor"]
"""Those that answer over a wire. A sensor is played by the rig itself, and what it talks to stands beside it."""
ROLES = (
    roles.Balance,
    roles.PressureSensor,
    roles.PowerSupply,
    roles.Switch,
    roles.Environment,
    roles.SoundRecorder,
    roles.Hands,
    roles.DebugProbe,
    roles.GlucoseSensor,
)


def part(folder: str, name: str) -> ModuleType:
    return import_module(f"instruments.{folder}.{name}")


def imports(module: str) -> set[str]:
    """Names of the project's modules that a module imports, directly or through other instrument modules."""
    found: set[str] = set()
    waiting = [module]
    while waiting:
        for name in _imports(waiting.pop()) - found:
            found.add(name)
            if name.startswith("instruments."):
                waiting.append(name)
    return found


def _imports(module: str) -> set[str]:
    return set(_imported(ast.parse(_file(module).read_text(encoding="utf-8"))))


def _imported(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import | ast.ImportFrom) else []
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, "instruments import by full names"
            assert node.module is not None
            names = [node.module, *(f"{node.module}.{name}" for name in names)]
        yield from (name for name in names if _file(name).exists())


def _file(module: str) -> Path:
    path = ROOT / module.replace(".", "/")
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def members(role: type) -> dict[str, Any]:
    """Methods and properties that a role asks for, its bases' included."""
    return {
        name: member
        for base in role.__mro__
        if base.__module__.startswith(f"{roles.__name__}.")
        for name, member in vars(base).items()
        if not name.startswith("_") and (callable(member) or isinstance(member, property))
    }


def fulfils(driver: type, role: type) -> bool:
    for name, wanted in members(role).items():
        offered = inspect.getattr_static(driver, name, None)
        if isinstance(wanted, property):
            if not isinstance(offered, property):
                return False
        elif not callable(offered) or inspect.signature(offered) != inspect.signature(wanted):
            return False
    return True


def test_the_checks_can_fail() -> None:
    class Scale:
        def read(self) -> float:
            return 0.0

    assert set(members(roles.PressureSensor)) == {"read_kpa", "identify", "self_test", "make_safe", "close"}
    assert not any(fulfils(Scale, role) for role in ROLES)
    assert {"rig.wire", "rig.roles"} <= imports("instruments.mettler_xpr.driver")
    assert "rig.virtual.port" in imports("instruments.mettler_xpr.twin")


def test_there_are_instruments() -> None:
    assert {
        "mettler_xpr",
        "keller_33x",
        "keysight_e36312a",
        "numato_relay",
        "vaisala_ptu300",
        "keysight_l4532a",
    } <= set(FOLDERS)


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_driver_fulfils_exactly_one_role(folder: str) -> None:
    driver = get_type_hints(part(folder, "driver").open_driver)["return"]
    assert [role.__name__ for role in ROLES if fulfils(driver, role)] != [], f"{driver.__name__} fulfils no role"
    assert len([role for role in ROLES if fulfils(driver, role)]) == 1


@pytest.mark.parametrize("folder", ASKED)
def test_a_driver_is_opened_with_a_wire_a_clock_and_options(folder: str) -> None:
    wire, *keywords = inspect.signature(part(folder, "driver").open_driver).parameters.values()
    assert (wire.name, wire.kind) == ("wire", inspect.Parameter.POSITIONAL_OR_KEYWORD)
    assert keywords[0].name == "clock"
    assert {keyword.kind for keyword in keywords} == {inspect.Parameter.KEYWORD_ONLY}


@pytest.mark.parametrize("folder", ASKED)
def test_opening_a_driver_says_nothing_to_the_instrument(folder: str) -> None:
    talk = next(it for it in read_page(ROOT / "instruments" / folder / "protocol.md") if it.has_calls)
    address = talk.statement("address", "ASRL1::INSTR")
    port, heard = Port(SimClock(), baud=None), bytearray()
    port.on_receive(heard.extend)
    with pyvisa.ResourceManager(VirtualVisaLibrary.over({address: port})).open_resource(address) as resource:
        assert isinstance(resource, pyvisa.resources.MessageBasedResource)
        wire = Wire(resource, folder, port.clock, NoLog())
        part(folder, "driver").open_driver(wire, clock=port.clock, **options(talk))
        port.clock.sleep(1.0)
    assert heard == b""


@pytest.mark.parametrize("folder", ASKED)
def test_a_twin_has_a_line_and_a_name_plate(folder: str) -> None:
    twin = part(folder, "twin")
    assert twin.BAUD is None or twin.BAUD in (300, 1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200)
    assert 9 <= twin.BITS_PER_CHARACTER <= 12
    signature = inspect.signature(twin.open_twin)
    assert list(signature.parameters) == ["port", "signals", "serial_number"]
    assert signature.parameters["serial_number"].kind is inspect.Parameter.KEYWORD_ONLY


@pytest.mark.parametrize("folder", ASKED)
def test_driver_and_twin_share_no_code_and_see_nothing_of_each_others_side(folder: str) -> None:
    driver, twin = imports(f"instruments.{folder}.driver"), imports(f"instruments.{folder}.twin")
    shared = {name for name in driver & twin if name.startswith("instruments.")}
    assert shared == set(), f"driver and twin both import {shared}"
    assert {name for name in driver if name.startswith("rig.virtual") or name.endswith(".twin")} == set()
    assert {
        name for name in twin if name.startswith("rig.pump") or name == "rig.wire" or name.endswith(".driver")
    } == set()


@pytest.mark.parametrize("folder", FOLDERS)
@pytest.mark.parametrize("heading", ["## Framing", "## Transcripts", "## Oddities", "## Write safety"])
def test_a_page_has_the_sections_that_a_reader_looks_for(folder: str, heading: str) -> None:
    page = (ROOT / "instruments" / folder / "protocol.md").read_text(encoding="utf-8")
    assert f"\n{heading}\n" in page


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_transcript_says_where_it_comes_from(folder: str) -> None:
    page = (ROOT / "instruments" / folder / "protocol.md").read_text(encoding="utf-8")
    assert "*from manual*" in page.lower() or "*from the specification.*" in page.lower() or "recorded" in page
