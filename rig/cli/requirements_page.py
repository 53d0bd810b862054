"""The page of the rig's own requirements, as the default plan decides them for the reference pump.

    python -m rig.cli.requirements_page > docs/requirements.md

Each sentence, clause and hazard, who judges, each limit with the claim that it comes from, and the tests for it.
Not responsible for any of it: requirements, sheet and suites say what the page says.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from rig.cli.runners import collect
from rig.pump_sheet.placeholders import claims_named_in
from rig.pump_sheet.sheet import PumpSheet
from rig.run.begin import start_run
from rig.run.collection import Declaration
from rig.run.inputs import Sources, read_inputs
from rig.shipped import DEFAULT_BENCH, DEFAULT_REQUIREMENTS, shipped
from rig.toml_files import read_toml
from rig.verdicts.limits import Rule
from rig.verdicts.requirements import Requirement

HEAD = """# Requirements

Written from `suites/requirements.toml`, `fixtures/pumps/reference.toml` and the suites by
`python -m rig.cli.requirements_page`; do not edit. What a maker claims comes from the [pump sheet](pump-sheets.md): for
another pump these sentences have other numbers, which `rig verify --list --pump-sheet FILE` shows. Where no rule
stands, value ± U decides (guard band).
"""

MOST_NAMED = 12
"""So many tests of a requirement are named."""


def requirements_page() -> str:
    """Write the page as Markdown; reads the suites with both runners."""
    inputs = read_inputs(Sources(shipped(DEFAULT_BENCH), {}))
    with TemporaryDirectory(prefix="rig-page-") as folder:
        by_runner = collect(start_run(inputs, out=Path(folder) / "run", measures=False), inputs)
    declared = [each for of_runner in by_runner.values() for each in of_runner]
    written = {entry["id"]: entry for entry in read_toml(shipped(DEFAULT_REQUIREMENTS))["requirement"]}
    sections = [
        _section(requirement, written[name], inputs.sheet, declared)
        for name, requirement in inputs.requirements.items()
    ]
    return "\n".join([HEAD, *sections])


def _section(
    requirement: Requirement, written: Mapping[str, Any], sheet: PumpSheet, declared: Sequence[Declaration]
) -> str:
    least = [f"{what} {written['at_least'][what]}" for what in written.get("at_least", {})]
    facts = {
        "clause": requirement.clause,
        "hazard": requirement.hazard,
        "hazards": ", ".join(requirement.hazards),
        "judged by": ", ".join(requirement.judge),
        "rule": "" if requirement.rule is Rule.GUARD_BAND else requirement.rule.value,
        "at least": ", ".join(least),
        "tests": _tests([each.test for each in declared if requirement.id in each.requirements]),
    }
    rows = [f"| {name} | {_cell(value)} |" for name, value in facts.items() if value]
    limits = [
        f"| {_cell(str(rule.quantity))} | {_cell(str(rule.limit))} | {_cell(_from(entry, sheet))} |"
        for rule, entry in zip(requirement.measurement, written["measurement"], strict=True)
    ]
    return "\n".join(
        [
            f"## {requirement.id}",
            "",
            requirement.text,
            "",
            "| | |",
            "|---|---|",
            *rows,
            "",
            "| quantity | limit | from |",
            "|---|---|---|",
            *limits,
            "",
        ]
    )


def _tests(names: Sequence[str]) -> str:
    """List tests; of those that are very many, as of what is watched everywhere, how many."""
    return "<br>".join(f"`{name}`" for name in names) if len(names) <= MOST_NAMED else f"{len(names)} tests"


def _from(entry: Mapping[str, Any], sheet: PumpSheet) -> str:
    """Say which claims a limit's ends are made of, and where those stand; a limit without any is the requirement's."""
    names = claims_named_in([entry.get("low"), entry.get("high")])
    return "; ".join(f"`{{{name}}}`: {sheet.claims[name].source}" for name in names) or "the requirement"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    sys.stdout.write(requirements_page())
