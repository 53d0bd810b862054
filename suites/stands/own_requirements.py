"""The rig's own requirements and plans with the claims of the reference pump's sheet, as a run on it has them.

Not responsible for any of the three.
"""

from __future__ import annotations

from rig.procedures.catalogue import KINDS
from rig.pump_sheet.sheet import PumpSheet, read_pump_sheet
from rig.run.plan import PlanFile, read_plan
from rig.shipped import DEFAULT_PUMP_SHEET, DEFAULT_REQUIREMENTS, shipped
from rig.verdicts.requirements import Requirement, read_requirements


def reference_sheet() -> PumpSheet:
    """Read the pump sheet of the reference pump."""
    return read_pump_sheet(shipped(DEFAULT_PUMP_SHEET))


def own_requirements() -> dict[str, Requirement]:
    """Read the rig's own requirements by id."""
    return read_requirements(shipped(DEFAULT_REQUIREMENTS), KINDS, reference_sheet())


def own_plan(name: str) -> PlanFile:
    """Read one of the rig's own plans, by its name or file."""
    return read_plan(name, reference_sheet())
