"""How a run ended, judged by its record: what it owed, what has come to its end, and what a runner said at its own end.

A runner's exit code alone is not believed: a process that dies may leave any. Not responsible for starting runners
(`rig.cli.runners`), nor for verdicts (`rig.run.results`).
"""

from __future__ import annotations

import signal
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from rig.record.folder import Attempt, RunFolder
from rig.record.manifest import RunOutcome
from rig.run.stopping import SIGNALS

NAMES = {"pytest": "pytest", "robot": "Robot Framework"}

INTERRUPTED = {"pytest": 2, "robot": 253}
"""The exit code by which each runner says that somebody stopped it."""

_MOST_ROBOT_COUNTS = 250
"""Robot Framework's exit code is the number of failed tests, and 250 for more (its User Guide, 3.1.3)."""
_NO_TEST = 5
"""pytest's exit code where there was no test to run."""


@dataclass(frozen=True)
class Ending:
    """How a run ended, why it did not come to its end, and by test why it has no attempt that did."""

    outcome: RunOutcome
    reason: str | None = None
    undone: Mapping[str, str] = field(default_factory=dict)


def last_attempts(run: RunFolder) -> dict[str, Attempt]:
    """Find the last attempt at each test that has one, by test."""
    return {attempt.collected.test: attempt for attempt in run.attempts()}


def not_ended(run: RunFolder) -> list[str]:
    """List the tests that a run owes still: those of which no attempt came to its end."""
    ended = {attempt.collected.test for attempt in run.attempts() if attempt.ended}
    return [each.test for each in run.collected() if each.test not in ended]


def judge_runner(name: str, code: int, owed: Collection[str], run: RunFolder, said: str) -> Ending:
    """Judge how a runner ended.

    Args:
        name: pytest or robot.
        code: its exit code, below 0 the signal that killed it.
        owed: the tests that it had to run.
        run: what it left.
        said: the last words of its output.

    Returns:
        `complete` only if each owed test has come to its end, and the code is that of a session that came to its end
        with just as many tests failed as the record says.
    """
    called = NAMES[name]
    if code < 0:
        number = -code
        why = f"{called} was killed by {_signal_name(number)}"
        return Ending("interrupted" if number in SIGNALS else "broken", why)
    if code == INTERRUPTED[name]:
        return Ending("interrupted", f"{called} was interrupted")
    attempts = last_attempts(run)
    left = [test for test in owed if test not in attempts or not attempts[test].ended]
    failed = sum(attempts[test].outcome in ("failed", "error") for test in owed if test not in left)
    expected = _expected(name, failed, len(owed))
    if left:
        known = "" if code == expected else f": {said}"
        return Ending("broken", f"{called} ended early with exit code {code}, {_tests(len(left))} not done{known}")
    if code != expected:
        return Ending(
            "broken",
            f"{called} ended with exit code {code} and not {expected}, although by the record {_tests(failed)} failed: "
            f"{said}",
        )
    return Ending("complete")


def completed(run: RunFolder, ending: Ending) -> Ending:
    """Say of each test that was not done why not; nothing is complete to which a test is missing."""
    left = not_ended(run)
    if left and ending.outcome == "complete":
        ending = Ending("broken", f"{_tests(len(left))} not done")
    why = ending.reason or f"the run was {ending.outcome}"
    return Ending(ending.outcome, ending.reason, {test: ending.undone.get(test, why) for test in left})


def _expected(name: str, failed: int, owed: int) -> int:
    """The exit code of a session that came to its end."""
    if name == "robot":
        return min(failed, _MOST_ROBOT_COUNTS)
    return _NO_TEST if not owed else min(failed, 1)


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _tests(count: int) -> str:
    return "one test" if count == 1 else f"{count} tests"
