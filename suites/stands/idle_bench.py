"""A virtual bench with a pump that has 300 U and a profile of 0 U/h, so that nothing moves that a test did not ask for.

Not responsible for starting therapy.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rig.roles import Bench
from rig.therapy import BasalSegment
from suites.stands.known_pump import IdsBench, open_ids_bench


@contextmanager
def open_idle_bench() -> Iterator[IdsBench]:
    """Open the bench and close it again."""
    with open_ids_bench("fixtures/benches/virtual.toml") as bench:
        bench.pump.set_reservoir_level(300.0)
        bench.pump.set_basal_profile([BasalSegment(1440, 0.0)])
        yield bench


def annunciated(bench: Bench) -> list[str]:
    """What the pump annunciates."""
    return [annunciation.kind for annunciation in bench.pump.annunciations()]
