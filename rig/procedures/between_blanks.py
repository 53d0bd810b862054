"""A delivery between two blank runs, and the scale by which to read it: what most measurements have around them.

Not responsible for what is delivered, nor for the gates that a blank run holds (`gates`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rig.procedures.gates import blank_run, blanks_of
from rig.procedures.preparation import FULL_RESERVOIR_U, PREPARATION, prepare
from rig.procedures.sampling import air_of
from rig.procedures.volume import VolumeScale
from rig.record.taking import Recorder, Taken
from rig.roles import Bench, Metrology


def between_blanks(
    bench: Bench,
    record: Recorder,
    *,
    rate_u_per_h: float,
    blank_s: float,
    deliver: Callable[[], None],
    reservoir_u: float = FULL_RESERVOIR_U,
    outlet_closed: bool = False,
) -> None:
    """Prepare a flat profile in U/h, let `deliver` start and end a delivery, and weigh a blank of `blank_s` around it.

    The pump is stopped before the closing blank run; `deliver` leaves the line at rest. With `outlet_closed` the blank
    runs know nothing of the pump: where what a stopped pump delivers is looked for, an open outlet would take it off.

    Raises:
        BlockedError: a gate of a blank run is not passed.
    """
    prepare(bench, record, rate_u_per_h=rate_u_per_h, reservoir_u=reservoir_u)
    with _outlet(bench, closed=outlet_closed):
        blank_run(bench, record, "opening", duration_s=blank_s, outlet_closed=outlet_closed)
    deliver()
    bench.pump.stop()
    with _outlet(bench, closed=outlet_closed):
        blank_run(bench, record, "closing", duration_s=blank_s, outlet_closed=outlet_closed)


@contextmanager
def _outlet(bench: Bench, *, closed: bool) -> Iterator[None]:
    """Close the outlet for a while, or leave it as it is."""
    if not closed:
        yield
        return
    bench.switch.set_line("occluder", energised=True)
    try:
        yield
    finally:
        bench.switch.set_line("occluder", energised=False)


def scale_between_blanks(taken: Taken, metrology: Metrology, *, blank_s: float) -> VolumeScale:
    """Compute the scale of a recorded delivery: the air at its preparation, the evaporation that both blanks showed."""
    return VolumeScale.in_air(blanks_of(taken, metrology, duration_s=blank_s), air_of(taken, PREPARATION))
