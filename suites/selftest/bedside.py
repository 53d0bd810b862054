"""A reference pump on its emulated board, and all that can be done to it: by pins, sensors, supply, memory and line.

What the pump makes of it is read on its line, octet by octet, and seen at its pins. Handles of what is outside the
Insulin Delivery Service are those of instruments/ids/protocol.md, section 2. Not responsible for what is right: the
tests are.
"""

from __future__ import annotations

from dataclasses import dataclass

from suites.selftest.conformance.emulated import EmulatedStand
from suites.selftest.conformance.history import Record, read_log
from suites.selftest.conformance.pump import Pump

STOP, PAUSE, RUN = 0x33, 0x3C, 0x55
PENDING, SNOOZED, CONFIRMED = 0x33, 0x3C, 0x55
DONE, CANCELLED, ERROR = "33", "3c", "55"
SYSTEM, MECHANICAL, OCCLUSION = "000f", "0033", "003c"
RESERVOIR, EMPTY, LOW = "0055", "005a", "0066"
BATTERY_EMPTY, BATTERY_LOW, TEMPERATURE, PRESSURE = "00aa", "00c3", "00ff", "0303"
BOLUS_CANCELLED, DATE = "030c", "0359"
RESET, RAM, FLASH, STORE, SENSOR, BUZZER, KEY, CLOCK = range(1, 9)
"""What is wrong, by the auxiliary information of a system issue (fixtures/controller/firmware/alarm.h)."""
STEPS_PER_DOSE, DOSE_U = 8, 0.025
SRAM, BACKUP_SRAM = (0x20000000, 1 << 14), (0x40024000, 1 << 12)
"""Address and size of what is looked through for a record."""


@dataclass(frozen=True)
class Shown:
    """The annunciation that the pump shows: its number, type, status and auxiliary information."""

    number: str
    kind: str
    status: int
    aux: int


class Bedside:
    """A pump that was just switched on and brought into a state (suites/selftest/conformance/states.py)."""

    def __init__(self, state: str) -> None:
        self.stand = EmulatedStand()
        self.host, self.board = self.stand.host, self.stand.host.board
        self.clock, self.mcu = self.host.clock, self.board.mcu
        self.pump = Pump(self.stand)
        self.pump.bring(state)

    # ---- what the pump says --------------------------------------------------------------------------------

    def shown(self) -> Shown | None:
        """What is annunciated."""
        value = self.pump.client.read("annunciation")
        if not value[0] & 1:
            return None
        aux = int.from_bytes(value[6:8], "little") if value[0] & 2 else 0
        return Shown(value[1:3].hex(), value[4:2:-1].hex(), value[5], aux)

    def what(self) -> tuple[str, int]:
        """Type and auxiliary information of what is annunciated."""
        shown = self.shown()
        assert shown is not None, "nothing is annunciated"
        return shown.kind, shown.aux

    def therapy(self) -> int:
        """The therapy state."""
        return self.pump.client.read("status")[0]

    def command(self, octets: str) -> str:
        """Carry out a procedure; gives its answer."""
        return self.pump.ask("command", octets).indication.hex()

    def maker(self, octets: str) -> str:
        """Carry out a procedure of the maker's own control point; gives its answer."""
        if "maker" not in self.pump.client.handles:
            self.pump.client.handles["maker"] = 0x2C
            self.pump.client.configure("maker")
        return self.pump.ask("maker", octets).indication.hex()

    def set_daylight_saving(self, quarters: int) -> None:
        """Write Local Time Information: central Europe, and so many quarters of an hour of daylight saving time."""
        assert self.pump.client.request(f"12 2900 04 {quarters:02x}").hex() == "13"

    def run(self) -> str:
        """Tell therapy to run: "550f5a0f0f" when it does, "550f5a0f74" when that is not applicable."""
        return self.command("5a0f 55")

    def answer(self, op_code: str) -> str:
        """Snooze (690f) or confirm (990f) what is shown; gives the answer."""
        shown = self.shown()
        assert shown is not None, "nothing is annunciated"
        return self.command(f"{op_code} {shown.number}")

    def confirm(self) -> str:
        """Confirm what is shown: "a50f…" when that clears it, "550f990f74" when its cause holds."""
        return self.answer("990f")

    def on_board_u(self) -> float:
        """The insulin on board."""
        answer = self.pump.ask("reader", "f303").indication
        assert answer[:2].hex() == "fc03"
        return sfloat(answer[3:5])

    def log(self) -> list[Record]:
        """The log, the numbers of which must have no gap."""
        log = read_log(self.pump.client)
        assert [record.number for record in log] == list(range(len(log)))
        return log

    def annunciated(self) -> list[tuple[str, int, int]]:
        """What the log says of annunciations: type, status and auxiliary information."""
        return [
            (r.data[4:2:-1].hex(), r.data[5], int.from_bytes(r.data[6:8], "little"))
            for r in self.log()
            if r.event == "3f03"
        ]

    def bolus_ended(self) -> tuple[float, str]:
        """How much of the one bolus that ended was delivered, in U, and the octet that says why it ended."""
        log = self.log()
        ((place, first),) = [(place, r) for place, r in enumerate(log) if r.event == "6900"]
        second = log[place + 1]
        assert second.event == "9600"
        reason = 5 + (second.data[0] & 1)
        return sfloat(first.data[3:5]) + sfloat(first.data[5:7]), second.data[reason : reason + 1].hex()

    # ---- what is done to it --------------------------------------------------------------------------------

    def sleep(self, duration_s: float) -> None:
        """Let time pass."""
        self.clock.sleep(duration_s)

    def switch_off(self) -> None:
        """Take the supply away."""
        self.stand.hand("power off")

    def switch_on(self) -> None:
        """Give the supply back and connect."""
        self.stand.hand("power on")
        self.sleep(1.0)
        self.pump.client.connect()

    def press(self, key: str, duration_s: float = 0.2) -> None:
        """Press a key and let go of it."""
        self.board.set_key(key, pressed=True)
        self.sleep(duration_s)
        self.board.set_key(key, pressed=False)
        self.sleep(0.2)

    def places(self, octets: bytes, memory: tuple[int, int]) -> list[int]:
        """Find where octets lie in a memory; there is at least one place."""
        start, size = memory
        content = self.mcu.read_memory(start, size)
        found = [start + place for place in range(0, size, 4) if content.startswith(octets, place)]
        assert found, f"{octets.hex(' ')} is not in the memory at {start:#x}"
        return found


def sfloat(octets: bytes) -> float:
    """The value of an SFLOAT that is not negative (IEEE 11073-20601)."""
    raw = int.from_bytes(octets, "little")
    return float((raw & 0x7FF) * 10.0 ** ((raw >> 12) - 16 * (raw >> 15)))
