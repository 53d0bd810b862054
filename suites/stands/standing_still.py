"""A computer that is late: it asks a balance some time after it is due, and stands still once for a long while.

The bench's own clock goes on meanwhile, and so does the pump. Not responsible for what is made of it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import cast

from rig.clock import Clock
from rig.roles import Balance, Bench, MassReading


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
