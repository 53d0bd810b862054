"""A run folder in, report.pdf out. The same folder gives the same bytes.

Not responsible for what the report says (`reports.content`, `reports.sections`) nor how it looks (`report.typ`).
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path

import typst

from reports.content import report_content
from reports.revisions import new_revision
from reports.sections import analysis_sections
from reports.typesetting import typesetter, write_pdf
from rig.record.reading import Run
from rig.run.reading import read_whole_run


def write_report(run_dir: Path) -> Path:
    """Write `report.pdf` as a new revision into a run folder and return its path.

    Raises:
        EvidenceError: a file of the record is missing or damaged, or the report cannot be written.
    """
    return write_report_of(read_whole_run(run_dir), new_revision(run_dir))


def write_report_of(run: Run, folder: Path) -> Path:
    """Write `report.pdf` of a run that was read into a folder, and return its path; EvidenceError as above."""
    path = folder / "report.pdf"
    with _typesetter(run) as compiler:
        write_pdf(path, compiler, run.manifest.started_utc)
    return path


def page_png(run_dir: Path, page: int, *, ppi: float = 110.0) -> bytes:
    """Draw one page of a run's report, counted from 1, as a PNG picture.

    Raises:
        EvidenceError: as `write_report`.
        ValueError: the report has no such page.
    """
    with _typesetter(read_whole_run(run_dir)) as compiler:
        drawn = compiler.compile(format="png", ppi=ppi)
    pages = drawn if isinstance(drawn, list) else [drawn]
    if not 1 <= page <= len(pages):
        raise ValueError(f"the report has pages 1 … {len(pages)}, got {page}")
    picture = pages[page - 1]
    assert isinstance(picture, bytes)
    return picture


def _typesetter(run: Run) -> AbstractContextManager[typst.Compiler]:
    sections = analysis_sections(run)
    return typesetter(
        "report.typ",
        report_content(run) | {"analyses": sections.content, "annex": sections.annex},
        sections.figures,
        record=run.folder,
        files=[file.path for file in run.files],
    )
