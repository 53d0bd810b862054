"""The bench file: which instruments stand on the bench, where, and until when they are calibrated.

TOML, one table a role. Quantities carry their unit. Unknown keys are refused. Not responsible for opening anything.
"""

from __future__ import annotations

import copy
import tomllib
from collections.abc import Callable, Mapping
from itertools import combinations
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from rig.bench.addresses import resolved
from rig.bench.channels import INSTRUMENT_ROLES, bench_content, split
from rig.bench.conditions import Conditions
from rig.bench.drivers import ROLES
from rig.bench.fault_table import FaultTable
from rig.errors import BenchFileError
from rig.roles import means_by_place
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
    within,
)
from rig.virtual.parameters import VirtualParameters

Words = Annotated[str, Field(pattern=r"\S", max_length=200)]
"""A name or an address: something to read, and no book."""

# The bounds are this house's own, far outside of what laboratories have and inside of what makes sense: a slip of the
# pen, such as g for µg, is refused before anything is measured with it.
Scatter = Annotated[MassG, within("mass_g", "0.01 µg", "10 mg")]
"""Standard deviation or step of a balance's readings, in g: of ultra-micro balances 0.1 µg, of kitchen scales 0.1 g."""
Evaporation = Annotated[MassG, within("mass_g", "0 g", "100 mg")]
"""Loss of a vessel in g per hour: an open one of 20 mm loses 12–31 mg/h (docs/virtual-bench-physics.md)."""
Wander = Annotated[MassG, within("mass_g", "0 g", "10 mg")]
"""Standard deviation in g of what the air and the zero of a balance do to a reading."""
Diameter = Annotated[LengthM, within("length_m", "0.01 mm", "200 mm")]
"""Of a needle, a tube or a vessel, in m."""
DiameterUncertainty = Annotated[LengthM, within("length_m", "0.00001 mm", "20 mm")]
"""Standard uncertainty of a diameter, in m."""
PLACE = r"^(0x[0-9A-Fa-f]{1,8}|([A-Za-z0-9_.-]+:)?[A-Za-z_][A-Za-z0-9_.]*)(\+(0x[0-9A-Fa-f]+|[0-9]+))?$"
"""An address, or a symbol of the firmware, where several have one name that of a source file, and an offset."""
HIGHEST_LINE = 255
"""Relay modules have 1 to 128 lines."""
LONGEST_CALIBRATION_YEARS = 10
"""Intervals between calibrations are 3 months to 5 years; a later day stands for "never", which it must not."""


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class DeviceTable(_Table):
    """A device: its driver, its name plate, and the driver's own options, which `rig.bench.drivers` checks."""

    driver: Words
    serial_number: Words
    options: dict[str, Any] = {}


class InstrumentTable(DeviceTable):
    """An instrument: its driver is a folder of `instruments/`, and it has a VISA address."""

    address: Words


class CalibratedTable(InstrumentTable):
    """An instrument whose readings become results: it must be calibrated, and stay so.

    `certificate`, `calibrated_by` and `uncertainty` are what the certificate says of itself, for the report.
    """

    calibrated: Day
    calibration_due: Day
    certificate: Words | None = None
    calibrated_by: Words | None = None
    uncertainty: Words | None = None

    @model_validator(mode="after")
    def _due_after_calibrated(self) -> Self:
        if self.calibration_due <= self.calibrated:
            raise ValueError(f"calibration_due must be later than calibrated, {self.calibrated}")
        if (self.calibration_due - self.calibrated).days > 366 * LONGEST_CALIBRATION_YEARS:
            raise ValueError(
                f"calibration_due, {self.calibration_due}, is more than {LONGEST_CALIBRATION_YEARS} years after "
                f"calibrated, {self.calibrated}"
            )
        return self


class BalanceTable(CalibratedTable):
    """The balance; `repeatability` and `readability` enter the uncertainty of every volume.

    `routine_test` is the file of its last `rig balance-test`, which holds for `routine_test_every`; None asks for none.
    `reference_mass` names the mass that it is tested with, and its certificate, for the report.
    """

    repeatability: Scatter
    readability: Scatter
    calibration_uncertainty: Annotated[Percent, within("percent", "0.000001 %", "1 %")]
    routine_test: Path | None = None
    routine_test_every: Annotated[TimeS, within("time_s", "1 min", "366 d")] = 86400.0
    reference_mass: Words | None = None


