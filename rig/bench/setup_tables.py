"""The tables of a bench file beside its devices: what is pumped into what, and what the bench is held against and by.

Not responsible for devices (`rig.bench.device_tables`), nor for reading the file (`rig.bench.file`).
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from rig.bench.channels import INSTRUMENT_ROLES, PORT_ROLES
from rig.bench.fault_table import FaultTable
from rig.bench.table import BenchTable, Words
from rig.toml_files import Day, LengthM, MassG, Number, TimeS, WholeNumber, within
from rig.virtual.parameters import VirtualParameters

# The bounds are this house's own, as those of the devices.
Evaporation = Annotated[MassG, within("mass_g", "0 g", "100 mg")]
"""Loss of a vessel in g per hour: an open one of 20 mm loses 12–31 mg/h (docs/virtual-bench-physics.md)."""
Wander = Annotated[MassG, within("mass_g", "0 g", "10 mg")]
"""Standard deviation in g of what the air and the zero of a balance do to a reading."""
Diameter = Annotated[LengthM, within("length_m", "0.01 mm", "200 mm")]
"""Of a needle, a tube or a vessel, in m."""
DiameterUncertainty = Annotated[LengthM, within("length_m", "0.00001 mm", "20 mm")]
"""Standard uncertainty of a diameter, in m."""
SLOWEST, FASTEST = 0.1, 100.0
"""How much slower or faster than real time a virtual bench may be served. The house's: a line's delay of 1 ms is 0.1 s
of the bench at the upper one."""


class FluidTable(BenchTable):
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


class VesselTable(BenchTable):
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


class TimeBaseTable(BenchTable):
    """What the clock of the bench's computer is held against, and what is known of that, for the report."""

    source: Words
    certificate: Words | None = None
    calibrated_by: Words | None = None
    uncertainty: Words | None = None


class DisposablesTable(BenchTable):
    """Infusion set and reservoir that are on the pump now, by what tells them apart: lot and number."""

    infusion_set: Words | None = None
    reservoir: Words | None = None


class CutOffTable(BenchTable):
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


class GuardianTable(BenchTable):
    """The process that watches whoever has a real bench open; after so long a silence it takes him for hung.

    The default is twice the longest wait of any driver, which is 60 s for a stable weight.
    """

    silence: TimeS = Field(default=120.0, ge=1, le=3600)


class ServedTable(BenchTable):
    """Says that the addresses of a bench file lead to a virtual bench which `rig serve` runs, so that it is simulated.

    `date` is the day there, `seed` its seed, `speed` how many of its seconds pass in one. `lease` is the lock that the
    process which serves it holds; it is left out where the bench is served on another machine.
    """

    date: Day
    seed: WholeNumber = Field(default=1, ge=0, lt=2**63)
    speed: Number = Field(default=1.0, ge=SLOWEST, le=FASTEST)
    lease: Path | None = None


def _role(name: str) -> str:
    known = (*INSTRUMENT_ROLES, *PORT_ROLES)
    if name not in known:
        raise ValueError(f"{name!r} is no device of a bench; those are {', '.join(known)}")
    return name


class VirtualTable(BenchTable):
    """The simulated world in place of a laboratory; `firmware` is what the pump's controller runs, if it is simulated.

    A ready-made pump has a twin instead and needs none. `functions` is a folder in which `functions.json` gives the
    address of each function of the firmware; every test leaves there which of them it executed.
    """

    seed: WholeNumber = Field(default=1, ge=0, lt=2**63)
    date: Day
    firmware: Path | None = None
    functions: Path | None = None
    serial_numbers: dict[Annotated[str, AfterValidator(_role)], Words] = Field(default_factory=dict)
    parameters: VirtualParameters = VirtualParameters()
    fault: tuple[FaultTable, ...] = ()
