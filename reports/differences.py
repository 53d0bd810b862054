"""Groups of runs held against the first of them, quantity by quantity: differences of means with their U.

Pure: runs in, numbers out. Not responsible for grouping (`rig.record.likeness`) nor for the statistics
(`rig.analysis.difference`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from reports.measured_values import Row, Value, rows
from reports.shared_sources import stated
from rig.analysis.difference import Difference, difference_of_means
from rig.record.likeness import Group


@dataclass(frozen=True)
class RowDifference:
    """One quantity of one test in two groups, A being the first of all groups; `a` and `b` are titles of groups."""

    row: Row
    a: str
    b: str
    values_a: tuple[Value, ...]
    values_b: tuple[Value, ...]
    found: Difference

    @property
    def sentence(self) -> str:
        """Where 0 lies, and what that rests on. It is no verdict."""
        where = "inside" if self.found.zero_inside else "outside"
        if self.found.degrees_of_freedom is not None:
            return f"0 lies {where} difference ± U (scatter between runs, ν = {self.found.degrees_of_freedom:.3g})"
        return f"0 lies {where} difference ± U (U of the values)"


def differences(groups: Sequence[Group]) -> tuple[list[RowDifference], list[Row]]:
    """Hold each group against the first, and list the rows that only one group has, or not the first."""
    of_run = {member.label: group.title for group in groups for member in group.members}
    found: list[RowDifference] = []
    alone: list[Row] = []
    first, *others = (group.title for group in groups)
    for row in rows([member for group in groups for member in group.members]):
        parts = {title: tuple(v for v in row.values if of_run[v.member.label] == title) for title in (first, *others)}
        with_b = [title for title in others if parts[title]] if parts[first] else []
        for title in with_b:
            a, b = parts[first], parts[title]
            difference = difference_of_means([stated(row, v) for v in a], [stated(row, v) for v in b])
            found.append(RowDifference(row, first, title, a, b, difference))
        if not with_b:
            alone.append(row)
    return found, alone
