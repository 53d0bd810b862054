"""Small traceability matrices for self-tests: one with a gap of each kind, and hostile text. Not a test."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from reports.traced import (
    Matrix,
    NearestValue,
    TracedFile,
    TracedHazard,
    TracedRequirement,
    TracedTest,
    TraceFrame,
    TraceResult,
    joined_rows,
)
from rig.pump_sheet.cited import Citation, MakersHazard
from rig.pump_sheet.stated import StatedClaim
from rig.verdicts.limits import Verdict

FRAME = TraceFrame(
    name="2026-11-28 R&D <run>",
    pump="Me MyPump, 7",
    simulated=True,
    marks=("SIMULATED — no evidence about any device",),
    closed_utc=datetime(2026, 11, 28, 8, 15, 2, tzinfo=UTC),
    head="ab" * 32,
)
HOSTILE = "=1+1 \"quoted\", 'it' <b> & \x01 \ud83d line\nnext ]]> ± 😀".encode("utf-8", "replace").decode()
"""What people and instruments write, and spreadsheets, browsers and XML trip over."""


def requirement(name: str, *hazards: str, **given: Any) -> TracedRequirement:  # noqa: ANN401 - its fields
    """A requirement that names hazards; what is given stands for the rest."""
    plain: dict[str, Any] = {"text": f"The pump does {name}.", "clause": "own", "situation": "Over-infusion"}
    return TracedRequirement(id=name, hazards=hazards, **{**plain, **given})


def result(verdict: Verdict, value: float = 0.5) -> TraceResult:
    """What a test found: a value in U against a limit of 1 U."""
    nearest = NearestValue("bolus error", value, 0.012, "U", "≤ 1 U", verdict)
    return TraceResult(verdict, nearest, 2, None, (TracedFile("record/tests/t/1/measured.json", "c" * 64),))


def each_gap() -> Matrix:
    """A run with one gap of each kind, one FAIL, which is no gap, and hostile text."""
    error = TraceResult(Verdict.ERROR, reason="the balance did not answer")
    return joined_rows(
        FRAME,
        [
            TracedHazard(
                "H1",
                HOSTILE,
                "FDA",
                (MakersHazard("H1", "HAZ-0042", Citation("Risk file", "rev. 2", "p. 14"), "critical"),),
            ),
            TracedHazard("H2", "Contamination", "FDA", not_covered="no chemistry here"),
        ],
        [
            requirement(
                "PR-1", "H1", results={"t1": result(Verdict.PASS), "t[2]": result(Verdict.FAIL, 2.0)},
                verdict=Verdict.FAIL, claims=(StatedClaim("bolus.tolerance", "±5 %", "Guide, rev. 3, p. 12"),),
            ),
            requirement("PR-2", results={"t1": result(Verdict.PASS)}, verdict=Verdict.PASS),
            requirement("PR-3", "H1", verdict=Verdict.UNSET),
            requirement("PR-4", "H1", verdict=Verdict.UNSET, in_scope=False, reason="not selected by 'basal'"),
            requirement("PR-5", "H1", results={"t1": error}, verdict=Verdict.ERROR),
            requirement(
                "PR-6", "H1", results={"t1": result(Verdict.INCONCLUSIVE, 0.995)}, verdict=Verdict.INCONCLUSIVE
            ),
            requirement("PR-7", "H1", verdict=Verdict.NOT_APPLICABLE, inapplicable="this pump has no priming"),
            requirement("PR-8", "H1", text=HOSTILE, results={"t1": result(Verdict.PASS)}, verdict=Verdict.PASS),
        ],
        [
            TracedTest("t1", "First test", "error", "the balance did not answer"),
            TracedTest("t[2]", f"@{HOSTILE}", "passed"),
            TracedTest("idle", "A test of nothing", "passed"),
        ],
        of_run=True,
    )  # fmt: skip
