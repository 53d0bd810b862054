"""The page for signatures that is added to a report, and the stamp that shows one; both typeset, with embedded fonts.

Not responsible for putting them into the file (`signing`).
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import typst

from rig.signing.bound import BoundReport
from rig.signing.meaning import ORDER, Meaning
from rig.signing.statement import Statement

PAGE_PT = (595.0, 842.0)
"""A4, in points of 1/72 in."""
STAMP_PT = (420.0, 84.0)
PLACES_PT: Mapping[Meaning, tuple[int, int, int, int]] = {
    meaning: (56, round(560 - 130 * n), 476, round(644 - 130 * n)) for n, meaning in enumerate(ORDER)
}
"""Where each signature stands on its page: left, bottom, right and top in points from the page's left lower corner."""


def signature_page(report: BoundReport) -> bytes:
    """Typeset the page on which a report is signed, as a PDF of one page."""
    return _typeset(
        {
            "kind": "page",
            "title": f"test report {report.run_id}, revision {report.revision}",
            "mark": "SIMULATED — no evidence about any device" if report.virtual else "",
            "report_sha256": report.sha256,
            "head": report.head,
            "page_width_pt": PAGE_PT[0],
            "page_height_pt": PAGE_PT[1],
            "places": [
                {"meaning": meaning.value.capitalize(), "box_pt": list(box)} for meaning, box in PLACES_PT.items()
            ],
        }
    )


def stamp(name: str, at_utc: str, statement: Statement, *, time_stamped: bool) -> bytes:
    """Typeset what one signature shows: name, meaning, UTC and by whose clock, and what it is bound to."""
    return _typeset(
        {
            "kind": "stamp",
            "title": "signature",
            "name": name,
            "meaning": statement.meaning.value.capitalize(),
            "at_utc": at_utc.replace("T", " ").replace("Z", " UTC"),
            "clock": "with a time stamp of an authority" if time_stamped else "by the clock of the signer's computer",
            "binding": f"record {statement.head[:16]}…, report {statement.report_sha256[:16]}…"
            + (f"; {statement.reason}" if statement.reason else ""),
            "width_pt": STAMP_PT[0],
            "height_pt": STAMP_PT[1],
        }
    )


def _typeset(content: Mapping[str, Any]) -> bytes:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        template = folder / "page.typ"
        template.write_bytes(Path(__file__).with_name("page.typ").read_bytes())
        (folder / "page.json").write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
        fonts = typst.Fonts(include_system_fonts=False)
        pdf = typst.Compiler(template, root=folder, font_paths=fonts).compile(format="pdf")
    assert isinstance(pdf, bytes)
    return pdf
