"""`python -m suites.studies.published`: a published pump's table beside the virtual pump's, with the sampling error."""

from __future__ import annotations

from typing import Annotated

import typer

from suites.studies.published.experiment import Band, bands
from suites.studies.published.omnipod import PUBLISHED, Spread, drive_of_first_hour


def main(
    units: Annotated[int, typer.Option(min=120, help="simulated units, of which experiments draw 12")] = 2400,
) -> None:
    """Print both."""
    drive = drive_of_first_hour()
    typer.echo(
        f"screw error {drive.pitch_error_um[0]:.0f} … {drive.pitch_error_um[1]:.0f} µm, "
        f"dose scatter {drive.pulse_noise_percent[0]:.0f} % of 0.25 µL: from the 1 h rows alone"
    )
    typer.echo(
        f"{'rate, time':16} {'':8} {'published':>10} {'virtual':>8}  95 % of experiments with 12 of {units} units"
    )
    for (rate_u_per_h, hours), band in bands(units, drive).items():
        for line in rows(PUBLISHED[rate_u_per_h, hours], band):
            typer.echo(f"{rate_u_per_h:g} U/h, {hours:2d} h".ljust(16) + line)


def rows(published: Spread, band: Band) -> list[str]:
    """A line for each number of the table."""
    return [
        f" {name.removesuffix('_u'):8} {getattr(published, name):10.3f} {getattr(band.typical, name):8.3f}  "
        f"{getattr(band.low, name):.3f} … {getattr(band.high, name):.3f}  {'inside' if inside else 'OUTSIDE'}"
        for name, inside in band.holds(published).items()
    ]


if __name__ == "__main__":
    typer.run(main)
