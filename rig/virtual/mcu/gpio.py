"""GPIO ports (RM0090 rev 19, section 8): modes, levels and who hears of them.

Not responsible for alternate functions beyond saying that a pin is set to one.
"""

from __future__ import annotations

from collections.abc import Callable

MODER, OTYPER, OSPEEDR, PUPDR, IDR, ODR, BSRR, LCKR, AFRL, AFRH = range(0x00, 0x28, 4)
INPUT, OUTPUT, ALTERNATE, ANALOG = range(4)


class GpioPort:
    """Sixteen pins; `on_output(pin, high)` hears each change of a driven pin, `on_alternate` each change of function.

    A pin that is not driven counts as low for `on_output`.
    """

    def __init__(
        self,
        words: memoryview,
        on_output: Callable[[int, bool], None],
        on_alternate: Callable[[], None],
        *,
        reset_moder: int = 0,
        reset_pupdr: int = 0,
    ) -> None:
        self.words = words
        self.clocked = False
        self._on_output = on_output
        self._on_alternate = on_alternate
        self._reset = reset_moder, reset_pupdr
        self._driven = 0  # inputs that something outside drives, and their levels
        self._outside = 0
        self._levels = 0  # output levels as last told
        self.reset()

    def reset(self) -> None:
        """Take reset values: inputs, apart from the debug pins of ports A and B (8.4)."""
        for index in range(10):
            self.words[index] = 0
        self.words[MODER >> 2], self.words[PUPDR >> 2] = self._reset
        self._changed()

    def mode(self, pin: int) -> int:
        """INPUT, OUTPUT, ALTERNATE or ANALOG."""
        mode: int = self.words[MODER >> 2] >> 2 * pin & 3
        return mode

    def function(self, pin: int) -> int | None:
        """The number of the alternate function that a pin is set to, None when it is not."""
        if self.mode(pin) != ALTERNATE:
            return None
        function: int = self.words[(AFRL >> 2) + pin // 8] >> 4 * (pin % 8) & 15
        return function

    def output(self, pin: int) -> bool:
        """The level of a driven pin; False when it is not driven."""
        return bool(self._levels >> pin & 1)

    def level(self, pin: int) -> bool:
        """A pin's level, whoever drives it."""
        return bool(self.words[IDR >> 2] >> pin & 1)

    def drive(self, pin: int, high: bool | None) -> None:
        """Drive a pin from outside; None lets go of it."""
        bit = 1 << pin
        self._driven = self._driven & ~bit if high is None else self._driven | bit
        self._outside = self._outside | bit if high else self._outside & ~bit
        self._update_inputs()

    def write(self, offset: int, value: int) -> None:
        """Write a register."""
        words = self.words
        if offset == BSRR:
            words[ODR >> 2] = words[ODR >> 2] & ~(value >> 16) | value & 0xFFFF  # set wins (8.4.7)
        elif offset == ODR:
            words[ODR >> 2] = value & 0xFFFF
        elif offset in (IDR, LCKR):
            return  # locking pins is not modelled
        elif offset <= AFRH:
            words[offset >> 2] = value & 0xFFFFFFFF
        self._changed()
        if offset in (MODER, AFRL, AFRH):
            self._on_alternate()

    def _changed(self) -> None:
        moder, odr = self.words[MODER >> 2], self.words[ODR >> 2]
        levels = 0
        remaining = odr
        while remaining:
            bit = remaining & -remaining
            remaining &= remaining - 1
            if moder >> 2 * (bit.bit_length() - 1) & 3 == OUTPUT:
                levels |= bit
        changed = levels ^ self._levels
        self._levels = levels
        self._update_inputs()
        while changed:
            bit = changed & -changed
            changed &= changed - 1
            self._on_output(bit.bit_length() - 1, bool(levels & bit))

    def _update_inputs(self) -> None:
        """IDR: the pin's level; an undriven one follows its pull resistor, without one it reads low; analog reads 0."""
        moder, pupdr = self.words[MODER >> 2], self.words[PUPDR >> 2]
        if (moder, pupdr) != self._masked_for:
            self._masked_for = (moder, pupdr)
            self._input_mask = sum(1 << n for n in range(16) if moder >> 2 * n & 3 in (INPUT, ALTERNATE))
            self._pull_up = sum(1 << n for n in range(16) if pupdr >> 2 * n & 3 == 1)
        inputs = self._outside | self._pull_up & ~self._driven
        self.words[IDR >> 2] = inputs & self._input_mask | self._levels

    _masked_for: tuple[int, int] | None = None
    _input_mask = 0
    _pull_up = 0
