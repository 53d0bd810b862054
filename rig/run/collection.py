"""What a run owes: the tests of both runners with the quantities that they declare, collected before the first reading.

Not responsible for the suites themselves (the runners read them), nor for measuring.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel

from rig.errors import BenchFileError
from rig.procedures.procedure import Procedure
from rig.record.files import read_json_lines, write_whole
from rig.record.folder import RunFolder, checked
from rig.record.models import QuantityRecord
from rig.run.plan import TestPlan
from rig.run.selection import Selection
from rig.verdicts.quantities import Quantity, nearest
from rig.verdicts.requirements import Requirement

EXPERIMENT = "experiment"
"""Tag of a test that decides no requirement and is done only by plans that ask for experiments."""
TAKEN = ".taken"
"""Ending of the file beside a declaration that says which tables of a plan the tests take."""


class Declaration(BaseModel):
    """One test as its runner declares it: the requirements that it decides, the quantities that it will measure.

    Attributes:
        names: those that a selection looks for its words in.
        bench_time_s: about how long it takes on the bench's clock; None where it does not say.
        needed_lines, needed_roles: what it needs of a bench that not every bench has.
        needed_programs: programs of other people that it calls.
        lines_by_hand: those of the lines that an operator's hands stand in for.
    """

    test: str
    title: str
    requirements: tuple[str, ...]
    quantities: tuple[QuantityRecord, ...]
    not_applicable: str | None = None
    names: tuple[str, ...] = ()
    bench_time_s: float | None = None
    needed_lines: tuple[str, ...] = ()
    needed_programs: tuple[str, ...] = ()
    needed_roles: tuple[str, ...] = ()
    lines_by_hand: tuple[str, ...] = ()

    @classmethod
    def of(
        cls,
        test: str,
        title: str,
        procedures: Sequence[Procedure],
        requirements: Mapping[str, Requirement],
        names: Sequence[str] = (),
        *,
        not_applicable: str | None = None,
        tagged: Collection[str] = (),
    ) -> Declaration:
        """Declare a test by its procedures.

        Args:
            test: its id.
            title: its title.
            procedures: what it measures.
            requirements: by id.
            names: words by which it is selected.
            not_applicable: why the pump sheet has no value for something that it would measure; None where it has.
            tagged: requirements that such a test would decide, by its own word.

        Raises:
            BenchFileError: two of them measure one quantity.
        """
        own = [quantity for procedure in procedures for quantity in procedure.quantities]
        for quantity in own:
            if own.count(quantity) > 1:
                raise BenchFileError(f"{test}: {quantity} is measured twice; one test measures a quantity once")
        everywhere = [quantity for procedure in procedures for quantity in procedure.declared]
        quantities = dict.fromkeys([*own, *everywhere])
        times = [procedure.bench_time_s for procedure in procedures]
        decided = {name for procedure in procedures for name in procedure.decides(requirements)}
        if not_applicable is not None:
            decided |= {name for name in tagged if name in requirements and requirements[name].not_applicable is None}
        return cls(
            test=test,
            title=title,
            requirements=tuple(name for name in requirements if name in decided),
            quantities=tuple(QuantityRecord.of(quantity) for quantity in quantities),
            not_applicable=not_applicable,
            names=tuple(names),
            bench_time_s=None if None in times or not times else sum(filter(None, times)),
            needed_lines=tuple(dict.fromkeys(line for each in procedures for line in each.needed_lines)),
            needed_programs=tuple(dict.fromkeys(name for each in procedures for name in each.needed_programs)),
            needed_roles=tuple(dict.fromkeys(role for each in procedures for role in each.needed_roles)),
            lines_by_hand=_by_hand(procedures),
        )

    def declare_in(self, run: RunFolder) -> None:
        """Declare the test in a run."""
        run.collect(self.test, self.title, self.requirements, [each.quantity for each in self.quantities])


def _by_hand(procedures: Sequence[Procedure]) -> tuple[str, ...]:
    """List the lines that hands stand in for; none that a procedure of the test needs as a line."""
    never = {line for each in procedures for line in each.needed_lines if line not in each.lines_by_hand}
    return tuple(dict.fromkeys(line for each in procedures for line in each.lines_by_hand if line not in never))


def write_declarations(path: Path, declared: Sequence[Declaration]) -> None:
    """Write what a runner declares, for whoever asked it to; EvidenceError when the disk does not take it."""
    lines = [declaration.model_dump_json() for declaration in declared]
    write_whole(path, "".join(f"{line}\n" for line in lines).encode())


def read_declarations(path: Path) -> list[Declaration]:
    """Read what a runner declared; EvidenceError when the file is damaged."""
    return [checked(path, entry, Declaration) for entry in read_json_lines(path)]


def chosen_of(declared: Iterable[Declaration], selection: Selection) -> list[Declaration]:
    """List the tests that a selection chooses, by their names and by what they decide."""
    return [each for each in declared if selection.chooses(each.names, each.requirements)]


def belonging_to(plan: TestPlan, declared: Iterable[Declaration]) -> list[Declaration]:
    """List the tests that belong to a plan: experiments only where it asks for them."""
    return [each for each in declared if plan.experiments or EXPERIMENT not in each.names]


def write_taken(path: Path, tables: Collection[str]) -> None:
    """Write which tables of a plan the tests take; EvidenceError when the disk does not take it."""
    write_whole(path, json.dumps(sorted(tables)).encode())


def read_taken_tables(path: Path) -> frozenset[str]:
    """Read which tables of a plan the tests take."""
    return frozenset(json.loads(path.read_bytes()))


def refuse_untaken(file: Path | str, plan: TestPlan, taken: Collection[str]) -> None:
    """Refuse a plan with entries that no test of the suites takes: they would never be measured.

    Args:
        file: where the plan stands, for the sentence.
        plan: the plan.
        taken: the tables that some test takes, whether it is selected or not.

    Raises:
        BenchFileError: one sentence with file and table, and the tables that are taken.
    """
    known = ", ".join(table for table in plan.entries if table in taken) or "none"
    for table, entries in plan.entries.items():
        if entries and table not in taken:
            raise BenchFileError(
                f"{file}: no test of the suites takes the entries of [[{table}]], so that they would not be measured; "
                f"tables that the suites take: {known}"
            )


@dataclass(frozen=True)
class Unanswered:
    """A quantity that a requirement asks for and no test that decides it measures."""

    requirement: str
    quantity: Quantity


def unanswered(requirements: Mapping[str, Requirement], declared: Sequence[Declaration]) -> list[Unanswered]:
    """List the quantities of requirements that none of the tests that decide them will measure."""
    found = []
    for requirement in requirements.values():
        if requirement.of_the_record:  # every test's record answers it, as far as it can
            continue
        own = {each.quantity for test in declared if requirement.id in test.requirements for each in test.quantities}
        found += [
            Unanswered(requirement.id, rule.quantity) for rule in requirement.measurement if rule.quantity not in own
        ]
    return found


def refuse_unanswered(
    requirements: Mapping[str, Requirement],
    declared: Sequence[Declaration],
    *,
    every_requirement_due: bool,
    selected: str | None = None,
) -> None:
    """Refuse requirements that nothing in this run can answer, before anything is measured.

    A requirement that one of the tests decides must be answered whole; others only where every requirement is due.
    Where a selection left out the rest of its tests, the sentence says how to select them too.

    Raises:
        BenchFileError: one sentence with the requirement, the quantity, and the nearest that is measured.
    """
    named = {name for test in declared for name in test.requirements}
    inapplicable = {name for test in declared if test.not_applicable is not None for name in test.requirements}
    missing = [
        each
        for each in unanswered(requirements, declared)
        if (every_requirement_due or each.requirement in named) and each.requirement not in inapplicable
    ]
    if not missing:
        return
    first = missing[0]
    near = nearest(first.quantity, {each.quantity: test for test in declared for each in test.quantities})
    if near == first.quantity:
        hint = "a test measures it, but does less than the requirement's at_least"
    else:
        hint = f"the nearest that is measured is {str(near)!r}" if near else "nothing is measured"
    more = len(missing) - 1
    if selected:
        ids = dict.fromkeys(each.requirement for each in missing)
        hint += f"; select the other tests too: --select {' or '.join([f'({selected})', *ids])!r}"
    raise BenchFileError(
        f"{first.requirement} asks for {str(first.quantity)!r}, which no test of this run measures; {hint} "
        f"(rig verify --list shows all)" + (f"; and {more} more like it" if more else "")
    )
