"""The emulated core: exceptions, masks and sleep as the ARMv7-M manual (DDI 0403E) has them."""

from __future__ import annotations

import pytest

from suites.stands.mcu_script import (
    FLASH_ROUTINE,
    HANDLER,
    LOG,
    STACK_TOP,
    Scripted,
    call,
    firmware,
    load,
    store,
    store_byte,
)

ICSR, VTOR, SHPR3 = 0xE000ED04, 0xE000ED08, 0xE000ED20
ISER, ISPR, IPR = 0xE000E100, 0xE000E200, 0xE000E400
SYST_CTRL, SYST_LOAD, SYST_VAL = 0xE000E010, 0xE000E014, 0xE000E018
SVCALL, PENDSV, SYSTICK = 11, 14, 15
RESULT = 0x20017000


def interrupt(number: int) -> int:
    return 16 + number


def test_an_interrupt_pended_by_software_is_taken_before_the_next_instruction() -> None:
    bench = Scripted()
    bench.run(store(ISER, 1 << 7), store(ISPR, 1 << 7), load(LOG))
    assert bench.log() == [interrupt(7)]
    assert bench.loaded(2) == 1


def test_a_disabled_interrupt_stays_pending_and_comes_when_it_is_enabled() -> None:
    bench = Scripted()
    bench.run(store(ISPR + 4, 1 << 5), load(ISPR + 4), store(ISER + 4, 1 << 5), load(ISPR + 4))
    assert bench.loaded(1) == 1 << 5
    assert bench.log() == [interrupt(37)]
    assert bench.loaded(3) == 0


def test_the_stacked_frame_holds_registers_return_address_and_status() -> None:
    bench = Scripted()
    routine = bench.routine("""
        b500            push {lr}
        4e05            ldr r6, =ISPR
        2011            movs r0, #0x11
        2122            movs r1, #0x22
        2233            movs r2, #0x33
        2344            movs r3, #0x44
        2555            movs r5, #0x55
        46ac            mov r12, r5
        2701            movs r7, #1
        6037            str r7, [r6]        the interrupt comes after this
        bd00            pop {pc}
        bf00            nop
        e200 e000       ISPR
    """)
    bench.run(store(ISER, 1), call(routine), load(LOG))
    assert bench.loaded(2) == 1  # the routine returned: its registers came back
    sp = STACK_TOP - 8 - 4  # script has pushed {r4, lr}, the routine {lr}
    frame = [bench.word((sp & ~7) - 32 + 4 * index) for index in range(8)]
    assert frame[:5] == [0x11, 0x22, 0x33, 0x44, 0x55]
    assert frame[6] == routine + 2 * 10
    assert frame[7] & 0x010003FF == 0x01000200  # Thumb, from thread mode, and the stack had to be aligned to 8


@pytest.mark.parametrize(("urgent", "order"), [(0x10, [interrupt(1), interrupt(2)]), (0x30, [interrupt(1)])])
def test_a_more_urgent_interrupt_preempts_a_handler_and_another_waits(urgent: int, order: list[int]) -> None:
    bench = Scripted()
    bench.on_exception(interrupt(1), store(ISPR, 1 << 2), load(LOG))
    bench.run(store_byte(IPR + 1, 0x20), store_byte(IPR + 2, urgent), store(ISER, 6), store(ISPR, 2))
    during = bench.word(0x20008000 + 256 * interrupt(1) + 12 + 8)
    assert during == len(order)
    assert bench.log() == [interrupt(1), interrupt(2)]


def test_of_two_pending_interrupts_the_lower_number_wins_at_equal_priority() -> None:
    bench = Scripted()
    bench.run(store(ISPR, 1 << 9 | 1 << 4), store(ISER, 1 << 9 | 1 << 4))
    assert bench.log() == [interrupt(4), interrupt(9)]


def test_priorities_have_four_bits() -> None:
    bench = Scripted()
    bench.run(store(IPR, 0x12345678), load(IPR), store(SHPR3, 0xFFFF0000), load(SHPR3))
    assert bench.loaded(1) == 0x10305070
    assert bench.loaded(3) == 0xF0F00000


def test_primask_holds_an_interrupt_back_until_the_instruction_that_lifts_it() -> None:
    bench = Scripted()
    routine = bench.routine("""
        b672            cpsid i
        4b05            ldr r3, =RESULT
        4905            ldr r1, =ISPR
        2201            movs r2, #1
        600a            str r2, [r1]
        4a05            ldr r2, =LOG
        6810            ldr r0, [r2]
        6058            str r0, [r3, #4]    exceptions while masked
        b662            cpsie i
        6810            ldr r0, [r2]
        6098            str r0, [r3, #8]    exceptions right after
        4770            bx lr
        7000 2001       RESULT
        e200 e000       ISPR
        0000 2001       LOG
    """)
    bench.run(store(ISER, 1), call(routine))
    assert (bench.word(RESULT + 4), bench.word(RESULT + 8)) == (0, 1)


