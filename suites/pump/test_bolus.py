"""Boluses against their command, each weighed on its own."""

import pytest

from rig.procedures.bolus import BolusPlan, measure_boluses
from rig.procedures.safety import measure_cancelled_bolus
from rig.roles import Bench, Capability
from rig.verification import Verification

PLANS = [
    pytest.param(
        BolusPlan(insulin_u=0.1, count=25, planned_s=4.0),
        id="0.1 U",
        marks=pytest.mark.requirement("PR-D3.1"),
    ),
    pytest.param(
        BolusPlan(insulin_u=1.0, count=25, planned_s=40.0),
        id="1 U",
        marks=pytest.mark.requirement("PR-D3.2", "PR-H3.1"),
    ),
    pytest.param(
        BolusPlan(insulin_u=10.0, count=12, planned_s=400.0),
        id="10 U",
        marks=pytest.mark.requirement("PR-D3.3"),
    ),
]


@pytest.mark.parametrize("plan", PLANS)
def test_consecutive_boluses(bench: Bench, verification: Verification, plan: BolusPlan) -> None:
    """Consecutive boluses, each weighed to its plateau."""
    verification.need(bench.pump, Capability.FAST_BOLUS, Capability.HISTORY)
    verification.verify(measure_boluses(bench, verification.record, plan).measurements)


@pytest.mark.requirement("PR-D5.1")
def test_cancelled_bolus(bench: Bench, verification: Verification) -> None:
    """A bolus of 5 U, cancelled after one minute."""
    verification.need(bench.pump, Capability.FAST_BOLUS, Capability.CANCEL_BOLUS, Capability.HISTORY)
    verification.verify(measure_cancelled_bolus(bench, verification.record, insulin_u=5.0, cancel_after_s=60.0))
