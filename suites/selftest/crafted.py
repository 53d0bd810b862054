"""A measurement as if it had been taken, written by hand: exact readings of a pump that delivers what a test says.

No noise, no evaporation; the air is one air. Not responsible for facts, which each measurement has of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from rig.clock import SimClock
from rig.procedures.volume import VolumeScale
from rig.record.appending import DirectAppender
from rig.record.taking import Fact, Recorder
from rig.roles import Air
from suites.studies.coverage.laboratory import declared

AIR = Air(21.5, 1008.0, 0.48)
METROLOGY = replace(declared(), evaporation_g_per_h=0.0, evaporation_uncertainty_g_per_h=0.0, evaporation_source=None)
BLANK_S = 600.0


class Crafted:
    """Writes readings in the order of time."""

    def __init__(self, folder: Path, appender: DirectAppender) -> None:
        self.clock = SimClock()
        self.record = Recorder(folder, self.clock, appender)
        self._g_per_u = 10.0 / VolumeScale.in_air(METROLOGY, AIR).z_ul_per_mg * 1e-3

    def read(self, phase: str, at_s: float, delivered_u: float, *, pressure_kpa: float = 0.0) -> None:
        """Keep what balance and sensor show at a second of the bench's clock."""
        self.clock.sleep(max(0.0, at_s - self.clock.now()))
        self.record.sample("balance", phase, mass_g=10.0 + delivered_u * self._g_per_u, stable=True)
        self.record.sample("pressure", phase, pressure_kpa=pressure_kpa)

    def air(self) -> None:
        """Keep the air of the preparation."""
        self.record.sample(
            "environment",
            "preparation",
            temperature_c=AIR.temperature_c,
            pressure_hpa=AIR.pressure_hpa,
            relative_humidity=AIR.relative_humidity,
        )

    def blank(self, which: str, delivered_u: float) -> None:
        """Keep a blank run that begins now."""
        start_s = self.clock.now()
        for number in range(round(BLANK_S / 10.0) + 1):
            self.read(f"{which} blank run", start_s + 10.0 * number, delivered_u)

    def fact(self, fact: Fact) -> None:
        """Keep a fact."""
        self.record.fact(fact)


@contextmanager
def crafted(folder: Path) -> Iterator[Crafted]:
    """Write a measurement into a folder."""
    appender = DirectAppender()
    yield Crafted(folder, appender)
    appender.close()
