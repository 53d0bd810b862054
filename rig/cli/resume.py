"""`rig resume`: go on with a run that did not come to its end, as a run of its own that is linked to it.

Not responsible for what may be resumed (`rig.run.resuming`).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import IO, cast

from rich.console import Console

from rig.cli.jobs import jobs_for
from rig.cli.output import LastingOutput
from rig.cli.settling import settle
from rig.cli.verify import EXIT_RIG, do_run
from rig.record.files import free_folder
from rig.run.begin import start_run
from rig.run.collection import Declaration
from rig.run.formality import FormalityAsked, formality_of
from rig.run.resuming import read_resumable, refuse_other_tests
from rig.run.stopping import StopSignals


def resume_run(path: Path, out: Path | None, jobs: int | None, *, console: Console) -> int:
    """Resume a run in a new folder, `<run>-resumed` when none is named; returns the exit code, as `rig verify` does.

    Raises:
        LeaseHeldError: the run goes on still.
        EvidenceError: it cannot be resumed, with what is in the way; or the new folder cannot be made or written.
    """
    with StopSignals() as stop:
        stop.watch_parent()
        console.file = cast(IO[str], LastingOutput(console.file))
        try:
            settle([path], console)
            resuming, inputs = read_resumable(path)
            jobs_for(jobs, 1, virtual=inputs.spec.virtual is not None)  # refused before anything is made
            with stop.held():
                name = path if path.name else path.resolve()
                folder = out if out is not None else free_folder(name.with_name(f"{name.name}-resumed"))
                then = resuming.manifest
                asked = FormalityAsked(formal=then.formal, operator=then.operator)
                formality = formality_of(asked, inputs)
                run = start_run(inputs, out=folder, begun_by="rig resume", resuming=resuming, formality=formality)
                run.tell_titles()

                def refuse(declared: Sequence[Declaration]) -> None:
                    refuse_other_tests(resuming, declared)

                return do_run(run, inputs, refuse, console, stop, resuming, jobs=jobs)
        except KeyboardInterrupt:  # before there was anything to close
            console.print(f"Interrupted by {stop.asked} before anything was measured.", soft_wrap=True)
            return EXIT_RIG
