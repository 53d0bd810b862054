"""`rig note`: a person's deviation or disposition, entered into the audit trail of a closed run.

Not responsible for the trail (`rig.record.trail`).
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rig.cli.completion import runs_to_offer
from rig.cli.printing import new_console, say
from rig.errors import BenchFileError


def note(
    run: Annotated[Path, typer.Argument(help="Run folder.", metavar="RUN", autocompletion=runs_to_offer)],
    text: Annotated[str, typer.Argument(help="What is to be said of the run.", metavar="TEXT")],
    who: Annotated[str, typer.Option(help="Who says so.", metavar="NAME")],
    test: Annotated[str | None, typer.Option(help="The test that it is about.", metavar="TEST")] = None,
    disposition: Annotated[
        str | None,
        typer.Option(help="What was decided: use as is, repeat, reject, … in the laboratory's words.", metavar="WORDS"),
    ] = None,
    reason: Annotated[str | None, typer.Option(help="Why.", metavar="TEXT")] = None,
) -> None:
    """Enter a person's deviation or disposition into the audit trail of a closed run; nothing is ever taken out again.

    Exit code: 0 entered; 2 wrong usage, no run, or a test that the run does not have; 3 the run was not closed, or its
    trail is damaged.
    """
    from rig.audit.bound import anchor, refuse_no_run
    from rig.record.folder import RunFolder
    from rig.record.trail import append

    console = new_console()
    for option, said in (("TEXT", text), ("--who", who)):
        if not said.strip():
            raise BenchFileError(f"{option}: is empty; say it in words")
    refuse_no_run(run)
    known = [each.test for each in RunFolder(run).collected()]
    if test is not None and test not in known:
        raise BenchFileError(f"--test {test!r}: is no test of the run; it has {', '.join(known) or 'none'}")
    entry = append(run, who=who, what="note", new=text, reason=reason, test=test, disposition=disposition)
    say(console, f"{run}: entry {entry.n} of the audit trail, {entry.at_utc}.")
    if (line := anchor(run)) is not None:
        say(console, f"Anchored: {line.trail_entries} entries.")
