"""A campaign from its question to its findings: draw, perform what is missing, shrink what was found, sum up.

What becomes of an injection depends on its number, the seed and the inputs, never on workers or batches, so that a
campaign that was broken off goes on where it was. Not responsible for the command line (`rig.cli.campaign`).
"""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from rig.campaigns.apart import performed_apart
from rig.campaigns.batch import Task, consequence_of, line_of, task_of
from rig.campaigns.consequence import FINDINGS, Class, Consequence, classify
from rig.campaigns.folder import (
    CAMPAIGN,
    FORMAT,
    INJECTIONS,
    INPUTS,
    SESSIONS,
    SUMMARY,
    append_lines,
    read_campaign,
    read_consequences,
    read_finding,
    read_sessions,
    sort_consequences,
    write_finding,
)
from rig.campaigns.injection import RandomInjection, drawn, possible
from rig.campaigns.inputs import CampaignInputs, frozen_campaign
from rig.campaigns.kinds import chosen_kinds, kinds_of, safe_answer
from rig.campaigns.schedule import Crew
from rig.campaigns.states import STATES
from rig.campaigns.summary import campaign_summary
from rig.clock import WallClock
from rig.errors import BenchFileError, EvidenceError
from rig.record.files import write_json, write_whole
from rig.shipped import ROOT
from rig.virtual.mcu.image import read_elf
from rig.virtual.mcu.memory import FLASH, SRAM, SRAM_SIZE

BATCH = 100
SHRINK_TRIALS, TRIALS_OF_A_HANG = 24, 4
"""A core that hangs is emulated until its watchdog would have bitten: a minute of processor time each."""


@dataclass(frozen=True)
class CampaignQuestion:
    """What was asked of a campaign: kinds of faults and states of therapy, how many, by which seed, for how long."""

    kinds: tuple[str, ...]
    states: tuple[str, ...]
    n: int
    seed: int
    window_s: float

    def plain(self) -> dict[str, Any]:
        """Give it as data for JSON."""
        return {
            "kinds": list(self.kinds),
            "states": list(self.states),
            "n": self.n,
            "seed": self.seed,
            "window_s": self.window_s,
        }


@dataclass(frozen=True)
class Workforce:
    """Who performs a campaign: so many workers here, or a laboratory's scheduler; and how many findings are shrunk."""

    workers: int = 2
    scheduler: str | None = None
    batch: int = BATCH
    shrink: int = 20


def chosen_states(text: str) -> tuple[str, ...]:
    """Choose states of therapy by what a person wrote: "all", or names with commas between them."""
    words = [word.strip() for word in text.split(",")]
    unknown = [word for word in words if word != "all" and word not in STATES]
    if unknown:
        raise BenchFileError(f"--states: there is no state {unknown[0]!r}; allowed are all, {', '.join(STATES)}")
    return tuple(state for state in STATES if "all" in words or state in words)


def asked_of(
    inputs: CampaignInputs, faults: str, states: str, n: int, seed: int, window_s: float | None
) -> CampaignQuestion:
    """Make out what is asked; without a window it is the longest alarm limit of the pump's sheet.

    Raises:
        BenchFileError: a fault or a state that there is not, or a fault that none of the states takes.
    """
    kinds = chosen_kinds(faults, inputs.catalogue, inputs.spec.switch.lines)
    chosen = chosen_states(states)
    for kind in kinds:
        if not possible(kind, chosen):
            raise BenchFileError(f"--states: in {states} the line {kind} is energised already; name other states")
    return CampaignQuestion(kinds, chosen, n, seed, inputs.longest_alarm_s if window_s is None else window_s)


