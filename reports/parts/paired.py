"""Persons who lived the same days on two controllers, open loop beside closed.

Not responsible for what is said of them (`reports.paired_loops`).
"""

from __future__ import annotations

from reports.document import Section
from reports.paired_loops import paired_blocks, paired_loops
from reports.parts.given import Given
from rig.record.analyses import LoopNumbers


def paired(given: Given) -> tuple[Section, ...]:
    """Show what differs between the controllers, by the last attempt at each test; nothing where no loops pair."""
    last = {each.test: each.attempt for each in given.run.analyses}
    loops = [
        each.analysis
        for each in given.run.analyses
        if isinstance(each.analysis, LoopNumbers) and each.attempt == last[each.test]
    ]
    return tuple(
        Section(1, f"Paired loops: {pairs.diabetes}, {pairs.before_controller} and {pairs.after_controller}",
                "paired" if not number else f"paired-{number + 1}", paired_blocks(pairs))
        for number, pairs in enumerate(paired_loops(loops))
    )  # fmt: skip
