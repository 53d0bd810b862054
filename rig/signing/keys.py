"""Keys of a laboratory: an authority of its own, a key for each person, and a list of those that are revoked.

    <folder>/authority.p12           the authority's key, with its passphrase; belongs into a safe
    <folder>/issued/<serial>.pem     each certificate that it issued
    <folder>/roots/authority.pem     what everybody needs to check a signature: hand this folder to assessors
    <folder>/roots/revoked-<n>.crl   which certificates were revoked; each list holds those of the one before

Not responsible for keys on a token, which never leave it, nor for whether a person is who he says. No file is ever
overwritten, and a file with a key can be read by its owner alone.
"""

from __future__ import annotations

import datetime
import os
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, pkcs12
from cryptography.x509.oid import NameOID

from rig.errors import BenchFileError
from rig.record.files import cannot_write, slug
from rig.signing.certificates import read_certificates, read_revocation_list

AUTHORITY = "authority.p12"
ROOTS = "roots"
ISSUED = "issued"
SHORTEST_PASSPHRASE = 12
"""Characters of a passphrase that `rig keys` takes: whoever finds the file may try as many as he likes."""
AUTHORITY_DAYS = 3653
PERSON_DAYS = 731


@dataclass(frozen=True)
class Key:
    """A private key with its certificate and the certificates that lead from it to its root."""

    private: CertificateIssuerPrivateKeyTypes
    certificate: x509.Certificate
    chain: tuple[x509.Certificate, ...]


def make_authority(
    folder: Path, name: str, passphrase: str, now: datetime.datetime, days: int = AUTHORITY_DAYS
) -> Path:
    """Make a laboratory's own authority in a new folder, valid for some days; returns the folder to check against.

    Raises:
        BenchFileError: the folder holds one already, name or passphrase are too short.
        EvidenceError: the disk does not take it.
    """
    _refuse_short(name, passphrase)
    if folder.exists() and any(folder.iterdir() if folder.is_dir() else [folder]):
        raise BenchFileError(f"{folder}: is there already and not empty; keys are never overwritten, name a new folder")
    private = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    certificate = (
        _begun(subject, subject, private, now, days)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(authority=True), critical=True)
        .sign(private, hashes.SHA256())
    )
    _write_new(folder / ROOTS / "authority.pem", certificate.public_bytes(Encoding.PEM), 0o644)
    _write_new(folder / AUTHORITY, _packed(Key(private, certificate, ()), passphrase), 0o600)
    return folder / ROOTS


def issue_key(
    authority: Key, folder: Path, name: str, passphrase: str, out: Path, now: datetime.datetime, days: int = PERSON_DAYS
) -> x509.Certificate:
    """Make a key for a person, with a certificate that lasts some days and at most as long as the authority's own.

    Args:
        authority: whose key signs the certificate.
        folder: of the authority, where a copy of the certificate is kept.
        name: as the person signs reports.
        passphrase: of the new file; the person's own, known to nobody else.
        out: the new PKCS#12 file.
        now: when it begins to be valid.
        days: for how long.

    Raises:
        BenchFileError: the file is there already, or the name or the passphrase is too short.
        EvidenceError: the disk does not take it.
    """
    _refuse_short(name, passphrase)
    if out.exists():
        raise BenchFileError(f"{out}: is there already; keys are never overwritten, name another file")
    private = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    issuer = authority.certificate
    certificate = (
        _begun(subject, issuer.subject, private, now, days, not_after=issuer.not_valid_after_utc)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(authority=False), critical=True)
        .add_extension(_authority_id(issuer), critical=False)
        .sign(authority.private, hashes.SHA256())
    )
    kept = folder / ISSUED / f"{certificate.serial_number:x}.pem"
    _write_new(kept, certificate.public_bytes(Encoding.PEM), 0o644)
    _write_new(out, _packed(Key(private, certificate, (issuer,)), passphrase), 0o600)
    return certificate


def revoke(authority: Key, folder: Path, certificate_file: Path, now: datetime.datetime) -> Path:
    """Revoke a certificate from now on: write the next revocation list, which holds all of the one before.

    Raises:
        BenchFileError: the authority did not issue it, or it was revoked before.
        EvidenceError: the disk does not take it.
    """
    certificate = read_certificates(certificate_file)[0]
    if certificate.issuer != authority.certificate.subject:
        raise BenchFileError(f"{certificate_file}: was not issued by this authority, which can revoke its own alone")
    paths = list((folder / ROOTS).glob("revoked-*.crl"))
    number = 1 + max((int(n) for path in paths if (n := path.stem.removeprefix("revoked-")).isdecimal()), default=0)
    entries = list(read_revocation_list(folder / ROOTS / f"revoked-{number - 1}.crl")) if number > 1 else []
    if any(each.serial_number == certificate.serial_number for each in entries):
        raise BenchFileError(f"{certificate_file}: was revoked before")
    builder = x509.CertificateRevocationListBuilder(
        issuer_name=authority.certificate.subject,
        last_update=now,
        next_update=authority.certificate.not_valid_after_utc,
    ).add_extension(x509.CRLNumber(number), critical=False)
    new = x509.RevokedCertificateBuilder(certificate.serial_number, now).build()
    for each in (*entries, new):
        builder = builder.add_revoked_certificate(each)
    out = folder / ROOTS / f"revoked-{number}.crl"
    _write_new(out, builder.sign(authority.private, hashes.SHA256()).public_bytes(Encoding.PEM), 0o644)
    return out


def key_file_for(name: str) -> Path:
    """Choose the name of the file of a person's key, in the folder where the command is called."""
    return Path(f"{slug(name)}.p12")


def _refuse_short(name: str, passphrase: str) -> None:
    if not 1 <= len(name.strip()) <= 64 or name != name.strip() or not name.isprintable():
        raise BenchFileError(f"the name {name!r} is no name of 1 to 64 printable characters without blanks around it")
    if len(passphrase) < SHORTEST_PASSPHRASE:
        raise BenchFileError(f"the passphrase is shorter than {SHORTEST_PASSPHRASE} characters; choose a longer one")


def _begun(
    subject: x509.Name,
    issuer: x509.Name,
    private: ec.EllipticCurvePrivateKey,
    now: datetime.datetime,
    days: int,
    *,
    not_after: datetime.datetime | None = None,
) -> x509.CertificateBuilder:
    end = now + datetime.timedelta(days=days)
    return (
        x509.CertificateBuilder(issuer, subject, private.public_key(), x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(end if not_after is None else min(end, not_after))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(private.public_key()), critical=False)
    )


def _usage(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not authority, content_commitment=not authority, key_cert_sign=authority, crl_sign=authority,
        key_encipherment=False, data_encipherment=False, key_agreement=False, encipher_only=False, decipher_only=False,
    )  # fmt: skip


def _authority_id(issuer: x509.Certificate) -> x509.AuthorityKeyIdentifier:
    own = issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    return x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(own)


def _packed(key: Key, passphrase: str) -> bytes:
    return pkcs12.serialize_key_and_certificates(
        None, key.private, key.certificate, key.chain, BestAvailableEncryption(passphrase.encode())  # type: ignore[arg-type]
    )  # fmt: skip


def _write_new(path: Path, data: bytes, mode: int) -> None:
    """Write a file that is not there yet, readable from its first byte on by whom it is meant for."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    except FileExistsError as error:
        raise BenchFileError(f"{path}: is there already; keys are never overwritten") from error
    except OSError as error:
        raise cannot_write(path, error) from error
