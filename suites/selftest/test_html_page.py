"""A document as a page for browsers: every block is written, as text, and the same each time."""

from __future__ import annotations

from dataclasses import dataclass, replace
from html import unescape
from typing import ClassVar

import pytest

from reports.curve.description import Axis, Curve, Panel
from reports.document import (
    KINDS,
    Alert,
    Contents,
    Document,
    EndMark,
    Facts,
    Figure,
    FigureList,
    Finder,
    Items,
    ListItem,
    Paragraph,
    Section,
    TableBlock,
    TableColumn,
    TextCell,
    VerdictBlock,
    VerdictCell,
    with_numbers,
)
from reports.html.page import groups_of, html_page, known_kinds, verdicts_in
from rig.verdicts.limits import Verdict

NASTY = "</script><script>alert(1)</script>\"'&"
TABLE = TableBlock(
    "Results.",
    (TableColumn("Id"), TableColumn("What", share=1.0), TableColumn("Verdict", "right")),
    (
        (TextCell("R1", strong=True), "one", VerdictCell(Verdict.FAIL)),
        ("", TextCell("a value", note="noted", span=1), VerdictCell(Verdict.INCONCLUSIVE)),
        (TextCell("R2"), TextCell(NASTY, span=1), VerdictCell(Verdict.PASS)),
    ),
    filters=True,
)
CURVE = Curve(
    "flow", NASTY, "", "", (Panel(Axis("h", 0.0, 1.0), Axis("U", 0.0, 1.0), (), heading=NASTY),), height_in=2.0
)  # fmt: skip
BLOCKS = (
    Paragraph("prose", lead="Lead."),
    Alert("beware"),
    Facts((("pump", NASTY),), columns=2),
    TABLE,
    Figure("flow", "Flow. More.", "a flow", curve=CURVE),
    Figure("drawn", "Drawn.", "a drawing", svg=f"<svg><title>{NASTY}</title></svg>"),
    VerdictBlock("Verdict of this run", Verdict.NOT_APPLICABLE, "means", "in short", ((Verdict.PASS, 3),)),
    Items("Left out", (ListItem("what", "why"),)),
    Items("Broken", (), none="Nothing."),
    Contents("Contents"),
    FigureList("Figures"),
    Finder("Where", (("ISO", "Who tested?", "all"),)),
    EndMark("— End —"),
)
DOCUMENT = with_numbers(
    Document(
        "Title", "REPORT", "Pump", "N-1", 2, (2026, 1, 2), ("SIMULATED — no evidence", NASTY), True,
        (Section(1, "Everything", "all", BLOCKS),),
    )
)  # fmt: skip


def test_every_kind_of_block_is_written() -> None:
    assert known_kinds() == KINDS == {block.KIND for block in BLOCKS}
    words = unescape(html_page(DOCUMENT, head="ab" * 32))
    for said in ("Lead.", "prose", "beware", "pump", "one", "noted", "Figure 1. Flow. More.", "a drawing", "in short"):
        assert said in words
    for said in (
        "NOT APPLICABLE",
        "what: why",
        "Nothing.",
        "Who tested?",
        "— End —",
        "revision 2",
        "ab" * 32,
    ):
        assert said in words
    assert "ab" * 32 in words


def test_an_unknown_kind_is_refused() -> None:
    @dataclass(frozen=True)
    class Riddle:
        KIND: ClassVar[str] = "riddle"

    strange = replace(DOCUMENT, sections=(Section(1, "S", "s", (Riddle(),)),))  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"page\.html\.j2 knows no block of the kind 'riddle'"):
        html_page(strange)


def test_no_text_of_a_record_is_run() -> None:
    page = html_page(DOCUMENT)
    assert "<script>alert" not in page
    assert "default-src &#39;none&#39;" in page


def test_the_same_document_gives_the_same_page() -> None:
    assert html_page(DOCUMENT) == html_page(DOCUMENT)


def test_a_page_of_a_real_run_does_not_say_simulated() -> None:
    assert "SIMULATED" not in html_page(replace(DOCUMENT, marks=(), simulated=False))


def test_an_annex_has_ids_and_numbers_of_its_own() -> None:
    page = html_page(DOCUMENT, annex=DOCUMENT)
    assert page.count('id="figure-1"') == page.count('id="annex-figure-1"') == 1
    assert "Figure A1." in page


def test_rows_without_a_name_belong_to_the_one_above() -> None:
    first, second = groups_of(TABLE)
    assert (len(first.rows), first.verdicts) == (2, (Verdict.FAIL,))
    assert (len(second.rows), second.verdicts) == (1, (Verdict.PASS,))
    assert set(verdicts_in(TABLE)) == {Verdict.FAIL, Verdict.PASS}


def test_rows_after_a_head_belong_to_it_though_they_have_names() -> None:
    (whole,) = groups_of(replace(TABLE, groups=(0,)))
    assert len(whole.rows) == 3
