"""The tables of a bench file that name a device: driver, name plate, address, calibration. Opens none of them."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from rig.bench.table import BenchTable, Words
from rig.toml_files import (
    CurrentA,
    Day,
    MassG,
    Percent,
    PressureKpa,
    TemperatureC,
    TimeS,
    VoltageV,
    WholeNumber,
    within,
)

# The bounds are this house's own, far outside of what laboratories have and inside of what makes sense: a slip of the
# pen, such as g for µg, is refused before anything is measured with it.
Scatter = Annotated[MassG, within("mass_g", "0.01 µg", "10 mg")]
"""Standard deviation or step of a balance's readings, in g: of ultra-micro balances 0.1 µg, of kitchen scales 0.1 g."""
PLACE = r"^(0x[0-9A-Fa-f]{1,8}|([A-Za-z0-9_.-]+:)?[A-Za-z_][A-Za-z0-9_.]*)(\+(0x[0-9A-Fa-f]+|[0-9]+))?$"
"""An address, or a symbol of the firmware, where several have one name that of a source file, and an offset."""
HIGHEST_LINE = 255
"""Relay modules have 1 to 128 lines."""
LONGEST_CALIBRATION_YEARS = 10
"""Intervals between calibrations are 3 months to 5 years; a later day stands for "never", which it must not."""


class DeviceTable(BenchTable):
    """A device: its driver, its name plate, and the driver's own options, which `rig.bench.drivers` checks."""

    driver: Words
    serial_number: Words
    options: dict[str, Any] = Field(default_factory=dict)


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
    places: dict[Words, Annotated[str, Field(pattern=PLACE)]] = Field(default_factory=dict)


class SensorTable(DeviceTable):
    """The glucose sensor that the rig plays, where the bench has one; its driver has a port, as a pump's.

    A Bluetooth LE port is `ble://transport/address`, with the address under which the sensor is found.
    """

    port: Words


class PumpTable(DeviceTable):
    """The pump: its driver is a folder of `instruments/`, and it has a pyserial port or URL.

    `sheet` is the file of what its maker claims of it; a run may be given another. `stage` says whether what is
    tested is the final device or a prototype of it.
    """

    port: Words
    sheet: Path | None = None
    stage: Literal["final device", "prototype"] | None = None
