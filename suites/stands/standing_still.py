"""A computer that is late: it asks a balance some time after it is due, and stands still once for a long while.

The bench's own clock goes on meanwhile, and so does the pump. Not responsible for what is made of it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import cast

from rig.clock import Clock
from rig.roles import Balance, Bench, MassReading


class StallsAt:
    """A device of the bench beside which the computer stands still once: at the n-th call of a command of its.

    Args:
        device: the bench's.
        clock: the bench's.
        command: the name of its method.
        number: which call of it, from 1.
        stall_s: for how long.
        heard: whether the device has heard the command already.
    """

    def __init__(self, device: object, clock: Clock, command: str, number: int, stall_s: float, *, heard: bool) -> None:
        self._device, self._clock = device, clock
        self._command, self._left, self._stall_s, self._heard = command, number, stall_s, heard

    def __getattr__(self, name: str) -> object:
        own = getattr(self._device, name)
        if name != self._command:
            return own

        def told(*args: object, **kwargs: object) -> object:
            self._left -= 1
            stall_s = 0.0 if self._left else self._stall_s
            self._clock.sleep(0.0 if self._heard else stall_s)
            answer = own(*args, **kwargs)
            self._clock.sleep(stall_s if self._heard else 0.0)
            return answer

        return told


class LateBalance:
    """The bench's balance, asked late.

    Args:
        balance: the bench's.
        clock: the bench's.
        late_s: by how much each reading is asked for late, in s.
        stalls: from which bench second on the computer stands still, and for how long; each once, in their order.
        answered: whether the answer is on the line already while it stands still, and is read with the moment after.
    """

    def __init__(
        self,
        balance: Balance,
        clock: Clock,
        late_s: Callable[[], float] = lambda: 0.0,
        stalls: tuple[tuple[float, float], ...] = (),
        *,
        answered: bool = False,
    ) -> None:
        self._balance = balance
        self._clock = clock
        self._late_s = late_s
        self._stalls = list(stalls)
        self._answered = answered

    def __getattr__(self, name: str) -> object:
        return getattr(self._balance, name)

    def read(self) -> MassReading:
        """Measure the mass in g, late."""
        self._clock.sleep(self._late_s())
        stall_s = 0.0
        if self._stalls and self._clock.now() >= self._stalls[0][0]:
            stall_s = self._stalls.pop(0)[1]
        if not self._answered:
            self._clock.sleep(stall_s)
        reading = self._balance.read()
        if self._answered:
            self._clock.sleep(stall_s)
        return reading


def late_bench(
    bench: Bench,
    late_s: Callable[[], float] = lambda: 0.0,
    stalls: tuple[tuple[float, float], ...] = (),
    *,
    answered: bool = False,
) -> Bench:
    """The bench with its balance asked late; as `LateBalance`."""
    late = LateBalance(bench.balance, bench.clock, late_s, stalls, answered=answered)
    return replace(bench, balance=cast("Balance", late))
