"""The controller board's wiring, as fixtures/controller/README.md has it."""

from __future__ import annotations

from pathlib import Path

import pytest

from rig.clock import SimClock
from rig.errors import RigError
from rig.virtual.board import ControllerBoard, Edge
from rig.virtual.port import Port
from suites.stands.mcu_script import SCRIPT, STACK_TOP, WAIT, Op, firmware, load, store

AHB1ENR, APB1ENR, APB2ENR = 0x40023830, 0x40023840, 0x40023844
GPIOB, GPIOC, TIM3 = 0x40020400, 0x40020800, 0x40000400
MODER, PUPDR, IDR, BSRR, AFRL = 0x00, 0x0C, 0x10, 0x18, 0x20
ADC_CR2, ADC_SQR3, ADC_DR = 0x40012008, 0x40012034, 0x4001204C
SYST_CTRL, SYST_LOAD, SYST_VAL = 0xE000E010, 0xE000E014, 0xE000E018
STEP, DIR, AWAKE = 1 << 0, 1 << 1, 1 << 10
BUZZER, VIBRATOR = 1 << 6, 1 << 7
CLOCKS: list[Op] = [store(AHB1ENR, 7), store(APB1ENR, 2), store(APB2ENR, 1 << 8)]
MOTOR_PINS: list[Op] = [
    store(GPIOB + MODER, 0x280 | 1 | 1 << 2 | 1 << 20 | 2 << 8 | 2 << 10),
    store(GPIOB + AFRL, 2 << 16 | 2 << 20),
    store(TIM3 + 8, 3),
    store(TIM3, 1),
]
ALARM_PINS: list[Op] = [store(GPIOC + MODER, 1 << 12 | 1 << 14)]
READ_TIM3 = load(TIM3 + 0x24)


class Bench:
    """A board with the script firmware, and the world at its pins."""

    def __init__(self, *ops: Op) -> None:
        self.clock = SimClock()
        self.steps: list[tuple[int, int]] = []
        self.force_n, self.temperature_c, self.ambient_hpa = 0.0, 20.0, 1013.25
        self.board = ControllerBoard(
            self.clock,
            firmware(),
            Port(self.clock, baud=115200, bytewise=True),
            on_step=lambda direction: self.steps.append((self.clock.now_ns, direction)),
            plunger_force_n=lambda: self.force_n,
            temperature_c=lambda: self.temperature_c,
            ambient_hpa=lambda: self.ambient_hpa,
        )
        self.board.set_rail(3.7)
        self.board.mcu.write_memory(SCRIPT, bytes(STACK_TOP - 0x100 - SCRIPT))
        words = [word for op in (*CLOCKS, *ops) for word in op]
        self.board.mcu.write_memory(SCRIPT, b"".join(word.to_bytes(4, "little") for word in words))
        self.first = len(CLOCKS)

    def loaded(self, index: int) -> int:
        """What the operation `index` loaded, counted from the first after the clocks."""
        address = SCRIPT + 12 * (self.first + index) + 8
        return int.from_bytes(self.board.mcu.read_memory(address, 4), "little")


def wait_ms(milliseconds: int) -> list[Op]:
    return [store(SYST_LOAD, 16000 * milliseconds - 1), store(SYST_VAL, 0), store(SYST_CTRL, 7), WAIT]


def steps(count: int) -> list[Op]:
    one = [store(GPIOB + BSRR, STEP), store(GPIOB + BSRR, STEP << 16)]
    return [op for _ in range(count) for op in (*one, *wait_ms(2))]


def test_a_rising_step_edge_turns_the_motor_and_the_encoder() -> None:
    bench = Bench(*MOTOR_PINS, store(GPIOB + BSRR, AWAKE), *steps(5), READ_TIM3)
    bench.clock.sleep(0.1)
    assert bench.steps == [(2_000_000 * index, 1) for index in range(5)]
    assert bench.loaded(len(MOTOR_PINS) + 1 + 30) == 5


