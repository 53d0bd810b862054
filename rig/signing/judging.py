"""What signatures are worth: pyHanko's bottom line against a laboratory's roots, and whether they are this report's.

Offline: nothing is fetched, everything comes from the run's folder and the laboratory's. A signature with a time stamp
is judged at the time stamp's moment, one without it now, or, once its certificate has expired, at the moment that it
states itself. Not responsible for the record itself (`rig audit` is), nor for why anybody signed.
"""

from __future__ import annotations

import hashlib
import io
import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.diff_analysis import ModificationLevel
from pyhanko.sign.fields import MDPPerm
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature
from pyhanko.sign.validation.status import SignatureCoverageLevel
from pyhanko_certvalidator import ValidationContext

from rig.errors import EvidenceError
from rig.record.seal import head as head_of
from rig.signing.bound import report_bytes, revision_folder, revisions_of
from rig.signing.certificates import person_of, revoked_at, unfit_to_sign, utc_moment
from rig.signing.laboratory import Laboratory, read_laboratory
from rig.signing.meaning import ORDER, Meaning, forbidden_second
from rig.signing.register import SIGNED, EnteredSignature, difference_of, entered_signatures, judged_bytes
from rig.signing.signers import as_asn1
from rig.signing.statement import read_statement

for _name in ("pyhanko", "pyhanko_certvalidator"):  # what they find is told here, once, as findings
    logging.getLogger(_name).addHandler(logging.NullHandler())

NOT_OF_CERTIFICATE = "it is not the signature of this certificate"


@dataclass(frozen=True)
class SignatureJudgement:
    """What one signature of a report is worth.

    Attributes:
        revision: of the report.
        meaning: what was signed; None where it cannot be told any more.
        name: who signed, as the certificate names him.
        at_utc: when, by the time stamp where there is one, else by the signer's own computer.
        time_stamped: whether a time-stamping authority says so.
        findings: why it does not hold, a sentence each; none where it holds.
        notes: what to know of one that holds.
    """

    revision: int
    meaning: Meaning | None
    name: str
    at_utc: str
    time_stamped: bool
    findings: tuple[str, ...]
    notes: tuple[str, ...] = ()

    @property
    def holds(self) -> bool:
        """Whether nothing speaks against it."""
        return not self.findings


def judge_signatures(run: Path, roots: Path, now: datetime | None = None) -> tuple[SignatureJudgement, ...]:
    """Judge every signature of every revision of a run's report, offline; none where nobody has signed.

    Args:
        run: the run's folder.
        roots: folder of the laboratory's roots.
        now: the moment of judging; None takes this computer's clock.

    Raises:
        BenchFileError: the folder of roots holds none, or cannot be read.
        EvidenceError: the record is open, or its `closing.json` is not as it was written.
    """
    laboratory, head = read_laboratory(roots), head_of(run)
    found: list[SignatureJudgement] = []
    for revision in revisions_of(run):
        found += _judge_revision(run, revision, head, laboratory, now)
    return tuple(found)


def judge_file(
    data: bytes, report: bytes, head: str, laboratory: Laboratory, revision: int = 1, now: datetime | None = None
) -> tuple[SignatureJudgement, ...]:
    """Judge the signatures of one signed file, by what stands in it alone.

    Args:
        data: the signed file.
        report: the unsigned report, with which it has to begin.
        head: of the record that the report was made from.
        laboratory: whom to trust.
        revision: of the report.
        now: the moment of judging; None takes this computer's clock.
    """
    try:
        judged = _judge_signatures(data, report, head, laboratory, now or utc_moment())
        return tuple(replace(each, revision=revision) for each in judged)
    except Exception as error:  # a damaged file fails in pyHanko in many ways, and none of them is the reader's fault
        sentence = f"the signed file cannot be read ({_first_line(error)})"
        return (SignatureJudgement(revision, None, "", "", False, (sentence,)),)


