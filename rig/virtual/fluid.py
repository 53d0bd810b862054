"""From motor steps to water in the vessel: lead screw, plunger, reservoir, line, occluder, needle.

The line is one compliance C behind one resistance R. Between events its pressure is an exponential, so the state is
advanced in closed form and does not depend on how often anyone looks. Not responsible for the balance (`weighing`).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from rig.clock import NS_PER_S, SimClock
from rig.virtual.noise import normal, stream, uniform
from rig.virtual.parameters import DriveParameters, FluidParameters

STEP_UL = 0.03125
"""Volume of one motor step in µL: 0.8 mm/(20 · 128) of a plunger of 100 mm² (board page, drive train)."""
STEPS_PER_TURN = 2560
PLUNGER_MM2 = 100.0
WATER_KPA_PER_M = 9.79
"""Pressure of a metre of water at 20 °C: 998.2 kg/m³ · 9.80665 m/s²."""

JAM_N_PER_UL = 10.0
"""Stiffness of the drive against the end of the reservoir. Assumption."""


@dataclass(frozen=True, slots=True)
class Flow:
    """Delivered volume over an interval without events: start + steady t + fading (1 − exp(−t/τ)), in µL and s."""

    elapsed_s: float
    start_ul: float
    steady_ul_per_s: float
    fading_ul: float
    tau_s: float


class Drive:
    """Motor, gear, screw and plunger: what volume has left the reservoir after so many steps.

    The screw's pitch is off by a per-device bias and by an error that repeats with each turn. The plunger's seal
    sticks until the screw has gone a little ahead, then slips: what is withheld comes later, so that displacement is
    conserved. One instance is one device: its values are drawn from the seed.
    """

    def __init__(self, parameters: DriveParameters, seed: int) -> None:
        key = stream(seed, "device")
        self._gain = 1.0 + normal(key, 0) * parameters.bias_sd_percent / 100.0
        amplitude = abs(normal(key, 1)) * parameters.pitch_error_percent / 100.0
        self._ripple_ul = amplitude * STEPS_PER_TURN * STEP_UL / (2.0 * math.pi)
        self._phase = 2.0 * math.pi * uniform(key, 2)
        self._slip_key = stream(seed, "stick-slip")
        self._stick_ul = parameters.stick_slip_ul
        self._slips = 0
        self.steps = 0
        self._plunger_ul = self._screw_ul()
        self._threshold_ul = self._next_threshold()

    def step(self, direction: int) -> float:
        """Turn the motor by one step and return the volume in µL that the plunger displaces."""
        self.steps += direction
        lead_ul = self._screw_ul() - self._plunger_ul
        if abs(lead_ul) < self._threshold_ul:
            return 0.0
        self._plunger_ul += lead_ul
        self._threshold_ul = self._next_threshold()
        return lead_ul

    @property
    def lead_ul(self) -> float:
        """How far the screw is ahead of the plunger, as a volume in µL."""
        return self._screw_ul() - self._plunger_ul

    @property
    def lead_share(self) -> float:
        """The same as a share of what lets the seal slip."""
        return self.lead_ul / self._threshold_ul if self._threshold_ul else 0.0

    def _screw_ul(self) -> float:
        angle = 2.0 * math.pi * self.steps / STEPS_PER_TURN + self._phase
        return self._gain * self.steps * STEP_UL + self._ripple_ul * math.sin(angle)

    def _next_threshold(self) -> float:
        self._slips += 1
        return 2.0 * self._stick_ul * uniform(self._slip_key, self._slips)


class FluidPath:
    """The fluid between plunger and vessel, at the present moment of `clock`. Volumes in µL, pressures in kPa gauge."""

    def __init__(self, clock: SimClock, drive: DriveParameters, fluid: FluidParameters, seed: int) -> None:
        self._clock = clock
        self.drive = Drive(drive, seed)
        self._friction_n = drive.friction_n
        self._compliance = fluid.compliance_ul_per_kpa
        self._conductance = 1.0 / fluid.resistance_kpa_s_per_ul
        self._leak = 0.0
        self._closed = False
        self._back_kpa, self._head_m = fluid.back_pressure_kpa, fluid.head_m
        self._reservoir_ul = fluid.reservoir_ul
        self._pressure_kpa = self._back_kpa + self._head_m * WATER_KPA_PER_M
        self._delivered_ul = self._leaked_ul = 0.0
        self._jammed_n = 0.0
        self._at_ns = clock.now_ns
        self._followers: list[Callable[[Flow], None]] = []

    # ---- what the bench does to it ----------------------------------------------------------------------------

    def step(self, direction: int) -> None:
        """Turn the motor by one step now: +1 infuses, −1 retracts."""
        self.advance()
        displaced_ul = self.drive.step(direction)
        moved_ul = min(displaced_ul, self._reservoir_ul)
        self._jammed_n += (displaced_ul - moved_ul) * JAM_N_PER_UL
        self._reservoir_ul -= moved_ul
        self._pressure_kpa += moved_ul / self._compliance

    def set_occluder(self, *, closed: bool) -> None:
        """Close or open the valve at the outlet."""
        self.advance()
        self._closed = closed

    def set_leak(self, conductance_ul_per_s_kpa: float) -> None:
        """Let the line leak to waste with a conductance in µL/(s kPa); 0 is tight."""
        self.advance()
        self._leak = conductance_ul_per_s_kpa

    def set_back_pressure_kpa(self, back_pressure_kpa: float) -> None:
        """Set the pressure at the needle in kPa."""
        self.advance()
        self._back_kpa = back_pressure_kpa

    def set_head_m(self, head_m: float) -> None:
        """Set the height of the needle above the pump in m."""
        self.advance()
        self._head_m = head_m

    # ---- what can be seen of it -------------------------------------------------------------------------------

    def line_pressure_kpa(self) -> float:
        """Get the gauge pressure in the line in kPa."""
        self.advance()
        return self._pressure_kpa

    def plunger_force_n(self) -> float:
        """Get the force on the plunger in N: pressure, friction as far as the seal is loaded, and what jams."""
        self.advance()
        pressure_n = self._pressure_kpa * PLUNGER_MM2 * 1e-3
        return pressure_n + self._friction_n * (1.0 + self.drive.lead_share) / 2.0 + self._jammed_n

    @property
    def delivered_ul(self) -> float:
        """Volume in µL that has left the needle."""
        self.advance()
        return self._delivered_ul

    @property
    def leaked_ul(self) -> float:
        """Volume in µL that has gone to waste."""
        self.advance()
        return self._leaked_ul

    @property
    def reservoir_ul(self) -> float:
        """Volume in µL left in the reservoir."""
        return self._reservoir_ul

    @property
    def line_stored_ul(self) -> float:
        """Volume in µL that the line holds beyond what it holds at gauge pressure 0."""
        self.advance()
        return self._compliance * self._pressure_kpa

    # ---- the equations ----------------------------------------------------------------------------------------

    def advance(self) -> None:
        """Bring the state to the present moment, in closed form.

        C dp/dt = −g (p − p_out) − l p, with outlet conductance g (0 when closed) and leak conductance l.
        """
        now_ns = self._clock.now_ns
        elapsed_s = (now_ns - self._at_ns) / NS_PER_S
        if elapsed_s <= 0.0:
            return
        self._at_ns = now_ns
        outlet = 0.0 if self._closed else self._conductance
        total = outlet + self._leak
        if total == 0.0:
            self._tell(Flow(elapsed_s, self._delivered_ul, 0.0, 0.0, 1.0))
            return
        outlet_kpa = self._back_kpa + self._head_m * WATER_KPA_PER_M
        final_kpa = outlet * outlet_kpa / total
        tau_s = self._compliance / total
        excess_kpa = self._pressure_kpa - final_kpa
        fading = -math.expm1(-elapsed_s / tau_s)
        steady = outlet * (final_kpa - outlet_kpa)
        self._tell(Flow(elapsed_s, self._delivered_ul, steady, outlet * excess_kpa * tau_s, tau_s))
        self._pressure_kpa = final_kpa + excess_kpa * (1.0 - fading)
        self._delivered_ul += steady * elapsed_s + outlet * excess_kpa * tau_s * fading
        self._leaked_ul += self._leak * (final_kpa * elapsed_s + excess_kpa * tau_s * fading)

    def follow(self, follower: Callable[[Flow], None]) -> None:
        """Tell `follower` about each interval, before the state moves on."""
        self._followers.append(follower)

    def _tell(self, flow: Flow) -> None:
        for follower in self._followers:
            follower(flow)
