"""A delivery between two blank runs, and the scale by which to read it: what most measurements have around them.

Not responsible for what is delivered, nor for the gates that a blank run holds (`gates`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from rig.evidence import TestRecorder
from rig.procedures.gates import blank_run, with_blanks
from rig.procedures.preparation import prepare
from rig.procedures.volume import VolumeScale
from rig.roles import Bench

Delivered = TypeVar("Delivered")


def between_blanks(
    bench: Bench, record: TestRecorder, *, rate_u_per_h: float, blank_s: float, deliver: Callable[[], Delivered]
) -> tuple[Delivered, VolumeScale]:
    """Prepare a flat profile in U/h, let `deliver` start and end a delivery, and weigh a blank of `blank_s` around it.

    The pump is stopped before the closing blank run; `deliver` leaves the line at rest.

    Returns:
        What `deliver` returns, and the scale with the evaporation that both blank runs showed.

    Raises:
        BlockedError: a gate of a blank run is not passed.
    """
    air = prepare(bench, record, rate_u_per_h=rate_u_per_h)
    opening = blank_run(bench, record, "opening", duration_s=blank_s)
    delivered = deliver()
    bench.pump.stop()
    closing = blank_run(bench, record, "closing", duration_s=blank_s)
    return delivered, VolumeScale.of(with_blanks(bench, opening, closing), air)
