"""A report is signed three times, in order, by who may, and is bound to its record; everything else is refused.

Not responsible for what was changed afterwards (`test_signing_damage`), nor for tokens and time stamps (`signing`).
"""

from __future__ import annotations

import datetime
import hashlib
import stat
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pypdf
import pytest
from cryptography.hazmat.primitives.serialization import NoEncryption, pkcs12

from rig.errors import BenchFileError, EvidenceError
from rig.lease import Lease, LeaseHeldError
from rig.record.drafts import draft_of
from rig.record.files import write_whole
from rig.record.seal import head
from rig.record.trail import read
from rig.signing.certificates import utc_moment
from rig.signing.judging import judge_signatures
from rig.signing.key_file import read_key
from rig.signing.keys import issue_key, make_authority, revoke
from rig.signing.meaning import ORDER, Meaning
from rig.signing.page import stamp
from rig.signing.signers import signer_of
from rig.signing.signing import SignatureAsked, sign_report
from rig.signing.statement import Statement, read_statement
from suites.selftest.recorded import writable
from suites.selftest.signed import (
    ADA,
    AUTHORITY_PASSPHRASE,
    BEA,
    PASSPHRASE,
    Keys,
    laboratory_keys,
    reported_run,
    sign_as,
    signed_run,
    write_report,
)

AUTHORED, REVIEWED, APPROVED = ORDER


@pytest.fixture
def keys(tmp_path: Path) -> Keys:
    """A laboratory's keys."""
    return laboratory_keys(tmp_path / "keys")


@pytest.fixture
def small_run(tmp_path: Path) -> Path:
    """A closed run with a report that nobody has signed."""
    return reported_run(tmp_path / "run")


def refuse(run: Path, keys: Keys, sentence: str, meaning: Meaning = AUTHORED, name: str = ADA, file: str = "") -> None:
    """Hold that a signature is refused, and that nothing was written."""
    before = {path: path.read_bytes() for path in (run / "reports").rglob("*") if path.is_file()}
    signer = signer_of(read_key(keys.key(file or name), PASSPHRASE))
    with pytest.raises((BenchFileError, EvidenceError), match=sentence):
        sign_report(run, SignatureAsked(name, meaning), signer, keys.laboratory())
    assert {path: path.read_bytes() for path in (run / "reports").rglob("*") if path.is_file()} == before


def test_three_signatures_hold_and_the_report_itself_is_untouched(tmp_path: Path, keys: Keys) -> None:
    run = signed_run(tmp_path / "run", keys)
    folder = run / "reports" / "rev-1"
    assert sorted(path.name for path in folder.iterdir()) == ["report.pdf", "report.signed.pdf"]
    assert (folder / "report.signed.pdf").read_bytes().startswith((folder / "report.pdf").read_bytes())
    judged = judge_signatures(run, keys.roots)
    assert [(each.meaning, each.name, each.holds, each.time_stamped) for each in judged] == [
        (AUTHORED, ADA, True, False),
        (REVIEWED, BEA, True, False),
        (APPROVED, BEA, True, False),
    ]


def test_each_signature_is_an_increment_and_enters_the_trail(keys: Keys, small_run: Path) -> None:
    path, files = small_run / "reports" / "rev-1" / "report.signed.pdf", [b""]
    for meaning in ORDER:
        sign_as(small_run, keys, meaning)
        files.append(path.read_bytes())
        assert files[-1].startswith(files[-2])
    sums = [hashlib.sha256(each).hexdigest() for each in files[1:]]
    entries = [entry for entry in read(small_run) if entry.what == "signed"]
    assert [(each.who, each.old, each.new) for each in entries] == [
        (ADA, None, sums[0]),
        (BEA, sums[0], sums[1]),
        (BEA, sums[1], sums[2]),
    ]


def test_page_and_statement_name_head_and_report(tmp_path: Path, keys: Keys) -> None:
    run = signed_run(tmp_path / "run", keys)
    report = hashlib.sha256((run / "reports/rev-1/report.pdf").read_bytes()).hexdigest()
    signed = pypdf.PdfReader(run / "reports/rev-1/report.signed.pdf")
    text = signed.pages[-1].extract_text()
    assert head(run) in text
    assert report in text
    assert "SIMULATED" in text
    fields = signed.get_fields() or {}
    assert [read_statement(fields[meaning.value]["/V"]["/Reason"]) for meaning in ORDER] == [
        Statement(meaning, head(run), report) for meaning in ORDER
    ]


