"""Two JSON values held against each other: where they differ, and by how much.

Not responsible for why they differ, nor for whether that matters (`rig.offline.recheck`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

WITHIN = 1e-9
"""Relative difference below which two numbers come from the same computation on another machine or version."""


@dataclass(frozen=True)
class Apart:
    """A place at which two values differ.

    Attributes:
        where: the keys and numbers that lead there.
        then: the value of the record; None where it has none.
        now: the value that comes out now.
        relative: difference of two numbers, as a part of the larger; None where they are no two numbers.
    """

    where: str
    then: Any
    now: Any
    relative: float | None

    @property
    def small(self) -> bool:
        """Whether both are numbers that differ by no more than 1e-9 of the larger."""
        return self.relative is not None and self.relative <= WITHIN

    def __str__(self) -> str:
        """Say it in words, long values shortened."""
        by = f", apart by {self.relative:.2g} of its size" if self.relative is not None else ""
        return f"{self.where or 'the whole'} is {_short(self.now)}, the record says {_short(self.then)}{by}"


def apart(then: Any, now: Any, where: str = "") -> Iterator[Apart]:  # noqa: ANN401 - any JSON value
    """List every place at which two JSON values differ."""
    if isinstance(then, dict) and isinstance(now, dict):
        for key in sorted(then.keys() | now.keys()):
            yield from apart(then.get(key), now.get(key), f"{where} {key}".strip())
    elif isinstance(then, list) and isinstance(now, list) and len(then) == len(now):
        for number, (one, other) in enumerate(zip(then, now, strict=True), start=1):
            yield from apart(one, other, f"{where} {_called(one, number)}".strip())
    elif _is_number(then) and _is_number(now):
        if then != now:
            yield Apart(where, then, now, abs(then - now) / max(abs(then), abs(now)))
    elif then != now or type(then) is not type(now):
        yield Apart(where, then, now, None)


def _is_number(value: Any) -> bool:  # noqa: ANN401 - any JSON value
    return isinstance(value, int | float) and not isinstance(value, bool)


def _called(entry: Any, number: int) -> str:  # noqa: ANN401 - any JSON value
    if isinstance(entry, dict):
        quantity = entry.get("quantity")
        name = entry.get("id") or (quantity.get("name") if isinstance(quantity, dict) else None)
        if name:
            return str(name)
    return f"no. {number}"


def _short(value: Any) -> str:  # noqa: ANN401 - any JSON value
    text = repr(value) if not isinstance(value, list | dict) else f"{type(value).__name__} of {len(value)}"
    return text if len(text) <= 80 else f"{text[:77]}…"
