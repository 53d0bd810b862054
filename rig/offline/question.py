"""What is asked of a log: every option of `rig analyse` in one model, as it was written, checked once.

Options come from flags, from a job file or from a description of a format (`formats`). Not responsible for turning them
into questions of one kind (`asking`) nor for answering (`analyse`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, ValidationError, field_validator, model_validator

from rig.analysis.alarm_signal import Edition
from rig.errors import DataFileError
from rig.offline.spellings import order_of, parse_quantity

FILE = "The file"
ROWS = "Rows that are no samples, breaks"
TIME = "Periods and moments"
BALANCE = "Air, vessel, balance, flow meter"
EDITIONS = tuple(each.value for each in Edition)
OF_SOUND = frozenset({"kind", "edition", "simulated"})
"""Options that say something about a recording."""


class LogKind(Enum):
    """Kinds of analysis."""

    BASAL = "basal"
    BOLUS = "bolus"
    OCCLUSION = "occlusion"
    ALARM = "alarm"


@dataclass(frozen=True)
class Flag:
    """An option on the command line: its help, what follows it, where it stands, and what it must be.

    Attributes:
        dimension: of a quantity with its unit.
        words: that are allowed.
        kind: of analysis that it belongs to; None for all.
        zero: a quantity may be 0.
    """

    help: str
    metavar: str
    panel: str | None = None
    dimension: str | None = None
    words: tuple[str, ...] = ()
    kind: LogKind | None = None
    zero: bool = False


Text = str | None


class Question(BaseModel):
    """Every option as text; None where none was given. Names are those of the flags, with `_` for `-`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Annotated[
        Text, Flag("What was measured.", "basal|bolus|occlusion|alarm", words=tuple(k.value for k in LogKind))
    ] = None
    rate: Annotated[Text, Flag("Programmed basal rate.", '"0.5 U/h"', dimension="rate_u_per_h")] = None
    bolus: Annotated[Text, Flag("Commanded bolus.", '"1 U"', dimension="insulin_u", kind=LogKind.BOLUS)] = None
    simulated: Annotated[bool, Flag("The data are simulated: say so on every page.", "")] = False

    edition: Annotated[
        Text,
        Flag("IEC 60601-1-8 to compare bursts with; default: the latest.", "|".join(EDITIONS), words=EDITIONS,
             kind=LogKind.ALARM),
    ] = None  # fmt: skip

    time_column: Annotated[Text, Flag("Time column: its name, or its number from 1.", "NAME", FILE)] = None
    date_column: Annotated[Text, Flag("Column of the dates, if apart.", "NAME", FILE)] = None
    mass_column: Annotated[Text, Flag("Mass column.", "NAME", FILE)] = None
    volume_column: Annotated[Text, Flag("Volume column.", "NAME", FILE)] = None
    flow_column: Annotated[Text, Flag("Column of a measured flow; it is integrated.", "NAME", FILE)] = None
    pressure_column: Annotated[Text, Flag("Line pressure column.", "NAME", FILE, kind=LogKind.OCCLUSION)] = None
    time_unit: Annotated[Text, Flag("Unit of the times.", "s|min|h|d", FILE)] = None
    mass_unit: Annotated[Text, Flag("Unit of the masses.", "kg|g|mg|µg", FILE)] = None
    volume_unit: Annotated[Text, Flag("Unit of the volumes.", "mL|µL|nL", FILE)] = None
    flow_unit: Annotated[Text, Flag("Unit of the flows.", "mL/h|µL/min|nL/s|mg/min", FILE)] = None
    pressure_unit: Annotated[
        Text, Flag("Unit of the pressures.", "kPa|mbar|psi|mmHg|cmH2O", FILE, kind=LogKind.OCCLUSION)
    ] = None
    header_units: Annotated[
        str,
        Flag(
            "Units in the header: believed, or told by options alone.",
            "believe|ignore",
            FILE,
            words=("believe", "ignore"),
        ),
    ] = "believe"
    time_format: Annotated[Text, Flag("How clocks are written.", "hh:mm|mm:ss|d:hh:mm:ss", FILE)] = None
    date_format: Annotated[Text, Flag("Order of day, month and year.", "dd/mm/yyyy", FILE)] = None
    decimal: Annotated[
        Text, Flag("Sign before the decimals.", "point|comma", FILE, words=("point", "comma", ".", ","))
    ] = None
    delimiter: Annotated[Text, Flag("Between the cells of a text file.", "comma|semicolon|tab|bar|blank", FILE)] = None
    header_row: Annotated[Text, Flag("Row of the header, or none.", "N|none", FILE)] = None
    interval: Annotated[Text, Flag("From sample to sample, without times.", '"1 s"', FILE, "time_s")] = None
    sheet: Annotated[Text, Flag("Sheet of a workbook; default: the first with rows.", "NAME", FILE)] = None
    dispenses: Annotated[
        Text,
        Flag("One row per dispense: its own mass, or what the balance showed.", "each|running", FILE,
             words=("each", "running"), kind=LogKind.BOLUS),
    ] = None  # fmt: skip

    bad_rows: Annotated[str, Flag("Rows that are no samples.", "refuse|skip", ROWS, words=("refuse", "skip"))] = (
        "refuse"
    )
    unstable: Annotated[
        str, Flag("Samples that the balance marks as not at rest.", "use|leave-out", ROWS, words=("use", "leave-out"))
    ] = "use"
    on_break: Annotated[
        str, Flag("Gaps, jumps, tares, restarts.", "refuse|longest|join", ROWS, words=("refuse", "longest", "join"))
    ] = "refuse"
    max_gap: Annotated[Text, Flag("Samples further apart are a gap.", '"15 min"', ROWS, "time_s")] = None
    largest_rise: Annotated[Text, Flag("Rises up to this count as delivered.", '"0.5 U"', ROWS, "insulin_u")] = None
    loss_in_weight: Annotated[bool, Flag("A reservoir stands on the pan: its mass falls.", "", ROWS)] = False
    implausible: Annotated[
        str, Flag("A volume that looks like a wrong unit.", "refuse|accept", ROWS, words=("refuse", "accept"))
    ] = "refuse"

    start: Annotated[Text, Flag("The pump was started; default: first row.", "MOMENT", TIME, kind=LogKind.BASAL)] = None
    stabilisation: Annotated[
        Text, Flag("T1; default 24 h.", '"24 h"', TIME, "time_s", kind=LogKind.BASAL, zero=True)
    ] = None
    analysis: Annotated[Text, Flag("T2; default 25 h.", '"25 h"|rest', TIME, kind=LogKind.BASAL)] = None
    sample_interval: Annotated[Text, Flag("S; default 15 min.", '"15 min"', TIME, "time_s", kind=LogKind.BASAL)] = None
    windows: Annotated[Text, Flag("P, from the shortest.", '"15 min, 60 min"', TIME, kind=LogKind.BASAL)] = None
    method: Annotated[
        str,
        Flag("Whose S, P and T are the defaults.", "ambulatory|volumetric", TIME, words=("ambulatory", "volumetric")),
    ] = "ambulatory"
    dose: Annotated[
        Text, Flag("One basal dose, to count missed ones.", '"0.05 U"', TIME, "insulin_u", kind=LogKind.BASAL)
    ] = None
    at: Annotated[
        tuple[str, ...], Flag("Boluses began then; again for more.", "MOMENT,…", TIME, kind=LogKind.BOLUS)
    ] = ()
    starts: Annotated[Path | None, Flag("File whose first column holds them.", "FILE", TIME, kind=LogKind.BOLUS)] = None
    duration: Annotated[Text, Flag("A bolus should take so long.", '"40 s"', TIME, "time_s", kind=LogKind.BOLUS)] = None
    rest: Annotated[Text, Flag("At rest for so long; default 60 s.", '"60 s"', TIME, "time_s")] = None
    closed: Annotated[Text, Flag("The outlet was closed.", "MOMENT", TIME, kind=LogKind.OCCLUSION)] = None
    alarm: Annotated[Text, Flag("The occlusion alarm came.", "MOMENT", TIME, kind=LogKind.OCCLUSION)] = None
    released: Annotated[Text, Flag("The outlet was opened.", "MOMENT", TIME, kind=LogKind.OCCLUSION)] = None

    air_temperature: Annotated[
        Text, Flag("At the balance, for the Z factor.", '"21.5 °C"', BALANCE, "temperature_c")
    ] = None
    air_pressure: Annotated[Text, Flag("At the balance.", '"1005 hPa"', BALANCE, "pressure_kpa")] = None
    air_humidity: Annotated[str, Flag("Relative, at the balance.", '"50 %"', BALANCE, "percent", zero=True)] = "50 %"
    evaporation: Annotated[
        Text, Flag("What the vessel loses; added back.", '"0.02 mg/h"', BALANCE, "evaporation_g_per_h", zero=True)
    ] = None
    evaporation_u: Annotated[
        Text, Flag("Its standard uncertainty.", '"0.005 mg/h"', BALANCE, "evaporation_g_per_h", zero=True)
    ] = None
    repeatability: Annotated[Text, Flag("SD of one reading.", '"2.5 µg"', BALANCE, "mass_g")] = None
    readability: Annotated[Text, Flag("Step of the display.", '"1 µg"', BALANCE, "mass_g")] = None
    calibration: Annotated[Text, Flag("Standard uncertainty of the sensitivity.", '"0.01 %"', BALANCE, "percent")] = (
        None
    )
    blank_wander: Annotated[
        Text, Flag("Of the empty vessel, far apart (SD).", '"12 µg"', BALANCE, "mass_g", zero=True)
    ] = None
    blank_wander_per_hour: Annotated[
        Text, Flag("Likewise, within an hour.", '"9 µg"', BALANCE, "mass_g", zero=True)
    ] = None
    flow_calibration: Annotated[
        Text, Flag("Standard uncertainty of the flow meter's sensitivity.", '"2 %"', BALANCE, "percent")
    ] = None
    flow_zero: Annotated[
        Text, Flag("Standard uncertainty of its zero.", '"5 nL/min"', BALANCE, "flow_ul_per_h", zero=True)
    ] = None

    @field_validator("windows", mode="before")
    @classmethod
    def _listed(cls, value: Any) -> Any:  # noqa: ANN401 - what a file holds
        return ", ".join(map(str, value)) if isinstance(value, list) else value

    @model_validator(mode="after")
    def _checked(self) -> Question:
        for name, flag in flags().items():
            value = getattr(self, name)
            if isinstance(value, str):
                _check(name, value, flag)
        self._belong_together()
        return self

    def _belong_together(self) -> None:
        kind = LogKind(self.kind) if self.kind is not None else None
        if kind is LogKind.ALARM:
            for name in self.model_fields_set - OF_SOUND:
                if getattr(self, name) != type(self).model_fields[name].default:
                    raise ValueError(f"{written(name)} says nothing about a sound, which --kind alarm is about")
        for name, flag in flags().items():
            if kind is not None and flag.kind not in (None, kind) and getattr(self, name):
                raise ValueError(f"{written(name)} belongs to --kind {flag.kind.value}, not {kind.value}")
        if self.at and self.starts is not None:
            raise ValueError("--at and --starts both give the moments of the boluses: give one of them")
        for one, other in (("air_temperature", "air_pressure"), ("blank_wander", "blank_wander_per_hour")):
            if (getattr(self, one) is None) is not (getattr(self, other) is None):
                raise ValueError(f"{written(one)} and {written(other)} belong together: one of them is missing")
        if self.date_format is not None:
            order_of(self.date_format)