def fonts(resources: pypdf.generic.DictionaryObject) -> Iterator[pypdf.generic.DictionaryObject]:
    """Find the descriptors of all fonts that resources use, those within drawings too."""
    for each in resources.get("/Font", {}).values():
        font = each.get_object()
        font = font["/DescendantFonts"][0].get_object() if "/DescendantFonts" in font else font
        yield font["/FontDescriptor"].get_object()
    for each in resources.get("/XObject", {}).values():
        yield from fonts(each.get_object().get("/Resources", {}))


def test_every_font_of_page_and_stamps_is_embedded(tmp_path: Path, keys: Keys) -> None:
    run = signed_run(tmp_path / "run", keys)
    page = pypdf.PdfReader(run / "reports/rev-1/report.signed.pdf").pages[-1]
    stamps = [each["/AP"]["/N"].get_object()["/Resources"] for each in page.annotations or ()]
    found = [list(fonts(each)) for each in (page["/Resources"], *stamps)]
    assert all(found)
    assert all({"/FontFile2", "/FontFile3"} & set(each) for part in found for each in part)


def test_stamp_shows_name_meaning_and_utc() -> None:
    pdf = stamp(ADA, "2026-11-23T08:15:02Z", Statement(APPROVED, "a" * 64, "b" * 64, "All read"), time_stamped=False)
    text = pypdf.PdfReader(BytesIO(pdf)).pages[0].extract_text()
    assert text.splitlines()[:3] == [
        ADA,
        "Approved on 2026-11-23 08:15:02 UTC",
        "by the clock of the signer's computer",
    ]
    assert "All read" in text


@pytest.mark.parametrize("reason", [None, "Deviation 3 accepted; see note 2"])
def test_statement_is_read_back_as_it_was_written(reason: str | None) -> None:
    statement = Statement(REVIEWED, "0" * 64, "f" * 64, reason)
    assert read_statement(str(statement)) == statement
    assert read_statement(f"not {statement}") is None


@pytest.mark.parametrize(
    ("made", "asked", "sentence"),
    [
        (0, REVIEWED, "cannot be reviewed now: 0 of 3 signatures are made, and next it is authored"),
        (0, APPROVED, "next it is authored"),
        (1, AUTHORED, "next it is reviewed"),
        (1, APPROVED, "next it is reviewed"),
        (2, REVIEWED, "next it is approved"),
        (3, APPROVED, "the report is complete"),
    ],
)
def test_order_is_kept(small_run: Path, keys: Keys, made: int, asked: Meaning, sentence: str) -> None:
    for meaning in ORDER[:made]:
        sign_as(small_run, keys, meaning)
    refuse(small_run, keys, sentence, asked, BEA)


def test_author_neither_reviews_nor_approves(small_run: Path, keys: Keys) -> None:
    sign_as(small_run, keys, AUTHORED)
    refuse(small_run, keys, f"{ADA} authored this report", REVIEWED, ADA)
    sign_as(small_run, keys, REVIEWED)
    refuse(small_run, keys, f"{ADA} authored this report", APPROVED, ADA)


def test_roles_of_the_laboratory_are_kept(small_run: Path, keys: Keys) -> None:
    (keys.roots / "roles.toml").write_text(f'authored = ["{ADA}"]\nreviewed = ["{BEA}"]\n', encoding="utf-8")
    refuse(small_run, keys, f"roles.toml does not name {BEA} among those by whom a report is authored", name=BEA)
    sign_as(small_run, keys, AUTHORED)
    sign_as(small_run, keys, REVIEWED)
    refuse(small_run, keys, "does not name", APPROVED, BEA)


def test_role_that_is_misspelt_is_named(keys: Keys) -> None:
    (keys.roots / "roles.toml").write_text('aproved = ["A"]', encoding="utf-8")
    with pytest.raises(BenchFileError, match="aproved is not a known key; did you mean 'approved'"):
        keys.laboratory()


