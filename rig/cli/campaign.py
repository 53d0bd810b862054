"""`rig campaign`: random faults at random instants against the running firmware, and what became of each.

Parses what people write and prints what came out. Not responsible for the campaign (`rig.campaigns`).
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from rig.bench.file import parse_override
from rig.cli.printing import say
from rig.errors import BenchFileError
from rig.record.files import free_folder, slug, utc_now
from rig.units import parse

EXIT_UNSAFE, EXIT_RIG = 1, 3
LEAST_WINDOW_S, LONGEST_WINDOW_S = 0.25, 86_400.0


@dataclass(frozen=True)
class CampaignAsked:
    """What was asked on the command line, as it was written."""

    faults: str
    states: str
    n: int
    seed: int
    window: str | None
    bench: Path
    settings: tuple[str, ...] = ()
    pump_sheet: Path | None = None
    out: Path | None = None


@dataclass(frozen=True)
class Means:
    """By what a campaign is performed: workers on this machine (None: as many as cores), or a scheduler's."""

    workers: int | None = None
    scheduler: str | None = None
    batch: int = 100
    shrink: int = 20


def run_campaign(asked: CampaignAsked, means: Means, *, console: Console) -> int:
    """Begin a campaign, or go on with it where its folder is there; 0, or 1 when an unsafe consequence was found.

    Raises:
        BenchFileError: what was asked makes no sense, with what is allowed.
    """
    from rig.campaigns.campaign import asked_of, begin_campaign
    from rig.campaigns.inputs import read_campaign_inputs

    overrides = dict(parse_override(text) for text in asked.settings)
    inputs = read_campaign_inputs(asked.bench, overrides, asked.pump_sheet)
    window_s = None if asked.window is None else _window_s(asked.window)
    question = asked_of(inputs, asked.faults, asked.states, asked.n, asked.seed, window_s)
    folder = asked.out or free_folder(Path("runs") / f"{slug(utc_now())}-campaign")
    if folder.exists() and not folder.is_dir():
        raise BenchFileError(f"--out: {folder} is a file; name a new folder")
    begin_campaign(folder, question, inputs)
    return resume_campaign(folder, means, console=console)


def resume_campaign(folder: Path, means: Means, *, console: Console) -> int:
    """Go on with a campaign in its folder; as `run_campaign`."""
    from rig.campaigns.campaign import Workforce, go_on, resumed
    from rig.campaigns.consequence import Class
    from rig.campaigns.folder import SUMMARY
    from rig.campaigns.summary import unsafe

    hands = Workforce(means.workers or os.cpu_count() or 1, means.scheduler, means.batch, means.shrink)
    consequences = go_on(folder, hands, lambda done, of: say(console, f"{done} of {of} injections"))
    _, inputs = resumed(folder)
    say(console, (folder / SUMMARY).read_text(encoding="utf-8"))
    found = unsafe(consequences, inputs)
    say(console, f"{len(found)} unsafe consequences; everything is in {folder}", "red" if found else "green")
    if found:
        return EXIT_UNSAFE
    if all(each.sort is Class.NOT_OBSERVED for each in consequences.values()):
        say(console, "Nothing could be observed, so that nothing is known of the pump.", "red")
        return EXIT_RIG
    return 0


def replay_finding(path: Path, *, console: Console) -> int:
    """Perform a finding again; 0 when the same came out, byte for byte, 3 when not."""
    from rig.campaigns.campaign import replayed

    same = True
    for kept, before, now in replayed(path):
        same = same and before == now
        verdict = "the same, byte for byte" if before == now else f"NOT the same: now {now}"
        say(console, before)
        say(console, f"{kept.sort.value}: {verdict}", "green" if before == now else "red")
    return 0 if same else EXIT_RIG


def _window_s(text: str) -> float:
    try:
        window_s = parse(text, "time_s")
    except ValueError as error:
        raise BenchFileError(f"--window: {error}; allowed are 0.25 s to 1 d") from error
    if not LEAST_WINDOW_S <= window_s <= LONGEST_WINDOW_S:
        raise BenchFileError(f"--window: {text} is not between 0.25 s and 1 d")
    return window_s
