"""What was said of a file by options: names and units of columns, how things are written, what to do with bad rows.

Not responsible for parsing options (`question`).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Spoken:
    """Names are those of the options; None where nobody said.

    Attributes:
        ignore_header_units: units come from options alone.
        decimal: sign before the decimals.
        interval_s: from sample to sample, for files without times.
        skip_bad_rows: rows that are no samples are left out.
        leave_unstable_out: samples that the balance marks as not at rest are left out.
        rate_u_per_h: programmed; a column that tells another one contradicts.
        density_g_per_ml: turns flows of mass into flows of volume.
    """

    time_column: str | None = None
    date_column: str | None = None
    mass_column: str | None = None
    volume_column: str | None = None
    flow_column: str | None = None
    pressure_column: str | None = None
    time_unit: str | None = None
    mass_unit: str | None = None
    volume_unit: str | None = None
    flow_unit: str | None = None
    pressure_unit: str | None = None
    ignore_header_units: bool = False
    time_format: str | None = None
    date_format: str | None = None
    decimal: str | None = None
    interval_s: float | None = None
    skip_bad_rows: bool = False
    leave_unstable_out: bool = False
    density_g_per_ml: float = 0.998
    rate_u_per_h: float | None = None
