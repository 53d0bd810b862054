"""From motor steps to water at the outlet: lead screw, plunger, reservoir, line, occluder, needle.

The line is one compliance C behind one resistance R. Between events its pressure is an exponential. The state is kept
as of the last event and looked at through that exponential, so looking changes nothing, not even by a rounding.
Not responsible for what weighs the water or measures the pressure (`weighing`), nor for the motor (`board`).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

from rig.clock import NS_PER_S, SimClock
from rig.virtual.noise import occasional, stream, uniform
from rig.virtual.parameters import DriveParameters, FluidParameters, draw_device

STEP_UL = 0.03125
"""Volume of one motor step in µL: 0.8 mm/(20 · 128) of a plunger of 100 mm² (board page, drive train)."""
STEPS_PER_TURN = 2560
STROKE_UL = 3000.0
UL_PER_UM = 0.1
N_PER_KPA = 0.1
"""A plunger of 100 mm² with 30 mm of stroke (board page, drive train)."""
DOSE_UL = 0.25
WATER_KPA_PER_M = 9.789
"""Pressure of a metre of water at 20 °C: 998.2 kg/m³ (Tanaka 2001) · 9.80665 m/s² (CGPM 1901)."""
ATMOSPHERE_KPA = 101.325
BEHIND_VALVE_UL_PER_KPA = 0.05
"""Give of reservoir and seal behind a closed valve. Assumption: a twentieth of a soft line's."""
BUBBLE_UL = 20.0
"""Air in the loop that is switched into the line, at atmospheric pressure: 2 U of insulin that do not come."""
TO_NEEDLE_UL = 25.0
"""Content of the line from that loop to the needle: 0.8 m of 0.2 mm bore, as its resistance is."""
RESERVOIR_AIR_UL = 52.0
"""Air that stays in a filled reservoir: so much that a fall of 200 mmHg presses 0.623 % of a cartridge of 3 mL out, as
King et al. measured (2011, PMC3161261): 18.7 µL/(1/(1 − 200/760) − 1)."""


def mean_stick_ul(noise_ul: float) -> float:
    """Find the mean stick, as a volume in µL, with which doses scatter by `noise_ul` (SD)."""
    low_ul, high_ul = 0.0, STEP_UL + 4.0 * noise_ul
    for _ in range(50):
        middle_ul = (low_ul + high_ul) / 2.0
        low_ul, high_ul = (middle_ul, high_ul) if _dose_sd_ul(middle_ul) < noise_ul else (low_ul, middle_ul)
    return low_ul if noise_ul > 0.0 else 0.0


def _dose_sd_ul(stick_ul: float) -> float:
    """The SD in µL of a dose: it starts and ends with leads of k steps, p(k) ∝ P(stick > k steps).

    Age of a renewal process (Cox, Renewal Theory, 1962, chapter 5); sticks are uniform on (0.5, 1.5) of their mean.
    """
    weights = [min(1.0, 1.5 - k * STEP_UL / stick_ul) for k in range(math.ceil(1.5 * stick_ul / STEP_UL))]
    mean = sum(k * weight for k, weight in enumerate(weights)) / sum(weights)
    variance = sum((k - mean) ** 2 * weight for k, weight in enumerate(weights)) / sum(weights)
    return STEP_UL * math.sqrt(2.0 * variance)


