"""A bench with a fault of the catalogue in it from the opening to the end of a test, by a line that stays energised.

What `rig prove --faults` asks: would the tests that a laboratory runs notice it? Not responsible for faults that a test
provokes itself, at its own moment (`rig.procedures.provoking`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from rig.errors import BenchFileError
from rig.faults import shipped_faults
from rig.roles import Bench, Identity, Switch


class _StuckSwitch:
    """A bench's switch, one line of which stays energised whatever is asked of it, as it would in reality."""

    def __init__(self, switch: Switch, stuck: str) -> None:
        self._switch, self._stuck = switch, stuck
        switch.set_line(stuck, energised=True)

    @property
    def lines(self) -> Sequence[str]:
        """Names of the lines."""
        return self._switch.lines

    def set_line(self, line: str, *, energised: bool) -> None:
        """Energise or release a line; the stuck one stays."""
        self._switch.set_line(line, energised=energised or line == self._stuck)

    def is_energised(self, line: str) -> bool:
        """Say whether a line is energised, as read back."""
        return self._switch.is_energised(line)

    def identify(self) -> Identity:
        """Ask the instrument who it is."""
        return self._switch.identify()

    def self_test(self) -> str:
        """Say how the instrument is."""
        return self._switch.self_test()

    def close(self) -> None:
        """Release the port."""
        self._switch.close()

    def make_safe(self) -> None:
        """Make the instrument safe, but for the stuck line."""
        self._switch.make_safe()
        self._switch.set_line(self._stuck, energised=True)


@contextmanager
def provoked_in(bench: Bench, name: str | None) -> Iterator[Bench]:
    """Hand over a bench with a fault of the catalogue in it, where the bench file names one.

    Raises:
        BenchFileError: no line of this bench, held, provokes it.
    """
    if name is None:
        yield bench
        return
    if name not in held_faults(bench.switch.lines):
        raise BenchFileError(f"provoke is {name!r}: no line of this bench, held, provokes such a fault")
    (line,) = shipped_faults().injection(name).lines
    switch = bench.switch
    try:
        yield replace(bench, switch=_StuckSwitch(switch, line))
    finally:
        switch.set_line(line, energised=False)


def held_faults(lines: Collection[str]) -> list[str]:
    """List the faults of the catalogue that are there as long as one of these lines is energised, by name.

    One that takes several lines, each at its own time, needs a moment of its own and is not among them.
    """
    return [
        name
        for name, each in shipped_faults().injections.items()
        if len(each.lines) == 1 and not each.provocation.momentary and set(each.lines) <= set(lines)
    ]
