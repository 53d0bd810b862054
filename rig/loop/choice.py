"""The controllers that a loop may be given. Not responsible for any of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from rig.loop.accepted import Known
from rig.loop.controllers import BasalBolus, Controller, ControllerSettings
from rig.loop.oref0.controller import Oref0
from rig.loop.oref0.package import oref0_command
from rig.loop.pid import PidWithInsulinFeedback

CONTROLLERS: Mapping[str, Callable[[ControllerSettings, Known], Controller]] = {
    "basal-bolus": BasalBolus,
    "pid": PidWithInsulinFeedback,
    "oref0": Oref0,
}
"""By their names in a plan; each is made of its settings and of what is known already."""
PROGRAMS: Mapping[str, Callable[[], object]] = {"oref0": oref0_command}
"""Those that are programs of other people: what finds each, or refuses."""


def refuse_missing_programs(needed: Iterable[str]) -> None:
    """Refuse programs that are not on this machine; BenchFileError says which, where it should be, how to get it."""
    for each in dict.fromkeys(needed):
        PROGRAMS[each]()
