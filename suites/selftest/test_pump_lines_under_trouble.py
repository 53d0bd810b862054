"""The pumps' lines under trouble: a reading is right or an error, and what may move insulin is done once or not at all.

The syringe pump's far side is a plain device; the pump of the Insulin Delivery Service is its firmware, whose frames
meet with the trouble.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from instruments.ids import driver as ids
from instruments.new_era_ne1000 import driver as new_era
from rig.clock import SimClock
from rig.errors import BadReplyError, DeviceError, NoReplyError
from rig.therapy import BasalSegment, TherapyState
from rig.virtual import protocol_twin
from rig.virtual.port import Port
from suites.selftest.test_wires_under_trouble import Incidents
from suites.stands.firmware_host import Host
from suites.stands.plain_devices import Measured, syringe_pump
from suites.stands.syringe_line import URL, line_at_url
from suites.stands.troubled_line import (
    Trouble,
    TroubledLine,
    damaged,
    doubled,
    drip,
    endless,
    late,
    late_and_doubled,
    lost,
    truncated,
    unasked,
)

LATEST = 1.6
READINGS = 5


def any_trouble(timeout_s: float, words: bytes) -> st.SearchStrategy[Trouble | None]:
    lateness_s = st.floats(0.0, LATEST * timeout_s)
    return st.one_of(
        st.none(),
        st.builds(late, lateness_s),
        st.builds(lost),
        st.builds(truncated, st.integers(1, 8)),
        st.builds(damaged, st.integers(0, 30)),
        st.builds(doubled),
        st.builds(late_and_doubled, lateness_s),
        st.just(unasked(words)),
        st.builds(endless, st.floats(0.1, 3.0 * timeout_s)),
        st.builds(drip, st.floats(0.05, 0.99 * timeout_s), st.integers(1, 10)),
    )


# ---- the syringe pump --------------------------------------------------------------------------------------------


class SyringeRack:
    """A plain syringe pump on a troubled line, and the driver."""

    def __init__(self, port: Port) -> None:
        self.clock = port.clock
        self.measured = Measured()
        syringe_pump(port, self.measured)
        self.line = TroubledLine(port)
        self.log = Incidents()
        self.pump = new_era.open_driver(URL, clock=port.clock, log=self.log)
        self.pump.status()

    def read(self) -> bool:
        asked, begun_s = len(self.measured.values), self.clock.now()
        try:
            words = self.pump.status().operational
        except (NoReplyError, BadReplyError):
            return False
        finally:
            assert self.clock.now() - begun_s < 60.0
        assert len(self.measured.values) > asked
        assert words == self.measured.values[-1], self.measured.values
        return True

    def recovers(self) -> None:
        for _ in range(20):
            if self.line.is_over:
                break
            self.clock.sleep(10.0)
            self.read()
        self.clock.sleep(10.0)
        self.read()
        assert [self.read() for _ in range(3)] == [True] * 3


@settings(deadline=None, max_examples=60)
@given(plan=st.lists(any_trouble(1.0, b"\x0200\x03"), max_size=8), pause_s=st.sampled_from([0.0, 0.5, 3.0]))
def test_a_syringe_pumps_status_is_the_one_that_was_asked_for(plan: list[Trouble | None], pause_s: float) -> None:
    with line_at_url() as port:
        rack = SyringeRack(port)
        rack.line.expect(plan)
        for _ in range(READINGS):
            rack.read()
            rack.clock.sleep(pause_s)
        rack.recovers()


@pytest.mark.parametrize("trouble", [lost(), damaged(2), late(1.3)], ids=lambda trouble: trouble.name)
def test_a_syringe_pump_is_asked_again_and_that_is_an_incident(trouble: Trouble) -> None:
    with line_at_url() as port:
        rack = SyringeRack(port)
        rack.line.expect([trouble])
        assert rack.read()
        in_step, asked_again = rack.log.kept
        assert in_step.endswith("in step again")
        assert asked_again.endswith("asked again, answered")


# ---- the Insulin Delivery Service --------------------------------------------------------------------------------

LINE = "twin://pump-under-trouble"


class IdsRack:
    """The firmware on a troubled line, and the driver, with the pump set up and stopped."""

    def __init__(self) -> None:
        self.host = Host()
        self.clock: SimClock = self.host.clock
        self.log = Incidents()
        protocol_twin.register(LINE, self.host.port)
        self.pump = ids.open_driver(LINE, clock=self.clock, log=self.log)
        self.pump.set_reservoir_level(300.0)
        self.pump.set_basal_profile([BasalSegment(1440, 0.0)])
        self.line = TroubledLine(self.host.port, lambda octets: octets.endswith(b"\x7e") and octets != b"\x7e")
        self.started = self.clock.now()
        self.zero = self.pump.clock()

    def read(self) -> bool:
        """Read the pump's own clock, in whole seconds: it shows a moment of this question."""
        begun_s = self.clock.now()
        try:
            shown = self.pump.clock()
        except (NoReplyError, BadReplyError):
            return False
        shown_s = self.started + (shown - self.zero).total_seconds()
        assert begun_s - 1.1 <= shown_s <= self.clock.now() + 1.1
        return True

    def close(self) -> None:
        self.pump.close()
        protocol_twin.withdraw(LINE)


