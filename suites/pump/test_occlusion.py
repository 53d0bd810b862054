"""Occlusions at the thresholds and rates of the plan, and delivery without a false alarm."""

from rig.plan_occlusions import OcclusionEntry, UnoccludedEntry
from rig.procedures.occlusion_series import measure_free_delivery, measure_occlusions
from rig.roles import Bench, Capability
from rig.verification import Verification


def test_occlusions(bench: Bench, verification: Verification, occlusion: OcclusionEntry) -> None:
    """Occlusions under basal delivery: typical and longest time to the alarm, pressure, missed volume, release."""
    needed = [Capability.SETTINGS] if occlusion.threshold else []
    verification.need(bench.pump, Capability.BASAL_PROFILE, Capability.OCCLUSION_DETECTION, *needed)
    verification.verify(measure_occlusions(bench, verification.record, occlusion.procedure()))


def test_no_false_occlusion_alarm(bench: Bench, verification: Verification, unoccluded: UnoccludedEntry) -> None:
    """Free delivery during which no occlusion may be alarmed."""
    needed = [Capability.SETTINGS] if unoccluded.threshold else []
    verification.need(bench.pump, Capability.BASAL_PROFILE, Capability.OCCLUSION_DETECTION, *needed)
    verification.verify(measure_free_delivery(bench, verification.record, unoccluded.procedure()))
