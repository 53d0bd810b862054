"""The bench file: which instruments stand on the bench, where, and until when they are calibrated.

TOML, one table a role. Quantities carry their unit. Unknown keys are refused. Not responsible for opening anything.
"""

from __future__ import annotations

import copy
import datetime
import tomllib
from collections.abc import Callable, Mapping
from itertools import combinations
from pathlib import Path
from typing import Any, Self

from pydantic import model_validator

from rig.bench.addresses import resolved
from rig.bench.channels import INSTRUMENT_ROLES, bench_content, split
from rig.bench.conditions import Conditions
from rig.bench.device_tables import (
    BalanceTable,
    DeviceTable,
    EnvironmentTable,
    HandsTable,
    PressureTable,
    ProbeTable,
    PumpTable,
    SensorTable,
    SoundTable,
    SupplyTable,
    SwitchTable,
)
from rig.bench.drivers import ROLES
from rig.bench.setup_tables import (
    CutOffTable,
    DisposablesTable,
    FluidTable,
    GuardianTable,
    ServedTable,
    TimeBaseTable,
    VesselTable,
    VirtualTable,
)
from rig.bench.table import BenchTable, Words
from rig.errors import BenchFileError
from rig.roles import means_by_place
from rig.toml_files import parse_toml, read_file, validated

_FILES = (("balance", "routine_test"), ("pump", "sheet"), ("probe", "symbols"), ("virtual", "firmware"))
"""The files that a bench names, by table and key; they are relative to its own."""


class BenchFile(BenchTable):
    """A whole bench; `provoke` names a fault of the catalogue that is there in every test (`rig prove --faults`).

    `ledger` is the file in which every run of the bench has a number; a real bench without it has one beside its file.
    `key` is the PEM file of the private key that signs its runs; it is relative to the bench's file.
    """

    name: Words
    operator: Words | None = None
    ledger: Path | None = None
    key: Path | None = None
    visa_library: str = "@py"
    balance: BalanceTable
    pressure: PressureTable
    supply: SupplyTable
    switch: SwitchTable
    environment: EnvironmentTable
    sound: SoundTable | None = None
    hands: HandsTable | None = None
    probe: ProbeTable | None = None
    sensor: SensorTable | None = None
    pump: PumpTable
    fluid: FluidTable = FluidTable()
    vessel: VesselTable = VesselTable()
    conditions: Conditions = Conditions()
    disposables: DisposablesTable = DisposablesTable()
    time_base: TimeBaseTable | None = None
    cut_off: CutOffTable = CutOffTable()
    guardian: GuardianTable = GuardianTable()
    virtual: VirtualTable | None = None
    served: ServedTable | None = None
    provoke: Words | None = None

    @property
    def roles(self) -> tuple[str, ...]:
        """The roles of which the bench has a device, in the order of opening."""
        return tuple(role for role in ROLES if getattr(self, role) is not None)

    @property
    def simulated(self) -> bool:
        """Whether nothing on it is evidence about any device: it is virtual, or leads to a virtual one that is served.

        `virtual` alone says that the world is made in this process, in which time passes as fast as it can.
        """
        return self.virtual is not None or self.served is not None

    @property
    def day(self) -> datetime.date | None:
        """The day in a simulated world; None where it is the day outside."""
        world = self.virtual or self.served
        return world.date if world is not None else None

    @property
    def means(self) -> frozenset[str]:
        """The roles by which something can be done to the pump or seen of it, and places that its probe reaches.

        A supply is one only where it feeds the pump.
        """
        roles = frozenset(self.roles) - ({"supply"} if self.cut_off.by == "nothing" else frozenset())
        return roles | {means_by_place(name) for name in (self.probe.places if self.probe is not None else ())}

    def table(self, role: str) -> DeviceTable:
        """Find what is said of the device of a role that the bench has."""
        table = getattr(self, role)
        assert isinstance(table, DeviceTable)
        return table

    @model_validator(mode="after")
    def _has_the_line_that_feeds_the_pump(self) -> Self:
        line = self.cut_off.line
        others = [name for name in self.switch.lines if name != "occluder"]
        if line is not None and line not in others:
            known = f"known are {', '.join(others)}" if others else "switch.lines has none besides the occluder"
            raise ValueError(f"cut_off.line is {line!r}, which is no line of the switch that could feed it; {known}")
        return self

    @model_validator(mode="after")
    def _is_simulated_here_or_elsewhere(self) -> Self:
        if self.virtual is not None and self.served is not None:
            raise ValueError("there are [virtual] and [served]: a bench is simulated here, or served by rig serve")
        return self

    @model_validator(mode="after")
    def _has_what_is_simulated(self) -> Self:
        if self.virtual is not None:
            named = {f"virtual.serial_numbers.{role}": role for role in self.virtual.serial_numbers}
            named |= {f"virtual.fault {fault.kind!r}": fault.device for fault in self.virtual.fault}
            for key, role in named.items():
                if role not in self.roles:
                    raise ValueError(f"{key} is of the {role}, and this bench has none: there is no table [{role}]")
        return self

    @model_validator(mode="after")
    def _has_a_line_for_each(self) -> Self:
        tables = {role: getattr(self, role) for role in INSTRUMENT_ROLES}
        wanted = {role: table.address for role, table in tables.items() if table is not None}
        wanted["pump"] = self.pump.port
        if self.sensor is not None:
            wanted["sensor"] = self.sensor.port
        for (one, first), (other, second) in combinations(wanted.items(), 2):
            if resolved(first) == resolved(second):
                named = repr(first) if first == second else f"{first!r} and {second!r}, which are one line"
                raise ValueError(f"{one} and {other} are both on {named}; each device needs its own")
        return self


