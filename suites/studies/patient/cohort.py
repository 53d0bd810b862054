"""A cohort over the bench, open loop and closed: the same persons, meals and sensors, twice.

    python -m suites.studies.patient.cohort FOLDER --persons 20 --jobs 2

Lives each person's days on a virtual bench of his own into FOLDER, prints a table, and writes paired.json, cohort.html
and cohort.pdf there. Not responsible for what a loop is (`rig.procedures.loop`), nor for the statistics
(`rig.patient.cohort_pairs`).
"""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from rich.console import Console
from rich.table import Table

from reports.document import Document, EndMark, Facts, Section, with_numbers
from reports.html.page import html_page
from reports.paired_loops import OPEN, PairedLoops, loop_in_words, metrics_of, paired_blocks, paired_loops
from reports.typeset_document import document_typesetter
from reports.typesetting import write_pdf
from reports.words import SIMULATED
from rig.clock import WallClock
from rig.errors import RigError
from rig.loop.persons import person_named, ratio_of
from rig.patient.cohort import COHORT_SEED
from rig.procedures.loop import Loop
from rig.record.analyses import LoopNumbers
from rig.record.files import utc_now, write_json, write_whole
from suites.studies.patient.cohort_loop import CohortLoop, lived_side_by_side

MEALS = ("07:00 45 g", "12:30 70 g", "18:30 60 g")
"""As the reference data eat them."""
DAY_SEED = 1000
"""Person no. 7's second day has seed 2007: his sensor's noise, and how he differs from himself."""


def cohort_loops(
    folder: Path, persons: int, *, diabetes: str, closed: str, days: int, duration_h: int
) -> list[CohortLoop]:
    """The loops of a cohort: each person's days, each in open loop and in closed."""
    eaten = [meal for meal in MEALS if int(meal[:2]) < duration_h]
    return [
        CohortLoop(
            asked={
                "called": f"day {day}", "person": f"{diabetes} no. {number}", "controller": controller,
                "duration": f"{duration_h} h", "eat": eaten, "seed": DAY_SEED * day + number,
                "varies": DAY_SEED * day + number,
            },
            seed=number,
            folder=str(folder / "raw" / f"{number:03}-day-{day}-{controller}"),
        )
        for number in range(1, persons + 1)
        for day in range(1, days + 1)
        for controller in (OPEN, closed)
    ]  # fmt: skip


def kept_loops(lines: list[str]) -> list[LoopNumbers]:
    """Read lines of loops.jsonl."""
    return [LoopNumbers.model_validate_json(line) for line in lines]


def cohort_document(pairs: PairedLoops, facts: tuple[tuple[str, str], ...], now: datetime) -> Document:
    """Write a cohort as a document."""
    return with_numbers(
        Document(
            title="A cohort on the bench", kind="STUDY", subject=pairs.of, number="cohort", revision=0,
            date=(now.year, now.month, now.day), marks=(SIMULATED,), simulated=True,
            sections=(
                Section(1, "What was done", "done", (Facts(facts),)),
                Section(1, "Open loop beside closed", "paired", paired_blocks(pairs)),
                Section(0, "End", "end", (EndMark("— End of study —"),)),
            ),
        )
    )  # fmt: skip


def frozen(pairs: PairedLoops, asked: dict[str, Any]) -> dict[str, Any]:
    """The results as data for JSON: the same for the same question."""
    persons = {
        person: {"basal_u_per_h": person_named(person).basal_u_per_h, "ratio_g": ratio_of(person)}
        for person in pairs.before
    }
    return {"asked": asked, "persons": persons, "metrics": [asdict(each) for each in metrics_of(pairs)]}


