"""What hangs on the bench's relays: valves in the line, and the box through which the pump's own wires are led.

A laboratory that opens the pump's case leads its keys, motor, encoder, sensors, buzzer and vibrator through such a box;
each relay breaks one of them, or bridges a key. Not responsible for what a pump does about it.
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

Effect = Callable[[bool], None]


def effects(fluid: FluidPath, board: ControllerBoard | None) -> Mapping[str, Effect]:
    """Name what each line does when it is energised (True) or released; the box only where the pump has a controller.

    A line of another name moves nothing here.
    """
    valves: dict[str, Effect] = {
        "occluder": lambda on: fluid.set_occluder(closed=on),
        "waste": lambda on: fluid.set_waste(on=on),
        "reservoir_valve": lambda on: fluid.set_reservoir_valve(closed=on),
    }
    return valves if board is None else {**valves, **_box(board)}


def _box(board: ControllerBoard) -> Mapping[str, Effect]:
    def wire(attribute: str, *, broken: object, whole: object) -> Effect:
        return lambda on: setattr(board, attribute, broken if on else whole)

    return {
        "reservoir": wire("reservoir_attached", broken=False, whole=True),
        "bolus_key": lambda on: board.set_key("quick bolus", pressed=on),
        "confirm_key": lambda on: board.set_key("confirm", pressed=on),
        "motor": wire("motor_stalled", broken=True, whole=False),
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