def test_direction_high_retracts_and_counts_down() -> None:
    bench = Bench(*MOTOR_PINS, store(GPIOB + BSRR, AWAKE | DIR), *steps(3), READ_TIM3)
    bench.clock.sleep(0.1)
    assert [direction for _, direction in bench.steps] == [-1, -1, -1]
    assert bench.loaded(len(MOTOR_PINS) + 1 + 18) == 0xFFFD


def test_a_sleeping_driver_ignores_steps() -> None:
    bench = Bench(*MOTOR_PINS, *steps(2), READ_TIM3)
    bench.clock.sleep(0.1)
    assert bench.steps == []
    assert bench.loaded(len(MOTOR_PINS) + 12) == 0


def test_a_stalled_motor_neither_moves_nor_turns_the_encoder() -> None:
    bench = Bench(*MOTOR_PINS, store(GPIOB + BSRR, AWAKE), *steps(2), READ_TIM3)
    bench.board.motor_stalled = True
    bench.clock.sleep(0.1)
    assert bench.steps == []
    assert bench.loaded(len(MOTOR_PINS) + 13) == 0


def test_a_step_input_that_swings_by_itself_turns_the_motor_as_long_as_its_driver_is_awake() -> None:
    bench = Bench(*MOTOR_PINS, store(GPIOB + BSRR, AWAKE), READ_TIM3)
    bench.clock.sleep(0.1)
    bench.board.runs_away = True
    bench.clock.sleep(1.0)
    assert [ns // 10_000_000 for ns, _ in bench.steps] == list(range(11, 111))
    bench.board.runs_away = False
    bench.clock.sleep(1.0)
    assert len(bench.steps) == 100
    asleep = Bench(*MOTOR_PINS)
    asleep.board.runs_away = True
    asleep.clock.sleep(1.0)
    assert asleep.steps == []


def test_steps_far_too_fast_are_lost() -> None:
    pulse = [store(GPIOB + BSRR, STEP), store(GPIOB + BSRR, STEP << 16)]
    bench = Bench(*MOTOR_PINS, store(GPIOB + BSRR, AWAKE), *pulse, *pulse, *pulse)
    bench.clock.sleep(0.1)
    assert len(bench.steps) == 1


@pytest.mark.parametrize(
    ("channel", "volts"),
    [(0, 0.300 + 0.050 * 12.0), (1, 3.7 / 2), (2, 0.500 + 0.010 * 37.0), (3, 0.0025 * 850.0 - 0.250), (7, 0.0)],
)
def test_the_sensors_have_the_boards_scales(channel: int, volts: float) -> None:
    bench = Bench(store(ADC_CR2, 1), store(ADC_SQR3, channel), store(ADC_CR2, 1 | 1 << 30), load(ADC_DR))
    bench.force_n, bench.temperature_c, bench.ambient_hpa = 12.0, 37.0, 850.0
    bench.clock.sleep(0.0)
    assert bench.loaded(3) == pytest.approx(volts / 3.3 * 4096, abs=1.0)


def test_the_force_sensor_saturates_and_can_stick() -> None:
    bench = Bench(
        store(ADC_CR2, 1), store(ADC_SQR3, 0), store(ADC_CR2, 1 | 1 << 30), load(ADC_DR), *wait_ms(1),
        store(ADC_CR2, 1 | 1 << 30), load(ADC_DR),
    )  # fmt: skip
    bench.force_n = 100.0
    bench.clock.sleep(0.0)
    assert bench.loaded(3) == 4095
    bench.board.stuck_force_v = 0.3
    bench.clock.sleep(0.1)
    assert bench.loaded(9) == int(0.3 / 3.3 * 4096)


def test_switch_and_keys_pull_their_inputs_low() -> None:
    bench = Bench(
        store(GPIOB + PUPDR, 1 << 24), store(GPIOC + PUPDR, 1 | 1 << 26), load(GPIOB + IDR), load(GPIOC + IDR),
        *wait_ms(1), load(GPIOB + IDR), load(GPIOC + IDR),
    )  # fmt: skip
    bench.clock.sleep(0.0)
    assert bench.loaded(2) & 1 << 12 == 0
    assert bench.loaded(3) & (1 | 1 << 13) == 1 | 1 << 13
    bench.board.reservoir_attached = False
    bench.board.set_key("confirm", pressed=True)
    bench.clock.sleep(0.1)
    assert bench.loaded(8) & 1 << 12 == 1 << 12
    assert bench.loaded(9) & (1 | 1 << 13) == 1
    with pytest.raises(RigError, match="quick bolus, confirm"):
        bench.board.set_key("menu", pressed=True)


@pytest.mark.parametrize("broken", [False, True])
def test_the_buzzer_draws_a_current_that_is_sensed_unless_it_is_broken(broken: bool) -> None:
    bench = Bench(
        *ALARM_PINS, store(GPIOC + BSRR, BUZZER), load(GPIOC + IDR), store(GPIOC + BSRR, BUZZER << 16 | VIBRATOR)
    )
    bench.board.buzzer_broken = broken
    bench.clock.sleep(0.0)
    assert bool(bench.loaded(2) & 1 << 8) is not broken
    assert bench.board.edges == [Edge(0.0, "buzzer", True), Edge(0.0, "buzzer", False), Edge(0.0, "vibrator", True)]
    assert bench.board.vibrator
    assert not bench.board.buzzer


def test_below_the_brown_out_voltage_everything_stops() -> None:
    bench = Bench(*ALARM_PINS, store(GPIOC + BSRR, VIBRATOR))
    bench.clock.sleep(0.01)
    assert bench.board.vibrator
    bench.board.set_rail(1.99)
    assert not bench.board.vibrator
    assert bench.board.rail_current_a() == 0.0
    bench.board.set_rail(2.0)
    bench.clock.sleep(0.01)
    assert bench.board.mcu.resets == ["power", "power"]


def test_the_rail_current_tells_what_runs() -> None:
    bench = Bench(*MOTOR_PINS, *ALARM_PINS, store(GPIOB + BSRR, AWAKE), *steps(1), store(GPIOC + BSRR, BUZZER))
    bench.clock.sleep(0.0)
    assert bench.board.rail_current_a() == pytest.approx(120.2e-3)
    bench.clock.sleep(2.5e-3)
    assert bench.board.rail_current_a() == pytest.approx(20.2e-3)


def test_the_reference_firmware_boots_sleeps_and_answers() -> None:
    clock = SimClock()
    port = Port(clock, baud=115200, bytewise=True)
    image = (Path(__file__).parents[2] / "fixtures/controller/controller.elf").read_bytes()
    steps: list[int] = []
    board = ControllerBoard(
        clock, image, port, on_step=steps.append, plunger_force_n=lambda: 2.0, temperature_c=lambda: 23.0,
        ambient_hpa=lambda: 1013.25,
    )  # fmt: skip
    board.set_rail(3.7)
    clock.sleep(3600.0)
    assert board.mcu.sleeping
    assert (board.mcu.resets, board.mcu.faults, board.mcu.halted, steps) == (["power"], [], None, [])
    assert board.mcu.wake_ups <= 3600
    port.host_write(bytes.fromhex("7e 02 17 00 ed ab 7e"))  # Exchange MTU Request
    assert port.host_read(100, timeout_s=0.1) == bytes.fromhex("7e 01 02 00 00 06 73 98 7e")  # Request Not Supported


def test_the_watchdog_restarts_the_reference_firmware_after_its_clock_stopped() -> None:
    clock = SimClock()
    image = (Path(__file__).parents[2] / "fixtures/controller/controller.elf").read_bytes()
    board = ControllerBoard(
        clock, image, Port(clock, baud=115200, bytewise=True), on_step=lambda _direction: None,
        plunger_force_n=lambda: 2.0, temperature_c=lambda: 23.0, ambient_hpa=lambda: 1013.25,
    )  # fmt: skip
    board.set_rail(3.7)
    clock.sleep(1.0)
    board.mcu.stop_clock()
    assert not board.mcu.sleeping
    clock.sleep(60.0)
    assert board.mcu.resets == ["power", "watchdog"]
    assert board.mcu.sleeping
