"""What the NE-1000 delivers by its driver's words: with any syringe, after lost words, after alarms."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import serial

from instruments.new_era_ne1000 import twin
from instruments.new_era_ne1000.driver import SyringePump, open_driver
from rig.errors import NoReplyError, RefusedError
from rig.therapy import BasalSegment, TherapyState
from rig.virtual.port import Port
from rig.wire import NoLog
from suites.stands.syringe_line import URL, Line, line_at_url


class Stand:
    """A twin and a driver on one line; `lose` drops the next reply that has some octets, or the next such command."""

    def __init__(self, port: Port, address: int = 0) -> None:
        self.port, self.line = port, Line()
        self.twin = twin.open_twin(port, self.line, serial_number=f"address {address:02d}")  # type: ignore[arg-type]

    def open(self, **options: float) -> SyringePump:
        driver = open_driver(URL, clock=self.port.clock, log=NoLog(), **options)  # type: ignore[arg-type]
        driver.identify()
        for alarm in driver.annunciations():
            driver.confirm(alarm.annunciation_id)
        return driver

    def lose_reply(self, octets: bytes) -> None:
        left = [octets]
        self.port.distort = lambda data: b"" if left and left[0] in data and left.pop() else data

    def lose_reply_to(self, command: bytes) -> list[bytes]:
        """Lose the next reply to a command; returns the commands that the pump hears from then on."""
        hear = self.twin._line._receive
        heard: list[bytes] = []
        losing: list[bool] = []

        def listen(data: bytes) -> None:
            heard.append(data)
            if command in data and not losing:
                losing.append(True)
            hear(data)

        def distort(data: bytes) -> bytes:
            if losing == [True]:
                losing.append(False)
                return b""
            return data

        self.port.on_receive(listen)
        self.port.distort = distort
        return heard

    def lose_command(self, octets: bytes) -> None:
        hear, left = self.twin._line._receive, [octets]
        self.port.on_receive(lambda data: None if left and left[0] in data and left.pop() else hear(data))


@pytest.fixture
def port() -> Iterator[Port]:
    with line_at_url() as port:
        yield port


@pytest.fixture
def stand(port: Port) -> Stand:
    return Stand(port)


def flat(rate_u_per_h: float) -> list[BasalSegment]:
    return [BasalSegment(1440, rate_u_per_h)]


@pytest.mark.parametrize("diameter_mm", [8.585, 14.0, 14.01, 20.0])
def test_a_bolus_is_the_same_volume_from_every_syringe(stand: Stand, diameter_mm: float) -> None:
    driver = stand.open(diameter_mm=diameter_mm)
    driver.set_basal_profile(flat(0.0))
    driver.run()
    driver.bolus(2.5)
    stand.port.clock.sleep(3600.0)
    assert stand.line.pushed_ul == pytest.approx(25.0)


@pytest.mark.parametrize("insulin_u", [0.0, -1.0, 1e-11, float("nan")])
def test_a_bolus_of_nothing_is_refused_as_the_pump_would_not_end_it(stand: Stand, insulin_u: float) -> None:
    driver = stand.open()
    driver.set_basal_profile(flat(0.0))
    driver.run()
    with pytest.raises(RefusedError, match="is the smallest"):
        driver.bolus(insulin_u)
    stand.port.clock.sleep(3600.0)
    assert stand.line.pushed_ul == 0.0


def test_a_run_that_is_lost_after_a_pause_is_repeated(stand: Stand) -> None:
    driver = stand.open()
    driver.set_basal_profile(flat(0.0))
    driver.run()
    driver.bolus(5.0)
    stand.port.clock.sleep(60.0)
    driver.pause()
    stand.lose_command(b"RUN")
    driver.run()
    stand.port.clock.sleep(600.0)
    assert stand.line.pushed_ul == pytest.approx(50.0)


SETTINGS = ["PHN1", "FUNRAT", "DIA8.585", "VOLUL", "VOL25", "DIRINF", "CLDINF"]


@pytest.mark.parametrize("setting", SETTINGS)
def test_a_setting_whose_reply_is_lost_is_never_repeated(stand: Stand, setting: str) -> None:
    driver = stand.open()
    driver.set_basal_profile(flat(0.0))
    driver.run()
    heard = stand.lose_reply_to(setting.encode())
    with pytest.raises(NoReplyError, match=f"no reply, and '{setting}' may have been obeyed"):
        driver.bolus(2.5)
    stand.port.clock.sleep(600.0)
    driver.status()
    assert [data for data in heard if setting.encode() in data] == [b"00%s\r" % setting.encode()]
    assert not any(b"RUN" in data for data in heard)
    assert stand.line.pushed_ul == 0.0


def test_a_rate_whose_reply_is_lost_is_never_repeated(stand: Stand) -> None:
    driver = stand.open()
    driver.set_basal_profile(flat(2.0))
    driver.run()
    heard = stand.lose_reply_to(b"RAT40UH")
    with pytest.raises(NoReplyError, match="'RAT40UH' may have been obeyed"):
        driver.set_basal_profile(flat(4.0))
    assert heard == [b"00RAT40UH\r"]
    driver.make_safe()
    assert driver.status().therapy is TherapyState.STOP


@pytest.mark.parametrize("rate_u_per_h", [0.0, 200.0])
def test_a_stall_whose_reply_is_lost_is_annunciated_all_the_same(stand: Stand, rate_u_per_h: float) -> None:
    driver = stand.open()
    driver.set_basal_profile(flat(rate_u_per_h))
    driver.run()
    if not rate_u_per_h:
        driver.bolus(5.0)
    stand.line.blocked = True
    stand.port.clock.sleep(60.0)
    stand.lose_reply(b"A?S")
    assert driver.active_boluses() == []
    assert [alarm.kind for alarm in driver.annunciations()] == ["stopped, reason unknown"]
    assert driver.status().therapy is TherapyState.STOP


def test_no_bolus_follows_an_alarm_that_is_told_meanwhile(stand: Stand) -> None:
    driver = stand.open()
    driver.set_basal_profile(flat(0.0))
    driver.run()
    stand.twin.cycle_power()
    with pytest.raises(RefusedError, match="the alarm “power was lost” came"):
        driver.bolus(2.5)
    stand.port.clock.sleep(600.0)
    assert stand.line.pushed_ul == 0.0
    assert [alarm.annunciation_id for alarm in driver.annunciations()] == [2]  # 1 was another one


def test_a_pump_that_moves_already_says_so_and_learns_of_the_syringe(stand: Stand) -> None:
    before = stand.open(diameter_mm=8.585)
    before.set_basal_profile(flat(20.0))
    before.run()
    driver = stand.open(diameter_mm=20.0)
    assert driver.status().therapy is TherapyState.RUN
    driver.stop()
    driver.set_basal_profile(flat(0.0))
    driver.run()
    at_ul = stand.line.pushed_ul
    driver.bolus(2.5)
    stand.port.clock.sleep(200.0)
    assert stand.line.pushed_ul - at_ul == pytest.approx(25.0)
    with serial.serial_for_url(URL) as port:
        port.write(b"DIA\r")
        assert port.read_until(b"\x03") == b"\x0200S20.00\x03"


@pytest.mark.parametrize(("first", "then"), [(2.0, 0.0), (0.0, 2.0)])
def test_a_plunger_neither_begins_nor_ends_by_a_new_rate(stand: Stand, first: float, then: float) -> None:
    driver = stand.open()
    driver.set_basal_profile(flat(first))
    driver.run()
    with pytest.raises(RefusedError, match="therapy is not stopped"):
        driver.set_basal_profile(flat(then))
    stand.port.clock.sleep(3600.0)
    assert stand.line.pushed_ul == pytest.approx(first * 10.0, abs=0.02)


def test_a_new_rate_is_another_speed(stand: Stand) -> None:
    driver = stand.open()
    driver.set_basal_profile(flat(2.0))
    driver.run()
    driver.set_basal_profile(flat(4.0))
    stand.port.clock.sleep(3600.0)
    assert stand.line.pushed_ul == pytest.approx(40.0, abs=0.05)


def test_in_safe_mode_a_silent_host_stops_it(stand: Stand) -> None:
    driver = stand.open(safe_s=5)
    driver.set_basal_profile(flat(200.0))
    driver.run()
    for _ in range(10):
        stand.port.clock.sleep(2.0)
        assert driver.status().therapy is TherapyState.RUN
    stand.port.clock.sleep(6.0)
    stopped_ul = stand.line.pushed_ul
    stand.port.clock.sleep(60.0)
    assert stand.line.pushed_ul == stopped_ul
    assert [alarm.kind for alarm in driver.annunciations()] == ["communication lost"]


def test_it_is_spoken_to_by_its_address(port: Port) -> None:
    stand = Stand(port, address=5)
    assert stand.open(address=5).identify().serial_number == "address 05"
    with pytest.raises(NoReplyError, match="network address 04"):
        stand.open(address=4)
