"""Extended and multiwave boluses against their programme, over their whole course."""

from rig.procedures.extended import Extended
from rig.run.verification import Verification


def test_extended_bolus(verification: Verification, extended: Extended) -> None:
    """An extended or multiwave bolus: total, immediate part, evenness, beginning and end."""
    verification.measure(extended)
