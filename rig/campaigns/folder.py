"""The folder of a campaign: what was asked, the frozen inputs, every consequence as a line, and the findings.

    campaign.json      what was asked, with the hash of each input
    inputs/            bench, firmware, pump sheet, catalogue of faults
    injections.jsonl   a consequence a line, in the order in which batches ended, by number once all are there
    findings/0001.json a finding, with its replay and its smallest form
    sessions.jsonl     how many injections each session made, and how long it took
    summary.md         the table

Not responsible for making consequences.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from rig.campaigns.batch import consequence_of, line_of
from rig.campaigns.consequence import Consequence
from rig.errors import BenchFileError, EvidenceError
from rig.record.files import read_json, read_json_lines, write_json, write_whole
from rig.record.folder import checked

CAMPAIGN, INPUTS, INJECTIONS, FINDINGS = "campaign.json", "inputs", "injections.jsonl", "findings"
SESSIONS, SUMMARY = "sessions.jsonl", "summary.md"


FORMAT = 1


class KeptQuestion(BaseModel):
    """What was asked of a campaign, as its folder keeps it."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    kinds: Annotated[list[str], Field(min_length=1)]
    states: Annotated[list[str], Field(min_length=1)]
    n: Annotated[int, Field(ge=1)]
    seed: Annotated[int, Field(ge=0)]
    window_s: Annotated[float, Field(gt=0.0, allow_inf_nan=False)]


class KeptCampaign(BaseModel):
    """What `campaign.json` holds: the question, the hash of each input by its name, the versions of the software."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    format: Literal[1]
    asked: KeptQuestion
    inputs: dict[str, str]
    software: dict[str, str]


class CampaignSession(BaseModel):
    """How many injections a session of a campaign made, how long that took in s, and with how many workers."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    injections: Annotated[int, Field(ge=0)]
    took_s: Annotated[float, Field(ge=0.0, allow_inf_nan=False)]
    workers: Annotated[int, Field(ge=0)]


def read_campaign(folder: Path) -> KeptCampaign:
    """Read what was asked of a campaign; BenchFileError when there is none, EvidenceError when it is damaged."""
    if not (folder / CAMPAIGN).is_file():
        raise BenchFileError(f"{folder}: is no folder of a campaign: it has no {CAMPAIGN}")
    return checked(folder / CAMPAIGN, read_json(folder / CAMPAIGN), KeptCampaign)


def read_sessions(folder: Path) -> list[CampaignSession]:
    """Read how long each session took; a last line that a kill cut off is left out. EvidenceError when damaged."""
    return [checked(folder / SESSIONS, each, CampaignSession) for each in read_json_lines(folder / SESSIONS)]


def append_lines(path: Path, lines: Iterable[str]) -> None:
    """Append whole lines, on the disk before this returns; what a kill left half-written before is cut off first."""
    with path.open("ab+") as file:
        whole = _whole(path.read_bytes())
        file.truncate(len(whole))
        file.write("".join(f"{line}\n" for line in lines).encode())
        file.flush()
        os.fsync(file.fileno())


def read_consequences(folder: Path) -> dict[int, Consequence]:
    """Read the consequences that are there, by number; a line that a kill left half-written is none.

    Raises:
        EvidenceError: a line is damaged, or two tell otherwise of one injection.
    """
    path = folder / INJECTIONS
    if not path.is_file():
        return {}
    consequences: dict[int, Consequence] = {}
    for number, line in enumerate(_whole(path.read_bytes()).splitlines(), 1):
        try:
            consequence = consequence_of(json.loads(line))
        except (ValueError, KeyError, TypeError) as error:
            raise EvidenceError(f"{path}: line {number} is damaged ({_in_a_line(error)})") from error
        if consequences.setdefault(consequence.injection.number, consequence) != consequence:
            raise EvidenceError(
                f"{path}: line {number} tells otherwise of injection {consequence.injection.number} than one before"
            )
    return dict(sorted(consequences.items()))


def sort_consequences(folder: Path, consequences: Mapping[int, Consequence]) -> None:
    """Write every consequence by its number: the same bytes, however many workers there were."""
    lines = "".join(line_of(consequences[number]) + "\n" for number in sorted(consequences))
    write_whole(folder / INJECTIONS, lines.encode())


def write_finding(folder: Path, place: int, found: Consequence, smallest: Consequence | None) -> Path:
    """Write a finding with its replay; `smallest` is its smallest form where that was sought."""
    path = folder / FINDINGS / f"{place:04d}.json"
    path.parent.mkdir(exist_ok=True)
    content = found.plain() | {"replay": f"rig campaign --replay {FINDINGS}/{path.name}"}
    write_json(path, content if smallest is None else content | {"smallest": smallest.plain()})
    return path


def read_finding(path: Path) -> list[Consequence]:
    """Read a finding, and its smallest form where there is one."""
    content = read_json(path)
    try:
        return [consequence_of(content), *([consequence_of(content["smallest"])] if "smallest" in content else [])]
    except (KeyError, ValueError, TypeError) as error:
        raise EvidenceError(f"{path}: is no finding of a campaign ({_in_a_line(error)})") from error


def _in_a_line(error: Exception) -> str:
    if isinstance(error, KeyError):
        return f"{error} is missing"
    if isinstance(error, ValidationError):
        first = error.errors(include_url=False)[0]
        return f"{'.'.join(str(part) for part in first['loc']) or 'its content'}: {first['msg']}"
    return " ".join(str(error).split())


def _whole(data: bytes) -> bytes:
    return data[: data.rfind(b"\n") + 1]