class Drive:
    """Motor, gear, screw and plunger: what volume leaves the reservoir at each step.

    The screw's position is a function of the step count: bias, an error that repeats with each turn, and a slow one.
    The seal sticks while the drive strains; when the force exceeds its hold it slips, until sliding friction is left.
    What sticks now slips later. Each stick's hold is drawn anew, others on each occasion: the seal is the device's, how
    it happens to stick is not. The screw's errors, phases included, are the device's.

    Attributes:
        device: the values drawn for this device.
        steps: steps made, infusing less retracting.
    """

    def __init__(self, parameters: DriveParameters, seed: int, occasion: str = "") -> None:
        self.device = device = draw_device(parameters, seed)
        phases = stream(seed, "screw phases")
        self._ul_per_step = STEP_UL * (1.0 + device.bias_percent / 100.0)
        self._ripple_ul = device.pitch_error_um * UL_PER_UM
        self._ripple_rad = 2.0 * math.pi / STEPS_PER_TURN
        self._ripple_phase = 2.0 * math.pi * uniform(phases, 0)
        self._drift_rad = 2.0 * math.pi * STEP_UL / device.drift_wavelength_ul
        self._drift_ul = device.drift_percent / 100.0 * device.drift_wavelength_ul / (2.0 * math.pi)
        self._drift_phase = 2.0 * math.pi * uniform(phases, 1)
        self._n_per_ul = parameters.stiffness_n_per_ul
        self._sliding_ul = parameters.friction_n / parameters.stiffness_n_per_ul
        self._stick_ul = mean_stick_ul(device.pulse_noise_percent / 100.0 * DOSE_UL)
        self._stick_key = occasional(seed, "stick-slip", occasion)
        self._slips = 0
        self.steps = 0
        self._plunger_ul = self._screw_ul() - self._sliding_ul  # as priming leaves it
        self._hold_ul = self._next_hold()

    def step(self, direction: int, *, ahead_ul: float, behind_ul: float) -> float:
        """Turn the motor by one step, +1 infuses; returns the volume in µL that the plunger displaces.

        The plunger can move by `ahead_ul` towards the end of the reservoir and by `behind_ul` back to its beginning.
        Against either end only the drive strains. ValueError when `direction` is neither +1 nor −1.
        """
        if direction not in (1, -1):
            raise ValueError(f"a motor step is +1 or -1, not {direction!r}")
        self.steps += direction
        strain_ul = self._screw_ul() - self._plunger_ul
        if strain_ul > self._hold_ul:
            slip_ul = min(strain_ul - self._sliding_ul, ahead_ul)
        elif strain_ul < -self._hold_ul:
            slip_ul = max(strain_ul + self._sliding_ul, -behind_ul)
        else:
            return 0.0
        if slip_ul != 0.0:
            self._plunger_ul += slip_ul
            self._hold_ul = self._next_hold()
        return slip_ul

    def force_n(self) -> float:
        """The force in N that strains the drive apart from pressure: friction, and what an end stop adds."""
        return self._n_per_ul * (self._screw_ul() - self._plunger_ul)

    def _screw_ul(self) -> float:
        n = self.steps
        return (
            self._ul_per_step * n
            + self._ripple_ul * math.sin(self._ripple_rad * n + self._ripple_phase)
            + self._drift_ul * math.sin(self._drift_rad * n + self._drift_phase)
        )

    def _next_hold(self) -> float:
        """The strain, as a volume in µL, at which the seal will slip next."""
        self._slips += 1
        return self._sliding_ul + self._stick_ul * (0.5 + uniform(self._stick_key, self._slips))


class FlowBetweenEvents(NamedTuple):
    """The line from one event, at `start_ns`, to the next, in closed form.

    After t seconds, with f = 1 − exp(−`decay_per_s` t): pressure = `pressure_kpa` − `excess_kpa` f; delivered =
    `delivered_ul` + `steady_ul_per_s` t + `fading_ul` f; leaked likewise.
    """

    start_ns: int
    decay_per_s: float
    pressure_kpa: float
    excess_kpa: float
    delivered_ul: float
    steady_ul_per_s: float
    fading_ul: float
    leaked_ul: float
    leak_ul_per_s: float
    leak_fading_ul: float

    def after(self, at_ns: int) -> tuple[float, float]:
        """The seconds t since the start and the faded share f; ValueError when `at_ns` is earlier."""
        t = (at_ns - self.start_ns) / NS_PER_S
        if t < 0.0:
            raise ValueError(f"time can't go backwards: asked for {at_ns} ns, the line stands at {self.start_ns} ns")
        return t, -math.expm1(-self.decay_per_s * t)

    def delivered_at(self, at_ns: int) -> float:
        """The delivered volume in µL at `at_ns`."""
        t, f = self.after(at_ns)
        return self.delivered_ul + self.steady_ul_per_s * t + self.fading_ul * f


