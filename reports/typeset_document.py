"""A document as plain data for its typst template, and as a PDF.

Not responsible for what stands in it (`reports.document`), nor for how it looks (`document.typ`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import fields
from enum import Enum
from pathlib import Path
from typing import Any

import typst

from reports.document import KINDS, Document, DocumentBlock, Figure, refuse_unknown
from reports.typesetting import typesetter

TEMPLATE = "document.typ"


def content_of(document: Document) -> tuple[dict[str, Any], dict[str, str]]:
    """Write a document as plain data, and its figures as SVG by the file that the data name.

    Raises:
        TypeError: it has a block of a kind that the template does not know.
    """
    figures: dict[str, str] = {}
    content = {
        each.name: getattr(document, each.name) for each in fields(document) if each.name not in ("sections", "logo")
    }
    content["sections"] = [
        {
            "level": section.level,
            "title": section.title,
            "id": section.id,
            "new_page": section.new_page,
            "together": section.together,
            "blocks": [_block(block, figures) for block in section.blocks],
        }
        for section in document.sections
    ]
    content["logo"] = None
    if document.logo is not None:
        figures["logo.svg"] = document.logo
        content["logo"] = "logo.svg"
    return content, figures


def _block(block: DocumentBlock, figures: dict[str, str]) -> dict[str, Any]:
    refuse_unknown(block, KINDS, TEMPLATE)
    if isinstance(block, Figure):
        from reports.curve.printed import printed  # takes half a second, for runs that have a curve

        file = f"{block.number:03}-{block.name}.svg"
        figures[file] = printed(block.curve) if block.curve is not None else str(block.svg)
        shown = {"caption": block.caption, "alt": block.alt, "number": block.number, "file": file}
        return {"kind": block.KIND, "wide": block.curve is None, **shown}
    return {"kind": block.KIND} | {each.name: _plain(getattr(block, each.name)) for each in fields(block)}


def _plain(value: Any) -> Any:  # noqa: ANN401 - any part of a block
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if hasattr(value, "KIND"):
        return {"kind": value.KIND} | {each.name: _plain(getattr(value, each.name)) for each in fields(value)}
    if hasattr(value, "__dataclass_fields__"):
        return {each.name: _plain(getattr(value, each.name)) for each in fields(value)}
    return value


@contextmanager
def document_typesetter(document: Document, *, record: Path, files: Sequence[str]) -> Iterator[typst.Compiler]:
    """Lay out a document in a folder of its own; `files` below `record` are attached to it."""
    content, figures = content_of(document)
    with typesetter(TEMPLATE, content, figures, record=record, files=files) as compiler:
        yield compiler
