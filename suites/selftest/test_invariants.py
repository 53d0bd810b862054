"""What must hold over a whole record: generated traffic and readings in, exact findings out."""

from __future__ import annotations

import datetime
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from instruments.ids.codec import e2e_crc, encode_sfloat, next_counter
from instruments.ids.codes import Op, Therapy, Uuid
from instruments.ids.framing import encode_frame
from instruments.ids.traffic import CONNECTS, read_traffic
from rig.analysis.invariants import (
    SETTLE_S,
    TimeSpan,
    account_findings,
    counter_findings,
    log_findings,
    quiet_spans,
    uncommanded,
)
from rig.bench.file import read_bench_file
from rig.bench.open import open_bench
from rig.errors import EvidenceError
from rig.record.folder import Attempt, Collected
from rig.record.invariants import Invariants
from rig.record.results import Outcome
from rig.roles import Capability, require
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
    WireLine,
)
from rig.run.invariants import looked_through, wire_lines
from rig.therapy import TherapyState
from rig.wire import NoLog
from suites.measuring import VIRTUAL

AN_ENTRY = "1b 1a 00"
"""How a notification of an entry of the log begins on the serial line."""
STOP, RUN, PAUSE = TherapyState.STOP, TherapyState.RUN, TherapyState.PAUSE


def traffic(*events: TrafficEvent) -> Traffic:
    return Traffic(events, counted=len(events))


def entry(number: int, kind: str = "therapy changed", **fields: float | str) -> HistoryEvent:
    return HistoryEvent(number, kind, 0.0, fields)


def readings(steps_u: dict[float, float], until_s: float = 2000.0) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """A reading every 10 s, with what came at its second."""
    at_s = np.arange(0.0, until_s, 10.0)
    return at_s, np.sum([np.where(at_s >= when, volume, 0.0) for when, volume in steps_u.items()], axis=0) + 0.0 * at_s


def weighed(
    at_s: NDArray[np.float64], volume_u: NDArray[np.float64], *spans: TimeSpan, pressed_kpa: float = 0.0
) -> float:
    pressure = np.linspace(pressed_kpa, 0.0, len(at_s))
    found = uncommanded(spans, at_s, volume_u, pressure, u_reading_u=1e-4, u_flow_u_per_h=0.0)
    return 0.0 if found is None else found.volume_u


# ---- when nothing may be delivered -----------------------------------------------------------------------------------


def test_a_stopped_pump_may_deliver_nothing_once_its_set_has_settled() -> None:
    assert quiet_spans(traffic(TherapyKnown(100.0, STOP)), 1000.0) == (TimeSpan(100.0 + SETTLE_S, 1000.0),)


def test_nothing_is_known_of_a_pump_that_never_told_its_therapy() -> None:
    assert quiet_spans(traffic(RateKnown(0.0, 0.0)), 1000.0) == ()


def test_a_pump_that_runs_at_a_rate_may_deliver_at_any_time() -> None:
    told = traffic(TherapyKnown(0.0, STOP), RateKnown(1.0, 1.0), TherapyKnown(500.0, RUN))
    assert quiet_spans(told, 9000.0) == (TimeSpan(SETTLE_S, 500.0),)


def test_without_a_rate_a_running_pump_delivers_its_bolus_alone() -> None:
    told = traffic(TherapyKnown(0.0, RUN), RateKnown(0.0, 0.0), Permitted(500.0, 1.0, 800.0))
    assert quiet_spans(told, 2000.0) == (TimeSpan(SETTLE_S, 500.0), TimeSpan(800.0 + SETTLE_S, 2000.0))


def test_a_stop_ends_a_bolus_but_not_a_priming_that_began_in_it() -> None:
    bolus = traffic(
        TherapyKnown(0.0, RUN), RateKnown(0.0, 0.0), Permitted(10.0, 9.0, 5000.0), TherapyKnown(100.0, STOP)
    )
    assert quiet_spans(bolus, 1000.0) == (TimeSpan(100.0 + SETTLE_S, 1000.0),)
    priming = traffic(TherapyKnown(0.0, STOP), Permitted(10.0, 9.0, 600.0), TherapyKnown(100.0, STOP))
    assert quiet_spans(priming, 1000.0) == (TimeSpan(600.0 + SETTLE_S, 1000.0),)


def test_what_a_pause_withholds_may_follow_it() -> None:
    told = traffic(
        RateKnown(0.0, 0.0),
        TherapyKnown(0.0, RUN),
        Permitted(10.0, 2.0, 100.0),
        TherapyKnown(50.0, PAUSE),
        TherapyKnown(650.0, RUN),
    )
    assert quiet_spans(told, 2000.0) == (TimeSpan(700.0 + SETTLE_S, 2000.0),)


