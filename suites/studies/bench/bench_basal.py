"""49 h of basal delivery through PyVISA, pyserial and the firmware: virtual beside wall time, and where it goes."""

from __future__ import annotations

import cProfile
import pstats
from pathlib import Path
from tempfile import TemporaryDirectory

from rig.bench.open import open_bench
from rig.clock import WallClock
from rig.procedures.basal import Basal
from rig.record.appending import DirectAppender
from rig.record.attempt import WireLog
from suites.measuring import VIRTUAL, measured_on

PLAN = Basal(rate_u_per_h=1.0)


ONE_HERTZ = PLAN.model_copy(update={"sample_every_s": 1.0, "warm_up_sample_every_s": 1.0})
"""The whole method at one rate, read once a second throughout."""


def run_basal(folder: Path, plan: Basal = PLAN) -> tuple[float, float]:
    """Take and compute the measurement once; returns virtual and wall seconds, opening the bench included."""
    wall, appender = WallClock(), DirectAppender()
    log = WireLog(folder, appender)
    with open_bench(VIRTUAL, log=log) as bench:
        measured_on(bench, folder / "basal", plan)
        virtual_s = bench.clock.now()
    log.close()
    appender.close()
    return virtual_s, wall.now()


def readings_in(folder: Path) -> int:
    """Count the readings of the balance that a run has kept."""
    return len((folder / "basal" / "balance.csv").read_bytes().splitlines()) - 1


def main() -> None:
    """Print the ratio of three runs, of one that reads once a second, then the profile of another."""
    with TemporaryDirectory() as folder:
        for number in range(3):
            virtual_s, wall_s = run_basal(Path(folder) / str(number))
            print(
                f"{virtual_s / 3600.0:.1f} h of basal delivery in {wall_s:.2f} s: {virtual_s / wall_s:,.0f} × real time"
            )
        virtual_s, often_s = run_basal(Path(folder) / "one hertz", ONE_HERTZ)
        readings = readings_in(Path(folder) / "one hertz")
        each_us = (often_s - wall_s) / (readings - readings_in(Path(folder) / str(number))) * 1e6
        print(
            f"{virtual_s / 3600.0:.1f} h of basal delivery read once a second in {often_s:.2f} s (target: below 20 s): "
            f"{virtual_s / often_s:,.0f} × real time, {often_s / wall_s:.1f} times as long as read every 15 s, "
            f"{each_us:.0f} µs for each further reading of balance and pressure"
        )
        profile = cProfile.Profile()
        profile.enable()
        run_basal(Path(folder) / "profiled")
        profile.disable()
    pstats.Stats(profile).strip_dirs().sort_stats("tottime").print_stats(25)


if __name__ == "__main__":
    main()