def test_certificate_of_another_is_refused(small_run: Path, keys: Keys) -> None:
    refuse(small_run, keys, f"the certificate is that of {BEA}, and not of {ADA}", file=BEA)


def test_certificate_out_of_its_time_is_refused(small_run: Path, keys: Keys) -> None:
    day = datetime.timedelta(days=1)
    keys.issue(ADA, as_file="old", at=utc_moment() - 9 * day, days=2)
    keys.issue(ADA, as_file="young", at=utc_moment() + day)
    refuse(small_run, keys, "expired on", file="old")
    refuse(small_run, keys, "is not valid before", file="young")


def test_key_of_an_authority_signs_no_report(small_run: Path, keys: Keys) -> None:
    signer = signer_of(read_key(keys.folder / "ca" / "authority.p12", AUTHORITY_PASSPHRASE))
    with pytest.raises(BenchFileError, match="is an authority's: it signs certificates, and no reports"):
        sign_report(small_run, SignatureAsked("Example Laboratory", AUTHORED), signer, keys.laboratory())


def test_revoked_certificate_is_refused(small_run: Path, keys: Keys) -> None:
    folder = keys.folder / "ca"
    authority = read_key(folder / "authority.p12", AUTHORITY_PASSPHRASE)
    of_ada = read_key(keys.key(ADA), PASSPHRASE).certificate
    issued = folder / "issued" / f"{of_ada.serial_number:x}.pem"
    assert revoke(authority, folder, issued, utc_moment()).name == "revoked-1.crl"
    refuse(small_run, keys, f"the certificate of {ADA} was revoked on")
    with pytest.raises(BenchFileError, match="was revoked before"):
        revoke(authority, folder, issued, utc_moment())
    of_bea = read_key(keys.key(BEA), PASSPHRASE).certificate
    second = revoke(authority, folder, folder / "issued" / f"{of_bea.serial_number:x}.pem", utc_moment())
    assert second.name == "revoked-2.crl"
    refuse(small_run, keys, f"the certificate of {ADA} was revoked on")
    refuse(small_run, keys, f"the certificate of {BEA} was revoked on", name=BEA)


def test_certificate_of_another_laboratory_is_refused(small_run: Path, keys: Keys, tmp_path: Path) -> None:
    make_authority(tmp_path / "other", "Other Laboratory", AUTHORITY_PASSPHRASE, utc_moment())
    other = read_key(tmp_path / "other" / "authority.p12", AUTHORITY_PASSPHRASE)
    issue_key(other, tmp_path / "other", ADA, PASSPHRASE, keys.key("foreign"), utc_moment())
    refuse(small_run, keys, "was issued by nobody whom the folder of roots holds", file="foreign")


def test_an_authority_that_only_calls_itself_the_laboratorys_is_refused(
    small_run: Path, keys: Keys, tmp_path: Path
) -> None:
    other = laboratory_keys(tmp_path / "other")  # of the same name, with a key of its own
    with pytest.raises(BenchFileError, match=r"would not hold: its certificate does not lead to .*; nothing was"):
        sign_report(small_run, SignatureAsked(ADA, AUTHORED), other.signer(ADA), keys.laboratory())
    assert judge_signatures(small_run, keys.roots) == ()


def test_key_needs_its_passphrase_and_has_one(keys: Keys) -> None:
    with pytest.raises(BenchFileError, match="the passphrase is wrong, or this is no key file"):
        read_key(keys.key(ADA), "a wrong passphrase")
    key = read_key(keys.key(ADA), PASSPHRASE)
    bare = keys.folder / "bare.p12"
    bare.write_bytes(pkcs12.serialize_key_and_certificates(None, key.private, key.certificate, None, NoEncryption()))  # type: ignore[arg-type]
    with pytest.raises(BenchFileError, match="the key has no passphrase, and one component alone makes no signature"):
        read_key(bare, "")


def test_open_record_is_not_signed(small_run: Path, keys: Keys) -> None:
    (writable(small_run) / "record" / "closing.json").unlink()
    refuse(small_run, keys, "the run was not closed")


