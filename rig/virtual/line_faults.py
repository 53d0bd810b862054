"""Faults on the line between a device and the host: what becomes of its messages, its characters and its port.

A message is what a device hands to its line at once: a whole reply of an instrument, one character of a controller's
serial port. Chance is drawn from the seed and the number of the character, so that a run can be repeated. Not
responsible for measured values (`misreading`), nor for which faults a device may have (`faults`).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import partial

from rig.clock import NS_PER_S, Event, ns_from_s
from rig.virtual.faults import Fault
from rig.virtual.noise import stream, uniform
from rig.virtual.port import LineFault, PassOn, Port

NETWORK_OCTETS_PER_S = 10_000
"""What an endless talker sends over a network. Assumption: far more than any instrument has to say."""
CHUNKS_PER_S = 10
BUFFER_OCTETS = 65_536
"""What an operating system keeps of input that nobody fetches, in its order of magnitude; the rest is lost."""
DRIPPING_AT_MOST = 1000
"""Characters that a dripping device holds back; a further message is lost."""


def begin(port: Port, fault: Fault, seed: int) -> Callable[[], None]:
    """Let a fault of a line begin now; what is returned ends it."""
    if fault.kind == "disconnected":
        port.unplug()
        return port.plug_in
    made = _FAULTS[fault.kind](port, fault, stream(seed, f"fault {fault.device} {fault.kind} {fault.at_s!r}"))
    port.faults.append(made)

    def end() -> None:
        port.faults.remove(made)
        made.end()

    return end


class _OnLine(LineFault):
    """A fault of a line; passes everything on unless it says otherwise."""

    def __init__(self, port: Port, fault: Fault, key: int) -> None:
        self._port, self._fault, self._key = port, fault, key
        self._left = fault.count

    def to_host(self, data: bytes, pass_on: PassOn) -> None:
        pass_on(data)

    def to_device(self, data: bytes, pass_on: PassOn) -> None:
        pass_on(data)

    def end(self) -> None:
        """The line is whole again."""

    def _hits(self) -> bool:
        """Whether this message is one of those that are still to be damaged, which it then counts as."""
        if self._left is None:
            return True
        self._left -= 1
        return self._left >= 0


class _Mute(_OnLine):
    """Nothing comes: a cable off, a dead output stage."""

    def to_host(self, data: bytes, pass_on: PassOn) -> None:
        del data, pass_on


class _Garbage(_OnLine):
    """Every bit but the highest flips, as a loose ground does; line ends survive, so that lines still come."""

    def to_host(self, data: bytes, pass_on: PassOn) -> None:
        pass_on(bytes(octet if octet in b"\r\n" else octet ^ 0x7F for octet in data))


class _Characters(_OnLine, ABC):
    """Something happens to one character in `every`, on average, both ways."""

    def __init__(self, port: Port, fault: Fault, key: int) -> None:
        super().__init__(port, fault, key)
        self._number = 0

    def to_host(self, data: bytes, pass_on: PassOn) -> None:
        pass_on(self._damaged(data))

    def to_device(self, data: bytes, pass_on: PassOn) -> None:
        pass_on(self._damaged(data))

    def _damaged(self, data: bytes) -> bytes:
        return b"".join(self._one(data[place : place + 1]) for place in range(len(data)))

    def _one(self, character: bytes) -> bytes:
        self._number += 1
        chance = uniform(self._key, self._number) * self._fault.every
        return character if chance >= 1.0 else self._hit(character, chance)

    @abstractmethod
    def _hit(self, character: bytes, chance: float) -> bytes:
        """Say what becomes of the character; `chance` is uniform from 0 to 1."""


class _Drop(_Characters):
    def _hit(self, character: bytes, chance: float) -> bytes:
        del character, chance
        return b""


class _Double(_Characters):
    def _hit(self, character: bytes, chance: float) -> bytes:
        del chance
        return character * 2


class _Flip(_Characters):
    def _hit(self, character: bytes, chance: float) -> bytes:
        return bytes([character[0] ^ 1 << int(8.0 * chance)])


class _Truncated(_OnLine):
    """A message breaks off halfway, and its end never comes."""

    def to_host(self, data: bytes, pass_on: PassOn) -> None:
        pass_on(data[: len(data) // 2] if self._hits() else data)


class _Lost(_OnLine):
    """A message does not come."""

    def to_host(self, data: bytes, pass_on: PassOn) -> None:
        if not self._hits():
            pass_on(data)


class _Late(_OnLine):
    """A message comes later than it should, maybe after the next one was asked for."""

    def to_host(self, data: bytes, pass_on: PassOn) -> None:
        if not self._hits():
            pass_on(data)
            return
        clock = self._port.clock
        clock.call_at(clock.now_ns + ns_from_s(self._fault.by_s), lambda: pass_on(data))


class _Duplicated(_OnLine):
    """A message comes twice."""

    def to_host(self, data: bytes, pass_on: PassOn) -> None:
        pass_on(data)
        if self._hits():
            pass_on(data)


class _Merged(_OnLine):
    """A message is held back, and comes in one with the next, without the line end between them."""

    def __init__(self, port: Port, fault: Fault, key: int) -> None:
        super().__init__(port, fault, key)
        self._held: bytes | None = None

    def to_host(self, data: bytes, pass_on: PassOn) -> None:
        if self._held is not None:
            held, self._held = self._held, None
            pass_on(held.rstrip(b"\r\n") + data)
        elif self._hits():
            self._held = data
        else:
            pass_on(data)


class _Repeating(_OnLine, ABC):
    """Something that the device does again and again by itself."""

    def __init__(self, port: Port, fault: Fault, key: int, period_ns: int) -> None:
        super().__init__(port, fault, key)
        self._period_ns = period_ns
        self._next: Event | None = None
        self._again()

    def _again(self) -> None:
        clock = self._port.clock
        self._next = clock.call_at(clock.now_ns + self._period_ns, self._do)

    def _do(self) -> None:
        self._act()
        self._again()

    @abstractmethod
    def _act(self) -> None:
        """Send what is sent each time."""

    def end(self) -> None:
        if self._next is not None:
            self._next.cancel()


class _Unasked(_Repeating):
    """The last message comes again and again, as when somebody leans on the print key of a balance."""

    def __init__(self, port: Port, fault: Fault, key: int) -> None:
        self._last = b""
        super().__init__(port, fault, key, ns_from_s(fault.period_s))

    def to_host(self, data: bytes, pass_on: PassOn) -> None:
        self._last = data
        pass_on(data)

    def _act(self) -> None:
        if self._last and self._port.host_waiting() < BUFFER_OCTETS:
            self._port.put(self._last)


class _Endless(_Repeating):
    """Characters without a line end, as fast as the line is, in place of what the device would say."""

    def __init__(self, port: Port, fault: Fault, key: int) -> None:
        per_s = NETWORK_OCTETS_PER_S if port.character_ns == 0 else NS_PER_S // port.character_ns
        self._chunk = b"U" * max(1, per_s // CHUNKS_PER_S)
        super().__init__(port, fault, key, NS_PER_S // CHUNKS_PER_S)

    def to_host(self, data: bytes, pass_on: PassOn) -> None:
        del data, pass_on

    def _act(self) -> None:
        if self._port.host_waiting() < BUFFER_OCTETS:
            self._port.put(self._chunk)


class _Drip(_OnLine):
    """The characters of a message come one by one, long apart: each one restarts a time-out that is by character."""

    def __init__(self, port: Port, fault: Fault, key: int) -> None:
        super().__init__(port, fault, key)
        self._free_ns = 0

    def to_host(self, data: bytes, pass_on: PassOn) -> None:
        clock, apart_ns = self._port.clock, ns_from_s(self._fault.by_s)
        begins_ns = max(clock.now_ns, self._free_ns)
        if begins_ns - clock.now_ns > DRIPPING_AT_MOST * apart_ns:
            return
        for place in range(len(data)):
            clock.call_at(begins_ns + (place + 1) * apart_ns, partial(pass_on, data[place : place + 1]))
        self._free_ns = begins_ns + len(data) * apart_ns


_FAULTS: dict[str, type[_OnLine]] = {
    "mute": _Mute,
    "garbage": _Garbage,
    "drop": _Drop,
    "flip": _Flip,
    "double": _Double,
    "endless": _Endless,
    "truncated": _Truncated,
    "lost": _Lost,
    "late": _Late,
    "duplicated": _Duplicated,
    "merged": _Merged,
    "unasked": _Unasked,
    "drip": _Drip,
}
