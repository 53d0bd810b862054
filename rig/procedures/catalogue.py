"""The measurements that this rig knows: the tables of a plan, the keywords of a protocol and the kinds of quantities.

Everything else that lists measurements is derived from this one list. Not responsible for any of them.
"""

from __future__ import annotations

from collections.abc import Mapping

from rig.procedures.alarm import Alarm
from rig.procedures.alarm_answered import AlarmAnswered
from rig.procedures.alarm_unanswered import AlarmUnanswered
from rig.procedures.alarms_together import AlarmsTogether
from rig.procedures.annunciated import Annunciated
from rig.procedures.annunciator_cut import AnnunciatorCut
from rig.procedures.automation import Automation
from rig.procedures.basal import Basal
from rig.procedures.battery import Battery
from rig.procedures.bolus import Bolus
from rig.procedures.calculator import Calculator
from rig.procedures.cancelled import Cancelled
from rig.procedures.cannula import CannulaOut
from rig.procedures.clock_set import ClockIsSet
from rig.procedures.concentration import Concentration
from rig.procedures.core_fault import ControllerFault
from rig.procedures.corrupted import CorruptedValue
from rig.procedures.course import CommandCourse
from rig.procedures.damaged import Damaged
from rig.procedures.day import Day
from rig.procedures.dips import Dips
from rig.procedures.dislodged import SetDislodged
from rig.procedures.emptied import Emptied
from rig.procedures.extended import Extended
from rig.procedures.fault_in_bolus import FaultInBolus
from rig.procedures.fault_response import FaultResponse
from rig.procedures.flood import Flood
from rig.procedures.flows_on import FLOW
from rig.procedures.half_hours import HalfHours
from rig.procedures.hang import ControllerHangs
from rig.procedures.keys import Keys
from rig.procedures.link_lost import LostLink
from rig.procedures.log import PumpLog
from rig.procedures.log_contents import LogContents
from rig.procedures.long_log import LongLog
from rig.procedures.loop import Loop
from rig.procedures.not_yet import NotYet
from rig.procedures.occluded_bolus import OccludedBolus
from rig.procedures.occlusion import Occlusion
from rig.procedures.priming import Priming
from rig.procedures.procedure import Procedure
from rig.procedures.recorded import OF_THE_RECORD
from rig.procedures.refused import Refused
from rig.procedures.replayed import Replayed
from rig.procedures.reservoir import Reservoir
from rig.procedures.restart import Restart
from rig.procedures.self_clearing import SelfClearing
from rig.procedures.speed import BolusSpeed
from rig.procedures.stopped import Stopped
from rig.procedures.switch import ProfileSwitch
from rig.procedures.temporary import Temporary
from rig.procedures.temporary_course import TemporaryCourse
from rig.procedures.through_fault import ThroughFault
from rig.procedures.time_zones import TimeZones
from rig.procedures.unattended import Unattended
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
    HalfHours,
    Occlusion,
    Unoccluded,
    Stopped,
    Cancelled,
    CommandCourse,
    BolusSpeed,
    Refused,
    Reservoir,
    PumpLog,
    Day,
    Priming,
    Battery,
    Dips,
    Restart,
    Damaged,
    Replayed,
    LostLink,
    Unattended,
    Flood,
    Alarm,
    AlarmUnanswered,
    AlarmAnswered,
    AlarmsTogether,
    AnnunciatorCut,
    OccludedBolus,
    SelfClearing,
    FaultInBolus,
    ThroughFault,
    FaultResponse,
    Annunciated,
    Emptied,
    NotYet,
    Keys,
    LogContents,
    LongLog,
    ControllerFault,
    ControllerHangs,
    Concentration,
    CorruptedValue,
    Calculator,
    WrongProfiles,
    TemporaryCourse,
    ClockIsSet,
    TimeZones,
    CannulaOut,
    SetDislodged,
    Loop,
    Automation,
)
EVERYWHERE: tuple[Kind, ...] = (RESTARTS, FLOW)
"""Kinds that measurements have beside their own: every one the first, every one between two blank runs both."""
TABLES: Mapping[str, type[Procedure]] = {procedure.TABLE: procedure for procedure in PROCEDURES}
KINDS: Mapping[str, Kind] = {
    kind.name: kind
    for kinds in (*(procedure.KINDS for procedure in PROCEDURES), EVERYWHERE, OF_THE_RECORD)
    for kind in kinds
}


def procedure_of(asked: Asked) -> Procedure:
    """Make the procedure that a record asks for; KeyError for a table that this rig does not know."""
    return TABLES[asked.table].model_validate(asked.parameters, by_alias=False, by_name=True)
