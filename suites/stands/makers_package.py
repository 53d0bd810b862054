"""A device maker's own package, as files: a balance and a pump with driver and twin, and some that are wrong.

The balance breaks off where its option `breaks` says, and its twin where the serial number says. Not responsible for
what the rig makes of it.
"""

from __future__ import annotations

from pathlib import Path

from rig.shipped import ROOT

_FILES = {
    "pyproject.toml": """
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "acme-devices"
version = "2.5"

[project.entry-points."rig.devices"]
acme_scale = "acme_devices.scale"
acme_pump = "acme_devices.pump"
acme_torn = "acme_devices.torn"
acme_roleless = "acme_devices.roleless"
acme_untwinned = "acme_devices.untwinned"
""",
    "acme_devices/__init__.py": "",
    "acme_devices/scale/__init__.py": "",
    "acme_devices/scale/driver.py": """
from typing import Literal

from instruments.mettler_xpr import driver as xpr

ROLE = "balance"


class Scale(xpr.MettlerBalance):
    def __init__(self, wire, breaks):
        super().__init__(wire)
        self._breaks = breaks

    def identify(self):
        return {}["who"] if self._breaks == "identify" else super().identify()

    def read(self):
        return 1 / 0 if self._breaks == "read" else super().read()

    def close(self):
        super().close()
        if self._breaks == "close":
            raise OSError("the lid is stuck")


def open_driver(wire, *, clock, breaks: Literal["", "open", "identify", "read", "close", "self_test"] = ""):
    if breaks == "open":
        wire.no_such_word()
    xpr.open_driver(wire, clock=clock)
    scale = Scale(wire, breaks)
    if breaks == "self_test":
        scale.self_test = None
    return scale
""",
    "acme_devices/scale/twin.py": """
from instruments.mettler_xpr import twin as xpr

BAUD, BITS_PER_CHARACTER, DATA_BITS = xpr.BAUD, xpr.BITS_PER_CHARACTER, xpr.DATA_BITS


def open_twin(port, signals, *, serial_number):
    if serial_number == "breaks":
        raise IndexError("no such pan")
    if serial_number == "breaks later":
        port.clock.call_at(port.clock.now_ns + 60 * 10**9, lambda: drift(None))
    return xpr.open_twin(port, signals, serial_number=serial_number)


def drift(load):
    return load.mass
""",
    "acme_devices/pump/__init__.py": "",
    "acme_devices/pump/driver.py": """
from instruments.new_era_ne1000 import driver as syringe

ROLE = "pump"


def open_driver(port, *, clock, log, strength: float = 1.0, breaks: bool = False):
    pump = syringe.open_driver(port, clock=clock, log=log)
    if breaks:
        pump.make_safe = lambda: strength.stop()
    return pump
""",
    "acme_devices/pump/twin.py": "from instruments.new_era_ne1000.twin import *\n",
    "acme_devices/torn/__init__.py": "",
    "acme_devices/torn/driver.py": "import a_library_that_nobody_has\n",
    "acme_devices/roleless/__init__.py": "",
    "acme_devices/roleless/driver.py": "def open_driver(wire, *, clock):\n    return wire\n",
    "acme_devices/untwinned/__init__.py": "",
    "acme_devices/untwinned/driver.py": "from acme_devices.scale.driver import *\n",
    "acme_devices/untwinned/twin.py": "BAUD = 9600\n",
}


def write_package(folder: Path) -> Path:
    """Write the package's source tree into a new folder; returns it."""
    for name, text in _FILES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.lstrip(), encoding="utf-8")
    return folder


def write_bench(path: Path) -> Path:
    """Write a bench file with the package's balance and pump on a virtual bench; returns it."""
    text = (ROOT / "fixtures/benches/virtual_ne1000.toml").read_text(encoding="utf-8")
    text = text.replace('"../', f'"{ROOT / "fixtures"}/')
    for old, new in {
        'driver = "mettler_xpr"': 'driver = "acme_scale"',
        'driver = "new_era_ne1000"': 'driver = "acme_pump"',
        "options = { diameter_mm = 8.585 }": "options = { strength = 100.0 }",
    }.items():
        assert old in text
        text = text.replace(old, new)
    path.write_text(text, encoding="utf-8")
    return path
