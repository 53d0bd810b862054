"""The emulated core when things go wrong or start over: faults, lock-up, resets, power, hangs, wrong images."""

from __future__ import annotations

import subprocess
import sys

import pytest

from rig.errors import RigError
from suites.stands.mcu_script import (
    FLASH_ROUTINE,
    SCRIPT,
    STACK_TOP,
    WAIT,
    Scripted,
    call,
    elf,
    firmware,
    load,
    store,
)

AIRCR, CFSR = 0xE000ED0C, 0xE000ED28
SYST_CTRL, SYST_LOAD, SYST_VAL = 0xE000E010, 0xE000E014, 0xE000E018
HARD_FAULT = 3
RESULT = 0x20017000


@pytest.mark.parametrize(
    ("ops", "cause"),
    [
        ([load(0x30000000)], 1 << 15 | 1 << 9),
        ([store(0x60000000, 1)], 1 << 15 | 1 << 9),
        ([call(0x20018000)], 1 << 16),  # holds an undefined instruction
        ([call(0x30000000)], 1 << 8),
    ],
)
def test_a_fault_becomes_a_hard_fault_that_says_its_cause(ops: list[tuple[int, int, int]], cause: int) -> None:
    bench = Scripted()
    bench.routine("de00    udf #0")
    bench.on_exception(HARD_FAULT, load(CFSR), store(AIRCR, 0))
    bench.run(*ops, seconds=1e-6)
    assert bench.log()[0] == HARD_FAULT
    assert bench.word(0x20008000 + 256 * HARD_FAULT + 8) == cause
    assert len(bench.mcu.faults) >= 1


def test_a_fault_in_the_hard_fault_handler_locks_the_core_up() -> None:
    bench = Scripted()
    bench.on_exception(HARD_FAULT, load(0x30000000))
    bench.run(load(0x30000000), seconds=10.0)
    assert bench.mcu.halted is not None
    assert bench.mcu.halted.startswith("lock-up")
    assert bench.mcu.resets == ["power"]


def test_a_stack_outside_memory_locks_the_core_up() -> None:
    bench = Scripted()
    routine = bench.routine("2000 4685 df00     movs r0, #0; mov sp, r0; svc #0")
    bench.run(call(routine))
    assert bench.mcu.halted is not None


def test_a_system_reset_starts_over_and_keeps_ram() -> None:
    bench = Scripted()
    # After the reset the script finds its first operation overwritten with "done".
    bench.script(store(SCRIPT, 0), store(RESULT, 7), store(AIRCR, 0x05FA0004), store(RESULT, 8))
    bench.clock.sleep(1e-3)
    assert bench.mcu.resets == ["power", "software"]
    assert bench.word(RESULT) == 7
    assert bench.mcu.sleeping


def test_a_wrong_key_does_not_reset() -> None:
    bench = Scripted()
    bench.run(store(AIRCR, 0x12340004), seconds=1e-3)
    assert bench.mcu.resets == ["power"]


def test_power_off_stops_everything_and_power_on_starts_over() -> None:
    bench = Scripted()
    bench.run(store(SYST_LOAD, 15999), store(SYST_CTRL, 7), store(RESULT, 7), seconds=2.5e-3)
    bench.mcu.power(False)
    wake_ups = bench.mcu.wake_ups
    bench.clock.sleep(1.0)
    assert bench.mcu.wake_ups == wake_ups
    bench.power_on()
    assert bench.word(STACK_TOP - 0x40) == 0xA5A5A5A5  # RAM is lost
    bench.run(WAIT, seconds=1e-3)
    assert bench.mcu.resets == ["power", "power"]
    assert bench.mcu.sleeping


def test_code_that_never_sleeps_lets_time_pass_at_one_instruction_a_cycle() -> None:
    bench = Scripted(firmware("e7fe    b ."))
    bench.run(store(0x40023830, 2), call(FLASH_ROUTINE), seconds=1.0)
    assert not bench.mcu.sleeping
    assert bench.mcu.halted is None
    assert bench.mcu.pc == FLASH_ROUTINE
    assert bench.clock.now_ns == 1_000_000_000


def test_a_flipped_bit_changes_the_program() -> None:
    bench = Scripted(firmware("2007 4a01 6010 4770 7000 2001     movs r0, #7; ldr r2, =RESULT; str r0, [r2]; bx lr"))
    bench.mcu.flip_bit(FLASH_ROUTINE, 3)  # movs r0, #15
    bench.run(call(FLASH_ROUTINE))
    assert bench.word(RESULT) == 15


def test_two_microcontrollers_live_side_by_side() -> None:
    one, other = Scripted(), Scripted()
    one.run(store(SYST_LOAD, 15999), store(SYST_VAL, 0), store(SYST_CTRL, 7), seconds=5.1e-3)
    other.run(store(SYST_LOAD, 7999), store(SYST_VAL, 0), store(SYST_CTRL, 7), seconds=5.1e-3)
    assert (one.mcu.wake_ups, other.mcu.wake_ups) == (5, 10)


def test_the_same_run_twice_is_the_same() -> None:
    def trace() -> list[object]:
        bench = Scripted()
        bench.run(store(SYST_LOAD, 12345), store(SYST_CTRL, 7), WAIT, WAIT, store(RESULT, 1), seconds=0.02)
        return [bench.mcu.wake_ups, bench.mcu.pc, bench.log(), bench.mcu.read_memory(0x20000000, 128 << 10)]

    assert trace() == trace()


@pytest.mark.parametrize(
    ("image", "sentence"),
    [
        (b"not an ELF", "not an ELF file"),
        (elf(0x20000000, b"\0\0\0\0"), "which is not in flash"),
    ],
)
def test_a_wrong_image_is_refused(image: bytes, sentence: str) -> None:
    with pytest.raises(RigError, match=sentence):
        Scripted(image)


def test_an_unmodelled_peripheral_is_said_so() -> None:
    bench = Scripted()
    with pytest.raises(RigError, match="0x40026000"):
        bench.run(store(0x40026000, 1))


@pytest.mark.parametrize("package", ["unicorn", "elftools"])
def test_a_missing_package_is_named_with_what_to_install(package: str) -> None:
    code = f"import sys; sys.modules[{package!r}] = None; import rig.virtual.board"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    last = run.stderr.strip().splitlines()[-1]
    assert last.startswith("rig.errors.RigError: the emulated controller needs ")
    assert last.endswith("which is not installed: pip install 'insulin-pump-rig[virtual]'")


def test_the_backup_domain_cannot_be_lost_while_power_feeds_it() -> None:
    bench = Scripted()
    with pytest.raises(RigError, match="only while the controller has no power"):
        bench.mcu.lose_backup()
