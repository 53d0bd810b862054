"""How alarms come and go over the course of a fault: which, when the first, and whether one went without a person.

Not responsible for confirming any, nor for what is expected of a pump.
"""

from __future__ import annotations

from collections.abc import Collection

from rig.record.taking import Fact, Recorder
from rig.roles import Bench
from rig.therapy import TherapyState


class AlarmsSeen(Fact):
    """What a pump annunciated from `since_s` to `at_s` while nobody confirmed anything.

    Attributes:
        since_s: from when on it was looked at, in s of the bench's clock.
        first_at_s: when the first alarm that counts was seen; None where none was.
        kinds: of those that count, in the order in which they came.
        others: kinds of those that do not.
        went: how often one that counts was gone again.
        therapy: what the pump's therapy was at the end, in its own word.
        looked_every_s: from look to look.
    """

    since_s: float
    first_at_s: float | None
    kinds: tuple[str, ...]
    others: tuple[str, ...]
    went: int
    therapy: str
    looked_every_s: float


class AlarmCourse:
    """Looks at what a pump annunciates, again and again.

    Args:
        bench: the bench.
        record: where steps are written.
        kinds: words of alarms that count; any where it is empty.
    """

    def __init__(self, bench: Bench, record: Recorder, kinds: Collection[str]) -> None:
        self._bench, self._record, self._kinds = bench, record, frozenset(kinds)
        self._known = {each.annunciation_id for each in bench.pump.annunciations()}
        self._since_s = bench.clock.now()
        self._first_at_s: float | None = None
        self._active: frozenset[int] = frozenset()
        self._counted: list[str] = []
        self._others: list[str] = []
        self._went = 0

    def look(self) -> None:
        """Look once."""
        shown = {each.annunciation_id: each.kind for each in self._bench.pump.annunciations()}
        for number in sorted(shown.keys() - self._known):
            self._known.add(number)
            kind = shown[number]
            counts = not self._kinds or kind in self._kinds
            (self._counted if counts else self._others).append(kind)
            if counts and self._first_at_s is None:
                self._first_at_s = self._bench.clock.now()
            self._record.step(f"annunciated: {kind}", after_s=round(self._bench.clock.now() - self._since_s, 3))
        active = frozenset(
            number
            for number, kind in shown.items()
            if kind in self._counted and (not self._kinds or kind in self._kinds)
        )
        self._went += len(self._active - active)
        self._active = active

    @property
    def seen(self) -> bool:
        """Whether an alarm that counts has come."""
        return self._first_at_s is not None

    def keep(self, looked_every_s: float) -> None:
        """Keep what was seen."""
        self._record.fact(
            AlarmsSeen(
                at_s=self._bench.clock.now(), since_s=self._since_s, first_at_s=self._first_at_s,
                kinds=tuple(self._counted), others=tuple(self._others), went=self._went,
                therapy=self._bench.pump.status().therapy.value, looked_every_s=looked_every_s,
            )
        )  # fmt: skip


def runs(seen: AlarmsSeen) -> bool:
    """Say whether therapy ran at the end of it."""
    return seen.therapy == TherapyState.RUN.value
