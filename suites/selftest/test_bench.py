"""Opening and leaving a bench: identities, and that it is left safe whatever happens."""

from pathlib import Path

import pytest

from rig.bench.open import open_bench
from rig.errors import BlockedError, EvidenceError, NoReplyError, WrongIdentityError
from rig.roles import Capability, require
from rig.therapy import BasalSegment, TherapyState

VIRTUAL = Path("fixtures/benches/virtual.toml")
SUPPLY_OFF = b"OUTP OFF,(@1)\n"
THERAPY_STOP = bytes.fromhex("5a 0f 33")
RELAYS_OFF = b"relay writeall 00000000\r"


class Disk:
    """A byte log that keeps what it hears, and refuses one line when `full`."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []
        self.full = False
        self.no_incidents = False

    def wire(self, at_s: float, device: str, direction: str, data: bytes) -> None:
        del at_s, device
        if self.full:
            self.full = False  # a log gives up at its first failure
            raise EvidenceError("the disk is full")
        if direction == ">":
            self.sent.append(data)

    def incident(self, at_s: float, of_whom: str, what: str) -> None:
        """Only the exchange that the full disk broke off is mended, and that cannot be written either."""
        assert "was broken off" in what, f"{of_whom} at {at_s} s: {what}"
        if self.no_incidents:
            self.no_incidents = False
            raise EvidenceError("the disk is full")

    def says(self, words: bytes) -> bool:
        return any(words in data for data in self.sent)


def test_a_bench_opens_with_every_device_and_leaves_it_safe() -> None:
    disk = Disk()
    with open_bench(VIRTUAL, log=disk) as bench:
        assert bench.pump.identify().serial_number == "RC1-000001"
        assert bench.supply.read_voltage_v() == pytest.approx(3.7, abs=0.01)
        disk.sent.clear()
    assert disk.says(THERAPY_STOP)
    assert disk.says(SUPPLY_OFF)
    assert disk.says(RELAYS_OFF)


def test_a_full_disk_does_not_keep_the_pump_running() -> None:
    disk = Disk()
    with open_bench(VIRTUAL, log=disk) as bench:
        require(bench.pump, Capability.BASAL_PROFILE).set_basal_profile([BasalSegment(1440, 1.0)])
        bench.pump.run()
        assert bench.pump.status().therapy is TherapyState.RUN
        disk.sent.clear()
        disk.full = True
        with pytest.raises(EvidenceError):
            bench.balance.read()
        disk.full = disk.no_incidents = True  # other files, other first failures: while the bench is being left
    assert disk.says(THERAPY_STOP)
    assert disk.says(SUPPLY_OFF)


def test_an_exception_in_the_middle_leaves_the_bench_safe() -> None:
    disk = Disk()

    def interrupted() -> None:
        with open_bench(VIRTUAL, log=disk) as bench:
            bench.pump.run()
            disk.sent.clear()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert disk.says(THERAPY_STOP)
    assert disk.says(SUPPLY_OFF)


def test_a_mute_pump_loses_its_supply() -> None:
    disk = Disk()
    mute = {"virtual.fault": [{"device": "pump", "kind": "mute", "at": "1 min"}]}
    with open_bench(VIRTUAL, mute, log=disk) as bench:
        bench.clock.sleep(60.0)
        with pytest.raises(NoReplyError, match=r"pump ids on twin://pump, at .*: no reply within 2 s"):
            bench.pump.status()
        disk.sent.clear()
    assert disk.says(SUPPLY_OFF)


@pytest.mark.parametrize("role", ["balance", "pressure", "supply", "switch", "environment"])
def test_another_instrument_than_the_file_names_is_refused(role: str) -> None:
    impostor = "RLY99999" if role == "switch" else "99999"
    with (
        pytest.raises(WrongIdentityError, match=f"it answered '{impostor}'"),
        open_bench(VIRTUAL, {f"virtual.serial_numbers.{role}": impostor}),
    ):
        pass


@pytest.mark.parametrize("role", ["balance", "pressure", "environment"])
def test_an_overdue_calibration_blocks_the_bench_and_its_last_day_does_not(role: str) -> None:
    with (
        pytest.raises(BlockedError, match="its calibration was due on 2026-11-22, today is 2026-11-23"),
        open_bench(VIRTUAL, {f"{role}.calibration_due": "2026-11-22"}),
    ):
        pass
    with open_bench(VIRTUAL, {f"{role}.calibration_due": "2026-11-23"}) as bench:
        assert bench.clock.now() > 0


def test_two_benches_can_be_open_at_once() -> None:
    with open_bench(VIRTUAL) as first, open_bench(VIRTUAL, {"pump.port": "twin://second", "virtual.seed": 2}) as second:
        first.clock.sleep(100.0)
        assert first.clock.now() > second.clock.now() + 99.0
        assert first.pump.status() == second.pump.status()
