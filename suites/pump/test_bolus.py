"""Boluses against their command, each weighed on its own."""

import pytest

from rig.plan_entries import BolusEntry
from rig.procedures.bolus import measure_boluses
from rig.procedures.safety import measure_cancelled_bolus
from rig.roles import Bench, Capability
from rig.verification import Verification


def test_consecutive_boluses(bench: Bench, verification: Verification, bolus: BolusEntry) -> None:
    """Consecutive boluses, each weighed to its plateau."""
    verification.need(bench.pump, Capability.FAST_BOLUS, Capability.HISTORY)
    verification.verify(measure_boluses(bench, verification.record, bolus.procedure()).measurements)


@pytest.mark.requirement("PR-D5.1")
def test_cancelled_bolus(bench: Bench, verification: Verification) -> None:
    """A bolus of 5 U, cancelled after one minute."""
    verification.need(bench.pump, Capability.FAST_BOLUS, Capability.CANCEL_BOLUS, Capability.HISTORY)
    verification.verify(measure_cancelled_bolus(bench, verification.record, insulin_u=5.0, cancel_after_s=60.0))
