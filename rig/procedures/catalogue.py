"""The measurements that this rig knows: the tables of a plan, the keywords of a protocol and the kinds of quantities.

Everything else that lists measurements is derived from this one list. Not responsible for any of them.
"""

from __future__ import annotations

from collections.abc import Mapping

from rig.procedures.basal import Basal
from rig.procedures.bolus import Bolus
from rig.procedures.calculator import Calculator
from rig.procedures.cancelled import Cancelled
from rig.procedures.clock_set import ClockIsSet
from rig.procedures.day import Day
from rig.procedures.extended import Extended
from rig.procedures.flows_on import FLOW
from rig.procedures.log import PumpLog
from rig.procedures.occlusion import Occlusion
from rig.procedures.priming import Priming
from rig.procedures.procedure import Procedure
from rig.procedures.refused import Refused
from rig.procedures.reservoir import Reservoir
from rig.procedures.stopped import Stopped
from rig.procedures.switch import ProfileSwitch
from rig.procedures.temporary import Temporary
from rig.procedures.temporary_course import TemporaryCourse
from rig.procedures.unoccluded import Unoccluded
from rig.procedures.watch import RESTARTS
from rig.procedures.wrong_profiles import WrongProfiles
from rig.record.taking import Asked
from rig.verdicts.quantities import Kind

PROCEDURES: tuple[type[Procedure], ...] = (
    Basal,
    Bolus,
    Extended,
    Temporary,
    ProfileSwitch,
    Occlusion,
    Unoccluded,
    Stopped,
    Cancelled,
    Refused,
    Reservoir,
    PumpLog,
    Day,
    Priming,
    Calculator,
    WrongProfiles,
    TemporaryCourse,
    ClockIsSet,
)
EVERYWHERE: tuple[Kind, ...] = (RESTARTS, FLOW)
"""Kinds that measurements have beside their own: every one the first, every one between two blank runs both."""
TABLES: Mapping[str, type[Procedure]] = {procedure.TABLE: procedure for procedure in PROCEDURES}
KINDS: Mapping[str, Kind] = {
    kind.name: kind for kinds in (*(procedure.KINDS for procedure in PROCEDURES), EVERYWHERE) for kind in kinds
}


def procedure_of(asked: Asked) -> Procedure:
    """Make the procedure that a record asks for; KeyError for a table that this rig does not know."""
    return TABLES[asked.table].model_validate(asked.parameters, by_alias=False, by_name=True)
