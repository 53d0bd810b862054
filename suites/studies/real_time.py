"""Faults in real time, on a bench that is like a laboratory's to the rig. `python -m suites.studies.real_time`.

`rig serve` runs a virtual bench in real time in a process of its own; here its addresses stand in a bench file without
[virtual], and everything else is what a laboratory has: sockets, serial lines, the wall clock. The reservoir is taken
out in a bolus (F14), and the link is lost in one (F26). Not responsible for verdicts: `rig verify` on such a bench is,
and takes minutes where this takes seconds.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from rig.bench.file import read_bench_file
from rig.bench.open import open_bench
from rig.clock import Deadline, WallClock
from rig.faults import shipped_faults
from rig.procedures.answers import confirm_all
from rig.procedures.preparation import prepare, start_therapy
from rig.procedures.provoking import provoking
from rig.procedures.tapped import reached, result_of, tapped
from rig.record.taking import Recorder
from rig.roles import Bench, Capability, require
from rig.shipped import DEFAULT_BENCH, shipped
from suites.measuring import recorded
from suites.stands.served_bench import served_bench

SPEED_U_PER_S = 1.5 / 60.0
"""Of a bolus of the reference pump."""
MG_PER_U = 10.0 * 0.9982
"""Of water at 20 °C, 10 µL a unit."""
LOOK_EVERY_S = 0.1
ALARM_WITHIN_S = 10.0
SETTLES_S = 6.0
"""After it no more than 0.03 U of such a bolus are left in the virtual bench's line, which fades in 4.5 s."""
WITHIN_U = 0.05
"""Two doses: how far log and balance may be apart, with what is left in the line."""


@dataclass(frozen=True)
class Shown:
    """What one fault showed: the bolus, what was weighed and logged of it in U, and s from the fault to its alarm."""

    fault: str
    bolus_u: float
    weighed_u: float
    logged_u: float | None
    alarm_after_s: float | None = None

    @property
    def agrees(self) -> bool:
        """Whether the pump's log is there and agrees with the balance."""
        return self.logged_u is not None and abs(self.logged_u - self.weighed_u) <= WITHIN_U


def reservoir_out(bench: Bench, record: Recorder, *, bolus_u: float, after_s: float) -> Shown:
    """Take the reservoir out in a bolus, wait for the alarm, put it in again, and look who goes on."""
    removed = shipped_faults().injection("F14 removed")
    kinds = removed.fault.annunciated
    with _weighed(bench, record) as weighed_u:
        number = require(bench.pump, Capability.FAST_BOLUS).bolus(bolus_u)
        bench.clock.sleep(after_s)
        with provoking(bench, record) as faults:
            began_s, deadline = faults.inject(removed), Deadline(bench.clock, ALARM_WITHIN_S)
            while not (seen := any(each.kind in kinds for each in bench.pump.annunciations())) and not deadline.expired:
                bench.clock.sleep(LOOK_EVERY_S)
            alarm_after_s = bench.clock.now() - began_s if seen else None
        bench.clock.sleep(SETTLES_S)
        confirm_all(bench, record)
        bench.pump.stop()
        logged_u = result_of(require(bench.pump, Capability.HISTORY), number)
        return Shown(removed.name, bolus_u, weighed_u(), logged_u, alarm_after_s)


def link_lost(bench: Bench, record: Recorder, *, bolus_u: float, after_s: float, silence_s: float) -> Shown:
    """Lose the link in a bolus, connect again, and read the result by the bolus's number."""
    lost = shipped_faults().injection("F26")
    given: list[int] = []

    def command() -> None:
        given.append(require(bench.pump, Capability.FAST_BOLUS).bolus(bolus_u))
        bench.clock.sleep(after_s)
        with tapped(bench).line_tap().mute():
            bench.clock.sleep(silence_s)
        reached(bench, record)

    with _weighed(bench, record) as weighed_u:
        with provoking(bench, record) as faults:
            begun_s = faults.inject(lost, command=command)
        bench.clock.sleep(max(0.0, begun_s + bolus_u / SPEED_U_PER_S + SETTLES_S - bench.clock.now()))
        logged_u = result_of(require(bench.pump, Capability.HISTORY), given[0])
        bench.pump.stop()
        return Shown(lost.name, bolus_u, weighed_u(), logged_u)


@contextmanager
def _weighed(bench: Bench, record: Recorder) -> Iterator[Callable[[], float]]:
    """Start therapy without basal delivery; what is handed over tells what has come since, in U."""
    prepare(bench, record, rate_u_per_h=0.0)
    start_therapy(bench, record)
    before_g = bench.balance.read().mass_g
    yield lambda: 1e3 * (bench.balance.read().mass_g - before_g) / MG_PER_U


def shown_on_a_served_bench(folder: Path, told: Callable[[Shown], None]) -> None:
    """Serve the virtual bench, open it as a laboratory's, provoke both faults, and tell what each showed."""
    world = read_bench_file(shipped(DEFAULT_BENCH))[0].virtual
    assert world is not None
    with (
        served_bench(folder, more=f'[served]\ndate = "{world.date}"\n') as served,
        open_bench(served.file, purpose="faults in real time") as bench,
        recorded(folder / "record", bench) as record,
    ):
        told(link_lost(bench, record, bolus_u=0.15, after_s=1.0, silence_s=2.0))
        told(reservoir_out(bench, record, bolus_u=0.3, after_s=3.0))  # the last: a reservoir that was out is primed


def main(
    folder: Annotated[Path | None, typer.Option(help="for bench file and record; default: a temporary one")] = None,
) -> None:
    """Provoke F14 and F26 in real time; ends with 1 when log and balance do not agree, or no alarm comes."""
    wall, found = WallClock(), list[Shown]()

    def told(shown: Shown) -> None:
        found.append(shown)
        logged = "nothing" if shown.logged_u is None else f"{shown.logged_u:.3f} U"
        alarm = "" if shown.alarm_after_s is None else f", alarm after {shown.alarm_after_s:.2f} s"
        typer.echo(
            f"{shown.fault}: bolus of {shown.bolus_u:g} U, {shown.weighed_u:.3f} U weighed, {logged} logged{alarm}"
        )

    with TemporaryDirectory(prefix="rig-real-time-") as temporary:
        shown_on_a_served_bench(folder or Path(temporary), told)
    typer.echo(f"{wall.now():.0f} s of wall time")
    if not all(each.agrees for each in found) or found[-1].alarm_after_s is None:
        sys.exit(1)


if __name__ == "__main__":
    typer.run(main)
