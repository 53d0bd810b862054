"""What is known of the suites themselves: pumps that were wrong on purpose, and whether a test found each of them.

Not responsible for trying them (`rig prove`), nor for how a report shows them (`reports.proof`).
"""

from __future__ import annotations

import datetime
import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, ValidationError, model_validator

from rig.analysis.proportion import clopper_pearson
from rig.errors import BenchFileError
from rig.record.models import Record

End = Literal["caught", "escaped", "error"]


class TriedPump(Record):
    """One wrong pump, and what the suites made of it.

    Attributes:
        name: what it is called: the defect in a few words, or where a general mutant changes what.
        kind: how it was made wrong.
        expected: requirements that it must FAIL; none of a pump of which that is not known beforehand.
        end: "caught" by a right FAIL, "escaped" by a verdict without one, "error" where the rig came to no verdict.
        failed: requirements that FAILed, as far as they were tried.
        test: the title of the test that caught it.
        tests: how many tests were done until then.
        wall_s: for how long that took in s, on the machine that tried it.
    """

    name: str = Field(min_length=1)
    kind: Literal["patch", "mutant", "image", "hardware", "fault"]
    expected: tuple[str, ...] = ()
    end: End
    failed: tuple[str, ...] = ()
    test: str | None = None
    tests: int = Field(ge=0)
    wall_s: float = Field(ge=0.0)

    @model_validator(mode="after")
    def _caught_by_a_failure(self) -> Self:
        right = set(self.failed) & set(self.expected) if self.expected else set(self.failed)
        if (self.end == "caught") is not bool(right):
            of = f"of {', '.join(self.expected)}" if self.expected else "of any requirement"
            raise ValueError(f"{self.name} is called {self.end}, and FAILs {of} say otherwise")
        return self


class TriedSeed(Record):
    """The right pump of one seed: what FAILed though it is right, and whether the rig came to no verdict."""

    seed: int = Field(ge=0)
    false_fails: tuple[str, ...] = ()
    error: bool = False


class Proof(Record):
    """What `rig prove` found.

    Attributes:
        made_utc: when it was made.
        rig: the revision of the rig and of its suites.
        plan: the test plan.
        firmware_sha256: of the right pump's image.
        suites_sha256: of requirements and suites (`suites_sha256`).
        pumps: each wrong pump that was tried.
        seeds: each seed of the right pump that was tried.
    """

    format: Literal[1] = 1
    made_utc: datetime.datetime
    rig: str
    plan: str
    firmware_sha256: str
    suites_sha256: str
    pumps: tuple[TriedPump, ...] = ()
    seeds: tuple[TriedSeed, ...] = ()

    def of(self, end: End) -> Sequence[TriedPump]:
        """Choose the pumps that came to this end."""
        return tuple(each for each in self.pumps if each.end == end)

    def share_caught(self) -> tuple[float, float, float]:
        """The share of wrong pumps that were caught, and its limits with a confidence of 95 % (`clopper_pearson`).

        What ended as an error of the rig was not caught. ValueError where no pump was tried.
        """
        caught, tried = len(self.of("caught")), len(self.pumps)
        return caught / tried, *clopper_pearson(caught, tried)


def suites_sha256(inputs: Mapping[str, str]) -> str:
    """Hash what decides over a pump, from the hashes of a run's frozen inputs: the requirements and the suites."""
    own = sorted(
        (name, sha) for name, sha in inputs.items() if name == "requirements.toml" or name.startswith("suites/")
    )
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
        raise BenchFileError(f"{path}: {where}: {first['msg']}; a proof is what rig prove writes") from error
