"""What makes a run formal, and everything that is in the way of it, said at once.

A formal run does the whole plan as it stands, on qualified software, PC and bench, with calibrated instruments, by
somebody who is named. All others may be made in whatever way, and say NOT FORMAL. Not responsible for the ledger, in
which both kinds stand (`rig.run.numbered`).
"""

from __future__ import annotations

import datetime
import importlib.metadata
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rig.bench.device_tables import CalibratedTable
from rig.errors import BenchFileError
from rig.record.files import utc_now
from rig.record.manifest import Package, Software
from rig.run.inputs import PACKAGES, Inputs
from rig.run.installed import altered_files, has_own_files
from rig.run.plan import TestPlan
from rig.run.qualified import (
    QUALIFY,
    Present,
    QualificationFile,
    latest_qualification,
    misfits,
    qualified_bench,
    read_qualification,
    this_machine,
)
from rig.run.software import DISTRIBUTION, software
from rig.shipped import ROOT


@dataclass(frozen=True)
class Formality:
    """How a run begins: whether it is formal, by whom, where not as the bench file says, and its qualification."""

    formal: bool = False
    operator: str | None = None
    qualification: QualificationFile | None = None


INFORMAL = Formality()


@dataclass(frozen=True)
class FormalityAsked:
    """What was asked for: a formal run, the operator's name, a certain qualification; and what narrows the run.

    `settings` are those of the caller, not those by which a condition of the plan is set up.
    """

    formal: bool = False
    operator: str | None = None
    qualification: Path | None = None
    settings: tuple[str, ...] = ()
    select: str | None = None
    stop_at_fail: bool = False


def formality_of(asked: FormalityAsked, inputs: Inputs) -> Formality:
    """Decide how a run begins; a formal one only where nothing is in the way.

    Raises:
        BenchFileError: it was to be formal and is not, with every reason in a sentence of its own; or the qualification
            that was named does not hold.
    """
    if asked.operator is not None and not asked.operator.strip():
        raise BenchFileError("--operator: names nobody; name a person, or leave it out")
    present = what_is_here(inputs)
    named = asked.qualification
    file, why = latest_qualification(present) if named is None else _named_qualification(named, present)
    if why and named is not None and not asked.formal:
        raise BenchFileError(why)
    if not asked.formal:
        return Formality(operator=asked.operator, qualification=file)
    refused = [*in_the_way(asked, inputs, present), *([why] if why else [])]
    if refused:
        said = " ".join(f"({number}) {sentence}." for number, sentence in enumerate(refused, start=1))
        raise BenchFileError(f"--formal: this cannot be a formal run: {said}")
    return Formality(formal=True, operator=asked.operator, qualification=file)


def _named_qualification(path: Path, present: Present) -> tuple[QualificationFile | None, str]:
    """Read the qualification that was named; returns it and "", or None and why it does not hold or is none."""
    try:
        file = read_qualification(path)
    except BenchFileError as error:
        return None, str(error)
    reasons = misfits(file.qualification, present)
    if reasons:
        return None, f"the qualification {path} does not hold: {'; '.join(reasons)}; {QUALIFY}"
    return file, ""


def what_is_here(inputs: Inputs) -> Present:
    """Identify what a qualification has to fit: this PC, code, packages and bench, now."""
    listed = json.loads(inputs.files[PACKAGES])
    packages = {name: Package.model_validate(each) for name, each in listed.items()}
    return Present(
        this_machine(), software(), packages, qualified_bench(inputs.spec), datetime.datetime.fromisoformat(utc_now())
    )


def in_the_way(asked: FormalityAsked, inputs: Inputs, present: Present) -> list[str]:
    """List all that keeps a run from being formal, but for its qualification."""
    found = list(of_code(present.software, ROOT))
    if asked.settings:
        found.append(f"--set {asked.settings[0]} changes the bench for this call; write it into the bench file")
    if asked.select:
        found.append("--select narrows the plan; a formal run does all of it, or a plan file says what is in its scope")
    if asked.stop_at_fail:
        found.append("--stop-at-fail would leave tests of the plan undone")
    if not (asked.operator or inputs.spec.operator):
        found.append("nobody is named as operator; name one with --operator or in the bench file")
    found += _overdue(inputs)
    return found


def of_code(code: Software, root: Path) -> list[str]:
    """Say what is unknown of the rig's own code: changed beside its commit, or neither a checkout nor a whole wheel."""
    if code.commit is not None:
        if code.dirty is None:
            return ["whether the rig's code differs from its commit is not known: git could not say"]
        return ["the rig's code differs from its commit; commit it, or install a release"] if code.dirty else []
    changed = changed_in_wheel(root)
    if changed is None:
        return ["the commit of the rig's code is not known, and it is no installed wheel"]
    more = f", and {len(changed) - 1} more" if len(changed) > 1 else ""
    return [f"the rig's code is not as it was installed: {changed[0]}{more}"] if changed else []


def changed_in_wheel(root: Path) -> list[str] | None:
    """List which files of the rig's own wheel below `root` differ from its RECORD; None where it is no such wheel."""
    distribution = importlib.metadata.distribution(DISTRIBUTION)
    if not has_own_files(distribution, root):
        return None
    return altered_files(distribution)


def own_settings(settings: Sequence[str], plan: TestPlan) -> tuple[str, ...]:
    """Leave out of settings those by which a condition of the plan is set up, which are the plan's own."""
    of_plan = {f"{key}={value}" for each in plan.condition for key, value in each.overrides().items()}
    return tuple(each for each in settings if each not in of_plan)


def _overdue(inputs: Inputs) -> list[str]:
    spec = inputs.spec
    today = spec.day or datetime.date.fromisoformat(utc_now()[:10])
    found = []
    for role in spec.roles:
        table = spec.table(role)
        if isinstance(table, CalibratedTable) and today > table.calibration_due:
            found.append(f"the calibration of the {role} {table.serial_number} was due on {table.calibration_due}")
    return found
