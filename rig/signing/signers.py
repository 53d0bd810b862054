"""Who signs with what: a key from a file, or one that never leaves its token, each as pyHanko's signer.

Not responsible for whether its certificate is fit (`certificates`), nor for asking for passphrase or PIN.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from asn1crypto import keys as asn1_keys
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from pyhanko.sign.signers import Signer, SimpleSigner
from pyhanko_certvalidator.registry import SimpleCertificateStore

from rig.errors import BenchFileError, RigError
from rig.signing.certificates import person_of
from rig.signing.keys import Key


@dataclass(frozen=True)
class ReportSigner:
    """A key that is ready to sign, and the certificate of its person."""

    certificate: x509.Certificate
    signer: Signer


def as_asn1(certificate: x509.Certificate) -> asn1_x509.Certificate:
    """Hand a certificate to pyHanko, which has types of its own."""
    return asn1_x509.Certificate.load(certificate.public_bytes(Encoding.DER))


def signer_of(key: Key) -> ReportSigner:
    """Make a signer of a key that was read from a file."""
    private = key.private.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    return ReportSigner(
        key.certificate,
        SimpleSigner(
            signing_cert=as_asn1(key.certificate),
            signing_key=asn1_keys.PrivateKeyInfo.load(private),
            cert_registry=SimpleCertificateStore.from_certs([as_asn1(each) for each in key.chain]),
        ),
    )


@contextmanager
def signer_on_token(token: str, name: str, pin: str) -> Iterator[ReportSigner]:
    """Open a token by its PKCS#11 library and choose the key whose certificate names a person; close it on leaving.

    Args:
        token: path of the library, with `:label` of the token where there are several.
        name: the person's, as in the certificate.
        pin: of the token's user.

    Raises:
        BenchFileError: the PIN is wrong, or no certificate on it is this person's.
        RigError: library or token cannot be opened, or Python's package for PKCS#11 is not installed.
    """
    try:
        import pkcs11
        from pyhanko.config.pkcs11 import TokenCriteria
        from pyhanko.sign.pkcs11 import PKCS11Signer, open_pkcs11_session
    except ImportError as error:
        raise RigError("keys on a token need Python's package for PKCS#11: install the rig with [pkcs11]") from error
    library, _, label = token.partition(":")
    try:
        session = open_pkcs11_session(
            library, token_criteria=TokenCriteria(label=label) if label else None, user_pin=pin
        )
    except (pkcs11.PinIncorrect, pkcs11.PinLenRange, pkcs11.PinInvalid) as error:
        raise BenchFileError(f"{token}: the PIN is wrong; a token locks itself after too many wrong ones") from error
    except pkcs11.PinLocked as error:
        raise RigError(f"{token}: the token has locked itself after too many wrong PINs") from error
    except Exception as error:  # of the library, of pyHanko, of the loader of libraries: each has classes of its own
        raise RigError(f"{token}: the token cannot be opened ({error or type(error).__name__})") from error
    with session:
        found = []
        for each in session.get_objects({pkcs11.Attribute.CLASS: pkcs11.ObjectClass.CERTIFICATE}):
            certificate = x509.load_der_x509_certificate(each[pkcs11.Attribute.VALUE])
            if person_of(certificate) == name:
                found.append((certificate, bytes(each[pkcs11.Attribute.ID])))
        if len(found) != 1:
            count = len(found) or "no"
            raise BenchFileError(f"{token}: holds {count} certificates of {name}, where exactly one is needed")
        certificate, key_id = found[0]
        signer = PKCS11Signer(
            session,
            cert_id=key_id,
            key_id=key_id,
            other_certs_to_pull=None,
            use_raw_mechanism=isinstance(certificate.public_key(), ec.EllipticCurvePublicKey),  # tokens do not hash
        )
        yield ReportSigner(certificate, signer)
