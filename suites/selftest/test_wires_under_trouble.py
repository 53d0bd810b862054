"""Whatever a line does to replies, a reading is the one that was asked for, or an error; and then all is well again.

The law for every instrument: a value that a driver returns is the value that the instrument measured for that very
question. In virtual time; `test_wires_in_real_time` has the same on sockets and pseudo-terminals.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from importlib import import_module
from typing import Any

import pytest
import pyvisa
from hypothesis import given, settings
from hypothesis import strategies as st

from rig.clock import SimClock
from rig.errors import BadReplyError, NoReplyError
from rig.step import Probe
from rig.virtual.port import Port
from rig.virtual.visa import VirtualVisaLibrary
from rig.wire import Wire
from suites.stands.plain_devices import DEVICES, Device, Measured
from suites.stands.troubled_line import (
    Trouble,
    TroubledLine,
    damaged,
    doubled,
    drip,
    endless,
    flood,
    late,
    late_and_doubled,
    lost,
    truncated,
    unasked,
)

READINGS = 6
LATEST = 1.6
"""Time-outs by which a reply is late at most; later ones the rig takes for lost (rig.step)."""
LONGEST = 60.0
"""Time-outs that a reading takes at most with all that is asked again."""


class Incidents:
    """Keeps the incidents, and how many bytes came."""

    def __init__(self) -> None:
        self.kept: list[str] = []
        self.bytes = 0

    def wire(self, at_s: float, device: str, direction: str, data: bytes) -> None:
        del at_s, device
        self.bytes += len(data) if direction == "<" else 0

    def incident(self, at_s: float, of_whom: str, what: str) -> None:
        del at_s, of_whom
        self.kept.append(what)


class Rack:
    """A plain device on a troubled line, and its driver."""

    def __init__(self, device: Device) -> None:
        self.device = device
        self.clock = SimClock()
        self.port = Port(self.clock, baud=device.baud)
        self.measured = Measured()
        device.build(self.port, self.measured)
        self.line = TroubledLine(self.port)
        self.log = Incidents()
        address = "ASRL1::INSTR" if device.baud else "TCPIP0::device::5025::SOCKET"
        resource = pyvisa.ResourceManager(VirtualVisaLibrary.over({address: self.port})).open_resource(address)
        assert isinstance(resource, pyvisa.resources.MessageBasedResource)
        module = import_module(f"instruments.{device.name}.driver")
        self.wire = Wire(resource, f"{device.name} on {address}", self.clock, self.log)
        self.driver: Any = module.open_driver(self.wire, clock=self.clock, **device.options)

    def read(self) -> bool:
        """Read once, right or not at all; whether there was a reading."""
        asked = len(self.measured.values)
        begun_s = self.clock.now()
        try:
            value = self.device.read(self.driver)
        except (NoReplyError, BadReplyError):
            return False
        finally:
            assert self.clock.now() - begun_s <= LONGEST * self.device.timeout_s
        assert len(self.measured.values) > asked, "a reading without a question"
        assert value == self.measured.values[-1], f"measured {self.measured.values}"
        return True

    def recovers(self) -> None:
        """Once the trouble is over, readings are right."""
        for _ in range(3 * READINGS):
            if self.line.is_over:
                break
            self.clock.sleep(10.0 * self.device.timeout_s)
            self.read()
        self.clock.sleep(10.0 * self.device.timeout_s)
        self.read()
        assert [self.read() for _ in range(3)] == [True] * 3


def troubles(device: Device) -> Sequence[Trouble]:
    slow_s = LATEST * device.timeout_s
    return (
        late(0.5 * device.timeout_s),
        late(0.3 + device.timeout_s),
        late(slow_s),
        lost(),
        truncated(1),
        truncated(4),
        damaged(3),
        doubled(),
        late_and_doubled(slow_s),
        unasked(device.unasked),
        endless(5.0 * device.timeout_s),
        drip(0.95 * device.timeout_s, 20),
    )


CASES = [
    pytest.param(device, trouble, id=f"{device.name}-{trouble.name}")
    for device in DEVICES
    for trouble in troubles(device)
]


@pytest.mark.parametrize(("device", "trouble"), CASES)
def test_after_one_reply_in_trouble_every_reading_is_right(device: Device, trouble: Trouble) -> None:
    rack = Rack(device)
    rack.read()
    rack.line.expect([trouble])
    for _ in range(READINGS):
        rack.read()
    rack.recovers()


@pytest.mark.parametrize("device", DEVICES, ids=lambda device: device.name)
@pytest.mark.parametrize("trouble", [lost(), damaged(3), truncated(1), late(0.7)], ids=lambda trouble: trouble.name)
def test_one_reply_in_trouble_is_asked_for_again_and_kept_as_an_incident(device: Device, trouble: Trouble) -> None:
    rack = Rack(device)
    if trouble.name.startswith("late"):
        trouble = late(1.35 * device.timeout_s)
    rack.line.expect([trouble])
    assert rack.read()
    assert len(rack.measured.values) == 2
    in_step, asked_again = rack.log.kept
    assert in_step.startswith("out of step since ")
    assert "asked again, answered" in asked_again


@pytest.mark.parametrize("device", DEVICES, ids=lambda device: device.name)
def test_a_device_that_falls_silent_ends_in_the_error_of_the_question(device: Device) -> None:
    rack = Rack(device)
    rack.line.expect([lost()] * 10)
    with pytest.raises(NoReplyError, match=f"no reply within {device.timeout_s:g} s; check"):
        device.read(rack.driver)
    with pytest.raises(NoReplyError, match=r"it stays out of step since no reply within .*; check"):
        device.read(rack.driver)
    rack.recovers()


@pytest.mark.parametrize("device", DEVICES, ids=lambda device: device.name)
def test_bytes_without_an_end_are_bounded_in_time_and_number(device: Device) -> None:
    rack = Rack(device)
    rack.port.baud = None  # as fast as can be
    rack.line.expect([flood(100.0 * device.timeout_s)])
    begun_s = rack.clock.now()
    with pytest.raises((NoReplyError, BadReplyError)):
        device.read(rack.driver)
    assert rack.clock.now() - begun_s < 10.0 * device.timeout_s
    assert rack.log.bytes < 10.0 * device.timeout_s * 1e6


class Scale:
    """Somebody else's driver, as docs/devices.md tells to write one; its device is the plain balance."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    def mass_g(self) -> float:
        return self._wire.ask(self._weigh, asked="'SI'")

    def tare(self) -> None:
        self._wire.command(self._weigh, asked="'T'")

    def once_g(self) -> float:
        return self._weigh()

    def _weigh(self) -> float:
        return float(self._wire.query("SI", look_at="check the cable").split()[-2])