def begin_campaign(folder: Path, asked: CampaignQuestion, inputs: CampaignInputs) -> None:
    """Freeze a campaign's inputs in its folder; one that is there already goes on, when it asks for the same.

    Raises:
        BenchFileError: the folder holds another campaign, or something else.
    """
    content = {"format": FORMAT, "asked": asked.plain(), "inputs": inputs.sha256, "software": _software()}
    if (folder / CAMPAIGN).is_file():
        before = read_campaign(folder)
        there = before.model_dump()
        for key in ("asked", "inputs", "software"):
            if there[key] != content[key]:
                raise BenchFileError(f"--out: {folder} holds a campaign with other {key}; name a new folder")
        return
    if folder.exists() and any(folder.iterdir()):
        raise BenchFileError(f"--out: {folder} is not empty, and holds no campaign; name a new folder")
    for name, data in inputs.files.items():
        write_whole(folder / INPUTS / name, data)
    write_json(folder / CAMPAIGN, content)


def resumed(folder: Path) -> tuple[CampaignQuestion, CampaignInputs]:
    """Read a campaign that was begun.

    Raises:
        BenchFileError: there is none.
        EvidenceError: its inputs, or what makes the virtual pump, have changed since.
    """
    content = read_campaign(folder)
    if content.software != _software():
        raise EvidenceError(
            f"{folder}: was begun with {content.software}, and this is {_software()}: what comes may differ; "
            "begin a new campaign"
        )
    inputs = frozen_campaign(folder / INPUTS, content.inputs)
    kept = content.asked
    asked = CampaignQuestion(tuple(kept.kinds), tuple(kept.states), kept.n, kept.seed, kept.window_s)
    for kind in asked.kinds:
        if kind not in kinds_of(inputs.catalogue, inputs.spec.switch.lines) or not possible(kind, asked.states):
            raise EvidenceError(f"{folder / CAMPAIGN}: asked.kinds: {kind!r} cannot be injected in this campaign")
    for state in asked.states:
        if state not in STATES:
            raise EvidenceError(f"{folder / CAMPAIGN}: asked.states: {state!r} is no state of therapy")
    return asked, inputs


def injections_of(asked: CampaignQuestion, inputs: CampaignInputs) -> list[RandomInjection]:
    """Draw every injection of a campaign."""
    image = read_elf(inputs.files["firmware.elf"])
    ram = range(SRAM, SRAM + SRAM_SIZE)
    variables = max((each.stop - SRAM for each in image.runs_in if each.start in ram), default=SRAM_SIZE)
    size = max(address + len(data) for address, data in image.segments) - FLASH
    return [
        drawn(number, asked.seed, asked.kinds, asked.states, variables=variables, image=size, window_s=asked.window_s)
        for number in range(1, asked.n + 1)
    ]


def go_on(folder: Path, hands: Workforce, told: Callable[[int, int], None]) -> dict[int, Consequence]:
    """Perform what a campaign still lacks, find the smallest forms, and sum up; returns its consequences by number.

    Args:
        folder: of a campaign that has begun.
        hands: who performs it.
        told: hears how many consequences there are, and how many there are to be.
    """
    asked, inputs = resumed(folder)
    injections = injections_of(asked, inputs)
    there = read_consequences(folder)
    _refuse_others(folder, there, injections, inputs)
    read_sessions(folder)
    missing = [each for each in injections if each.number not in there]
    wall, done = WallClock(), len(there)

    def keep(task: Task, lines: list[str]) -> None:
        nonlocal done
        if len(lines) != len(task.injections):
            raise EvidenceError(
                f"a batch of {len(task.injections)} injections came back with {len(lines)} consequences"
            )
        append_lines(folder / INJECTIONS, lines)
        done += len(lines)
        told(done, asked.n)

    tasks = _batches(inputs, missing, asked.window_s, hands.batch)
    with Crew(hands.workers, hands.scheduler) as crew:
        crew.perform(tasks, keep)
        if missing:
            session = {"injections": len(missing), "took_s": round(wall.now(), 1), "workers": crew.size}
            append_lines(folder / SESSIONS, [json.dumps(session)])
        consequences = read_consequences(folder)
        sort_consequences(folder, consequences)
        _write_findings(folder, inputs, asked, consequences, hands.shrink, crew)
    write_whole(folder / SUMMARY, campaign_summary(asked.plain(), consequences, inputs, read_sessions(folder)).encode())
    return consequences


