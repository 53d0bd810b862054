"""`rig audit`: hold finished runs against their own sums, the bench's key and an anchor; names the first thing altered.

Not responsible for finding it (`rig.audit`).
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from rig.cli.completion import runs_to_offer
from rig.cli.printing import new_console, one_line, say
from rig.cli.refusal import EXIT_RIG, EXIT_USAGE, say_refusal
from rig.cli.signatures import say_signatures
from rig.errors import BenchFileError, RigError

if TYPE_CHECKING:
    from rig.audit.auditing import Against
    from rig.audit.integrity import Intact

EXIT_ALTERED = 5
WORST_FIRST = (EXIT_ALTERED, EXIT_RIG, EXIT_USAGE)
_HEX = 64


def audit(
    runs: Annotated[list[Path], typer.Argument(help="Run folders.", metavar="RUN…", autocompletion=runs_to_offer)],
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

    Exit code, the worst of several runs, in this order: 5 something was altered, and the first of it is named; 3 a run
    that was never closed, or cannot be read; 2 wrong usage, or no run; 0 intact.
    """
    from rig.audit.auditing import Against
    from rig.audit.bound import read_anchor
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
    if roots is not None:
        from rig.signing.laboratory import read_laboratory

        read_laboratory(roots)  # refused once, and not for each run
    codes = [_audited(console, run, against, roots) for run in runs]
    raise typer.Exit(next((code for code in WORST_FIRST if code in codes), 0))


def _audited(console: Console, run: Path, against: Against, roots: Path | None) -> int:
    """Audit one run and say what was found; returns its exit code, whatever becomes of it: the next one is waiting."""
    from rig.audit.auditing import audit_run
    from rig.audit.integrity import Alteration

    try:
        found = audit_run(run, against)
        if isinstance(found, Alteration):
            say(console, f"{run}: ALTERED: {found}.", "bold red")
            return EXIT_ALTERED
        _say_intact(console, run, found, against)
        return 0 if roots is None or say_signatures(console, run, roots) else EXIT_ALTERED
    except RigError as error:
        return say_refusal(error)


def _say_intact(console: Console, run: Path, found: Intact, against: Against) -> None:
    say(console, f"{run}: intact; head {found.head}.", "green")
    for entry in found.trail:
        about = "; ".join(part for part in (entry.test, entry.disposition, entry.new, entry.reason) if part)
        say(console, one_line(f"  {entry.n} {entry.at_utc} {entry.what}, {entry.who}: {about}"))
    for remark in found.remarks:
        say(console, one_line(f"  {remark}."), "yellow")
    if found.signed is None:
        say(console, "  Unsigned: whoever can write the folder can make it anew as a whole.", "yellow")
    elif against.key is None:
        by = found.signed.fingerprint
        say(console, f"  Signed by the key {by}; hold it against the bench's public key with --key.", "yellow")
    else:
        say(console, f"  Signed by the bench's key {found.signed.fingerprint}.")
