"""What a plan covers: topic by topic, which requirements stand for it, by what they are judged, over which range.

Computed from what the tests declare, so before anything is measured. Not responsible for verdicts, nor for printing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from rig.run.collection import Declaration
from rig.verdicts.requirements import Requirement
from rig.verdicts.topics import Topic


@dataclass(frozen=True)
class RequirementCovered:
    """One requirement: what judges it, the tests that decide it, and what they measure it at, such as "rate 1 U/h"."""

    id: str
    judge: tuple[str, ...]
    tests: tuple[str, ...]
    range: tuple[str, ...]


@dataclass(frozen=True)
class TopicCovered:
    """One topic with its requirements; `gap` says why nothing covers it, None where something does."""

    topic: Topic
    requirements: tuple[RequirementCovered, ...]
    gap: str | None


BESIDE = Topic(id="beside", of="beside the topics", text="What is verified beside these topics")
"""Stands for requirements that belong to no topic; it is counted as none."""


EVERY_TEST = "Every test, once it is over"


def coverage(
    topics: Sequence[Topic],
    requirements: Mapping[str, Requirement],
    declared: Iterable[Declaration],
    undecided: Collection[str] = (),
) -> list[TopicCovered]:
    """Compute what tests cover of topics, gaps first and then in their order.

    Args:
        topics: what has to be covered.
        requirements: by id.
        declared: the tests.
        undecided: requirements that a run could not decide after all.
    """
    tests = list(declared)
    found = [_covered(topic, requirements, tests, undecided) for topic in topics]
    belonging = {row.id for each in found for row in each.requirements}
    others = tuple(_requirement(each, tests) for each in requirements.values() if each.id not in belonging)
    beside = [TopicCovered(BESIDE, others, None)] if others else []
    return [*sorted(found, key=lambda each: each.gap is None), *beside]


def covered_in_short(covered: Sequence[TopicCovered]) -> list[str]:
    """Say for each kind of source how many of its topics are covered, and which are not, and why."""
    groups: dict[bool, list[TopicCovered]] = {}
    for each in (each for each in covered if each.topic is not BESIDE):
        groups.setdefault(bool(each.topic.shown_by), []).append(each)
    sentences = []
    for of_standard in sorted(groups):
        group = groups[of_standard]
        gaps = [each for each in group if each.gap is not None]
        what = f"topics of {group[0].topic.of}" if of_standard else "topics"
        said = "; ".join(f"{each.topic.id}{'' if of_standard else f' {each.topic.of}'} ({each.gap})" for each in gaps)
        sentences.append(
            f"{len(group) - len(gaps)} of {len(group)} {what} are verified{f'; gaps: {said}' if gaps else ''}."
        )
    return sentences


def _covered(
    topic: Topic,
    requirements: Mapping[str, Requirement],
    tests: Sequence[Declaration],
    undecided: Collection[str],
) -> TopicCovered:
    rows = tuple(_requirement(requirements[name], tests) for name in topic.requirements(requirements))
    gap = None
    if not rows:
        gap = "no requirement"
    elif not any(row.tests for row in rows):
        gap = f"no test decides {', '.join(row.id for row in rows)}"
    elif all(row.id in undecided for row in rows if row.tests):
        gap = f"not decided: {', '.join(row.id for row in rows if row.tests)}"
    return TopicCovered(topic, rows, gap)


def _requirement(requirement: Requirement, tests: Sequence[Declaration]) -> RequirementCovered:
    deciding = [test for test in tests if requirement.id in test.requirements]
    at = dict.fromkeys(
        f"{name} {value}"
        for test in deciding
        for each in test.quantities
        if requirement.asks_for(each.quantity)
        for name, value in each.parameters.items()
    )
    titles = tuple(test.title for test in deciding)
    if tests and not titles and all(rule.quantity.of_every_measurement for rule in requirement.measurement):
        titles = (EVERY_TEST,)
    return RequirementCovered(requirement.id, requirement.judge, titles, tuple(at))
