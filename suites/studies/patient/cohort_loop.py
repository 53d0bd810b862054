"""One loop of a cohort in a process of its own: `python -m suites.studies.patient.cohort_loop`.

The task comes as JSON on standard input. Two lines go to standard output: the numbers of the loop, always the same for
the same task; and what it took. Not responsible for who starts it (`cohort`).
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from rig.campaigns.apart import performed_apart
from rig.campaigns.schedule import Crew
from rig.clock import ComputingClock
from rig.errors import RigError
from rig.procedures.loop import Loop
from suites.measuring import measured_virtually

MODULE, NOUN = "suites.studies.patient.cohort_loop", "a person's loop"
LOST = "no verdict follows from a part of a cohort, begin it anew in another folder"


class CohortLoop(BaseModel):
    """A loop to live: `asked` is what `Loop` takes, `seed` the virtual pump's, `folder` where raw weighings go."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    asked: dict[str, Any]
    seed: int
    folder: str


def lived(task: CohortLoop) -> str:
    """Live a loop on a virtual bench of its own; returns its numbers as one line of JSON."""
    done = measured_virtually(Path(task.folder), Loop.model_validate(task.asked), {"virtual.seed": task.seed})
    return json.dumps(done.analyses["loop"].model_dump(mode="json"), sort_keys=True)


def lived_side_by_side(tasks: Sequence[CohortLoop], jobs: int, came: Callable[[float], None]) -> list[str]:
    """Live all loops, so many at a time, each in a process of its own; returns their lines in the order of the tasks.

    Args:
        tasks: the loops.
        jobs: how many at a time; above 1 by Dask.
        came: told of each as it ends, with the seconds of a processor that it took.

    Raises:
        RigError: a loop or a worker broke off; or jobs above 1, and dask.distributed is not installed.
    """
    found: dict[str, str] = {}

    def keep(task: CohortLoop, lines: list[str]) -> None:
        line, took = lines
        found[task.folder] = line
        came(float(json.loads(took)["processor_s"]))

    if jobs == 1:
        for task in tasks:
            try:
                keep(task, performed_apart(task.model_dump_json(), MODULE, NOUN).splitlines())
            except RuntimeError as error:
                raise RigError(f"{error}; {LOST}") from error
    else:
        with Crew(jobs, None, module=MODULE, noun=NOUN, lost=LOST) as crew:
            crew.perform(tasks, keep)
    return [found[task.folder] for task in tasks]


def main() -> int:
    """Live the loop on standard input; exit code 0, or 3 with a sentence on standard error."""
    task, clock = CohortLoop.model_validate_json(sys.stdin.buffer.read()), ComputingClock()
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as out:
        try:
            line = lived(task)
        except (RigError, ValueError) as error:
            sys.stderr.write(f"{task.asked.get('person')}: {' '.join(str(error).split())}\n")
            return 3
        out.write(f"{line}\n{json.dumps({'processor_s': clock.now()})}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
