"""Basal delivery against its programme."""

import pytest

from rig.procedures.basal import BasalPlan, measure_basal
from rig.roles import Bench, Capability
from rig.verification import Verification


@pytest.mark.requirement("PR-D1.1", "PR-D1.2", "PR-D1.3")
def test_basal_delivery_at_1_u_per_h(bench: Bench, verification: Verification) -> None:
    """Basal delivery at 1 U/h: 24 h of stabilisation, then 25 h of analysis."""
    verification.need(bench.pump, Capability.BASAL_PROFILE)
    result = measure_basal(bench, verification.record, BasalPlan(rate_u_per_h=1.0, dose_u=0.025))
    verification.verify(result.measurements)