class PressureTable(CalibratedTable):
    """The pressure sensor in the line, and its expanded uncertainty (k = 2) from the calibration certificate."""

    expanded_uncertainty: Annotated[PressureKpa, within("pressure_kpa", "0.0001 kPa", "20 kPa")]


class SupplyTable(InstrumentTable):
    """The power supply in place of the pump's battery."""

    voltage: Annotated[VoltageV, within("voltage_v", "0.1 V", "25 V")]
    current_limit: Annotated[CurrentA, within("current_a", "1 mA", "5 A")]


def _line_number(number: int) -> int:
    if not 0 <= number <= HIGHEST_LINE:
        raise ValueError(f"allowed are 0 to {HIGHEST_LINE}, as the instrument counts its relays")
    return number


class SwitchTable(InstrumentTable):
    """Valves and relays: the number of each named line. `occluder` closes the pump's outlet when energised.

    Which numbers an instrument has, its driver says.
    """

    lines: dict[Words, Annotated[WholeNumber, AfterValidator(_line_number)]]

    @model_validator(mode="after")
    def _has_an_occluder(self) -> Self:
        if "occluder" not in self.lines:
            raise ValueError("lines needs an 'occluder', the valve that closes the pump's outlet")
        for (one, first), (other, second) in combinations(self.lines.items(), 2):
            if first == second:
                raise ValueError(f"the lines {one!r} and {other!r} are both number {first}; give each its own")
        return self


_Temperature = Annotated[TemperatureC, within("temperature_c", "0 °C", "40 °C")]
_Humidity = Annotated[Percent, within("percent", "0 %", "100 %")]


class EnvironmentTable(CalibratedTable):
    """The environment sensor at the balance, and the band in which measurements may be made.

    Water's density is known from 0 to 40 °C (`rig.analysis.gravimetry`).
    """

    lowest_temperature: _Temperature = 15.0
    highest_temperature: _Temperature = 30.0
    lowest_humidity: _Humidity = 20.0
    highest_humidity: _Humidity = 80.0

    @model_validator(mode="after")
    def _is_a_band(self) -> Self:
        for what, unit in {"temperature": "°C", "humidity": "%"}.items():
            lowest, highest = getattr(self, f"lowest_{what}"), getattr(self, f"highest_{what}")
            if lowest >= highest:
                raise ValueError(
                    f"lowest_{what}, {lowest:g} {unit}, must be less than highest_{what}, {highest:g} {unit}"
                )
        return self


class SoundTable(InstrumentTable):
    """The recorder of the microphone and the vibration pickup, where the bench has one.

    Times, pitch and the relation of levels are judged, no absolute level: it needs no calibration.
    """


class HandsTable(InstrumentTable):
    """The terminal at which a person is told what to do, where the bench has one who does it."""


class ProbeTable(InstrumentTable):
    """The debug probe at the pump's controller, where the bench has one, and what lies where in its memory.

    `places` has an address or a symbol of `symbols`, with an offset or without, for each place that a fault names.
    `symbols` is the firmware as an ELF file with its symbol table; a virtual bench's is what its controller runs.
    """

    symbols: Path | None = None
    places: dict[Words, Annotated[str, Field(pattern=PLACE)]] = {}


class PumpTable(DeviceTable):
    """The pump: its driver is a folder of `instruments/`, and it has a pyserial port or URL.

    `sheet` is the file of what its maker claims of it; a run may be given another. `stage` says whether what is
    tested is the final device or a prototype of it.
    """

    port: Words
    sheet: Path | None = None
    stage: Literal["final device", "prototype"] | None = None


class FluidTable(_Table):
    """What is pumped, and what blank runs have shown of the vessel on the balance.

    Its evaporation in g/h, and where that is from: run ids or a document, and its date, without which it makes no U
    smaller. How its reading wanders besides, by the air's buoyancy and the balance's zero, as standard deviations: of
    the change between two moments far apart, and of the change in an hour.
    """

    name: Words = "water"
    evaporation_per_hour: Evaporation = 0.0
    evaporation_uncertainty_per_hour: Evaporation = 0.0
    evaporation_source: Words | None = None
    evaporation_date: Day | None = None
    blank_wander: Wander = 0.0
    blank_wander_per_hour: Wander = 0.0

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
    bore: Diameter | None = None
    bore_uncertainty: DiameterUncertainty | None = None
    tube_outer_diameter: Diameter | None = None
    tube_outer_diameter_uncertainty: DiameterUncertainty | None = None

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


