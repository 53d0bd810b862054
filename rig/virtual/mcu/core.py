"""The STM32F405 as a whole: runs the core between wake-ups, in simulated time.

Instructions take no simulated time between two WFIs, unless there are more than `SLICE_INSTRUCTIONS` of them: then time
passes at one cycle an instruction, so that code that hangs meets its watchdog at the right moment. While the core
sleeps, one event stands on the clock, at the next moment at which a peripheral would raise an enabled interrupt.
Not responsible for what the pins are wired to.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from rig.clock import NS_PER_S, Event, SimClock
from rig.errors import RigError
from rig.virtual.mcu.chip import Chip
from rig.virtual.mcu.core_debug import CoreDebug
from rig.virtual.mcu.ctrl_c import HeldCtrlC
from rig.virtual.mcu.fingerprint import SP_AT, fingerprint
from rig.virtual.mcu.image import Image, read_elf
from rig.virtual.mcu.memory import SRAM, SRAM_SIZE
from rig.virtual.mcu.peripheral import cycles_at, ns_of_cycle
from rig.virtual.mcu.processor import SLICE_INSTRUCTIONS, Outcome, Processor
from rig.virtual.mcu.rcc import BORRSTF, IWDGRSTF, PINRSTF, PORRSTF, SFTRSTF
from rig.virtual.mcu.scs import SLEEPDEEP
from rig.virtual.port import Port

_RESET_FLAGS = {  # RM0090, 7.3.21: a pin reset goes with every other, since NRST is pulled low by all of them
    "power": PORRSTF | PINRSTF | BORRSTF,
    "pin": PINRSTF,
    "software": SFTRSTF | PINRSTF,
    "watchdog": IWDGRSTF | PINRSTF,
}
_RAM = range(SRAM, SRAM + SRAM_SIZE)
RESET_PULSE_NS = 20_000
"""How long NRST stays low at the least (RM0090, 7.1.1); that the supply has to settle after power-on is left out."""
SLICES_ON_END = 64
"""After so many the core goes back to the clock, be there nothing else to do, lest Ctrl-C wait for code that hangs."""
HANGS_RESTLESS_NS, HANGS_SILENT_NS = 2 * NS_PER_S, NS_PER_S
"""A core that has not slept for so long, and has not answered for so long what its line brought meanwhile, hangs: it is
emulated no further until a reset. Code that spins takes up to ten times its own time to emulate, for ever."""
_TO_ITSELF = 0xE7FE
"""A branch to itself: a core that has come to one does nothing more until an interrupt, which takes no emulating."""
_SPINS = "it spins: it has not rested, nor answered what it was asked"
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
        resets: the causes of all resets so far: "power", "pin", "software" or "watchdog".
        faults: what each fault so far was, in words.
        halted: why the core stands still until a reset, None while it lives.
        held: whether a debugger has halted the core.
        debug: what a debug probe reaches.
        patient: whether code that spins and does not answer is emulated on, until its watchdog bites; at great cost.
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
        self._chip = Chip(clock, uart, adc_v, on_pin, unique_id, self._attend_line, self._after_write, self._interrupt)
        chip = self._chip
        self._processor = Processor(chip.engine, chip.memory, chip.nvic, chip.scs)
        chip.memory.load(self._image)
        self._processor.load(self._image)
        self.wake_ups = 0
        self.resets: list[str] = []
        self.faults = self._processor.faults
        self.halted: str | None = None
        self.patient = False
        self._reset_cause: str | None = None
        self._powered = self._running = self._sleeping = self._circling = False
        self.held = False
        self._rested_ns = self._reset_ns = 0
        self._event: Event | None = None
        self._event_ns = -1
        self.ctrl_c = HeldCtrlC()
        self.debug = CoreDebug(self, chip, self._processor)

    # ---- the outside ---------------------------------------------------------------------------------------

    @property
    def pc(self) -> int:
        """The program counter."""
        return self._processor.pc

    @property
    def sleeping(self) -> bool:
        """Whether the core waits for an interrupt."""
        return self._sleeping

    @property
    def restless_s(self) -> float:
        """For how long the core has not slept in s, over resets too; 0 while it sleeps, stands or has no power."""
        if self._sleeping or self.held or self.halted not in (None, _SPINS) or not self._powered:
            return 0.0
        return (self._clock.now_ns - self._rested_ns) / NS_PER_S

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
            self._rested_ns = self._clock.now_ns
            self._chip.memory.lose_ram()
            self._ask_reset("power")
        else:
            self.held = False
            self._chip.watchdog.hold(False)
            self._halt(None)
            self._chip.reset()
            self._chip.debug_id.reset_power()

    def reset(self) -> None:
        """Pull NRST low for a moment."""
        if self._powered:
            self._ask_reset("pin")

    def hold(self) -> None:
        """Halt the core as a debugger does: it executes nothing, time and peripherals go on. A sleep ends by it.

        The independent watchdog stands still meanwhile only where DBG_IWDG_STOP is set (RM0090 rev 19, 38.16.4).
        """
        if not self._powered or self.held:
            return
        self.held, self._sleeping, self._circling = True, False, False
        self._rested_ns = self._clock.now_ns
        self.freeze_watchdog()

    def freeze_watchdog(self) -> None:
        """Let the watchdog of a held core stand still, or go on, as the debug registers say."""
        self._chip.watchdog.hold(self.held and self._chip.debug_id.stops_watchdog)
        if self.held:
            self._schedule_watchdog()

    def release(self) -> None:
        """Let a core that is held go on from its program counter."""
        if not self.held:
            return
        self.held = False
        self._rested_ns = self._clock.now_ns
        self.freeze_watchdog()
        if self.halted is None:
            self._schedule(self._clock.now_ns)

    def set_input(self, pin: str, high: bool | None) -> None:
        """Drive a pin from outside, such as "PC13"; None lets go of it."""
        self._chip.set_input(pin, high)

    def pin(self, name: str) -> bool:
        """The level that the firmware drives a pin to; False when it does not drive it."""
        return self._chip.pin(name)

    def symbol(self, name: str) -> int:
        """The address of a symbol of the firmware; RigError when there is none of that name."""
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
        self._chip.engine.forget_code()

    def watch_first(self, addresses: Iterable[int], reached: Callable[[int], None]) -> None:
        """Call `reached` when the core is about to execute one of these addresses for the first time."""
        self._chip.engine.watch_first(addresses, reached)

    def flip_bit(self, address: int, bit: int) -> None:
        """Invert bit 0..7 of the byte at `address`."""
        self.write_memory(address, bytes([self.read_memory(address, 1)[0] ^ 1 << bit]))

    def flip_ram_bit(self, address: int, bit: int) -> None:
        """Invert bit 0..7 of a byte; as `flip_bit`, but quicker, since code stays as it was translated."""
        view, offset = self._chip.memory.place(address, 1)
        view[offset] ^= 1 << bit

    def flip_register(self, name: str, bit: int) -> None:
        """Invert a bit of a register of the core, "r0" to "r12", "sp", "lr", "pc" or "apsr" (bits 28 to 31)."""
        self._chip.engine.registers.flip(name, bit)

    def at_instruction(self, number: int, do: Callable[[], None]) -> None:
        """Call `do` once, before the core executes the instruction of this number from now on."""
        self._chip.engine.call_at_instruction(number, do)

    def state(self) -> bytes:
        """Say in one word (a hash) in which state the controller is: two of one state go on alike.

        That is memory that is in use, flash, backup SRAM, registers of core and peripherals; not what has happened.
        """
        return fingerprint(self._chip, self._ram_used(), (self._powered, self._sleeping, self.halted))

    def _ram_used(self) -> int:
        """How many bytes of RAM the firmware's variables take; all of it where the image does not say so."""
        return max((each.stop - SRAM for each in self._image.runs_in if each.start in _RAM), default=SRAM_SIZE)

    def ram_in_use(self) -> tuple[range, range]:
        """Addresses of RAM that hold something: the variables, and the stack from its pointer up."""
        used, sp = self._ram_used(), self._chip.engine.registers.held()[SP_AT]
        return range(SRAM, SRAM + used), range(max(sp, SRAM + used), SRAM + SRAM_SIZE)

    def stop_clock(self) -> None:
        """Stop the main oscillator until the next reset: core and timers stand still, LSI's watchdog and RTC go on."""
        self._halt("the main clock has stopped")
        if self._powered:
            self._schedule_watchdog()

    def stop_calendar(self) -> None:
        """Stop the crystal of the RTC: it keeps the time that it has reached."""
        self._chip.rtc.start(False)

    def start_calendar(self) -> None:
        """Let the crystal of the RTC swing again: it goes on from the time that it kept."""
        self._chip.rtc.start(True)

    def lose_backup(self, *, calendar_only: bool = False) -> None:
        """Empty the cell of the backup domain while there is no power: calendar and backup SRAM, or one, are lost.

        Raises:
            RigError: the controller is powered, and power feeds the backup domain.
        """
        if self._powered:
            raise RigError("the backup domain is lost only while the controller has no power")
        self._chip.lose_backup(calendar_only=calendar_only)

    # ---- resets and halts ----------------------------------------------------------------------------------

    def _ask_reset(self, cause: str) -> None:
        """Reset at this moment, but not in the middle of an instruction."""
        self._reset_cause = cause
        if self._running:
            self._processor.stop()
        else:
            self._schedule(self._clock.now_ns)

    def _reset(self, cause: str) -> None:
        self._reset_cause = None
        self._reset_ns = self._clock.now_ns
        self.resets.append(cause)
        self._chip.reset()
        self._chip.rcc.note_reset(_RESET_FLAGS[cause], power_on=cause == "power")
        self.halted = None
        self.held = self._sleeping = self._circling = False  # a halt ends with any reset (DDI 0403E, C1.6.2)
        self._chip.watchdog.hold(False)
        self._processor.reset()
        self._schedule(self._clock.now_ns + (0 if cause == "power" else RESET_PULSE_NS))

    def _hangs(self) -> bool:
        """Say whether the core spins while its line is silent, although something was asked over it."""
        now_ns, usart = self._clock.now_ns, self._chip.usart
        return (
            now_ns - self._rested_ns >= HANGS_RESTLESS_NS
            and usart.heard_ns >= max(self._rested_ns, self._reset_ns)  # what came before a reset, nobody answers
            and usart.heard_ns > usart.sent_ns
            and now_ns - usart.heard_ns >= HANGS_SILENT_NS
        )

    def _halt(self, reason: str | None) -> None:
        self.halted = reason
        self._sleeping = self._circling = False
        self._reset_cause = None
        self._schedule(None)
        if self._running:
            self._processor.stop()

    # ---- the clock -----------------------------------------------------------------------------------------

    def _schedule(self, at_ns: int | None) -> None:
        if self._event is not None:
            if self._event_ns == at_ns:
                return
            self._event.cancel()
            self._event = None
        if at_ns is not None:
            self._event = self._clock.call_at(at_ns, self._attend)
            self._event_ns = at_ns

    def _bites_by(self, at_ns: int) -> bool:
        due_ns = self._chip.watchdog.due_ns()
        return due_ns is not None and due_ns <= at_ns

    def _schedule_watchdog(self) -> None:
        self._schedule(self._chip.watchdog.due_ns())

    def _attend(self) -> None:
        """Do what falls due now."""
        self._event = None
        if self._chip.watchdog.expired:
            self._reset_cause = "watchdog"
        if self._reset_cause is not None:
            self._reset(self._reset_cause)
            return
        if self.halted is not None or self.held:
            self._schedule_watchdog()
            return
        self._refresh_and_run()

    def _attend_line(self) -> None:
        """A line or a due time may have changed: go on if the core sleeps and this wakes it."""
        if not (self._sleeping or self._circling) or self._running:
            return
        if self._circling:
            self._schedule(self._clock.now_ns)
        elif self._processor.wakes():
            self._refresh_and_run()
        else:
            self._schedule(self._chip.due_ns())

    def _refresh_and_run(self) -> None:
        self.ctrl_c.hold()
        self._running, self._circling = True, False  # what rises during the refresh is looked at after it
        try:
            self._chip.refresh()
            if self._sleeping:
                if not self._processor.wakes():
                    self._sleep()
                    return
                self._sleeping = False
                self._rested_ns = self._clock.now_ns
                self.wake_ups += 1
            self._run()
        finally:
            self._running = False
            self.ctrl_c.release()

    def _sleep(self) -> None:
        if self._chip.scs.scr & SLEEPDEEP:
            raise RigError("the firmware entered stop or standby mode, which the emulated controller lacks")
        self._sleeping = True
        self._schedule(self._chip.due_ns())

    # ---- running -------------------------------------------------------------------------------------------

    def _after_write(self) -> None:
        self._processor.after_write()

    def _interrupt(self) -> None:
        """Software asked for a reset or for another access to the backup domain: see to it before it goes on."""
        if self._chip.scs.reset_asked:
            self._reset_cause = "software"
        if self._running:
            self._processor.stop()

    def _run(self) -> None:
        chip, processor = self._chip, self._processor
        busy_slices = 0
        while self._powered and self.halted is None and not self.held:
            if chip.backup_changed:
                chip.apply_backup_access()
            outcome = processor.run()
            if self._reset_cause is not None:
                self._reset(self._reset_cause)
                return
            if not self._powered or self.halted is not None or self.held:
                break
            if outcome is Outcome.ASLEEP:
                self._sleep()
                return
            if outcome is Outcome.BUSY and self._circles():
                return
            if outcome is Outcome.BUSY:
                next_ns = ns_of_cycle(cycles_at(self._clock.now_ns) + SLICE_INSTRUCTIONS)
                busy_slices += 1
                if not self.patient and self._hangs():
                    self._halt(_SPINS)
                    return
                if busy_slices == SLICES_ON_END or self._bites_by(next_ns) or not self._clock.pass_to(next_ns):
                    self._schedule(next_ns)
                    return
                chip.refresh()
            if outcome is Outcome.LOCKED_UP:
                self._halt(self.faults[-1])
                self._schedule_watchdog()
                return
        if self.held:
            self._schedule_watchdog()

    def _circles(self) -> bool:
        """Say whether the core branches to itself and nothing is due now: then it waits as if it slept."""
        if self._chip.memory.halfword(self._processor.pc) != _TO_ITSELF:
            return False
        due_ns, now_ns = self._chip.due_ns(), self._clock.now_ns
        if due_ns is None or due_ns <= now_ns:  # an interrupt that is masked, and comes no more
            due_ns = self._chip.watchdog.due_ns()
        if due_ns is not None and due_ns <= now_ns:
            return False
        self._circling = True
        self._schedule(due_ns)
        return True
