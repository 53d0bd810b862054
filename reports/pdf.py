"""A run folder in, report.pdf out. The same folder gives the same bytes.

Not responsible for what the report says (`reports.content`, `reports.sections`) nor how it looks (`report.typ`). Data
reach the template as a JSON file, never as program text, so that nothing in a record can run.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import typst

from reports.content import report_content
from reports.glyphs import readable
from reports.run import Run, read_run
from reports.sections import analysis_sections
from rig.errors import EvidenceError

TEMPLATE = tuple(Path(__file__).with_name(name) for name in ("report.typ", "layout.typ"))
STANDARDS: list[typst.PDFStandard] = ["a-3a", "ua-1"]
"""Archival (PDF/A-3a) and accessible (PDF/UA-1), as far as typst itself checks; no independent validator has looked."""

_ATTACHED = {".json": "application/json", ".csv": "text/csv", ".jsonl": "application/jsonl"}


def write_report(run_dir: Path) -> Path:
    """Write `report.pdf` into a run folder and return its path.

    Raises:
        EvidenceError: a file of the record is missing or damaged, or the report cannot be written.
    """
    run = read_run(run_dir)
    path = run_dir / "report.pdf"
    partial = path.with_suffix(".partial")
    try:
        with _typesetter(run) as compiler:
            pdf = compiler.compile(format="pdf", pdf_standards=STANDARDS, timestamp=run.manifest.started_utc)
        assert isinstance(pdf, bytes)
        partial.write_bytes(pdf)
        partial.replace(path)
    except OSError as error:
        raise EvidenceError(f"{path}: cannot be written ({error.strerror}); the record itself is untouched") from error
    return path


def page_png(run_dir: Path, page: int, *, ppi: float = 110.0) -> bytes:
    """Draw one page of a run's report, counted from 1, as a PNG picture.

    Raises:
        EvidenceError: as `write_report`.
        ValueError: the report has no such page.
    """
    with _typesetter(read_run(run_dir)) as compiler:
        drawn = compiler.compile(format="png", ppi=ppi)
    pages = drawn if isinstance(drawn, list) else [drawn]
    if not 1 <= page <= len(pages):
        raise ValueError(f"the report has pages 1 … {len(pages)}, got {page}")
    picture = pages[page - 1]
    assert isinstance(picture, bytes)
    return picture


@contextmanager
def _typesetter(run: Run) -> Iterator[typst.Compiler]:
    """Lay out template, data, figures and attachments in a folder of their own, with typst's own fonts only."""
    sections = analysis_sections(run)
    attached = [file.path for file in run.files if Path(file.path).suffix in _ATTACHED]
    content = readable(report_content(run) | {"analyses": sections.content}) | {
        "attached": [{"path": path, "type": _ATTACHED[Path(path).suffix]} for path in attached]
    }
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for part in TEMPLATE:
            shutil.copy(part, folder / part.name)
        (folder / "content.json").write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
        for file, svg in sections.figures.items():
            (folder / file).write_text(svg, encoding="utf-8")
        for path in attached:
            copy = folder / "record" / path
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(run.folder / path, copy)
        yield typst.Compiler(folder / "report.typ", root=folder, font_paths=typst.Fonts(include_system_fonts=False))
