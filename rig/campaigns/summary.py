"""The summary of a campaign, in Markdown: kinds of faults and classes of outcomes, with confidence bounds.

Not responsible for classes (`outcome`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from rig.analysis.proportion import clopper_pearson
from rig.campaigns.inputs import Inputs
from rig.campaigns.kinds import bounds_of, kinds_of
from rig.campaigns.outcome import FINDINGS, UNSAFE, Class, Outcome
from rig.campaigns.states import STATES

UNKNOWABLE = frozenset({"F7", "F8", "F9", "F10"})
"""Faults of the fluid path behind the pump, which no pump can know: silence about them is no defect of it."""
CONFIDENCE = 0.95


def unsafe(outcomes: Mapping[int, Outcome], inputs: Inputs) -> list[Outcome]:
    """List the outcomes that are unsafe, of faults that a pump can know."""
    known = kinds_of(inputs.catalogue, inputs.spec.switch.lines)
    return [
        outcome
        for outcome in outcomes.values()
        if outcome.outcome in UNSAFE
        and not (known[outcome.injection.kind] and UNKNOWABLE.issuperset(known[outcome.injection.kind]))
    ]


def summary(
    asked: Mapping[str, Any],
    outcomes: Mapping[int, Outcome],
    inputs: Inputs,
    sessions: Sequence[Mapping[str, Any]],
) -> str:
    """Write the summary of a campaign."""
    counted = Counter((outcome.injection.kind, outcome.outcome) for outcome in outcomes.values())
    kinds = [kind for kind in asked["kinds"] if any(counted[kind, each] for each in Class)]
    classes = [each for each in Class if any(counted[kind, each] for kind in kinds)]
    known = kinds_of(inputs.catalogue, inputs.spec.switch.lines)
    parts = [
        "# Campaign\n",
        f"SIMULATED. {len(outcomes)} of {asked['n']} injections, seed {asked['seed']}, into "
        + "; ".join(f"*{state}* ({STATES[state].in_words})" for state in STATES if state in _states(outcomes))
        + ".\n",
        f"Each was observed until the pump stood like its fault-free twin again, for {asked['window_s']:g} s at most"
        f"{_mean(outcomes)}.\n",
        *(f"{_pace(session, asked['window_s'])}\n" for session in sessions),
        f"In each cell: how many, and bounds of their share that hold with {CONFIDENCE:.0%} confidence (Clopper and "
        "Pearson).\n",
        "| fault | n | " + " | ".join(each.value for each in classes) + " |",
        "|---|---|" + "---|" * len(classes),
    ]
    for kind in [*kinds, None]:
        numbers = [sum(counted[one, each] for one in ([kind] if kind else kinds)) for each in classes]
        name = "**all**" if kind is None else " ".join([kind, *(f"({fault})" for fault in known[kind])])
        cells = [_cell(number, sum(numbers)) for number in numbers]
        parts.append(f"| {name} | {sum(numbers)} | " + " | ".join(cells) + " |")
    parts += ["", "## What is safe\n", "| fault | within | told within |", "|---|---|---|"]
    for kind in kinds:
        bounds = bounds_of(kind, inputs.catalogue, inputs.spec.switch.lines, inputs.bounds)
        parts.append(f"| {kind} | {bounds.volume_u:g} U | {bounds.time_s:g} s |")
    parts += ["", *_findings(outcomes, inputs)]
    return "\n".join(parts) + "\n"


def _states(outcomes: Mapping[int, Outcome]) -> set[str]:
    return {outcome.injection.state for outcome in outcomes.values()}


def _mean(outcomes: Mapping[int, Outcome]) -> str:
    times_s = [
        outcome.observed.window_s if outcome.observed.alike_after_s is None else outcome.observed.alike_after_s
        for outcome in outcomes.values()
    ]
    return f", {sum(times_s) / len(times_s):.1f} s in the mean" if times_s else ""


def _pace(session: Mapping[str, Any], window_s: float) -> str:
    per_min = 60.0 * session["injections"] / max(session["took_s"], 0.1)
    return (
        f"{session['injections']} injections in {session['took_s']:g} s on {session['workers']} workers: "
        f"{per_min:.0f} a minute, with a window of {window_s:g} s."
    )


def _cell(number: int, of: int) -> str:
    low, high = clopper_pearson(number, of, CONFIDENCE)
    return f"{number} ({100.0 * low:.2g}–{100.0 * high:.2g} %)"


def _findings(outcomes: Mapping[int, Outcome], inputs: Inputs) -> list[str]:
    found = [outcome for outcome in outcomes.values() if outcome.outcome in FINDINGS]
    if not found:
        return ["No findings."]
    decide = {outcome.injection.number for outcome in unsafe(outcomes, inputs)}
    rows = [
        "## Findings\n",
        "| finding | outcome | fault | state | delivered | told after |",
        "|---|---|---|---|---|---|",
    ]
    for place, outcome in enumerate(found, 1):
        seen = outcome.observed
        told = "—" if seen.annunciated_after_s is None else f"{seen.annunciated_after_s:.1f} s"
        mark = " **unsafe**" if outcome.injection.number in decide else ""
        rows.append(
            f"| {place:04d} | {outcome.outcome.value}{mark} | {outcome.injection.kind} | {outcome.injection.state} "
            f"| {seen.deviation_u:+.3f} U | {told} |"
        )
    return rows
