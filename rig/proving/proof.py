"""What came of each pump that was tried, kept as a line of JSON and told as tables, with bounds of the share.

The report's validation annex takes its table from `prove.json`, a `Proof`. Not responsible for trying pumps.
"""

from __future__ import annotations

import datetime
import statistics
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from rig.analysis.proportion import clopper_pearson
from rig.errors import EvidenceError
from rig.record.files import read_json_lines, utc_now, write_json, write_whole
from rig.record.folder import checked
from rig.record.proof import GOOD, ORDER, BoundedShare, Proof, Tried, suites_sha256, totals
from rig.run.inputs import FIRMWARE

TRIED, PROOF, PAGE = "tried.jsonl", "prove.json", "prove.md"


def proof_of(tried: Sequence[Tried], plan: str, version: str, inputs: Mapping[str, str], *, simulated: bool) -> Proof:
    """Sum up what was tried; holes first, within an outcome by name. `inputs`: hashes of the right pump's inputs."""
    ordered = sorted(tried, key=lambda each: (ORDER.index(each.outcome), each.name))
    counts = {name: sum(each.outcome == name for each in tried) for name in ORDER}
    good = sum(counts[name] for name in GOOD)
    decided = good + counts["escaped"] + counts["false fail"]
    return Proof(
        made_utc=datetime.datetime.fromisoformat(utc_now()),
        firmware_sha256=inputs.get(FIRMWARE),
        suites_sha256=suites_sha256(inputs),
        plan=plan,
        version=version,
        simulated=simulated,
        tried=tuple(ordered),
        counts={name: count for name, count in counts.items() if count},
        share=_share(good, decided) if decided else None,
        median_wall_s=statistics.median(each.wall_s for each in tried) if tried else None,
    )


def _share(hits: int, of: int) -> BoundedShare:
    low, high = clopper_pearson(hits, of)
    return BoundedShare(hits=hits, of=of, low=low, high=high)


def trial_rows(tried: Iterable[Tried]) -> list[tuple[str, str, str, str, str]]:
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


def page_of(proof: Proof) -> str:
    """Write the proof as a page of Markdown."""
    lines = [
        "# Does the suite bite?",
        "",
        f"Plan {proof.plan!r}, {proof.version}. {'SIMULATED. ' if proof.simulated else ''}{totals(proof)}",
        "",
        f"| {' | '.join(COLUMNS)} | measured |",
        f"|{'---|' * (len(COLUMNS) + 1)}",
    ]
    for row, each in zip(trial_rows(proof.tried), proof.tried, strict=True):
        cells = [*row, each.measured or ""]
        lines.append(f"| {' | '.join(cell.replace('|', '/').replace(chr(10), ' ') for cell in cells)} |")
    return "\n".join(lines) + "\n"


def write_proof(folder: Path, proof: Proof) -> None:
    """Write `prove.json` and the page beside it; EvidenceError when the disk does not take them."""
    write_json(folder / PROOF, proof.model_dump(mode="json"))
    write_whole(folder / PAGE, page_of(proof).encode())


def append_tried(folder: Path, tried: Tried) -> None:
    """Add a pump's line to the ledger; a kill before or after loses no other, and what it left half-written is cut off.

    Raises:
        EvidenceError: the disk does not take it.
    """
    try:
        with (folder / TRIED).open("ab+") as file:
            file.seek(0)
            file.truncate(file.read().rfind(b"\n") + 1)
            file.write(f"{tried.model_dump_json()}\n".encode())
    except OSError as error:
        raise EvidenceError(f"{folder / TRIED}: cannot be written ({error.strerror})") from error


def read_tried(folder: Path) -> dict[str, Tried]:
    """Read the ledger: the last line of each pump, by name; empty where there is none. EvidenceError if damaged."""
    path = folder / TRIED
    entries = [checked(path, entry, Tried) for entry in read_json_lines(path)]
    return {entry.name: entry for entry in entries}
