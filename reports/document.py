"""A document as blocks: what stands in it, in which order; each block has a `KIND` that renderers go by.

Values only: nothing here draws, writes or reads. A renderer (`reports.typeset_document` for paper, the page of the same
content for browsers) knows every kind and refuses one that it does not know. Not responsible for what a report says
(`reports.parts`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import ClassVar, Literal

from reports.curve.description import Curve
from rig.verdicts.limits import Verdict

Align = Literal["left", "right", "center"]


@dataclass(frozen=True)
class TextCell:
    """Words in a table; `span` columns wide. `strong`, `emphasis` and `mono` are how they stand out.

    `note` follows them, fainter: what a reader may pass over.
    """

    KIND: ClassVar[str] = "cell"
    text: str
    note: str = ""
    strong: bool = False
    emphasis: bool = False
    mono: bool = False
    span: int = 1
    align: Align | None = None


@dataclass(frozen=True)
class VerdictCell:
    """A verdict in a table, in its colour."""

    KIND: ClassVar[str] = "verdict cell"
    verdict: Verdict
    span: int = 1


AnyCell = str | TextCell | VerdictCell
TableRow = tuple[AnyCell, ...]


@dataclass(frozen=True)
class TableColumn:
    """A column of a table: its head, how it is aligned, and its share of the width; 0 is as wide as its words."""

    title: str
    align: Align = "left"
    share: float = 0.0


@dataclass(frozen=True)
class Paragraph:
    """Prose; `lead` stands before it in bold, `about` says that it explains and is printed fainter."""

    KIND: ClassVar[str] = "paragraph"
    text: str
    lead: str = ""
    about: bool = False


@dataclass(frozen=True)
class Alert:
    """A sentence that nobody may overlook."""

    KIND: ClassVar[str] = "alert"
    text: str
    lead: str = ""


@dataclass(frozen=True)
class Facts:
    """Names with their values, in so many columns side by side."""

    KIND: ClassVar[str] = "facts"
    rows: tuple[tuple[str, str], ...]
    columns: int = 1


@dataclass(frozen=True)
class TableBlock:
    """A table; its number is given by `with_numbers`. `dense` tables are long, and may break between any two rows.

    `filters` says that a renderer that can filter rows should, by verdict; `groups` are indices of rows that head those
    after them.
    """

    KIND: ClassVar[str] = "table"
    caption: str
    columns: tuple[TableColumn, ...]
    rows: tuple[TableRow, ...]
    dense: bool = False
    filters: bool = False
    groups: tuple[int, ...] = ()
    number: int = 0


@dataclass(frozen=True)
class Figure:
    """A curve, or a picture that was drawn as SVG; exactly one of the two. Its number is given by `with_numbers`.

    Attributes:
        name: of its file.
        caption: below it.
        alt: what it shows, for those who cannot see it.
    """

    KIND: ClassVar[str] = "figure"
    name: str
    caption: str
    alt: str
    curve: Curve | None = None
    svg: str | None = None
    number: int = 0

    def __post_init__(self) -> None:
        """Refuse a figure of nothing, and one of two pictures; ValueError."""
        if (self.curve is None) == (self.svg is None):
            raise ValueError(f"the figure {self.name!r} needs a curve or an SVG, and not both")


@dataclass(frozen=True)
class VerdictBlock:
    """The verdict of a run with what it means, and how many requirements in scope have which."""

    KIND: ClassVar[str] = "verdict"
    heading: str
    verdict: Verdict
    meaning: str
    in_short: str
    counts: tuple[tuple[Verdict, int], ...]


@dataclass(frozen=True)
class ListItem:
    """An entry of a list: what, and after a colon why."""

    what: str
    why: str = ""


@dataclass(frozen=True)
class Items:
    """A list under a bold title; without an entry it says so."""

    KIND: ClassVar[str] = "items"
    title: str
    items: tuple[ListItem, ...]
    none: str = "None."


@dataclass(frozen=True)
class Contents:
    """The list of sections down to `depth`, with their pages or links; the renderer makes it."""

    KIND: ClassVar[str] = "contents"
    title: str
    depth: int = 2


@dataclass(frozen=True)
class FigureList:
    """The list of the numbered figures, with their pages or links; the renderer makes it."""

    KIND: ClassVar[str] = "figure list"
    title: str


@dataclass(frozen=True)
class Finder:
    """Questions of a reader, each with the section (by its id) that answers it; the renderer adds page or link."""

    KIND: ClassVar[str] = "finder"
    title: str
    rows: tuple[tuple[str, str, str], ...]
    """Of which document the question is, the question, the section's id."""


