"""A virtual bench that `rig serve` runs in real time, and the bench file with which it is used as a laboratory's is.

Not responsible for what is done with it.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pyvisa
from pyvisa.resources import MessageBasedResource

from rig.bench.file import read_bench_file
from rig.bench.lease import FOLDER
from rig.shipped import DEFAULT_BENCH, shipped

ROLES = read_bench_file(shipped(DEFAULT_BENCH))[0].roles


@dataclass(frozen=True)
class ServedBench:
    """A bench that is served: its file, the address of every device, and the folder of the leases on it."""

    file: Path
    addresses: Mapping[str, str]
    leases: Path

    @property
    def environment(self) -> dict[str, str]:
        """The environment of a process that uses it: its leases are its own, and nobody's of this machine."""
        return {**os.environ, FOLDER: str(self.leases)}

    def supply_is_on(self) -> bool:
        """Ask the supply itself, as a program of somebody else's would."""
        manager = pyvisa.ResourceManager("@py")
        supply = manager.open_resource(self.addresses["supply"])
        assert isinstance(supply, MessageBasedResource)
        try:
            supply.read_termination = supply.write_termination = "\n"
            return supply.query("OUTP? (@1)") == "1"
        finally:
            supply.close()
            manager.close()


@contextmanager
def served_bench(
    folder: Path, settings: Sequence[str] = (), *, more: str = "", serve: Sequence[str] = ()
) -> Iterator[ServedBench]:
    """Serve the default virtual bench and write a bench file without [virtual] that names its lines.

    Args:
        folder: where the file and the leases lie.
        settings: "--set" of `rig serve`, such as a fault.
        more: further tables of the bench file, as TOML.
        serve: further arguments of `rig serve`.
    """
    command = [sys.executable, "-m", "rig", "serve", *serve]
    for each in settings:
        command += ["--set", each]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        try:
            addresses = _addresses(process)
            file = folder / "served.toml"
            file.write_text(_bench_file(addresses) + more, encoding="utf-8")
            yield ServedBench(file, addresses, folder / "leases")
        finally:
            process.send_signal(signal.SIGINT)
            rest = process.communicate(timeout=20)[0]
    assert process.returncode == 0, rest


def _addresses(process: subprocess.Popen[str]) -> dict[str, str]:
    assert process.stdout is not None
    addresses: dict[str, str] = {}
    output = ""
    while len(addresses) < len(ROLES):
        line = process.stdout.readline()
        assert line, output
        output += line
        for role in ROLES:
            if match := re.search(rf"│ {role} +│ \S+ +│ (\S+)", line):
                addresses[role] = match[1]
    return addresses


def _bench_file(addresses: Mapping[str, str]) -> str:
    """Write the virtual bench's file anew, with these addresses, the same pump sheet and without its world."""
    bench = shipped(DEFAULT_BENCH)
    text = bench.read_text(encoding="utf-8")
    firmware = tomllib.loads(text)["virtual"]["firmware"]
    text = text.partition("\n[virtual]\n")[0] + "\n"
    tables = tomllib.loads(text)
    sheet = tables["pump"]["sheet"]
    text = text.replace(f'"{sheet}"', f'"{(bench.parent / sheet).resolve()}"')  # the file lies in another folder
    image = (bench.parent / firmware).resolve()  # a laboratory's file says where places are
    text = text.replace("[probe.places]", f'symbols = "{image}"\n\n[probe.places]')
    for role, table in tables.items():
        if role in addresses:
            found = addresses[role]
            address = f"ASRL{found}::INSTR" if found.startswith("/dev/") and role != "pump" else found
            text = text.replace(f'"{table.get("address", table.get("port"))}"', f'"{address}"')
    return text
