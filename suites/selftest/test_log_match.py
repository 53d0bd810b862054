"""Holding what was done against a log: what is left out, added, moved or dated wrongly is found, and nothing else."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from rig.analysis.log_match import Done, Entry, Matched, matched

FOLLOWS = frozenset({"part 2"})
DONE = [
    Done("therapy changed", {"old": "stop", "new": "run"}, 10.0, 10.1),
    Done("bolus programmed", {"bolus_id": 1, "programmed_u": 2.0}, 20.0, 20.1),
    Done("bolus delivered", {"bolus_id": 1}, 30.0, 31.0),
    Done("therapy changed", {"old": "run", "new": "stop"}, 40.0, 40.1),
    Done("therapy changed", {"old": "stop", "new": "run"}, 50.0, 50.1),
    Done("annunciation", {"annunciation": "reservoir issue", "status": "pending"}, 60.0, 60.1),
]


def entries() -> list[Entry]:
    """The log of a pump that is right: one entry each, with a second part that follows."""
    found: list[Entry] = []
    for done in DONE:
        found.append(Entry(len(found) + 7, done.kind, {**done.fields, "more": 1}, done.from_s))
        found.append(Entry(len(found) + 7, "part 2", {}, done.from_s))
    return found


def held(log: list[Entry]) -> Matched:
    return matched(DONE, log, follows=FOLLOWS, within_s=2.0, apart_s=3.0)


def test_a_right_log_leaves_nothing() -> None:
    found = held(entries())
    assert [done for done, _ in found.pairs] == DONE
    assert (found.unlogged, found.unexplained, found.out_of_order) == ((), (), ())
    assert found.time_errors_s == (0.0,) * len(DONE)


@given(st.integers(0, len(DONE) - 1))
def test_an_entry_left_out_is_missed_with_what_followed_it(place: int) -> None:
    found = held([entry for entry in entries() if entry.number != 7 + 2 * place])
    assert found.unlogged == (DONE[place],)
    assert [entry.kind for entry in found.unexplained] == ["part 2"], "what follows nothing is unexplained"
    assert found.out_of_order == ()


@given(st.integers(0, len(DONE) - 1))
def test_an_entry_told_twice_is_one_too_much(place: int) -> None:
    log = entries()
    again = replace(log[2 * place], number=99)
    found = held([*log, again])
    assert found.unlogged == ()
    assert len(found.unexplained) == 1
    assert found.unexplained[0].fields == again.fields


@given(st.floats(1.0, 1e5), st.booleans())
def test_times_that_are_wrong_are_wrong_by_as_much(by_s: float, early: bool) -> None:
    shift_s = -by_s if early else by_s
    found = held([replace(entry, at_s=entry.at_s + shift_s) for entry in entries()])
    assert (found.unlogged, found.unexplained, found.out_of_order) == ((), (), ())
    for (done, _), error_s in zip(found.pairs, found.time_errors_s, strict=True):
        lasted_s = done.to_s - done.from_s
        assert by_s - lasted_s - 1e-9 <= abs(error_s) <= by_s + 1e-9
        assert (error_s < 0.0) == early


def test_entries_that_changed_places_are_out_of_order() -> None:
    log = entries()
    log[2], log[4] = replace(log[2], number=log[4].number), replace(log[4], number=log[2].number)
    found = held(sorted(log, key=lambda entry: entry.number))
    assert (found.unlogged, found.unexplained) == ((), ())
    assert [entry.kind for entry in found.out_of_order] == ["bolus delivered"]


def test_another_amount_is_no_entry_of_what_was_done() -> None:
    log = [
        replace(entry, fields={**entry.fields, "programmed_u": 1.0}) if entry.kind == "bolus programmed" else entry
        for entry in entries()
    ]
    found = held(log)
    assert found.unlogged == (DONE[1],)
    assert [entry.kind for entry in found.unexplained if entry.kind != "part 2"] == ["bolus programmed"]


def test_of_several_alike_the_one_that_is_missing_is_told_by_its_time() -> None:
    found = held([entry for entry in entries() if entry.number != 7])
    assert found.unlogged == (DONE[0],)
    assert [entry.at_s for done, entry in found.pairs if done == DONE[4]] == [50.0]
