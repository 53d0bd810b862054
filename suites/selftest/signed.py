"""A small closed run with a report, and a laboratory's keys, for tests of signatures.

Not responsible for what a report says: its PDF is one line, with the record's closing attached as a real one has it.
"""

from __future__ import annotations

import datetime
import random
from dataclasses import dataclass
from pathlib import Path

import typst

from rig.record.closed import sums
from rig.record.folder import RunFolder
from rig.record.results import Results
from rig.record.trail import append
from rig.signing.certificates import utc_moment
from rig.signing.judging import judge_signatures
from rig.signing.key_file import read_key
from rig.signing.keys import issue_key, make_authority
from rig.signing.laboratory import Laboratory, read_laboratory
from rig.signing.meaning import ORDER, Meaning
from rig.signing.signers import ReportSigner, signer_of
from rig.signing.signing import SignatureAsked, sign_report
from rig.verdicts.limits import Verdict
from suites.selftest.recorded import manifest

ADA, BEA = "Ada Example", "Bea Example"
PASSPHRASE = "long enough a phrase"
AUTHORITY_PASSPHRASE = "the authority's own"
SIGNERS = dict(zip(ORDER, (ADA, BEA, BEA), strict=True))


def reported_run(folder: Path, title: str = "a report") -> Path:
    """Make a closed run without a test in it, and its report of one line."""
    run = RunFolder.create(folder, manifest())
    run.end(Results(verdict=Verdict.UNSET, requirements=(), tests=()), "complete")
    write_report(folder, 1, title)
    return folder


def write_report(run: Path, revision: int, title: str) -> Path:
    """Write a revision of a run's report, and enter it into the trail as the rig does."""
    folder = run / "reports" / f"rev-{revision}"
    folder.mkdir(parents=True)
    source = folder / "source.typ"
    source.write_text(
        f"""#set document(title: "{title}", date: datetime(year: 2026, month: 11, day: 23))
#title()
#pdf.attach("record/record/closing.json", read("/record/closing.json", encoding: none),
  relationship: "data", mime-type: "application/json", description: "how the run ended")
""",
        encoding="utf-8",
    )
    pdf = typst.Compiler(source, root=run).compile(format="pdf", pdf_standards=["a-3b"])
    assert isinstance(pdf, bytes)
    source.unlink()
    report = folder / "report.pdf"
    report.write_bytes(pdf)
    append(
        run,
        who="rig report",
        what="report",
        new=sums(report).sha256,
        reason=f"reports/rev-{revision}/report.pdf was written",
    )
    return report


@dataclass(frozen=True)
class Keys:
    """A laboratory's authority in `folder`, the roots to check against, and who has a key."""

    folder: Path
    roots: Path

    def key(self, name: str) -> Path:
        """The file of a person's key."""
        return self.folder / f"{name}.p12"

    def signer(self, name: str) -> ReportSigner:
        """A person's key, opened."""
        return signer_of(read_key(self.key(name), PASSPHRASE))

    def laboratory(self) -> Laboratory:
        """Whom it trusts."""
        return read_laboratory(self.roots)

    def issue(self, name: str, *, as_file: str = "", at: datetime.datetime | None = None, days: int = 731) -> None:
        """Make one more key."""
        authority = read_key(self.folder / "ca" / "authority.p12", AUTHORITY_PASSPHRASE)
        issue_key(authority, self.folder / "ca", name, PASSPHRASE, self.key(as_file or name), at or utc_moment(), days)


def laboratory_keys(folder: Path) -> Keys:
    """Make a laboratory's authority and keys for two people."""
    begun = utc_moment() - datetime.timedelta(days=400)
    roots = make_authority(folder / "ca", "Example Laboratory", AUTHORITY_PASSPHRASE, begun)
    keys = Keys(folder, roots)
    for name in (ADA, BEA):
        keys.issue(name)
    return keys


def sign_as(run: Path, keys: Keys, meaning: Meaning, name: str | None = None) -> None:
    """Sign the newest report of a run, as who is due."""
    who = name or SIGNERS[meaning]
    sign_report(run, SignatureAsked(who, meaning), keys.signer(who), keys.laboratory())


def signed_run(folder: Path, keys: Keys, title: str = "a report") -> Path:
    """Make a run whose report is authored, reviewed and approved."""
    run = reported_run(folder, title)
    for meaning in ORDER:
        sign_as(run, keys, meaning)
    return run


def missed_changes(run: Path, keys: Keys, n: int) -> list[tuple[int, int]]:
    """Change one byte of a signed report, n times; returns place and difference of those that nobody found."""
    path = run / "reports" / "rev-1" / "report.signed.pdf"
    data, chosen, missed = path.read_bytes(), random.Random(14), []
    for _ in range(n):
        at, by = chosen.randrange(len(data)), chosen.randrange(1, 256)
        path.write_bytes(data[:at] + bytes([data[at] ^ by]) + data[at + 1 :])
        if all(each.holds for each in judge_signatures(run, keys.roots)):
            missed.append((at, by))
    path.write_bytes(data)
    return missed
