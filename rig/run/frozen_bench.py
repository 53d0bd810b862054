"""The bench of one test, opened on frozen inputs that are looked at again before, after opening, and at its end.

Opening reads files that the bench file names, such as the firmware; what was read must be what was frozen. Not
responsible for what is done with the bench, nor for opening it (`rig.bench.open`).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from rig.bench.open import open_bench
from rig.record.attempt import AttemptRecord
from rig.record.folder import RunFolder
from rig.roles import Bench
from rig.run.inputs import Frozen, refuse_changed_inputs, refuse_other_faults
from rig.run.provoked import provoked_in
from rig.run.stopping import StopSignals
from rig.wire import ByteLog


@contextmanager
def open_frozen_bench(
    run: RunFolder,
    frozen: Frozen,
    attempt: AttemptRecord,
    occasion: str,
    *,
    stop: StopSignals | None = None,
    log: ByteLog | None = None,
) -> Iterator[Bench]:
    """Open the bench of a run for one test, whose attempt begins, and leave it safe after it.

    Args:
        run: whose inputs are frozen.
        frozen: what was read of them when the runner began.
        attempt: the record of the test.
        occasion: the test's id.
        stop: what asks the process to stop waits, once the bench is being left, until it is safe.
        log: gets every byte on a wire; that of the attempt, when it is None.

    Raises:
        EvidenceError: a frozen input is not what it was: before the bench was opened, once it was open, or when it was
            left.
        RigError: as `open_bench`.
    """
    refuse_changed_inputs(run, frozen.sha256)
    refuse_other_faults(frozen.sha256)
    purpose = f"the test {occasion} of the run in {run.path}"
    opening = open_bench(frozen.spec, log=log or attempt.wires, occasion=occasion, purpose=purpose, notes=run.path)
    with ExitStack() as leaving, opening as bench:
        refuse_changed_inputs(run, frozen.sha256)
        attempt.start(bench.clock)
        try:
            with provoked_in(bench, frozen.spec.provoke) as wrong:
                yield wrong
        finally:
            if stop is not None:
                leaving.enter_context(stop.held())
    refuse_changed_inputs(run, frozen.sha256)
