"""The simulated faults of instruments and lines do what docs/virtual-bench-physics.md says, and nothing else."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path

import pytest
import serial

from rig.bench.file import read_bench_file
from rig.bench.open import open_bench
from rig.clock import SimClock
from rig.errors import BenchFileError, DeviceError, NoReplyError, NotConnectedError
from rig.roles import Bench, Capability, require
from rig.virtual import protocol_twin
from rig.virtual.faults import DEVICES, KINDS, SIZES, Fault
from rig.virtual.line_faults import begin
from rig.virtual.port import Port
from suites.measuring import VIRTUAL

PHYSICS = Path(__file__).parents[2] / "docs" / "virtual-bench-physics.md"
REPLY = b"S S     1.234567 g\r\n"
FIRST, LAST = b"first\r\n", b"second\r\n"


def heard(fault: Fault, *messages: bytes) -> list[tuple[int, bytes]]:
    """What arrives at the host, and in which second, when a device says one message a second from second 1 on."""
    clock = SimClock()
    port = Port(clock, baud=9600)
    begin(port, fault, seed=1)
    for number, message in enumerate(messages, start=1):
        clock.call_at(round(1e9 * number), partial(port.send, message))
    came = []
    for second in range(1, 30):
        clock.advance_to(second * 1_000_000_000 + 999_000_000)
        if data := port.host_read(port.host_waiting(), timeout_s=0.0):
            came.append((second, data))
    return came


def test_a_mute_device_says_nothing() -> None:
    assert heard(Fault("balance", "mute", 0.0), FIRST, LAST) == []


def test_a_truncated_message_breaks_off_halfway() -> None:
    assert heard(Fault("balance", "truncated", 0.0, count=1), FIRST, LAST) == [(1, b"fir"), (2, LAST)]


def test_one_message_is_lost_and_the_next_comes() -> None:
    assert heard(Fault("balance", "lost", 0.0, count=1), FIRST, LAST) == [(2, LAST)]


def test_a_late_message_comes_after_the_next() -> None:
    assert heard(Fault("balance", "late", 0.0, count=1, by_s=3.0), FIRST, LAST) == [(2, LAST), (4, FIRST)]


def test_a_duplicated_message_comes_twice() -> None:
    assert heard(Fault("balance", "duplicated", 0.0), FIRST, LAST) == [(1, FIRST * 2), (2, LAST * 2)]


def test_a_merged_message_comes_with_the_next_and_without_its_line_end() -> None:
    assert heard(Fault("balance", "merged", 0.0, count=1), FIRST, LAST) == [(2, b"firstsecond\r\n")]


def test_a_line_that_nobody_asked_for_is_the_last_one_again() -> None:
    came = heard(Fault("balance", "unasked", 0.0, period_s=7.0), FIRST)
    assert came == [(1, FIRST), (7, FIRST), (14, FIRST), (21, FIRST), (28, FIRST)]


def test_a_drip_brings_one_character_after_the_other() -> None:
    assert heard(Fault("balance", "drip", 0.0, by_s=2.0), b"abc") == [(3, b"a"), (5, b"b"), (7, b"c")]


def test_an_endless_talker_sends_as_fast_as_its_line_and_no_line_end() -> None:
    came = heard(Fault("balance", "endless", 0.0), FIRST)
    assert {octet for _, data in came for octet in data} == {ord("U")}
    assert sum(len(data) for _, data in came) == pytest.approx(29 * 960, rel=0.05)


@pytest.mark.parametrize(("kind", "length"), [("drop", -1), ("double", 1), ("flip", 0)])
def test_one_character_in_so_many_is_damaged_the_same_ones_each_time(kind: str, length: int) -> None:
    sent = bytes(range(256)) * 40
    found = b"".join(data for _, data in heard(Fault("balance", kind, 0.0, every=50), sent))
    assert found == b"".join(data for _, data in heard(Fault("balance", kind, 0.0, every=50), sent))
    if length:
        assert length * (len(found) - len(sent)) == pytest.approx(len(sent) / 50, rel=0.25)
    else:
        damaged = [(a, b) for a, b in zip(sent, found, strict=True) if a != b]
        assert len(damaged) == pytest.approx(len(sent) / 50, rel=0.25)
        assert {(a ^ b).bit_count() for a, b in damaged} == {1}


PUMP_DROPS_OCTETS = {"device": "pump", "kind": "drop", "at": "30 s", "until": "30.005 s", "every": 20}


def open_faulty(kind: str, device: str = "balance", **more: str | int) -> AbstractContextManager[Bench]:
    return open_bench(VIRTUAL, {"virtual.fault": [{"device": device, "kind": kind, "at": "10 s", **more}]})


def masses(bench: Bench, *seconds: float) -> list[float]:
    found = []
    for at_s in seconds:
        bench.clock.sleep(at_s - bench.clock.now())
        found.append(bench.balance.read().mass_g)
    return found


def truth(*seconds: float) -> list[float]:
    with open_bench(VIRTUAL) as bench:
        return masses(bench, *seconds)


MOMENTS = tuple(float(second) for second in range(12, 72, 6))


def test_a_stuck_balance_repeats_the_value_it_had_until_it_is_well_again() -> None:
    with open_faulty("stuck", until="40 s") as bench:
        found = masses(bench, *MOMENTS)
    well = truth(*MOMENTS)
    assert len(set(found[:5])) == 1
    assert len(set(well[:5])) > 1
    assert found[5:] == well[5:]


def test_a_drifting_balance_moves_by_so_much_an_hour() -> None:
    with open_faulty("drift", size="36 mg") as bench:
        found = masses(bench, *MOMENTS)
    off_ug = [1e6 * (a - b) for a, b in zip(found, truth(*MOMENTS), strict=True)]
    assert off_ug == pytest.approx([10.0 * (at_s - 10.0) for at_s in MOMENTS], abs=1.5)  # and rounding to 1 µg


def test_spikes_come_and_go_and_leave_every_other_reading_alone() -> None:
    seconds = tuple(float(second) for second in range(12, 252))
    with open_faulty("spikes", size="5 mg", period="30 s") as bench:
        found = masses(bench, *seconds)
    off_mg = [round(1e3 * (a - b), 2) for a, b in zip(found, truth(*seconds), strict=True)]
    assert set(off_mg) == {-5.0, 0.0, 5.0}
    assert 8 <= sum(off != 0.0 for off in off_mg) <= 24  # eight spikes of two seconds


def test_a_damaged_digit_always_shows_the_same() -> None:
    with open_faulty("digit", size="1 mg") as bench:
        found = masses(bench, *MOMENTS)
    assert {f"{mass_g:.6f}"[4] for mass_g in found} == {"7"}
    assert [f"{a:.6f}"[5:] for a in found] == [f"{b:.6f}"[5:] for b in truth(*MOMENTS)]


def test_a_balance_that_never_comes_to_rest_calls_nothing_stable() -> None:
    with open_faulty("unstable") as bench:
        bench.clock.sleep(20.0)
        assert not bench.balance.read().stable


@pytest.mark.parametrize(
    ("device", "ask", "size", "by"),
    [
        ("pressure", lambda bench: bench.pressure.read_kpa(), "36 kPa", 0.5),
        ("environment", lambda bench: bench.environment.read_air().temperature_c, "36 °C", 0.5),
    ],
)
def test_other_instruments_misread_too(device: str, ask: Callable[[Bench], float], size: str, by: float) -> None:
    def at_one_minute(bench: Bench) -> float:
        bench.clock.sleep(60.0 - bench.clock.now())
        return ask(bench)

    with open_faulty("drift", device, size=size) as bench:
        found = at_one_minute(bench)
    with open_bench(VIRTUAL) as bench:
        assert found - at_one_minute(bench) == pytest.approx(by, abs=0.06)


@pytest.mark.parametrize("device", DEVICES)
def test_a_disconnected_port_is_an_error_and_stays_dead_until_it_is_opened_anew(device: str) -> None:
    with open_faulty("disconnected", device, until="20 s") as bench:
        instrument = bench.devices[device]
        for at_s in (12.0, 60.0):
            bench.clock.sleep(at_s - bench.clock.now())
            with pytest.raises(NotConnectedError):
                instrument.identify()


@pytest.mark.parametrize("after_ns", [1, 20_000_000, 40_000_000])
def test_a_port_that_goes_while_an_answer_is_on_its_way_takes_it_along(after_ns: int) -> None:
    fault = {"device": "balance", "kind": "disconnected", "at": f"{(10**10 + after_ns) / 1e9!r} s"}
    with open_bench(VIRTUAL, {"virtual.fault": [fault]}) as bench:
        bench.clock.sleep(10.0 - bench.clock.now())
        with pytest.raises(NotConnectedError):
            bench.balance.read()


def test_a_pyserial_port_that_is_back_can_be_opened_anew() -> None:
    clock = SimClock()
    port = Port(clock, baud=9600)
    protocol_twin.register("twin://back", port)
    before = protocol_twin.Serial("twin://back")
    port.unplug()
    for lost in (lambda: before.read(1), lambda: before.write(b"x"), lambda: protocol_twin.Serial("twin://back")):
        with pytest.raises(serial.SerialException):
            lost()
    port.plug_in()
    with pytest.raises(serial.SerialException):
        before.read(1)
    after = protocol_twin.Serial("twin://back", timeout=1.0)
    port.send(b"x")
    assert after.read(1) == b"x"
    protocol_twin.withdraw("twin://back")


def test_a_fault_that_is_over_leaves_the_line_as_it_was() -> None:
    with open_faulty("mute", until="60 s") as bench:
        bench.clock.sleep(15.0 - bench.clock.now())
        with pytest.raises(NoReplyError):
            bench.balance.read()
        assert bench.clock.now() < 60.0  # asked again, and given up while the fault lasted
        first, then = masses(bench, 70.0, 80.0)
    assert then == truth(80.0)[0]
    assert first == pytest.approx(then, abs=20e-6)  # read a moment later: the line was brought into step before


@pytest.mark.parametrize("kind", ["drop", "flip", "double"])
def test_a_damaged_pump_line_moves_nothing_that_nobody_asked_for(kind: str) -> None:
    with open_faulty(kind, "pump", every=20) as bench:
        bench.clock.sleep(10.0)
        for _ in range(20):
            try:
                assert bench.pump.status().therapy.value == "stop"
            except DeviceError:
                continue


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        ("device='balance', kind='frozen', at='0 s'", "kind is 'frozen': allowed are mute, garbage, drop"),
        ("device='scales', kind='mute', at='0 s'", "device is 'scales': allowed are balance, pressure"),
        ("device='supply', kind='stuck', at='0 s'", "the supply has no fault 'stuck'; it has mute"),
        ("device='pump', kind='late', at='0 s'", "the pump has no fault 'late'; it has mute"),
        ("device='balance', kind='mute', at='-1 s'", "at is '-1 s': input should be greater than or equal to 0"),
        ("device='balance', kind='mute', at='9 s', until='9 s'", "until must be later than at, 9 s"),
        (
            "device='balance', kind='mute', at='9 s', by='1 s'",
            "by is not taken by the fault 'mute', which takes nothing",
        ),
        ("device='balance', kind='late', at='9 s', by='0 s'", "by is '0 s': input should be greater than"),
        ("device='balance', kind='lost', at='9 s', count=0", "count is 0: input should be greater than"),
        ("device='balance', kind='drift', at='9 s', size='3 kPa'", "size: .* write it as '2.5 µg'"),
        ("device='balance', kind='drift', at='9 s', size='21 g'", "size is '21 g': allowed are sizes up to 20 g"),
        ("device='balance', kind='digit', at='9 s', size='-1 mg'", "size is '-1 mg': only a drift goes down"),
    ],
)
def test_a_fault_that_cannot_be_is_refused_with_a_sentence(tmp_path: Path, fault: str, sentence: str) -> None:
    bench = tmp_path / "bench.toml"
    text = VIRTUAL.read_text(encoding="utf-8").replace('"../controller/controller.elf"', f'"{_image()}"')
    bench.write_text(text + f"fault = [{{ {fault} }}]\n", encoding="utf-8")
    with pytest.raises(BenchFileError, match=sentence):
        read_bench_file(bench)


def _image() -> Path:
    return VIRTUAL.parents[1] / "controller" / "controller.elf"


def test_a_network_damages_no_single_characters() -> None:
    with (
        pytest.raises(BenchFileError, match="flip is of a serial line, and the supply is on a network"),
        open_faulty("flip", "supply"),
    ):
        pass


def test_every_kind_is_documented_with_its_devices_and_parameters() -> None:
    table = re.findall(r"^\| `(\w+)` \| ([^|]*) \| [^|]* \|([^|]*)\|$", PHYSICS.read_text(encoding="utf-8"), re.M)
    groups = {"all": DEVICES, "instruments": DEVICES[:-1], "those that measure": tuple(SIZES["drift"])}
    documented = {
        kind: (groups.get(devices, (devices,)), set(re.findall(r"`(\w+)`", takes))) for kind, devices, takes in table
    }
    assert documented == {name: (kind.devices, set(kind.takes)) for name, kind in KINDS.items()}


def test_a_log_of_which_a_record_was_lost_on_its_way_is_asked_for_again_and_not_taken_for_a_shorter_one() -> None:
    with open_bench(VIRTUAL, {"virtual.fault": [PUMP_DROPS_OCTETS]}) as bench:
        log = require(bench.pump, Capability.HISTORY)
        for _ in range(20):
            bench.pump.run()
            bench.pump.stop()
        whole = log.history()
        bench.clock.sleep(29.97 - bench.clock.now())
        assert log.history() == whole
        assert bench.clock.now() > 30.0, "the fault came while records were on their way"
