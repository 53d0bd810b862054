"""Certificates: whose one is, and whether it is fit to sign reports at a moment. Files in, one sentence out.

Not responsible for the chain to a laboratory's root, which pyHanko follows (`judging`), nor for making any (`keys`).
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.x509.oid import NameOID

from rig.errors import BenchFileError
from rig.record.files import utc_now


def utc_moment() -> datetime.datetime:
    """Read the clock of this computer, in UTC, to the second."""
    return datetime.datetime.fromisoformat(utc_now())


def person_of(certificate: x509.Certificate) -> str:
    """Read the name of the person for whom a certificate was issued; empty where it names none."""
    names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(names[0].value) if names else ""


def unfit_to_sign(certificate: x509.Certificate, moment: datetime.datetime) -> str | None:
    """Say why a certificate is not fit to sign a report at a moment; None where it is.

    It must be valid then, must be nobody's authority, and its key usage must include non-repudiation, which is what a
    signature of a document is for.
    """
    if moment < certificate.not_valid_before_utc:
        return f"is not valid before {certificate.not_valid_before_utc:%Y-%m-%d %H:%M} UTC"
    if moment > certificate.not_valid_after_utc:
        return f"expired on {certificate.not_valid_after_utc:%Y-%m-%d %H:%M} UTC"
    if is_authority(certificate):
        return "is an authority's: it signs certificates, and no reports"
    try:
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        return "does not say what its key is for; non-repudiation must be among it"
    if not usage.content_commitment:
        return "is not for signing documents: its key usage lacks non-repudiation"
    return None


def is_authority(certificate: x509.Certificate) -> bool:
    """Say whether it may sign other certificates."""
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return False


def revoked_at(
    certificate: x509.Certificate, lists: Sequence[x509.CertificateRevocationList], issuers: Sequence[x509.Certificate]
) -> datetime.datetime | None:
    """Look a certificate up in the revocation lists that its own issuer has signed; None where none names it."""
    own = [each for each in issuers if each.subject == certificate.issuer]
    for each in lists:
        if each.issuer != certificate.issuer or not any(_signed_by(each, issuer) for issuer in own):
            continue
        entry = each.get_revoked_certificate_by_serial_number(certificate.serial_number)
        if entry is not None:
            return entry.revocation_date_utc
    return None


def _signed_by(listed: x509.CertificateRevocationList, issuer: x509.Certificate) -> bool:
    try:
        return listed.is_signature_valid(issuer.public_key())  # type: ignore[arg-type]  # a key of another kind raises
    except (InvalidSignature, TypeError, UnsupportedAlgorithm):
        return False


def read_certificates(path: Path) -> list[x509.Certificate]:
    """Read the certificates of a PEM or DER file; BenchFileError when it holds none."""
    data = _bytes_of(path)
    try:
        if b"-----BEGIN" in data:
            return x509.load_pem_x509_certificates(data)
        return [x509.load_der_x509_certificate(data)]
    except ValueError as error:
        raise BenchFileError(f"{path}: holds no certificate, neither as PEM nor as DER") from error


def read_revocation_list(path: Path) -> x509.CertificateRevocationList:
    """Read a revocation list from a PEM or DER file; BenchFileError when it holds none."""
    data = _bytes_of(path)
    try:
        return x509.load_pem_x509_crl(data) if b"-----BEGIN" in data else x509.load_der_x509_crl(data)
    except ValueError as error:
        raise BenchFileError(f"{path}: holds no revocation list, neither as PEM nor as DER") from error


def _bytes_of(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise BenchFileError(f"{path}: cannot be read ({error.strerror})") from error