def flaw_of_last(data: bytes, report: bytes, head: str, laboratory: Laboratory | None) -> str | None:
    """Say why the last signature of a signed file would not hold; None where it would.

    Args:
        data: the signed file.
        report: the unsigned report, with which it has to begin.
        head: of the record that the report was made from.
        laboratory: whom to trust; None asks only whether it is the signature of its certificate.
    """
    if laboratory is not None:
        return next(iter(judge_file(data, report, head, laboratory)[-1].findings), None)
    last = max(PdfFileReader(io.BytesIO(data)).embedded_regular_signatures, key=lambda each: each.signed_revision)
    status = validate_pdf_signature(last, _context((), (), None))
    return None if status.intact and status.valid else NOT_OF_CERTIFICATE


def _judge_revision(
    run: Path, revision: int, head: str, laboratory: Laboratory, now: datetime | None
) -> tuple[SignatureJudgement, ...]:
    def lost(sentence: str) -> tuple[SignatureJudgement, ...]:
        return (SignatureJudgement(revision, None, "", "", False, (sentence,)),)

    try:
        folder = revision_folder(run, revision)
        entered = entered_signatures(run, revision)
        data = judged_bytes(run, revision, folder, entered)
        report = report_bytes(folder) if data is not None else b""
    except EvidenceError as error:
        return lost(str(error))
    difference = difference_of(folder / SIGNED, data, entered)
    if data is None:
        return () if difference is None else lost(difference)
    judged = judge_file(data, report, head, laboratory, revision, now)
    if difference is not None:
        judged = tuple(replace(each, findings=(*each.findings, difference)) for each in judged) or lost(difference)
    return judged + _removed(judged, entered, revision)


def _removed(
    judged: Sequence[SignatureJudgement], entered: Sequence[EnteredSignature], revision: int
) -> tuple[SignatureJudgement, ...]:
    """List the signatures that the trail names and the file does not hold."""
    held = {each.meaning for each in judged}
    if None in held:
        return ()
    return tuple(
        SignatureJudgement(revision, each.meaning, each.name, each.at_utc, False, ("it was removed from the file",))
        for each in entered
        if each.meaning not in held
    )


def _judge_signatures(
    data: bytes, report: bytes, head: str, laboratory: Laboratory, now: datetime
) -> tuple[SignatureJudgement, ...]:
    reader = PdfFileReader(io.BytesIO(data))
    signatures = sorted(reader.embedded_regular_signatures, key=lambda each: each.signed_revision)
    of_file = []
    if not data.startswith(report):
        of_file.append("the signed file does not begin with the report beside it: one of them was changed or exchanged")
    if reader.embedded_timestamp_signatures:
        of_file.append("the file holds time stamps of its own, which no signature of this rig has")
    names = [each.field_name for each in signatures]
    if names != [each.value for each in ORDER[: len(names)]]:
        of_file.append(f"the order of signatures is {', '.join(names)}, and not {', '.join(m.value for m in ORDER)}")
    judged, signed = [], dict[Meaning, str]()
    for n, each in enumerate(signatures, start=1):
        one = _judge_one(each, hashlib.sha256(report).hexdigest(), head, laboratory, now, last=n == len(signatures))
        findings = [*of_file, *one.findings]
        if one.meaning is not None:
            if (why := forbidden_second(signed, one.name, one.meaning)) is not None:
                findings.append(why)
            if (why := laboratory.may_not(one.name, one.meaning)) is not None:
                findings.append(why)
            signed[one.meaning] = one.name
        judged.append(replace(one, findings=tuple(findings)))
    if not judged:
        return (SignatureJudgement(0, None, "", "", False, ("the signed file holds no signature", *of_file)),)
    return tuple(judged)


