"""The first page: what was tested, by whom, for whom, when, under which number; and how to find what one looks for.

Not responsible for results.
"""

from __future__ import annotations

from reports.document import Alert, Contents, Facts, FigureList, Paragraph, Section, TableBlock, TableColumn
from reports.language import in_language
from reports.parts.given import NOT_STATED, Given, RevisionLine, stated_or_not
from reports.words import moment_in_words
from rig.verdicts.limits import Rule

ITEMS_TESTED = (
    "The results relate only to the item tested, in the state in which it was received and connected to the bench. The "
    "report may be copied as a whole only, unless the laboratory agrees."
)
RULES_IN_A_LINE = {
    Rule.GUARD_BAND: "guard band as wide as U: a value passes when value ± U lies inside its limit",
    Rule.SIMPLE_ACCEPTANCE: "simple acceptance where U ≤ limit/3, for the requirements that say so",
}


def cover(given: Given) -> tuple[Section, ...]:
    """Write the facts of the first page."""
    manifest, house = given.run.manifest, given.house
    alert = (
        (
            Alert(
                "The bench of this run was virtual: instruments, fluid and pump were simulated. The numbers show that "
                "the rig works, and nothing else.",
                "SIMULATED — no evidence about any device.",
            ),
        )
        if manifest.virtual
        else ()
    )
    return (
        Section(
            0,
            "Cover",
            "cover",
            (
                Facts(_document_rows(given)),
                Facts(_item_rows(given)),
                Facts(_order_rows(given)),
                *_history(given),
                Paragraph(ITEMS_TESTED, "Validity."),
                Paragraph(f"{decision_line(given)}.", "Decision rule."),
                *alert,
                *([Paragraph(house.order.external, "From others.")] if house.order.external else []),
            ),
        ),
    )


def contents(_: Given) -> tuple[Section, ...]:
    """Make room for contents and figures."""
    return (Section(0, "Contents", "contents", (Contents("Contents"), FigureList("Figures")), new_page=True),)


def decision_line(given: Given) -> str:
    """Say by which rules was decided, in a line."""
    used = {each.rule for row in given.in_scope for each in row.measurements} or {Rule.GUARD_BAND}
    said = "; ".join(words for rule, words in RULES_IN_A_LINE.items() if rule in used)
    return f"{said[:1].upper()}{said[1:]}"


def _document_rows(given: Given) -> tuple[tuple[str, str], ...]:
    manifest, laboratory, customer = given.run.manifest, given.house.laboratory, given.house.customer
    bench = manifest.bench.get("name")
    return (
        ("Document number", f"{given.number}, {in_language('revision', given.house.language)} {given.revision}"),
        ("Run", manifest.run_id),
        ("Laboratory", ", ".join(filter(None, (laboratory.name, laboratory.address))) or NOT_STATED),
        *([("Accreditation", laboratory.accreditation)] if laboratory.accreditation else []),
        ("Place of the tests", stated_or_not(laboratory.place)),
        ("Customer", ", ".join(filter(None, (customer.name, customer.address))) or NOT_STATED),
        ("Bench", str(bench) if bench else manifest.bench_file),
        ("Operator", stated_or_not(manifest.operator)),
    )


def _item_rows(given: Given) -> tuple[tuple[str, str], ...]:
    manifest, order = given.run.manifest, given.house.order
    device, lots = manifest.dut, manifest.disposables
    return (
        ("Device under test", f"{device.maker} {device.model}" if device else "Device not identified"),
        ("Serial number", device.serial_number or "none" if device else "not identified"),
        ("Device firmware", device.firmware or "none" if device else "not identified"),
        ("Condition on receipt", stated_or_not(order.condition)),
        ("Infusion set, lot", stated_or_not(lots.get("infusion_set"))),
        ("Reservoir, lot", stated_or_not(lots.get("reservoir"))),
        ("Sampling", stated_or_not(order.sampling)),
        ("Sample size", f"1 pump in this run; rationale: {stated_or_not(order.sample_size)}"),
    )


def _order_rows(given: Given) -> tuple[tuple[str, str], ...]:
    manifest, order = given.run.manifest, given.house.order
    started, ended = manifest.started_utc, manifest.ended_utc
    plan, sheet = manifest.plan, manifest.pump_sheet
    return (
        ("Received", stated_or_not(order.received)),
        ("Run started", moment_in_words(started)),
        ("Run ended", moment_in_words(ended)),
        ("Date of issue", f"{ended or started:%Y-%m-%d}, the day on which the record was closed"),
        ("Test plan", f"{plan.name}: {plan.purpose}" if plan else NOT_STATED),
        ("Requirements", manifest.requirements_file),
        ("Pump sheet", sheet.name if sheet else NOT_STATED),
        *([("Scope", f"partial run: only tests selected by “{manifest.selected}”")] if manifest.selected else []),
    )


MOST_CHANGES = 3
"""Changes since the revision before that the cover tells; `revision.json` holds all."""


def _why(line: RevisionLine) -> str:
    """The reason of a revision, and what it changed."""
    told = [*([line.reason] if line.reason else []), *line.changed[:MOST_CHANGES]]
    more = len(line.changed) - MOST_CHANGES
    return "; ".join([*told, *([f"{more} more changes in revision.json"] if more > 0 else [])]) or "–"


def _history(given: Given) -> tuple[TableBlock, ...]:
    if not given.history:
        return ()
    columns = (
        TableColumn("Revision"),
        TableColumn("Record closed"),
        TableColumn("By"),
        TableColumn("Reason", share=1.0),
    )
    rows = tuple((str(each.number), each.made, each.by or "–", _why(each)) for each in given.history)
    return (TableBlock("Revisions of this document; none was ever overwritten.", columns, rows),)
