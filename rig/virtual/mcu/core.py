"""The STM32F405 as a whole: runs the core between wake-ups, in simulated time.

Instructions take no simulated time between two WFIs, unless there are more than `SLICE_INSTRUCTIONS` of them: then time
passes at one cycle an instruction, so that code that hangs meets its watchdog at the right moment. While the core
sleeps, one event stands on the clock, at the next moment at which a peripheral would raise an enabled interrupt.
Not responsible for what the pins are wired to.
"""

from __future__ import annotations

from collections.abc import Callable

from rig.clock import Event, SimClock
from rig.errors import RigError
from rig.virtual.mcu.chip import Chip
from rig.virtual.mcu.engine import EXC_RETURN_MIN, Status
from rig.virtual.mcu.exceptions import StackError
from rig.virtual.mcu.image import Image, read_elf
from rig.virtual.mcu.nvic import BUS_FAULT, HARD_FAULT, SVCALL, USAGE_FAULT
from rig.virtual.mcu.peripheral import cycles_at, ns_of_cycle
from rig.virtual.mcu.rcc import BORRSTF, IWDGRSTF, PINRSTF, PORRSTF, SFTRSTF
from rig.virtual.mcu.scs import SLEEPDEEP, SLEEPONEXIT
from rig.virtual.port import Port

SLICE_INSTRUCTIONS = 2000
"""Instructions that run at one moment of simulated time: 125 µs at 16 MHz, one and a half characters of the UART."""

_WFI, _WFE = 0xBF30, 0xBF20
_UNIQUE_ID = bytes.fromhex("3a0024000d47333133303836")


