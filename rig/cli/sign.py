"""`rig sign`: sign a run's report, or judge the signatures that it has.

Not responsible for signing (`rig.signing.signing`), judging (`rig.signing.judging`) nor for keys (`rig.cli.keys`).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rig.cli.completion import runs_to_offer
from rig.cli.passphrases import HANDED, secret
from rig.cli.printing import new_console, say
from rig.cli.signatures import say_signatures
from rig.errors import BenchFileError
from rig.signing.meaning import Meaning

if TYPE_CHECKING:
    from rig.signing.signers import ReportSigner

EXIT_ALTERED = 5


def sign(
    run: Annotated[Path, typer.Argument(help="Run folder.", metavar="RUN", autocompletion=runs_to_offer)],
    as_: Annotated[
        str | None, typer.Option("--as", help="Who signs, as his certificate names him.", metavar="NAME")
    ] = None,
    meaning: Annotated[Meaning | None, typer.Option(help="What the signature means; one after the other.")] = None,
    key: Annotated[Path | None, typer.Option(help="Key in a PKCS#12 file.", metavar="FILE.p12")] = None,
    token: Annotated[
        str | None, typer.Option(help="Key on a token: its PKCS#11 library.", metavar="LIB[:label]")
    ] = None,
    tsa: Annotated[str | None, typer.Option(help="Time-stamping authority (RFC 3161).", metavar="URL")] = None,
    revision: Annotated[
        int | None, typer.Option(help="Of the report.", show_default="the newest", min=1, metavar="N")
    ] = None,
    reason: Annotated[str | None, typer.Option(help="A line of your own, signed with it.", metavar="TEXT")] = None,
    roots: Annotated[
        Path | None, typer.Option(help="The laboratory's roots, revocation lists and roles.", metavar="DIR")
    ] = None,
    passphrase: Annotated[
        str | None, typer.Option(help="Where passphrase or PIN come from.", show_default="asked for", metavar=HANDED)
    ] = None,
    check: Annotated[bool, typer.Option("--check", help="Judge the signatures; sign nothing.")] = False,
) -> None:
    """Sign the report of a run: authored, reviewed, approved, in this order; or --check what was signed.

    The signed report is report.signed.pdf, beside report.pdf, which is never changed.
    Exit code: 0 signed, or all signatures hold; 2 this signature is not allowed, or the key does not open; 3 the
    record is open or altered, or token or time stamp failed; 5 --check found something altered or not to be trusted.
    """
    from rig.audit.bound import refuse_no_run

    console = new_console()
    refuse_no_run(run)
    if check:
        for name, given in {"--as": as_, "--meaning": meaning, "--key": key, "--token": token, "--tsa": tsa}.items():
            if given is not None:
                raise BenchFileError(f"--check signs nothing; leave {name} out")
        if roots is None:
            raise BenchFileError("--check needs --roots, the folder of those whom the laboratory trusts")
        raise typer.Exit(0 if say_signatures(console, run, roots) else EXIT_ALTERED)
    if as_ is None or meaning is None:
        raise BenchFileError("a signature needs --as and --meaning; --check judges those that there are")
    if (key is None) == (token is None):
        raise BenchFileError("a signature needs either --key or --token")
    from rig.signing.laboratory import read_laboratory
    from rig.signing.register import SIGNED
    from rig.signing.signing import SignatureAsked, refuse_before_key, sign_report

    laboratory = read_laboratory(roots) if roots is not None else None
    asked = SignatureAsked(as_, meaning, revision, reason, tsa)
    report = refuse_before_key(run, asked, laboratory)
    with _opened(as_, key, token, passphrase) as signer:
        made = sign_report(run, asked, signer, laboratory)
    say(console, f"{report.folder / SIGNED}: {made.meaning.value} by {made.name}, {made.at_utc}")
    say(console, f"Head of the record: {report.head}")


@contextmanager
def _opened(name: str, key: Path | None, token: str | None, passphrase: str | None) -> Iterator[ReportSigner]:
    from rig.signing.key_file import read_key
    from rig.signing.signers import signer_of, signer_on_token

    if key is not None:
        yield signer_of(read_key(key, secret(f"passphrase of {key}", passphrase)))
        return
    assert token is not None
    with signer_on_token(token, name, secret(f"PIN of {token}", passphrase)) as signer:
        yield signer
