"""The bench's key: Ed25519, whose signature under a run's head says that this bench has made it.

    seal.sig.json    the head, the public key with its fingerprint, and the signature; beside the record

The bench file names the PEM file (PKCS #8) of the private key, or the environment variable RIG_BENCH_KEY does, which
goes before it; without either a run is unsigned.
A public key in a run proves nothing about who made it: hold it against the one that the laboratory handed out. Not
responsible for people's signatures, nor for keeping the private key from those who may not sign.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

from rig.errors import BenchFileError
from rig.record.files import write_json
from rig.record.models import Record

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

VARIABLE = "RIG_BENCH_KEY"
SIGNATURE = "seal.sig.json"
NO_KEY = "the bench has no key"
_DOMAIN = b"insulin-pump-rig run head\n"
"""Stands before what is signed, so that the signature is of no other use."""


class SignedHead(Record):
    """`seal.sig.json`: the signature of the bench's key under the head of a run; all hexadecimal.

    Attributes:
        head: of the run.
        fingerprint: SHA-256 of the public key's 32 octets.
        public_key: those.
        signature: Ed25519, over a line that says what is signed, and the head.
    """

    head: str
    fingerprint: str
    public_key: str
    signature: str

    @property
    def holds(self) -> bool:
        """Whether the signature is that of the key under the head, and the fingerprint the key's."""
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

        try:
            octets, signature = bytes.fromhex(self.public_key), bytes.fromhex(self.signature)
            Ed25519PublicKey.from_public_bytes(octets).verify(signature, _signed(self.head))
        except (ValueError, InvalidSignature):
            return False
        written = (octets.hex(), signature.hex(), hashlib.sha256(octets).hexdigest())  # one spelling alone
        return (self.public_key, self.signature, self.fingerprint) == written


def bench_key(of_bench_file: Path | None = None) -> Ed25519PrivateKey | None:
    """Read the private key that RIG_BENCH_KEY names, else the one that the bench file does; None where neither does.

    Raises:
        BenchFileError: it is no PEM file of an Ed25519 key without a pass phrase.
    """
    by, named = (VARIABLE, os.environ[VARIABLE]) if os.environ.get(VARIABLE) else ("key", of_bench_file)
    if named is None:
        return None
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        key = load_pem_private_key(Path(named).read_bytes(), password=None)
    except OSError as error:
        raise BenchFileError(f"{by}: {named}: the bench's key cannot be read ({error.strerror})") from error
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise BenchFileError(
            f"{by}: {named}: is no PEM file of a private key without a pass phrase; the bench's key is one of "
            "Ed25519 (openssl genpkey -algorithm ed25519)"
        ) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise BenchFileError(f"{by}: {named}: holds a key of another kind; the bench's key is one of Ed25519")
    return key


def public_key(path: Path) -> Ed25519PublicKey:
    """Read a public key.

    Raises:
        BenchFileError: it is no PEM file of a public Ed25519 key.
    """
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    try:
        key = load_pem_public_key(path.read_bytes())
    except OSError as error:
        raise BenchFileError(f"{path}: the public key cannot be read ({error.strerror})") from error
    except (ValueError, UnsupportedAlgorithm) as error:
        raise BenchFileError(
            f"{path}: is no PEM file of a public key (openssl pkey -in KEY.pem -pubout -out PUBLIC.pem)"
        ) from error
    if not isinstance(key, Ed25519PublicKey):
        raise BenchFileError(f"{path}: holds a key of another kind; the bench's key is one of Ed25519")
    return key


def key_fingerprint(key: Ed25519PublicKey) -> str:
    """SHA-256 of a public key's octets, hexadecimal."""
    return hashlib.sha256(key.public_bytes_raw()).hexdigest()


def sign_head(run: Path, head: str, key: Ed25519PrivateKey) -> SignedHead:
    """Sign the head of a run and keep the signature beside its record; EvidenceError when it cannot be written."""
    octets = key.public_key().public_bytes_raw()
    signed = SignedHead(
        head=head,
        fingerprint=hashlib.sha256(octets).hexdigest(),
        public_key=octets.hex(),
        signature=key.sign(_signed(head)).hex(),
    )
    write_json(run / SIGNATURE, signed.model_dump(mode="json"))
    return signed


def _signed(head: str) -> bytes:
    return _DOMAIN + head.encode()