class FluidPath:
    """The fluid between plunger and vessel at the present moment of `clock`. Volumes in µL, pressures in kPa gauge.

    Attributes:
        drive: the drive, with its device's ground truth and step count.
        flow: the state since the last event.
    """

    def __init__(
        self, clock: SimClock, drive: DriveParameters, fluid: FluidParameters, seed: int, occasion: str = ""
    ) -> None:
        self._clock = clock
        self.drive = Drive(drive, seed, occasion)
        self._compliance = fluid.compliance_ul_per_kpa + fluid.air_bubble_ul / ATMOSPHERE_KPA
        self._resistance = fluid.resistance_kpa_s_per_ul
        self._leak = self._leak_past = 0.0
        self._closed = self._to_waste = self._reservoir_closed = False
        self._narrow_kpa_s_per_ul = 0.0
        self._pressed_ul = 0.0  # into the line, since the beginning
        self._bubble_from_ul: float | None = None  # what had been pressed in when a bubble came into the line
        self._air_share = 1.0  # the reservoir's air takes so much of the space that it takes at ambient pressure
        self._held_ul = 0.0  # pressed into the reservoir behind its closed valve
        self._ahead_ul = 0.0  # the plunger stands ahead of the rod that pushes it
        self._back_kpa, self._head_m = fluid.back_pressure_kpa, fluid.head_m
        self._reservoir_ul = fluid.reservoir_ul
        self._followers: list[Callable[[FlowBetweenEvents], None]] = []
        self._solve()
        self.flow = self._flow_from(clock.now_ns, self._outlet_kpa(), 0.0, 0.0)

    # ---- what the pump and the bench do to it -----------------------------------------------------------------

    def step(self, direction: int) -> None:
        """Turn the motor by one step now: +1 infuses, −1 retracts; ValueError for anything else."""
        rod_ul = self._reservoir_ul + self._ahead_ul
        moved_ul = self.drive.step(direction, ahead_ul=rod_ul, behind_ul=STROKE_UL - rod_ul)
        if moved_ul != 0.0:
            self._follow_rod(moved_ul)

    def push(self, volume_ul: float) -> float:
        """Push `volume_ul` (negative: draw it) by another drive than this one; returns µL short at the barrel's end."""
        rod_ul = self._reservoir_ul + self._ahead_ul
        moved_ul = max(min(volume_ul, rod_ul), rod_ul - STROKE_UL)
        self._follow_rod(moved_ul)
        return volume_ul - moved_ul

    def _follow_rod(self, moved_ul: float) -> None:
        """Move the plunger by what its rod moved: one that stands ahead of it, to which it is not fastened, waits."""
        if self._ahead_ul > 0.0:
            gap_ul = self._ahead_ul - moved_ul
            self._ahead_ul, moved_ul = max(gap_ul, 0.0), max(-gap_ul, 0.0)
        self._reservoir_ul -= moved_ul
        if moved_ul != 0.0:
            self._press(moved_ul)

    def press_ahead(self, volume_ul: float) -> None:
        """Press the plunger ahead of its rod by `volume_ul`, as air does that cannot leave the compartment behind it.

        The drive then delivers nothing until its rod has come so far; its force is shown as if it still pushed.
        """
        moved_ul = min(_checked(volume_ul, "µL", 0.0), self._reservoir_ul)
        self._reservoir_ul -= moved_ul
        self._ahead_ul += moved_ul
        self._press(moved_ul)

    def set_occluder(self, *, closed: bool) -> None:
        """Close or open the valve at the outlet."""
        self._closed = closed
        self._change()

    def set_waste(self, *, on: bool) -> None:
        """Lead what leaves the needle past the vessel, as a set does that has come off; or into it again."""
        self._to_waste = on
        self._change()

    def set_reservoir_valve(self, *, closed: bool) -> None:
        """Close or open the valve between reservoir and line; what was held behind it goes into the line."""
        self._reservoir_closed = closed
        if not closed:
            held_ul, self._held_ul = self._held_ul, 0.0
            self._press(held_ul)

    def set_narrow(self, resistance_kpa_s_per_ul: float) -> None:
        """Put capillaries between line and needle, of so much resistance in kPa s/µL in all; 0 takes them out."""
        self._narrow_kpa_s_per_ul = _checked(resistance_kpa_s_per_ul, "kPa s/µL", 0.0)
        self._change()

    def inject_bubble(self) -> None:
        """Switch a loop that is full of air into the line, as an injection valve does; one at a time.

        The air yields as it is compressed, moves with the liquid, and while it leaves the needle nothing is weighed.
        """
        if self._bubble_from_ul is None:
            self._bubble_from_ul = self._pressed_ul
            self._yield_more(BUBBLE_UL / ATMOSPHERE_KPA)

    def set_ambient_share(self, share: float) -> None:
        """Put pump and needle into a chamber at so many times the pressure of the room; 1 is the room's.

        What the reservoir's air gives way by goes through the line (Boyle). ValueError unless above 0.
        """
        air_share = 1.0 / _checked(share, "times the room's pressure", 1e-3)
        self._press(RESERVOIR_AIR_UL * (air_share - self._air_share))
        self._air_share = air_share

    def set_leak(self, conductance_ul_per_s_kpa: float) -> None:
        """Let the line leak to waste, at atmospheric pressure, with a conductance in µL/(s kPa); 0 is tight."""
        self._leak = _checked(conductance_ul_per_s_kpa, "µL/(s kPa)", 0.0)
        self._change()

    def set_leak_past_occluder(self, conductance_ul_per_s_kpa: float) -> None:
        """Let the closed valve leak towards the vessel with a conductance in µL/(s kPa); 0 is tight."""
        self._leak_past = _checked(conductance_ul_per_s_kpa, "µL/(s kPa)", 0.0)
        self._change()

    def set_back_pressure_kpa(self, back_pressure_kpa: float) -> None:
        """Set the gauge pressure at the needle in kPa."""
        self._back_kpa = _checked(back_pressure_kpa, "kPa")
        self._change()

    def set_head_m(self, head_m: float) -> None:
        """Set the height of the needle above the pump in m."""
        self._head_m = _checked(head_m, "m")
        self._change()

    def advance_to(self, at_ns: int) -> None:
        """Bring the state to `at_ns`. Never needed for looking. ValueError when the state is later already."""
        self._begin(at_ns)

    def follow(self, follower: Callable[[FlowBetweenEvents], None]) -> None:
        """Call `follower(flow)` whenever an event has begun a new flow."""
        self._followers.append(follower)

    # ---- what can be seen of it -------------------------------------------------------------------------------

    @property
    def head_m(self) -> float:
        """The height of the needle above the pump in m."""
        return self._head_m

    def line_pressure_kpa(self) -> float:
        """The gauge pressure in line and reservoir in kPa."""
        flow = self.flow
        return flow.pressure_kpa - flow.excess_kpa * flow.after(self._clock.now_ns)[1]

    def plunger_force_n(self) -> float:
        """The force on the plunger in N: friction, or what an end stop holds, and 0.1 N/kPa of pressure."""
        behind_kpa = self._held_ul / BEHIND_VALVE_UL_PER_KPA
        return self.drive.force_n() + N_PER_KPA * (self.line_pressure_kpa() + behind_kpa)

    def delivered_ul(self) -> float:
        """The volume in µL that has left the needle."""
        return self.flow.delivered_at(self._clock.now_ns)

    def leaked_ul(self) -> float:
        """The volume in µL that has gone to waste."""
        flow = self.flow
        t, f = flow.after(self._clock.now_ns)
        return flow.leaked_ul + flow.leak_ul_per_s * t + flow.leak_fading_ul * f

    def reservoir_ul(self) -> float:
        """The volume in µL left in the reservoir."""
        return self._reservoir_ul

    def line_stored_ul(self) -> float:
        """The volume in µL that the line holds beyond what it holds at gauge pressure 0."""
        return self._compliance * self.line_pressure_kpa()

    # ---- the equations ----------------------------------------------------------------------------------------

    def _press(self, moved_ul: float) -> None:
        """Press so much out of the reservoir, into the line or against its closed valve."""
        if self._reservoir_closed:
            self._held_ul += moved_ul
            return
        before = self._air_leaves
        self._pressed_ul += moved_ul
        self._begin(self._clock.now_ns, moved_ul)
        if self._bubble_from_ul is not None and self._pressed_ul - self._bubble_from_ul >= TO_NEEDLE_UL + BUBBLE_UL:
            self._bubble_from_ul = None
            self._yield_more(-BUBBLE_UL / ATMOSPHERE_KPA)
        elif self._air_leaves is not before:
            self._change()

    @property
    def _air_leaves(self) -> bool:
        """Whether what leaves the needle is air."""
        began_ul = self._bubble_from_ul
        return began_ul is not None and self._pressed_ul - began_ul >= TO_NEEDLE_UL

    def _yield_more(self, ul_per_kpa: float) -> None:
        """Change what the line yields; it holds as much as before, at another pressure."""
        self._begin(self._clock.now_ns)
        flow, before = self.flow, self._compliance
        self._compliance = before + ul_per_kpa
        self._solve()
        pressure_kpa = flow.pressure_kpa * before / self._compliance
        self.flow = self._flow_from(self._clock.now_ns, pressure_kpa, flow.delivered_ul, flow.leaked_ul)
        for follower in self._followers:
            follower(self.flow)

    def _begin(self, at_ns: int, added_ul: float = 0.0) -> None:
        """Begin a new flow from the state at `at_ns`, `added_ul` having been pushed into the line."""
        old = self.flow
        t, f = old.after(at_ns)
        self.flow = flow = self._flow_from(
            at_ns,
            old.pressure_kpa - old.excess_kpa * f + added_ul / self._compliance,
            old.delivered_ul + old.steady_ul_per_s * t + old.fading_ul * f,
            old.leaked_ul + old.leak_ul_per_s * t + old.leak_fading_ul * f,
        )
        for follower in self._followers:
            follower(flow)

    def _change(self) -> None:
        self._solve()
        self._begin(self._clock.now_ns)

    def _solve(self) -> None:
        """Work out what C dp/dt = −g (p − p_out) − l p tends to, and how fast; g: outlet, l: leak conductance."""
        resistance = self._resistance + self._narrow_kpa_s_per_ul
        outlet, leak = 1.0 / resistance, self._leak
        if self._closed:
            outlet = self._leak_past / (1.0 + self._leak_past * resistance)
        total = outlet + leak
        self._decay_per_s = total / self._compliance
        self._share = outlet / total if total > 0.0 else 0.0
        self._final_kpa = self._share * self._outlet_kpa()
        self._leak_ul_per_s = leak * self._final_kpa  # in the long run; it comes in through the needle

    def _flow_from(self, at_ns: int, pressure_kpa: float, delivered_ul: float, leaked_ul: float) -> FlowBetweenEvents:
        excess_kpa = pressure_kpa - self._final_kpa
        excess_ul = self._compliance * excess_kpa
        fading_ul, leak_ul_per_s = self._share * excess_ul, self._leak_ul_per_s
        steady_ul_per_s = -leak_ul_per_s
        if self._to_waste or self._air_leaves:  # what leaves the needle is lost with what leaks
            fading_ul, leak_ul_per_s, steady_ul_per_s = 0.0, 0.0, 0.0
        return FlowBetweenEvents(
            at_ns,
            self._decay_per_s,
            pressure_kpa,
            excess_kpa,
            delivered_ul,
            steady_ul_per_s,
            fading_ul,
            leaked_ul,
            leak_ul_per_s,
            excess_ul - fading_ul,
        )

    def _outlet_kpa(self) -> float:
        return self._back_kpa + WATER_KPA_PER_M * self._head_m


def _checked(value: float, unit: str, lowest: float = -math.inf) -> float:
    if not (math.isfinite(value) and value >= lowest):
        raise ValueError(f"Expected a finite value in {unit}, not below {lowest:g}, got {value!r}")
    return value
