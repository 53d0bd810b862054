"""A line between the host and one device, with its speed.

Both directions take the time that the characters take. The host end blocks by advancing the simulated clock to the
next byte that falls due; the device end is called back. Not responsible for meaning: bytes only.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from typing import Protocol

from rig.clock import NS_PER_S, SimClock

PassOn = Callable[[bytes], None]


class LineFault(Protocol):
    """What becomes of data on a line that is not whole; data that is not passed on is gone."""

    def to_host(self, data: bytes, pass_on: PassOn) -> None:
        """Take what the device has handed to the line at once."""
        ...

    def to_device(self, data: bytes, pass_on: PassOn) -> None:
        """Take what is about to arrive at the device."""
        ...

    def end(self) -> None:
        """Be over."""
        ...


class Port:
    """A duplex line; `baud` None is a network: `latency_s` each way and no character time.

    Args:
        clock: the simulated time.
        baud: line speed in bit/s.
        bits_per_character: start, data, parity and stop bits of one character.
        latency_s: delay before the first character, each way.
        bytewise: the device hears each character at its own time (a UART), not whole writes (a message).
    """

    def __init__(
        self,
        clock: SimClock,
        *,
        baud: int | None,
        bits_per_character: int = 10,
        latency_s: float = 0.0,
        bytewise: bool = False,
    ) -> None:
        self.clock = clock
        self.baud = baud
        self.host_baud = baud  # what the host has set; another speed than the device's garbles both ways
        self.character_ns = 0 if baud is None else round(bits_per_character * NS_PER_S / baud)
        self._latency_ns = round(latency_s * NS_PER_S)
        self._bytewise = bytewise
        self._on_receive: Callable[[bytes], None] = _ignore
        self._to_device_free_ns = 0
        self._to_host_free_ns = 0
        self._to_host: deque[tuple[int, bytes]] = deque()  # (arrival of its first byte, bytes)
        self.distort: Callable[[bytes], bytes] = _unchanged  # device to host; tests replace it
        self.faults: list[LineFault] = []
        self.unplugged = False
        self.times_plugged = 0  # whoever opened it before the last time has a dead handle

    # ---- the device's end ----------------------------------------------------------------------------------

    def on_receive(self, callback: Callable[[bytes], None]) -> None:
        """Call `callback(data)` whenever bytes from the host have arrived."""
        self._on_receive = callback

    def send(self, data: bytes) -> None:
        """Send `data` to the host, after whatever is still on the line, through the faults that the line has."""
        if self.faults:
            self._through(0, data)
        else:
            self.put(data)

    def put(self, data: bytes) -> None:
        """Put `data` on the line to the host as it is, after whatever is still on it."""
        data = self.distort(data)
        if not data or self.unplugged:
            return
        if self.baud not in (None, self.host_baud):
            data = _misread(data)
        start_ns = max(self.clock.now_ns + self._latency_ns, self._to_host_free_ns)
        self._to_host.append((start_ns + self.character_ns, data))
        self._to_host_free_ns = start_ns + len(data) * self.character_ns

    # ---- what happens to the line ----------------------------------------------------------------------------

    def unplug(self) -> None:
        """Take the port away from the host, with all that was on its way; every handle is dead from now on."""
        self.unplugged = True
        self._to_host.clear()

    def plug_in(self) -> None:
        """Give the port back, to whoever opens it anew."""
        self.unplugged = False
        self.times_plugged += 1

    # ---- the host's end ------------------------------------------------------------------------------------

    def host_write(self, data: bytes) -> None:
        """Send `data` to the device; returns at once, as a buffered port does."""
        if self.unplugged:
            return
        if self.baud not in (None, self.host_baud):
            data = _misread(data)
        start_ns = max(self.clock.now_ns + self._latency_ns, self._to_device_free_ns)
        self._to_device_free_ns = start_ns + len(data) * self.character_ns
        if not self._bytewise:
            self.clock.call_at(self._to_device_free_ns, lambda: self._arrive(data))
            return
        for number in range(len(data)):
            character, arrived_ns = data[number : number + 1], start_ns + (number + 1) * self.character_ns
            self.clock.call_at(arrived_ns, lambda character=character: self._arrive(character))  # type: ignore[misc]

    def host_waiting(self) -> int:
        """The number of bytes that have arrived and are unread."""
        if not self._to_host:
            return 0
        return sum(self._arrived(first_ns, data) for first_ns, data in self._to_host)

    def host_read(self, size: int, *, until: bytes | None = None, timeout_s: float | None) -> bytes:
        """Read up to `size` bytes, or through the byte `until`, advancing time until then or for `timeout_s`.

        Returns what has come by then, maybe nothing. `timeout_s` None waits as long as anything is scheduled.
        """
        clock = self.clock
        deadline_ns = None if timeout_s is None else clock.now_ns + math.ceil(timeout_s * NS_PER_S)
        received = bytearray()
        while len(received) < size:
            if self.unplugged:
                break
            if not self._to_host:
                limit_ns = deadline_ns if deadline_ns is not None else clock.next_due_ns()
                if limit_ns is None or (deadline_ns is not None and clock.now_ns >= deadline_ns):
                    break
                if not clock.advance_until(self._something_sent, limit_ns) and deadline_ns is not None:
                    break
                continue
            first_ns, data = self._to_host[0]
            wanted = min(size - len(received), len(data))
            if until is not None and (position := data.find(until, 0, wanted)) >= 0:
                wanted = position + 1
            last_ns = first_ns + (wanted - 1) * self.character_ns
            if deadline_ns is not None and last_ns > deadline_ns:
                clock.advance_to(deadline_ns)
                wanted = min(wanted, self._arrived(first_ns, data))
                if wanted == 0:
                    break
            elif last_ns > clock.now_ns:
                clock.advance_to(last_ns)
            if self.unplugged:  # meanwhile, and what was on the line is gone
                break
            received += data[:wanted]
            if wanted == len(data):
                self._to_host.popleft()
            else:
                self._to_host[0] = (first_ns + wanted * self.character_ns, data[wanted:])
            if until is not None and received.endswith(until):
                break
        return bytes(received)

    def host_discard(self) -> None:
        """Drop what has arrived and is unread."""
        waiting = self.host_waiting()
        if waiting:
            self.host_read(waiting, timeout_s=0.0)

    def host_hang_up(self) -> None:
        """Drop all that the device has said: what is unread, and what is on the line."""
        self._to_host.clear()
        self._to_host_free_ns = self.clock.now_ns

    def _something_sent(self) -> bool:
        return bool(self._to_host) or self.unplugged

    def _arrive(self, data: bytes, number: int = 0) -> None:
        """Hand `data` to the device through the faults from `number` on."""
        if number < len(self.faults):
            self.faults[number].to_device(data, lambda passed: self._arrive(passed, number + 1))
        elif data:
            self._on_receive(data)

    def _through(self, number: int, data: bytes) -> None:
        """Put `data` on the line through the faults from `number` on; a late one comes when some may be over."""
        if number < len(self.faults):
            self.faults[number].to_host(data, lambda passed: self._through(number + 1, passed))
        else:
            self.put(data)

    def _arrived(self, first_ns: int, data: bytes) -> int:
        elapsed_ns = self.clock.now_ns - first_ns
        if elapsed_ns < 0:
            return 0
        return len(data) if self.character_ns == 0 else min(len(data), elapsed_ns // self.character_ns + 1)


def _ignore(data: bytes) -> None:
    del data


def _unchanged(data: bytes) -> bytes:
    return data


def _misread(data: bytes) -> bytes:
    """Sample characters at the wrong speed: other characters come out."""
    return bytes(octet ^ 0xA5 for octet in data)
