"""What a bench must have for a fault to be provoked on it, and what it lacks, in words.

What a bench cannot provoke, nothing can be said about: its tests are NOT APPLICABLE there, with these words. Not
responsible for provoking (`rig.procedures.provoking`), nor for what a bench has (its file says it).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from rig.faults.fault import Injection

SUPPLY, HANDS, PROBE = "supply", "hands", "probe"
"""Roles by which a fault is provoked where it is no line of the switch."""
NO_OPERATOR = " and no operator"
_CALLED = {
    SUPPLY: "supply that feeds the pump",
    HANDS: "operator's terminal",
    "sound": "sound recorder",
    PROBE: "debug probe",
    "sensor": "glucose sensor that the rig plays",
}


def lacking_of_bench(
    needed_lines: Sequence[str],
    needed_roles: Sequence[str],
    lines_by_hand: Collection[str],
    *,
    lines: Collection[str],
    roles: Collection[str],
) -> list[str]:
    """Say what a bench lacks of lines and roles; where it has an operator, his hands stand in for some lines.

    Args:
        needed_lines: of the switch.
        needed_roles: devices that not every bench has.
        lines_by_hand: which of the lines an operator can stand in for.
        lines: that this bench has.
        roles: that this bench has.
    """
    absent = [
        f"line {line!r} of the switch{NO_OPERATOR if line in lines_by_hand else ''}"
        for line in needed_lines
        if line not in lines and not (line in lines_by_hand and HANDS in roles)
    ]
    return [*absent, *(_CALLED.get(role, role) for role in needed_roles if role not in roles)]


def lacking_for(injection: Injection, *, lines: Collection[str], roles: Collection[str]) -> list[str]:
    """Say what a bench lacks to provoke a fault in this way; nothing where it can."""
    return lacking_of_bench(injection.lines, injection.roles, injection.lines_by_hand, lines=lines, roles=roles)


def is_by_hand(injection: Injection, *, lines: Collection[str], roles: Collection[str]) -> bool:
    """Say whether a bench provokes a fault by its operator's hands, because it has no line for it."""
    return HANDS in roles and any(line in injection.lines_by_hand and line not in lines for line in injection.lines)
