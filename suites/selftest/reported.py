"""The report of a run without annex, page and audit trail, for tests of what stands in it.

Not responsible for how the documents of a run are written (`reports.documents`).
"""

from __future__ import annotations

from pathlib import Path

from reports.pdf import write_report_of
from reports.revisions import next_revision
from rig.run.reading import read_whole_run


def write_report(run: Path) -> Path:
    """Write `report.pdf` as the next revision into a run folder; raises as `read_whole_run` and `write_report_of`."""
    return write_report_of(read_whole_run(run), run / next_revision(run))
