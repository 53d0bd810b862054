"""A key that never leaves its token signs a report: SoftHSM plays the token.

Not responsible for keys in files (`test_signing`).
"""

from __future__ import annotations

import subprocess
from pathlib import Path

import pkcs11
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from rig.errors import BenchFileError, RigError
from rig.signing.judging import judge_signatures
from rig.signing.key_file import read_key
from rig.signing.meaning import ORDER
from rig.signing.signers import signer_on_token
from rig.signing.signing import SignatureAsked, sign_report
from suites.selftest.signed import ADA, PASSPHRASE, Keys, laboratory_keys, missed_changes, reported_run, signed_run

LIBRARY = "/usr/lib/softhsm/libsofthsm2.so"
PIN = "4711471147"


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    """A laboratory's keys."""
    return laboratory_keys(tmp_path_factory.mktemp("keys"))


@pytest.fixture(scope="module")
def token(keys: Keys, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A token that holds the key and the certificate of one person."""
    folder = tmp_path_factory.mktemp("token")
    (folder / "tokens").mkdir()
    (folder / "softhsm2.conf").write_text(f"directories.tokendir = {folder / 'tokens'}\n", encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SOFTHSM2_CONF", str(folder / "softhsm2.conf"))
        key = read_key(keys.key(ADA), PASSPHRASE)
        plain = folder / "key.pem"
        plain.write_bytes(key.private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        for arguments in (
            ("--init-token", "--free", "--label", "laboratory", "--so-pin", "12345678", "--pin", PIN),
            ("--import", str(plain), "--token", "laboratory", "--label", "ada", "--id", "a1", "--pin", PIN),
        ):
            subprocess.run(["softhsm2-util", *arguments], check=True, capture_output=True)
        with pkcs11.lib(LIBRARY).get_token(token_label="laboratory").open(user_pin=PIN, rw=True) as session:
            session.create_object(
                {
                    pkcs11.Attribute.CLASS: pkcs11.ObjectClass.CERTIFICATE,
                    pkcs11.Attribute.CERTIFICATE_TYPE: pkcs11.CertificateType.X_509,
                    pkcs11.Attribute.TOKEN: True,
                    pkcs11.Attribute.LABEL: "ada",
                    pkcs11.Attribute.ID: b"\xa1",
                    pkcs11.Attribute.SUBJECT: key.certificate.subject.public_bytes(),
                    pkcs11.Attribute.VALUE: key.certificate.public_bytes(Encoding.DER),
                }
            )
    return f"{LIBRARY}:laboratory"


def test_key_on_a_token_signs(token: str, keys: Keys, tmp_path: Path) -> None:
    run = reported_run(tmp_path / "run")
    with signer_on_token(token, ADA, PIN) as signer:
        sign_report(run, SignatureAsked(ADA, ORDER[0]), signer, keys.laboratory())
    assert [(each.name, each.findings) for each in judge_signatures(run, keys.roots)] == [(ADA, ())]


def test_wrong_pin_and_wrong_person_are_told(token: str) -> None:
    with pytest.raises(BenchFileError, match="the PIN is wrong"), signer_on_token(token, ADA, "0000000000"):
        pass
    with pytest.raises(BenchFileError, match="holds no certificates of Carl"), signer_on_token(token, "Carl", PIN):
        pass


def test_token_that_is_not_there_is_told(token: str) -> None:
    for name in (f"{LIBRARY}:another", "/nowhere/library.so"):
        with pytest.raises(RigError, match="the token cannot be opened"), signer_on_token(name, ADA, PIN):
            pass
    assert token


def test_each_of_200_changed_bytes_is_found(keys: Keys, tmp_path: Path) -> None:
    assert missed_changes(signed_run(tmp_path / "run", keys), keys, n=200) == []