def scale(*, probe: Probe | None) -> tuple[Scale, Rack]:
    rack = Rack(DEVICES[0])
    rack.wire.configure_probe(probe)
    return Scale(rack.wire), rack


IDENTITY = Probe(b"I4\r\n", re.compile(rb'I4 A "[^"]*"\r\n'))


def test_a_driver_of_somebody_else_needs_a_probe_and_a_word() -> None:
    own, rack = scale(probe=IDENTITY)
    rack.line.expect([late(2.6)])
    assert own.mass_g() == rack.measured.values[-1] == 0.002
    rack.line.expect([late(2.6)])
    with pytest.raises(NoReplyError, match="no reply within 2 s, and 'T' may have been obeyed"):
        own.tare()
    assert own.once_g() == rack.measured.values[-1] == 0.004


def test_an_exchange_that_a_person_broke_off_leaves_no_reply_to_the_next() -> None:
    own, rack = scale(probe=IDENTITY)
    rack.line.expect([late(1.0)])

    def interrupt() -> None:
        raise KeyboardInterrupt

    rack.clock.call_at(rack.clock.now_ns + 500_000_000, interrupt)
    with pytest.raises(KeyboardInterrupt):
        own.mass_g()
    assert own.mass_g() == rack.measured.values[-1] == 0.002


def test_a_reply_that_is_no_number_is_asked_for_again() -> None:
    own, rack = scale(probe=IDENTITY)
    rack.line.expect([damaged(10)])
    assert own.mass_g() == rack.measured.values[-1] == 0.002


def test_without_a_probe_a_wire_that_lost_step_says_so_and_stays_there() -> None:
    own, rack = scale(probe=None)
    rack.line.expect([late(2.6)])
    with pytest.raises(NoReplyError, match="no reply within 2 s"):
        own.once_g()
    rack.clock.sleep(60.0)
    for _ in range(2):
        with pytest.raises(BadReplyError, match="its driver has no probe: close it and open it again"):
            own.once_g()


def any_trouble(device: Device) -> st.SearchStrategy[Trouble | None]:
    lateness_s = st.floats(0.0, LATEST * device.timeout_s)
    return st.one_of(
        st.none(),
        st.builds(late, lateness_s),
        st.builds(lost),
        st.builds(truncated, st.integers(1, 8)),
        st.builds(damaged, st.integers(0, 60)),
        st.builds(doubled),
        st.builds(late_and_doubled, lateness_s),
        st.just(unasked(device.unasked)),
        st.builds(endless, st.floats(0.1, 4.0 * device.timeout_s)),
        st.builds(drip, st.floats(0.05, 0.99 * device.timeout_s), st.integers(1, 10)),
    )


@pytest.mark.parametrize("device", DEVICES, ids=lambda device: device.name)
@settings(deadline=None, max_examples=60)
@given(data=st.data())
def test_a_reading_is_the_one_that_was_asked_for_whatever_troubles_come(device: Device, data: st.DataObject) -> None:
    rack = Rack(device)
    rack.line.expect(data.draw(st.lists(any_trouble(device), max_size=8)))
    for _ in range(READINGS):
        rack.read()
        rack.clock.sleep(data.draw(st.sampled_from([0.0, 0.1 * device.timeout_s, 3.0 * device.timeout_s])))
    rack.recovers()
