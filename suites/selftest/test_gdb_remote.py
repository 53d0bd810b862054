"""The debug probe on the virtual bench: through the real PyVISA it halts, reads and changes the emulated controller."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from instruments.gdb_remote.packets import numbers_in, packet, payload_of
from rig.bench.file import read_bench_file
from rig.bench.open import open_bench
from rig.bench.places import places_of
from rig.errors import BenchFileError, NoReplyError, RefusedError
from rig.procedures.controller import flip_bit, flip_register_bit, probe_of
from rig.roles import Bench, Capability, DebugProbe, require
from rig.roles.pump import Reconnects
from rig.shipped import shipped

VIRTUAL = shipped("fixtures/benches/virtual.toml")
FREE_RAM = 0x2001E000


@pytest.fixture
def bench() -> Iterator[Bench]:
    with open_bench(VIRTUAL) as opened:
        yield opened


@pytest.fixture
def probe(bench: Bench) -> DebugProbe:
    return probe_of(bench)


def test_a_bit_flips_twice_to_what_it_was(probe: DebugProbe) -> None:
    probe.write_memory(FREE_RAM, bytes(range(200)))
    flip_bit(probe, FREE_RAM + 150, 3)
    assert probe.read_memory(FREE_RAM, 200) == bytes([*range(150), 150 ^ 8, *range(151, 200)])
    flip_bit(probe, FREE_RAM + 150, 3)
    assert probe.read_memory(FREE_RAM + 150, 1) == bytes([150])


def test_a_halted_pump_is_silent_and_answers_again_when_it_goes_on(bench: Bench, probe: DebugProbe) -> None:
    probe.halt()
    with pytest.raises(NoReplyError):
        bench.pump.status()
    probe.resume()
    assert bench.pump.status().reservoir_attached


def test_what_is_asked_of_a_running_core_leaves_it_running(bench: Bench, probe: DebugProbe) -> None:
    for _ in range(3):
        probe.read_register("pc")
        assert bench.pump.status().reservoir_attached


def test_a_reset_by_the_probe_stands_in_the_pumps_log(bench: Bench, probe: DebugProbe) -> None:
    def resets() -> int:
        return sum(event.kind == "reset" for event in require(bench.pump, Capability.HISTORY).history())

    before = resets()
    probe.reset()
    bench.clock.sleep(5.0)
    assert isinstance(bench.pump, Reconnects)
    bench.pump.reconnect()
    assert resets() == before + 1


def test_a_register_keeps_what_it_is_given_while_the_core_is_halted(probe: DebugProbe) -> None:
    probe.halt()
    probe.write_register("r7", 0x80000001)
    assert probe.read_register("r7") == 0x80000001
    with pytest.raises(ValueError, match="this controller has no register 'r13'; known are r0, r1"):
        probe.read_register("r13")


def test_a_program_counter_that_flips_into_nowhere_crashes_the_program(bench: Bench, probe: DebugProbe) -> None:
    flip_register_bit(probe, "pc", 30)
    with pytest.raises(NoReplyError):
        bench.pump.status()


def test_where_there_is_no_memory_the_server_refuses_and_the_core_goes_on(bench: Bench, probe: DebugProbe) -> None:
    with pytest.raises(RefusedError, match=r"at 'm30000000,4': answered 'E01'"):
        probe.read_memory(0x30000000, 4)
    assert bench.pump.status().reservoir_attached


def test_a_bench_is_left_with_its_core_running() -> None:
    with open_bench(VIRTUAL) as opened:
        opened.pump.run()
        probe_of(opened).halt()
    # leaving raised nothing: the core went on before the pump was told to stop


def test_a_server_that_is_mute_for_a_while_is_in_step_again_and_the_core_runs() -> None:
    mute = {"device": "probe", "kind": "mute", "at": "20 s", "until": "40 s"}
    with open_bench(VIRTUAL, {"virtual.fault": [mute]}) as opened:
        probe = probe_of(opened)
        opened.clock.sleep(20.0 - opened.clock.now())
        with pytest.raises(NoReplyError, match="probe gdb_remote"):
            probe.read_memory(FREE_RAM, 4)
        opened.clock.sleep(41.0 - opened.clock.now())
        assert len(probe.read_memory(FREE_RAM, 4)) == 4
        assert opened.pump.status().reservoir_attached


# ---- places ------------------------------------------------------------------------------------------------


def places(**named: str) -> dict[str, int]:
    symbols = str(shipped("fixtures/controller/controller.elf").resolve())
    spec = read_bench_file(VIRTUAL, {"probe.symbols": symbols, "probe.places": named})[0]
    assert spec.probe is not None
    return places_of(spec.probe, None)


def test_places_are_addresses_or_symbols_with_an_offset() -> None:
    found = places(one="0x20000000", two="0x20000000+0x10", three="image_start+4")
    assert (found["one"], found["two"], found["three"]) == (0x20000000, 0x20000010, 0x08000004)


def test_a_symbol_that_there_is_not_is_refused_with_the_nearest() -> None:
    with pytest.raises(
        BenchFileError,
        match=r"probe\.places\.it is 'template': 'template' is no symbol of the firmware; did you mean 'templates'",
    ):
        places(it="template")


def test_symbols_are_wanted_where_a_laboratory_names_some() -> None:
    spec = read_bench_file(VIRTUAL)[0]
    assert spec.probe is not None
    with pytest.raises(BenchFileError, match=r"probe\.symbols is missing"):
        places_of(spec.probe, None)


def test_an_image_without_symbols_on_a_virtual_bench_has_fewer_places(tmp_path: Path) -> None:
    from suites.stands.mcu_script import firmware

    (tmp_path / "bare.elf").write_bytes(firmware())
    spec = read_bench_file(VIRTUAL, {"virtual.firmware": str(tmp_path / "bare.elf")})[0]
    assert spec.probe is not None
    assert spec.virtual is not None
    assert set(places_of(spec.probe, spec.virtual)) == {"free RAM", "stored profile"}


# ---- packets: Debugging with GDB, appendix E.1 ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("framed", "payload"),
    [
        (b"$OK#9a", "OK"),
        (b"+$#00", ""),
        (b"$0* #7a", "0000"),  # the manual's own example
        (b"$}\x03#80", "#"),
        (b"$OK#9b", None),
        (b"OK#9a", None),
    ],
)
def test_a_packet_is_understood(framed: bytes, payload: str | None) -> None:
    assert payload_of(framed) == payload


def test_a_packet_is_framed_with_its_sum() -> None:
    assert packet("g") == b"$g#67"
    assert packet("m20000000,4") == b"$m20000000,4#4f"


def test_registers_are_numbered_by_themselves_or_by_those_before() -> None:
    page = '<reg name="r0" bitsize="32"/><reg name="R1" bitsize="32"/><reg name="xpsr" regnum="25"/><reg name="msp"/>'
    assert numbers_in(page) == {"r0": 0, "r1": 1, "xpsr": 25, "msp": 26}