@pytest.fixture
def rack() -> Iterator[IdsRack]:
    rack = IdsRack()
    yield rack
    rack.close()


@pytest.fixture(autouse=True)
def handler() -> Iterator[None]:
    import serial

    serial.protocol_handler_packages.append("rig.virtual")
    yield
    serial.protocol_handler_packages.remove("rig.virtual")


IDS_TROUBLES = [
    late(1.0),
    late(2.3),
    late(3.2),
    lost(),
    truncated(3),
    damaged(3),
    doubled(),
    late_and_doubled(3.2),
    unasked(b"\x7e\x0b\x01\x02\x7e"),
    endless(6.0),
    drip(1.9, 10),
]


@pytest.mark.parametrize("trouble", IDS_TROUBLES, ids=lambda trouble: trouble.name)
@pytest.mark.parametrize("nth", [0, 1, 2])
def test_what_only_reads_is_right_or_an_error_and_right_again(rack: IdsRack, trouble: Trouble, nth: int) -> None:
    rack.line.expect([None] * nth + [trouble])
    for _ in range(2):
        try:
            boluses = rack.pump.active_boluses()
        except (NoReplyError, BadReplyError):
            continue
        assert boluses == []
    for _ in range(2):
        rack.read()
    rack.clock.sleep(20.0)
    rack.read()
    assert rack.read()
    assert rack.pump.status().therapy is TherapyState.STOP
    assert rack.pump.active_boluses() == []
    log = rack.pump.history()
    assert [event.sequence for event in log] == list(range(len(log)))


@pytest.mark.parametrize("trouble", [lost(), damaged(3), late(2.5)], ids=lambda trouble: trouble.name)
def test_a_lost_answer_to_a_question_is_asked_for_again(rack: IdsRack, trouble: Trouble) -> None:
    rack.line.expect([trouble])
    assert rack.pump.active_boluses() == []
    in_step, asked_again = rack.log.kept
    assert in_step.endswith("in step again")
    assert "asked again, answered" in asked_again


@pytest.mark.parametrize("nth", [0, 1])
@pytest.mark.parametrize("trouble", [lost(), late(2.5), damaged(3)], ids=lambda trouble: trouble.name)
def test_a_bolus_whose_answer_was_lost_is_delivered_once_and_told(rack: IdsRack, trouble: Trouble, nth: int) -> None:
    rack.pump.run()
    rack.line.expect([None] * nth + [trouble])
    with pytest.raises(NoReplyError, match="may have been obeyed"):
        rack.pump.bolus(0.1)
    rack.clock.sleep(20.0)
    assert [event.fields["delivered_u"] for event in rack.pump.history() if event.kind == "bolus delivered"] == [0.1]
    rack.pump.stop()
    assert rack.pump.status().therapy is TherapyState.STOP


def test_a_pump_that_does_not_answer_is_stopped_all_the_same(rack: IdsRack) -> None:
    rack.pump.run()
    rack.line.expect([lost()] * 1000)
    with pytest.raises(NoReplyError):
        rack.pump.status()
    with pytest.raises(NoReplyError):
        rack.pump.make_safe()
    rack.clock.sleep(1.0)
    rack.line.give_up()
    assert rack.pump.status().therapy is TherapyState.STOP
    rack.pump.run()  # its counters are found again
    assert rack.pump.status().therapy is TherapyState.RUN


def test_a_syringe_pump_that_does_not_answer_is_told_to_stop_all_the_same() -> None:
    with line_at_url() as port:
        rack = SyringeRack(port)
        said: list[bytes] = []
        port.on_receive(said.append)
        with pytest.raises(NoReplyError):
            rack.pump.make_safe()
        rack.clock.sleep(1.0)
        assert said[-2:] == [b"00STP\r", b"00STP\r"]


def test_commands_that_never_reached_the_pump_do_not_deafen_it(rack: IdsRack) -> None:
    rack.pump.run()
    rack.host.port.baud = 9600  # nothing that is sent is understood
    for _ in range(3):
        with pytest.raises(DeviceError):
            rack.pump.bolus(0.1)
    rack.host.port.baud = 115200
    rack.pump.stop()
    assert rack.pump.status().therapy is TherapyState.STOP
    assert [event.kind for event in rack.pump.history()].count("bolus programmed") == 0


@settings(deadline=None, max_examples=15, suppress_health_check=[HealthCheck.too_slow])
@given(plan=st.lists(any_trouble(2.0, b"\x7e\x0b\x01\x02\x7e"), max_size=6))
def test_the_pumps_clock_is_never_an_older_one(plan: list[Trouble | None]) -> None:
    rack = IdsRack()
    try:
        rack.line.expect(plan)
        for _ in range(READINGS):
            rack.read()
        for _ in range(20):
            if rack.line.is_over:
                break
            rack.clock.sleep(20.0)
            rack.read()
        rack.clock.sleep(20.0)
        rack.read()
        assert [rack.read() for _ in range(3)] == [True] * 3
    finally:
        rack.close()
