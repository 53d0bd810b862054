"""What was done held against what a log says: what is missing in it, what is too much, order, and times.

Pure: what was done and entries in, findings out. Not responsible for reading a log, nor for putting its times and those
of the bench on one time base.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

Value = float | int | str


@dataclass(frozen=True)
class Done:
    """Something that must stand in a log once: its kind, the fields that tell it, and when it happened, in s."""

    kind: str
    fields: Mapping[str, Value]
    from_s: float
    to_s: float


@dataclass(frozen=True)
class Entry:
    """An entry of a log: number, kind, fields, and its time in s on the time base of what was done."""

    number: int
    kind: str
    fields: Mapping[str, Value]
    at_s: float


@dataclass(frozen=True)
class Matched:
    """What holding the two against each other shows; `pairs` in the order in which things were done."""

    pairs: tuple[tuple[Done, Entry], ...]
    unlogged: tuple[Done, ...]
    unexplained: tuple[Entry, ...]
    out_of_order: tuple[Entry, ...]

    @property
    def time_errors_s(self) -> tuple[float, ...]:
        """By how much each entry lies before (negative) or after the time in which its cause was, in s; 0 within."""
        return tuple(_outside_s(done, entry.at_s) for done, entry in self.pairs)


def matched(
    done: Sequence[Done], entries: Sequence[Entry], *, follows: frozenset[str], within_s: float, apart_s: float
) -> Matched:
    """Match what was done with entries of a log.

    The k-th of several like it is the k-th entry like it; where their numbers differ, those nearest in time belong
    together.

    Args:
        done: in the order in which it was done.
        entries: in the order of their numbers.
        follows: kinds that stand beside others and need no cause of their own.
        within_s: so near to another entry they stand.
        apart_s: two causes so far apart have an order.
    """
    left = list(entries)
    found: dict[int, Entry] = {}
    for alike in _alike(done):
        wanted = [done[place] for place in alike]
        candidates = [entry for entry in left if _tells(wanted[0], entry)]
        for place, entry in _paired(alike, wanted, candidates):
            found[place] = entry
            left.remove(entry)
    explained = list(found.values())
    unexplained = [entry for entry in left if not _follows(entry, explained, follows, within_s)]
    order = [found[place] for place in sorted(found)]
    causes = [done[place] for place in sorted(found)]
    out_of_order = [
        later_entry
        for (earlier, earlier_entry), (later, later_entry) in pairwise(zip(causes, order, strict=True))
        if later.from_s - earlier.to_s >= apart_s and later_entry.number < earlier_entry.number
    ]
    return Matched(
        pairs=tuple((done[place], found[place]) for place in sorted(found)),
        unlogged=tuple(each for place, each in enumerate(done) if place not in found),
        unexplained=tuple(unexplained),
        out_of_order=tuple(out_of_order),
    )


def _alike(done: Sequence[Done]) -> list[list[int]]:
    """Group what has the same kind and fields, by place."""
    groups: list[list[int]] = []
    for place, each in enumerate(done):
        group = next((known for known in groups if _same(done[known[0]], each)), None)
        if group is None:
            groups.append([place])
        else:
            group.append(place)
    return sorted(groups, key=lambda group: -len(done[group[0]].fields))  # the one that tells most chooses first


def _same(one: Done, other: Done) -> bool:
    return one.kind == other.kind and dict(one.fields) == dict(other.fields)


def _tells(done: Done, entry: Entry) -> bool:
    return entry.kind == done.kind and all(_equal(entry.fields.get(name), value) for name, value in done.fields.items())


def _equal(told: Value | None, wanted: Value) -> bool:
    if isinstance(told, int | float) and isinstance(wanted, int | float):
        return abs(told - wanted) < 1e-6
    return told == wanted


def _paired(places: Sequence[int], done: Sequence[Done], candidates: Sequence[Entry]) -> list[tuple[int, Entry]]:
    if len(done) == len(candidates):
        return list(zip(places, candidates, strict=True))
    near = sorted(
        (
            (abs(_outside_s(each, entry.at_s)), place, entry)
            for place, each in zip(places, done, strict=True)
            for entry in candidates
        ),
        key=lambda pair: (pair[0], pair[1], pair[2].number),
    )
    pairs: dict[int, Entry] = {}
    for _, place, entry in near:
        if place not in pairs and entry not in pairs.values():
            pairs[place] = entry
    return sorted(pairs.items())


def _outside_s(done: Done, at_s: float) -> float:
    return min(0.0, at_s - done.from_s) + max(0.0, at_s - done.to_s)


def _follows(entry: Entry, explained: Sequence[Entry], follows: frozenset[str], within_s: float) -> bool:
    return entry.kind in follows and any(abs(entry.at_s - each.at_s) <= within_s for each in explained)
