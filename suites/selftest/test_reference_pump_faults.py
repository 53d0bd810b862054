"""What the reference pump finds wrong with itself and around it: what it annunciates, whether it stops, what it logs.

Faults come in by pins, sensors, supply and memory; what the pump makes of them is read on its line, octet by octet, and
seen at its motor.
"""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from suites.conformance.emulated import EmulatedStand
from suites.conformance.history import Record, read_log
from suites.conformance.pump import Pump

STOP, RUN = 0x33, 0x55
SYSTEM, MECHANICAL, OCCLUSION = "000f", "0033", "003c"
BATTERY_EMPTY, BATTERY_LOW, TEMPERATURE, PRESSURE = "00aa", "00c3", "00ff", "0303"
RESET, FLASH, SENSOR, BUZZER, KEY = 1, 3, 5, 6, 7
"""What is wrong, by the auxiliary information of a system issue (fixtures/controller/firmware/alarm.h)."""
STEPS_PER_DOSE = 8
BOLUS_DELIVERED = "6900"


@dataclass(frozen=True)
class Shown:
    """The annunciation that the pump shows: its number, type, status and auxiliary information."""

    number: str
    kind: str
    status: int
    aux: int


class Bedside:
    """A pump, and all that can be done to it."""

    def __init__(self, state: str) -> None:
        self.stand = EmulatedStand()
        self.host, self.board = self.stand.host, self.stand.host.board
        self.pump = Pump(self.stand)
        self.pump.bring(state)

    def shown(self) -> Shown | None:
        value = self.pump.client.read("annunciation")
        if not value[0] & 1:
            return None
        aux = int.from_bytes(value[6:8], "little") if value[0] & 2 else 0
        return Shown(value[1:3].hex(), value[4:2:-1].hex(), value[5], aux)

    def therapy(self) -> int:
        return self.pump.client.read("status")[0]

    def confirm(self) -> str:
        """Confirm what is shown; gives the op code and code of the answer."""
        shown = self.shown()
        assert shown is not None
        return self.pump.client.procedure("command", f"990f {shown.number}").indication.hex()

    def log(self) -> list[Record]:
        log = read_log(self.pump.client)
        assert [record.number for record in log] == list(range(len(log)))
        return log


def of(shown: Shown | None) -> tuple[str, int]:
    assert shown is not None, "nothing is annunciated"
    return shown.kind, shown.aux


def test_an_occlusion_is_four_doses_above_the_threshold() -> None:
    bed = Bedside("fast bolus")
    bed.host.clock.sleep(2.5)
    before = bed.host.steps
    bed.host.force_n = 13.0
    bed.host.clock.sleep(30.0)
    assert of(bed.shown()) == (OCCLUSION, 0)
    assert bed.therapy() == STOP
    assert bed.host.steps - before <= 5 * STEPS_PER_DOSE
    assert bed.confirm() == "550f990f74"  # its cause holds
    bed.host.force_n = 2.0
    assert bed.confirm().startswith("a50f")
    assert bed.therapy() == STOP, "it does not go on by itself"


@pytest.mark.parametrize("voltage_v", [0.0, 3.3])
def test_a_force_sensor_beyond_its_range_stops_therapy_before_the_next_dose(voltage_v: float) -> None:
    bed = Bedside("fast bolus")
    bed.host.clock.sleep(2.5)
    before = bed.host.steps
    bed.board.stuck_force_v = voltage_v
    bed.host.clock.sleep(60.0)
    assert bed.host.steps == before
    assert of(bed.shown()) == (SYSTEM, SENSOR)
    assert bed.therapy() == STOP
    assert bed.pump.client.procedure("command", "5a0f 55").indication.hex() == "550f5a0f74"


def test_a_motor_that_does_not_turn_is_found_by_its_encoder_and_stopped() -> None:
    bed = Bedside("fast bolus")
    bed.host.clock.sleep(2.5)
    bed.board.motor_stalled = True
    stalled_s = bed.host.clock.now()
    while bed.therapy() == RUN:
        bed.host.clock.sleep(0.5)
        assert bed.host.clock.now() < stalled_s + 10.0, "four doses at the most may be missed"
    assert of(bed.shown()) == (MECHANICAL, 0)


def test_a_broken_buzzer_is_told_and_does_not_stop_therapy() -> None:
    bed = Bedside("basal")
    bed.board.buzzer_broken = True
    bed.stand.hand("power off")
    bed.host.clock.sleep(1.0)
    bed.stand.hand("power on")
    bed.host.clock.sleep(1.0)
    bed.pump.client.connect()
    kinds = [record.data[3:5].hex() + record.data[6:8].hex() for record in bed.log() if record.event == "3f03"]
    assert "0f000600" in kinds
    bed.board.buzzer_broken = False


