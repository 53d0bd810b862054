"""A stopped pump delivers nothing."""

import pytest

from rig.procedures.stopped import Stopped
from rig.run.verification import Verification


@pytest.mark.parametrize("stopped", [Stopped(duration_s=1800.0)], ids=["30 min"])
def test_stopped_pump(verification: Verification, stopped: Stopped) -> None:
    """A stopped pump, weighed for half an hour."""
    verification.measure(stopped)
