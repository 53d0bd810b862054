"""Basal delivery against its programme, at each rate of the plan."""

from rig.plan_entries import BasalEntry
from rig.procedures.basal import measure_basal
from rig.roles import Bench, Capability
from rig.verification import Verification


def test_basal_delivery(bench: Bench, verification: Verification, basal: BasalEntry) -> None:
    """Basal delivery: stabilisation, then the analysis period."""
    verification.need(bench.pump, Capability.BASAL_PROFILE)
    verification.verify(measure_basal(bench, verification.record, basal.procedure()).measurements)
