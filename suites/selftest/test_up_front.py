"""What is said before a run begins and while it goes on: how many tests, how long, what this bench cannot do."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console

from rig.bench.file import read_bench_file
from rig.cli.progress import Remaining
from rig.cli.upfront import beyond_bench, how_long, not_to_be_done, say_up_front
from rig.procedures.basal import Basal
from rig.procedures.refused import Refused
from rig.procedures.stopped import Stopped
from rig.run.collection import Declaration

VIRTUAL, _ = read_bench_file(Path("fixtures/benches/virtual.toml"), {})


def declared(test: str, bench_time_s: float | None = 3600.0, *, lines: tuple[str, ...] = ()) -> Declaration:
    return Declaration(
        test=test,
        title=f"Test {test}",
        requirements=("PR-X1.1",) if lines else ("PR-X1.1", "PR-X2.1"),
        quantities=(),
        bench_time_s=bench_time_s,
        needed_lines=lines,
    )


@pytest.mark.parametrize(
    ("times_s", "said"),
    [
        ([3600.0], "1 test, about 1 h of bench time"),
        ([3600.0, 1800.0], "2 tests, about 1.5 h of bench time"),
        ([3600.0, None], "2 tests, about 1 h of bench time, and 1 of them do not say how long they take"),
        ([None, None], "2 tests; how long they take is not known"),
    ],
)
def test_bench_time_is_said_as_far_as_it_is_known(times_s: list[float | None], said: str) -> None:
    assert how_long([declared(str(number), time_s) for number, time_s in enumerate(times_s)]) == said


def test_procedures_say_about_how_long_they_take() -> None:
    """To what the virtual bench counts: 49.35 h, 1.08 h and 0.53 h."""
    assert Basal(rate_u_per_h=1.0).bench_time_s / 3600.0 == pytest.approx(49.35, rel=0.01)
    assert Stopped(duration_s=1800.0).bench_time_s / 3600.0 == pytest.approx(1.08, rel=0.1)
    assert Refused(sizes_u=(30.0,)).bench_time_s / 3600.0 == pytest.approx(0.53, rel=0.1)


def test_what_the_bench_lacks_is_said_for_each_requirement() -> None:
    tests = [declared("a", lines=("no_such_line",)), declared("b"), declared("c", lines=("occluder",))]
    assert not_to_be_done(tests, VIRTUAL) == [
        "PR-X1.1: this bench has no line 'no_such_line' of the switch, so that 1 of its 3 tests cannot be done."
    ]
    assert not_to_be_done(tests[:1], VIRTUAL) == [
        "PR-X1.1: this bench has no line 'no_such_line' of the switch, so that it is NOT APPLICABLE."
    ]
    assert (beyond_bench(tests, VIRTUAL), beyond_bench(tests[:1], VIRTUAL)) == ([], ["PR-X1.1"])


def test_a_virtual_bench_says_simulated_first() -> None:
    console = Console(file=io.StringIO(), width=140)
    say_up_front(console, [declared("a")], VIRTUAL, selected="a", formal=False, undecidable=["It cannot."], at_a_time=1)
    assert isinstance(console.file, io.StringIO)
    assert [line.strip() for line in console.file.getvalue().splitlines()] == [
        "SIMULATED — no evidence about any device",
        "NOT FORMAL — not made under the conditions of a formal run",
        "Selected by 'a':",
        "PR-X1.1 PR-X2.1  Test a",
        "1 test, about 1 h of bench time.",
        "It cannot.",
    ]


def test_what_is_left_follows_from_the_bench_time_that_is_done() -> None:
    remaining = Remaining([declared("a"), declared("b", 1800.0), declared("c", None)])
    assert (remaining.ended, remaining.tests, remaining.left_s(10.0)) == (0, 3, None)
    remaining.told({"test": "a", "at_s": 1800.0, "doing": "something"})
    assert remaining.left_s(10.0) == pytest.approx(10.0 * 7200.0 / 1800.0)
    remaining.told({"test": "a", "ended": {"outcome": "passed", "duration_s": 3000.0}})
    remaining.told({"test": "b", "at_s": 1e6, "doing": "longer than it says"})
    remaining.told({"test": "of another run", "ended": {}})
    assert remaining.ended == 1
    assert remaining.left_s(30.0) == pytest.approx(30.0 * 3600.0 / 5400.0)
