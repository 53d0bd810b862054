"""A document as one HTML file with everything in it: for the screen, a phone, the dark and the printer.

The same blocks as on paper (`reports.document`), every text escaped; curves to zoom and point in, by plotly; tables
that can be filtered by verdict and text. The page loads nothing: its content security policy makes the browser refuse
every address.
Not responsible for what the document says (`reports.report_document`, `reports.annex`), nor for drawing a curve
(`reports.curve.interactive`).
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import plotly.graph_objects as go
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from plotly.offline import get_plotlyjs

from reports.curve.description import Curve
from reports.curve.interactive import interactive
from reports.document import KINDS, AnyCell, Document, Figure, Section, TableBlock, VerdictCell, refuse_unknown
from rig.verdicts.limits import Verdict

TEMPLATE, STYLE, SCRIPT = "page.html.j2", "page.css", "page.js"
POLICY = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:; font-src data:"
)
_HERE = Path(__file__).parent
_WATERMARK = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 600 600"><text x="300" y="320" font-size="92" '
    'font-family="sans-serif" font-weight="bold" text-anchor="middle" transform="rotate(-38 300 300)" '
    'fill="#a8261c" fill-opacity="0.06">SIMULATED</text></svg>'
)


@dataclass(frozen=True)
class RowGroup:
    """Rows of a table that a filter shows or hides together, and every verdict that stands in them."""

    rows: tuple[tuple[AnyCell, ...], ...]
    verdicts: tuple[Verdict, ...]


@dataclass(frozen=True)
class PagePart:
    """A document on the page; `prefix` keeps ids and numbers of an annex apart from those of its report."""

    document: Document
    prefix: str = ""
    figures: Mapping[str, str] = field(default_factory=dict)
    """Each curve as plotly's JSON, by the figure's name."""

    @property
    def headings(self) -> tuple[Section, ...]:
        """The sections that have a heading."""
        return tuple(section for section in self.document.sections if section.level > 0)


def html_page(document: Document, *, annex: Document | None = None, head: str | None = None) -> str:
    """Write a document, and its annex below it, as one page of HTML; the same documents give the same page.

    Args:
        document: numbered.
        annex: what a reader looks up; it is on the screen alone, and not in print.
        head: the hash by which the record is known, hexadecimal.

    Raises:
        TypeError: there is a block of a kind that the page does not know.
    """
    parts = [_part(document, "")] + ([_part(annex, "annex-")] if annex is not None else [])
    environment = Environment(
        loader=FileSystemLoader(_HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.globals |= {"groups_of": groups_of, "verdicts_in": verdicts_in, "picture": _picture}
    said = "  ·  ".join(document.marks)
    return environment.get_template(TEMPLATE).render(
        document=document,
        parts=parts,
        said=said,
        said_in_css=Markup(_css_string(said)),
        watermark=f"data:image/svg+xml,{quote(_WATERMARK)}",
        head=head,
        policy=POLICY,
        style=Markup((_HERE / STYLE).read_text(encoding="utf-8")),
        script=Markup((_HERE / SCRIPT).read_text(encoding="utf-8")),
        plotly=Markup(get_plotlyjs() if any(part.figures for part in parts) else ""),
        word=lambda name: document.words.get(name, name),
    )


def _part(document: Document, prefix: str) -> PagePart:
    figures, known = {}, known_kinds()
    for block in document.blocks():
        refuse_unknown(block, known, TEMPLATE)
        if isinstance(block, Figure) and block.curve is not None:
            figures[f"{block.number}-{block.name}"] = Markup(_figure(block.curve, simulated=document.simulated))
    return PagePart(document, prefix, figures)


def groups_of(table: TableBlock) -> Iterator[RowGroup]:
    """Yield the rows of a table that belong together: after a head that `groups` names, or that names what follows."""
    own: list[tuple[AnyCell, ...]] = []
    for number, row in enumerate(table.rows):
        begins = number in table.groups if table.groups else row[0] != ""
        if own and begins:
            yield _group(own)
            own = []
        own.append(row)
    if own:
        yield _group(own)


def _group(rows: list[tuple[AnyCell, ...]]) -> RowGroup:
    """A group goes by the verdict of its head where that has one; by all in it otherwise."""
    head = [cell.verdict for cell in rows[0] if isinstance(cell, VerdictCell)]
    found = head or [cell.verdict for row in rows for cell in row if isinstance(cell, VerdictCell)]
    return RowGroup(tuple(rows), tuple(dict.fromkeys(found)))


def verdicts_in(table: TableBlock) -> tuple[Verdict, ...]:
    """List the verdicts by which a table can be filtered, in their usual order."""
    found = {verdict for group in groups_of(table) for verdict in group.verdicts}
    return tuple(verdict for verdict in Verdict if verdict in found)


def _figure(curve: Curve, *, simulated: bool) -> str:
    figure = interactive(curve)
    if simulated:  # in the figure itself, so that a picture saved from it says so
        figure.add_annotation(
            text="SIMULATED", xref="paper", yref="paper", x=0.5, y=0.5, showarrow=False, textangle=-20,
            font={"size": 64, "color": "rgba(168, 38, 28, 0.10)"},
        )  # fmt: skip
    return _in_script(figure)


def _in_script(figure: go.Figure) -> str:
    """Write a figure as JSON that cannot end the element it stands in."""
    written = str(figure.to_json(engine="json"))
    return written.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _picture(svg: str) -> str:
    """Write a picture as an address of data: as an image it may run nothing."""
    return f"data:image/svg+xml;base64,{base64.b64encode(svg.encode()).decode()}"


def _css_string(words: str) -> str:
    return json.dumps(words, ensure_ascii=False).replace("<", "\\3c ").replace("\n", " ")


def known_kinds() -> frozenset[str]:
    """List the kinds of blocks that the template writes."""
    source = (_HERE / TEMPLATE).read_text(encoding="utf-8")
    return frozenset(kind for kind in KINDS if f'"{kind}"' in source)
