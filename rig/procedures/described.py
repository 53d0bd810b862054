"""The page of the measurements that this rig knows, written from the catalogue: `python -m rig.procedures.described`.

Not responsible for the measurements; whatever the page says stands with them.
"""

from __future__ import annotations

import inspect
import sys

from rig.procedures.catalogue import EVERYWHERE, PROCEDURES
from rig.procedures.procedure import Procedure
from rig.procedures.recorded import OF_THE_RECORD
from rig.verdicts.quantities import Kind

HEAD = """# Measurements and their quantities

Written from the catalogue by `python -m rig.procedures.described`; do not edit. `rig verify --list` says which of them
a plan and the suites really measure.

A requirement refers to a quantity by its key and its parameters, which are text with units:

    measurement = [{ quantity = "basal.mean_error", rate = "1 U/h", unit = "%", low = -5, high = 5 }]

Each measurement is a table of a [test plan](plans.md), whose keys are also the arguments of its keyword in a protocol.
"""


EVERYWHERE_HEAD = """## In every measurement

The pump is watched while anything is measured, and what flows in the blank run after it is measured too.

| quantity | printed as | unit | parameters | meaning |
|---|---|---|---|---|"""


RECORD_HEAD = """
## Of a whole record

When a run ends, everything that each test has recorded is looked through ([invariants](invariants.md)).

| quantity | printed as | unit | parameters | meaning |
|---|---|---|---|---|"""


def quantities_page() -> str:
    """Write the page as Markdown."""
    sections = [_section(procedure) for procedure in PROCEDURES]
    return "\n".join(
        [HEAD, *sections, EVERYWHERE_HEAD, *map(_row, EVERYWHERE), RECORD_HEAD, *map(_row, OF_THE_RECORD), ""]
    )


def _section(procedure: type[Procedure]) -> str:
    keyword = f", keyword `{procedure.KEYWORD}`" if procedure.KEYWORD else ""
    description = " ".join((inspect.getdoc(procedure) or "").split("\n\n")[0].split())
    rows = [_row(kind) for kind in procedure.KINDS]
    head = "| quantity | printed as | unit | parameters | meaning |\n|---|---|---|---|---|"
    keys = ", ".join(f"`{key}`" for key in _keys(procedure))
    return "\n".join(
        [f"## `[[{procedure.TABLE}]]`{keyword}", "", description, "", f"Keys: {keys}.", "", head, *rows, ""]
    )


def _keys(procedure: type[Procedure]) -> list[str]:
    return [field.alias or name for name, field in procedure.model_fields.items()]


def _row(kind: Kind) -> str:
    parameters = ", ".join(
        f"`{each.name}`" + (f" ({' or '.join(each.units or each.words)})" if each.units or each.words else "")
        for each in kind.parameters
    )
    cells = (f"`{kind.name}`", kind.sentence, " or ".join(kind.units), parameters or "–", kind.meaning)
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    sys.stdout.write(quantities_page())