@dataclass(frozen=True)
class EndMark:
    """Says that the document ends here."""

    KIND: ClassVar[str] = "end"
    text: str


DocumentBlock = (
    Paragraph | Alert | Facts | TableBlock | Figure | VerdictBlock | Items | Contents | FigureList | Finder | EndMark
)
KINDS: frozenset[str] = frozenset(
    block.KIND
    for block in (
        Paragraph, Alert, Facts, TableBlock, Figure, VerdictBlock, Items, Contents, FigureList, Finder, EndMark,
    )
)  # fmt: skip
"""Every kind of block that a renderer has to know."""


@dataclass(frozen=True)
class Section:
    """A heading with blocks. `level` is 1 or 2; 0 has no heading of its own and stands before the contents.

    Attributes:
        id: by which profiles and links name it; unique in a document.
        new_page: whether it begins a page on paper.
        together: whether it stays on one page on paper.
    """

    level: int
    title: str
    id: str
    blocks: tuple[DocumentBlock, ...] = ()
    new_page: bool = False
    together: bool = False


@dataclass(frozen=True)
class Document:
    """A whole document.

    Attributes:
        title: what it is, such as "Verification of an insulin infusion pump".
        kind: what sort of document, such as "TEST REPORT".
        subject: what it is about, such as the pump and its serial number.
        number: its document number; `revision` counts from 1, and is 0 of a document that has none.
        date: year, month, day: of the record's end, never of the day of printing.
        marks: what each page must say.
        simulated: whether it comes from a virtual bench.
        language: of its fixed words, "en" or "de".
        laboratory: its name on each page; "" where none is stated.
        logo: an SVG, or None.
    """

    title: str
    kind: str
    subject: str
    number: str
    revision: int
    date: tuple[int, int, int]
    marks: tuple[str, ...]
    simulated: bool
    sections: tuple[Section, ...]
    language: Literal["en", "de"] = "en"
    laboratory: str = ""
    logo: str | None = None
    words: dict[str, str] = field(default_factory=dict)
    """Fixed words that a renderer writes itself, such as "page": what they are in this document's language."""

    def blocks(self) -> Iterator[DocumentBlock]:
        """Yield every block, in the order of the document."""
        for section in self.sections:
            yield from section.blocks

    def section(self, section_id: str) -> Section:
        """Find a section by its id; KeyError where it has none of it."""
        for section in self.sections:
            if section.id == section_id:
                return section
        raise KeyError(section_id)


def with_numbers(document: Document) -> Document:
    """Number figures and tables from 1 in the order in which they stand."""
    figures = tables = 0
    sections = []
    for section in document.sections:
        blocks: list[DocumentBlock] = []
        for block in section.blocks:
            if isinstance(block, Figure):
                figures += 1
                blocks.append(replace(block, number=figures))
            elif isinstance(block, TableBlock):
                tables += 1
                blocks.append(replace(block, number=tables))
            else:
                blocks.append(block)
        sections.append(replace(section, blocks=tuple(blocks)))
    return replace(document, sections=tuple(sections))


def refuse_unknown(block: DocumentBlock, known: frozenset[str], renderer: str) -> None:
    """Refuse a block that a renderer does not know; TypeError names both."""
    if block.KIND not in known:
        raise TypeError(f"{renderer} knows no block of the kind {block.KIND!r}")
