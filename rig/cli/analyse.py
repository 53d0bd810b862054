"""`rig analyse`: the options of the command, as text. Not responsible for what they mean (`rig.offline.question`)."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

_FILE = "The file"
_TIME = "Periods and moments"
_BALANCE = "Air, vessel, balance"


def _option(flag: str, help_: str, metavar: str, panel: str) -> Any:  # noqa: ANN401 - what typer.Option gives
    return typer.Option(flag, help=help_, metavar=metavar, rich_help_panel=panel)


def analyse(
    files: Annotated[
        list[Path], typer.Argument(help="Balance logs: CSV, TSV, MT-SICS print-outs, .xlsx.", metavar="FILE…")
    ],
    kind: Annotated[str, typer.Option(help="What was measured.", metavar="basal|bolus|occlusion")],
    rate: Annotated[str | None, typer.Option(help="Programmed basal rate.", metavar='"0.5 U/h"')] = None,
    bolus: Annotated[str | None, typer.Option(help="Commanded bolus.", metavar='"1 U"')] = None,
    out: Annotated[Path | None, typer.Option(help="New folder; default: <file>-analysis.", metavar="DIR")] = None,
    simulated: Annotated[
        bool, typer.Option("--simulated", help="The data are simulated: say so on every page.")
    ] = False,
    time_column: Annotated[str | None, _option("--time-column", "Name of the time column.", "NAME", _FILE)] = None,
    mass_column: Annotated[str | None, _option("--mass-column", "Name of the mass column.", "NAME", _FILE)] = None,
    volume_column: Annotated[
        str | None, _option("--volume-column", "Name of the volume column.", "NAME", _FILE)
    ] = None,
    pressure_column: Annotated[
        str | None, _option("--pressure-column", "Name of the line pressure column.", "NAME", _FILE)
    ] = None,
    time_unit: Annotated[str | None, _option("--time-unit", "Unit of the times.", "s|min|h", _FILE)] = None,
    mass_unit: Annotated[str | None, _option("--mass-unit", "Unit of the masses.", "g|mg|µg", _FILE)] = None,
    volume_unit: Annotated[str | None, _option("--volume-unit", "Unit of the volumes.", "mL|µL|nL", _FILE)] = None,
    pressure_unit: Annotated[
        str | None, _option("--pressure-unit", "Unit of the pressures.", "kPa|mmHg", _FILE)
    ] = None,
    interval: Annotated[
        str | None, _option("--interval", "From sample to sample, without times.", '"1 s"', _FILE)
    ] = None,
    sheet: Annotated[str | None, _option("--sheet", "Sheet of a workbook; default: the first.", "NAME", _FILE)] = None,
    bad_rows: Annotated[str, _option("--bad-rows", "Rows that are no samples.", "refuse|skip", _FILE)] = "refuse",
    on_break: Annotated[
        str, _option("--on-break", "Gaps, tares and restarts.", "refuse|longest|join", _FILE)
    ] = "refuse",
    max_gap: Annotated[str | None, _option("--max-gap", "Samples further apart are a gap.", '"15 min"', _FILE)] = None,
    start: Annotated[
        str | None, _option("--start", "The pump was started; default: first row.", "MOMENT", _TIME)
    ] = None,
    stabilisation: Annotated[str | None, _option("--stabilisation", "T1; default 24 h.", '"24 h"', _TIME)] = None,
    analysis: Annotated[str | None, _option("--analysis", "T2; default 25 h.", '"25 h"|rest', _TIME)] = None,
    sample_interval: Annotated[
        str | None, _option("--sample-interval", "S; default 15 min.", '"15 min"', _TIME)
    ] = None,
    windows: Annotated[str | None, _option("--windows", "P, from the shortest.", '"15 min, 60 min"', _TIME)] = None,
    method: Annotated[
        str, _option("--method", "Whose S, P and T are the defaults.", "ambulatory|volumetric", _TIME)
    ] = "ambulatory",
    dose: Annotated[str | None, _option("--dose", "One basal dose, to count missed ones.", '"0.05 U"', _TIME)] = None,
    at: Annotated[list[str] | None, _option("--at", "Boluses began then; again for more.", "MOMENT,…", _TIME)] = None,
    starts: Annotated[Path | None, _option("--starts", "File whose first column holds them.", "FILE", _TIME)] = None,
    duration: Annotated[str | None, _option("--duration", "A bolus should take so long.", '"40 s"', _TIME)] = None,
    rest: Annotated[str | None, _option("--rest", "At rest for so long; default 60 s.", '"60 s"', _TIME)] = None,
    closed: Annotated[str | None, _option("--closed", "The outlet was closed.", "MOMENT", _TIME)] = None,
    alarm: Annotated[str | None, _option("--alarm", "The occlusion alarm came.", "MOMENT", _TIME)] = None,
    released: Annotated[str | None, _option("--released", "The outlet was opened.", "MOMENT", _TIME)] = None,
    air_temperature: Annotated[
        str | None, _option("--air-temperature", "At the balance, for the Z factor.", '"21.5 °C"', _BALANCE)
    ] = None,
    air_pressure: Annotated[str | None, _option("--air-pressure", "At the balance.", '"1005 hPa"', _BALANCE)] = None,
    air_humidity: Annotated[str, _option("--air-humidity", "Relative, at the balance.", '"50 %"', _BALANCE)] = "50 %",
    evaporation: Annotated[
        str | None, _option("--evaporation", "What the vessel loses; added back.", '"0.02 mg/h"', _BALANCE)
    ] = None,
    evaporation_u: Annotated[
        str | None, _option("--evaporation-u", "Its standard uncertainty.", '"0.005 mg/h"', _BALANCE)
    ] = None,
    repeatability: Annotated[str | None, _option("--repeatability", "SD of one reading.", '"2.5 µg"', _BALANCE)] = None,
    readability: Annotated[str | None, _option("--readability", "Step of the display.", '"1 µg"', _BALANCE)] = None,
    calibration: Annotated[
        str | None, _option("--calibration", "Standard uncertainty of the sensitivity.", '"0.01 %"', _BALANCE)
    ] = None,
    blank_wander: Annotated[
        str | None, _option("--blank-wander", "Of the empty vessel, far apart (SD).", '"12 µg"', _BALANCE)
    ] = None,
    blank_wander_per_hour: Annotated[
        str | None, _option("--blank-wander-per-hour", "Likewise, within an hour.", '"9 µg"', _BALANCE)
    ] = None,
) -> None:
    """Analyse balance logs from elsewhere; write tables, curves, an interactive page and a PDF.

    A MOMENT is a time on the clock of the log, such as "30 min", or a timestamp when the log has timestamps.
    Exit code: 0 analysed; 2 wrong usage, or a file that cannot be analysed as asked.
    """
    from datetime import datetime
    from importlib.metadata import version

    from reports.supplied import Job, write_analysis
    from rig.offline.analyse import analyse_files
    from rig.offline.question import Question, given
    from rig.record.files import free_folder, utc_now

    asked = Question(
        kind=kind, rate=rate, bolus=bolus, time_column=time_column, mass_column=mass_column,
        volume_column=volume_column, pressure_column=pressure_column, time_unit=time_unit, mass_unit=mass_unit,
        volume_unit=volume_unit, pressure_unit=pressure_unit, interval=interval, sheet=sheet, bad_rows=bad_rows,
        on_break=on_break, max_gap=max_gap, start=start, stabilisation=stabilisation, analysis=analysis,
        sample_interval=sample_interval, windows=windows, method=method, dose=dose, at=tuple(at or ()),
        starts=starts, duration=duration, rest=rest, closed=closed, alarm=alarm, released=released,
        air_temperature=air_temperature, air_pressure=air_pressure, air_humidity=air_humidity,
        evaporation=evaporation, evaporation_u=evaporation_u, repeatability=repeatability, readability=readability,
        calibration=calibration, blank_wander=blank_wander, blank_wander_per_hour=blank_wander_per_hour,
    )  # fmt: skip
    supplied = analyse_files(files, asked, simulated=simulated)
    job = Job(given(asked), datetime.fromisoformat(utc_now()), version("insulin-pump-rig"))
    folder = out if out is not None else free_folder(Path(f"{files[0].stem}-analysis"))
    paths = write_analysis(folder, [each.record() for each in supplied], job)
    console = Console(highlight=False, soft_wrap=True)
    for each in supplied:
        for finding in each.analysed.findings:
            console.print(f"{each.source.file}: {finding.sentence}")
    for path in paths:
        console.print(str(path))
