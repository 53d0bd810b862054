"""What came of each pump that was tried, kept as a line of JSON and told as tables, with bounds of the share.

The report's validation annex takes its table from `prove.json`, a `Proof`. Not responsible for trying pumps.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict
from scipy.stats import beta

from rig.errors import EvidenceError
from rig.proving.pumps import Source
from rig.record.files import read_json_lines, write_json, write_whole
from rig.record.folder import checked

Outcome = Literal["escaped", "caught elsewhere", "error", "caught", "false fail", "clean"]
"""How a trial ended. Of wrong pumps: `caught`, a requirement FAILed, one of those expected where any are named; `caught
elsewhere`, only others FAILed; `escaped`, none did. Of right ones: `false fail`, `clean`. `error`: rig trouble, which
says nothing about the pump."""
ORDER: tuple[Outcome, ...] = ("escaped", "false fail", "caught elsewhere", "error", "caught", "clean")
"""In which order they are told: holes first."""
TRIED, PROOF, PAGE = "tried.jsonl", "prove.json", "prove.md"


class Tried(BaseModel):
    """One pump and what came of it.

    Attributes:
        requirement, test, measured: the FAIL by which it was caught, the first right one, or the first at all.
        failed: every requirement that FAILed until then.
        tests_run: how many tests came to their end.
        wall_s: from its first process to its last, in s, the building of its image included.
        digest: of the inputs of its run; a line is taken again only while they are the same.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    source: Source
    outcome: Outcome
    expected: tuple[str, ...] = ()
    requirement: str | None = None
    test: str | None = None
    measured: str | None = None
    failed: tuple[str, ...] = ()
    tests_run: int = 0
    wall_s: float = 0.0
    reason: str | None = None
    digest: str = ""


class Share(BaseModel):
    """A share of trials and its two-sided bounds."""

    model_config = ConfigDict(frozen=True)

    hits: int
    of: int
    low: float
    high: float
    confidence: float = 0.95


class Proof(BaseModel):
    """A whole proof: what was tried with which plan, and the totals; escaped pumps stand first.

    `share` is that of the caught among the caught and escaped, or of the clean among the clean and falsely failed.
    """

    model_config = ConfigDict(frozen=True)

    plan: str
    version: str
    tried: tuple[Tried, ...]
    counts: dict[str, int]
    share: Share | None
    median_wall_s: float | None


def clopper_pearson(hits: int, of: int, confidence: float = 0.95) -> Share:
    """Bound a share from both sides, exactly: quantiles of Beta (Clopper and Pearson, Biometrika 26 (1934) 404).

    With no hit among n the upper bound at 95 % is 3.7/n; one-sided it would be 3/n, the rule of three.

    Args:
        hits: how often it was so.
        of: among so many, at least 1.
        confidence: of both bounds together.
    """
    tail = (1.0 - confidence) / 2.0
    low = float(beta.ppf(tail, hits, of - hits + 1)) if hits else 0.0
    high = float(beta.ppf(1.0 - tail, hits + 1, of - hits)) if hits < of else 1.0
    return Share(hits=hits, of=of, low=low, high=high, confidence=confidence)


def proof_of(tried: Sequence[Tried], plan: str, version: str) -> Proof:
    """Sum up what was tried; holes first, within an outcome by name."""
    ordered = sorted(tried, key=lambda each: (ORDER.index(each.outcome), each.name))
    counts = {name: sum(each.outcome == name for each in tried) for name in ORDER}
    good = counts["caught"] + counts["caught elsewhere"] + counts["clean"]
    decided = good + counts["escaped"] + counts["false fail"]
    return Proof(
        plan=plan,
        version=version,
        tried=tuple(ordered),
        counts={name: count for name, count in counts.items() if count},
        share=clopper_pearson(good, decided) if decided else None,
        median_wall_s=statistics.median(each.wall_s for each in tried) if tried else None,
    )


def rows_of(tried: Iterable[Tried]) -> list[tuple[str, str, str, str, str]]:
    """Tell each pump in a row: name, outcome, caught by, expected, wall time."""
    return [
        (
            each.name,
            each.outcome,
            ": ".join(filter(None, (each.requirement, each.test))) or each.reason or "–",
            ", ".join(each.expected) or "any",
            f"{each.wall_s:.0f} s",
        )
        for each in tried
    ]


COLUMNS = ("pump", "outcome", "caught by", "must fail", "wall")


def totals(proof: Proof) -> str:
    """Say the totals in a sentence."""
    counts = ", ".join(f"{count} {name}" for name, count in proof.counts.items()) or "nothing tried"
    said = f"{len(proof.tried)} pumps: {counts}"
    if proof.share is not None:
        share = proof.share
        word = "clean" if {"clean", "false fail"} & set(proof.counts) else "caught"
        said += (
            f"; {word} {share.hits} of {share.of} decided, {100.0 * share.confidence:.0f} % interval "
            f"{100.0 * share.low:.1f}–{100.0 * share.high:.1f} % (Clopper–Pearson)"
        )
    if proof.median_wall_s is not None:
        said += f"; median {proof.median_wall_s:.0f} s a pump"
    return said + "."


def page_of(proof: Proof) -> str:
    """Write the proof as a page of Markdown."""
    lines = [
        "# Does the suite bite?",
        "",
        f"Plan {proof.plan!r}, {proof.version}. SIMULATED. {totals(proof)}",
        "",
        f"| {' | '.join(COLUMNS)} | measured |",
        f"|{'---|' * (len(COLUMNS) + 1)}",
    ]
    for row, each in zip(rows_of(proof.tried), proof.tried, strict=True):
        cells = [*row, each.measured or ""]
        lines.append(f"| {' | '.join(cell.replace('|', '/').replace(chr(10), ' ') for cell in cells)} |")
    return "\n".join(lines) + "\n"


def write_proof(folder: Path, proof: Proof) -> None:
    """Write `prove.json` and `prove.md`; EvidenceError when the disk does not take them."""
    write_json(folder / PROOF, proof.model_dump(mode="json"))
    write_whole(folder / PAGE, page_of(proof).encode())


def append_tried(folder: Path, tried: Tried) -> None:
    """Add a pump's line to the ledger; a kill before or after loses no other.

    Raises:
        EvidenceError: the disk does not take it.
    """
    try:
        with (folder / TRIED).open("a", encoding="utf-8") as file:
            file.write(f"{tried.model_dump_json()}\n")
    except OSError as error:
        raise EvidenceError(f"{folder / TRIED}: cannot be written ({error.strerror})") from error


def read_tried(folder: Path) -> dict[str, Tried]:
    """Read the ledger: the last line of each pump, by name; empty where there is none. EvidenceError if damaged."""
    path = folder / TRIED
    entries = [checked(path, entry, Tried) for entry in read_json_lines(path)]
    return {entry.name: entry for entry in entries}
