"""A signature carries the time stamp of an authority: OpenSSL plays it, behind a small HTTP server.

Not responsible for signatures without one (`test_signing`).
"""

from __future__ import annotations

import datetime
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from rig.errors import BenchFileError, RigError
from rig.signing.certificates import utc_moment
from rig.signing.judging import judge_signatures
from rig.signing.key_file import read_key
from rig.signing.keys import revoke
from rig.signing.meaning import ORDER
from rig.signing.signing import SignatureAsked, sign_report
from suites.selftest.signed import ADA, AUTHORITY_PASSPHRASE, PASSPHRASE, Keys, laboratory_keys, reported_run

DAY = datetime.timedelta(days=1)
ANSWERS = {"/garbage": b"\xff" * 100, "/nothing": b"", "/refusal": bytes.fromhex("30053003020102")}
"""What a server answers that has no time stamp to give: the last is the protocol's own rejection."""
CONFIGURATION = """
[ca]
basicConstraints = critical, CA:true
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[stamper]
basicConstraints = critical, CA:false
keyUsage = critical, digitalSignature
extendedKeyUsage = critical, timeStamping
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[req]
distinguished_name = name
[name]
[tsa]
default_tsa = stamper_tsa
[stamper_tsa]
serial = serial
crypto_device = builtin
signer_cert = stamper.pem
signer_key = stamper.key
certs = ca.pem
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256, sha512
accuracy = secs:1
ess_cert_id_chain = no
ess_cert_id_alg = sha256
"""


@pytest.fixture
def keys(tmp_path: Path) -> Keys:
    """A laboratory's keys."""
    return laboratory_keys(tmp_path / "keys")


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A time-stamping authority's folder: a root of its own, and a certificate for time stamps alone."""
    folder = tmp_path_factory.mktemp("stamper")
    (folder / "openssl.cnf").write_text(CONFIGURATION, encoding="utf-8")
    (folder / "serial").write_text("01\n", encoding="utf-8")
    for line in (
        "req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -subj /CN=Stamping-Root -days 3650 "
        "-config openssl.cnf -extensions ca",
        "req -newkey rsa:2048 -nodes -keyout stamper.key -out stamper.csr -subj /CN=Stamper -config openssl.cnf",
        "x509 -req -in stamper.csr -CA ca.pem -CAkey ca.key -CAcreateserial -out stamper.pem -days 3000 "
        "-extfile openssl.cnf -extensions stamper",
    ):
        subprocess.run(["openssl", *line.split()], cwd=folder, check=True, capture_output=True)
    return folder


@pytest.fixture
def stamping(authority: Path) -> Iterator[str]:
    """The address of its server."""

    class Answering(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            question = self.rfile.read(int(self.headers["Content-Length"]))
            (authority / "question.tsq").write_bytes(question)
            command = "openssl ts -reply -config openssl.cnf -queryfile question.tsq -out answer.tsr"
            subprocess.run(command.split(), cwd=authority, check=True, capture_output=True)
            answer = ANSWERS.get(self.path, (authority / "answer.tsr").read_bytes())
            self.send_response(200)
            self.send_header("Content-Type", "text/html" if self.path == "/page" else "application/timestamp-reply")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Answering) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


def stamped_run(folder: Path, keys: Keys, url: str) -> Path:
    """A run whose report its author has signed, with a time stamp."""
    run = reported_run(folder)
    asked = SignatureAsked(ADA, ORDER[0], stamping_url=url)
    sign_report(run, asked, keys.signer(ADA), keys.laboratory())
    return run


def trust(keys: Keys, authority: Path) -> None:
    """Take the root of a time-stamping authority into the laboratory's folder."""
    (keys.roots / "tsa").mkdir()
    (keys.roots / "tsa" / "root.pem").write_bytes((authority / "ca.pem").read_bytes())


def test_time_stamp_of_a_trusted_authority_holds_also_after_all_certificates_expired(
    tmp_path: Path, keys: Keys, stamping: str, authority: Path
) -> None:
    trust(keys, authority)
    run = stamped_run(tmp_path / "run", keys, stamping)
    for now in (None, utc_moment() + 5000 * DAY):
        (judged,) = judge_signatures(run, keys.roots, now)
        assert judged.findings == ()
        assert judged.time_stamped
        assert "its time is that of the signer's own computer" not in judged.notes


def test_time_stamp_of_a_stranger_is_a_finding(tmp_path: Path, keys: Keys, stamping: str) -> None:
    run = reported_run(tmp_path / "run")
    asked = SignatureAsked(ADA, ORDER[0], stamping_url=stamping)
    with pytest.raises(BenchFileError, match=r"would not hold: its time stamp is not one of .*; nothing was signed"):
        sign_report(run, asked, keys.signer(ADA), keys.laboratory())
    sign_report(run, asked, keys.signer(ADA), None)  # whom to trust is not asked for
    (judged,) = judge_signatures(run, keys.roots)
    assert judged.findings == ("its time stamp is not one of an authority that the laboratory trusts",)


def test_what_was_stamped_before_its_certificate_was_revoked_holds(
    tmp_path: Path, keys: Keys, stamping: str, authority: Path
) -> None:
    trust(keys, authority)
    run = stamped_run(tmp_path / "run", keys, stamping)
    folder = keys.folder / "ca"
    issuer = read_key(folder / "authority.p12", AUTHORITY_PASSPHRASE)
    number = read_key(keys.key(ADA), PASSPHRASE).certificate.serial_number
    revoke(issuer, folder, folder / "issued" / f"{number:x}.pem", utc_moment() + DAY)
    assert [each.findings for each in judge_signatures(run, keys.roots)] == [()]


def test_no_time_stamp_no_signature(tmp_path: Path, keys: Keys, stamping: str) -> None:
    run = reported_run(tmp_path / "run")
    with ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as nobody:
        closed = nobody.server_port
    for url, why in (
        (f"http://127.0.0.1:{closed}/", "gave no time stamp"),
        (f"{stamping}page", "text/html"),
        (f"{stamping}garbage", "what it answered is no time stamp"),
        (f"{stamping}nothing", "what it answered is no time stamp"),
        (f"{stamping}refusal", "gave no time stamp"),
    ):
        with pytest.raises(RigError, match=rf"{why}.*nothing was signed"):
            sign_report(run, SignatureAsked(ADA, ORDER[0], stamping_url=url), keys.signer(ADA), keys.laboratory())
    for url in ("ftp://a", "http://[::"):
        with pytest.raises(BenchFileError, match="is no address of a time-stamping authority"):
            sign_report(run, SignatureAsked(ADA, ORDER[0], stamping_url=url), keys.signer(ADA), None)
    assert sorted(path.name for path in (run / "reports" / "rev-1").iterdir()) == ["report.pdf"]