@given(
    st.lists(
        st.tuples(
            st.floats(0.0, 5000.0),
            st.sampled_from(["stop", "run", "pause", "bolus", "rate", "no rate"]),
            st.floats(1.0, 500.0),
        ),
        max_size=20,
    )
)
def test_no_span_holds_a_moment_at_which_a_bolus_or_a_rate_may_be_delivered(
    script: list[tuple[float, str, float]],
) -> None:
    made: dict[str, TrafficEvent] = {}
    events = []
    for at_s, what, lasts_s in sorted(script):
        made = {
            "stop": TherapyKnown(at_s, STOP),
            "run": TherapyKnown(at_s, RUN),
            "pause": TherapyKnown(at_s, PAUSE),
            "bolus": Permitted(at_s, 1.0, at_s + lasts_s),
            "rate": RateKnown(at_s, 1.0),
            "no rate": RateKnown(at_s, 0.0),
        }
        events.append(made[what])
    spans = quiet_spans(Traffic(tuple(events)), 6000.0, settle_s=0.0)
    for at_s, what, _ in script:
        inside = [span for span in spans if span.from_s < at_s < span.to_s]
        assert not (inside and what in ("bolus", "pause")) or _stopped(events, at_s)
    for one, other in pairwise(spans):
        assert one.from_s < one.to_s <= other.from_s


def _stopped(events: list[TrafficEvent], at_s: float) -> bool:
    """Whether something else at the same second says that nothing is delivered."""
    return any(event.at_s == at_s and isinstance(event, TherapyKnown | RateKnown) for event in events)


# ---- what was weighed ------------------------------------------------------------------------------------------------


def test_two_doses_while_nothing_was_to_be_delivered_are_found_with_their_volume() -> None:
    at_s, volume_u = readings({700.0: 0.025, 1100.0: 0.025})
    assert round(weighed(at_s, volume_u, TimeSpan(200.0, 1900.0)), 6) == 0.05


def test_what_came_outside_of_the_spans_was_commanded() -> None:
    at_s, volume_u = readings({500.0: 5.0})
    assert weighed(at_s, volume_u, TimeSpan(0.0, 400.0), TimeSpan(600.0, 1900.0)) == 0.0


def test_what_was_pressed_into_the_line_before_and_comes_back_was_commanded() -> None:
    at_s, volume_u = readings({700.0: 1.0})
    assert weighed(at_s, volume_u, TimeSpan(200.0, 1900.0), pressed_kpa=100.0) == 0.0


def test_a_span_without_readings_says_nothing() -> None:
    at_s, volume_u = readings({}, until_s=100.0)
    assert (
        uncommanded([TimeSpan(500.0, 900.0)], at_s, volume_u, 0.0 * at_s, u_reading_u=1e-4, u_flow_u_per_h=0.0) is None
    )


@given(st.floats(0.0, 1900.0), st.floats(0.025, 30.0))
def test_a_dose_is_found_whenever_it_comes_between_the_averaged_ends(when_s: float, dose_u: float) -> None:
    at_s, volume_u = readings({when_s: dose_u})
    found = weighed(at_s, volume_u, TimeSpan(0.0, 2000.0))
    assert (abs(found - dose_u) < 1e-9) is (20.0 < when_s <= 1970.0)


# ---- the log, counters, accounts -------------------------------------------------------------------------------------


@given(st.integers(0, 1000), st.integers(1, 30), st.integers(1, 30))
def test_a_log_that_grows_and_forgets_its_oldest_has_no_finding(first: int, stored: int, more: int) -> None:
    def read(at_s: float, begin: int) -> LogReading:
        return LogReading(at_s, tuple(entry(n) for n in range(begin, begin + stored)), whole=True)

    assert log_findings(traffic(read(0.0, first), read(1.0, first + min(more, stored)))) == ()


def test_a_missing_number_and_one_that_is_used_twice_are_found_once_each() -> None:
    gap = LogReading(5.0, (entry(1), entry(2), entry(4)), whole=True)
    other = LogReading(9.0, (entry(4, "reset", cause="pin"),), whole=False)
    said = [each.what for each in log_findings(traffic(gap, gap, other))]
    assert said == [
        "the log goes from entry 2 to entry 4",
        "entry 4 of the log was therapy changed, and is reset (cause pin)",
    ]


