"""The person on the pump: models of glucose and insulin, sensors, metrics. Pure: no clock, no files.

Not responsible for what a pump delivered, nor for judging it.
"""

from rig.patient import conditions, metrics
from rig.patient.person import hovorka, hovorka_cohort, s2008, s2008_cohort, type2
from rig.patient.sensor import cgm

__all__ = ["cgm", "conditions", "hovorka", "hovorka_cohort", "metrics", "s2008", "s2008_cohort", "type2"]
