"""The folder that says whom a laboratory trusts: roots, revocation lists, who may sign what.

    <folder>/*.pem, *.crt, *.cer    certificates; those that signed themselves are the roots, others help to reach them
    <folder>/*.crl                  revocation lists
    <folder>/tsa/*.pem …            roots of the authorities whose time stamps count
    <folder>/roles.toml             who may author, review and approve; without it, anybody with a certificate may

Not responsible for keeping the folder: whoever can write into it decides whose signatures hold.
"""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from pydantic import BaseModel, ConfigDict, ValidationError

from rig.errors import BenchFileError
from rig.signing.certificates import read_certificates, read_revocation_list
from rig.signing.meaning import Meaning
from rig.toml_files import explain

ROLES = "roles.toml"
TIME_STAMPING = "tsa"
_CERTIFICATES = (".pem", ".crt", ".cer")


class Roles(BaseModel):
    """`roles.toml`: names, as their certificates spell them, of those who may sign in each meaning."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    authored: tuple[str, ...] = ()
    reviewed: tuple[str, ...] = ()
    approved: tuple[str, ...] = ()

    def allows(self, name: str, meaning: Meaning) -> bool:
        """Say whether a person may sign in this meaning."""
        return (
            name
            in {
                Meaning.AUTHORED: self.authored,
                Meaning.REVIEWED: self.reviewed,
                Meaning.APPROVED: self.approved,
            }[meaning]
        )


@dataclass(frozen=True)
class Laboratory:
    """Whom a laboratory trusts, read from its folder."""

    roots: tuple[x509.Certificate, ...]
    others: tuple[x509.Certificate, ...]
    revocation_lists: tuple[x509.CertificateRevocationList, ...]
    stamping_roots: tuple[x509.Certificate, ...]
    stamping_others: tuple[x509.Certificate, ...]
    roles: Roles | None

    def may_not(self, name: str, meaning: Meaning) -> str | None:
        """Say why a person has no right to this signature; None where he has, or where there is no list."""
        if self.roles is None or self.roles.allows(name, meaning):
            return None
        return f"{ROLES} does not name {name} among those by whom a report is {meaning.value}"


def read_laboratory(folder: Path) -> Laboratory:
    """Read whom a laboratory trusts.

    Raises:
        BenchFileError: there is no such folder, it holds no root, or a file of it cannot be read.
    """
    if not folder.is_dir():
        raise BenchFileError(f"{folder}: there is no such folder; name the one with the laboratory's root certificates")
    found = _certificates(folder)
    roots = tuple(each for each in found if each.subject == each.issuer)
    if not roots:
        raise BenchFileError(
            f"{folder}: holds no root certificate (one that its own key has signed) in a file *.pem, *.crt or *.cer"
        )
    stamping = _certificates(folder / TIME_STAMPING)
    return Laboratory(
        roots=roots,
        others=tuple(each for each in found if each not in roots),
        revocation_lists=tuple(read_revocation_list(path) for path in sorted(folder.glob("*.crl"))),
        stamping_roots=tuple(each for each in stamping if each.subject == each.issuer),
        stamping_others=tuple(each for each in stamping if each.subject != each.issuer),
        roles=_read_roles(folder / ROLES),
    )


def _certificates(folder: Path) -> Sequence[x509.Certificate]:
    paths = sorted(path for path in folder.glob("*") if path.suffix.lower() in _CERTIFICATES)
    return [each for path in paths for each in read_certificates(path)]


def _read_roles(path: Path) -> Roles | None:
    if not path.exists():
        return None
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BenchFileError(f"{path}: cannot be read as TOML: {error}") from error
    try:
        return Roles.model_validate(content)
    except ValidationError as error:
        raise BenchFileError(explain(path, error, Roles, content)) from error