class Stm32F405:
    """One microcontroller with its firmware.

    Args:
        clock: the simulated time.
        image: the firmware, an ELF file's bytes.
        uart: the line at USART1.
        adc_v: voltage at an ADC1 channel.
        on_pin: called with ("PB0", level) whenever a driven pin changes; a pin that is not driven counts as low.

    Attributes:
        wake_ups: how often the core woke from WFI.
        resets: the causes of all resets so far.
        faults: what each fault so far was, in words.
        halted: why the core stands still for good, None while it lives.
    """

    def __init__(
        self,
        clock: SimClock,
        image: bytes,
        *,
        uart: Port,
        adc_v: Callable[[int], float],
        on_pin: Callable[[str, bool], None],
        unique_id: bytes = _UNIQUE_ID,
    ) -> None:
        self._clock = clock
        self._image: Image = read_elf(image)
        self._chip = Chip(clock, uart, adc_v, on_pin, unique_id, self._attend_line, self._after_write)
        chip = self._chip
        self._engine, self._nvic, self._scs = chip.engine, chip.nvic, chip.scs
        chip.memory.load(self._image)
        self.wake_ups = 0
        self.resets: list[str] = []
        self.faults: list[str] = []
        self.halted: str | None = None
        self._powered = self._running = self._sleeping = self._stopped = False
        self._blocked = 0  # exceptions that were ready but outranked when the core last went on
        self._pc = 0
        self._event: Event | None = None
        self._event_ns = -1

    # ---- the outside ---------------------------------------------------------------------------------------

    @property
    def pc(self) -> int:
        """The program counter."""
        return self._pc

    @property
    def sleeping(self) -> bool:
        """Whether the core waits for an interrupt."""
        return self._sleeping

    @property
    def powered(self) -> bool:
        """Whether there is power."""
        return self._powered

    def power(self, on: bool) -> None:
        """Give power (a power-on reset) or take it: pins float, RAM is lost, the backup domain lives on."""
        if on == self._powered:
            return
        self._powered = on
        if on:
            self._chip.memory.lose_ram()
            self._reset("power", PORRSTF | PINRSTF | BORRSTF, power_on=True)
            self._schedule(self._clock.now_ns)
        else:
            self._halt(None)
            self._chip.reset()

    def reset(self) -> None:
        """Pull NRST low for a moment."""
        if self._powered:
            self._reset("pin", PINRSTF)
            self._schedule(self._clock.now_ns)

    def set_input(self, pin: str, high: bool | None) -> None:
        """Drive a pin from outside, such as "PC13"; None lets go of it."""
        self._chip.set_input(pin, high)

    def pin(self, name: str) -> bool:
        """Get the level that the firmware drives a pin to; False when it does not drive it."""
        return self._chip.pin(name)

    def symbol(self, name: str) -> int:
        """Get the address of a symbol of the firmware; RigError when there is none of that name."""
        if name not in self._image.symbols:
            raise RigError(f"the firmware has no symbol {name!r}")
        return self._image.symbols[name][0]

    def read_memory(self, address: int, size: int) -> bytes:
        """Read memory as a debugger does."""
        view, offset = self._chip.memory.place(address, size)
        return bytes(view[offset : offset + size])

    def write_memory(self, address: int, data: bytes) -> None:
        """Write memory, flash too, as a debugger or a cosmic ray does."""
        view, offset = self._chip.memory.place(address, len(data))
        view[offset : offset + len(data)] = data
        self._engine.forget_code()

    def flip_bit(self, address: int, bit: int) -> None:
        """Invert bit 0..7 of the byte at `address`."""
        self.write_memory(address, bytes([self.read_memory(address, 1)[0] ^ 1 << bit]))

    def stop_clock(self) -> None:
        """Stop the main oscillator: core and timers stand still, only LSI and LSE go on, and with them the watchdog."""
        self._halt("the main clock has stopped")
        if self._powered:
            self._schedule_watchdog()

    # ---- resets and halts ----------------------------------------------------------------------------------

    def _reset(self, name: str, cause: int, *, power_on: bool = False) -> None:
        self.resets.append(name)
        self._chip.reset()
        self._chip.rcc.note_reset(cause, power_on=power_on)
        self.halted = None
        self._sleeping = False
        self._blocked = 0
        memory = self._chip.memory
        self._engine.reset(memory.word(0) & ~3)
        self._pc = memory.word(4) & ~1
        if self._running:
            self._stopped = True
            self._engine.stop()

    def _halt(self, reason: str | None) -> None:
        self.halted = reason
        self._sleeping = False
        self._cancel()
        if self._running:
            self._engine.stop()

    def _lock_up(self, reason: str) -> None:
        """Stand still until a reset (DDI 0403E, B1.5.15)."""
        self._halt(f"lock-up: {reason}")
        self._schedule_watchdog()

    # ---- the clock -----------------------------------------------------------------------------------------

    def _cancel(self) -> None:
        if self._event is not None:
            self._event.cancel()
            self._event = None

    def _schedule(self, at_ns: int | None) -> None:
        if self._event is not None:
            if self._event_ns == at_ns:
                return
            self._event.cancel()
            self._event = None
        if at_ns is not None:
            self._event = self._clock.call_at(at_ns, self._attend)
            self._event_ns = at_ns

    def _schedule_watchdog(self) -> None:
        self._schedule(self._chip.watchdog.due_ns())

    def _attend(self) -> None:
        """Do what falls due now."""
        self._event = None
        if self._chip.watchdog.expired:
            self._reset("watchdog", IWDGRSTF | PINRSTF)
        elif self.halted is not None:
            self._schedule_watchdog()
            return
        self._refresh_and_run()

    def _attend_line(self) -> None:
        """An interrupt line has risen: go on if the core sleeps and this wakes it."""
        if self._sleeping and not self._running and self._wakes():
            self._refresh_and_run()

    def _refresh_and_run(self) -> None:
        self._running = True  # what rises during the refresh is looked at after it
        try:
            self._chip.refresh()
            if self._sleeping:
                if not self._wakes():
                    self._sleep()
                    return
                self._sleeping = False
                self.wake_ups += 1
            while self._powered and self.halted is None and self._go_on():
                pass
        finally:
            self._running = False

    def _wakes(self) -> bool:
        """Whether what is pending ends a WFI: PRIMASK does not count here (DDI 0403E, B1.5.19)."""
        candidate = self._nvic.candidate()
        if not candidate:
            return False
        basepri = self._engine.masks()[1]
        return self._nvic.group(candidate) < self._nvic.masked_priority(0, basepri, 0)

    def _sleep(self) -> None:
        if self._scs.scr & SLEEPDEEP:
            raise RigError("the firmware entered stop or standby mode, which the emulated controller lacks")
        self._sleeping = True
        self._schedule(self._chip.due_ns())

    # ---- running -------------------------------------------------------------------------------------------

    def _after_write(self) -> None:
        """A register was written: stop the engine if something new must be looked at before the next instruction."""
        nvic = self._nvic
        if nvic.pending & nvic.enabled & ~self._blocked or self._scs.reset_asked or self._chip.backup_changed:
            self._stopped = True
            self._engine.stop()

    def _go_on(self) -> bool:
        """Run one stretch of instructions; returns whether to go on now."""
        chip, nvic, engine = self._chip, self._nvic, self._engine
        if self._scs.reset_asked:
            self._reset("software", SFTRSTF | PINRSTF)
        if chip.backup_changed:
            chip.apply_backup_access()
        single = False
        ready = nvic.pending & nvic.enabled
        if ready:
            masks = engine.masks()
            candidate = nvic.candidate()
            priority = nvic.group(candidate)
            if priority < nvic.masked_priority(*masks):
                return self._take(candidate)
            # What only a mask holds back comes in the moment the mask is lifted: watch every instruction for it.
            single = priority < nvic.active_priority()
        self._blocked = ready
        self._stopped = False
        before = self._pc
        status = engine.run(before, 1 if single else SLICE_INSTRUCTIONS)
        if not self._powered or self.halted is not None:
            return False
        if self._scs.reset_asked and status == Status.OK:
            return True
        self._pc = pc = engine.pc()
        if status != Status.OK:
            return self._stopped_by(status, pc)
        if self._stopped:
            return True
        memory = chip.memory
        waits = memory.halfword(before) == _WFI if single else memory.halfword(pc - 2) == _WFI
        if waits:
            return self._wait()
        if not single:
            self._schedule(ns_of_cycle(cycles_at(self._clock.now_ns) + SLICE_INSTRUCTIONS))
        return single

    def _wait(self) -> bool:
        if self._wakes():
            return True
        self._sleep()
        return False

    def _take(self, exception: int) -> bool:
        try:
            self._pc = self._chip.exceptions.enter(exception, self._pc, self._scs.vtor)
        except StackError as error:
            if exception == HARD_FAULT:
                self._lock_up(str(error))
                return False
            self._nvic.pending &= ~(1 << exception)
            return self._fault(BUS_FAULT, 1 << 12, str(error))  # STKERR
        except RigError as error:
            self._lock_up(f"no vector for exception {exception}: {error}")
            return False
        return True

    def _stopped_by(self, status: int, pc: int) -> bool:
        if status == Status.EXCEPTION:
            if pc >= EXC_RETURN_MIN:
                return self._return(pc | 1)
            if self._chip.memory.halfword(pc - 2) >> 8 == 0xDF:
                return self._synchronous(SVCALL, "SVC where it can't be taken")
            return self._fault(USAGE_FAULT, 1 << 17, f"illegal instruction or state at {pc:#010x}")  # INVSTATE
        if status == Status.INSN_INVALID:
            if self._chip.memory.halfword(pc - 2) == _WFE:
                return self._wait()
            return self._fault(USAGE_FAULT, 1 << 16, f"undefined instruction at {pc:#010x}")  # UNDEFINSTR
        if status in (Status.FETCH_UNMAPPED, Status.FETCH_PROT):
            return self._fault(BUS_FAULT, 1 << 8, f"no code at {pc:#010x}")  # IBUSERR
        return self._fault(BUS_FAULT, 1 << 9, f"no memory at the address that {pc:#010x} used")  # PRECISERR

    def _return(self, exc_return: int) -> bool:
        try:
            self._pc = self._chip.exceptions.leave(exc_return)
        except StackError as error:
            return self._fault(USAGE_FAULT, 1 << 18, str(error))  # INVPC
        self._blocked = 0
        if self._scs.scr & SLEEPONEXIT and not self._nvic.active:
            return self._wait()
        return True

    def _fault(self, exception: int, cfsr: int, reason: str) -> bool:
        """Raise a fault, as a HardFault unless it is enabled and outranks what runs (DDI 0403E, B1.5.14)."""
        self._scs.cfsr |= cfsr
        self.faults.append(reason)
        return self._synchronous(exception, reason)

    def _synchronous(self, exception: int, reason: str) -> bool:
        nvic = self._nvic
        running = nvic.masked_priority(*self._engine.masks())
        if not (nvic.enabled >> exception & 1 and nvic.group(exception) < running):
            if running <= -1:
                self._lock_up(reason)
                return False
            self._scs.hfsr |= 1 << 30  # FORCED
            exception = HARD_FAULT
        nvic.pending |= 1 << exception
        return self._take(exception)
