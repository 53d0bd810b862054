"""The host's clock set back or forward during a run is noticed, and time that only passes is not."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.record.files import write_json
from rig.record.folder import RunFolder
from rig.record.host_clock import NOTES, ClockNote, clock_steps, read_clock_notes
from rig.record.manifest import ClockStep
from rig.run.begin import end_run
from suites.selftest.recorded import manifest


def note(moment: str, utc_s: float, since_boot_s: float) -> ClockNote:
    return ClockNote(moment=moment, utc_s=utc_s, since_boot_s=since_boot_s)


def test_a_clock_set_forward_and_back_is_told_with_where_and_how_far() -> None:
    notes = [note("a", 1e9, 100.0), note("b", 1e9 + 3700.0, 200.0), note("c", 1e9 + 110.0, 210.0)]
    assert clock_steps(notes) == (
        ClockStep(after="a", before="b", by_s=3600.0),
        ClockStep(after="b", before="c", by_s=-3600.0),
    )
    assert [str(each) for each in clock_steps(notes)] == [
        "the host's clock was set forward by 3600.0 s between a and b",
        "the host's clock was set back by 3600.0 s between b and c",
    ]


@given(st.lists(st.floats(0.0, 1e5), max_size=8), st.floats(-1e-3, 1e-3))
def test_a_clock_that_is_slewed_into_step_was_not_set(passing_s: list[float], slewing: float) -> None:
    at_s, notes = 50.0, [note("start", 1e9, 50.0)]
    for number, passed_s in enumerate(passing_s):
        at_s += passed_s
        notes.append(note(str(number), 1e9 + (at_s - 50.0) * (1.0 + slewing), at_s))
    assert clock_steps(notes) == ()


@pytest.mark.parametrize(("by_s", "told"), [(0.9, False), (-0.9, False), (1.2, True), (-1.2, True)])
def test_a_step_of_a_second_is_the_least_that_is_told(by_s: float, told: bool) -> None:
    assert bool(clock_steps([note("a", 1e9, 0.0), note("b", 1e9 + 10.0 + by_s, 10.0)])) is told


def test_a_host_that_was_restarted_in_between_says_nothing_about_its_clock() -> None:
    assert clock_steps([note("a", 1e9, 5e5), note("b", 1e9 + 600.0, 40.0)]) == ()


def test_a_step_stands_in_the_closing_and_wall_time_nowhere_else(tmp_path: Path) -> None:
    run = RunFolder.create(tmp_path / "run", manifest())
    run.note_clock("the start of the run")
    [first] = read_clock_notes(run.path / NOTES)
    later = first.model_copy(update={"moment": "the start of t", "utc_s": first.utc_s - 7200.0})
    with (run.path / NOTES).open("a", encoding="utf-8") as file:
        file.write(f"{later.model_dump_json()}\n")
    end_run(run, "complete")
    steps = run.manifest().clock_steps
    assert [(each.after, each.before, round(each.by_s, 1)) for each in steps] == [
        ("the start of the run", "the start of t", -7200.0),
        ("the start of t", "the end of the run", 7200.0),
    ]
    left = sorted(path.name for path in run.record.iterdir())
    assert left == ["closing.json", "manifest.json", "results.json", "rows.json"]


def test_damaged_notes_are_no_matter(tmp_path: Path) -> None:
    run = RunFolder.create(tmp_path / "run", manifest())
    write_json(run.path / NOTES, {"moment": "x"})
    end_run(run, "complete")
    assert run.manifest().clock_steps == ()
