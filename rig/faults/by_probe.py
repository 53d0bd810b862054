"""What a debug probe does to the pump's controller: a bit that flips, a core that stands, a core that circles.

Not responsible for how a bench does it (`rig.procedures.controller`), nor for what lies where: its bench file says it.
"""

from __future__ import annotations

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from rig.toml_files import WholeNumber

Register = Literal["r0", "r1", "r2", "r3", "r4", "r5", "r6", "r7", "r8", "r9", "r10", "r11", "r12", "sp", "lr", "pc"]
FREE_RAM = "free RAM"
"""The place of four octets of RAM that the firmware does not use, for an endless loop."""


class ByProbe(BaseModel):
    """One thing that a probe does: `flip` a bit of a place, or of a `register`; let the core `hold`, or `loop`.

    Attributes:
        flip: a place in the controller's memory, as the bench file names it.
        register_name: a register of the core, which is halted at whatever it does then.
        bit: of the octet at the place, 0 to 7, or of the register, 0 to 31.
        hold: the core is halted: neither program nor interrupts run, until the fault is cleared.
        loop: the core is sent into an endless loop: its interrupts run, its program does not any more.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    flip: str | None = Field(default=None, min_length=1)
    register_name: Register | None = Field(default=None, alias="register")
    bit: WholeNumber | None = Field(default=None, ge=0, le=31)
    hold: Literal[True] | None = None
    loop: Literal[True] | None = None

    @model_validator(mode="after")
    def _is_one_thing(self) -> Self:
        done = [each for each in (self.flip, self.register_name, self.hold, self.loop) if each is not None]
        if len(done) != 1:
            raise ValueError("a probe does one of flip, register, hold, loop")
        if (self.bit is None) is not (self.hold or self.loop or False):
            raise ValueError("a bit, and nothing else, has its number")
        if self.flip is not None and self.bit is not None and self.bit > 7:
            raise ValueError("the bits of an octet are 0 to 7")
        return self

    @property
    def place(self) -> str | None:
        """The place in the controller's memory that it needs."""
        return FREE_RAM if self.loop else self.flip

    @property
    def in_words(self) -> str:
        """How it is done, in words."""
        if self.flip is not None:
            return f"bit {self.bit} of the {self.flip} flips"
        if self.register_name is not None:
            return f"bit {self.bit} of register {self.register_name} flips"
        return "the core is halted" if self.hold else "the core is sent into an endless loop"
