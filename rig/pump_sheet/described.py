"""The page of the claims that a pump sheet may hold, written from the catalogue: `python -m rig.pump_sheet.described`.

Not responsible for the claims, nor for any pump's values.
"""

from __future__ import annotations

import sys

from rig.pump_sheet.claims import CLAIMS, OF_CAPABILITY, ClaimKind

HEAD = """# What a pump sheet may claim

Written from the catalogue by `python -m rig.pump_sheet.described`; do not edit. [Pump sheets](pump-sheets.md) says how
to write one.

A requirement, a plan or a protocol refers to a claim by its name in braces: `{bolus.maximum}`, `{2 dose.size}`,
`±{basal.tolerance}`. The bounds keep out slips of the pen and say nothing of what a pump should do.
"""


def claims_page() -> str:
    """Write the page as Markdown."""
    tables = dict.fromkeys(kind.table for kind in CLAIMS.values())
    return "\n".join([HEAD, *(_section(table) for table in tables)])


def _section(table: str) -> str:
    needed = OF_CAPABILITY.get(table)
    condition = f"Only of a pump with the capability “{needed.value}”.\n\n" if needed is not None else ""
    rows = [_row(kind) for kind in CLAIMS.values() if kind.table == table]
    head = "| claim | meaning | allowed |\n|---|---|---|"
    return f"## `[{table}]`\n\n{condition}{head}\n" + "\n".join(rows) + "\n"


def _row(kind: ClaimKind) -> str:
    sign = "±" if kind.both_ways else ""
    several = ", several with commas between them" if kind.several else ""
    allowed = ", ".join(f"“{word}”" for word in kind.words) or f"{sign}{kind.lowest} to {sign}{kind.highest}{several}"
    return f"| `{{{kind.name}}}` | {kind.meaning} | {allowed} |"


if __name__ == "__main__":
    sys.stdout.write(claims_page())
