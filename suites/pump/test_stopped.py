"""A stopped pump delivers nothing."""

import pytest

from rig.procedures.safety import measure_stopped
from rig.roles import Bench
from rig.verification import Verification


@pytest.mark.requirement("PR-D7.1")
def test_stopped_pump(bench: Bench, verification: Verification) -> None:
    """A stopped pump, weighed for 30 min."""
    verification.verify(measure_stopped(bench, verification.record, duration_s=1800.0))
