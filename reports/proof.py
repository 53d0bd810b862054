"""What the suites find of pumps that are wrong on purpose, as the report's annex shows it.

Not responsible for trying them (`rig prove`) nor for layout (`document.typ`).
"""

from __future__ import annotations

from typing import Any

from reports.words import NONE, duration
from rig.record.folder import RunFolder
from rig.record.proof import Proof, Tried, parse_proof, suites_sha256, totals
from rig.record.reading import Run
from rig.run.inputs import PROOF


def proof(run: Run) -> dict[str, Any] | None:
    """List the pumps of the proof that the run was given, holes first; None where it was given none."""
    if PROOF not in run.manifest.inputs:
        return None
    path = RunFolder(run.folder).inputs / PROOF
    known = parse_proof(path, path.read_bytes())
    simulated = ", on simulated pumps" if known.simulated else ""
    made = f"Made on {known.made_utc:%Y-%m-%d} with the plan {known.plan} by {known.version}{simulated}."
    return {
        "summary": f"{made} {totals(known)}",
        "differs": _differs(known, run),
        "pumps": [
            {
                "name": each.name,
                "expected": ", ".join(each.expected) or "any",
                "outcome": each.outcome.upper() if each.outcome in ("escaped", "false fail") else each.outcome,
                "by": _by(each),
                "wall": duration(each.wall_s),
            }
            for each in known.tried
        ],
    }


def _by(tried: Tried) -> str:
    test = tried.test.rstrip(".") if tried.test else None
    return ": ".join(filter(None, (tried.requirement, test))) or tried.reason or NONE


def _differs(known: Proof, run: Run) -> list[str]:
    """Say where the proof is of other suites or of another firmware than the run's."""
    said = []
    if known.suites_sha256 != suites_sha256(run.manifest.inputs):
        said.append("It was made with other suites or requirements than this run's.")
    if known.firmware_sha256 != run.manifest.firmware_sha256:
        said.append("It was made with another firmware than this run's.")
    return said
