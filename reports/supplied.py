"""Analyses of logs that were handed in: a folder with tables, figures, an interactive page and a PDF.

Not responsible for the numbers (`rig.offline`). Everything written says that it is no verification run, and SIMULATED
where the data are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from reports.blocks import Sections, table
from reports.document import Contents, Document, DocumentBlock, Figure, Paragraph, Section, with_numbers
from reports.html.page import html_page
from reports.kinds import KINDS, curves_of, kind_of
from reports.kinds.kind import DrawnLimits
from reports.style import simulated_svg
from reports.tables import Cell, write_csv
from reports.typesetting import typesetter, write_pdf
from reports.words import NBSP, SIMULATED, minus, moment_in_words, value_and_uncertainty
from rig.errors import DataFileError, EvidenceError
from rig.record.analyses import Analysis, model_of
from rig.record.files import write_json, write_whole
from rig.toml_files import explain

NO_RUN = "Analysis of supplied data: no verification run"


class _Part(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True, allow_inf_nan=False)


class SourceFile(_Part):
    """The file that was analysed."""

    file: str
    bytes: int
    sha256: str
    form: str
    rows: int


class MeasuredValue(_Part):
    """A measured value with its expanded uncertainty, None when that is not known."""

    name: str
    value: float
    unit: str
    expanded_uncertainty: float | None


class FindingRecord(_Part):
    """A sentence about the data, and the row it is about."""

    kind: str
    sentence: str
    row: int | None


class SuppliedRecord(_Part):
    """One analysed file as `rig.offline` hands it over."""

    source: SourceFile
    simulated: bool
    analysis: dict[str, Any]
    measured: tuple[MeasuredValue, ...]
    findings: tuple[FindingRecord, ...]


@dataclass(frozen=True)
class AnalysisJob:
    """What was asked of all files: options as they were written, when, and by which version."""

    options: Mapping[str, str]
    analysed_utc: datetime
    version: str


@dataclass(frozen=True)
class _Supplied:
    name: str
    record: SuppliedRecord
    analysis: Analysis


def write_analysis(folder: Path, records: Sequence[Mapping[str, Any]], job: AnalysisJob) -> list[Path]:
    """Write everything into a new folder and return the paths to open first.

    Raises:
        DataFileError: the folder holds files already.
        EvidenceError: it cannot be written.
    """
    if folder.is_dir() and any(folder.iterdir()):
        raise DataFileError(f"{folder}: holds files already; name another folder by --out, nothing is overwritten")
    supplied = _named([_checked(content) for content in records])
    marks = [NO_RUN, *([SIMULATED] if any(each.record.simulated for each in supplied) else [])]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        sections, files = [], []
        figures: dict[str, str] = {}
        for each in supplied:
            drawn = Sections(prefix=f"{each.name}-")
            sections.append(_section(drawn, each))
            files += _write_data(folder, each, drawn, marks)
            figures |= drawn.figures
        page = folder / "interactive.html"
        write_whole(page, html_page(with_numbers(_page(supplied, marks, job))).encode())
        content = _content(supplied, sections, marks, job)
        with typesetter("analysis.typ", content, figures, record=folder, files=files) as compiler:
            write_pdf(folder / "report.pdf", compiler, job.analysed_utc)
    except OSError as error:
        raise EvidenceError(f"{folder}: cannot be written ({error.strerror})") from error
    return [folder / "report.pdf", page, *(folder / each.name for each in supplied)]


def _page(supplied: Sequence[_Supplied], marks: Sequence[str], job: AnalysisJob) -> Document:
    """The curves alone, each log under its title, to zoom and point in."""
    sections = [Section(0, "Contents", "contents", (Contents("Contents"),))]
    for number, each in enumerate(supplied, start=1):
        blocks: list[DocumentBlock] = [
            Figure(f"{number}-{curve.name}", curve.caption, curve.alt, curve=curve)
            for curve in curves_of(each.analysis, DrawnLimits())
        ]
        if missing := kind_of(each.analysis).left_out(each.analysis):
            blocks.append(Paragraph(missing))
        title = f"{each.analysis.title} — {each.record.source.file}"
        sections.append(Section(1, title, f"part-{number}", tuple(blocks)))
    when = job.analysed_utc
    return Document(
        title="Analysis of supplied data",
        kind="CURVES",
        subject=", ".join(each.record.source.file for each in supplied),
        number="",
        revision=0,
        date=(when.year, when.month, when.day),
        marks=tuple(marks),
        simulated=len(marks) > 1,
        sections=tuple(sections),
    )


def _checked(content: Mapping[str, Any]) -> tuple[SuppliedRecord, Analysis]:
    try:
        record = SuppliedRecord.model_validate(content)
        analysis = model_of(record.analysis["kind"]).model_validate(record.analysis)
    except ValidationError as error:
        raise EvidenceError(explain("the analysis", error, SuppliedRecord, content)) from error
    return record, analysis


def _named(parts: Sequence[tuple[SuppliedRecord, Analysis]]) -> list[_Supplied]:
    """Name each file's folder after it; files of the same name get a number."""
    named: list[_Supplied] = []
    for record, analysis in parts:
        stem = Path(record.source.file).stem
        taken = {each.name for each in named}
        name = next(name for n in range(1, len(parts) + 1) if (name := stem if n == 1 else f"{stem}-{n}") not in taken)
        named.append(_Supplied(name, record, analysis))
    return named


