"""72 h of basal delivery on one bench in one process: what memory and files come to. `python -m suites.studies.soak`.

Not responsible for the numbers that are measured.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from rig.bench.open import open_bench
from rig.clock import SimClock, WallClock, ns_from_s
from rig.procedures.basal import Basal
from rig.record.appending import DirectAppender
from rig.record.attempt import WireLog
from suites.measuring import VIRTUAL, measured_on

LOOK_EVERY_H = 6.0


@dataclass(frozen=True)
class Look:
    """What a moment of the soak shows: hours on the bench's clock, memory, and what lies in files so far."""

    at_h: float
    blocks: int
    resident_kib: int | None
    file_bytes: int


def soak(folder: Path, hours: float, every_h: float, told: Callable[[Look], None]) -> None:
    """Weigh basal delivery at 1 U/h for so many h, and tell what every so many h show, the first after one of them.

    Args:
        folder: an empty one, for the record.
        hours: of the analysis period.
        every_h: from look to look.
        told: gets each look.
    """
    appender = DirectAppender()
    log = WireLog(folder, appender)
    basal = Basal(rate_u_per_h=1.0, stabilisation_s=0.0, analysis_s=3600.0 * hours, windows_s=(3600.0,))
    try:
        with open_bench(VIRTUAL, log=log) as bench:
            clock = bench.clock
            assert isinstance(clock, SimClock)

            def look() -> None:
                gc.collect()
                told(Look(clock.now() / 3600.0, sys.getallocatedblocks(), resident_kib(), _bytes_in(folder)))
                clock.call_at(clock.now_ns + ns_from_s(3600.0 * every_h), look)

            clock.call_at(ns_from_s(3600.0 * every_h), look)
            measured_on(bench, folder / "basal", basal)
    finally:
        log.close()
        appender.close()


def resident_kib() -> int | None:
    """The memory of this process that is in RAM, in KiB; None where the system does not say so in /proc."""
    path = Path("/proc/self/status")
    if not path.is_file():
        return None
    (line,) = [line for line in path.read_text(encoding="ascii").splitlines() if line.startswith("VmRSS:")]
    return int(line.split()[1])


def _bytes_in(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def main(hours: Annotated[float, typer.Option(min=12.0, help="virtual hours of delivery")] = 72.0) -> None:
    """Print memory and files every 6 h, and what an hour adds to them."""
    looks: list[Look] = []

    def told(look: Look) -> None:
        looks.append(look)
        resident = "unknown" if look.resident_kib is None else f"{look.resident_kib:,} KiB"
        typer.echo(f"{look.at_h:5.1f} h   resident {resident}   {look.blocks:,} blocks   files {look.file_bytes:,} B")

    wall = WallClock()
    with TemporaryDirectory() as folder:
        soak(Path(folder), hours, LOOK_EVERY_H, told)
        sizes = {path: path.stat().st_size for path in sorted(Path(folder).rglob("*")) if path.is_file()}
        largest = sorted(sizes, key=lambda path: -sizes[path])[:4]
        parts = ", ".join(f"{path.name} {sizes[path] / hours:,.0f} B" for path in largest)
    first, last = looks[0], looks[-1]
    span_h = last.at_h - first.at_h
    if first.resident_kib is not None and last.resident_kib is not None:
        typer.echo(f"memory: {(last.resident_kib - first.resident_kib) / span_h:+.2f} KiB in RAM per virtual hour")
    typer.echo(f"objects: {(last.blocks - first.blocks) / span_h:+.1f} blocks per virtual hour")
    typer.echo(f"files: {(last.file_bytes - first.file_bytes) / span_h:,.0f} B per virtual hour; {parts}")
    typer.echo(f"{hours:g} h in {wall.now():.1f} s")


if __name__ == "__main__":
    typer.run(main)
