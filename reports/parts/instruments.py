"""Equipment with its calibration, and the surroundings in which was measured.

Not responsible for what the bench file may say (`rig.bench.file`).
"""

from __future__ import annotations

from typing import Any

from reports.document import AnyCell, DocumentBlock, Facts, Paragraph, Section, TableBlock, TableColumn, TextCell
from reports.parts.given import NOT_STATED, Given, stated_or_not
from reports.words import NONE, and_list, minus, span
from rig.bench.conditions import Conditions
from rig.record.manifest import Equipment

UNCERTAINTIES = {
    "repeatability": "repeatability {}",
    "readability": "readability {}",
    "calibration_uncertainty": "sensitivity u = {}",
    "expanded_uncertainty": "U = {} (k = 2)",
    "uncertainty": "{}",
}
"""What a bench file declares of an instrument's uncertainty, in words."""
BAND = {
    "lowest_temperature": "15 °C",
    "highest_temperature": "30 °C",
    "lowest_humidity": "20 %",
    "highest_humidity": "80 %",
}
"""The band in which is measured, where the bench file says nothing else (`rig.bench.file`)."""


def instruments(given: Given) -> tuple[Section, ...]:
    """Tabulate the instruments, the reference mass and the time base."""
    manifest = given.run.manifest
    entries = sorted(manifest.equipment, key=lambda each: (each.status == "not required", each.role))
    columns = (
        TableColumn("Role"),
        TableColumn("Instrument, serial number", share=1.4),
        TableColumn("Calibrated, due", share=0.95),
        TableColumn("Certificate, laboratory", share=0.85),
        TableColumn("Uncertainty", share=0.9),
    )
    table: tuple[DocumentBlock, ...] = (
        (TableBlock("Equipment; its calibration is that at the start of the run.", columns, tuple(map(_row, entries, [
            _table(manifest.bench, each.role) for each in entries
        ]))),)
        if entries
        else (Paragraph("No equipment is recorded."),)
    )  # fmt: skip
    return (Section(1, "Equipment and its calibration", "equipment", (*table, _references(manifest.bench))),)


def _table(bench: dict[str, Any], role: str) -> dict[str, Any]:
    table = bench.get(role)
    return table if isinstance(table, dict) else {}


def _row(entry: Equipment, table: dict[str, Any]) -> tuple[AnyCell, ...]:
    device = f"{entry.maker} {entry.model}".strip() or "not identified"
    firmware = f"firmware {entry.firmware}, " if entry.firmware else ""
    needed = entry.status != "not required"
    dates = f"{entry.calibrated or NONE}, {entry.calibration_due or NONE}: {entry.status}"
    whose = [str(table[key]) for key in ("certificate", "calibrated_by") if table.get(key)]
    said = [words.format(minus(str(table[key]))) for key, words in UNCERTAINTIES.items() if key in table]
    return (
        TextCell(entry.role, strong=True),
        TextCell(f"{device}, {entry.serial_number or NONE}", f"{firmware}{entry.address}"),
        dates if needed else "not required",
        ", ".join(whose) or (NOT_STATED if needed else NONE),
        ", ".join(said) or (NOT_STATED if needed else NONE),
    )


def _references(bench: dict[str, Any]) -> Facts:
    balance, base, fluid = (_table(bench, name) for name in ("balance", "time_base", "fluid"))
    time = ", ".join(
        str(base[key]) for key in ("source", "certificate", "calibrated_by", "uncertainty") if base.get(key)
    )
    evaporation = (
        f"{fluid['evaporation_per_hour']} an hour, u = {fluid.get('evaporation_uncertainty_per_hour', NOT_STATED)}, "
        "from "
        f"{fluid.get('evaporation_source', 'no stated source')}"
        if fluid.get("evaporation_per_hour")
        else NOT_STATED
    )
    return Facts(
        (
            ("Reference mass", stated_or_not(balance.get("reference_mass"))),
            ("Time base", time or f"{NOT_STATED}: the clock of the bench's computer"),
            ("Liquid", stated_or_not(fluid.get("name"))),
            ("Evaporation of the vessel", evaporation),
        )
    )


def surroundings(given: Given) -> tuple[Section, ...]:
    """State the air at the balance over all tests, the band that is allowed, and the conditions of use."""
    run = given.run
    airs = list(run.air.values())
    band = _table(run.manifest.bench, "environment")
    low_t, high_t, low_h, high_h = (band.get(key, default) for key, default in BAND.items())
    rows: list[tuple[str, str]] = []
    if airs:
        rows = [
            ("Temperature", f"{_span([each.temperature_c for each in airs], '°C', 1)}; allowed {low_t} to {high_t}"),
            ("Air pressure", _span([each.pressure_hpa for each in airs], "hPa", 0)),
            (
                "Relative humidity",
                f"{_span([(100 * a, 100 * b) for a, b in (each.relative_humidity for each in airs)], '%', 0)}; allowed "
                f"{low_h} to {high_h}",
            ),
            ("Recorded in", f"{len(airs)} test{'s' if len(airs) > 1 else ''}; the air of each stands in the annex"),
        ]
    conditions = run.manifest.conditions
    parts = [f"{key.replace('_', ' ')} {value:g} {Conditions.UNITS.get(key, '')}" for key, value in conditions.items()]
    rows.append(
        ("Conditions of use", minus(and_list(parts)) if parts else "nominal: no back pressure, no head, room air")
    )
    nothing = [] if airs else [Paragraph("No test noted the air at the balance.")]
    return (Section(1, "Environment", "environment", (*nothing, Facts(tuple(rows)))),)


def _span(ranges: list[tuple[float, float]], unit: str, places: int) -> str:
    return span((min(low for low, _ in ranges), max(high for _, high in ranges)), unit, places)
