"""Supply, restart, link and log over longer times or in more ways than a protocol does, as a plan has it."""

from rig.procedures.dips import Dips
from rig.procedures.flood import Flood
from rig.procedures.link_lost import LostLink
from rig.procedures.long_log import LongLog
from rig.procedures.restart import Restart
from rig.procedures.unattended import Unattended
from rig.run.verification import Verification


def test_supply_dips(verification: Verification, dips: Dips) -> None:
    """Dips of the supply in the middle of boluses."""
    verification.measure(dips)


def test_restarted_pump(verification: Verification, restart: Restart) -> None:
    """A restart in the middle of a bolus."""
    verification.measure(restart)


def test_lost_link(verification: Verification, link: LostLink) -> None:
    """A bolus that loses its link."""
    verification.measure(link)


def test_pump_left_alone(verification: Verification, unattended: Unattended) -> None:
    """Basal delivery while nobody speaks to the pump."""
    verification.measure(unattended)


def test_flooded_pump(verification: Verification, flood: Flood) -> None:
    """A bolus in a flood of commands."""
    verification.measure(flood)


def test_long_log(verification: Verification, long_log: LongLog) -> None:
    """A log of thousands of entries."""
    verification.measure(long_log)
