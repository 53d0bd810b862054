"""Signing a report: all three places are made before the first signature, each signature is an increment of the file.

The signed file begins with the bytes of the unsigned report, which is never touched. The first signature certifies the
file and allows no change thereafter but the two further signatures (DocMDP, filling of forms). Not responsible for
judging what was signed (`judging`).
"""

from __future__ import annotations

import hashlib
import io
import tempfile
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography import x509
from pyhanko.pdf_utils.content import ImportedPdfPage
from pyhanko.pdf_utils.generic import ArrayObject, DictionaryObject, StreamObject
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.layout import AxisAlignment as Align
from pyhanko.pdf_utils.layout import Margins, SimpleBoxLayoutRule
from pyhanko.pdf_utils.misc import PdfError
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.pdf_utils.writer import PageObject
from pyhanko.sign.fields import MDPPerm, SigFieldSpec, SigSeedSubFilter, append_signature_field
from pyhanko.sign.signers import PdfSignatureMetadata, PdfSigner
from pyhanko.sign.timestamps import TimestampRequestError
from pyhanko.stamp import StaticStampStyle

from rig.errors import BenchFileError, EvidenceError, RigError
from rig.lease import Lease
from rig.record.drafts import settle_what_was_cut_off, writing
from rig.record.files import utc_now
from rig.signing.bound import BoundReport, bound_report
from rig.signing.certificates import person_of, revoked_at, unfit_to_sign
from rig.signing.judging import flaw_of_last
from rig.signing.laboratory import Laboratory
from rig.signing.meaning import ORDER, Meaning, forbidden_second, next_meaning
from rig.signing.page import PAGE_PT, PLACES_PT, signature_page, stamp
from rig.signing.register import (
    SIGNED,
    EnteredSignature,
    difference_of,
    entered_signatures,
    keep_signature,
    signed_bytes,
)
from rig.signing.signers import ReportSigner
from rig.signing.stamping import HttpStamper
from rig.signing.statement import Statement

LONGEST_REASON = 200


@dataclass(frozen=True)
class SignatureAsked:
    """What somebody asks for: whose signature, of which meaning, under which revision (None: the newest)."""

    name: str
    meaning: Meaning
    revision: int | None = None
    reason: str | None = None
    stamping_url: str | None = None


def refuse_before_key(run: Path, asked: SignatureAsked, laboratory: Laboratory | None) -> BoundReport:
    """Refuse what can be refused before anybody is asked for a passphrase; returns what is to be signed.

    Raises:
        BenchFileError: it is not this signature's turn, or not this person's right.
        EvidenceError: record, report or signed file are not as they were written, or the record is open.
    """
    settle_what_was_cut_off(run)
    return _refuse(run, asked, laboratory)


def _refuse(run: Path, asked: SignatureAsked, laboratory: Laboratory | None) -> BoundReport:
    report = bound_report(run, asked.revision)
    data, entered = signed_bytes(report.folder), entered_signatures(run, report.revision)
    if (difference := difference_of(report.folder / SIGNED, data, entered)) is not None:
        raise EvidenceError(difference)
    if data is not None and not data.startswith(report.data):
        raise EvidenceError(f"{report.folder / SIGNED}: does not begin with the report beside it, which was changed")
    _refuse_foreign(report)
    due = next_meaning(len(entered))
    if due is not asked.meaning:
        done = f"{len(entered)} of {len(ORDER)} signatures are made"
        turn = f"next it is {due.value}" if due is not None else "the report is complete"
        raise BenchFileError(
            f"{report.folder / SIGNED}: cannot be {asked.meaning.value} now: {done}, and {turn} "
            f"(the order is {', '.join(each.value for each in ORDER)})"
        )
    signed = {each.meaning: each.name for each in entered}
    why = forbidden_second(signed, asked.name, asked.meaning)
    if why is None and laboratory is not None:
        why = laboratory.may_not(asked.name, asked.meaning)
    if why is not None:
        raise BenchFileError(why)
    if asked.reason is not None and not (asked.reason.isprintable() and len(asked.reason) <= LONGEST_REASON):
        raise BenchFileError(f"--reason is one line of at most {LONGEST_REASON} printable characters")
    return report


def refuse_certificate(
    certificate: x509.Certificate, name: str, laboratory: Laboratory | None, moment: datetime
) -> None:
    """Refuse a certificate that is another person's or not fit to sign at this moment; BenchFileError."""
    if person_of(certificate) != name:
        raise BenchFileError(
            f"the certificate is that of {person_of(certificate) or 'nobody'}, and not of {name}, as whom it is to be "
            "signed; a key is its owner's alone"
        )
    if (why := unfit_to_sign(certificate, moment)) is not None:
        raise BenchFileError(f"the certificate of {name} {why}")
    if laboratory is None:
        return
    issuers = (*laboratory.roots, *laboratory.others)
    if not any(each.subject == certificate.issuer for each in issuers):
        raise BenchFileError(f"the certificate of {name} was issued by nobody whom the folder of roots holds")
    when = revoked_at(certificate, laboratory.revocation_lists, issuers)
    if when is not None:
        raise BenchFileError(f"the certificate of {name} was revoked on {when:%Y-%m-%d %H:%M} UTC")


