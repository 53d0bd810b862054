"""What holds over a whole record, whatever was measured in it: of traffic and readings in, findings out.

Nothing is delivered that was not commanded; the log's numbers have no gap, none is used twice, and no entry is dated
before the one it follows; counters rise; what was weighed and what the pump counts out of its reservoir agree. All
of it errs to the pump's advantage: where it is not known what the pump may do, nothing is said. Not responsible for
reading a record (`rig.run.invariants`) or for limits.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeVar

import numpy as np

from rig.analysis.checks import FloatArray, timed_series
from rig.roles.pump import HistoryEvent
from rig.roles.traffic import (
    CounterBroken,
    LogReading,
    Permitted,
    RateKnown,
    ReservoirKnown,
    TherapyKnown,
    Traffic,
    TrafficEvent,
)
from rig.therapy import TherapyState

SETTLE_S = 180.0
"""After the last that may be delivered, readings count from so much later: a set gives what it holds in 4.5 s a factor
of e, and a drop at the needle has fallen by then (`rig.procedures.rest` sees rest in about 90 s)."""
AVERAGED = 5
"""Readings at each end of a span, of which the median is taken: a single disturbed one is not believed."""
PRESSED_KPA = 5.0
"""A line whose pressure falls by more within a span gives back what was pressed into it before: that was commanded."""
TOGETHER_S = 5.0
"""What is asked of a pump within so long is asked together."""
COVERAGE = 2.0
DELIVERED = "bolus delivered"
"""The kind of an entry of a pump's log that says how much of a bolus was delivered, by `delivered_u`."""
RESTARTED = "reset"
"""The kind by which a pump's log tells of a restart (`rig.procedures.watch`)."""
TOLD_IN_S = 1.0
"""A log tells its times in whole seconds."""
CLOCK_TOLD = "reference time"
"""The kind by which a pump's log tells what its clock shows; times go on from there."""
CHARACTERISTICS = 8
"""So many counters begin anew at one restart, at most."""
NOTICED_U = 0.01
"""What comes in a span counts from here on, in U: less than half of the smallest dose that pumps give (0.025 U). What
is less is no dose, and a flow is looked for in the blank runs (`rig.procedures.flows_on`)."""

Event = TypeVar("Event", bound=TrafficEvent)


@dataclass(frozen=True)
class TimeSpan:
    """From when to when nothing may be delivered, in s on the bench's clock."""

    from_s: float
    to_s: float

    @property
    def length_s(self) -> float:
        """Its length in s."""
        return self.to_s - self.from_s


@dataclass(frozen=True)
class Violation:
    """A violation: when it was seen, and a sentence on it."""

    at_s: float
    what: str


@dataclass(frozen=True)
class Uncommanded:
    """What was weighed in spans in which nothing may be delivered.

    Attributes:
        volume_u: the sum of what came in spans in which more than `NOTICED_U` came, beyond its uncertainty, in U.
        expanded_u: its expanded uncertainty (k = 2), in U.
        looked_s: how long the spans were that could be looked at, in s.
        findings: one for each span in which something came.
    """

    volume_u: float
    expanded_u: float
    looked_s: float
    findings: tuple[Violation, ...]


def quiet_spans(traffic: Traffic, until_s: float, settle_s: float = SETTLE_S) -> tuple[TimeSpan, ...]:
    """List the spans in which nothing may be delivered, each from `settle_s` after the last that may, in s.

    That is while therapy is stopped and nothing primes, and while it runs with no basal rate and no bolus under way.
    """
    allowed = _Allowed()
    found: list[TimeSpan] = []
    since_s: float | None = None
    for event in sorted(traffic.events, key=lambda each: each.at_s):
        was_quiet_s = allowed.quiet_from_s
        if was_quiet_s < event.at_s:
            since_s = was_quiet_s if since_s is None else since_s
        allowed.take(event)
        if since_s is not None and allowed.quiet_from_s > event.at_s:
            found.append(TimeSpan(since_s + settle_s, event.at_s))
            since_s = None
    if since_s is None and allowed.quiet_from_s < until_s:
        since_s = allowed.quiet_from_s
    if since_s is not None:
        found.append(TimeSpan(since_s + settle_s, until_s))
    return tuple(span for span in found if span.length_s > 0.0)


