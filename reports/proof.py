"""What the suites find of pumps that are wrong on purpose, as the report's annex shows it.

Not responsible for trying them (`rig prove`) nor for layout (`report.typ`).
"""

from __future__ import annotations

from typing import Any

from reports.words import NONE, duration
from rig.record.folder import RunFolder
from rig.record.proof import Proof, TriedPump, parse_proof, suites_sha256
from rig.record.reading import Run
from rig.run.inputs import PROOF

_FIRST = ("escaped", "error", "caught")


def proof(run: Run) -> dict[str, Any] | None:
    """List the wrong pumps of the proof that the run was given, escaped ones first; None where it was given none."""
    if PROOF not in run.manifest.inputs:
        return None
    path = RunFolder(run.folder).inputs / PROOF
    known = parse_proof(path, path.read_bytes())
    ordered = sorted(known.pumps, key=lambda each: (_FIRST.index(each.end), each.name))
    return {
        "summary": " ".join(_summary(known)),
        "differs": _differs(known, run),
        "pumps": [
            {
                "name": f"{each.name} ({each.kind})",
                "expected": ", ".join(each.expected) or NONE,
                "end": _end(each),
                "wall": duration(each.wall_s),
            }
            for each in ordered
        ],
    }


def _summary(known: Proof) -> list[str]:
    """Say how many were tried and caught, with the interval, how long it took, and what the right pump did."""
    sentences = [f"Tried on {known.made_utc:%Y-%m-%d}, with the plan {known.plan}."]
    if known.pumps:
        share, low, high = known.share_caught()
        sentences.append(
            f"Wrong pumps tried: {len(known.pumps)}; caught: {len(known.of('caught'))} ({100 * share:.0f} %, 95 % "
            f"confidence {100 * low:.0f} % to {100 * high:.0f} %, Clopper and Pearson); escaped: "
            f"{len(known.of('escaped'))}; without a verdict: {len(known.of('error'))}; one core's time: "
            f"{duration(sum(each.wall_s for each in known.pumps))}."
        )
    if known.seeds:
        wrong = [each for each in known.seeds if each.false_fails]
        errors = sum(each.error for each in known.seeds)
        sentences.append(
            f"Seeds of the right pump tried: {len(known.seeds)}; with a false FAIL: {len(wrong)}; without a verdict: "
            f"{errors}."
        )
    return sentences


def _differs(known: Proof, run: Run) -> list[str]:
    """Say where the proof is of other suites or of another firmware than the run's."""
    said = []
    if known.suites_sha256 != suites_sha256(run.manifest.inputs):
        said.append("It was made with other suites or requirements than this run's.")
    if run.manifest.firmware_sha256 is not None and known.firmware_sha256 != run.manifest.firmware_sha256:
        said.append("It was made with another firmware than this run's.")
    return said


def _end(pump: TriedPump) -> str:
    if pump.end == "caught":
        by = f" in “{pump.test.rstrip('.')}”" if pump.test else ""
        return f"FAIL of {', '.join(pump.failed)}{by}"
    return "ESCAPED" if pump.end == "escaped" else "no verdict"
