"""What is said before a run begins: that it is simulated, its tests, how long they take, and what it cannot show.

Not responsible for the sentences on limits that a balance cannot decide (`rig.run.decidable`), nor for progress.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.text import Text

from reports.words import NOT_FORMAL, SIMULATED
from rig.bench.file import BenchFile
from rig.cli.printing import say
from rig.faults.means import lacking_of_bench
from rig.run.collection import Declaration

BANNER_STYLE = "bold black on yellow"


def say_simulated(console: Console) -> None:
    """Print the mark of a virtual bench as loudly as the report's pages have it."""
    console.print(Text(f"  {SIMULATED}  ", style=BANNER_STYLE), soft_wrap=True)


def say_up_front(
    console: Console,
    declared: Sequence[Declaration],
    spec: BenchFile,
    *,
    selected: str | None,
    formal: bool,
    undecidable: Sequence[str],
    at_a_time: int,
) -> None:
    """Print what is going to be done, before anything is measured.

    Args:
        console: to print on.
        declared: the tests that are to be done.
        spec: the bench.
        selected: the expression that chose them; each is listed then.
        formal: whether it is a formal run; one that is not says so.
        undecidable: sentences on limits that this bench cannot decide.
        at_a_time: how many tests are done at a time.
    """
    if spec.simulated:
        say_simulated(console)
    if not formal:
        say(console, NOT_FORMAL, "yellow")
    if selected:
        say(console, f"Selected by {selected!r}:")
        for each in declared:
            say(console, f"  {' '.join([*each.requirements, ''])} {each.title}")
    say(console, f"{how_long(declared)}{f', {at_a_time} at a time' if at_a_time > 1 else ''}.")
    for sentence in (*undecidable, *not_to_be_done(declared, spec)):
        say(console, sentence, "yellow")


def how_long(declared: Sequence[Declaration]) -> str:
    """Say how many tests there are, and how many hours of bench time they take by their own word."""
    known_s = [each.bench_time_s for each in declared if each.bench_time_s is not None]
    unknown = len(declared) - len(known_s)
    tests = "1 test" if len(declared) == 1 else f"{len(declared)} tests"
    if not known_s:
        return f"{tests}; how long they take is not known"
    of_rest = f", and {unknown} of them do not say how long they take" if unknown else ""
    return f"{tests}, about {sum(known_s) / 3600.0:.3g} h of bench time{of_rest}"


def not_to_be_done(declared: Sequence[Declaration], spec: BenchFile) -> list[str]:
    """Say for each requirement which of its tests cannot be done on this bench, and what the bench lacks."""
    undone = {each.test: what for each in declared if (what := _lacks(each, spec))}
    sentences = []
    for name, tests in _by_requirement(declared).items():
        left_out = sum(each.test in undone for each in tests)
        if left_out:
            none = left_out == len(tests)
            follows = "it is NOT APPLICABLE" if none else f"{left_out} of its {len(tests)} tests cannot be done"
            sentences.append(f"{name}: this bench has no {_all_of(undone, tests)}, so that {follows}.")
    return sentences


def beyond_bench(declared: Sequence[Declaration], spec: BenchFile) -> list[str]:
    """List the requirements of which this bench can do no test at all, for want of lines or instruments."""
    return [name for name, tests in _by_requirement(declared).items() if all(_lacks(each, spec) for each in tests)]


def _by_requirement(declared: Sequence[Declaration]) -> dict[str, list[Declaration]]:
    found: dict[str, list[Declaration]] = {}
    for each in declared:
        for name in each.requirements:
            found.setdefault(name, []).append(each)
    return found


def _lacks(declared: Declaration, spec: BenchFile) -> list[str]:
    return lacking_of_bench(
        declared.needed_lines,
        declared.needed_roles,
        declared.lines_by_hand,
        lines=spec.switch.lines,
        roles=spec.means,
    )


def _all_of(undone: Mapping[str, Sequence[str]], tests: Sequence[Declaration]) -> str:
    return " and no ".join(dict.fromkeys(what for each in tests for what in undone.get(each.test, ())))
