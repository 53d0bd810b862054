"""The documents of a run: report.pdf and annex.pdf and, beside them, both as one page for browsers, report.html.

Not responsible for what they say (`reports.pdf`, `reports.html.page`).
"""

from __future__ import annotations

from pathlib import Path

from reports.annex import annex_of
from reports.house import House, read_house
from reports.html.page import html_page
from reports.pdf import given_of, write_annex_of, write_report_of
from reports.profile import EVERYBODY, Profile, read_reader_profile
from reports.report_document import document_of
from reports.revisions import describe, keep, next_revision
from rig.record.closed import sums
from rig.record.drafts import draft_of, enter_document, writing
from rig.record.files import write_whole
from rig.record.reading import Run
from rig.record.seal import head_of
from rig.run.reading import read_whole_run

PAGE = "report.html"


def write_documents(
    run_dir: Path,
    *,
    profile: str = EVERYBODY,
    house: Path | None = None,
    reason: str | None = None,
    by: str | None = None,
) -> dict[str, Path]:
    """Write all into a run folder and return their paths by what they are.

    Args:
        run_dir: of the run.
        profile: for which readers the report is (`reports.profile`).
        house: the laboratory's own folder (`reports.house`).
        reason: why its documents are written anew.
        by: who writes them.

    Raises:
        EvidenceError: a file of the record is missing or damaged, or a document cannot be written.
        BenchFileError: the profile or the laboratory's folder is not as it must be.
    """
    chosen: Profile = read_reader_profile(profile, house)
    own = read_house(house) if house is not None else House()
    run = read_whole_run(run_dir)
    with writing(run_dir):
        name = next_revision(run_dir)
        folder = draft_of(run_dir, name)
        revision = describe(run, folder, reason=reason, by=by)
        keep(folder, revision, {})  # the report tells its own revision, too
        written = {
            "Report": write_report_of(run, folder, profile=chosen, house=own),
            "Annex": write_annex_of(run, folder, house=own),
            "Page": write_page(run, folder, profile=chosen, house=own),
        }
        keep(folder, revision, {path.name: sums(path) for path in written.values()})
        for path in sorted(path for path in folder.iterdir() if path.is_file()):
            document = f"{name}/{path.name}"
            enter_document(run_dir, document, by or "rig report", f"{document} was written")
    return {what: run_dir / name / path.name for what, path in written.items()}


def write_page(run: Run, folder: Path, *, profile: Profile | None = None, house: House | None = None) -> Path:
    """Write `report.html` of a run that was read into a folder, and return its path; EvidenceError if it cannot be."""
    given = given_of(run, folder, house)
    page = html_page(document_of(given, profile), annex=annex_of(given), head=head_of(run.folder))
    path = folder / PAGE
    write_whole(path, page.encode())
    return path
