"""The stand of the conformance suite: the reference controller's firmware on its emulated board.

A pump on a laboratory's bench is another class with the methods of `Stand`; nothing else here knows where one is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from suites.selftest.conformance.emulated import EmulatedStand
from suites.selftest.conformance.pump import Pump


@pytest.fixture
def new_pump() -> Iterator[Callable[[], Pump]]:
    """Give a function that switches a pump on and connects to it."""
    stands: list[EmulatedStand] = []

    def switch_on() -> Pump:
        stands.append(EmulatedStand())
        return Pump(stands[-1])

    yield switch_on
    for stand in stands:
        stand.check()


@pytest.fixture
def pump(new_pump: Callable[[], Pump]) -> Pump:
    """Give a pump that was just switched on and connected to."""
    return new_pump()
