"""Trouble on real lines: a served bench with real ptys and sockets, real processes and real signals, in real time.

Not responsible for what needs no operating system: that is done in virtual time (`doing`), where it takes no time.
"""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pyvisa
from pyvisa.resources import MessageBasedResource

from rig.bench.file import read_bench_file
from rig.clock import Deadline, WallClock
from suites.measuring import VIRTUAL

SAFE_WITHIN_S = 8.0
"""A guardian has 5 s to make the pump safe, and sees a death within a second; the rest is this computer's."""
CHECKED_WITHIN_S = 120.0
"""A check of a bench in trouble is over by then, however endless what it reads."""

ROLES = read_bench_file(VIRTUAL)[0].roles

_RUNNING = """
import sys
from rig.bench.open import open_bench
from rig.roles import Capability, require
from rig.therapy import BasalSegment
with open_bench(sys.argv[1]) as bench:
    require(bench.pump, Capability.RESERVOIR_LEVEL).set_reservoir_level(300.0)
    require(bench.pump, Capability.BASAL_PROFILE).set_basal_profile([BasalSegment(1440, 10.0)])
    bench.pump.run()
    print(bench.pump.status().therapy.value, flush=True)
    while True:
        bench.clock.sleep(0.5)
        bench.pump.status()
"""
"""A program that lets the pump deliver and looks at it, until something ends it."""


@dataclass(frozen=True)
class Served:
    """What came of a trouble on a served bench: whether it is as it must be, and a sentence on it."""

    name: str
    good: bool
    sentence: str


CHECKS: Mapping[str, tuple[str, tuple[int, ...]]] = {
    "a sound bench": ("", (0,)),
    "a mute balance": ("{device='balance', kind='mute', at='0 s'}", (3,)),
    "an endless balance": ("{device='balance', kind='endless', at='0 s'}", (3,)),
    "an endless supply": ("{device='supply', kind='endless', at='5 s'}", (3,)),
    "truncated pressures": ("{device='pressure', kind='truncated', at='0 s'}", (3,)),
    "doubled replies of the relay": ("{device='switch', kind='duplicated', at='0 s'}", (0, 3)),
    "a mute pump": ("{device='pump', kind='mute', at='5 s'}", (3,)),
    "a pump's line that flips bits": ("{device='pump', kind='flip', at='0 s', every=100}", (0, 3)),
}
"""Faults in the file of a served bench, and the exit codes of `rig check` that are true."""

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL)


def troubles() -> Iterator[Served]:
    """Do all of them, one after the other; takes some minutes of real time."""
    for name, (fault, allowed) in CHECKS.items():
        yield _checked(name, fault, allowed)
    for each in SIGNALS:
        yield _ended_by(each)


def _checked(name: str, fault: str, allowed: tuple[int, ...]) -> Served:
    with served(fault) as bench, tempfile.TemporaryFile() as printed:
        command = [sys.executable, "-m", "rig", "check", "--bench", str(bench.file)]
        try:
            code = subprocess.run(
                command, stdout=printed, stderr=printed, timeout=CHECKED_WITHIN_S, check=False
            ).returncode
        except subprocess.TimeoutExpired:
            return Served(name, False, f"rig check was not over in {CHECKED_WITHIN_S:g} s")
        printed.seek(0)
        text = printed.read().decode("utf-8", errors="replace")
        if "Traceback" in text:
            return Served(name, False, f"rig check ended in a traceback: {text.strip().splitlines()[-1]}")
        if code not in allowed:
            return Served(name, False, f"rig check ended with {code}, true is {' or '.join(map(str, allowed))}")
        if "supply" not in fault and bench.supply_is_on():
            return Served(name, False, f"rig check ended with {code} and left the pump's supply on")
        return Served(name, True, f"rig check ended with {code}")


def _ended_by(each: signal.Signals) -> Served:
    """End a program whose pump is delivering, and wait for its supply to be off."""
    name = f"a program with a running pump gets {each.name}"
    with served("") as bench:
        command = [sys.executable, "-c", _RUNNING, str(bench.file)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as program:
            assert program.stdout is not None
            if program.stdout.readline().strip() != "run":
                program.kill()
                return Served(name, False, "the pump did not run")
            program.send_signal(each)
            program.wait(timeout=60.0)
        clock = WallClock()
        deadline = Deadline(clock, SAFE_WITHIN_S)
        while bench.supply_is_on():
            if deadline.expired:
                return Served(name, False, f"the pump's supply is on still {SAFE_WITHIN_S:g} s after it had ended")
            clock.sleep(0.2)
        return Served(name, True, f"the pump's supply was off {clock.now():.1f} s after it had ended")


@dataclass(frozen=True)
class ServedLines:
    """A served bench: the file with which it is used as a laboratory's is, and the supply's own address."""

    file: Path
    supply: str

    def supply_is_on(self) -> bool:
        """Ask the supply itself, as a program of somebody else's would."""
        manager = pyvisa.ResourceManager("@py")
        resource = manager.open_resource(self.supply)
        assert isinstance(resource, MessageBasedResource)
        try:
            resource.read_termination = resource.write_termination = "\n"
            return resource.query("OUTP? (@1)") == "1"
        finally:
            resource.close()
            manager.close()


@contextmanager
def served(fault: str) -> Iterator[ServedLines]:
    """Serve the virtual bench with a fault, written as in a bench file, or with none."""
    command = [sys.executable, "-m", "rig", "serve"] + (["--set", f"virtual.fault=[{fault}]"] if fault else [])
    with (
        tempfile.TemporaryDirectory() as folder,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process,
    ):
        try:
            addresses = _addresses(process)
            file = Path(folder) / "served.toml"
            file.write_text(_as_in_a_laboratory(addresses), encoding="utf-8")
            yield ServedLines(file, addresses["supply"])
        finally:
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=60.0)


def _addresses(process: subprocess.Popen[str]) -> dict[str, str]:
    """Read the printed table of a server."""
    assert process.stdout is not None
    found: dict[str, str] = {}
    for line in process.stdout:
        found |= {role: match[1] for role in ROLES if (match := re.search(rf"│ {role} +│ \S+ +│ (\S+)", line))}
        if len(found) == len(ROLES):
            return found
    raise RuntimeError(f"rig serve printed {len(found)} addresses, and ended")


def _as_in_a_laboratory(addresses: Mapping[str, str]) -> str:
    """Write the virtual bench's file without its world, and with these addresses."""
    text = VIRTUAL.read_text(encoding="utf-8").partition("\n[virtual]\n")[0] + "\n"
    for role, table in tomllib.loads(text).items():
        if role in addresses:
            address = addresses[role]
            is_line = address.startswith("/dev/") and role != "pump"
            place = f"ASRL{address}::INSTR" if is_line else address
            text = text.replace(f'"{table.get("address", table.get("port"))}"', f'"{place}"')
    return text
