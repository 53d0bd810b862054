"""How a pump stands at one moment: the hash of its controller, its parts, and the fluid; and when two stand alike.

Two that stand alike go on alike. Their volumes may differ by a rounding: the fluid is reckoned in floating point, from
event to event. Not responsible for what has happened before (`consequence`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from rig.campaigns.course import TherapyCourse

SAME_UL = 1e-6
"""Volumes in µL and pressures in kPa that differ by no more are the same: far below a motor step of 0.03 µL."""
_HISTORY = frozenset({"_last_step_ns", "_steps_asked"})


@dataclass(frozen=True)
class Standing:
    """A pump at one moment.

    Attributes:
        controller: the hash of its memories and registers.
        parts: switches and faults of its board and its fluid path.
        fluid: volumes in µL, pressures in kPa, and counts, by name.
    """

    controller: bytes
    parts: tuple[tuple[str, object], ...]
    fluid: tuple[tuple[str, float], ...]

    def is_like(self, other: Standing) -> bool:
        """Whether both go on alike."""
        return (
            self.controller == other.controller
            and self.parts == other.parts
            and len(self.fluid) == len(other.fluid)
            and all(
                name == name_there and abs(value - value_there) <= SAME_UL
                for (name, value), (name_there, value_there) in zip(self.fluid, other.fluid, strict=True)
            )
        )


def standing(course: TherapyCourse) -> Standing:
    """Look at a pump now; changes nothing."""
    fluid = course.world.fluid
    numbers = [
        ("delivered", fluid.delivered_ul()),
        ("pressure", fluid.line_pressure_kpa()),
        *(each for part in (course.board, fluid, fluid.drive) for each in _numbers(part)),
    ]
    port = course.world.ports["pump"]
    parts = [*_switches(course.board), *_switches(fluid), ("faults of the line", len(port.faults))]
    return Standing(course.board.mcu.state(), tuple(parts), tuple(numbers))


def _switches(part: object) -> Iterator[tuple[str, object]]:
    for name, value in vars(part).items():
        if name not in _HISTORY and (isinstance(value, bool) or value is None):
            yield name, value


def _numbers(part: object) -> Iterator[tuple[str, float]]:
    for name, value in vars(part).items():
        if name not in _HISTORY and isinstance(value, int | float) and not isinstance(value, bool):
            yield name, float(value)
