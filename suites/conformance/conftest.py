"""The stand of the conformance suite: the reference controller's firmware on its emulated board.

A pump on a laboratory's bench is another class with the methods of `Stand`; nothing else here knows where one is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from suites.conformance.client import Link
from suites.conformance.pump import Pump
from suites.selftest.firmware_host import Host


class EmulatedStand:
    """The firmware, freshly switched on."""

    def __init__(self) -> None:
        self._host = Host()
        self.link: Link = self
        self._switched_on = 1

    def send(self, pdu: bytes) -> None:
        """Send one PDU."""
        self._host.send(pdu.hex())

    def receive(self, timeout_s: float) -> bytes | None:
        """Get the next PDU, None when none has come within `timeout_s`."""
        deadline_s = self._host.clock.now() + timeout_s
        while not (pdu := self._host.hear()):
            if self._host.clock.now() >= deadline_s:
                return None
        return bytes.fromhex(pdu)

    def wait(self, duration_s: float) -> None:
        """Let time pass."""
        self._host.clock.sleep(duration_s)

    def hand(self, does: str) -> None:
        """Do something by hand at the pump."""
        match does:
            case "detach reservoir" | "attach reservoir":
                self._host.board.reservoir_attached = does.startswith("attach")
            case "power off":
                self._host.board.set_rail(0.0)
            case "power on":
                self._switched_on += 1
                self._host.board.set_rail(3.7)
            case _:
                raise ValueError(f"no hand can {does}")

    def motor_steps(self) -> int:
        """Get how far the motor has turned, in steps."""
        return self._host.steps

    def check(self) -> None:
        """The firmware must neither crash nor be restarted by its watchdog."""
        assert self._host.board.mcu.resets == ["power"] * self._switched_on, "the firmware was restarted"
        assert self._host.board.mcu.faults == []


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
