"""Recalls of pumps, and which of them these suites would have found: the file, and the page made from it.

`python -m rig.faults.recalls` writes docs/recalls.md. Not responsible for wrong pumps being caught (`rig prove`).
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from rig.faults.catalogue import Catalogue, shipped_faults
from rig.faults.fault import FAULT_ID, REQUIREMENT_ID
from rig.shipped import RECALLS, shipped
from rig.toml_files import WholeNumber, parse_toml, read_file, refuse_twice, validated

PAGE = Path("docs/recalls.md")
_HEAD = """# Recalls, and which of them this suite would have found

Written from `suites/recalls.toml` by `python -m rig.faults.recalls`; do not edit. Most recalls of insulin pumps are
power, leaks, keys, annunciators and communication. Each here has the faults of the [catalogue](faults.md) that are like
it, the [requirements](requirements.md) that a pump with its failure does not meet, with their tests, and wrong pumps
that show it: the reference pump with such a defect. *In part*: a symptom would have been found, the cause not.

{counted}

Build the wrong pumps with `python fixtures/controller/build.py --wrong-pumps wrong`; the command beside each then ends
in FAIL, with exit code 1, and without `--set` in PASS. `rig prove NAME` does both steps.

| recall | like it | found? | why | the run behind it |
|---|---|---|---|---|
"""


class Recall(BaseModel):
    """One recall.

    Attributes:
        number: its place in the list.
        what: whose, when, and what failed.
        faults: of the catalogue that are like it.
        found: whether the suites would have found it.
        requirements: that a pump with its failure does not meet.
        wrong_pumps: pumps with such a defect, by the names of their patches.
        why: what would have found it, or why nothing would.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    number: WholeNumber = Field(ge=1)
    what: str = Field(min_length=1)
    faults: tuple[Annotated[str, Field(pattern=FAULT_ID)], ...]
    found: Literal["yes", "in part", "no"]
    requirements: tuple[Annotated[str, Field(pattern=REQUIREMENT_ID)], ...] = ()
    wrong_pumps: tuple[str, ...] = ()
    why: str = Field(min_length=1)

    @model_validator(mode="after")
    def _has_what_it_claims(self) -> Self:
        if self.found != "no" and not (self.requirements and self.wrong_pumps and self.faults):
            raise ValueError("what is found names its faults, the requirements that find it and wrong pumps to show it")
        if self.found == "no" and (self.requirements or self.wrong_pumps):
            raise ValueError("what is not found has neither requirements nor wrong pumps")
        return self


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    recall: tuple[Recall, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _numbers_are_unique(self) -> Self:
        refuse_twice("number", (each.number for each in self.recall))
        return self


def read_recalls(path: Path) -> tuple[Recall, ...]:
    """Read a file of recalls; BenchFileError with one sentence when it is wrong."""
    return validated(path, parse_toml(path, read_file(path)), _File).recall


def recalls_page(recalls: Sequence[Recall], catalogue: Catalogue) -> str:
    """Write the page, in Markdown."""
    count = Counter(each.found for each in recalls)
    counted = (
        f"Of {len(recalls)} recalls it would have found {count['yes']}, {count['in part']} more in part, and "
        f"{count['no']} not."
    )
    return _HEAD.format(counted=counted) + "".join(f"{_row(each, catalogue)}\n" for each in recalls)


def _row(recall: Recall, catalogue: Catalogue) -> str:
    reasons = {each.id: each.reason for each in catalogue.not_provoked}
    faults = [f"{name} (not provoked: {reasons[name]})" if name in reasons else name for name in recall.faults]
    selected = " or ".join(recall.requirements)
    command = f"`rig verify --select '{selected}' --set virtual.firmware=wrong/{{}}.elf`"
    runs = (
        [command.format(recall.wrong_pumps[0]), *(f"`{each}`" for each in recall.wrong_pumps[1:])] if selected else []
    )
    cells = (
        f"{recall.number}. {recall.what}",
        ", ".join(faults) or "–",
        f"**{recall.found}**",
        recall.why,
        ", likewise ".join(runs) or "–",
    )
    return "| " + " | ".join(cells) + " |"


if __name__ == "__main__":
    PAGE.write_text(recalls_page(read_recalls(shipped(RECALLS)), shipped_faults()), encoding="utf-8")
    sys.stdout.write(f"{PAGE}\n")
