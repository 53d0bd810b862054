"""The catalogue of faults as a page for people.

Not responsible for where the page lies.
"""

from __future__ import annotations

from rig.faults.catalogue import Catalogue
from rig.faults.fault import Provocation, PumpFault

_HEAD = """# Faults

What goes wrong with pumps, how this rig provokes it, who observes what the pump does, and what it is expected to do.
Made from `suites/faults.toml`; limits that decide stand in `suites/requirements.toml`. A run freezes the catalogue with
its other inputs, and writes each injection and clearing with its second into the record.

    from rig.faults import shipped_faults
    from rig.procedures.provoking import provoking

    with provoking(bench, record) as faults:      # what is active on leaving is cleared, whatever happened
        faults.inject(shipped_faults().injection("F14 removed"))
        faults.active                             # ("F14 removed",)

A bench without the line that a fault needs refuses it in a sentence, and a test of it is NOT APPLICABLE there, unless
the bench has [an operator](benches.md#the-operators-hands) who can do it: [benches](benches.md) says what hangs on
which. `rig faults --bench FILE` lists what a bench can provoke, gaps first.

| fault | how | who observes | expected | judged by |
|---|---|---|---|---|
"""
_TAIL = """
## Not provoked

| fault | why not |
|---|---|
"""


def faults_page(catalogue: Catalogue) -> str:
    """Write the page, in Markdown."""
    rows = [_row(fault) for fault in catalogue.faults.values()]
    left_out = [f"| {each.id} {each.cause} | {each.reason} |" for each in catalogue.not_provoked]
    return _HEAD + "\n".join(rows) + "\n" + _TAIL + "\n".join(left_out) + "\n"


def _by_hand(way: Provocation) -> str:
    return f", or by hand: {way.by_hand.do}" if way.by_hand is not None else ""


def _row(fault: PumpFault) -> str:
    ways = [f"{way.name + ': ' if way.name else ''}{way.in_words}{_by_hand(way)}" for way in fault.provocation]
    limits = "".join(f"; {limit.what} ≤ {limit.within}" for limit in fault.limits)
    cells = (
        f"{fault.id} {fault.cause}. *{fault.hazard}* ({fault.fda_class})",
        "; ".join(ways),
        ", ".join(fault.observers),
        fault.expected + limits,
        ", ".join(fault.requirements) or "—",
    )
    return "| " + " | ".join(cells) + " |"