def _check(name: str, text: str, flag: Flag) -> None:
    if flag.words and text not in flag.words:
        raise ValueError(f"{written(name)} {text!r}: it is one of {', '.join(flag.words)}")
    if flag.dimension is not None:
        checked_quantity(written(name), text, flag.dimension, zero=flag.zero)
    if name == "analysis" and text != "rest":
        checked_quantity("--analysis", text, "time_s")
    if name == "windows":
        for part in text.split(","):
            checked_quantity("--windows", part.strip(), "time_s")
    if name == "header_row" and text != "none" and not (text.isdecimal() and int(text) > 0):
        raise ValueError(f"--header-row {text!r}: it is the number of a row from 1, or none")


def checked_quantity(flag: str, text: str, dimension: str, *, zero: bool = False) -> float:
    """Parse what follows a flag into the base unit of `dimension`; ValueError naming the flag when it is no such."""
    try:
        value = parse_quantity(text, dimension)
    except ValueError as error:
        raise ValueError(f"{flag}: {error}") from None
    if dimension != "temperature_c" and (value < 0 or (not zero and value == 0)):
        raise ValueError(f"{flag} {text!r}: it must be {'0 or above' if zero else 'above 0'}")
    return value


def flags() -> dict[str, Flag]:
    """Give the flag of each option, by its name in the model."""
    return {
        name: next(each for each in field.metadata if isinstance(each, Flag))
        for name, field in Question.model_fields.items()
    }


