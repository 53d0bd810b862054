"""The pump over Bluetooth LE: the same driver, on a virtual link to the same firmware."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest

from instruments.ids.ble_link import BleLink
from rig.bench.open import open_bench
from rig.clock import SimClock
from rig.errors import BenchFileError, NoReplyError, NotConnectedError
from rig.therapy import BasalSegment
from rig.virtual.ble_bridge import BleBridge, Unframer, framed
from rig.wire import NoLog, RadioTransport
from suites.stands.firmware_host import Host, crc
from suites.stands.known_pump import IdsBench, open_ids_bench

PORT = "ble://twin/F0:F1:F2:F3:F4:F5"


@pytest.fixture
def bench() -> Iterator[IdsBench]:
    with open_ids_bench("fixtures/benches/virtual.toml", overrides={"pump.port": PORT}) as bench:
        yield bench


@pytest.fixture
def host() -> Host:
    """The firmware behind its radio; its own line is left to the bridge."""
    return Host()


@pytest.fixture
def bridge(host: Host) -> BleBridge:
    return BleBridge(host.port)


@pytest.fixture
def link(host: Host, bridge: BleBridge) -> Iterator[BleLink]:
    link = BleLink(PORT, host.clock, NoLog(), bridge.open)
    yield link
    link.close()


def ask(link: BleLink, octets: str) -> str:
    link.send(bytes.fromhex(octets))
    answer = link.receive(2.0)
    return "" if answer is None else answer.hex()


def test_the_same_driver_identifies_delivers_and_reads_the_log(bench: IdsBench) -> None:
    pump = bench.pump
    assert pump.identify().serial_number == "RC1-000001"
    pump.set_reservoir_level(200.0)
    pump.set_basal_profile([BasalSegment(1440, 0.0)])
    pump.run()
    before_g = bench.balance.read_stable().mass_g
    pump.bolus(2.5)
    bench.clock.sleep(300.0)
    over_air_g = bench.balance.read_stable().mass_g - before_g
    log = pump.history()
    assert [event.sequence for event in log] == list(range(len(log)))
    assert [event.fields["delivered_u"] for event in log if event.kind == "bolus delivered"] == [2.5]
    with open_ids_bench("fixtures/benches/virtual.toml") as wired:
        wired.pump.set_reservoir_level(200.0)
        wired.pump.set_basal_profile([BasalSegment(1440, 0.0)])
        wired.pump.run()
        wired_before_g = wired.balance.read_stable().mass_g
        wired.pump.bolus(2.5)
        wired.clock.sleep(300.0)
        by_wire_g = wired.balance.read_stable().mass_g - wired_before_g
    assert over_air_g == pytest.approx(by_wire_g, abs=20e-6)


def test_one_seed_gives_one_result() -> None:
    def weighed_g() -> tuple[float, float]:
        with open_ids_bench("fixtures/benches/virtual.toml", overrides={"pump.port": PORT}) as bench:
            bench.pump.set_reservoir_level(200.0)
            bench.pump.set_basal_profile([BasalSegment(1440, 2.0)])
            bench.pump.run()
            bench.clock.sleep(3600.0)
            bench.pump.status()
            return bench.balance.read().mass_g, bench.clock.now()

    assert weighed_g() == weighed_g()


def test_errors_of_protection_come_through_as_on_the_wire(link: BleLink) -> None:
    assert ask(link, "10 0100 ffff 0028").startswith("1106")
    for configuration in ("0f00", "1200", "1800"):
        assert ask(link, f"12 {configuration} 0200") == "13"
    stop = bytes.fromhex("5a0f 33 01")
    assert ask(link, "12 1100 5a0f 33 01 0000") == "0112110081"
    assert ask(link, "12 1100" + (stop + crc(stop)).hex()) == "13"
    indication = link.receive(2.0)
    assert indication is not None
    assert indication.hex().startswith("1d1100550f5a0f0f")
    link.send(b"\x1e")
    assert ask(link, "12 1100" + (stop + crc(stop)).hex()) == "0112110082"


def test_what_the_pump_sent_meanwhile_comes_in_its_order(link: BleLink, host: Host) -> None:
    assert ask(link, "10 0100 ffff 0028").startswith("1106")
    assert ask(link, "12 1200 0200") == "13"
    stop = bytes.fromhex("5a0f 33 01")
    link.send(bytes.fromhex("12 1100") + stop + crc(stop))
    host.clock.sleep(0.5)
    came = [link.receive(0.0), link.receive(0.0)]
    assert [pdu and pdu[:1].hex() for pdu in came] == ["13", "1d"]


def test_silence_is_told_after_its_time_and_no_later(link: BleLink, host: Host) -> None:
    begun_s = host.clock.now()
    assert link.receive(2.0) is None
    assert host.clock.now() - begun_s == pytest.approx(2.0, abs=1e-6)


def test_over_radio_the_driver_waits_as_long_as_the_specification_says(bench: IdsBench) -> None:
    bench.supply.switch(on=False)
    begun_s = bench.clock.now()
    with pytest.raises(NoReplyError, match="no reply within 30 s"):
        bench.pump.status()
    assert bench.clock.now() - begun_s == pytest.approx(30.0, abs=0.01)


def test_a_connection_that_ends_is_one_sentence(link: BleLink, bridge: BleBridge) -> None:
    bridge.out_of_range = True
    with pytest.raises(NotConnectedError, match="the connection was lost"):
        link.receive(1.0)


def test_nobody_at_that_address_is_one_sentence() -> None:
    clock, host = SimClock(), Host()
    with pytest.raises(NotConnectedError, match="at reaching it: no connection within 10 s"):
        BleLink("ble://twin/F0:F1:F2:F3:F4:00", clock, NoLog(), BleBridge(host.port).open)


class Dongle:
    """The virtual dongle; says how often it was given back."""

    def __init__(self, bridge: BleBridge) -> None:
        self.given_back = 0
        self._bridge = bridge

    async def open(self, name: str) -> Dongle:
        self._transport = await self._bridge.open(name)
        self.source, self.sink = self._transport.source, self._transport.sink
        return self

    async def close(self) -> None:
        self.given_back += 1
        await self._transport.close()


def test_the_dongle_is_given_back_whether_or_not_the_pump_answers(host: Host, bridge: BleBridge) -> None:
    dongle = Dongle(bridge)
    BleLink(PORT, host.clock, NoLog(), dongle.open).close()
    assert dongle.given_back == 1
    with pytest.raises(NotConnectedError, match="no connection within 10 s"):
        BleLink("ble://twin/F0:F1:F2:F3:F4:00", host.clock, NoLog(), dongle.open)
    assert dongle.given_back == 2


def test_the_dongle_is_given_back_after_the_connection_was_lost(host: Host, bridge: BleBridge) -> None:
    dongle = Dongle(bridge)
    link = BleLink(PORT, host.clock, NoLog(), dongle.open)
    bridge.out_of_range = True
    with pytest.raises(NotConnectedError, match="the connection was lost"):
        link.receive(1.0)
    link.close()
    assert dongle.given_back == 1


def test_the_mark_of_a_public_address_is_no_part_of_the_transport(host: Host) -> None:
    asked = []

    async def radio(name: str) -> RadioTransport:
        asked.append(name)
        raise OSError("no such dongle")

    with pytest.raises(NotConnectedError, match="OSError: no such dongle"):
        BleLink("ble://usb:0/F0:F1:F2:F3:F4:F5/P", host.clock, NoLog(), radio)
    assert asked == ["usb:0"]


def test_without_bumble_one_sentence_says_what_to_install(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "bumble.transport", None)
    with pytest.raises(NotConnectedError, match=r"bumble is not installed.*pip install 'insulin-pump-rig\[ble\]'"):
        BleLink(PORT, host.clock, NoLog())


def test_a_driver_without_bluetooth_is_one_sentence() -> None:
    with (
        pytest.raises(BenchFileError, match="new_era_ne1000 is not reached over Bluetooth LE"),
        open_bench("fixtures/benches/virtual_ne1000.toml", overrides={"pump.port": PORT}),
    ):
        pass


@pytest.mark.parametrize(
    "port", ["ble://F0:F1:F2:F3:F4:F5", "ble:///F0:F1:F2:F3:F4:F5", "ble://usb:0/", "ble://usb:0/P"]
)
def test_a_port_without_transport_or_address_is_one_sentence(port: str) -> None:
    with (
        pytest.raises(BenchFileError, match="is not ble://transport/address"),
        open_ids_bench("fixtures/benches/virtual.toml", overrides={"pump.port": port}),
    ):
        pass


def test_frames_of_the_bridge_survive_flags_and_drop_damage() -> None:
    pdu = bytes.fromhex("7e 7d 5e 5d 00 7e")
    unframer = Unframer()
    assert unframer.feed(framed(pdu)) == [pdu]
    damaged = bytearray(framed(pdu))
    damaged[3] ^= 1
    assert unframer.feed(bytes(damaged)) == []
