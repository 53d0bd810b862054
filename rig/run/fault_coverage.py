"""What a bench and a plan make of the catalogue of faults: which are provoked, how, and judged by what.

Not responsible for provoking, for verdicts, nor for printing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from rig.faults import Catalogue, Injection, PumpFault
from rig.faults.means import NO_OPERATOR, is_by_hand, lacking_for
from rig.verdicts.limits import Verdict, worst


@dataclass(frozen=True)
class WayCovered:
    """One way to provoke a fault on this bench: its name where there are several, how, and what the bench lacks."""

    name: str
    how: str
    lacking: tuple[str, ...]

    @property
    def in_words(self) -> str:
        """How it is provoked here, or why not."""
        said = f"no {' and no '.join(self.lacking)}" if self.lacking else self.how
        return f"{self.name}: {said}" if self.name else said


@dataclass(frozen=True)
class FaultCovered:
    """One fault: how it is provoked here, who judges it, and how it was decided.

    Attributes:
        id, cause: as the catalogue has them.
        ways: to provoke it here; none where the rig does not provoke it at all.
        requirements: that judge it.
        tests: that decide one of them.
        verdict: the worst of these requirements; None where nothing was measured.
        gap: why nothing is known of it; None where something is.
    """

    id: str
    cause: str
    ways: tuple[WayCovered, ...]
    requirements: tuple[str, ...]
    tests: tuple[str, ...]
    verdict: Verdict | None
    gap: str | None


def fault_coverage(
    catalogue: Catalogue,
    *,
    lines: Collection[str],
    roles: Collection[str],
    tests: Iterable[tuple[str, Sequence[str]]],
    verdicts: Mapping[str, Verdict] | None = None,
) -> list[FaultCovered]:
    """Compute what is known of each fault, gaps first and then by number.

    Args:
        catalogue: the faults.
        lines: of this bench's switch.
        roles: by which something can be done on this bench.
        tests: title and the requirements that it decides, of each.
        verdicts: of requirements, where a run was done.
    """
    deciding = list(tests)
    found = [_covered(each, lines, roles, deciding, verdicts or {}) for each in catalogue.faults.values()]
    found += [
        FaultCovered(each.id, each.cause, (), (), (), None, f"not provoked: {each.reason}")
        for each in catalogue.not_provoked
    ]
    return sorted(found, key=lambda each: (each.gap is None, int(each.id[1:])))


def fault_summary(covered: Sequence[FaultCovered]) -> str:
    """Say how many faults are provoked here and judged, and which are not."""
    gaps = [each.id for each in covered if each.gap is not None]
    said = f"; gaps: {', '.join(gaps)}" if gaps else ""
    return f"{len(covered) - len(gaps)} of {len(covered)} faults are provoked on this bench and judged{said}."


def _covered(
    fault: PumpFault,
    lines: Collection[str],
    roles: Collection[str],
    tests: Sequence[tuple[str, Sequence[str]]],
    verdicts: Mapping[str, Verdict],
) -> FaultCovered:
    ways = tuple(_way(each, lines, roles) for each in fault.injections)
    own = tuple(title for title, decided in tests if set(decided) & set(fault.requirements))
    known = [verdicts[name] for name in fault.requirements if name in verdicts]
    return FaultCovered(
        fault.id,
        fault.cause,
        ways,
        fault.requirements,
        own,
        worst(known) if known else None,
        _gap(fault, ways, own),
    )


def _way(injection: Injection, lines: Collection[str], roles: Collection[str]) -> WayCovered:
    way = injection.provocation
    lacking = tuple(lacking_for(injection, lines=lines, roles=roles))
    if way.by_hand is not None and is_by_hand(injection, lines=lines, roles=roles):
        return WayCovered(way.name, f"by hand: {way.by_hand.do}", lacking)
    return WayCovered(way.name, way.in_words, lacking)


def _gap(fault: PumpFault, ways: Sequence[WayCovered], tests: Sequence[str]) -> str | None:
    if all(way.lacking for way in ways):
        by_hand = any(each.endswith(NO_OPERATOR) for way in ways for each in way.lacking)
        lacking = dict.fromkeys(each.removesuffix(NO_OPERATOR) for way in ways for each in way.lacking)
        return f"this bench has no {' and no '.join(lacking)}{NO_OPERATOR if by_hand else ''}"
    if not fault.requirements:
        return "no requirement judges it"
    return None if tests else f"no test of this plan decides {', '.join(fault.requirements)}"
