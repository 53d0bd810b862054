"""The reference controller's board: which pin of the microcontroller is wired to which part of the pump.

The wiring, the sensors' scales and the motor are those of `fixtures/controller/README.md`. Not responsible for the
firmware, nor for what a motor step does to the plunger and the fluid.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from rig.clock import NS_PER_S, SimClock
from rig.errors import RigError
from rig.virtual.mcu import Stm32F405
from rig.virtual.port import Port

BROWN_OUT_V = 2.0
"""Rail voltage below which the controller is in reset, and its RAM lost (board page; RM0090, 5.2.2)."""

# Typical currents from the rail. Assumptions, of the size that such parts have; the board page gives none.
_SLEEP_A, _RUN_A, _MOTOR_A, _BUZZER_A, _VIBRATOR_A = 0.2e-3, 5e-3, 120e-3, 20e-3, 60e-3

_STEP_NS = NS_PER_S // 500
"""A step's time at the motor's greatest speed, 500 steps/s: that long its windings draw current."""
_PULL_OUT_NS = _STEP_NS // 2
"""Steps closer than this are lost. Assumption: the motor pulls out at twice the speed that the board page allows."""

_ASTRAY_NS = NS_PER_S // 100
"""Between two steps of a step input that swings by itself."""

_KEYS = {"quick bolus": "PC0", "confirm": "PC13"}
_QUADRATURE = ((False, False), (True, False), (True, True), (False, True))
"""Encoder A, B by shaft position modulo 4: A leads when the motor infuses, so that TIM3 counts up."""


@dataclass(frozen=True)
class Edge:
    """A change of `buzzer` or `vibrator`: of the wire that drives it, or of what is heard and felt of it."""

    at_s: float
    signal: str
    high: bool


def _or_stuck(stuck: float | None, read: Callable[[], float]) -> float:
    return read() if stuck is None else stuck


class ControllerBoard:
    """The controller between the pump's parts.

    Args:
        clock: the simulated time.
        image: the firmware, an ELF file's bytes.
        port: the host link at USART1.
        on_step: called with +1 (infuse) or −1 (retract) at the time of each step that the motor makes.
        plunger_force_n: the force on the plunger in N.
        temperature_c: the temperature of the board in °C.
        ambient_hpa: the ambient pressure in hPa.

    Attributes:
        mcu: the microcontroller.
        edges: every change of the wires that drive buzzer and vibrator.
        heard: every change of what buzzer and vibrator do, which is nothing while they are broken.
        motor_stalled: fault: the motor hums and does not turn.
        ambient_share: the ambient pressure at the board as a share of the room's: 1 outside of a chamber.
        motor_slips_every: fault: the motor misses each step of this number, 0 when it misses none.
        encoder_stuck: fault: the encoder keeps its outputs while the motor turns.
        stuck_temperature_c: fault: the temperature sensor gives this; None when it works.
        stuck_ambient_hpa: fault: the sensor of ambient pressure gives this; None when it works.
        stuck_force_v: fault: the force sensor gives this voltage whatever the force; None when it works.
    """

    def __init__(
        self,
        clock: SimClock,
        image: bytes,
        port: Port,
        *,
        on_step: Callable[[int], None],
        plunger_force_n: Callable[[], float],
        temperature_c: Callable[[], float],
        ambient_hpa: Callable[[], float],
    ) -> None:
        self._clock = clock
        self._on_step = on_step
        self._rail_v = 0.0
        self._backup_cell_out = self._crystal_shorted = False
        self._last_step_ns = -NS_PER_S
        self._shaft = 0
        self._driver_awake = self._retracts = False
        self._buzzer_driven = self._vibrator = False
        self.edges: list[Edge] = []
        self.heard: list[Edge] = []
        self.motor_stalled = self.encoder_stuck = self._buzzer_broken = self._vibrator_broken = False
        self.stuck_temperature_c: float | None = None
        self.stuck_ambient_hpa: float | None = None
        self.ambient_share = 1.0
        self._runs_away = False
        self.motor_slips_every = 0
        self._steps_asked = 0
        self.stuck_force_v: float | None = None
        self._inputs_v: dict[int, Callable[[], float]] = {
            0: lambda: self._force_v(plunger_force_n()),
            1: lambda: self._rail_v / 2,
            2: lambda: 0.500 + 0.010 * _or_stuck(self.stuck_temperature_c, temperature_c),
            3: lambda: 0.0025 * _or_stuck(self.stuck_ambient_hpa, lambda: self.ambient_share * ambient_hpa()) - 0.250,
        }
        self._listeners: dict[str, Callable[[bool], None]] = {
            "PB0": self._step,
            "PB1": self._set_direction,
            "PB10": self._set_driver,
            "PC6": self._set_buzzer,
            "PC7": self._set_vibrator,
        }
        self.mcu = Stm32F405(clock, image, uart=port, adc_v=self._adc_v, on_pin=self._on_pin)
        self._reservoir_attached = True
        self.reservoir_attached = True
        self._turn_encoder()
        self.mcu.set_input("PC8", False)

    # ---- supply --------------------------------------------------------------------------------------------

    def set_rail(self, voltage_v: float) -> None:
        """Set the battery rail in V; the controller runs from `BROWN_OUT_V` up."""
        self._rail_v = voltage_v
        self.mcu.power(voltage_v >= BROWN_OUT_V)
        self._miss_cell()

    def rail_current_a(self) -> float:
        """The current that the board draws now in A; typical values, without their scatter."""
        if not self.mcu.powered:
            return 0.0
        current_a = _SLEEP_A if self.mcu.sleeping else _RUN_A
        if self._driver_awake and self._clock.now_ns - self._last_step_ns < _STEP_NS:
            current_a += _MOTOR_A
        return current_a + _BUZZER_A * self.buzzer + _VIBRATOR_A * self._vibrator

    # ---- what a hand or a faulty part does -----------------------------------------------------------------

    @property
    def reservoir_attached(self) -> bool:
        """Whether a reservoir closes the switch at PB12."""
        return self._reservoir_attached

    @reservoir_attached.setter
    def reservoir_attached(self, attached: bool) -> None:
        self._reservoir_attached = attached
        self.mcu.set_input("PB12", False if attached else None)

    @property
    def backup_cell_out(self) -> bool:
        """Whether the cell of the backup domain is out; what it keeps is lost where there is no supply either."""
        return self._backup_cell_out

    @backup_cell_out.setter
    def backup_cell_out(self, out: bool) -> None:
        self._backup_cell_out = out
        self._miss_cell()

    def _miss_cell(self) -> None:
        if self._backup_cell_out and not self.mcu.powered:
            self.mcu.lose_backup()

    @property
    def crystal_shorted(self) -> bool:
        """Whether the crystal of the calendar is shorted: it keeps the time that it has reached."""
        return self._crystal_shorted

    @crystal_shorted.setter
    def crystal_shorted(self, shorted: bool) -> None:
        if shorted != self._crystal_shorted:
            (self.mcu.stop_calendar if shorted else self.mcu.start_calendar)()
        self._crystal_shorted = shorted

    @property
    def runs_away(self) -> bool:
        """Fault: the driver's step input swings by itself, 100 times a second; its sleep input still works."""
        return self._runs_away

    @runs_away.setter
    def runs_away(self, on: bool) -> None:
        if on and not self._runs_away:
            self._clock.call_at(self._clock.now_ns + _ASTRAY_NS, self._step_astray)
        self._runs_away = on

    def _step_astray(self) -> None:
        if self._runs_away:
            self._step(True)
            self._clock.call_at(self._clock.now_ns + _ASTRAY_NS, self._step_astray)

    def set_key(self, key: str, *, pressed: bool) -> None:
        """Press or release the "quick bolus" or "confirm" key."""
        if key not in _KEYS:
            raise RigError(f"the controller has no key {key!r}: its keys are {', '.join(_KEYS)}")
        self.mcu.set_input(_KEYS[key], False if pressed else None)

    # ---- what can be seen and heard ------------------------------------------------------------------------

    @property
    def buzzer(self) -> bool:
        """Whether the buzzer sounds."""
        return self._buzzer_driven and not self._buzzer_broken

    @property
    def buzzer_broken(self) -> bool:
        """Fault: the buzzer draws no current and makes no sound."""
        return self._buzzer_broken

    @buzzer_broken.setter
    def buzzer_broken(self, broken: bool) -> None:
        self._buzzer_broken = broken
        self.mcu.set_input("PC8", self.buzzer)
        self._note("buzzer", self.buzzer)

    @property
    def vibrator(self) -> bool:
        """Whether the vibrator runs."""
        return self._vibrator and not self._vibrator_broken

    @property
    def vibrator_broken(self) -> bool:
        """Fault: the vibrator does not turn."""
        return self._vibrator_broken

    @vibrator_broken.setter
    def vibrator_broken(self, broken: bool) -> None:
        self._vibrator_broken = broken
        self._note("vibrator", self.vibrator)

    def _note(self, signal: str, on: bool) -> None:
        """Note what buzzer or vibrator does from now on, where that is something else than before."""
        before = next((edge.high for edge in reversed(self.heard) if edge.signal == signal), False)
        if on != before:
            self.heard.append(Edge(self._clock.now(), signal, on))

    # ---- wires ---------------------------------------------------------------------------------------------

    def _adc_v(self, channel: int) -> float:
        source = self._inputs_v.get(channel)
        return 0.0 if source is None else source()

    def _force_v(self, force_n: float) -> float:
        return min(max(0.300 + 0.050 * force_n, 0.0), 3.3) if self.stuck_force_v is None else self.stuck_force_v

    def _on_pin(self, pin: str, high: bool) -> None:
        listener = self._listeners.get(pin)
        if listener is not None:
            listener(high)

    def _step(self, high: bool) -> None:
        if not high or not self._driver_awake:
            return
        early = self._clock.now_ns - self._last_step_ns < _PULL_OUT_NS
        self._last_step_ns = self._clock.now_ns
        self._steps_asked += 1
        slips = self.motor_slips_every and self._steps_asked % self.motor_slips_every == 0
        if early or self.motor_stalled or slips:
            return
        direction = -1 if self._retracts else 1
        self._shaft += direction
        self._turn_encoder()
        self._on_step(direction)

    def _turn_encoder(self) -> None:
        if self.encoder_stuck:
            return
        a_high, b_high = _QUADRATURE[self._shaft % 4]
        self.mcu.set_input("PB4", a_high)
        self.mcu.set_input("PB5", b_high)

    def _set_direction(self, high: bool) -> None:
        self._retracts = high

    def _set_driver(self, high: bool) -> None:
        self._driver_awake = high

    def _set_buzzer(self, high: bool) -> None:
        self._buzzer_driven = high
        self.mcu.set_input("PC8", self.buzzer)
        self.edges.append(Edge(self._clock.now(), "buzzer", high))
        self._note("buzzer", self.buzzer)

    def _set_vibrator(self, high: bool) -> None:
        self._vibrator = high
        self.edges.append(Edge(self._clock.now(), "vibrator", high))
        self._note("vibrator", self.vibrator)
