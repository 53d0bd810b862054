"""What a measurement takes from the pump sheet: its placeholders, and fields that the sheet answers where nobody does.

Not responsible for the sheet, nor for what a field may hold.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rig.procedures.procedure import Procedure
from rig.pump_sheet.placeholders import filled
from rig.pump_sheet.sheet import PumpSheet


@dataclass(frozen=True)
class FromSheet:
    """Stands in a field's annotation and names the claim that is its default, where the pump sheet states it."""

    claim: str


def from_sheet(
    procedure: type[Procedure], content: Mapping[str, Any], sheet: PumpSheet | None, where: Path | str
) -> dict[str, Any]:
    """Fill in what people wrote of a measurement: placeholders, and keys that were left out and the sheet answers.

    Args:
        procedure: what is to be measured.
        content: its keys as people write them.
        sheet: the pump sheet, if there is one.
        where: the file or keyword, for sentences about it.

    Raises:
        NotClaimedError: the sheet has no value for a placeholder.
        BenchFileError: a placeholder is none.
    """
    written = {key: filled(value, sheet, where) for key, value in content.items()}
    for name, field in procedure.model_fields.items():
        key = field.alias or name
        claim = next((mark.claim for mark in field.metadata if isinstance(mark, FromSheet)), None)
        if claim is not None and key not in written and sheet is not None and sheet.lacks(claim) is None:
            written[key] = sheet.claims[claim].text
    return written