def written(name: str) -> str:
    """Give the flag of an option: `on_break` is --on-break."""
    return f"--{name.replace('_', '-')}"


def ask(options: Mapping[str, Any], where: Path | None = None) -> Question:
    """Check options, by their names in the model.

    Args:
        options: what was given; what was not given may be None.
        where: the file that some of them come from, for the sentence.

    Raises:
        DataFileError: one sentence on the first that is wrong.
    """
    try:
        return Question.model_validate({name: value for name, value in options.items() if value is not None})
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        prefix = f"{where}: " if where is not None else ""
        if first["type"] == "value_error":
            raise DataFileError(f"{prefix}{first['msg'].removeprefix('Value error, ')}") from None
        key = ".".join(map(str, first["loc"]))
        raise DataFileError(f"{prefix}{key}: {first['msg'][0].lower()}{first['msg'][1:]}") from None


def revised(asked: Question, **changes: Any) -> Question:  # noqa: ANN401 - any option
    """Change some options and check again; DataFileError with one sentence when one is wrong."""
    return ask({**asked.model_dump(exclude_unset=True), **changes})


def given(asked: Question) -> dict[str, str]:
    """Give the options that were given, by flag, as they were written."""
    found: dict[str, str] = {}
    for name, field in Question.model_fields.items():
        value = getattr(asked, name)
        if value != field.default:
            found[written(name)] = ", ".join(value) if isinstance(value, tuple) else str(value)
    return found
