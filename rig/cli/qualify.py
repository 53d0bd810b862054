"""`rig qualify`: the installation and operational qualification (IQ, OQ) of a laboratory's own PC and bench.

Not responsible for the single items (`rig.cli.installation`, `rig.cli.operation`), nor for whether a qualification
still holds when a run begins (`rig.run.qualified`), nor for performance qualification, which is the laboratory's.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from rig.cli.commands.options import BENCH, BenchOption
from rig.cli.printing import new_console, print_table, say
from rig.errors import BenchFileError

if TYPE_CHECKING:
    from rig.bench.file import BenchFile
    from rig.record.qualification import Item, Qualification

EXIT_FAILED = 3
VALID_DAYS = 366
"""A qualification holds for a year, unless somebody says otherwise. The house's."""


@dataclass(frozen=True)
class QualifyAsked:
    """What `rig qualify` was asked for; `clock` says what the PC's clock was compared with by hand."""

    bench: Path
    out: Path
    operator: str | None
    clock: str | None
    valid_days: int


def qualify(
    bench: BenchOption = BENCH,
    out: Annotated[
        Path, typer.Option(help="A new folder is made in this one, named after the time.", metavar="DIR")
    ] = Path("qualification"),
    operator: Annotated[
        str | None, typer.Option(help="Who qualifies, over the bench file's operator.", metavar="NAME")
    ] = None,
    clock: Annotated[
        str | None,
        typer.Option(
            help="What the PC's clock was compared with, when, and the difference, where nothing keeps it right.",
            metavar="WORDS",
        ),
    ] = None,
    valid_days: Annotated[
        int, typer.Option(help="For so many days formal runs may cite it.", min=1, max=3660, metavar="N")
    ] = VALID_DAYS,
) -> None:
    """Qualify this PC and bench: is the rig installed as it should be (IQ), and does it work here (OQ)?

    Exit code: 0 nothing failed; 2 wrong usage or bench file; 3 something failed.
    """
    asked = QualifyAsked(bench, out, operator, clock, valid_days)
    raise typer.Exit(qualify_bench(asked, console=new_console()))


def qualify_bench(asked: QualifyAsked, *, console: Console) -> int:
    """Look at everything, write `qualification.json` and a page to read, print what was found; returns the exit code.

    Raises:
        BenchFileError: the bench file is wrong.
        EvidenceError: the folder cannot be made or written.
    """
    from rig.bench.far_side import refuse_unknown_devices
    from rig.bench.file import read_bench_file
    from rig.cli.installation import installation
    from rig.cli.operation import operation
    from rig.record.files import new_folder, utc_now, write_json, write_whole
    from rig.record.qualification import QUALIFICATION

    if asked.operator is not None and not asked.operator.strip():
        raise BenchFileError("--operator: names nobody; name a person, or leave it out")
    spec, _ = read_bench_file(asked.bench)
    refuse_unknown_devices(spec)
    folder = new_folder(asked.out, utc_now().replace(":", "-"))
    say(console, "Looking at the installation; then trial runs of the simulated bench, for a minute or so.")
    items = [*installation(asked.out, asked.clock), *operation(spec, console)]
    made = made_of(items, spec, asked)
    write_json(folder / QUALIFICATION, made.model_dump(mode="json"))
    write_whole(folder / "qualification.md", qualification_page(made).encode())
    _print(made, console)
    say(console, f"Qualification {made.id[:12]}: {folder / QUALIFICATION}")
    return EXIT_FAILED if made.failed else 0


def made_of(items: list[Item], spec: BenchFile, asked: QualifyAsked) -> Qualification:
    """Make the qualification of what was looked at, as of now."""
    from rig.record.files import utc_now
    from rig.record.qualification import Qualification
    from rig.run.qualified import qualification_id, qualified_bench, this_machine
    from rig.run.software import packages, software

    now = datetime.datetime.fromisoformat(utc_now())
    made = Qualification(
        id="",
        made_utc=now,
        valid_until_utc=now + datetime.timedelta(days=asked.valid_days),
        operator=asked.operator or spec.operator,
        machine=this_machine(),
        software=software(),
        packages=packages(),
        bench=qualified_bench(spec),
        clock_reference=asked.clock,
        items=tuple(items),
    )
    return made.model_copy(update={"id": qualification_id(made.model_dump(mode="json"))})


def qualification_page(made: Qualification) -> str:
    """Write a qualification as a page of Markdown."""
    bench = f"{made.bench.name}{' (SIMULATED)' if made.bench.virtual else ''}"
    rows = [f"| {each.id} | {_cell(each.asks)} | {each.outcome} | {_cell(each.seen)} |" for each in made.items]
    lines = [
        "# Qualification of PC and bench",
        "",
        f"{in_short(made)}",
        "",
        f"- Id: `{made.id}`",
        f"- Made: {made.made_utc:%Y-%m-%d %H:%M:%S} UTC, by {made.operator or 'nobody who is named'}",
        f"- Valid until: {made.valid_until_utc:%Y-%m-%d}",
        f"- PC: {made.machine.host}, {made.machine.system} {made.machine.release}, {made.machine.architecture}",
        f"- Software: rig {made.software.version}, commit {made.software.commit or 'none'}, {made.machine.python}, "
        f"{len(made.packages)} packages",
        f"- Bench: {bench}",
        *[f"    - {each.role}: {each.driver} {each.serial_number or '(any)'}" for each in made.bench.devices],
        "",
        "| item | asks | outcome | seen |",
        "|---|---|---|---|",
        *rows,
        "",
        "Performance qualification, training and procedures stay the laboratory's.",
        "",
    ]
    return "\n".join(lines)


def in_short(made: Qualification) -> str:
    """Say in one sentence what came of it."""
    count = len(made.items)
    if made.failed:
        return f"FAILED in {', '.join(made.failed)} of {count} items."
    if made.findings:
        return (
            f"Passed {count - len(made.findings)} of {count} items; findings to be judged: {', '.join(made.findings)}."
        )
    return f"Passed all {count} items."


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _print(made: Qualification, console: Console) -> None:
    rows = [(each.id, each.asks, each.outcome.upper(), each.seen) for each in made.items]
    print_table(
        console, ("item", "asks", "outcome", "seen"), rows, title=f"Qualification of {made.bench.name}", fold=True
    )
    say(console, in_short(made), "red" if made.failed else "yellow" if made.findings else "green")
