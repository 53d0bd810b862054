"""A template, data, figures and attachments in; a PDF out. The same input gives the same bytes.

Not responsible for what a document says. Data reach the template as a JSON file, never as program text, so that nothing
in them can run; only typst's own fonts are used.
"""

from __future__ import annotations

import datetime
import json
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import typst

from reports.glyphs import readable
from rig.record.files import write_whole

STANDARDS: list[typst.PDFStandard] = ["a-3a", "ua-1"]
"""Archival (PDF/A-3a) and accessible (PDF/UA-1), as far as typst itself checks; no independent validator has looked."""

_ATTACHED = {
    ".json": "application/json",
    ".csv": "text/csv",
    ".jsonl": "application/jsonl",
    ".toml": "application/toml",
    ".py": "text/x-python",
    ".robot": "text/plain",
    ".resource": "text/plain",
}


@contextmanager
def typesetter(
    template: str,
    content: Mapping[str, Any],
    figures: Mapping[str, str],
    *,
    record: Path,
    files: Sequence[str],
) -> Iterator[typst.Compiler]:
    """Lay out a document in a folder of its own.

    Args:
        template: name of a template beside this module.
        content: what it shows, as plain data.
        figures: SVG by the name that the content uses.
        record: folder of the files to attach.
        files: paths below it; those of a kind that the PDF can hold are attached.
    """
    attached = [path for path in files if Path(path).suffix in _ATTACHED]
    whole = readable(content) | {
        "attached": [{"path": path, "type": _ATTACHED[Path(path).suffix]} for path in attached]
    }
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for part in (template, "layout.typ"):
            shutil.copy(Path(__file__).with_name(part), folder / part)
        (folder / "content.json").write_text(json.dumps(whole, ensure_ascii=False), encoding="utf-8")
        for file, svg in figures.items():
            (folder / file).write_text(svg, encoding="utf-8")
        for path in attached:
            copy = folder / "record" / path
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(record / path, copy)
        yield typst.Compiler(folder / template, root=folder, font_paths=typst.Fonts(include_system_fonts=False))


def write_pdf(path: Path, compiler: typst.Compiler, timestamp: datetime.datetime) -> None:
    """Write the PDF; EvidenceError when the disk does not take it."""
    pdf = compiler.compile(format="pdf", pdf_standards=STANDARDS, timestamp=timestamp)
    assert isinstance(pdf, bytes)
    write_whole(path, pdf)
