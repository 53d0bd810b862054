"""How was measured: the method with its edition, what departs from it, the apparatus, and how far it is clinical use.

Not responsible for drawing the apparatus (`reports.apparatus`), nor for the methods' own words (`reports.kinds`).
"""

from __future__ import annotations

from reports.apparatus import apparatus_svg, drawn_roles
from reports.document import DocumentBlock, Facts, Figure, Items, ListItem, Paragraph, Section, TableBlock, TableColumn
from reports.method import method
from reports.parts.given import Given, stated_or_not
from reports.words import and_list

EDITIONS = (
    ("IEC 60601-2-24:2012", "Method for basal rates, boluses and occlusions of ambulatory pumps"),
    ("IEC 60601-1-8:2006 + A1:2012 + A2:2020", "Rhythm and priority of alarm signals"),
    ("21 CFR 880.5730", "Tables of the label"),
    ("JCGM 100:2008", "Uncertainty of every weighed number (GUM)"),
    ("JCGM 106:2012", "Decision rule"),
    ("ISO 8655-6", "Gravimetric volume: Z factor with the air's buoyancy"),
)
"""Which documents a method follows, in which edition, and what for; as far as this rig follows them."""
OWN_METHOD = (
    "The methods above are implemented from public descriptions; their sample intervals, windows and periods are "
    "those of "
    "the test plan, and stand with each analysis in the annex."
)
CLINICAL_USE = (
    "The pump delivers through its own set into a vessel: rates, boluses, temporary rates and whole days of a person "
    "are "
    "programmed as a user would, over its own link. Body, skin and tissue pressure are not there; back pressure, head, "
    "temperature, ambient pressure and viscosity are those of the section “Environment”."
)


def method_used(given: Given) -> tuple[Section, ...]:
    """Describe method, departures, apparatus and its likeness to use."""
    run, order = given.run, given.house.order
    notes = [note for note in method(run) if note["title"] not in ("Uncertainty", "Decision rule")]
    prose = tuple(Paragraph(note["text"], f"{note['title']}.") for note in notes)
    columns = (TableColumn("Document, edition"), TableColumn("Used for", share=1.0))
    overrides = tuple(
        ListItem(f"Bench setting {key}", f"set to {value} for this run")
        for key, value in run.manifest.overrides.items()
    )
    stated_by = (ListItem(order.deviations),) if order.deviations else ()
    return (
        Section(1, "Method", "method", (TableBlock("Documents that the methods follow.", columns, EDITIONS), *prose)),
        Section(
            2,
            "Deviations from the method",
            "method-deviations",
            (Paragraph(OWN_METHOD), Items("Stated for this run", (*overrides, *stated_by))),
        ),
        Section(2, "Apparatus", "apparatus", _apparatus(given), together=True),
        Section(
            2,
            "Unit under test and clinical use",
            "clinical",
            (
                Facts(
                    (
                        ("Unit under test and final device", stated_or_not(order.final_device)),
                        ("Why a prototype is enough", stated_or_not(order.prototype)),
                    )
                ),
                Paragraph(order.clinical_use or CLINICAL_USE, "How the set-up simulates clinical use."),
            ),
        ),
    )


def _apparatus(given: Given) -> tuple[DocumentBlock, ...]:
    bench = given.run.manifest.bench
    roles = drawn_roles(bench)
    if not roles:
        return (Paragraph("The record does not say of what the bench consisted."),)
    switch = bench.get("switch")
    lines = [str(name) for name in switch.get("lines", {}) if name != "occluder"] if isinstance(switch, dict) else []
    further = (
        [Paragraph(f"Further lines of the switch provoke faults: {', '.join(lines).replace('_', ' ')}.")]
        if lines
        else []
    )
    simulated = " All of it was simulated in this run." if given.run.manifest.virtual else ""
    return (
        Figure(
            "apparatus",
            "The apparatus, drawn from the bench file: solid is the liquid's way, thin is air or power, dashed are "
            "data."
            f"{simulated}",
            f"Apparatus: {and_list([*roles])}; the liquid's way leads from the pump through the pressure sensor and "
            "the "
            "occluder valve into the vessel on the balance.",
            svg=apparatus_svg(bench, run_equipment(given)),
        ),
        *further,
    )


def run_equipment(given: Given) -> dict[str, str]:
    """Name the instrument of each role, as it answered."""
    named = {each.role: f"{each.maker} {each.model}".strip() for each in given.run.manifest.equipment}
    device = given.run.manifest.dut
    return named | ({"pump": f"{device.maker} {device.model}".strip()} if device is not None else {})
