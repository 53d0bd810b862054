"""What a loop's controller is told of person and pump beside rate and ratio: limits, target, sensitivity, boluses.

Fields that `loop` has beside its own. Not responsible for what a controller makes of them (`rig.loop`).
"""

from __future__ import annotations

from abc import ABC
from typing import Annotated

from pydantic import Field

from rig.loop.controllers import ControllerSettings
from rig.loop.persons import sensitivity_of
from rig.procedures.bounds import Glucose, Minutes, Rate, Size, lasting
from rig.procedures.from_sheet import FromSheet
from rig.procedures.lived import Lived
from rig.toml_files import YesNo

MAX_IOB_H = 3.0
"""Insulin on board up to which automation adds, in h of the basal rate, where nobody says. The house's own."""


class Automated(Lived, ABC):
    """A loop as its controller is told of it."""

    max_rate_u_per_h: Annotated[Rate, FromSheet("basal.maximum"), Field(alias="max_rate")] = 35.0
    max_bolus_u: Annotated[Size, FromSheet("bolus.maximum"), Field(alias="max_bolus")] = 25.0
    target_mg_per_dl: Annotated[Glucose, Field(alias="target")] = 110.0
    sensitivity_mg_per_dl: Annotated[Glucose | None, Field(alias="sensitivity")] = None
    action_s: Annotated[Minutes, lasting("3 h", "10 h"), Field(alias="action")] = 21600.0
    max_iob_u: Annotated[Size | None, Field(alias="max_iob")] = None
    micro_boluses: YesNo = False

    def settings_for(
        self, person: str, *, basal_u_per_h: float, ratio_g: float, rate_step_u_per_h: float, bolus_step_u: float
    ) -> ControllerSettings:
        """Say what the controller is told; where nobody says, what suits the person."""
        sensitivity, max_iob_u = self.sensitivity_mg_per_dl, self.max_iob_u
        return ControllerSettings(
            basal_u_per_h=basal_u_per_h,
            ratio_g=ratio_g,
            rate_step_u_per_h=rate_step_u_per_h,
            bolus_step_u=bolus_step_u,
            target_mg_per_dl=self.target_mg_per_dl,
            sensitivity_mg_per_dl=sensitivity_of(person) if sensitivity is None else sensitivity,
            action_h=self.action_s / 3600.0,
            max_rate_u_per_h=self.max_rate_u_per_h,
            max_bolus_u=self.max_bolus_u,
            max_iob_u=MAX_IOB_H * basal_u_per_h if max_iob_u is None else max_iob_u,
            micro_boluses=self.micro_boluses,
        )