def test_an_entry_that_is_dated_before_the_one_it_follows_is_found() -> None:
    entries = tuple(
        HistoryEvent(number, "bolus programmed", at_s, {}) for number, at_s in ((1, 65000.0), (2, 100.0), (3, 100.0))
    )
    (found,) = log_findings(traffic(LogReading(5.0, entries, whole=True)))
    assert found.what == "entry 2 of the log is dated 64900 s before entry 1"
    told = (entries[0], HistoryEvent(2, "reference time", 0.0, {}), HistoryEvent(3, "bolus programmed", 5.0, {}))
    assert log_findings(traffic(LogReading(5.0, told, whole=True))) == (), "the clock was set"


def test_a_part_of_the_log_may_leave_out_what_was_not_asked_for() -> None:
    assert log_findings(traffic(LogReading(5.0, (entry(1), entry(4)), whole=False))) == ()


def test_a_counter_that_begins_anew_is_passed_over_where_the_log_tells_of_a_restart_since() -> None:
    begun = LogReading(0.0, (entry(0, "reset"),), whole=True)
    ended = LogReading(9.0, (entry(0, "reset"), entry(1, "reset")), whole=True)
    anew = CounterBroken(5.0, "status", 1, 4)
    assert [each.at_s for each in counter_findings(traffic(begun, anew))] == [5.0]
    assert counter_findings(traffic(begun, anew, ended)) == ()
    assert len(counter_findings(traffic(begun, CounterBroken(5.0, "status", 4, 4), ended))) == 1


def accounts(counted_u: float, logged_u: float) -> list[str]:
    at_s, volume_u = readings({500.0: 2.0})
    read = traffic(
        RateKnown(0.0, 0.0),
        LogReading(0.0, (entry(0),), whole=True),
        ReservoirKnown(1.0, 100.0, 0.0, told_it=True),
        LogReading(1500.0, (entry(0), entry(1, "bolus delivered", delivered_u=logged_u)), whole=True),
        ReservoirKnown(1500.0, 100.0 - counted_u, 0.1),
    )
    found = account_findings(
        read, [TimeSpan(900.0, 1900.0)], at_s, volume_u, 0.0 * at_s, tolerance_percent=5.0, within_u=0.1
    )
    return [each.what.split(" since")[0] for each in found]


def test_three_accounts_that_agree_are_no_finding() -> None:
    assert accounts(counted_u=2.0, logged_u=2.0) == []


def test_a_reservoir_or_a_log_that_tells_otherwise_than_the_balance_is_found() -> None:
    assert accounts(counted_u=1.0, logged_u=2.0) == ["the pump counts 1 U out of its reservoir"]
    assert accounts(counted_u=2.0, logged_u=3.0) == ["the pump logs 3 U of boluses"]


# ---- octets ----------------------------------------------------------------------------------------------------------

STATUS_HANDLE, COMMAND_HANDLE = 0x0010, 0x0020


class Line:
    """A pump's line as a record holds it."""

    def __init__(self) -> None:
        self.lines: list[WireLine] = []
        self._counters = {STATUS_HANDLE: 255, COMMAND_HANDLE: 255}
        self._at_s = 0.0
        self._say(">", CONNECTS)
        entries = b"".join(
            b"\x00\x00\x02" + handle.to_bytes(2, "little") + uuid.to_bytes(2, "little")
            for handle, uuid in ((STATUS_HANDLE, Uuid.STATUS), (COMMAND_HANDLE, Uuid.COMMAND))
        )
        self._say("<", bytes([0x09, 7]) + entries)

    def _say(self, direction: str, pdu: bytes) -> None:
        self._at_s += 1.0
        frame = encode_frame(pdu)
        self.lines += [WireLine(self._at_s, direction, frame[:2]), WireLine(self._at_s, direction, frame[2:])]

    def command(self, op: Op, operand: bytes, code: int = 0x0F) -> None:
        value = op.to_bytes(2, "little") + operand + b"\x01"
        self._say(">", b"\x12" + COMMAND_HANDLE.to_bytes(2, "little") + value + e2e_crc(value))
        answer = Op.COMMAND_RESPONSE.to_bytes(2, "little") + op.to_bytes(2, "little") + bytes([code])
        self.indicated(COMMAND_HANDLE, answer)

    def indicated(self, handle: int, value: bytes, counter: int | None = None) -> None:
        self._counters[handle] = next_counter(self._counters[handle]) if counter is None else counter
        value += bytes([self._counters[handle]])
        self._say("<", b"\x1d" + handle.to_bytes(2, "little") + value + e2e_crc(value))

    def status(self, counter: int | None = None) -> None:
        self.indicated(STATUS_HANDLE, bytes([Therapy.STOP, 0x3C]) + encode_sfloat(123.0) + b"\x01", counter)


def bolus(insulin_u: float) -> bytes:
    return bytes([0, 0x33]) + encode_sfloat(insulin_u) + encode_sfloat(0.0) + b"\x00\x00"


