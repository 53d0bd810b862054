"""The processor: runs instructions, takes exceptions, sleeps, faults and locks up (ARMv7-M ARM DDI 0403E, B1.5).

Not responsible for time: it says what happened, and core.py decides when to go on.
"""

from __future__ import annotations

from enum import Enum

from rig.errors import RigError
from rig.virtual.mcu.bus import is_peripheral, not_modelled
from rig.virtual.mcu.engine import EXC_RETURN_MIN, Engine, Status
from rig.virtual.mcu.exceptions import Exceptions, StackError
from rig.virtual.mcu.image import Image
from rig.virtual.mcu.memory import Memory
from rig.virtual.mcu.nvic import BUS_FAULT, HARD_FAULT, SVCALL, USAGE_FAULT, Nvic
from rig.virtual.mcu.registers import BASEPRI, FAULTMASK, PC, PRIMASK
from rig.virtual.mcu.scs import SLEEPONEXIT, SystemControl

SLICE_INSTRUCTIONS = 1250
"""Instructions that run at one moment of simulated time: 78 µs at 16 MHz, less than a character of the UART at
115200 Bd: an interrupt waits for the end of the slice, and a longer one would lose characters that hardware keeps."""

_WFI, _WFE, _SVC = 0xBF30, 0xBF20, 0xDF
_BFARVALID, _INVSTATE, _UNDEFINSTR, _INVPC, _IBUSERR, _PRECISERR, _STKERR = (
    1 << 15,
    1 << 17,
    1 << 16,
    1 << 18,
    1 << 8,
    1 << 9,
    1 << 12,
)
_FORCED = 1 << 30
_EXACT_LOOKS = 64
_HANDLER_CYCLES = 32
"""What entering and leaving a handler counts for: 24 cycles (Cortex-M4 TRM, 3.9.1) and a few instructions. So an
interrupt that nobody clears uses slices up too, and meets the watchdog."""


class Outcome(Enum):
    """What a run ended with."""

    GO_ON = "there is more to do now"
    ASLEEP = "WFI, and nothing pending"
    BUSY = "the slice is used up"
    LOCKED_UP = "a fault that can't be handled"


