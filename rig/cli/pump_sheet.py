"""`rig pump-sheet`: what a sheet claims, where that stands, and which requirements do not apply to such a pump.

Not responsible for the sheet's checks, which are `rig.pump_sheet.sheet`'s.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from rig.cli.printing import print_table, say
from rig.procedures.catalogue import KINDS
from rig.pump_sheet.claims import CLAIMS
from rig.pump_sheet.sheet import PumpSheet, read_pump_sheet
from rig.roles import Capability
from rig.roles.pump import OF_THE_BENCH
from rig.run.collection import Declaration
from rig.run.inputs import Inputs
from rig.shipped import DEFAULT_HAZARDS, shipped
from rig.verdicts.hazards import hazards_beside, read_hazards
from rig.verdicts.requirements import read_requirements


def print_pump_sheet(path: Path, requirements: Path, *, console: Console) -> int:
    """Print a pump sheet; returns the exit code.

    Raises:
        BenchFileError: the sheet or the requirements file is wrong.
    """
    sheet = read_pump_sheet(path)
    sheet.refuse_placeless()
    read = read_requirements(requirements, KINDS, sheet)
    sheet.refuse_unknown_hazards(read_hazards(hazards_beside(requirements, shipped(DEFAULT_HAZARDS))))
    rows = [(each.name, f"{each}", each.source or "–") for each in sheet.claims.values()]
    print_table(console, ("claim", "value", "where it stands"), rows, title=f"{sheet.maker}: {sheet.name}", fold=True)
    _print_capabilities(sheet, console)
    if missing := [name for name in CLAIMS if name not in sheet.claims and sheet.cannot(name) is None]:
        say(console, f"Left out, and so not stated: {', '.join(missing)}.")
    reasons = [(each.id, each.not_applicable) for each in read.values() if each.not_applicable is not None]
    for name, reason in reasons:
        say(console, f"{name} is NOT APPLICABLE: {reason}", "yellow")
    whole = len(read) - len(reasons)
    say(console, f"The sheet can be used: {whole} of {len(read)} requirements have all their values.")
    return 0


def _print_capabilities(sheet: PumpSheet, console: Console) -> None:
    has = [each.value for each in Capability if each in sheet.capabilities]
    has_not = [each.value for each in Capability if each not in (*sheet.capabilities, *OF_THE_BENCH)]
    say(console, f"It can do: {', '.join(has)}.")
    if has_not:
        say(console, f"It cannot do: {', '.join(has_not)}.")


def print_inapplicable(inputs: Inputs, declared: Sequence[Declaration], console: Console) -> None:
    """Print what a plan leaves out, and which requirements and tests do not apply, by the pump sheet."""
    for sentence in inputs.plan.left_out:
        say(console, f"Left out of the plan {inputs.plan.plan.name!r}: {sentence}", "yellow")
    for each in inputs.requirements.values():
        if each.not_applicable is not None:
            say(console, f"{each.id} is NOT APPLICABLE: {each.not_applicable}", "yellow")
    for test in declared:
        if test.not_applicable is not None:
            say(console, f"{test.test} is NOT APPLICABLE: {test.not_applicable}", "yellow")
