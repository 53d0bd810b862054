"""Changes of the basal rate: temporary rates, and switches of the profile, each by itself."""

from rig.procedures.switch import ProfileSwitch
from rig.procedures.temporary import Temporary
from rig.run.verification import Verification


def test_temporary_rate(verification: Verification, temporary: Temporary) -> None:
    """A temporary rate: what comes before, during and after it, and how late it begins and ends."""
    verification.measure(temporary)


def test_profile_switch(verification: Verification, switch: ProfileSwitch) -> None:
    """A switch of the profile: what comes before and after it, and how late it comes."""
    verification.measure(switch)