def test_a_store_that_causes_an_interrupt_is_done_once_and_whole() -> None:
    bench = Scripted()
    routine = bench.routine("""
        4b05            ldr r3, =ISPR
        2001            movs r0, #1
        f843 0b04       str r0, [r3], #4    an interrupt, and a write-back
        4904            ldr r1, =RESULT
        600b            str r3, [r1]
        4280            cmp r0, r0
        4b02            ldr r3, =ISPR
        bf08            it eq
        6018            streq r0, [r3]      an interrupt in an IT block
        604b            str r3, [r1, #4]
        4770            bx lr
        e200 e000       ISPR
        7000 2001       RESULT
    """)
    bench.run(store(ISER, 1), call(routine))
    assert bench.log() == [interrupt(0), interrupt(0)]
    assert (bench.word(RESULT), bench.word(RESULT + 4)) == (ISPR + 4, ISPR)


def test_basepri_holds_back_its_priority_and_below() -> None:
    bench = Scripted()
    routine = bench.routine("""
        2040            movs r0, #0x40
        f380 8811       msr basepri, r0
        4b05            ldr r3, =ISPR
        2203            movs r2, #3
        601a            str r2, [r3]
        4a04            ldr r2, =LOG
        6811            ldr r1, [r2]
        67d1            str r1, [r2, #0x7c]
        2000            movs r0, #0
        f380 8811       msr basepri, r0
        4770            bx lr
        bf00            nop
        e200 e000       ISPR
        0000 2001       LOG
    """)
    bench.run(store_byte(IPR, 0x40), store_byte(IPR + 1, 0x30), store(ISER, 3), call(routine))
    assert bench.word(LOG + 0x7C) == 1
    assert bench.log() == [interrupt(1), interrupt(0)]


def test_wfi_with_interrupts_masked_wakes_without_taking_the_interrupt() -> None:
    bench = Scripted(
        firmware("""
            b672            cpsid i
            bf30            wfi
            4a03            ldr r2, =LOG
            6810            ldr r0, [r2]
            67d0            str r0, [r2, #0x7c]
            b662            cpsie i
            6810            ldr r0, [r2]
            6790            str r0, [r2, #0x78]
            4770            bx lr
            bf00            nop
            0000 2001       LOG
        """)
    )
    bench.mcu.write_memory(LOG + 0x78, b"\x09\0\0\0\x09\0\0\0")
    bench.run(
        store(SYST_LOAD, 15999), store(SYST_VAL, 0), store(SYST_CTRL, 7), call(FLASH_ROUTINE), store(SYST_CTRL, 0),
        seconds=0.5e-3,
    )  # fmt: skip
    assert bench.mcu.sleeping
    assert bench.word(LOG + 0x7C) == 9
    bench.clock.sleep(0.5e-3 + 125e-9)
    assert (bench.word(LOG + 0x7C), bench.word(LOG + 0x78)) == (0, 1)
    assert bench.log() == [SYSTICK]


def test_systick_fires_each_reload_plus_one_cycles() -> None:
    bench = Scripted()
    bench.run(store(SYST_LOAD, 15999), store(SYST_VAL, 0), store(SYST_CTRL, 7), seconds=10.01e-3)
    assert bench.log() == [SYSTICK] * 10
    assert bench.mcu.wake_ups == 10


def test_systick_at_an_eighth_of_the_clock_is_eight_times_slower() -> None:
    bench = Scripted()
    bench.run(store(SYST_LOAD, 1999), store(SYST_VAL, 0), store(SYST_CTRL, 3), seconds=10.01e-3)
    assert bench.log() == [SYSTICK] * 10


def test_svc_and_pendsv_run_their_handlers() -> None:
    bench = Scripted()
    routine = bench.routine("df05 4770      svc #5; bx lr")
    bench.run(call(routine), store(ICSR, 1 << 28))
    assert bench.log() == [SVCALL, PENDSV]


def test_thread_mode_on_the_process_stack_returns_to_it() -> None:
    bench = Scripted()
    routine = bench.routine("""
        480b            ldr r0, =0x20018100
        f380 8809       msr psp, r0
        2002            movs r0, #2
        f380 8814       msr control, r0
        f3bf 8f6f       isb
        4908            ldr r1, =ISPR
        2001            movs r0, #1
        6008            str r0, [r1]        the interrupt comes here
        f3ef 8214       mrs r2, control
        466b            mov r3, sp
        2000            movs r0, #0
        f380 8814       msr control, r0
        f3bf 8f6f       isb
        4804            ldr r0, =RESULT
        6002            str r2, [r0]
        6043            str r3, [r0, #4]
        4770            bx lr
        bf00            nop
        8100 2001       process stack
        e200 e000       ISPR
        7000 2001       RESULT
    """)
    bench.run(store(ISER, 1), call(routine), load(LOG))
    assert bench.log() == [interrupt(0)]
    assert (bench.word(RESULT), bench.word(RESULT + 4)) == (2, 0x20018100)
    assert bench.word(0x20018100 - 32 + 24) == routine + 0x16  # return address, stacked on the process stack
    assert bench.loaded(2) == 1


def test_the_vector_table_moves_with_vtor() -> None:
    bench = Scripted()
    bench.mcu.write_memory(0x20014000 + 4 * PENDSV, (HANDLER | 1).to_bytes(4, "little"))
    bench.run(store(VTOR, 0x20014000), store(ICSR, 1 << 28), load(VTOR))
    assert bench.log() == [PENDSV]
    assert bench.loaded(2) == 0x20014000
