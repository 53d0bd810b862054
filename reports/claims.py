"""What a run took for claimed of the pump: the claims of its pump sheet, in the report's words.

Not responsible for layout (`document.typ`).
"""

from __future__ import annotations

from typing import Any

from rig.pump_sheet.stated import stated_claims
from rig.record.reading import Run


def claimed(run: Run) -> dict[str, Any] | None:
    """List the claims with their sources, and where driver and sheet contradict; None in a run without a sheet."""
    sheet = run.manifest.pump_sheet
    if sheet is None:
        return None
    capabilities = sheet.content.get("capabilities", [])
    return {
        "name": sheet.name,
        "maker": str(sheet.content.get("maker", "")),
        "capabilities": ", ".join(str(each) for each in capabilities),
        "claims": [dict(each._asdict()) for each in stated_claims(sheet.content)],
        "contradictions": list(run.manifest.contradictions),
    }