class Processor:
    """A Cortex-M4 with its exceptions.

    Attributes:
        pc: the address of the next instruction.
        faults: what each fault so far was, in words.
    """

    def __init__(self, engine: Engine, memory: Memory, nvic: Nvic, scs: SystemControl) -> None:
        self._engine = engine
        self._memory = memory
        self._nvic = nvic
        self._scs = scs
        self._registers = engine.registers
        self._exceptions = Exceptions(engine.registers, memory, nvic)
        self._blocked = 0  # exceptions that were ready but outranked when the core last went on
        self._spent = 0  # instructions of the present slice, where they are known
        self._masked_looks = 0
        self._interrupted = self._looks = False
        self.pc = 0
        self.faults: list[str] = []

    def load(self, image: Image) -> None:
        """Find the WFI instructions of the firmware, so that the end of a slice is never taken for a sleep."""
        self._engine.watch_code(
            address + offset
            for address, data in image.segments
            for offset in range(0, len(data) - 1, 2)
            if data[offset] | data[offset + 1] << 8 == _WFI
        )

    def reset(self) -> None:
        """Take stack pointer and start address from the vector table at 0 (B1.5.5)."""
        self._blocked = self._spent = self._masked_looks = 0
        self._registers.reset(self._memory.word(0) & ~3)
        self._registers.read()
        self.pc = self._memory.word(4) & ~1

    def stop(self) -> None:
        """End the run after the present instruction; called while it runs."""
        self._interrupted = True
        self._engine.stop()

    def after_write(self) -> None:
        """A register was written: look before the next instruction if an exception became ready."""
        nvic = self._nvic
        if nvic.pending & nvic.enabled & ~self._blocked:
            self._looks = True
            self._engine.stop()

    def wakes(self) -> bool:
        """Whether what is pending ends a WFI: PRIMASK does not count here (B1.5.19)."""
        nvic = self._nvic
        if not nvic.pending & nvic.enabled:
            return False
        return nvic.group(nvic.candidate()) < nvic.masked_priority(0, self._registers.values[BASEPRI], 0)

    def run(self) -> Outcome:
        """Run instructions and take exceptions until the core sleeps, the slice is used up, or `stop`."""
        engine, registers, nvic = self._engine, self._registers, self._nvic
        self._interrupted = False
        while self._spent < SLICE_INSTRUCTIONS:
            limit = self._next_limit()
            if limit == 0:
                return Outcome.LOCKED_UP
            self._blocked = nvic.pending & nvic.enabled
            self._looks = False
            status = engine.run(self.pc, limit)
            registers.read()
            self.pc = registers.values[PC]
            if status:
                outcome = self._stopped_by(status, self.pc)
            elif engine.reached:
                engine.reached = False
                outcome = self._wait()
            else:
                outcome = Outcome.GO_ON
                self._spent += _HANDLER_CYCLES if self._looks or self._interrupted else limit
            if outcome is not Outcome.GO_ON or self._interrupted:
                if outcome is Outcome.ASLEEP:
                    self._spent = 0
                return outcome
        self._spent = 0
        return Outcome.BUSY

    def _next_limit(self) -> int:
        """Take the exception that is due; get how many instructions may run until the next look, 0 when locked up."""
        nvic = self._nvic
        if not nvic.pending & nvic.enabled:
            self._masked_looks = 0
            return SLICE_INSTRUCTIONS
        candidate = nvic.candidate()
        priority = nvic.group(candidate)
        if priority >= nvic.active_priority():
            return SLICE_INSTRUCTIONS
        if priority < self._masked_priority():
            self._masked_looks = 0
            return 0 if self._take(candidate) is Outcome.LOCKED_UP else SLICE_INSTRUCTIONS
        # Only a mask holds it back: it comes in the moment the mask is lifted, so watch each instruction for that.
        # What stays masked for longer is looked at ever more rarely, lest code that hangs so takes for ever.
        self._masked_looks += 1
        return 1 if self._masked_looks <= _EXACT_LOOKS else min(1 << self._masked_looks - _EXACT_LOOKS, 1024)

    def _wait(self) -> Outcome:
        return Outcome.GO_ON if self.wakes() else Outcome.ASLEEP

    # ---- exceptions ----------------------------------------------------------------------------------------

    def _take(self, exception: int) -> Outcome:
        try:
            self.pc = self._exceptions.enter(exception, self.pc, self._scs.vtor)
        except StackError as error:
            if exception == HARD_FAULT:
                return self._lock_up(str(error))
            return self._fault(BUS_FAULT, _STKERR, str(error))
        except RigError as error:
            return self._lock_up(f"no vector for exception {exception}: {error}")
        self._spent += _HANDLER_CYCLES
        return Outcome.GO_ON

    def _return(self, exc_return: int) -> Outcome:
        try:
            self.pc = self._exceptions.leave(exc_return)
        except StackError as error:
            return self._fault(USAGE_FAULT, _INVPC, str(error))
        if self._nvic.pending:
            self._registers.read()  # another exception may come before the next instruction
        if self._scs.scr & SLEEPONEXIT and not self._nvic.active:
            return self._wait()
        return Outcome.GO_ON

    def _stopped_by(self, status: int, pc: int) -> Outcome:
        if status == Status.EXCEPTION:
            if pc >= EXC_RETURN_MIN:
                return self._return(pc | 1)
            if self._memory.halfword(pc - 2) >> 8 == _SVC:
                return self._raise(SVCALL, "SVC at a priority that can't take it")
            return self._fault(USAGE_FAULT, _INVSTATE, f"illegal instruction or state at {pc:#010x}")
        if status == Status.INSN_INVALID:
            if self._memory.halfword(pc - 2) == _WFE:
                return self._wait()
            return self._fault(USAGE_FAULT, _UNDEFINSTR, f"undefined instruction at {pc:#010x}")
        if status in (Status.FETCH_UNMAPPED, Status.FETCH_PROT):
            return self._fault(BUS_FAULT, _IBUSERR, f"no code at {pc:#010x}")
        address = self._engine.bad_address
        if is_peripheral(address):
            raise not_modelled(address)
        self._scs.fault_address = address
        cause = _PRECISERR | _BFARVALID
        return self._fault(BUS_FAULT, cause, f"the code at {pc:#010x} used {address:#010x}, where there is nothing")

    def _fault(self, exception: int, cause: int, reason: str) -> Outcome:
        self._scs.cfsr |= cause
        self.faults.append(reason)
        return self._raise(exception, reason)

    def _raise(self, exception: int, reason: str) -> Outcome:
        """Take a synchronous exception; as a HardFault unless it is enabled and outranks what runs (B1.5.14)."""
        nvic = self._nvic
        present = self._masked_priority()
        if not (nvic.enabled >> exception & 1 and nvic.group(exception) < present):
            if present <= -1:
                return self._lock_up(reason)
            self._scs.hfsr |= _FORCED
            exception = HARD_FAULT
        return self._take(exception)

    def _masked_priority(self) -> int:
        values = self._registers.values
        return self._nvic.masked_priority(values[PRIMASK], values[BASEPRI], values[FAULTMASK])

    def _lock_up(self, reason: str) -> Outcome:
        """Stand still until a reset (B1.5.15)."""
        self.faults.append(f"lock-up: {reason}")
        return Outcome.LOCKED_UP