def _judge_one(
    signature: EmbeddedPdfSignature, report_sha256: str, head: str, laboratory: Laboratory, now: datetime, *, last: bool
) -> SignatureJudgement:
    certificate = x509.load_der_x509_certificate(signature.signer_cert.dump())
    stamped = _stamped(signature)
    at = stamped or signature.self_reported_timestamp
    assert at is not None, "a signature without a time"
    at = at.astimezone(UTC)
    expired = stamped is None and now > certificate.not_valid_after_utc
    status = validate_pdf_signature(
        signature,
        _context(laboratory.roots, laboratory.others, at if stamped or expired else now),
        _context(laboratory.stamping_roots, laboratory.stamping_others, stamped) if stamped else None,
    )
    findings, notes = [], []
    if not status.intact:
        findings.append("what it signs was changed")
    elif not status.valid:
        findings.append(NOT_OF_CERTIFICATE)
    elif not status.trusted:
        findings.append("its certificate does not lead to a root of the laboratory")
    level = status.modification_level
    if level is None or level > (ModificationLevel.NONE if last else ModificationLevel.FORM_FILLING):
        findings.append("the file was changed after it, by more than a further signature")
    wanted = SignatureCoverageLevel.ENTIRE_FILE if last else SignatureCoverageLevel.ENTIRE_REVISION
    if status.coverage < wanted:
        findings.append("it does not cover the whole file")
    stamp_status = status.timestamp_validity
    if stamped and (stamp_status is None or not (stamp_status.valid and stamp_status.trusted)):
        findings.append("its time stamp is not one of an authority that the laboratory trusts")
    if not status.bottom_line and not findings:
        findings.append("it does not hold, by pyHanko's bottom line")
    findings += _of_certificate(certificate, at, stamped is not None, laboratory)
    meaning, said = _of_statement(signature, certificate, report_sha256, head)
    findings += said
    if stamped is None:
        notes.append("its time is that of the signer's own computer")
    if expired:
        notes.append(f"its certificate expired on {certificate.not_valid_after_utc:%Y-%m-%d}")
    if not laboratory.revocation_lists:
        notes.append("the folder of roots holds no revocation list")
    return SignatureJudgement(
        0, meaning, person_of(certificate), at.strftime("%Y-%m-%dT%H:%M:%SZ"), stamped is not None,
        tuple(findings), tuple(notes),
    )  # fmt: skip


def _of_certificate(
    certificate: x509.Certificate, at: datetime, time_stamped: bool, laboratory: Laboratory
) -> list[str]:
    findings = []
    if (why := unfit_to_sign(certificate, at)) is not None:
        findings.append(f"its certificate {why}")
    when = revoked_at(certificate, laboratory.revocation_lists, (*laboratory.roots, *laboratory.others))
    if when is not None and (not time_stamped or when <= at):  # without a time stamp it may have been made since
        findings.append(f"its certificate was revoked on {when:%Y-%m-%d %H:%M} UTC")
    return findings


def _of_statement(
    signature: EmbeddedPdfSignature, certificate: x509.Certificate, report_sha256: str, head: str
) -> tuple[Meaning | None, list[str]]:
    """Hold what is signed against the report, the record and the place in the file."""
    statement = read_statement(str(signature.sig_object.get("/Reason", "")))
    if statement is None:
        return None, ["it does not say what it means in the words of this rig"]
    findings = []
    if statement.meaning.value != signature.field_name:
        findings.append(f"it stands in the place for {signature.field_name}, and says {statement.meaning.value}")
    if statement.head != head:
        findings.append("it is of a record with another head than this run's")
    if statement.report_sha256 != report_sha256:
        findings.append("it is of another report than the one beside it")
    if str(signature.sig_object.get("/Name", "")) != person_of(certificate):
        findings.append("it states another name than its certificate")
    if statement.meaning is ORDER[0] and signature.docmdp_level is not MDPPerm.FILL_FORMS:
        findings.append("it does not certify the file against changes, as the author's does")
    return statement.meaning, findings


def _stamped(signature: EmbeddedPdfSignature) -> datetime | None:
    """Read the moment that its time stamp states; None where it has none."""
    for each in signature.signer_info["unsigned_attrs"]:
        if each["type"].native == "signature_time_stamp_token":
            moment: datetime = each["values"][0]["content"]["encap_content_info"]["content"].parsed["gen_time"].native
            return moment
    return None


def _context(
    roots: Sequence[x509.Certificate], others: Sequence[x509.Certificate], moment: datetime | None
) -> ValidationContext:
    return ValidationContext(
        trust_roots=[as_asn1(each) for each in roots],
        other_certs=[as_asn1(each) for each in others],
        allow_fetching=False,
        revocation_mode="soft-fail",
        moment=moment,
    )


def _first_line(error: Exception) -> str:
    return (str(error) or type(error).__name__).splitlines()[0]
