"""Faults over rates, states and moments, as a plan has them: how soon each is answered, and three accounts after it."""

from rig.procedures.fault_response import FaultResponse
from rig.run.verification import Verification


def test_answer_to_fault(verification: Verification, fault_response: FaultResponse) -> None:
    """A fault in a state of the pump: time to stop and annunciation, what came and was missed, and three accounts."""
    verification.measure(fault_response)
