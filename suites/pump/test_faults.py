"""Faults of the plan: in the middle of a bolus, under basal delivery, in a closed line, at the keys."""

from rig.procedures.annunciated import Annunciated
from rig.procedures.concentration import Concentration
from rig.procedures.emptied import Emptied
from rig.procedures.fault_in_bolus import FaultInBolus
from rig.procedures.keys import Keys
from rig.procedures.not_yet import NotYet
from rig.procedures.occluded_bolus import OccludedBolus
from rig.procedures.self_clearing import SelfClearing
from rig.run.verification import Verification


def test_insulin_concentration(verification: Verification, concentration: Concentration) -> None:
    """The concentration that the pump states, and whether a bolus is its size at it."""
    verification.measure(concentration)


def test_fault_in_a_bolus(verification: Verification, fault_in_bolus: FaultInBolus) -> None:
    """A fault in the middle of a bolus: time to the alarm, what came, the log, and a bolus once it is repaired."""
    verification.measure(fault_in_bolus)


def test_fault_while_delivering(verification: Verification, annunciated: Annunciated) -> None:
    """A fault under basal delivery: time to the annunciation, and what is delivered meanwhile."""
    verification.measure(annunciated)


def test_bolus_into_a_closed_line(verification: Verification, occluded_bolus: OccludedBolus) -> None:
    """A bolus into a closed line: alarm, pressure, a second bolus, release, and a bolus afterwards."""
    verification.measure(occluded_bolus)


def test_occlusions_that_clear(verification: Verification, self_clearing: SelfClearing) -> None:
    """A bolus through occlusions that clear by themselves."""
    verification.measure(self_clearing)


def test_emptied_reservoir(verification: Verification, emptied: Emptied) -> None:
    """A reservoir that is emptied until the alarm, or beyond it."""
    verification.measure(emptied)


def test_asked_too_early(verification: Verification, not_yet: NotYet) -> None:
    """A pump that is asked for therapy when it may not deliver."""
    verification.measure(not_yet)


def test_keys(verification: Verification, keys: Keys) -> None:
    """What comes of what is done to the keys."""
    verification.measure(keys)
