"""Placeholder: see rig.record."""

from rig.record.manifest import Equipment, Manifest, Plan  # noqa: F401
from rig.record.models import Device, LimitRecord  # noqa: F401
from rig.record.results import JudgedRecord as MeasurementRecord  # noqa: F401
from rig.record.results import ReportedRecord, RequirementRecord, Results, TestRecord  # noqa: F401
