"""A virtual person who lives on what is weighed, once for each entry of the plan's table."""

from rig.procedures.loop import Loop
from rig.run.verification import Verification


def test_person(verification: Verification, loop: Loop) -> None:
    """A person on the pump: glucose, and what the pump did to it."""
    verification.measure(loop)