def test_commands_status_and_counters_are_read_back_from_octets_cut_anywhere() -> None:
    line = Line()
    line.status()
    line.command(Op.SET_THERAPY_CONTROL_STATE, bytes([Therapy.RUN]))
    line.command(Op.SET_BOLUS, bolus(1.5))
    found = read_traffic(line.lines)
    assert [event for event in found.events if isinstance(event, TherapyKnown)] == [
        TherapyKnown(3.0, STOP),
        TherapyKnown(4.0, RUN),
        TherapyKnown(5.0, RUN),
    ]
    assert [event.insulin_u for event in found.events if isinstance(event, Permitted)] == [1.5]
    assert [event.insulin_u for event in found.events if isinstance(event, ReservoirKnown)] == [123.0]
    assert found.counted == 3


def test_a_bolus_that_was_refused_permits_nothing() -> None:
    line = Line()
    line.command(Op.SET_BOLUS, bolus(99.0), code=0x73)
    assert not [event for event in read_traffic(line.lines).events if isinstance(event, Permitted)]


@given(st.integers(1, 255), st.integers(1, 255))
def test_a_counter_may_skip_what_was_lost_and_never_goes_back(first: int, then: int) -> None:
    line = Line()
    line.status(first if first <= 127 else 127)
    last = first if first <= 127 else 127
    line.status(then)
    broken = [event for event in read_traffic(line.lines).events if isinstance(event, CounterBroken)]
    assert bool(broken) is not (0 < (then - last) % 255 <= 127)


def test_a_damaged_frame_is_read_as_nothing() -> None:
    line = Line()
    line.status()
    damaged = [
        WireLine(each.at_s, each.direction, bytes(octet ^ 1 if octet == Therapy.STOP else octet for octet in each.data))
        for each in line.lines
    ]
    assert read_traffic(damaged).counted == 0


@pytest.mark.parametrize(
    "line",
    [
        "nan\tpump ids on COM3\t<\t7e 7e\n",
        "1.0\tpump ids on COM3\t=\t7e 7e\n",
        "1.0\tpump ids on COM3\t<\t7e 7g\n",
        "1.0\tpump ids on COM3\n",
    ],
)
def test_octets_without_a_time_or_a_direction_are_no_record(tmp_path: Path, line: str) -> None:
    path = tmp_path / "wire.log"
    path.write_text(f"0.5\tpump ids on COM3\t>\t7e\n{line}", encoding="utf-8")
    with pytest.raises(EvidenceError, match=r"wire\.log: cannot be read as what went over wires: "):
        list(wire_lines(path, of="pump "))


class Octets(NoLog):
    """Keeps the octets of the pump's line as `wire.log` has them."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def wire(self, at_s: float, device: str, direction: str, data: bytes) -> None:
        """Keep them."""
        if device.startswith("pump "):
            self.lines.append(f"{at_s:.6f}\t{device}\t{direction}\t{data.hex(' ')}\n")


@pytest.fixture(scope="module")
def a_reading_of_the_log() -> list[str]:
    octets = Octets()
    with open_bench(VIRTUAL, log=octets) as bench:
        for hour in range(4):  # each is an entry
            require(bench.pump, Capability.CLOCK).set_clock(datetime.datetime(2026, 3, 2, hour))
        assert len(require(bench.pump, Capability.HISTORY).history()) > 3
        return list(octets.lines)


def looked_at(lines: list[str], folder: Path, outcome: Outcome | None) -> Invariants:
    folder.mkdir()
    (folder / "wire.log").write_text("".join(lines), encoding="utf-8")
    collected = Collected(test="log", folder="log", title="log", requirements=())
    return looked_through(Attempt(collected, 1, folder, outcome, None, 0.0), read_bench_file(VIRTUAL, {})[0])


def test_what_was_on_the_line_when_a_test_was_stopped_is_not_missing_from_the_log(
    a_reading_of_the_log: list[str], tmp_path: Path
) -> None:
    assert not looked_at(a_reading_of_the_log, tmp_path / "whole", "passed").findings
    entries = [place for place, line in enumerate(a_reading_of_the_log) if f"\t<\t{AN_ENTRY}" in line]
    place = entries[len(entries) // 2]  # it was read from the port, and written nowhere
    torn = a_reading_of_the_log[:place] + a_reading_of_the_log[place + 1 :]
    assert looked_at(torn, tmp_path / "to its end", "passed").findings
    unended: tuple[Outcome | None, ...] = ("interrupted", None)
    for number, outcome in enumerate(unended):
        stopped = looked_at(torn, tmp_path / f"stopped {number}", outcome)
        assert not stopped.findings
        assert any("the test was stopped" in each for each in stopped.abstained)
