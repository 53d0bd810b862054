"""`rig keys`: a laboratory's own authority, a key for each person, and revoking one.

Not responsible for keys on a token, nor for what signs with them (`rig.cli.sign`).
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rig.cli.passphrases import HANDED, secret
from rig.cli.printing import new_console, say

if TYPE_CHECKING:
    from rig.signing.keys import Key

keys = typer.Typer(no_args_is_help=True, help="Make a laboratory's own keys for signing reports, and revoke them.")

_Passphrase = Annotated[
    str | None, typer.Option(help="Where its passphrase comes from.", show_default="asked for", metavar=HANDED)
]
_AuthorityPassphrase = Annotated[
    str | None,
    typer.Option(help="Where the authority's passphrase comes from.", show_default="asked for", metavar=HANDED),
]
_Folder = Annotated[Path, typer.Option("--ca", help="Folder of the authority.", metavar="DIR")]


@keys.command("ca")
def make_laboratory_authority(
    folder: Annotated[Path, typer.Argument(help="New folder.", metavar="DIR")],
    name: Annotated[str, typer.Option(help="Of the laboratory, as it stands in certificates.", metavar="NAME")],
    days: Annotated[int, typer.Option(help="So long it lasts.", min=1, max=9131)] = 3653,
    passphrase: _Passphrase = None,
) -> None:
    """Make the authority of a laboratory, which vouches for the keys of its people.

    Exit code: 0 made; 2 wrong usage, or something is there already; 3 the disk does not take it.
    """
    from rig.signing.certificates import utc_moment
    from rig.signing.keys import make_authority

    given = secret("passphrase of the authority", passphrase, twice=passphrase is None)
    roots = make_authority(folder, name, given, utc_moment(), days)
    say(new_console(), f"Keep {folder} in a safe. What others need to check signatures lies in {roots}.")


@keys.command("person")
def make_persons_key(
    name: Annotated[str, typer.Argument(help="As the person signs reports.", metavar="NAME")],
    ca: _Folder,
    out: Annotated[
        Path | None, typer.Option(help="New file.", show_default="the name, in this folder", metavar="FILE.p12")
    ] = None,
    days: Annotated[int, typer.Option(help="So long it lasts.", min=1, max=3653)] = 731,
    ca_passphrase: _AuthorityPassphrase = None,
    passphrase: _Passphrase = None,
) -> None:
    """Make the key of a person, with a passphrase that this person alone types and knows.

    Exit code: 0 made; 2 wrong usage, a wrong passphrase, or the file is there already; 3 the disk does not take it.
    """
    from rig.signing.certificates import utc_moment
    from rig.signing.keys import issue_key, key_file_for

    authority = _authority(ca, ca_passphrase)
    given = secret(f"new passphrase of {name}", passphrase, twice=passphrase is None)
    path = out or key_file_for(name)
    certificate = issue_key(authority, ca, name, given, path, utc_moment(), days)
    last = certificate.not_valid_after_utc
    say(new_console(), f"{path}: the key of {name}, until {last:%Y-%m-%d}, number {certificate.serial_number:x}")


@keys.command("revoke")
def revoke_certificate(
    certificate: Annotated[Path, typer.Argument(help="Certificate, from the folder issued.", metavar="FILE.pem")],
    ca: _Folder,
    ca_passphrase: _AuthorityPassphrase = None,
) -> None:
    """Revoke the certificate of a person who has left, or whose key others may have.

    Exit code: 0 revoked; 2 wrong usage, a wrong passphrase, or it was revoked before; 3 the disk does not take it.
    """
    from rig.signing.certificates import utc_moment
    from rig.signing.keys import revoke

    path = revoke(_authority(ca, ca_passphrase), ca, certificate, utc_moment())
    say(new_console(), f"{path}: hand it to everybody who checks signatures.")


def _authority(folder: Path, source: str | None) -> Key:
    from rig.signing.key_file import read_key
    from rig.signing.keys import AUTHORITY

    return read_key(folder / AUTHORITY, secret("passphrase of the authority", source))