def printed_table(pairs: PairedLoops) -> Table:
    """Lay out what differs, for a terminal."""
    table = Table(
        "mean of persons", loop_in_words(pairs.before_controller), loop_in_words(pairs.after_controller), "difference",
        "95 % interval", "± U", title=f"SIMULATED: {pairs.of}",
    )  # fmt: skip
    for each in metrics_of(pairs):
        found, places = each.difference, each.places
        interval = "" if found is None else f"{found.low:+z.{places}f} to {found.high:+z.{places}f}"
        means = (f"{float(np.mean(side)):z.{places}f}" for side in (each.before, each.after))
        difference = f"{each.mean_difference:+z.{places}f}"
        table.add_row(f"{each.name} {each.unit}", *means, difference, interval, f"{each.u:.{places + 1}f}")
    return table


def main(
    folder: Annotated[Path, typer.Argument(help="a new folder")],
    persons: Annotated[int, typer.Option(min=1, max=9999)] = 20,
    jobs: Annotated[int, typer.Option(min=1, max=256, help="loops at a time; above 1 by Dask")] = 1,
    days: Annotated[int, typer.Option(min=1, max=60)] = 1,
    duration: Annotated[int, typer.Option(min=1, max=23, help="hours of each day")] = 23,
    diabetes: Annotated[str, typer.Option(help="type 1 or type 2")] = "type 1",
    closed: Annotated[str, typer.Option(help="the controller that is held against basal-bolus")] = "pid",
) -> None:
    """Live the cohort, print the table, write the documents."""
    console, errors = Console(width=140), Console(stderr=True, markup=False, soft_wrap=True)
    if folder.exists():
        errors.print(f"{folder}: is there already; name a new folder")
        raise typer.Exit(2)
    tasks = cohort_loops(folder, persons, diabetes=diabetes, closed=closed, days=days, duration_h=duration)
    try:
        if closed == OPEN:
            raise ValueError(f"--closed {closed}: is the open loop itself; name another controller")
        for task in tasks[:2]:
            Loop.model_validate(task.asked)
    except ValueError as error:
        errors.print(str(error))
        raise typer.Exit(2) from error
    clock, took_s = WallClock(), list[float]()
    try:
        lines = lived_side_by_side(tasks, jobs, took_s.append)
    except RigError as error:
        errors.print(str(error))
        raise typer.Exit(3) from error
    wall_s = clock.now()
    (pairs,) = paired_loops(kept_loops(lines))
    asked = {
        "persons": persons, "diabetes": diabetes, "days": days, "duration_h": duration, "meals": MEALS,
        "controllers": [OPEN, closed], "cohort_seed": COHORT_SEED,
    }  # fmt: skip
    write_whole(folder / "loops.jsonl", "".join(f"{line}\n" for line in lines).encode())
    write_json(folder / "paired.json", frozen(pairs, asked))
    lived_s, now = 3600.0 * duration * len(tasks), datetime.fromisoformat(utc_now())
    facts = (
        ("Persons", f"{persons}, no. 1 to no. {persons}, {diabetes}, drawn by seed {COHORT_SEED}"),
        ("Days", f"{days} of {duration} h, from midnight"),
        ("Meals", ", ".join(MEALS)),
        ("Controllers", f"{OPEN} and {closed}"),
        ("Therapy", "basal rate, ratio by a rule that knows the person's model alone (docs/patient.md)"),
        ("Each day", "another seed of sensor and person, the same for both controllers"),
    )
    document = cohort_document(pairs, facts, now)
    write_whole(folder / "cohort.html", html_page(document).encode())
    with document_typesetter(document, record=folder, files=["paired.json"]) as compiler:
        write_pdf(folder / "cohort.pdf", compiler, now)
    console.print(printed_table(pairs))
    console.print(
        f"{len(tasks)} loops of {duration} h took {sum(took_s):.0f} s of a processor, "
        f"{sum(took_s) / len(tasks):.1f} s each, {lived_s / sum(took_s):,.0f} times real time; "
        f"{wall_s:.0f} s by the clock with {jobs} at a time, "
        f"{lived_s / wall_s:,.0f} times."
    )


if __name__ == "__main__":
    typer.run(main)
