"""A day and a night of one person on each controller, over the virtual bench: what came of it, and what it cost.

    python -m suites.studies.patient.controllers FOLDER

Lives 23 h with three meals into FOLDER, once for each controller, with one sensor and one seed. Processor time is that
of this process and of those that it started. Not responsible for the efficacy of any therapy: one person, one model.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from rig.errors import BenchFileError
from rig.patient import metrics
from rig.procedures.loop import Loop
from rig.record.analyses import LoopNumbers
from suites.measuring import measured_virtually

DAY = {"called": "a day", "duration": "23 h", "eat": ["07:00 45 g", "12:30 70 g", "18:30 60 g"]}
CONTROLLERS: Mapping[str, Mapping[str, object]] = {
    "basal-bolus": {"controller": "basal-bolus"},
    "pid": {"controller": "pid"},
    "oref0": {"controller": "oref0"},
    "oref0, microboluses": {"controller": "oref0", "micro_boluses": True},
}


@dataclass(frozen=True)
class Lived:
    """What came of a day: glucose in plasma, insulin commanded and weighed, processor time."""

    glucose: metrics.Summary
    lowest_mg_per_dl: float
    highest_mg_per_dl: float
    commanded_u: float
    weighed_u: float
    processor_s: float


def processor_s() -> float:
    """Processor time of this process and of those that it started and that have ended, in s."""
    return sum(os.times()[:4])


def live(folder: Path, loop: Loop) -> Lived:
    """Live a day on the virtual bench into a folder."""
    began = processor_s()
    numbers = measured_virtually(folder, loop).analyses["loop"]
    assert isinstance(numbers, LoopNumbers)
    glucose = np.array(numbers.glucose_mg_per_dl)
    return Lived(
        glucose=metrics.summary(np.arange(float(glucose.size)), glucose),
        lowest_mg_per_dl=float(glucose.min()),
        highest_mg_per_dl=float(glucose.max()),
        commanded_u=sum(numbers.commanded_u),
        weighed_u=sum(numbers.weighed_u),
        processor_s=processor_s() - began,
    )


def printed_table(found: Mapping[str, Lived]) -> Table:
    """Lay the days out."""
    table = Table(
        "controller", "70 to 180 mg/dL", "below 70", "lowest", "highest", "commanded", "weighed", "processor",
        title="23 h of one person with three meals",
    )  # fmt: skip
    for name, day in found.items():
        table.add_row(
            name, f"{day.glucose.time_in_range_percent:.1f} %", f"{day.glucose.time_below_70_percent:.1f} %",
            f"{day.lowest_mg_per_dl:.0f} mg/dL", f"{day.highest_mg_per_dl:.0f} mg/dL", f"{day.commanded_u:.2f} U",
            f"{day.weighed_u:.2f} U", f"{day.processor_s:.1f} s",
        )  # fmt: skip
    return table


def main() -> int:
    """Live the days and print the table; 2 without a new folder, Node.js or oref0."""
    folder = Path(sys.argv[1]) if len(sys.argv) == 2 else None
    if folder is None or folder.exists():
        Console(stderr=True).print("say one folder, which is not there yet")
        return 2
    try:
        found = {
            name: live(folder / name.replace(", ", "_"), Loop.model_validate({**DAY, **chosen}))
            for name, chosen in CONTROLLERS.items()
        }
    except BenchFileError as error:
        Console(stderr=True, soft_wrap=True).print(str(error), markup=False)
        return 2
    Console(width=130).print(printed_table(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
