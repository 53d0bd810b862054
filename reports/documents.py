"""The documents of a run: report.pdf and, beside it, interactive.html.

Not responsible for what they say (`reports.pdf`, `reports.interactive`).
"""

from __future__ import annotations

from pathlib import Path

from reports.content import marks_of
from reports.drawn_limits import limits_of
from reports.interactive import Titled, interactive_page
from reports.pdf import write_report_of
from reports.run import Run, read_run
from reports.sections import measured_by
from rig.errors import EvidenceError


def write_documents(run_dir: Path) -> dict[str, Path]:
    """Write both into a run folder and return their paths by what they are; no page for a run without a curve.

    Raises:
        EvidenceError: a file of the record is missing or damaged, or a document cannot be written.
    """
    run = read_run(run_dir)
    documents = {"Report": write_report_of(run)}
    page = _page(run)
    if page:
        documents["Curves"] = _written(run_dir / "interactive.html", page)
    return documents


def _page(run: Run) -> str:
    parts = [
        Titled(analysis.title, analysis, limits_of(analysis, measured_by(run, test))) for test, analysis in run.analyses
    ]
    title = f"Curves of test report {run.manifest.run_id}"
    return interactive_page(title, parts, marks=marks_of(run), simulated=run.manifest.virtual)


def _written(path: Path, page: str) -> Path:
    try:
        path.write_text(page, encoding="utf-8")
    except OSError as error:
        raise EvidenceError(f"{path}: cannot be written ({error.strerror}); the record itself is untouched") from error
    return path
