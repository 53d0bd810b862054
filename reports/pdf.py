"""A run folder in; report.pdf and annex.pdf out. The same folder gives the same bytes.

Not responsible for what they say (`reports.report_document`, `reports.annex`) nor how they look (`document.typ`).
"""

from __future__ import annotations

from pathlib import Path

from reports.annex import annex_of
from reports.house import House
from reports.parts.given import Given, history_of, notes_of
from reports.profile import Profile
from reports.report_document import document_of
from reports.typeset_document import document_typesetter
from reports.typesetting import write_pdf
from rig.record.reading import Run
from rig.record.trail import TRAIL
from rig.run.reading import read_whole_run

REPORT, ANNEX = "report.pdf", "annex.pdf"


def write_report_of(run: Run, folder: Path, *, profile: Profile | None = None, house: House | None = None) -> Path:
    """Write `report.pdf` of a run that was read into a folder, and return its path; EvidenceError if it cannot be."""
    given = given_of(run, folder, house)
    path = folder / REPORT
    trail = [TRAIL] if (run.folder / TRAIL).is_file() else []  # as it is before this report is entered
    files = [*(file.path for file in run.files), *trail]
    with document_typesetter(document_of(given, profile), record=run.folder, files=files) as compiler:
        write_pdf(path, compiler, run.manifest.started_utc)
    return path


def write_annex_of(run: Run, folder: Path, *, house: House | None = None) -> Path:
    """Write `annex.pdf` of a run that was read into a folder, and return its path; EvidenceError as above."""
    path = folder / ANNEX
    with document_typesetter(annex_of(given_of(run, folder, house)), record=run.folder, files=()) as compiler:
        write_pdf(path, compiler, run.manifest.started_utc)
    return path


def given_of(run: Run, folder: Path, house: House | None = None) -> Given:
    """Take together what a report is made from; the revision is that of the folder's name."""
    number = folder.name.removeprefix("rev-")
    draft = folder if number.isdecimal() else None
    revision = int(number) if draft is not None else 1
    return Given(run, house or House(), revision, history_of(run.folder, revision, draft), notes_of(run.folder))


def page_png(run_dir: Path, page: int, *, ppi: float = 110.0) -> bytes:
    """Draw one page of a run's report, counted from 1, as a PNG picture.

    Raises:
        EvidenceError: a file of the record is missing or damaged.
        ValueError: the report has no such page.
    """
    run = read_whole_run(run_dir)
    with document_typesetter(document_of(Given(run)), record=run.folder, files=()) as compiler:
        drawn = compiler.compile(format="png", ppi=ppi)
    pages = drawn if isinstance(drawn, list) else [drawn]
    if not 1 <= page <= len(pages):
        raise ValueError(f"the report has pages 1 … {len(pages)}, got {page}")
    picture = pages[page - 1]
    assert isinstance(picture, bytes)
    return picture
