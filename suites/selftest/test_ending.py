"""How a run ended is judged by its record: no exit code of a runner is believed that the record does not bear out."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from rig.clock import SimClock
from rig.record.folder import RunFolder
from rig.record.results import Outcome
from rig.run.begin import end_run
from rig.run.ending import Ending, completed, judge_runner
from suites.selftest.recorded import manifest


@pytest.fixture
def run(tmp_path: Path) -> Iterator[RunFolder]:
    made = RunFolder.create(tmp_path / "run", manifest())
    yield made
    made.appender.close()


def left_by(run: RunFolder, **outcomes: Outcome | None) -> list[str]:
    """Declare tests and end an attempt at each: as said, or not at all where that is None."""
    for name, outcome in outcomes.items():
        run.collect(name, name, (), ())
        attempt = run.attempt(name)
        attempt.start(SimClock())
        if outcome is not None:
            attempt.end(outcome)
    return list(outcomes)


@pytest.mark.parametrize(
    ("runner", "code", "outcomes"),
    [
        ("pytest", 0, {"a": "passed", "b": "not applicable"}),
        ("pytest", 1, {"a": "passed", "b": "failed"}),
        ("pytest", 1, {"a": "error"}),
        ("pytest", 5, {}),
        ("robot", 0, {"a": "passed", "b": "not applicable"}),
        ("robot", 2, {"a": "failed", "b": "error", "c": "passed"}),
        ("robot", 0, {}),
    ],
)
def test_a_session_that_did_all_and_says_what_the_record_says_is_complete(
    run: RunFolder, runner: str, code: int, outcomes: dict[str, Outcome]
) -> None:
    assert judge_runner(runner, code, left_by(run, **outcomes), run, "bye") == Ending("complete")


@pytest.mark.parametrize(
    ("runner", "code", "outcomes", "reason"),
    [
        ("pytest", 0, {"a": "passed", "b": None}, "pytest ended early with exit code 0, one test not done"),
        ("pytest", 1, {"a": None, "b": None}, "pytest ended early with exit code 1, 2 tests not done: bye"),
        ("pytest", 5, {"a": None}, "pytest ended early with exit code 5, one test not done: bye"),
        ("pytest", 3, {"a": "passed", "b": None}, "pytest ended early with exit code 3, one test not done: bye"),
        (
            "pytest", 0, {"a": "failed"},
            "pytest ended with exit code 0 and not 1, although by the record one test failed: bye",
        ),
        (
            "pytest", 1, {"a": "passed"},
            "pytest ended with exit code 1 and not 0, although by the record 0 tests failed: bye",
        ),
        (
            "robot", 1, {"a": "failed", "b": "error"},
            "Robot Framework ended with exit code 1 and not 2, although by the record 2 tests failed: bye",
        ),
        ("robot", 252, {"a": None}, "Robot Framework ended early with exit code 252, one test not done: bye"),
        ("robot", -signal.SIGKILL, {"a": "passed"}, "Robot Framework was killed by SIGKILL"),
        ("pytest", -signal.SIGSEGV, {"a": "passed"}, "pytest was killed by SIGSEGV"),
    ],
)  # fmt: skip
def test_anything_else_has_broken_off(
    run: RunFolder, runner: str, code: int, outcomes: dict[str, Outcome | None], reason: str
) -> None:
    assert judge_runner(runner, code, left_by(run, **outcomes), run, "bye") == Ending("broken", reason)


@pytest.mark.parametrize(
    ("runner", "code", "reason"),
    [
        ("pytest", 2, "pytest was interrupted"),
        ("robot", 253, "Robot Framework was interrupted"),
        ("pytest", -signal.SIGTERM, "pytest was killed by SIGTERM"),
        ("robot", -signal.SIGINT, "Robot Framework was killed by SIGINT"),
    ],
)
def test_a_runner_that_somebody_stopped_was_interrupted(run: RunFolder, runner: str, code: int, reason: str) -> None:
    assert judge_runner(runner, code, left_by(run, a="passed"), run, "bye") == Ending("interrupted", reason)


def test_more_failed_tests_than_robot_framework_counts_are_no_contradiction(run: RunFolder) -> None:
    failed: Outcome = "failed"
    tests = left_by(run, **dict.fromkeys((f"t{n}" for n in range(260)), failed))
    assert judge_runner("robot", 250, tests, run, "") == Ending("complete")


def test_nothing_is_complete_to_which_a_test_is_missing(run: RunFolder) -> None:
    left_by(run, a="passed", b=None, c="interrupted")
    ending = completed(run, Ending("complete"))
    assert ending == Ending("broken", "2 tests not done", {"b": "2 tests not done", "c": "2 tests not done"})
    results, outcome = end_run(run, "complete")
    assert (outcome, results.verdict.value, run.manifest().outcome) == ("broken", "ERROR", "broken")


def test_each_test_that_was_not_done_says_why(run: RunFolder) -> None:
    left_by(run, a="passed", b=None)
    run.collect("c", "c", (), ())
    results, _ = end_run(run, Ending("broken", "pytest died", {"b": "pytest died", "c": "it was not started"}))
    assert [(test.id, test.outcome, test.message) for test in results.tests] == [
        ("a", "passed", None),
        ("b", "interrupted", "pytest died during this test"),
        ("c", "not run", "it was not started before this test"),
    ]
