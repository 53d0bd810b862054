"""A key in a PKCS#12 file, opened with its passphrase.

Not responsible for asking for the passphrase (`rig.cli.passphrases`), nor for keys on a token (`token`).
"""

from __future__ import annotations

from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import pkcs12

from rig.errors import BenchFileError
from rig.signing.keys import Key


def read_key(path: Path, passphrase: str) -> Key:
    """Open a key; one that opens without a passphrase is refused, as two components make a signature.

    Raises:
        BenchFileError: the file is missing or damaged, the passphrase is wrong, or there is none.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise BenchFileError(f"{path}: cannot be read ({error.strerror})") from error
    if any(_opens(data, none) for none in (None, b"")):
        raise BenchFileError(
            f"{path}: the key has no passphrase, and one component alone makes no signature; write it with a passphrase"
        )
    try:
        opened = pkcs12.load_pkcs12(data, passphrase.encode())
    except ValueError as error:
        raise BenchFileError(f"{path}: the passphrase is wrong, or this is no key file in the form PKCS#12") from error
    certificate = opened.cert.certificate if opened.cert is not None else None
    if certificate is None or not isinstance(opened.key, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey):
        raise BenchFileError(f"{path}: holds no key of kind RSA or EC with its certificate")
    return Key(opened.key, certificate, tuple(each.certificate for each in opened.additional_certs))


def _opens(data: bytes, passphrase: bytes | None) -> bool:
    try:
        return pkcs12.load_pkcs12(data, passphrase).key is not None
    except ValueError:
        return False