class _Allowed:
    """What a pump may deliver, as far as is known."""

    def __init__(self) -> None:
        self._therapy: TherapyState | None = None
        self._rate_u_per_h = math.inf
        self._bolus_until_s = self._primes_until_s = -math.inf
        self._paused_s: float | None = None
        self._now_s = -math.inf
        self._changed_s = -math.inf

    def take(self, event: TrafficEvent) -> None:
        """Go on to an event."""
        before = self._forbidden
        self._now_s = event.at_s
        if isinstance(event, TherapyKnown):
            self._therapy_known(event)
        elif isinstance(event, RateKnown):
            self._rate_u_per_h = event.rate_u_per_h
        elif isinstance(event, Permitted) and event.insulin_u > 0.0:
            if self._therapy is TherapyState.STOP:
                self._primes_until_s = max(self._primes_until_s, event.until_s)
            else:
                self._bolus_until_s = max(self._bolus_until_s, event.until_s)
        if self._forbidden and not before:
            self._changed_s = event.at_s

    def _therapy_known(self, event: TherapyKnown) -> None:
        if event.state is TherapyState.STOP:
            self._bolus_until_s = min(self._bolus_until_s, event.at_s)
        if event.state is TherapyState.PAUSE:
            self._paused_s = event.at_s if self._paused_s is None else self._paused_s
        elif self._paused_s is not None:  # what was withheld follows
            self._bolus_until_s += event.at_s - self._paused_s
            self._paused_s = None
        self._therapy = event.state

    @property
    def _forbidden(self) -> bool:
        """Whether nothing is delivered but boluses and priming."""
        if self._therapy is TherapyState.STOP:
            return True
        return self._therapy is TherapyState.RUN and self._rate_u_per_h == 0.0

    @property
    def quiet_from_s(self) -> float:
        """From when on nothing may be delivered, if nothing else is said; infinite where that is not known."""
        if not self._forbidden:
            return math.inf
        return max(self._changed_s, self._bolus_until_s, self._primes_until_s)


def uncommanded(
    spans: Sequence[TimeSpan],
    at_s: FloatArray,
    volume_u: FloatArray,
    pressure_kpa: FloatArray,
    *,
    u_reading_u: float,
    u_flow_u_per_h: float,
) -> Uncommanded | None:
    """Weigh what came in spans in which nothing may be delivered; None where no span was weighed.

    Args:
        spans: in s on the bench's clock.
        at_s: of the readings, rising.
        volume_u: what had been weighed by then, in U, with known evaporation added; arrays of shape (n,).
        pressure_kpa: of the line.
        u_reading_u: standard uncertainty of a reading in U.
        u_flow_u_per_h: that of what evaporates, in U/h.
    """
    timed_series(at_s, "volume_u", volume_u)
    findings, total_u, variance, looked_s = [], 0.0, 0.0, 0.0
    for span in spans:
        first, last = np.searchsorted(at_s, (span.from_s, span.to_s))
        if last - first < 2 * AVERAGED:
            continue
        begun, ended = slice(first, first + AVERAGED), slice(last - AVERAGED, last)
        pressed = pressure_kpa[first:last]
        if float(pressed.max() - np.median(pressure_kpa[ended])) > PRESSED_KPA:
            continue
        length_s = float(at_s[last - 1] - at_s[first])
        looked_s += length_s
        rise_u = float(np.median(volume_u[ended]) - np.median(volume_u[begun]))
        # A median of 5 has the standard deviation of a reading times 0.54 (Kendall and Stuart, 14.4); two of them.
        u_rise_u = math.hypot(0.54 * math.sqrt(2.0) * u_reading_u, u_flow_u_per_h * length_s / 3600.0)
        if rise_u > NOTICED_U + COVERAGE * u_rise_u:
            total_u += rise_u
            variance += u_rise_u**2
            findings.append(
                Violation(
                    float(at_s[last - 1]),
                    f"{rise_u:.4f} ± {COVERAGE * u_rise_u:.4f} U came between {at_s[first]:.0f} and "
                    f"{at_s[last - 1]:.0f} s, when nothing was to be delivered",
                )
            )
        else:
            variance = max(variance, u_rise_u**2)
    if not looked_s:
        return None
    return Uncommanded(total_u, COVERAGE * math.sqrt(variance), looked_s, tuple(findings))