def sign_report(
    run: Path, asked: SignatureAsked, signer: ReportSigner, laboratory: Laboratory | None
) -> EnteredSignature:
    """Sign a report; what can be refused is refused before anything is written.

    Raises:
        BenchFileError: the certificate does not allow it, or `refuse_before_key`.
        EvidenceError: as `refuse_before_key`, or the file cannot be written.
        LeaseHeldError: somebody else signs it at this moment.
        RigError: the time-stamping authority does not answer, or the token breaks off.
    """
    refuse_before_key(run, asked, laboratory)
    now = utc_now()
    with (
        Lease.take(run / "signing.lease", of=str(run), purpose="signing its report", since_utc=now),
        writing(run),
    ):
        report = _refuse(run, asked, laboratory)  # another may have signed meanwhile
        refuse_certificate(signer.certificate, asked.name, laboratory, datetime.fromisoformat(now))
        before = signed_bytes(report.folder)
        after = _signed(before or _with_places(report), report, asked, signer, now)
        if (flaw := flaw_of_last(after, report.data, report.head, laboratory)) is not None:
            raise BenchFileError(f"the signature of {asked.name} would not hold: {flaw}; nothing was signed")
        made = EnteredSignature(report.revision, asked.meaning, asked.name, now, hashlib.sha256(after).hexdigest())
        keep_signature(run, report.revision, asked.meaning, asked.name, before, after, asked.reason)
    return made


def _with_places(report: BoundReport) -> bytes:
    """Add the page for signatures to a report, with a field for each of them."""
    with tempfile.TemporaryDirectory() as name:
        page = Path(name) / "page.pdf"
        page.write_bytes(signature_page(report))
        try:
            writer = IncrementalPdfFileWriter(io.BytesIO(report.data))
            content = ImportedPdfPage(str(page))
            content.set_writer(writer)
            drawn = writer.add_object(StreamObject(stream_data=content.render()))
            new = PageObject(drawn, (0, 0, *PAGE_PT), content.resources.as_pdf_object())
            writer.insert_page(new)
            for meaning, box in PLACES_PT.items():
                append_signature_field(
                    writer, SigFieldSpec(meaning.value, on_page=-1, box=box, readable_field_name=f"{meaning.value} by")
                )
            out = io.BytesIO()
            writer.write(out)
        except PdfError as error:
            raise EvidenceError(f"{report.folder}: the report cannot be read as PDF ({error})") from error
    return out.getvalue()


def _signed(before: bytes, report: BoundReport, asked: SignatureAsked, signer: ReportSigner, now: str) -> bytes:
    statement = Statement(asked.meaning, report.head, report.sha256, asked.reason)
    author = asked.meaning is ORDER[0]
    stamping = None if asked.stamping_url is None else HttpStamper(asked.stamping_url)
    with tempfile.TemporaryDirectory() as name:
        picture = Path(name) / "stamp.pdf"
        picture.write_bytes(stamp(asked.name, now, statement, time_stamped=stamping is not None))
        layout = SimpleBoxLayoutRule(Align.ALIGN_MIN, Align.ALIGN_MIN, margins=Margins.uniform(0))
        style = StaticStampStyle(
            border_width=0, background=ImportedPdfPage(str(picture)), background_layout=layout, background_opacity=1.0
        )
        metadata = PdfSignatureMetadata(
            field_name=asked.meaning.value,
            md_algorithm="sha256",
            reason=str(statement),
            name=asked.name,
            subfilter=SigSeedSubFilter.PADES,
            certify=author,
            docmdp_permissions=MDPPerm.FILL_FORMS,
        )
        pdf_signer = PdfSigner(metadata, signer.signer, timestamper=stamping, stamp_style=style)
        try:
            out = pdf_signer.sign_pdf(IncrementalPdfFileWriter(io.BytesIO(before)), existing_fields_only=True)
        except TimestampRequestError as error:
            raise RigError(
                f"{asked.stamping_url}: the time-stamping authority gave no time stamp ({error}); nothing was signed"
            ) from error
        except Exception as error:  # of pyHanko, of a token's library: each has classes of its own
            raise RigError(f"{report.folder}: could not be signed ({error or type(error).__name__})") from error
    after: bytes = out.getbuffer().tobytes() if isinstance(out, io.BytesIO) else out.read()
    if not after.startswith(before):
        raise RigError(f"{report.folder}: signing would have changed what was signed before; nothing was written")
    return after


def _refuse_foreign(report: BoundReport) -> None:
    """Refuse a report that was made of another run: one that carries another record's `closing.json`."""
    own = (report.folder.parent.parent / "record" / "closing.json").read_bytes()
    try:
        root = PdfFileReader(io.BytesIO(report.data)).root
        for each in root.get("/AF", ArrayObject()):
            entry = each.get_object()
            if str(entry.get("/UF", "")).endswith("record/closing.json") and _content(entry) != own:
                raise EvidenceError(f"{report.folder}: the report was made of another record than that of this run")
    except (PdfError, ValueError, KeyError) as error:
        raise EvidenceError(f"{report.folder}: the report cannot be read as PDF ({error})") from error


def _content(entry: DictionaryObject) -> bytes:
    embedded = entry["/EF"]["/F"].get_object()
    data: bytes = embedded.data
    return data
