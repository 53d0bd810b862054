"""Changes of the basal rate: temporary rates, and switches of the profile, each by itself."""

from rig.plan_profiles import SwitchEntry, TemporaryEntry
from rig.procedures.rate_change import measure_rate_change
from rig.roles import Bench, Capability
from rig.verification import Verification


def test_temporary_rate(bench: Bench, verification: Verification, temporary: TemporaryEntry) -> None:
    """A temporary rate: what comes before, during and after it, and how late it begins and ends."""
    verification.need(bench.pump, Capability.BASAL_PROFILE, Capability.TEMPORARY_BASAL)
    verification.verify(measure_rate_change(bench, verification.record, temporary.procedure()).measurements)


def test_profile_switch(bench: Bench, verification: Verification, switch: SwitchEntry) -> None:
    """A switch of the profile: what comes before and after it, and how late it comes."""
    verification.need(bench.pump, Capability.BASAL_PROFILE, Capability.CLOCK)
    verification.verify(measure_rate_change(bench, verification.record, switch.procedure()).measurements)
