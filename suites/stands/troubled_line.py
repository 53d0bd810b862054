"""Does to the replies of a simulated device what lines and busy instruments do to them, one reply after the other.

The device answers in its order: a reply that is late keeps back those behind it. Not responsible for what a device
says.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from rig.clock import ns_from_s
from rig.virtual.port import Port

NOISE = 0x40
"""Turns a digit into a letter, as a damaged character that nobody takes for another number."""


@dataclass(frozen=True)
class Trouble:
    """What happens to one reply: the pieces that arrive in its place, each so many s after the one before."""

    name: str
    pieces: Callable[[bytes], Sequence[tuple[float, bytes]]]


def late(by_s: float) -> Trouble:
    """It comes late."""
    return Trouble(f"late by {by_s:g} s", lambda reply: [(by_s, reply)])


def lost() -> Trouble:
    """It never comes."""
    return Trouble("lost", lambda _: [])


def truncated(by: int) -> Trouble:
    """Its last bytes are lost."""
    return Trouble(f"shorter by {by}", lambda reply: [(0.0, reply[:-by])])


def damaged(at: int) -> Trouble:
    """One byte of it is another."""

    def pieces(reply: bytes) -> Sequence[tuple[float, bytes]]:
        position = at % len(reply)
        return [(0.0, reply[:position] + bytes([reply[position] ^ NOISE]) + reply[position + 1 :])]

    return Trouble(f"damaged at {at}", pieces)


def doubled() -> Trouble:
    """It comes twice."""
    return Trouble("doubled", lambda reply: [(0.0, reply), (0.0, reply)])


def late_and_doubled(by_s: float) -> Trouble:
    """It comes late, and twice."""
    return Trouble(f"late by {by_s:g} s and doubled", lambda reply: [(by_s, reply), (0.0, reply)])


def unasked(words: bytes) -> Trouble:
    """Something that nobody asked for comes before it."""
    return Trouble("something unasked before it", lambda reply: [(0.0, words + reply)])


def endless(for_s: float) -> Trouble:
    """Bytes without an end come in place of it, as many as fit on a slow line."""
    return Trouble(f"without an end for {for_s:g} s", lambda _: [(0.1, b"#" * 32)] * round(for_s / 0.1))


def flood(for_s: float) -> Trouble:
    """Bytes without an end come in place of it, 1 MB/s."""
    return Trouble(f"flood for {for_s:g} s", lambda _: [(0.01, b"#" * 10_000)] * round(for_s / 0.01))


def drip(every_s: float, count: int) -> Trouble:
    """Bytes without an end come in place of it, one by one."""
    return Trouble(f"a byte each {every_s:g} s", lambda _: [(every_s, b"#")] * count)


class TroubledLine:
    """The device's end of a port on which some replies meet with trouble.

    Args:
        port: the line; what its device sends is troubled.
        is_whole: whether bytes are a whole reply; each sending of the device is one by default.
    """

    def __init__(self, port: Port, is_whole: Callable[[bytes], bool] = bool) -> None:
        self._port = port
        self._is_whole = is_whole
        self._plan: deque[Trouble | None] = deque()
        self._begun = b""
        self._free_ns = 0
        self._waiting = 0
        self._releasing = False
        port.distort = self._distort

    def expect(self, plan: Iterable[Trouble | None]) -> None:
        """Let the next replies meet with `plan`, one after the other; None is a reply that meets with none."""
        self._plan.extend(plan)

    def give_up(self) -> None:
        """Forget what is planned."""
        self._plan.clear()

    @property
    def is_over(self) -> bool:
        """Whether all of the plan has happened."""
        return not self._plan and self._waiting == 0

    def _distort(self, data: bytes) -> bytes:
        if self._releasing:
            return data
        self._begun += data
        if not self._is_whole(self._begun):
            return b""
        reply, self._begun = self._begun, b""
        trouble = self._plan.popleft() if self._plan else None
        if trouble is None and self._waiting == 0:
            return reply
        at_ns = max(self._port.clock.now_ns, self._free_ns)
        for after_s, piece in [(0.0, reply)] if trouble is None else trouble.pieces(reply):
            at_ns += ns_from_s(after_s)
            self._waiting += 1
            self._port.clock.call_at(at_ns, lambda piece=piece: self._release(piece))  # type: ignore[misc]
        self._free_ns = at_ns
        return b""

    def _release(self, piece: bytes) -> None:
        self._waiting -= 1
        self._releasing = True
        try:
            self._port.send(piece)
        finally:
            self._releasing = False
