"""The decision rule with its risk, and what U covers.

Not responsible for deciding (`rig.verdicts.limits`).
"""

from __future__ import annotations

from reports.document import Paragraph, Section
from reports.method import method
from reports.parts.given import Given
from rig.verdicts.limits import Rule

RISKS = {
    Rule.GUARD_BAND: (
        "The guard band is as wide as U with k = 2. A pump whose true value lies at its limit or beyond is then "
        "accepted "
        "with a probability of 2.3 % at most (one-sided, normal: a value read two standard uncertainties inside the "
        "limit; "
        "JCGM 106:2012, 9), and a pump whose true value lies inside is rejected with 2.3 % at most. In between the "
        "verdict "
        "is INCONCLUSIVE, and no risk is taken."
    ),
    Rule.SIMPLE_ACCEPTANCE: (
        "Simple acceptance shares the risk: a pump whose true value lies at its limit is accepted in half of the "
        "cases. It "
        "is allowed only where U is a third of the limit or less, so that a true value of 4/3 of the limit and more is "
        "accepted with a probability of 2.3 % at most (JCGM 106:2012, 8.2)."
    ),
}
SEVERAL = (
    "The risk is that of one value. A requirement that asks for several values is met only when all of them pass; the "
    "more "
    "values a run judges, the more often one of them is INCONCLUSIVE by chance."
)


def decision(given: Given) -> tuple[Section, ...]:
    """State the rule, its risk, and the uncertainty."""
    notes = {note["title"]: note["text"] for note in method(given.run)}
    used = {each.rule for row in given.in_scope for each in row.measurements} or {Rule.GUARD_BAND}
    risks = [words for rule, words in RISKS.items() if rule in used]
    return (
        Section(
            1,
            "Decision rule and its risk",
            "decision",
            (
                Paragraph(notes["Decision rule"], "Rule."),
                Paragraph(" ".join([*risks, SEVERAL]), "Risk."),
                Paragraph(notes["Uncertainty"], "Uncertainty."),
            ),
        ),
    )
