"""Occlusions at the thresholds and rates of the plan, and delivery without a false alarm."""

from rig.procedures.occlusion import Occlusion
from rig.procedures.unoccluded import Unoccluded
from rig.run.verification import Verification


def test_occlusions(verification: Verification, occlusion: Occlusion) -> None:
    """Occlusions under basal delivery: typical and longest time to the alarm, pressure, missed volume, release."""
    verification.measure(occlusion)


def test_no_false_occlusion_alarm(verification: Verification, unoccluded: Unoccluded) -> None:
    """Free delivery during which no occlusion may be alarmed."""
    verification.measure(unoccluded)