def _refuse_others(
    folder: Path, there: Mapping[int, Consequence], injections: Sequence[RandomInjection], inputs: CampaignInputs
) -> None:
    """Refuse consequences that are not of this campaign's injections, or are of another class than follows from them.

    Raises:
        EvidenceError: naming the first.
    """
    lines = inputs.spec.switch.lines
    bounds = {kind: safe_answer(kind, inputs.catalogue, lines, inputs.bounds) for kind in {i.kind for i in injections}}
    for number, each in there.items():
        what = f"{folder / INJECTIONS}: injection {number}"
        if number > len(injections) or injections[number - 1] != each.injection:
            raise EvidenceError(f"{what} is none that this campaign draws; begin a new campaign")
        if classify(each.observed, bounds[each.injection.kind]) is not each.sort:
            raise EvidenceError(f"{what} is called {each.sort.value!r}, which does not follow from what was observed")


def replayed(path: Path) -> list[tuple[Consequence, str, str]]:
    """Perform a finding again, and its smallest form: each with the bytes that were kept and those that came now.

    Raises:
        EvidenceError: it stands in no campaign's folder, or its inputs have changed.
    """
    asked, inputs = resumed(path.resolve().parent.parent)
    kept = read_finding(path)
    for each in kept:
        if each.injection.state not in STATES or each.injection.kind not in asked.kinds:
            raise EvidenceError(
                f"{path}: a fault {each.injection.kind!r} in state {each.injection.state!r} is none of this campaign"
            )
    task = task_of(inputs, kept[0].injection.state, [each.injection for each in kept], asked.window_s)
    lines = performed_apart(task.model_dump_json()).splitlines()
    now = {consequence_of(json.loads(line)).injection: line for line in lines}
    return [(each, line_of(each), now[each.injection]) for each in kept]


def _batches(inputs: CampaignInputs, injections: Sequence[RandomInjection], window_s: float, size: int) -> list[Task]:
    """Put injections of one state together, at most so many."""
    tasks = []
    for state in STATES:
        of_state = [each for each in injections if each.state == state]
        tasks += [
            task_of(inputs, state, of_state[first : first + size], window_s) for first in range(0, len(of_state), size)
        ]
    return tasks


def _write_findings(
    folder: Path,
    inputs: CampaignInputs,
    asked: CampaignQuestion,
    consequences: Mapping[int, Consequence],
    shrink: int,
    crew: Crew,
) -> None:
    found = [consequence for consequence in consequences.values() if consequence.sort in FINDINGS]
    known = {_group(consequence): consequence for consequence in reversed(found)}  # the first of each sort
    chosen = [consequence for consequence in found if known[_group(consequence)] is consequence][:shrink]
    smallest: dict[int, Consequence] = {}

    def keep(task: Task, lines: list[str]) -> None:
        smallest[task.injections[0].number] = consequence_of(json.loads(lines[0]))

    tasks = [
        task_of(
            inputs,
            each.injection.state,
            [each.injection],
            asked.window_s,
            TRIALS_OF_A_HANG if each.sort is Class.HANG else SHRINK_TRIALS,
        )
        for each in chosen
    ]
    crew.perform(tasks, keep)
    for place, consequence in enumerate(found, 1):
        write_finding(folder, place, consequence, smallest.get(consequence.injection.number))


def _group(consequence: Consequence) -> tuple[Class, str, str]:
    return consequence.sort, consequence.injection.kind, consequence.injection.state


def _software() -> dict[str, str]:
    """What else makes the virtual pump behave as it does: versions, and a hash of the rig's own code."""
    code = hashlib.sha256()
    for room in ("rig/virtual", "rig/campaigns", "instruments/ids"):
        for path in sorted((ROOT / room).rglob("*.py")):
            code.update(path.relative_to(ROOT).as_posix().encode() + path.read_bytes())
    return {
        "python": platform.python_version(),
        "unicorn": version("unicorn"),
        "numpy": version("numpy"),
        "rig": code.hexdigest()[:16],
    }