class TimeBaseTable(_Table):
    """What the clock of the bench's computer is held against, and what is known of that, for the report."""

    source: Words
    certificate: Words | None = None
    calibrated_by: Words | None = None
    uncertainty: Words | None = None


class DisposablesTable(_Table):
    """Infusion set and reservoir that are on the pump now, by what tells them apart: lot and number."""

    infusion_set: Words | None = None
    reservoir: Words | None = None


class CutOffTable(_Table):
    """What takes the pump's power when its program cannot: the supply, a relay of the switch, or nothing.

    `line` is the line of the switch that feeds the pump while it is energised, where a relay does it. A pump with a
    battery of its own has no cut-off, and its bench file says so.
    """

    by: Literal["supply", "relay", "nothing"] = "supply"
    line: str | None = None

    @model_validator(mode="after")
    def _names_its_line(self) -> Self:
        if (self.by == "relay") != (self.line is not None):
            raise ValueError('line names the relay that feeds the pump where by is "relay", and is left out elsewhere')
        return self


class GuardianTable(_Table):
    """The process that watches whoever has a real bench open; after so long a silence it takes him for hung.

    The default is twice the longest wait of any driver, which is 60 s for a stable weight.
    """

    silence: TimeS = Field(default=120.0, ge=1, le=3600)


def _role(name: str) -> str:
    if name not in (*INSTRUMENT_ROLES, "pump"):
        raise ValueError(f"{name!r} is no device of a bench; those are {', '.join(INSTRUMENT_ROLES)}, pump")
    return name


class VirtualTable(_Table):
    """The simulated world in place of a laboratory; `firmware` is what the pump's controller runs, if it is simulated.

    A ready-made pump has a twin instead and needs none. `functions` is a folder in which `functions.json` gives the
    address of each function of the firmware; every test leaves there which of them it executed.
    """

    seed: WholeNumber = Field(default=1, ge=0, lt=2**63)
    date: Day
    firmware: Path | None = None
    functions: Path | None = None
    serial_numbers: dict[Annotated[str, AfterValidator(_role)], Words] = {}
    parameters: VirtualParameters = VirtualParameters()
    fault: tuple[FaultTable, ...] = ()


class BenchFile(_Table):
    """A whole bench; `provoke` names a fault of the catalogue that is there in every test (`rig prove --faults`).

    `ledger` is the file in which every run of the bench has a number; a real bench without it has one beside its file.
    """

    name: Words
    operator: Words | None = None
    ledger: Path | None = None
    visa_library: str = "@py"
    balance: BalanceTable
    pressure: PressureTable
    supply: SupplyTable
    switch: SwitchTable
    environment: EnvironmentTable
    sound: SoundTable | None = None
    hands: HandsTable | None = None
    probe: ProbeTable | None = None
    pump: PumpTable
    fluid: FluidTable = FluidTable()
    vessel: VesselTable = VesselTable()
    conditions: Conditions = Conditions()
    disposables: DisposablesTable = DisposablesTable()
    time_base: TimeBaseTable | None = None
    cut_off: CutOffTable = CutOffTable()
    guardian: GuardianTable = GuardianTable()
    virtual: VirtualTable | None = None
    provoke: Words | None = None

    @property
    def roles(self) -> tuple[str, ...]:
        """The roles of which the bench has a device, in the order of opening."""
        return tuple(role for role in ROLES if getattr(self, role) is not None)

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
    if bench.balance.routine_test is not None:
        test = path.parent / bench.balance.routine_test
        bench = bench.model_copy(update={"balance": bench.balance.model_copy(update={"routine_test": test})})
    if bench.pump.sheet is not None:
        bench = bench.model_copy(
            update={"pump": bench.pump.model_copy(update={"sheet": path.parent / bench.pump.sheet})}
        )
    if bench.probe is not None and bench.probe.symbols is not None:
        symbols = path.parent / bench.probe.symbols
        bench = bench.model_copy(update={"probe": bench.probe.model_copy(update={"symbols": symbols})})
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
