"""The controllers that a loop may be given. Not responsible for any of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from rig.loop.accepted import Known
from rig.loop.controllers import BasalBolus, Controller, ControllerSettings
from rig.loop.pid import PidWithInsulinFeedback

CONTROLLERS: Mapping[str, Callable[[ControllerSettings, Known], Controller]] = {
    "basal-bolus": BasalBolus,
    "pid": PidWithInsulinFeedback,
}
"""By their names in a plan; each is made of its settings and of what is known already."""
