"""What a loop with a lost cannula measures, too: hours to levels, the controller's sign, the pump's alarms.

Also the form of every kind of a loop. Not responsible for the hours themselves (`rig.loop.warning`).
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping

from rig.analysis.checks import FloatArray
from rig.loop.choice import CONTROLLERS
from rig.loop.controllers import PERIOD_MIN
from rig.loop.warning import hours_to_sign, level_reached, most_in_an_hour_percent
from rig.procedures.parameters import PERSON
from rig.verdicts.limits import Measurement
from rig.verdicts.quantities import Kind, Parameter, Quantity

CONTROLLER = Parameter("controller", words=tuple(CONTROLLERS))
CALLED = Parameter("called")


def loop_kind(name: str, sentence: str, meaning: str, unit: str) -> Kind:
    """Make a kind of quantity of a loop."""
    return Kind(
        f"loop.{name}", f"{sentence} of {{person}} on {{controller}}, {{called}}", (unit,),
        (PERSON, CONTROLLER, CALLED), meaning,
    )  # fmt: skip


_SINCE = "since the line was energised; not measured where it does not come before the end of the loop"
TO_LEVEL: Mapping[float, Kind] = {
    level: loop_kind(
        f"time_to_{level:.0f}",
        f"time to {level:.0f} mg/dL",
        f"Until glucose in plasma is {level:.0f} mg/dL, {_SINCE}.",
        "h",
    )
    for level in (250.0, 300.0)
}
"""By the level in mg/dL."""
SIGN = loop_kind(
    "time_to_sign",
    "time to twice the basal rate for an hour",
    f"Until the controller has commanded twice the basal rate for an hour, {_SINCE}.",
    "h",
)
MOST = loop_kind(
    "most_commanded",
    "most commanded in an hour",
    "The most insulin that the controller commanded in any hour since the line was energised, in % of the basal rate.",
    "%",
)
ALARMS = loop_kind(
    "annunciated",
    "annunciations of the pump",
    "Kinds of what the pump annunciates during the loop, but for the end of a temporary rate.",
    "annunciations",
)
OF_COMMANDS = (SIGN, MOST)
"""A controller that looks at no sensor tells nothing by them."""
SIGNS = (*TO_LEVEL.values(), *OF_COMMANDS, ALARMS)


def signs_of(
    of: Mapping[str, Quantity],
    glucose_mg_per_dl: FloatArray,
    u_mg_per_dl: FloatArray,
    commanded_u: FloatArray,
    *,
    basal_u_per_h: float,
    since_min: int,
    annunciated: Collection[str],
) -> Iterator[Measurement]:
    """Measure what `of` declares of them, by their kinds.

    U of an hour to a level is what the weighing leaves open. A sign comes at one of the controller's decisions: U is
    that of a time which is known to a period (a rectangle, k = 2).
    """
    for level, kind in TO_LEVEL.items():
        found = level_reached(glucose_mg_per_dl, u_mg_per_dl, level, since_min)
        if kind.name in of and found is not None:
            yield Measurement(of[kind.name], found.hours, found.expanded_h)
    sign_h = hours_to_sign(commanded_u, basal_u_per_h, since_min)
    if SIGN.name in of and sign_h is not None:
        yield Measurement(of[SIGN.name], sign_h, 2.0 * PERIOD_MIN / 60.0 / math.sqrt(12.0))
    most_percent = most_in_an_hour_percent(commanded_u, basal_u_per_h, since_min)
    if MOST.name in of and most_percent is not None:
        yield Measurement(of[MOST.name], most_percent)
    if ALARMS.name in of:
        yield Measurement(of[ALARMS.name], float(len(annunciated)))
