"""How announced carbohydrate is eaten: 5 g a minute from a queue, and which meal is going on.

Not responsible for digestion (the models).
"""

from __future__ import annotations

from dataclasses import dataclass

from rig.patient.arithmetic import Arithmetic, Number

SPEED_G_PER_MIN = 5.0
"""So simglucose and LoopInsighT1 let a person eat."""


@dataclass(frozen=True)
class Eating:
    """The state of eating.

    Attributes:
        queue_g: announced and not eaten yet.
        was: 1.0 when something was eaten in the minute before, else 0.0.
    """

    queue_g: Number
    was: Number

    def next_minute(self, announced_g: Number, arithmetic: Arithmetic) -> tuple[Eating, Number]:
        """Eat for a minute; returns the state after it and how much was eaten, in g."""
        queue = self.queue_g + announced_g
        eaten = arithmetic.choose(queue < SPEED_G_PER_MIN, queue, SPEED_G_PER_MIN)
        return Eating(queue - eaten, arithmetic.choose(eaten > 0.0, 1.0, 0.0)), eaten
