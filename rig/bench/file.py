"""The bench file: which instruments stand on the bench, where, and until when they are calibrated.

TOML, one table a role. Quantities carry their unit. Unknown keys are refused. Not responsible for opening anything.
"""

from __future__ import annotations

import copy
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from rig.bench.channels import bench_content, split
from rig.bench.conditions import Conditions
from rig.bench.fault_table import FaultTable
from rig.errors import BenchFileError
from rig.toml_files import (
    CurrentA,
    Day,
    LengthM,
    MassG,
    Percent,
    PressureKpa,
    TemperatureC,
    TimeS,
    VoltageV,
    WholeNumber,
    parse_toml,
    read_file,
    validated,
)
from rig.virtual.parameters import VirtualParameters


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class DeviceTable(_Table):
    """A device: its driver, its name plate, and the driver's own options, which `rig.bench.drivers` checks."""

    driver: str
    serial_number: str
    options: dict[str, Any] = {}


class InstrumentTable(DeviceTable):
    """An instrument: its driver is a folder of `instruments/`, and it has a VISA address."""

    address: str


class CalibratedTable(InstrumentTable):
    """An instrument whose readings become results: it must be calibrated, and stay so."""

    calibrated: Day
    calibration_due: Day

    @model_validator(mode="after")
    def _due_after_calibrated(self) -> Self:
        if self.calibration_due <= self.calibrated:
            raise ValueError(f"calibration_due must be later than calibrated, {self.calibrated}")
        return self


class BalanceTable(CalibratedTable):
    """The balance; `repeatability` and `readability` enter the uncertainty of every volume.

    `routine_test` is the file of its last `rig balance-test`, which holds for `routine_test_every`; None asks for none.
    """

    repeatability: MassG = Field(gt=0)
    readability: MassG = Field(gt=0)
    calibration_uncertainty: Percent = Field(gt=0, le=100)
    routine_test: Path | None = None
    routine_test_every: TimeS = Field(default=86400.0, gt=0)


class PressureTable(CalibratedTable):
    """The pressure sensor in the line, and its expanded uncertainty (k = 2) from the calibration certificate."""

    expanded_uncertainty: PressureKpa = Field(gt=0)


class SupplyTable(InstrumentTable):
    """The power supply in place of the pump's battery."""

    voltage: VoltageV = Field(gt=0, le=25)
    current_limit: CurrentA = Field(gt=0, le=5)


class SwitchTable(InstrumentTable):
    """Valves and relays: the number of each named line. `occluder` closes the pump's outlet when energised."""

    lines: dict[str, Annotated[WholeNumber, Field(ge=0)]]

    @model_validator(mode="after")
    def _has_an_occluder(self) -> Self:
        if "occluder" not in self.lines:
            raise ValueError("lines needs an 'occluder', the valve that closes the pump's outlet")
        return self


class EnvironmentTable(CalibratedTable):
    """The environment sensor at the balance, and the band in which measurements may be made.

    Water's density is known from 0 to 40 °C (`rig.analysis.gravimetry`).
    """

    lowest_temperature: TemperatureC = Field(default=15.0, ge=0, le=40)
    highest_temperature: TemperatureC = Field(default=30.0, ge=0, le=40)
    lowest_humidity: Percent = Field(default=20.0, ge=0, le=100)
    highest_humidity: Percent = Field(default=80.0, ge=0, le=100)

    @model_validator(mode="after")
    def _is_a_band(self) -> Self:
        for what, unit in {"temperature": "°C", "humidity": "%"}.items():
            lowest, highest = getattr(self, f"lowest_{what}"), getattr(self, f"highest_{what}")
            if lowest >= highest:
                raise ValueError(
                    f"lowest_{what}, {lowest:g} {unit}, must be less than highest_{what}, {highest:g} {unit}"
                )
        return self


class PumpTable(DeviceTable):
    """The pump: its driver is a folder of `instruments/`, and it has a pyserial port or URL."""

    port: str


