"""How was measured and decided, in the reader's words; only what a run did.

Not responsible for layout (`document.typ`), nor for how a kind of analysis is measured (`reports.kinds`).
"""

from __future__ import annotations

from reports.kinds import KINDS
from rig.record.reading import Run
from rig.verdicts.limits import Rule


def method(run: Run) -> list[dict[str, str]]:
    """Describe how was measured and decided; only what this run did."""
    shown = {each.analysis.kind for each in run.analyses}
    methods = [kind.method for name, kind in KINDS.items() if name in shown and kind.method]
    notes = [{"title": method.title, "text": method.of_run} for method in methods]
    if run.manifest.virtual:
        notes.insert(0, {"title": "Simulation", "text": _simulation(run)})
    return [*notes, {"title": "Uncertainty", "text": _UNCERTAINTY}, {"title": "Decision rule", "text": _decision(run)}]


def _decision(run: Run) -> str:
    """State the rules by which this run was decided; the guard band when nothing was measured."""
    used = {measurement.rule for row in run.results.requirements for measurement in row.measurements}
    rules = [words for rule, words in _RULES.items() if rule in (used or {Rule.GUARD_BAND})]
    return " ".join([*rules, _DECISION])


_SIMULATION = (
    "Instruments, fluid and pump were simulated{firmware}. Durations and times of samples are those of the simulated "
    "clock. The results show how the rig works. They are no evidence about any device."
)
_EMULATED = "; the pump's firmware ran on an emulated microcontroller"


def _simulation(run: Run) -> str:
    """Say what was simulated; a pump without firmware of its own is simulated whole."""
    return _SIMULATION.format(firmware=_EMULATED if run.manifest.firmware_sha256 else "")


_UNCERTAINTY = (
    "U is the expanded uncertainty with coverage factor k = 2, about 95 % coverage (JCGM 100:2008). It is formed "
    "from what the bench file declares of the instruments (section “Equipment”). Counts and shares of counts carry "
    "no U."
)

_RULES = {
    Rule.GUARD_BAND: (
        "Guard band: a value passes when value ± U lies inside its limit, and fails when it lies outside. When it "
        "reaches across the limit it is INCONCLUSIVE (guard band as wide as U: JCGM 106:2012, 8.3.2 and 8.3.3)."
    ),
    Rule.SIMPLE_ACCEPTANCE: (
        "Simple acceptance: a value passes when it lies inside its limit, and fails when it lies outside (JCGM "
        "106:2012, 8.2). It is used only where U is a third of the limit or less; otherwise the value is INCONCLUSIVE."
    ),
}

_DECISION = (
    "The rule of each requirement stands with its results. A requirement is met only when everything it asks for was "
    "measured and passed. ERROR is a failure of the rig, and counts neither for nor against the pump; UNSET was never "
    "measured; NOT APPLICABLE concerns what this pump cannot do."
)
