"""The summary of a night as Markdown, for a CI server's page of the job and for the terminal, and as JSON.

It says the verdict, what is not met, what is new, and where the evidence stands. It is a view, and no evidence itself.
Not responsible for the night (`rig.lab.night`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict

from rig.lab.night import NOT_RUN, Night, NightRun

SIMULATED_NIGHT = "SIMULATED — no evidence about any device"
MOST_LINES = 20
"""So many requirements, changes and broken rules are told of each run; the report has all."""
FORMAT = 1

_MARKS = re.compile(r"([\\`*<>|\[\]])")


def night_markdown(night: Night) -> str:
    """Write the summary of a night."""
    return "\n".join(_lines(night)) + "\n"


def night_json(night: Night) -> str:
    """Write a night for programs: all that the summary says, and the exit code."""
    told = {"format": FORMAT, "verdict": night.verdict, **asdict(night)}
    return json.dumps(told, indent=1, default=str, ensure_ascii=False) + "\n"


def _lines(night: Night) -> Iterator[str]:
    yield f"# Night on {_plain(night.bench)}: {night.verdict}"
    yield ""
    if any(run.simulated for run in night.runs):
        yield from (f"**{SIMULATED_NIGHT}**", "")
    until = f" to {night.ended_utc}" if night.ended_utc else ""
    yield f"- {night.started_utc}{until}, exit code {'none yet' if night.code is None else night.code}"
    if night.code is None:
        yield "- It has not ended. Where its process lives no more, it was killed: the next night closes its run."
    if night.code == NOT_RUN:
        yield "- Nothing was measured, and nothing has failed. What is in the way:"
        yield from (f"  - {each.what}: {_plain(each.said)}" for each in night.preflight if each.stops)
    if night.ended_by:
        yield f"- {_plain(night.ended_by)}"
    for run in night.runs:
        yield from _of_run(run)
    yield from _listed("Preflight", [f"{each.what}: {each.said}" for each in night.preflight if not each.stops])
    yield from _listed("What else went wrong", list(night.troubles))
    yield from ("", "## Evidence", "", f"- {_plain(str(night.folder))}")
    for run in night.runs:
        added = f"; {_plain(run.added)}" if run.added else ""
        yield f"- {_plain(str(run.folder.absolute()))}: head {run.head or 'none'}{added}"


def _of_run(run: NightRun) -> Iterator[str]:
    yield from ("", f"## {_plain(run.label) or 'The run'}: {run.verdict}", "")
    yield f"- plan {_plain(run.plan)}, pump {_plain(run.pump)}{'' if run.formal else ', NOT FORMAL'}"
    ended = "" if run.outcome == "complete" else f"; it was {run.outcome}{f': {run.reason}' if run.reason else ''}"
    yield f"- {_plain(run.in_short.rstrip('.') + ended)}"
    yield from _listed("Not met", _most(run.not_fine), level=3)
    yield from _new(run)
    yield from _trends(run)


def _new(run: NightRun) -> Iterator[str]:
    if run.since is None:
        if run.added:
            yield from ("", "### New since the last night", "", "- The store has no earlier complete run of this kind.")
        return
    lines = [f"{name}: {was} before, {now} now" for name, (was, now) in run.since.changed.items()]
    if run.since.differs:
        lines.append(f"Not the same as then: {', '.join(run.since.differs)}")
    heading = f"New since the last night, {run.since.started_utc}"
    yield from _listed(heading, _most(lines) or ["Nothing: every requirement has the verdict that it had."], level=3)


def _trends(run: NightRun) -> Iterator[str]:
    if run.trends is None:
        return
    lines = [str(each) for each in run.trends.broken]
    if run.trends.charted and not lines:
        lines = ["No value of this night meets a rule of Nelson."]
    few = f"; {run.trends.too_few} have too few runs for limits" if run.trends.too_few else ""
    by_chance = " A trend is no verdict, and of many charts some meet a rule by chance." if lines else ""
    yield from _listed("Trends", [*_most(lines), f"charted: {run.trends.charted}{few}.{by_chance}"], level=3)
    yield from (f"- Not charted: {_plain(each)}" for each in run.trends.uncharted[:MOST_LINES])


def _listed(heading: str, lines: Sequence[str], *, level: int = 2) -> Iterator[str]:
    if lines:
        yield from ("", f"{'#' * level} {heading}", "")
        yield from (f"- {_plain(each)}" for each in lines)


def _most(lines: Sequence[str]) -> list[str]:
    """Choose so many that they are read, and say how many more there are."""
    more = len(lines) - MOST_LINES
    return [*lines[:MOST_LINES], f"and {more} more: see the report"] if more > 0 else list(lines)


def _plain(text: str) -> str:
    """Keep words from being taken for Markdown or HTML, and on one line."""
    return _MARKS.sub(r"\\\1", " ".join(text.split()))
