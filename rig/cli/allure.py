"""`rig allure`: result files of Allure made from the records of runs, and its page.

Not responsible for what stands in them (`reports.allure`).
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rig.cli.completion import runs_to_offer


def allure(
    runs: Annotated[
        list[Path],
        typer.Argument(help="Run folders; all of them in one tree.", metavar="RUN…", autocompletion=runs_to_offer),
    ],
    out: Annotated[Path, typer.Option(help="New folder for the files.", metavar="DIR")],
    page: Annotated[
        bool, typer.Option("--page", help="Have Allure 3 make its page, too: one file; needs Node.js and npm.")
    ] = False,
    history: Annotated[
        Path | None,
        typer.Option(help="With --page: file with what was decided before; these runs are added.", metavar="FILE"),
    ] = None,
) -> None:
    """Write runs as Allure's result files, both runners in one tree by requirement; made from the record alone.

    Exit code: 0 written; 2 wrong usage; 3 a record is missing or damaged, or the page cannot be made.
    """
    from reports.allure.files import RESULTS, write_result_files
    from reports.allure.history import read_allure_history, with_added, write_allure_history
    from reports.allure.page import PAGE, make_page, refuse_without_node
    from reports.allure.run_parts import shown_runs
    from rig.cli.printing import new_console, say
    from rig.cli.report import refuse_inside, refuse_taken
    from rig.cli.settling import settle
    from rig.record.files import made_whole
    from rig.run.reading import read_whole_run

    console = new_console()
    refuse_taken(out)
    known = []
    if history is not None:
        if not page:
            raise typer.BadParameter("--history is for the page; give --page, too")
        refuse_inside(history, "--history")
        known = read_allure_history(history)
    if page:
        refuse_without_node()
    settle(runs, console)
    shown = shown_runs([read_whole_run(run) for run in runs])
    with made_whole(out) as folder:
        count = write_result_files(folder / RESULTS, shown)
        added = make_page(folder, shown, known) if page else None
    if history is not None and added is not None:
        write_allure_history(history, with_added(known, added))
    for mark in dict.fromkeys(mark for each in shown for mark in each.marks):
        say(console, mark, "bold red")
    say(console, f"Results: {out / RESULTS} ({count} of {len(shown)} {'run' if len(shown) == 1 else 'runs'})")
    if page:
        say(console, f"Page: {out / PAGE}")
