"""Faults of the controller itself, as a plan has them: a program that hangs, values in which a bit flips."""

from rig.procedures.corrupted import CorruptedValue
from rig.procedures.hang import ControllerHangs
from rig.run.verification import Verification


def test_controller_that_hangs(verification: Verification, hang: ControllerHangs) -> None:
    """A controller that hangs in a state of the pump: when it answers again, what it says, and what came."""
    verification.measure(hang)


def test_value_that_flipped(verification: Verification, corrupted: CorruptedValue) -> None:
    """A value in which a bit flipped, and what the pump makes of it when it is asked."""
    verification.measure(corrupted)