def log_findings(traffic: Traffic) -> tuple[Violation, ...]:
    """List where the log's numbers have a gap or stand for another entry than before, or its times go back."""
    known: dict[int, tuple[str, tuple[tuple[str, str], ...]]] = {}
    found: dict[str, Violation] = {}
    for read in _of(traffic, LogReading):
        numbers = [entry.sequence for entry in read.entries]
        if read.whole:
            for before, after in pairwise(numbers):
                if after != before + 1:
                    what = f"the log goes from entry {before} to entry {after}"
                    found.setdefault(what, Violation(read.at_s, what))
        for earlier, later in pairwise(read.entries):
            if CLOCK_TOLD in (earlier.kind, later.kind):  # the clock may have been set
                continue
            back_s = earlier.pump_time_s - later.pump_time_s
            if back_s > TOLD_IN_S:
                what = f"entry {later.sequence} of the log is dated {back_s:.0f} s before entry {earlier.sequence}"
                found.setdefault(what, Violation(read.at_s, what))
        for entry in read.entries:
            content = _content(entry)
            if known.setdefault(entry.sequence, content) != content:
                was, now = (_in_words(each) for each in (known[entry.sequence], content))
                what = f"entry {entry.sequence} of the log was {was}, and is {now}"
                found.setdefault(what, Violation(read.at_s, what))
                known[entry.sequence] = content
    return tuple(found.values())


def counter_findings(traffic: Traffic) -> tuple[Violation, ...]:
    """List where a message of the pump came again, or out of its order.

    A pump that has restarted begins with 1; so many are passed over as its log tells of restarts since it was first
    read, which are judged by themselves.
    """
    logs = list(_of(traffic, LogReading))
    before = {entry.sequence for entry in logs[0].entries} if logs else set()
    restarts = {entry.sequence for read in logs for entry in read.entries if entry.kind == RESTARTED}
    left = len(restarts - before) * CHARACTERISTICS
    found = []
    for each in _of(traffic, CounterBroken):
        if each.came == 1 and left > 0:
            left -= 1
            continue
        found.append(Violation(each.at_s, f"the counter of {each.of} came as {each.came} after {each.after}"))
    return tuple(found)


