"""The controller's debug port: a core that is halted stands still, time and its watchdog do not."""

from __future__ import annotations

import pytest

from rig.errors import RigError
from suites.stands.firmware_host import Host
from suites.stands.mcu_script import STACK_TOP, WAIT, Scripted, store

IWDG_KR, IWDG_RLR = 0x40003000, 0x40003008
DBGMCU_IDCODE, DBGMCU_APB1_FZ, DBG_IWDG_STOP = 0xE0042000, 0xE0042008, 1 << 12
WATCHDOG_OF_100_MS = [store(0x20000000, 0), store(IWDG_KR, 0x5555), store(IWDG_RLR, 799), store(IWDG_KR, 0xCCCC)]
B_TO_ITSELF = bytes.fromhex("fee7")


def sleeping_bench() -> Scripted:
    """One whose watchdog bites after 100 ms."""
    bench = Scripted()
    bench.run(*WATCHDOG_OF_100_MS, WAIT)
    return bench


def test_a_held_core_executes_nothing_until_it_is_released() -> None:
    host = Host()
    host.board.mcu.debug.hold()
    assert host.ask("0a 1600") == ""
    steps = host.steps
    host.board.mcu.debug.release()
    host.clock.sleep(0.1)
    assert host.hear() == ""  # what came over the line meanwhile, nobody took: but for one octet it is lost
    assert host.ask("0a 1600") != ""
    assert host.steps == steps


def test_its_watchdog_bites_meanwhile_and_the_reset_ends_the_halt() -> None:
    bench = sleeping_bench()
    bench.clock.advance_to(50_000_000)
    bench.mcu.debug.hold()
    bench.clock.advance_to(99_999_999)
    assert (bench.mcu.resets, bench.mcu.debug.held) == (["power"], True)
    bench.clock.advance_to(100_000_000)
    assert (bench.mcu.resets, bench.mcu.debug.held) == (["power", "watchdog"], False)


@pytest.mark.parametrize("set_before", [True, False])
def test_the_watchdog_stands_still_with_it_where_the_debug_register_says_so(set_before: bool) -> None:
    bench = sleeping_bench()
    if set_before:
        bench.mcu.debug.write_memory(DBGMCU_APB1_FZ, DBG_IWDG_STOP.to_bytes(4, "little"))
    bench.clock.advance_to(50_000_000)
    bench.mcu.debug.hold()
    bench.mcu.debug.write_memory(DBGMCU_APB1_FZ, DBG_IWDG_STOP.to_bytes(4, "little"))
    bench.clock.advance_to(10_000_000_000)
    bench.mcu.debug.release()
    bench.clock.advance_to(10_049_999_999)
    assert bench.mcu.resets == ["power"]
    bench.clock.advance_to(10_050_000_000)
    assert bench.mcu.resets == ["power", "watchdog"]


def test_a_system_reset_leaves_the_debug_registers_and_power_on_does_not() -> None:
    bench = sleeping_bench()
    debug = bench.mcu.debug
    debug.write_memory(DBGMCU_APB1_FZ, DBG_IWDG_STOP.to_bytes(4, "little"))
    debug.reset()
    bench.clock.sleep(0.001)
    assert debug.read_memory(DBGMCU_APB1_FZ, 4) == DBG_IWDG_STOP.to_bytes(4, "little")
    bench.mcu.power(False)
    bench.mcu.power(True)
    assert debug.read_memory(DBGMCU_APB1_FZ, 4) == bytes(4)
    assert debug.read_memory(DBGMCU_IDCODE, 4) == bytes.fromhex("13040110")  # device 0x413, revision Z


def test_registers_are_told_and_set_while_it_is_held_alone() -> None:
    bench = sleeping_bench()
    debug = bench.mcu.debug
    with pytest.raises(RigError, match="the core runs: r0 is told while it is halted"):
        debug.read_register("r0")
    debug.hold()
    assert debug.read_register("sp") <= STACK_TOP
    for name, value in {"r0": 0xFFFFFFFF, "r12": 0x12345678, "lr": 0x08000201, "sp": 0x2001FF00}.items():
        debug.write_register(name, value)
        assert debug.read_register(name) == value
    debug.write_register("xpsr", 0xFFFFFFFF)
    assert debug.read_register("xpsr") == 0xF1000000  # the flags are set; Thumb state and no exception stay
    with pytest.raises(RigError, match="the core has no register 'r16'"):
        debug.read_register("r16")


def test_a_core_that_is_sent_into_a_loop_takes_interrupts_and_ends_by_its_watchdog() -> None:
    host = Host()
    host.clock.sleep(2.0)
    mcu = host.board.mcu
    mcu.debug.write_memory(0x2001F000, B_TO_ITSELF)
    mcu.debug.hold()
    mcu.debug.write_register("pc", 0x2001F000)
    mcu.debug.release()
    hung_s = host.clock.now()
    assert host.ask("0a 1600") == ""
    assert mcu.debug.read_memory(mcu.pc, 2) == B_TO_ITSELF
    while len(mcu.resets) == 1 and host.clock.now() < hung_s + 40.0:
        host.clock.sleep(0.1)
    assert mcu.resets == ["power", "watchdog"]
    assert hung_s + 17.0 - 0.2 < host.clock.now() < hung_s + 32.0 + 0.2  # it was fed up to 15 s before


def test_memory_is_written_while_it_runs_too_and_code_takes_effect() -> None:
    host = Host()
    debug = host.board.mcu.debug
    debug.write_memory(0x20010000, b"\x01\x02\x03")
    assert debug.read_memory(0x20010000, 3) == b"\x01\x02\x03"
    with pytest.raises(RigError, match="there is no memory of the controller at 0x30000000"):
        debug.read_memory(0x30000000, 4)


def test_without_power_there_is_nothing_to_debug() -> None:
    bench = sleeping_bench()
    bench.mcu.debug.hold()
    bench.mcu.power(False)
    assert not bench.mcu.debug.held
    for forbidden in (bench.mcu.debug.hold, bench.mcu.debug.reset, lambda: bench.mcu.debug.read_memory(0x20000000, 1)):
        with pytest.raises(RigError, match="the controller has no power"):
            forbidden()
