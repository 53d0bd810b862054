"""Basal delivery against its programme, at each rate of the plan."""

from rig.procedures.basal import Basal
from rig.run.verification import Verification


def test_basal_delivery(verification: Verification, basal: Basal) -> None:
    """Basal delivery: stabilisation, then the analysis period."""
    verification.measure(basal)
