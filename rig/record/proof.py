"""What is known of the suites themselves: pumps that were wrong on purpose, and right ones, and what came of each.

`rig prove` writes it, and a run takes it along for its report's annex. Not responsible for trying pumps
(`rig.proving`).
"""

from __future__ import annotations

import datetime
import hashlib
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from rig.errors import BenchFileError

Source = Literal["patch", "image", "hardware", "seed", "fault"]
"""How a pump came to be what it is: a patch of the firmware, an image, settings of the bench, a seed, a held fault."""
Outcome = Literal["escaped", "caught elsewhere", "error", "caught", "false fail", "clean"]
"""How a trial ended. Of wrong pumps: `caught`, a requirement FAILed, one of those expected where any are named; `caught
elsewhere`, only others FAILed; `escaped`, none did. Of right ones: `false fail`, `clean`. `error`: rig trouble, which
says nothing about the pump."""
ORDER: tuple[Outcome, ...] = ("escaped", "false fail", "caught elsewhere", "error", "caught", "clean")
"""In which order they are told: holes first."""
GOOD: tuple[Outcome, ...] = ("caught", "caught elsewhere", "clean")
"""Outcomes of which a share is told: wrong pumps that did not pass, right ones that did not FAIL."""


class Tried(BaseModel):
    """One pump and what came of it.

    Attributes:
        requirement, test, measured: the FAIL by which it was caught, the first right one, or the first at all.
        failed: every requirement that FAILed until then.
        tests_run: how many tests came to their end.
        wall_s: from its first process to its last, in s, the building of its image included.
        digest: of the inputs of its run; a line is taken again only while they are the same.
    """

    model_config = ConfigDict(frozen=True, allow_inf_nan=False)

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


class BoundedShare(BaseModel):
    """A share of trials and its two-sided bounds."""

    model_config = ConfigDict(frozen=True, allow_inf_nan=False)

    hits: int
    of: int
    low: float
    high: float
    confidence: float = 0.95


class Proof(BaseModel):
    """A whole proof: what was tried with which plan, and the totals, which follow from it; escaped pumps stand first.

    Attributes:
        made_utc: when it was made.
        firmware_sha256: of the right pump's image; None where its firmware is not the rig's to know.
        suites_sha256: of requirements and suites (`suites_sha256`).
        share: that of the caught among the caught and escaped, or of the clean among the clean and falsely failed.
    """

    model_config = ConfigDict(frozen=True, allow_inf_nan=False)

    made_utc: datetime.datetime
    plan: str
    version: str
    simulated: bool
    firmware_sha256: str | None
    suites_sha256: str
    tried: tuple[Tried, ...]
    counts: dict[str, int]
    share: BoundedShare | None
    median_wall_s: float | None

    @model_validator(mode="after")
    def _adds_up(self) -> Self:
        if self.counts != dict(Counter(each.outcome for each in self.tried)):
            raise ValueError("counts are not those of what was tried")
        good = sum(self.counts.get(name, 0) for name in GOOD)
        decided = len(self.tried) - self.counts.get("error", 0)
        if (self.share is None) != (decided == 0):
            raise ValueError("there is a share where something was decided, and nowhere else")
        if self.share is not None:
            found = self.share
            if (found.hits, found.of) != (good, decided) or not 0.0 <= found.low <= good / decided <= found.high <= 1.0:
                raise ValueError("the share is not that of what was tried")
        return self


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


def suites_sha256(inputs: Mapping[str, str]) -> str:
    """Hash what decides over a pump, from the hashes of a run's frozen inputs: the requirements and the suites."""
    own = sorted((name, sha) for name, sha in inputs.items() if name.startswith(("requirements.toml", "suites/")))
    return hashlib.sha256("".join(f"{name}\0{sha}\n" for name, sha in own).encode()).hexdigest()


def parse_proof(path: Path, data: bytes) -> Proof:
    """Parse what `rig prove` wrote.

    Raises:
        BenchFileError: one sentence on the first thing that is wrong in it.
    """
    try:
        return Proof.model_validate_json(data)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "the file"
        raise BenchFileError(
            f"{path}: {where}: {first['msg'].removeprefix('Value error, ')}; a proof is what rig prove writes"
        ) from error
