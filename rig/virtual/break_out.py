"""What hangs on the bench's relays: valves in the line, and the box through which the pump's own wires are led.

A laboratory that opens the pump's case leads its keys, motor, encoder, sensors, buzzer and vibrator through such a box;
each relay breaks one of them, or bridges a key. A lift and a pressure chamber hang on relays too. Not responsible for
what a pump does about it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from rig.virtual.board import ControllerBoard
from rig.virtual.fluid import FluidPath

HOT_C = 55.0
"""What the resistor shows that stands in for the temperature sensor: well above what a pump may be."""
COLD_C = -5.0
THIN_HPA = 600.0
"""What stands in for the sensor of ambient pressure: the air at 4,200 m."""
OPEN_FORCE_V = 0.0
"""What an open force sensor gives: below what any force does."""

NARROW_KPA_S_PER_UL = {"narrow_1": 200.0, "narrow_2": 2_000.0, "narrow_3": 20_000.0}
"""Capillaries that are switched into the line: 0.5 m of 0.1 mm bore, 0.3 m of 0.05 mm, 0.2 m of 0.025 mm (Poiseuille,
water of 1 mPa s). At 1 U/h they take 0.6, 6 and 56 kPa; at 1.5 U/min 50 kPa and more."""
BLEED_UL_PER_S_KPA = 1.0 / 18.0
"""A leak to waste as wide as the line itself: half of what is pumped is lost."""
LIFT_M = 1.0
"""By so much the lift takes the pump above the needle, or below it."""
CHAMBER_SHARES = {"chamber": 1.3, "thin_chamber": 1.0 - 200.0 / 760.0}
"""Pressures of the chamber as shares of the room's: a hyperbaric one's, and 200 mmHg less, as in a cabin."""
VENT_UL = 50.0
"""So much a syringe presses into the reservoir's compartment, whose vent it closes: 5 U. Assumption: what a cap's seal
displaces that is screwed on; of one pump's blocked vents hypoglycaemia was reported, and no volume."""
SLIPS_EVERY = 4

Effect = Callable[[bool], None]


def effects(fluid: FluidPath, board: ControllerBoard | None) -> Mapping[str, Effect]:
    """Name what each line does when it is energised (True) or released; the box only where the pump has a controller.

    A line of another name moves nothing here.
    """
    valves: dict[str, Effect] = {
        "occluder": lambda on: fluid.set_occluder(closed=on),
        "waste": lambda on: fluid.set_waste(on=on),
        "reservoir_valve": lambda on: fluid.set_reservoir_valve(closed=on),
        "bleed": lambda on: fluid.set_leak(BLEED_UL_PER_S_KPA if on else 0.0),
        "bubble": lambda on: fluid.inject_bubble() if on else None,
        "vent": lambda on: fluid.press_ahead(VENT_UL) if on else None,
        **_capillaries(fluid),
        **_lift(fluid),
        **_chamber(fluid, board),
    }
    return valves if board is None else {**valves, **_box(board)}


def _capillaries(fluid: FluidPath) -> Mapping[str, Effect]:
    """Each relay leads the line through one capillary more, in series."""
    within: dict[str, float] = {}

    def through(name: str, resistance: float) -> Effect:
        def change(on: bool) -> None:
            within[name] = resistance if on else 0.0
            fluid.set_narrow(sum(within.values()))

        return change

    return {name: through(name, resistance) for name, resistance in NARROW_KPA_S_PER_UL.items()}


def _lift(fluid: FluidPath) -> Mapping[str, Effect]:
    """The needle stays where it is, by as much as the bench has it above the pump."""
    at_rest_m = fluid.head_m
    return {
        "raised": lambda on: fluid.set_head_m(at_rest_m - LIFT_M if on else at_rest_m),
        "lowered": lambda on: fluid.set_head_m(at_rest_m + LIFT_M if on else at_rest_m),
    }


def _chamber(fluid: FluidPath, board: ControllerBoard | None) -> Mapping[str, Effect]:
    def at(share: float) -> Effect:
        def change(on: bool) -> None:
            now = share if on else 1.0
            if board is not None:
                board.ambient_share = now
            fluid.set_ambient_share(now)

        return change

    return {name: at(share) for name, share in CHAMBER_SHARES.items()}


def _box(board: ControllerBoard) -> Mapping[str, Effect]:
    def wire(attribute: str, *, broken: object, whole: object) -> Effect:
        return lambda on: setattr(board, attribute, broken if on else whole)

    return {
        "reservoir": wire("reservoir_attached", broken=False, whole=True),
        "bolus_key": lambda on: board.set_key("quick bolus", pressed=on),
        "confirm_key": lambda on: board.set_key("confirm", pressed=on),
        "motor": wire("motor_stalled", broken=True, whole=False),
        "slip": wire("motor_slips_every", broken=SLIPS_EVERY, whole=0),
        "runaway": wire("runs_away", broken=True, whole=False),
        "encoder": wire("encoder_stuck", broken=True, whole=False),
        "buzzer": wire("buzzer_broken", broken=True, whole=False),
        "vibrator": wire("vibrator_broken", broken=True, whole=False),
        "force_sensor": wire("stuck_force_v", broken=OPEN_FORCE_V, whole=None),
        "hot": wire("stuck_temperature_c", broken=HOT_C, whole=None),
        "cold": wire("stuck_temperature_c", broken=COLD_C, whole=None),
        "backup_cell": wire("backup_cell_out", broken=True, whole=False),
        "crystal": wire("crystal_shorted", broken=True, whole=False),
        "thin_air": wire("stuck_ambient_hpa", broken=THIN_HPA, whole=None),
    }
