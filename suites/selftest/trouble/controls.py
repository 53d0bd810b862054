"""Pumps that are wrong on benches that are sound: they must FAIL, or the campaign would praise a rig that sees nothing.

Not responsible for troubled benches.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from rig.clock import ns_from_s
from rig.verdicts.limits import Verdict
from rig.virtual.world import World
from suites.measuring import VIRTUAL
from suites.selftest.trouble.doing import Came, measured

_MUTANTS = VIRTUAL.parents[1] / "controller" / "mutants"
WIDE_OPEN_UL_PER_S_KPA = 1e3
"""Beside it the needle gets next to nothing."""
TENTH_UL_PER_S_KPA = 1.0 / (9.0 * 18.0)
"""A ninth of the conductance of the line of 18 kPa s/µL: a tenth of what the pump pushes goes to waste."""


@dataclass(frozen=True)
class Control:
    """A wrong pump: what is measured of it, its image or what is done to its line, and what it is called."""

    name: str
    measurement: str
    overrides: Mapping[str, Any] = field(default_factory=dict)
    meddle: Callable[[World], None] | None = None

    def do(self) -> Came:
        """Measure it."""
        return measured(self.measurement, self.overrides, None, meddle=self.meddle)


def fails(came: Came) -> bool:
    """Whether the wrong pump got what it deserves."""
    return Verdict.FAIL.value in came.verdicts.values()


def _image(name: str) -> Mapping[str, Any]:
    return {"virtual.firmware": str((_MUTANTS / f"{name}.elf").resolve())}


def _leak(world: World, conductance_ul_per_s_kpa: float) -> None:
    world.fluid.set_leak(conductance_ul_per_s_kpa)


def _siphon(world: World) -> None:
    """Let liquid come through a pump that is not tight: 2 U/h in drops of 5 mU, from a moment of therapy on."""
    every_ns = ns_from_s(9.0)

    def again() -> None:
        world.fluid.push(0.05)
        world.clock.call_at(world.clock.now_ns + every_ns, again)

    world.clock.call_at(ns_from_s(1500.0), again)


CONTROLS = (
    *(
        Control("nothing delivered", each, meddle=partial(_leak, conductance_ul_per_s_kpa=WIDE_OPEN_UL_PER_S_KPA))
        for each in ("bolus", "basal")
    ),
    *(
        Control("a tenth leaks", each, meddle=partial(_leak, conductance_ul_per_s_kpa=TENTH_UL_PER_S_KPA))
        for each in ("bolus", "basal")
    ),
    *(Control("runaway by 10 %", each, _image("over_deliver_10_percent")) for each in ("bolus", "basal")),
    Control("one pulse in twenty dropped", "basal", _image("drop_one_pulse_in_twenty")),
    Control("never alarms", "occlusion", _image("never_alarm")),
    Control("siphon", "stopped", meddle=_siphon),
)
