"""Filling tubing and cannula, which is no therapy."""

from rig.procedures.priming import Priming
from rig.run.verification import Verification


def test_priming(verification: Verification, priming: Priming) -> None:
    """Tubing and cannula, filled and weighed: how much, how fast, and counted as no therapy."""
    verification.measure(priming)