def read_bench_file(path: Path, overrides: Mapping[str, Any] | None = None) -> tuple[BenchFile, dict[str, Any]]:
    """Read a bench file, or one channel of it (`file.toml#channel`); as `parse_bench_file`."""
    return parse_bench_file(path, read_file(split(path)[0]), overrides or {})


def parse_bench_file(
    path: Path, data: bytes, overrides: Mapping[str, Any], *, load: Callable[[bytes], Any] | None = None
) -> tuple[BenchFile, dict[str, Any]]:
    """Parse what a bench file holds, or one channel of it, with `overrides` ("table.key" to value) laid over it.

    Args:
        path: the file, for sentences about it; relative paths in it are relative to it.
        data: its bytes.
        overrides: "table.key" to value.
        load: parses the bytes, where they are no TOML.

    Returns:
        The validated bench, and the same as plain data for the record.

    Raises:
        BenchFileError: one sentence with file, key, what was found and what is allowed.
    """
    content = bench_content(path, load(data) if load is not None else parse_toml(split(path)[0], data))
    for key, value in overrides.items():
        _lay_over(content, key, value)
    bench = validated(path, content, BenchFile)
    for name, key in _FILES:
        table = getattr(bench, name)
        named = getattr(table, key) if table is not None else None
        if named is None:
            continue
        found = path.parent / named
        if key == "firmware" and not found.is_file():
            raise BenchFileError(f"{path}: virtual.firmware is {str(named)!r}: there is no file {found}")
        bench = bench.model_copy(update={name: table.model_copy(update={key: found})})
    return bench, content


def parse_override(text: str) -> tuple[str, Any]:
    """Parse "table.key=value" from the command line; the value is TOML, or plain text where it is no TOML."""
    key, equals, value = text.partition("=")
    if not equals or not key.strip():
        raise BenchFileError(f"--set {text!r}: write it as table.key=value, such as virtual.seed=2")
    try:
        return key.strip(), tomllib.loads(f"value = {value}")["value"]
    except tomllib.TOMLDecodeError:
        return key.strip(), value.strip()


def _lay_over(content: dict[str, Any], key: str, value: object) -> None:
    *tables, last = key.split(".")
    table = content
    for name in tables:
        inner = table.setdefault(name, {})
        if not isinstance(inner, dict):
            raise BenchFileError(f"--set {key}: {name} is not a table")
        table = inner
    table[last] = copy.deepcopy(value)  # a later setting below it must not reach the caller's
