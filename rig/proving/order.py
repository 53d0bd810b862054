"""In which order tests are tried on a wrong pump: those that must notice it, those that execute what was changed, rest.

Not responsible for running them, nor for what counts as noticing (`rig.proving.trial`).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from rig.run.collection import Declaration

UNKNOWN_S = 3600.0
"""A test that says nothing of its bench time counts as one of an hour. The house's."""


def in_order(
    tests: Sequence[Declaration],
    expected: Collection[str],
    changed: Collection[str],
    executed: Mapping[str, Collection[str]],
) -> list[list[Declaration]]:
    """Order tests into stages; each is tried to its end before the next, and none is empty.

    Args:
        tests: of both runners.
        expected: ids of requirements that the pump must fail.
        changed: the functions in which it differs from the right pump.
        executed: by test, the functions that it executes on the right pump.

    Returns:
        Tests that decide what is expected; tests that execute a changed function; all others. Within a stage those
        that execute one come first, then the shorter first.
    """

    def covers(test: Declaration) -> bool:
        return not set(changed).isdisjoint(executed.get(test.test, ()))

    def place(test: Declaration) -> tuple[bool, float]:
        return not covers(test), test.bench_time_s or UNKNOWN_S

    stages: list[list[Declaration]] = [[], [], []]
    for test in sorted(tests, key=place):
        stages[0 if not set(expected).isdisjoint(test.requirements) else 1 if covers(test) else 2].append(test)
    return [stage for stage in stages if stage]