def test_altered_record_is_not_signed(small_run: Path, keys: Keys) -> None:
    path = writable(small_run) / "record" / "results.json"
    path.write_bytes(path.read_bytes() + b" ")
    refuse(small_run, keys, r"results\.json: was changed after the run was closed")


def test_altered_report_is_not_signed(small_run: Path, keys: Keys) -> None:
    path = small_run / "reports/rev-1/report.pdf"
    path.write_bytes(path.read_bytes().replace(b"%PDF-1.7", b"%PDF-1.6"))
    refuse(small_run, keys, r"report\.pdf: was changed since it was written, by the audit trail")


def test_report_of_another_run_is_not_signed(keys: Keys, tmp_path: Path) -> None:
    other = reported_run(tmp_path / "other", "another report")
    path = writable(other) / "record" / "closing.json"
    path.write_bytes(path.read_bytes().replace(b"\n", b"\n\n", 1))  # the same head, other bytes than the report has
    refuse(other, keys, "the report was made of another record")


def test_signed_file_that_was_changed_is_not_signed_further(small_run: Path, keys: Keys) -> None:
    sign_as(small_run, keys, AUTHORED)
    path = small_run / "reports/rev-1/report.signed.pdf"
    path.write_bytes(path.read_bytes() + b"\n")
    refuse(small_run, keys, f"was changed since {ADA} signed it", REVIEWED, BEA)


def test_each_revision_is_signed_by_itself(small_run: Path, keys: Keys) -> None:
    sign_as(small_run, keys, AUTHORED)
    write_report(small_run, 2, "the second revision")
    sign_as(small_run, keys, AUTHORED)
    assert [(each.revision, each.meaning, each.holds) for each in judge_signatures(small_run, keys.roots)] == [
        (1, AUTHORED, True),
        (2, AUTHORED, True),
    ]
    with pytest.raises(BenchFileError, match="has no revision 3 of its report; there are 1, 2"):
        sign_report(small_run, SignatureAsked(BEA, REVIEWED, 3), keys.signer(BEA), None)


def test_signature_that_was_cut_off_after_its_entry_is_there_and_the_next_one_goes_on(
    small_run: Path, keys: Keys
) -> None:
    path = small_run / "reports/rev-1/report.signed.pdf"
    sign_as(small_run, keys, AUTHORED)
    before = path.read_bytes()
    sign_as(small_run, keys, REVIEWED)
    write_whole(draft_of(small_run, "reports/rev-1/report.signed.pdf"), path.read_bytes())  # as if killed in between
    path.write_bytes(before)
    assert [each.holds for each in judge_signatures(small_run, keys.roots)] == [True, True]
    sign_as(small_run, keys, APPROVED)
    assert [each.holds for each in judge_signatures(small_run, keys.roots)] == [True, True, True]
    assert not (small_run / "unfinished").exists()


def test_two_do_not_sign_at_once(small_run: Path, keys: Keys) -> None:
    with (
        Lease.take(small_run / "signing.lease", of="a run", purpose="signing its report", since_utc=""),
        pytest.raises(LeaseHeldError),
    ):
        sign_as(small_run, keys, AUTHORED)
    assert judge_signatures(small_run, keys.roots) == ()


def test_keys_are_their_owners_alone_and_never_overwritten(keys: Keys) -> None:
    for path in (keys.key(ADA), keys.folder / "ca" / "authority.p12"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    before = keys.key(ADA).read_bytes()
    with pytest.raises(BenchFileError, match="is there already; keys are never overwritten"):
        keys.issue(ADA)
    with pytest.raises(BenchFileError, match="is there already and not empty"):
        make_authority(keys.folder / "ca", "Example Laboratory", AUTHORITY_PASSPHRASE, utc_moment())
    with pytest.raises(BenchFileError, match="shorter than 12 characters"):
        make_authority(keys.folder / "new", "Example Laboratory", "short", utc_moment())
    assert keys.key(ADA).read_bytes() == before
    assert not (keys.folder / "new").exists()


def test_folder_without_a_root_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    run = reported_run(tmp_path / "run")
    with pytest.raises(BenchFileError, match="holds no root certificate"):
        judge_signatures(run, tmp_path / "empty")
    with pytest.raises(BenchFileError, match="there is no such folder"):
        judge_signatures(run, tmp_path / "nowhere")
