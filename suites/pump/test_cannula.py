"""A cannula that came out: the pump cannot know, and its account stays true."""

import pytest

from rig.procedures.cannula import CannulaOut
from rig.run.verification import Verification


@pytest.mark.parametrize("cannula", [CannulaOut(rate_u_per_h=1.0)], ids=["2 h"])
def test_cannula_out(verification: Verification, cannula: CannulaOut) -> None:
    """Basal insulin and a bolus while the needle is beside the vessel, and the same before and after."""
    verification.measure(cannula)