@pytest.mark.parametrize(
    ("what", "value", "back", "kind"),
    [
        ("temperature_c", 41.0, 38.5, TEMPERATURE),
        ("temperature_c", 4.0, 6.5, TEMPERATURE),
        ("ambient_hpa", 690.0, 720.0, PRESSURE),
        ("ambient_hpa", 1070.0, 1040.0, PRESSURE),
    ],
)
def test_surroundings_out_of_their_band_are_told_within_a_minute(
    what: str, value: float, back: float, kind: str
) -> None:
    bed = Bedside("basal")
    setattr(bed.host, what, value)
    bed.host.clock.sleep(61.0)
    assert of(bed.shown()) == (kind, 0)
    assert bed.therapy() == RUN
    assert bed.confirm() == "550f990f74"  # its cause holds
    setattr(bed.host, what, back)
    assert bed.confirm().startswith("a50f")
    assert bed.shown() is None


def test_a_battery_warns_before_it_stops_therapy() -> None:
    bed = Bedside("basal")
    bed.board.set_rail(3.35)
    bed.host.clock.sleep(61.0)
    assert of(bed.shown()) == (BATTERY_LOW, 0)
    assert bed.therapy() == RUN
    bed.board.set_rail(3.15)
    bed.host.clock.sleep(61.0)
    assert of(bed.shown()) == (BATTERY_EMPTY, 0)
    assert bed.therapy() == STOP
    assert bed.pump.client.procedure("command", "5a0f 55").indication.hex() == "550f5a0f74"


def test_a_key_that_stays_down_for_three_minutes_is_told() -> None:
    bed = Bedside("basal")
    bed.board.set_key("quick bolus", pressed=True)
    bed.host.clock.sleep(175.0)
    assert bed.shown() is None
    bed.host.clock.sleep(10.0)
    assert of(bed.shown()) == (SYSTEM, KEY)
    assert bed.therapy() == RUN


def test_a_bit_that_flips_in_flash_stops_therapy_within_the_round_of_its_check() -> None:
    bed = Bedside("basal")
    bed.board.mcu.flip_bit(
        0x08000000 + 0x7F00, 3
    )  # near the end of the image: constants that a basal rate does not use
    bed.host.clock.sleep(9 * 3600.0)
    assert of(bed.shown()) == (SYSTEM, FLASH)
    assert bed.therapy() == STOP


def test_a_bolus_that_lost_its_power_is_not_resumed_and_is_logged_as_it_was_delivered() -> None:
    bed = Bedside("fast bolus")
    bed.host.clock.sleep(10.4)
    bed.stand.hand("power off")
    steps = bed.host.steps
    bed.host.clock.sleep(60.0)
    bed.stand.hand("power on")
    bed.host.clock.sleep(300.0)
    assert bed.host.steps == steps, "something moved after the reset"
    bed.pump.client.connect()
    assert bed.therapy() == STOP
    assert of(bed.shown()) == (SYSTEM, RESET)
    (ended,) = [record for record in bed.log() if record.event == BOLUS_DELIVERED]
    raw = int.from_bytes(ended.data[3:5], "little")
    delivered_u = (raw & 0x7FF) * 10.0 ** ((raw >> 12) - 16)
    assert delivered_u == pytest.approx(steps / STEPS_PER_DOSE * 0.025, abs=0.025)


def bursts(bed: Bedside, since_s: float) -> list[list[float]]:
    """Get the times at which the buzzer was switched on, in groups that are more than 2 s apart."""
    groups: list[list[float]] = []
    for edge in bed.board.edges:
        if edge.signal != "buzzer" or not edge.high or edge.at_s < since_s:
            continue
        if groups and edge.at_s - groups[-1][-1] <= 2.0:
            groups[-1].append(edge.at_s)
        else:
            groups.append([edge.at_s])
    return groups


def test_priorities_are_told_apart_by_their_pulses_and_an_unanswered_one_becomes_high() -> None:
    bed = Bedside("basal")
    bed.host.temperature_c = 41.0
    begun_s = bed.host.clock.now()
    bed.host.clock.sleep(300.0)
    medium = bursts(bed, begun_s)
    assert {len(burst) for burst in medium} == {3}
    bed.host.clock.sleep(420.0)  # 10 min unanswered
    now_s = bed.host.clock.now()
    bed.host.clock.sleep(60.0)
    high = bursts(bed, now_s)[1:-1]  # the first and the last may be cut
    assert {len(burst) for burst in high} == {10}
    assert any(edge.signal == "vibrator" for edge in bed.board.edges)
