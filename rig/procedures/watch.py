"""What is watched during every measurement: the pump's state, restarts, annunciations, and whether the balance lives.

A restart is not believed from one word: a change of therapy, a new annunciation or a refused request makes the rig read
the pump's log, and the log is read at the start and the end of each measurement whatever was seen. Not responsible for
what a procedure measures, nor for a pump that falls silent (`silence`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields

from rig.errors import NoReplyError, RefusedError
from rig.procedures.soundness import EqualReadings
from rig.record.taking import Fact, Recorder, Taken
from rig.roles import Bench, Capability, HistoryEvent, Pump, PumpStatus, require
from rig.roles.pump import CountsDamage, Reconnects
from rig.verdicts.limits import Measurement
from rig.verdicts.quantities import Kind, Quantity

WATCH_EVERY_S = 1800.0
"""The pump is looked at so often, in s of the bench's clock: a restart, which changes its therapy and is annunciated,
is noticed within this. On a virtual bench each look is 2 to 3 ms of the emulated controller's work: looks take 3 % of
49 h of basal delivery, and another 2 to 3 % go to what is read at its beginning and end. Every 600 s, they took 10 %.
"""
RESET = "reset"
"""The kind by which a pump's log tells of a restart."""
POWER_LOST = "power was lost"
"""The kind by which a pump without a log annunciates one."""

RESTARTS = Kind(
    "pump.unexpected_restarts",
    "unexpected restarts of the pump",
    ("restarts",),
    (),
    "How often it restarted, or hung until its supply was switched, while it was measured.",
)


class WatchBegan(Fact):
    """From when on the pump was watched."""


class PumpRestarted(Fact):
    """The pump restarted since `since_s`, seen at `at_s`: why, by its own word, and what its therapy was and is."""

    since_s: float
    cause: str
    therapy_before: str
    therapy: str


class PumpWatched(Fact):
    """How often the pump restarted during the measurement, and how often it was looked at."""

    restarts: int
    looks: int


class WatchOfPump:
    """Looks at the pump while something is measured, and at every reading of the balance."""

    def __init__(self, bench: Bench, record: Recorder, expected: Iterable[str] = ()) -> None:
        self._bench, self._record = bench, record
        self._expected = frozenset(expected)
        self._equal = EqualReadings(bench.metrology)
        self._looks = 0
        self._alone = False
        self.restarts = 0
        self.answered_s = bench.clock.now()
        self._last = _last(self._log())
        self._told = _shown(bench.pump)  # what is annunciated was so before the measurement
        self._therapy = bench.pump.status().therapy
        self._answered()
        record.fact(WatchBegan(at_s=self.answered_s))

    def reading(self, at_s: float, mass_g: float) -> None:
        """Take a reading of the balance into account; BlockedError when it is shown dead."""
        self._equal.look(at_s, mass_g)

    def due(self) -> bool:
        """Say whether it is time to look at the pump again."""
        return not self._alone and self._bench.clock.now() - self.answered_s >= WATCH_EVERY_S

    def look(self) -> None:
        """Read the pump's state or what it annunciates, in turn; where either has changed, all of it and its log.

        Raises:
            DeviceError: as the pump's driver raises it.
        """
        if self._alone:
            return
        pump = self._bench.pump
        changed = bool(_shown(pump) - self._told) if self._looks % 2 else pump.status().therapy is not self._therapy
        if changed:
            self.read_log(self._look_closely())
        else:
            self._answered()

    @contextmanager
    def left_alone(self) -> Iterator[None]:
        """Do not look at the pump meanwhile: the rig itself keeps it from answering."""
        self._alone = True
        try:
            yield
        finally:
            self._alone = False

    def _look_closely(self) -> PumpStatus:
        """Read the pump's state and annunciations, and keep each new one that is not expected as an incident."""
        status, shown = self._bench.pump.status(), _shown(self._bench.pump)
        for _, kind in sorted(shown - self._told):
            if kind not in self._expected:
                self._record.incident("pump", f"annunciates {kind}; its therapy is {status.therapy.value}")
            if kind == POWER_LOST and Capability.HISTORY not in self._bench.pump.capabilities:
                self.restarted(status, cause=kind, therapy_before=self._therapy.value)
        self._told |= shown
        self._therapy = status.therapy
        return status

    def _answered(self) -> None:
        self._looks += 1
        self.answered_s = self._bench.clock.now()
        self._damaged_before = _damaged_frames(self._bench.pump)

    @property
    def damaged_frames(self) -> int:
        """How many frames from the pump came damaged since it last answered here; 0 where its driver counts none."""
        return _damaged_frames(self._bench.pump) - self._damaged_before

    def read_log(self, status: PumpStatus) -> None:
        """Count the restarts that the pump has logged since the last look, and keep each as a fact and an incident."""
        log = self._log()
        entries = log if (anew := _began_anew(log, self._last)) else _after(log, self._last)
        if anew:
            self._record.incident("pump", "its log began anew: what stood in it before is lost")
        self._last = _last(log) or self._last
        if anew and not any(event.kind == RESET for event in entries):
            self.restarted(status, cause="unknown; its log began anew", therapy_before="unknown")
        for event in entries:
            if event.kind == RESET:
                self.restarted(
                    status, cause=str(event.fields.get("cause", "unknown")),
                    therapy_before=str(event.fields.get("therapy_before", "unknown")),
                )  # fmt: skip
        self._answered()

    def restarted(self, status: PumpStatus, *, cause: str, therapy_before: str) -> None:
        """Keep a restart."""
        now_s = self._bench.clock.now()
        self.restarts += 1
        self._record.fact(
            PumpRestarted(
                at_s=now_s,
                since_s=self.answered_s,
                cause=cause,
                therapy_before=therapy_before,
                therapy=status.therapy.value,
            )
        )
        self._record.incident(
            "pump",
            f"restarted between {self.answered_s:.0f} and {now_s:.0f} s (cause by its own word: {cause}); its therapy "
            f"was {therapy_before}, and is {status.therapy.value}",
        )

    def hung(self, cause: str) -> None:
        """Keep that the pump hung, and went on hanging: it counts as a restart."""
        now_s = self._bench.clock.now()
        self.restarts += 1
        self._record.fact(
            PumpRestarted(
                at_s=now_s, since_s=self.answered_s, cause=cause, therapy_before=self._therapy.value, therapy="unknown"
            )
        )
        self._record.incident("pump", f"hung between {self.answered_s:.0f} and {now_s:.0f} s ({cause})")

    def passed_over(self) -> None:
        """Leave out what the log has gained: the rig itself caused it."""
        self._last = _last(self._log()) or self._last

    def end(self) -> None:
        """Look a last time, read the log, and keep how often the pump restarted."""
        self.read_log(self._look_closely())
        self.keep()

    def keep(self) -> None:
        """Keep how often the pump restarted."""
        self._record.fact(PumpWatched(at_s=self._bench.clock.now(), restarts=self.restarts, looks=self._looks))

    def _log(self) -> list[HistoryEvent]:
        """Read the pump's log; over a new connection where the pump has forgotten the old one, as at a restart."""
        pump = self._bench.pump
        if Capability.HISTORY not in pump.capabilities:
            return []
        log = require(pump, Capability.HISTORY)
        try:
            return log.history()
        except (RefusedError, NoReplyError):
            if not isinstance(pump, Reconnects):
                raise
            pump.reconnect()
            return log.history()


