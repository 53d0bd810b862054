"""Extended and multiwave boluses against their programme, over their whole course."""

from rig.plan_profiles import ExtendedEntry
from rig.procedures.extended import measure_extended
from rig.roles import Bench, Capability
from rig.verification import Verification


def test_extended_bolus(bench: Bench, verification: Verification, extended: ExtendedEntry) -> None:
    """An extended or multiwave bolus: total, immediate part, evenness, beginning and end."""
    kind = Capability.EXTENDED_BOLUS if extended.extended == 100.0 else Capability.MULTIWAVE_BOLUS
    verification.need(bench.pump, kind, Capability.HISTORY)
    verification.verify(measure_extended(bench, verification.record, extended.procedure()).measurements)
