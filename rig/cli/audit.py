"""`rig audit`: hold finished runs against their own sums, the bench's key and an anchor; names the first thing altered.

Not responsible for finding it (`rig.audit`).
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rig.cli.printing import new_console, say
from rig.cli.signatures import say_signatures
from rig.errors import BenchFileError

EXIT_ALTERED = 5
_HEX = 64


def audit(
    runs: Annotated[list[Path], typer.Argument(help="Run folders.", metavar="RUN…")],
    key: Annotated[
        Path | None, typer.Option(help="PEM file of the bench's public key, which must have signed.", metavar="FILE")
    ] = None,
    head: Annotated[
        str | None, typer.Option(help="The run's head, as it was written down elsewhere.", metavar="HEX")
    ] = None,
    anchor: Annotated[
        Path | None, typer.Option(help="Anchor file, kept elsewhere, that must know the heads.", metavar="FILE")
    ] = None,
    roots: Annotated[
        Path | None, typer.Option(help="Roots of the laboratory: judge the signatures of reports.", metavar="DIR")
    ] = None,
) -> None:
    """Find whatever was changed in closed runs since, offline and without trusting them; show their audit trail.

    Exit code: 0 intact; 2 wrong usage, or no run; 3 a run that was never closed, or cannot be read; 5 something was
    altered, and the first of it is named.
    """
    from rig.audit.auditing import Against, audit_run
    from rig.audit.bound import read_anchor
    from rig.audit.integrity import Finding
    from rig.record.keys import public_key

    console = new_console()
    if head is not None and (len(head) != _HEX or set(head.lower()) - set("0123456789abcdef")):
        raise BenchFileError(f"--head {head!r}: a head is {_HEX} hexadecimal digits")
    if head is not None and len(runs) > 1:
        raise BenchFileError("--head is the head of one run; name one, or an anchor file that knows several")
    against = Against(
        key=public_key(key) if key is not None else None,
        head=head,
        anchor=read_anchor(anchor) if anchor is not None else None,
    )
    altered = False
    for run in runs:
        found = audit_run(run, against)
        if isinstance(found, Finding):
            altered = True
            say(console, f"{run}: ALTERED: {found}.", "bold red")
            continue
        say(console, f"{run}: intact; head {found.head}.", "green")
        for entry in found.trail:
            about = "; ".join(part for part in (entry.test, entry.disposition, entry.new, entry.reason) if part)
            say(console, f"  {entry.n} {entry.at_utc} {entry.what}, {entry.who}: {about}")
        if found.signed is None:
            say(console, "  Unsigned: whoever can write the folder can make it anew as a whole.", "yellow")
        elif key is None:
            by = found.signed.fingerprint
            say(console, f"  Signed by the key {by}; hold it against the bench's public key with --key.", "yellow")
        else:
            say(console, f"  Signed by the bench's key {found.signed.fingerprint}.")
        if roots is not None and not say_signatures(console, run, roots):
            altered = True
    raise typer.Exit(EXIT_ALTERED if altered else 0)
