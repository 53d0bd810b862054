"""The documents of a run: report.pdf and, beside it, interactive.html.

Not responsible for what they say (`reports.pdf`, `reports.page`).
"""

from __future__ import annotations

from pathlib import Path

from reports.content import marks_of
from reports.drawn_limits import limits_of
from reports.page import Titled, interactive_page
from reports.pdf import write_report_of
from reports.revisions import new_revision
from reports.sections import measured_by
from rig.record.files import write_whole
from rig.record.reading import Run
from rig.run.reading import read_whole_run


def write_documents(run_dir: Path) -> dict[str, Path]:
    """Write both into a run folder and return their paths by what they are; no page for a run without a curve.

    Raises:
        EvidenceError: a file of the record is missing or damaged, or a document cannot be written.
    """
    run = read_whole_run(run_dir)
    folder = new_revision(run_dir)
    report, curves = write_report_of(run, folder), write_curves(run, folder)
    return {"Report": report} if curves is None else {"Report": report, "Curves": curves}


def write_curves(run: Run, folder: Path) -> Path | None:
    """Write `interactive.html` into a folder and return its path; None for a run without a curve.

    Raises:
        EvidenceError: it cannot be written.
    """
    parts = [
        Titled(
            each.analysis.title + (f", attempt {each.attempt}" if each.test in run.results.repeated else ""),
            each.analysis,
            limits_of(each.analysis, measured_by(run, each.test, each.attempt)),
        )
        for each in run.analyses
    ]
    title = f"Curves of test report {run.manifest.run_id}"
    page = interactive_page(title, parts, marks=marks_of(run), simulated=run.manifest.virtual)
    if not page:
        return None
    path = folder / "interactive.html"
    write_whole(path, page.encode())
    return path
