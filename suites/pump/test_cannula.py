"""A cannula that came out: the pump cannot know, and its account stays true."""

from rig.procedures.cannula import CannulaOut
from rig.run.verification import Verification


def test_cannula_out(verification: Verification, cannula: CannulaOut) -> None:
    """Basal insulin and a bolus while the needle is beside the vessel, and the same before and after."""
    verification.measure(cannula)
