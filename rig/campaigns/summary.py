"""The summary of a campaign, in Markdown: kinds of faults and classes of consequences, with confidence bounds.

Not responsible for classes (`consequence`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from rig.analysis.proportion import clopper_pearson
from rig.campaigns.consequence import FINDINGS, UNSAFE, Class, Consequence
from rig.campaigns.folder import CampaignSession
from rig.campaigns.inputs import CampaignInputs
from rig.campaigns.kinds import kinds_of, safe_answer
from rig.campaigns.states import STATES

UNKNOWABLE = frozenset({"F7", "F8", "F9", "F10"})
"""Faults of the fluid path behind the pump, which no pump can know: silence about them is no defect of it."""
CONFIRMING = frozenset({"confirm_key"})
"""Keys that confirm an alarm: whatever presses them silences it, as it should."""
CONFIDENCE = 0.95


def unsafe(consequences: Mapping[int, Consequence], inputs: CampaignInputs) -> list[Consequence]:
    """List the consequences that are unsafe, of faults that a pump can know."""
    known = kinds_of(inputs.catalogue, inputs.spec.switch.lines)
    return [
        consequence
        for consequence in consequences.values()
        if consequence.sort in UNSAFE
        and not (consequence.sort is Class.ALARM_LOST and consequence.injection.kind in CONFIRMING)
        and not (known[consequence.injection.kind] and UNKNOWABLE.issuperset(known[consequence.injection.kind]))
    ]


def campaign_summary(
    asked: Mapping[str, Any],
    consequences: Mapping[int, Consequence],
    inputs: CampaignInputs,
    sessions: Sequence[CampaignSession],
) -> str:
    """Write the summary of a campaign."""
    counted = Counter((consequence.injection.kind, consequence.sort) for consequence in consequences.values())
    kinds = [kind for kind in asked["kinds"] if any(counted[kind, each] for each in Class)]
    classes = [each for each in Class if each in UNSAFE or any(counted[kind, each] for kind in kinds)]
    known = kinds_of(inputs.catalogue, inputs.spec.switch.lines)
    parts = [
        "# Campaign\n",
        f"SIMULATED. {len(consequences)} of {asked['n']} injections, seed {asked['seed']}, into "
        + "; ".join(f"*{state}* ({STATES[state].in_words})" for state in STATES if state in _states(consequences))
        + ".\n",
        f"Each was observed until the pump stood like its fault-free twin again, for {asked['window_s']:g} s at most"
        f"{_mean(consequences)}.\n",
        *(f"{_pace(session, asked['window_s'])}\n" for session in sessions),
        f"In each cell: how many, and bounds of their share that hold with {CONFIDENCE:.0%} confidence (Clopper and "
        f"Pearson){_of_observed(consequences)}.\n",
        "| fault | n | " + " | ".join(each.value for each in classes) + " |",
        "|---|---|" + "---|" * len(classes),
    ]
    for kind in [*kinds, None]:
        numbers = [sum(counted[one, each] for one in ([kind] if kind else kinds)) for each in classes]
        name = "**all**" if kind is None else " ".join([kind, *(f"({fault})" for fault in known[kind])])
        observed = sum(number for each, number in zip(classes, numbers, strict=True) if each is not Class.NOT_OBSERVED)
        cells = [
            str(number) if each is Class.NOT_OBSERVED else _cell(number, observed)
            for each, number in zip(classes, numbers, strict=True)
        ]
        parts.append(f"| {name} | {sum(numbers)} | " + " | ".join(cells) + " |")
    parts += ["", "## What is safe\n", "| fault | within | told within |", "|---|---|---|"]
    for kind in kinds:
        bounds = safe_answer(kind, inputs.catalogue, inputs.spec.switch.lines, inputs.bounds)
        parts.append(f"| {kind} | {bounds.volume_u:g} U | {bounds.time_s:g} s |")
    parts += ["", *_findings(consequences, inputs)]
    return "\n".join(parts) + "\n"


def _states(consequences: Mapping[int, Consequence]) -> set[str]:
    return {consequence.injection.state for consequence in consequences.values()}


def _mean(consequences: Mapping[int, Consequence]) -> str:
    times_s = [
        consequence.observed.window_s
        if consequence.observed.alike_after_s is None
        else consequence.observed.alike_after_s
        for consequence in consequences.values()
    ]
    return f", {sum(times_s) / len(times_s):.1f} s in the mean" if times_s else ""


def _of_observed(consequences: Mapping[int, Consequence]) -> str:
    lost = sum(each.sort is Class.NOT_OBSERVED for each in consequences.values())
    return f", of those that were observed: {lost} were not, and say nothing about the pump" if lost else ""


def _pace(session: CampaignSession, window_s: float) -> str:
    per_min = 60.0 * session.injections / max(session.took_s, 0.1)
    return (
        f"{session.injections} injections in {session.took_s:g} s on {session.workers} workers: "
        f"{per_min:.0f} a minute, with a window of {window_s:g} s."
    )


def _cell(number: int, of: int) -> str:
    """Write a number of injections, and the bounds of its share in % with two digits."""
    if of == 0:
        return str(number)
    low, high = (100.0 * share for share in clopper_pearson(number, of, CONFIDENCE))
    return f"{number} ({_two_digits(low)}–{_two_digits(high)} %)"


def _two_digits(percent: float) -> str:
    return f"{percent:.0f}" if percent >= 9.95 else f"{percent:.2g}"


def _findings(consequences: Mapping[int, Consequence], inputs: CampaignInputs) -> list[str]:
    found = [consequence for consequence in consequences.values() if consequence.sort in FINDINGS]
    if not found:
        return ["No findings."]
    decide = {consequence.injection.number for consequence in unsafe(consequences, inputs)}
    rows = [
        "## Findings\n",
        "| finding | class | fault | state | delivered | told after |",
        "|---|---|---|---|---|---|",
    ]
    for place, each in enumerate(found, 1):
        seen, injection = each.observed, each.injection
        told = "—" if seen.annunciated_after_s is None else f"{seen.annunciated_after_s:.1f} s"
        mark = " **unsafe**" if injection.number in decide else ""
        rows.append(
            f"| {place:04d} | {each.sort.value}{mark} | {injection.kind} | {injection.state} "
            f"| {seen.deviation_u:+.3f} U | {told} |"
        )
    return rows
