"""Boluses against their command, each weighed on its own."""

import pytest

from rig.procedures.bolus import Bolus
from rig.procedures.cancelled import Cancelled
from rig.run.verification import Verification


def test_consecutive_boluses(verification: Verification, bolus: Bolus) -> None:
    """Consecutive boluses, each weighed to its plateau."""
    verification.measure(bolus)


@pytest.mark.entry(id="{0.5 bolus.large} after 60 s", size="{0.5 bolus.large}", after="60 s")
def test_cancelled_bolus(verification: Verification, cancelled: Cancelled) -> None:
    """A bolus, cancelled under way."""
    verification.measure(cancelled)
