"""Somebody on the pump's line: he hears a command, and sends it again later, between two readings of the balance.

Not responsible for what a pump makes of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import cast

from rig.line_tap import LineTap
from rig.procedures.tapped import HEARD_S, command_of, tapped
from rig.roles import Balance, Bench, MassReading


@dataclass(frozen=True)
class Replay:
    """From which bench second until which he listens, and at which he sends again what was the command."""

    listens_from_s: float
    listens_until_s: float
    again_at_s: float


class _BesideReadings:
    """The bench's balance; before its first reading that is late enough, what was heard is sent again."""

    def __init__(self, bench: Bench, tap: LineTap, replay: Replay, heard: list[bytes]) -> None:
        self._balance, self._clock, self._tap = bench.balance, bench.clock, tap
        self._replay, self._heard, self._done = replay, heard, False

    def __getattr__(self, name: str) -> object:
        return getattr(self._balance, name)

    def read(self) -> MassReading:
        if not self._done and self._clock.now() >= self._replay.again_at_s:
            self._done = True
            self._tap.send(command_of(self._heard))
            self._tap.hear(HEARD_S)  # its answer is not the driver's
        return self._balance.read()


@contextmanager
def replaying(bench: Bench, replay: Replay) -> Iterator[Bench]:
    """The bench with somebody on the line of its pump."""
    tap, heard = tapped(bench).line_tap(), list[bytes]()

    def noted(frame: bytes) -> tuple[bytes, ...]:
        if replay.listens_from_s <= bench.clock.now() <= replay.listens_until_s:
            heard.append(frame)
        return (frame,)

    with tap.sending(noted):
        yield replace(bench, balance=cast("Balance", _BesideReadings(bench, tap, replay, heard)))