def account_findings(
    traffic: Traffic,
    spans: Sequence[TimeSpan],
    at_s: FloatArray,
    volume_u: FloatArray,
    pressure_kpa: FloatArray,
    *,
    tolerance_percent: float,
    within_u: float,
) -> tuple[Violation, ...]:
    """Hold what left the reservoir, and what boluses were logged, against what was weighed, each time it was told anew.

    That is from telling the pump what its reservoir holds to its last word of it while nothing was to be delivered, if
    nothing was pressed into the line then that has not come out.

    Args:
        traffic: with what the pump told of its reservoir and of its log.
        spans: in which nothing may be delivered, in s.
        at_s: of the readings, rising.
        volume_u: what had been weighed by then, in U; arrays of shape (n,).
        pressure_kpa: of the line.
        tolerance_percent: how far they may be apart, in % of what was weighed.
        within_u: and beside that, in U; the steps in which the reservoir is told come on top.
    """
    found = []
    for begun, ended in _reservoir_spans(traffic, spans):
        first, last = (int(np.searchsorted(at_s, when)) for when in (begun.at_s, ended.at_s))
        if last - first < 2 or last >= len(at_s) or at_s[first] - begun.at_s > SETTLE_S:
            continue
        if pressure_kpa[last] - pressure_kpa[first] > PRESSED_KPA:
            continue
        weighed_u = float(volume_u[last] - volume_u[first])
        near_u = within_u + tolerance_percent / 100.0 * abs(weighed_u)
        counted_u = begun.insulin_u - ended.insulin_u
        accounts = [("counts", "out of its reservoir", counted_u, near_u + begun.step_u + ended.step_u)]
        if (logged_u := _logged_u(traffic, begun.at_s, ended.at_s)) is not None:
            accounts.append(("logs", "of boluses", logged_u, near_u))
        found += [
            Violation(
                ended.at_s,
                f"the pump {does} {amount_u:.4g} U {of} since {begun.at_s:.0f} s, and {weighed_u:.4g} U were weighed; "
                f"they may be {allowed_u:.2g} U apart",
            )
            for does, of, amount_u, allowed_u in accounts
            if abs(amount_u - weighed_u) > allowed_u
        ]
    return tuple(found)


def _logged_u(traffic: Traffic, from_s: float, to_s: float) -> float | None:
    """Add up the boluses that were logged between; None where something else may have been delivered, or none knows.

    The log has to be read before, and when the reservoir was told; no basal rate is programmed and nothing primes.
    """
    whole = [read for read in _of(traffic, LogReading) if read.whole]
    before = [read for read in whole if read.at_s <= from_s]
    closing = next((read for read in whole if abs(read.at_s - to_s) <= TOGETHER_S and read.at_s > from_s), None)
    rates = [each for each in _of(traffic, RateKnown) if each.at_s <= to_s]
    at_first = [each.rate_u_per_h for each in rates if each.at_s <= from_s + TOGETHER_S][-1:]
    meanwhile = [each.rate_u_per_h for each in rates if each.at_s > from_s + TOGETHER_S]
    if not before or closing is None or max([*at_first, *meanwhile], default=math.inf) > 0.0:
        return None
    last = max((entry.sequence for entry in before[-1].entries), default=-1)
    new = [entry for entry in closing.entries if entry.sequence > last]
    if any(entry.kind.startswith("priming") for entry in new):
        return None
    return sum(float(entry.fields["delivered_u"]) for entry in new if entry.kind == DELIVERED)


def _reservoir_spans(traffic: Traffic, spans: Sequence[TimeSpan]) -> Iterator[tuple[ReservoirKnown, ReservoirKnown]]:
    """List what the rig told, each time, and the pump's last word in a quiet span before it is told the next."""
    begun: ReservoirKnown | None = None
    ended: ReservoirKnown | None = None
    for each in _of(traffic, ReservoirKnown):
        if each.told_it:
            if begun is not None and ended is not None:
                yield begun, ended
            begun, ended = each, None
        elif any(span.from_s <= each.at_s <= span.to_s + TOGETHER_S for span in spans):
            ended = each
    if begun is not None and ended is not None:
        yield begun, ended


def _content(entry: HistoryEvent) -> tuple[str, tuple[tuple[str, str], ...]]:
    return entry.kind, tuple(sorted((name, str(value)) for name, value in entry.fields.items()))


def _in_words(content: tuple[str, tuple[tuple[str, str], ...]]) -> str:
    kind, fields = content
    return f"{kind} ({', '.join(f'{name} {value}' for name, value in fields)})" if fields else kind


def _of(traffic: Traffic, kind: type[Event]) -> Iterator[Event]:
    return (each for each in traffic.events if isinstance(each, kind))