def _last(log: Sequence[HistoryEvent]) -> HistoryEvent | None:
    """Take the entry with the highest number; None of an empty log."""
    return max(log, key=lambda event: event.sequence, default=None)


def _after(log: Sequence[HistoryEvent], last: HistoryEvent | None) -> Sequence[HistoryEvent]:
    return [event for event in log if last is None or event.sequence > last.sequence]


def _began_anew(log: Sequence[HistoryEvent], last: HistoryEvent | None) -> bool:
    """Say whether a log lost what it held: its numbers go back, or one of them stands for another entry than before."""
    now = _last(log)
    if last is None or now is None:
        return last is not None
    return now.sequence < last.sequence or any(each.sequence == last.sequence and each != last for each in log)


def _damaged_frames(pump: Pump) -> int:
    return pump.damaged_frames if isinstance(pump, CountsDamage) else 0


def _shown(pump: Pump) -> set[tuple[int, str]]:
    return {(each.annunciation_id, each.kind) for each in pump.annunciations()}


@dataclass(frozen=True, kw_only=True)
class WatchedBench(Bench):
    """A bench whose pump and balance are watched while something is measured."""

    watch: WatchOfPump


def watched(bench: Bench, record: Recorder, expected: Iterable[str] = ()) -> WatchedBench:
    """Begin to watch a bench."""
    own = {each.name: getattr(bench, each.name) for each in fields(Bench)}
    return WatchedBench(**own, watch=WatchOfPump(bench, record, expected))


def watch_quantities() -> tuple[Quantity, ...]:
    """Name the quantities that are measured everywhere."""
    return (RESTARTS.of(),)


def restarts_in(taken: Taken) -> tuple[Measurement, ...]:
    """Read back how often the pump restarted; nothing where nobody watched, as in records of earlier versions.

    Raises:
        EvidenceError: the beginning or the end of the watch is missing.
    """
    if not taken.facts(WatchBegan) and not taken.facts(PumpWatched):
        return ()
    taken.the(WatchBegan)
    return (Measurement(RESTARTS.of(), float(taken.the(PumpWatched).restarts)),)
