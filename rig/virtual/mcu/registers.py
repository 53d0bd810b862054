"""The core's registers: a snapshot of those that exceptions care about, and the writes that exceptions need.

Not responsible for when they change: whoever ran the engine reads them anew.
"""

from __future__ import annotations

from rig.virtual.mcu.binding import RegisterBatch, arm_const

# Where each register stands in `Registers.values`; the first eight are in the order of the stacked frame.
R0, R1, R2, R3, R12, LR, PC, XPSR, SP, CONTROL, PRIMASK, BASEPRI, FAULTMASK = range(13)
FRAME_WORDS = 8
XPSR_T = 1 << 24


class Registers:
    """The registers of one core; `values` is the snapshot that `read` takes."""

    def __init__(self, handle: object) -> None:
        c = arm_const
        frame = [c.UC_ARM_REG_R0, c.UC_ARM_REG_R1, c.UC_ARM_REG_R2, c.UC_ARM_REG_R3, c.UC_ARM_REG_R12, c.UC_ARM_REG_LR]
        masks = [c.UC_ARM_REG_PRIMASK, c.UC_ARM_REG_BASEPRI, c.UC_ARM_REG_FAULTMASK]
        # Writing XPSR does not tell the translator that handler mode began or ended; writing APSR_NZCV after it does.
        status = [c.UC_ARM_REG_XPSR, c.UC_ARM_REG_APSR_NZCV]

        def batch(*register_ids: int) -> RegisterBatch:
            return RegisterBatch(handle, list(register_ids))

        self._snapshot = batch(
            *frame, c.UC_ARM_REG_PC, c.UC_ARM_REG_XPSR, c.UC_ARM_REG_SP, c.UC_ARM_REG_CONTROL, *masks
        )
        self.values = self._snapshot.values
        self.read = self._snapshot.read
        self._enter = batch(c.UC_ARM_REG_SP, c.UC_ARM_REG_LR, *status)
        self._leave = batch(*frame, *status, c.UC_ARM_REG_SP)
        self._masks = batch(*masks)
        self._faultmask = batch(c.UC_ARM_REG_FAULTMASK)
        self._pc = batch(c.UC_ARM_REG_PC)
        self._control = batch(c.UC_ARM_REG_CONTROL)
        self._process_sp = batch(c.UC_ARM_REG_PSP)
        self._general = batch(*[c.UC_ARM_REG_R0 + number for number in range(13)])

        self._single = {
            **{f"r{number}": batch(c.UC_ARM_REG_R0 + number) for number in range(13)},
            "sp": batch(c.UC_ARM_REG_SP),
            "lr": batch(c.UC_ARM_REG_LR),
            "pc": self._pc,
            "apsr": batch(c.UC_ARM_REG_APSR_NZCV),
        }

    def flip(self, name: str, bit: int) -> None:
        """Invert bit 0..31 of "r0" to "r12", "sp", "lr" or "pc", or one of 28..31 of "apsr"."""
        register = self._single[name]
        register.read()
        register.values[0] ^= 1 << bit
        register.write()

    def get(self, name: str) -> int:
        """Read one of those that `flip` knows."""
        register = self._single[name]
        register.read()
        value: int = register.values[0]
        return value

    def set(self, name: str, value: int) -> None:
        """Write one of those that `flip` knows."""
        register = self._single[name]
        register.values[0] = value
        register.write()

    def held(self) -> tuple[int, ...]:
        """What r0 to r12, sp, lr, pc and the status flags hold."""
        for register in self._single.values():
            register.read()
        return tuple(register.values[0] for register in self._single.values())

    def pc(self) -> int:
        """The program counter, without taking a snapshot."""
        self._pc.read()
        value: int = self._pc.values[0]
        return value

    def process_sp(self) -> int:
        """The process stack pointer."""
        self._process_sp.read()
        value: int = self._process_sp.values[0]
        return value

    def set_control(self, value: int) -> None:
        """Set CONTROL."""
        self._control.values[0] = value
        self._control.write()

    def set_faultmask(self, value: int) -> None:
        """Set FAULTMASK."""
        self._faultmask.values[0] = value
        self._faultmask.write()

    def clear_masks(self) -> None:
        """Set PRIMASK, BASEPRI and FAULTMASK to 0."""
        values = self._masks.values
        values[0] = values[1] = values[2] = 0
        self._masks.write()

    def enter_handler(self, sp: int, lr: int, xpsr: int) -> None:
        """Set the stack that was in use, then lr and xpsr: handler mode begins, on the main stack."""
        values = self._enter.values
        values[0], values[1], values[2], values[3] = sp, lr, xpsr, xpsr
        self._enter.write()

    def leave_handler(self, frame: tuple[int, ...], xpsr: int, sp: int) -> None:
        """Set r0–r3, r12 and lr from a stacked frame, then xpsr, then sp of the stack that xpsr and CONTROL select."""
        values = self._leave.values
        values[0], values[1], values[2], values[3], values[4], values[5], _, _ = frame
        values[6] = values[7] = xpsr
        values[8] = sp
        self._leave.write()

    def reset(self, sp: int) -> None:
        """Take reset values: thread mode on the main stack, nothing masked (DDI 0403E, B1.5.5)."""
        for index in range(len(self._general.values)):
            self._general.values[index] = 0
        self._general.write()
        self.clear_masks()
        self.enter_handler(sp, 0xFFFFFFFF, XPSR_T)
        self.set_control(0)
        self._process_sp.values[0] = 0
        self._process_sp.write()
        self.enter_handler(sp, 0xFFFFFFFF, XPSR_T)
