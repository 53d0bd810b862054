"""A controller that commands the pump, in each situation of the plan; judged by what was weighed."""

from rig.procedures.automation import Automation
from rig.run.verification import Verification


def test_automated_delivery(verification: Verification, automation: Automation) -> None:
    """What controller and pump deliver in a situation, in % of what the profile alone would."""
    verification.measure(automation)