def _write_data(folder: Path, each: _Supplied, drawn: Sections, marks: Sequence[str]) -> list[str]:
    """Write tables, numbers and figures of one file; returns the paths of tables and numbers below `folder`."""
    own = folder / each.name
    own.mkdir(parents=True)
    numbers = own / "analysis.json"
    write_json(numbers, {"marks": list(marks), **each.record.model_dump()})
    written = [numbers]
    tables = kind_of(each.analysis).tables(each.analysis)
    measured: list[tuple[Cell, ...]] = [(m.name, m.value, m.unit, m.expanded_uncertainty) for m in each.record.measured]
    tables["measured"] = (("name", "value", "unit", "expanded_uncertainty"), measured)
    tables["findings"] = (("row", "kind", "sentence"), [(f.row, f.kind, f.sentence) for f in each.record.findings])
    for name, (columns, rows) in tables.items():
        written.append(own / f"{name}.csv")
        write_csv(written[-1], columns, rows, marks=marks)
    for file, svg in drawn.figures.items():
        figure = simulated_svg(svg) if each.record.simulated else svg
        (own / file.removeprefix(f"{each.name}-")).write_text(figure, encoding="utf-8")
    return [path.relative_to(folder).as_posix() for path in written]


def _section(drawn: Sections, each: _Supplied) -> dict[str, Any]:
    return {
        "title": each.analysis.title,
        "file": each.record.source.file,
        "findings": [finding.sentence for finding in each.record.findings],
        "measured": _measured(each.record.measured),
        "blocks": drawn.shown(kind_of(each.analysis).blocks(each.analysis, DrawnLimits())),
    }


def _measured(measured: Sequence[MeasuredValue]) -> dict[str, Any]:
    rows = []
    for each in measured:
        if each.expanded_uncertainty is None:
            rows.append((each.name, minus(f"{each.value:.5g}"), "not known", each.unit))
        else:
            rows.append((each.name, *value_and_uncertainty(each.value, each.expanded_uncertainty), each.unit))
    return table(
        "Measured, with the expanded uncertainty U (k = 2) where it is known.", ("", "Value", "± U", "Unit"), rows
    )


def _content(
    supplied: Sequence[_Supplied], sections: Sequence[Mapping[str, Any]], marks: Sequence[str], job: AnalysisJob
) -> dict[str, Any]:
    sources = [each.record.source for each in supplied]
    others = len(sources) - 1
    return {
        "title": "Analysis of supplied data",
        "subject": sources[0].file + (f" and {others} more" if others else ""),
        "date": [job.analysed_utc.year, job.analysed_utc.month, job.analysed_utc.day],
        "marks": marks,
        "simulated": len(marks) > 1,
        "facts": [
            ("Analysed", moment_in_words(job.analysed_utc)),
            ("Software", f"insulin-pump-rig{NBSP}{job.version}"),
        ],
        "files": [
            {"file": s.file, "form": s.form, "rows": f"{s.rows:,}", "bytes": f"{s.bytes:,}", "sha256": s.sha256}
            for s in sources
        ],
        "options": list(job.options.items()),
        "sections": sections,
        "method": [
            {"title": kind.method.title, "text": kind.method.of_log}
            for name, kind in KINDS.items()
            if kind.method and any(each.analysis.kind == name for each in supplied)
        ]
        + [{"title": "Uncertainty", "text": _UNCERTAINTY}],
    }


_UNCERTAINTY = (
    "U is the expanded uncertainty with coverage factor k = 2, about 95 % coverage (JCGM 100:2008), formed from what "
    "was said of balance, vessel and air. Where something was not said it is not known, and nothing stands in for it."
)
