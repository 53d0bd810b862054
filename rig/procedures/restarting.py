"""Restarting a pump's controller on purpose, which the watch over the pump must not hold against it.

Not responsible for what a pump does at its start.
"""

from __future__ import annotations

from rig.procedures.answers import ask_pump
from rig.procedures.watch import WatchedBench
from rig.record.taking import Recorder
from rig.roles import Bench, Capability, require


def restarted_on_purpose(bench: Bench, record: Recorder) -> bool:
    """Restart the pump's controller over its line; says whether it did not refuse."""
    done = ask_pump(bench, record, "restarting", require(bench.pump, Capability.RESTART).restart)
    if isinstance(bench, WatchedBench):
        bench.watch.passed_over()
    return done
