"""The reference controller's firmware on its emulated board, as a stand of the conformance suite.

Not responsible for what is asked of it.
"""

from __future__ import annotations

from suites.selftest.conformance.client import Link
from suites.stands.firmware_host import Host


class EmulatedStand:
    """The firmware, freshly switched on.

    Attributes:
        host: the line's end, the board, the motor's steps.
    """

    def __init__(self) -> None:
        self.host = Host()
        self.link: Link = self
        self._switched_on = 1

    def send(self, pdu: bytes) -> None:
        """Send one PDU."""
        self.host.send(pdu.hex())

    def receive(self, timeout_s: float) -> bytes | None:
        """The next PDU, None when none has come within `timeout_s`."""
        deadline_s = self.host.clock.now() + timeout_s
        while not (pdu := self.host.hear()):
            if self.host.clock.now() >= deadline_s:
                return None
        return bytes.fromhex(pdu)

    def wait(self, duration_s: float) -> None:
        """Let time pass."""
        self.host.clock.sleep(duration_s)

    def hand(self, does: str) -> None:
        """Do something by hand at the pump."""
        match does:
            case "detach reservoir" | "attach reservoir":
                self.host.board.reservoir_attached = does.startswith("attach")
            case "power off":
                self.host.board.set_rail(0.0)
            case "power on":
                self._switched_on += 1
                self.host.board.set_rail(3.7)
            case _:
                raise ValueError(f"no hand can {does}")

    def motor_steps(self) -> int:
        """How far the motor has turned, in steps."""
        return self.host.steps

    def check(self) -> None:
        """The firmware must neither crash nor be restarted by its watchdog."""
        assert self.host.board.mcu.resets == ["power"] * self._switched_on, "the firmware was restarted"
        assert self.host.board.mcu.faults == []
