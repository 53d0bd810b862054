"""Which kinds of faults a campaign injects, and by which of them each fault of the catalogue is provoked.

A kind that the bench's switch has a line for is called as the line. Not responsible for how a kind is injected
(`inject`), nor for where and when (`draw`).
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from rig.errors import BenchFileError
from rig.faults import Catalogue
from rig.units import dimension_of, parse

CORE = ("ram", "flash", "register", "clock")
SUPPLY = ("dip",)
FRAMES = ("octet dropped", "octet flipped", "octet inserted", "octet doubled", "frame cut", "frame doubled", "replayed")
"""What becomes of octets and frames on their way to the pump."""
LINK = (*FRAMES, "link lost", "reply lost")

_OF_FAULT: Mapping[str, tuple[str, ...]] = {
    "F20": SUPPLY,
    "F21": SUPPLY,
    "F23": ("clock", "register"),
    "F25": ("ram", "flash", "register"),
    "F26": ("link lost",),
    "F27": ("octet dropped", "octet flipped", "octet inserted", "octet doubled", "frame cut"),
    "F28": ("frame doubled", "replayed"),
    "F29": ("reply lost",),
}
"""Kinds that are no line of a switch, by the catalogue's fault."""


@dataclass(frozen=True)
class SafeAnswer:
    """What the catalogue expects of the answer to one kind of fault: within which volume in U, and which time in s."""

    volume_u: float
    time_s: float


def kinds_of(catalogue: Catalogue, lines: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """List every kind that can be injected on a bench with these lines, with the faults of the catalogue that it is."""
    found: dict[str, list[str]] = {kind: [] for kind in (*CORE, *SUPPLY, *LINK, *lines)}
    for fault in catalogue.faults.values():
        for line in {way.line for way in fault.provocation if way.line in found}:
            assert line is not None
            found[line].append(fault.id)
    for fault_id, kinds in _OF_FAULT.items():
        for kind in kinds:
            found[kind].append(fault_id)
    return {kind: tuple(ids) for kind, ids in found.items()}


def chosen_kinds(asked: str, catalogue: Catalogue, lines: Iterable[str]) -> tuple[str, ...]:
    """Choose kinds by what a person wrote: "all", ids of the catalogue and names of kinds, with commas between them.

    Raises:
        BenchFileError: one of them is unknown, or nothing of this bench provokes it.
    """
    known = kinds_of(catalogue, lines)
    chosen: list[str] = []
    for word in (" ".join(each.split()) for each in asked.split(",")):
        if word == "all":
            chosen += known
        elif word in known:
            chosen.append(word)
        else:
            of_fault = [kind for kind, ids in known.items() if word.upper() in ids]
            if not of_fault:
                raise BenchFileError(f"--faults: {_why_not(word, catalogue, known)}")
            chosen += of_fault
    return tuple(kind for kind in known if kind in chosen)


def _why_not(word: str, catalogue: Catalogue, known: Mapping[str, tuple[str, ...]]) -> str:
    for fault in catalogue.not_provoked:
        if fault.id == word.upper():
            return f"{fault.id} ({fault.cause}) is not provoked: {fault.reason}"
    if word.upper() in catalogue.faults:
        return f"{word.upper()} is provoked by nothing that a campaign injects on this bench"
    ids = {fault_id for ids in known.values() for fault_id in ids}
    near = difflib.get_close_matches(word, [*known, *ids], n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"allowed are all, ids such as F20, and {', '.join(known)}"
    return f"there is no fault {word!r}; {hint}"


def safe_answer(kind: str, catalogue: Catalogue, lines: Iterable[str], otherwise: SafeAnswer) -> SafeAnswer:
    """Find what the catalogue's limits allow the answer to a kind: the widest of its faults, else `otherwise`."""
    volumes_u, times_s = [], []
    for fault_id in kinds_of(catalogue, lines)[kind]:
        fault = catalogue.faults.get(fault_id)
        for limit in fault.limits if fault is not None else ():
            _, _, unit = limit.within.partition(" ")
            dimension = dimension_of(unit)
            if dimension is not None and dimension[0] == "insulin_u":
                volumes_u.append(parse(limit.within, "insulin_u"))
            elif dimension is not None and dimension[0] == "time_s":
                times_s.append(parse(limit.within, "time_s"))
    return SafeAnswer(max([otherwise.volume_u, *volumes_u]), max(times_s, default=otherwise.time_s))