class FluidTable(_Table):
    """What is pumped, and what blank runs have shown of the vessel on the balance.

    Its evaporation in g/h, and where that is from: run ids or a document, and its date, without which it makes no U
    smaller. How its reading wanders besides, by the air's buoyancy and the balance's zero, as standard deviations: of
    the change between two moments far apart, and of the change in an hour.
    """

    name: str = "water"
    evaporation_per_hour: Annotated[MassG, Field(ge=0)] = 0.0
    evaporation_uncertainty_per_hour: Annotated[MassG, Field(ge=0)] = 0.0
    evaporation_source: Annotated[str, Field(pattern=r"\S")] | None = None
    evaporation_date: Day | None = None
    blank_wander: Annotated[MassG, Field(ge=0)] = 0.0
    blank_wander_per_hour: Annotated[MassG, Field(ge=0)] = 0.0

    @model_validator(mode="after")
    def _source_has_its_date(self) -> Self:
        if (self.evaporation_source is None) != (self.evaporation_date is None):
            missing = "evaporation_date" if self.evaporation_date is None else "evaporation_source"
            raise ValueError(f"{missing} is missing: source and date of the evaporation go together, or are left out")
        return self


class VesselTable(_Table):
    """The vessel on the balance, and the outlet over it or in it; uncertainties are standard.

    A tube that dips in is weighed as its immersion rises (`rig.analysis.immersion`): `outlet` says whether it does.
    """

    outlet: Literal["immersed", "free"] | None = None
    bore: Annotated[LengthM, Field(gt=0)] | None = None
    bore_uncertainty: Annotated[LengthM, Field(gt=0)] | None = None
    tube_outer_diameter: Annotated[LengthM, Field(gt=0)] | None = None
    tube_outer_diameter_uncertainty: Annotated[LengthM, Field(gt=0)] | None = None

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if self.outlet is None and any(length is not None for length in self.model_dump().values()):
            raise ValueError("outlet is missing: say whether the tube dips in, 'immersed', or not, 'free'")
        for name in ("bore", "tube_outer_diameter"):
            length, uncertainty = getattr(self, name), getattr(self, f"{name}_uncertainty")
            if length is not None and uncertainty is not None and uncertainty >= length:
                raise ValueError(f"{name}_uncertainty must be less than {name}, {1e3 * length:g} mm")
        if self.bore is not None and self.tube_outer_diameter is not None and self.tube_outer_diameter >= self.bore:
            raise ValueError(f"tube_outer_diameter must be less than bore, {1e3 * self.bore:g} mm")
        return self


class DisposablesTable(_Table):
    """Infusion set and reservoir that are on the pump now, by what tells them apart: lot and number."""

    infusion_set: str | None = None
    reservoir: str | None = None


class VirtualTable(_Table):
    """The simulated world in place of a laboratory; `firmware` is what the pump's controller runs, if it is simulated.

    A ready-made pump has a twin instead and needs none.
    """

    seed: WholeNumber = Field(default=1, ge=0)
    date: Day
    firmware: Path | None = None
    serial_numbers: dict[str, str] = {}
    parameters: VirtualParameters = VirtualParameters()
    fault: tuple[FaultTable, ...] = ()


class BenchFile(_Table):
    """A whole bench."""

    name: str
    operator: str | None = None
    visa_library: str = "@py"
    balance: BalanceTable
    pressure: PressureTable
    supply: SupplyTable
    switch: SwitchTable
    environment: EnvironmentTable
    pump: PumpTable
    fluid: FluidTable = FluidTable()
    vessel: VesselTable = VesselTable()
    conditions: Conditions = Conditions()
    disposables: DisposablesTable = DisposablesTable()
    virtual: VirtualTable | None = None


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
    if bench.balance.routine_test is not None:
        test = path.parent / bench.balance.routine_test
        bench = bench.model_copy(update={"balance": bench.balance.model_copy(update={"routine_test": test})})
    if bench.virtual is not None and bench.virtual.firmware is not None:
        image = path.parent / bench.virtual.firmware
        if not image.is_file():
            raise BenchFileError(
                f"{path}: virtual.firmware is {str(bench.virtual.firmware)!r}: there is no file {image}"
            )
        bench = bench.model_copy(update={"virtual": bench.virtual.model_copy(update={"firmware": image})})
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
