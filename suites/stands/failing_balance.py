"""A balance that fails while it answers: it freezes, is coarse, has a broken digit, or something lies on it.

Not responsible for faults of its line.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import cast

from rig.clock import Clock
from rig.roles import Balance, Bench, MassReading

Fault = Callable[[float, float], float]
"""What is shown, in g, at a bench second, for a mass in g."""


class FailingBalance:
    """The bench's balance, and what a fault makes of its readings."""

    def __init__(self, balance: Balance, clock: Clock, fault: Fault) -> None:
        self._balance, self._clock, self._fault = balance, clock, fault

    def __getattr__(self, name: str) -> object:
        return getattr(self._balance, name)

    def read(self) -> MassReading:
        """Measure the mass in g, and show something else."""
        reading = self._balance.read()
        return replace(reading, mass_g=self._fault(self._clock.now(), reading.mass_g))


def failing_bench(bench: Bench, fault: Fault) -> Bench:
    """The bench with a balance that fails."""
    return replace(bench, balance=cast("Balance", FailingBalance(bench.balance, bench.clock, fault)))


def frozen(from_s: float, until_s: float = float("inf")) -> Fault:
    """Repeat the last value from a bench second on, until another."""
    kept: list[float] = []

    def shown(at_s: float, mass_g: float) -> float:
        if at_s < from_s or at_s > until_s or not kept:
            kept[:] = [mass_g]
        return kept[0]

    return shown


def broken_digit(place: int, shows: Callable[[int], int]) -> Fault:
    """Show another digit in a decimal place of a µg, 0 the last one, than there is."""

    def shown(_at_s: float, mass_g: float) -> float:
        whole, step = round(mass_g * 1e6), int(10**place)
        digit = whole // step % 10
        return (whole + (shows(digit) - digit) * step) * 1e-6

    return shown


def rounded(digit_g: float) -> Fault:
    """Show readings to a coarser last digit, in g."""
    return lambda _at_s, mass_g: round(round(mass_g / digit_g) * digit_g, 9)


def laid_on(mass_g: float, from_s: float, until_s: float = float("inf")) -> Fault:
    """Put a mass on at a bench second, and take it off again at another."""
    return lambda at_s, true_g: true_g + (mass_g if from_s <= at_s <= until_s else 0.0)
