"""Bringing pump and bench to the state in which a measurement begins.

Not responsible for measuring.
"""

from __future__ import annotations

import datetime

from rig.errors import RefusedError
from rig.procedures.answers import confirm_if_allowed
from rig.procedures.sampling import read_air
from rig.record.taking import Recorder
from rig.roles import Air, Bench, Capability, require
from rig.therapy import BasalSegment, TherapyState

MINUTES_A_DAY = 1440
MIDNIGHT = datetime.datetime(2026, 1, 1)
"""What a pump's clock is set to where a profile begins with the measurement."""
FULL_RESERVOIR_U = 300.0
"""What a full reservoir holds at most, in U, where the pump's sheet does not say: 3 mL of U-100."""
PREPARATION = "preparation"
"""The phase under which the air of a measurement is kept: that of its first preparation."""


def prepare(bench: Bench, record: Recorder, *, rate_u_per_h: float, reservoir_u: float = FULL_RESERVOIR_U) -> Air:
    """Check the air, open the outlet, stop the pump, tell it its reservoir and a flat profile in U/h if it has them.

    It is told no more than a full reservoir of its own holds. What it does not let be confirmed stays shown.

    Returns:
        The air at the balance.

    Raises:
        BlockedError: the air is outside the bench's band.
        RefusedError: the pump refuses the programme, or is not stopped when told to.
        UnableError: a rate is asked for, and the pump has no basal profile.
    """
    air = read_air(bench, record, PREPARATION)
    if bench.reservoir_u is not None:
        reservoir_u = min(reservoir_u, bench.reservoir_u)
    record.step("prepare", rate_u_per_h=rate_u_per_h, reservoir_u=reservoir_u)
    bench.switch.set_line("occluder", energised=False)
    pump = bench.pump
    pump.stop()
    for annunciation in pump.annunciations():
        confirm_if_allowed(bench, record, annunciation)
    if Capability.RESERVOIR_LEVEL in pump.capabilities:
        require(pump, Capability.RESERVOIR_LEVEL).set_reservoir_level(reservoir_u)
    if rate_u_per_h or Capability.BASAL_PROFILE in pump.capabilities:
        flat = [BasalSegment(MINUTES_A_DAY, rate_u_per_h)]
        require(pump, Capability.BASAL_PROFILE).set_basal_profile(flat)
    _expect(bench, TherapyState.STOP)
    return air


def start_therapy(bench: Bench, record: Recorder) -> None:
    """Start delivery; RefusedError when the pump does not run afterwards."""
    bench.pump.run()
    _expect(bench, TherapyState.RUN)
    record.step("therapy runs")


def _expect(bench: Bench, wanted: TherapyState) -> None:
    status = bench.pump.status()
    if status.therapy is not wanted:
        identity = bench.pump.identify()
        raise RefusedError(
            asked=f"setting its therapy to {wanted.value}",
            of_whom=f"pump {identity.model} {identity.serial_number}",
            came_back=f"its therapy is {status.therapy.value}, it is {status.operational}",
            look_at="is the reservoir attached, and is an alarm active?",
        )
