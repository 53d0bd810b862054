"""The FAILs that a run's record holds so far, read while the run goes on.

A FAIL is a requirement's verdict over a measured value in the record. Not responsible for the verdicts of a run
(`rig.run.results`), nor for stopping one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from rig.record.folder import RunFolder
from rig.verdicts.limits import Verdict, decide
from rig.verdicts.requirements import Requirement


@dataclass(frozen=True)
class Fail:
    """A requirement that FAILed: in which test, by the last part of its id, and what was measured, in words."""

    requirement: str
    test: str
    measured: str


def fails_in(run: RunFolder, requirements: Mapping[str, Requirement]) -> list[Fail]:
    """List the FAILs of the attempts that have come to their end so far, in the order of the tests.

    Those by what a test's whole record holds are there once the run has ended, when it is looked through.

    Raises:
        EvidenceError: the record is damaged.
    """
    of_the_record = [name for name, requirement in requirements.items() if requirement.of_the_record]
    found = []
    for attempt in run.attempts():
        if not attempt.ended:
            continue
        for measured in attempt.measured():
            for name in dict.fromkeys((*attempt.collected.requirements, *of_the_record)):
                rule = requirements[name]
                if not rule.asks_for(measured.quantity.quantity):
                    continue
                limit = rule.measurement_rule(measured.quantity.quantity).limit
                if decide(measured.measurement, limit, rule.rule).verdict is Verdict.FAIL:
                    said = f"{measured.name} is {measured.value:.4g} {measured.unit}, limit {limit}"
                    found.append(Fail(name, _without_folder(attempt.collected.test), said))
    return found


def stopper(run: RunFolder, requirements: Mapping[str, Requirement]) -> Callable[[], str | None]:
    """Make what says why a run is to be stopped at its first FAIL, and None while there is none.

    It reads the record again only when something has been told of the run's progress since.
    """
    path, seen = run.path / "progress.jsonl", -1

    def look() -> str | None:
        nonlocal seen
        size = path.stat().st_size if path.is_file() else 0
        if size == seen:
            return None
        seen = size
        fails = fails_in(run, requirements)
        if not fails:
            return None
        return f"the run was stopped at its first FAIL: {fails[0].requirement} in {fails[0].test}"

    return look


def _without_folder(test: str) -> str:
    """Name a test by its file and what comes behind it, where rates such as "1 U/h" have a stroke of their own."""
    file, mark, name = test.partition("::")
    return f"{file.rpartition('/')[2]}{mark}{name}"
