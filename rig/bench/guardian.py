"""The guardian: a process that watches whoever has a real bench open, and makes the bench safe when nobody else will.

    python -m rig.bench.guardian HOLDER LINE PAGE LEASE…     (numbers; started by `rig.bench.guarded` alone)

It opens nothing while the holder lives. It acts when the holder dies without a farewell, or is silent for longer than
the bench file allows: a holder that hangs is killed first. Silence is counted in the guardian's own ticks, so that a
machine that stood still is no silence. It keeps the bench's leases until the pump can deliver no more. Not responsible
for how that is done (`rig.bench.making_safe`), nor for a machine without power.
"""

from __future__ import annotations

import json
import mmap
import os
import pickle
import select
import signal
import socket
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from rig.bench.file import BenchFile
from rig.bench.guarded import (
    BEATS,
    FAREWELL,
    LEASE,
    NOTES,
    PAGE_WORDS,
    PUMP_OPENED,
    READY,
    TICKS,
    UNSAFE,
    WAITS_FOR_PERSON,
)
from rig.bench.lease import lease_folder
from rig.bench.making_safe import MadeSafe, Rescuer, in_words, is_safe
from rig.clock import Clock, WallClock
from rig.lease import name_holder
from rig.record.files import utc_now

TICK_S = 0.1
"""How often it looks; death is told at once."""

LONGEST_TICK_S = 2 * TICK_S
"""What of the time between two looks counts at most: if it was longer, this machine or this process stood still."""

DIES_WITHIN_S = 0.5
"""A killed process that still stands then is in the hands of the kernel; its bench is made safe all the same."""

AGAIN_EVERY_S = 2.0
WRITES_WITHIN_S = 2.0

_DEAF_TO = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGTSTP, signal.SIGPIPE)


@dataclass(frozen=True)
class Trip:
    """Why the guardian acts: a sentence's end, and whether the holder has to be killed first."""

    why: str
    kill: bool


class Watch:
    """Watches one holder.

    Args:
        holder: its process.
        line: where it says farewell.
        page: where its heart beats.
        silence_s: how long it may be silent.
        leases: descriptors to keep; those that come by the line are added.
        clock: real time.
    """

    def __init__(
        self, holder: int, line: socket.socket, page: memoryview, silence_s: float, leases: list[int], clock: Clock
    ) -> None:
        self._line = line
        self._page = page
        self._silence_s = silence_s
        self._leases = leases
        self._clock = clock
        self._holder = holder
        self._process = _living(holder)
        self._group = os.getpgid(holder) if self._process is not None else 0

    def until_due(self) -> Trip | None:
        """Watch until there is something to do; None when the holder has left its bench safe."""
        poll = select.poll()
        poll.register(self._line, select.POLLIN)
        if self._process is not None:
            poll.register(self._process, select.POLLIN)
        silent_s, beats, looked_s = 0.0, self._page[BEATS], self._clock.now()
        while True:
            events = dict(poll.poll(1000 * TICK_S))
            self._page[TICKS] += 1
            now_s = self._clock.now()
            if self._line.fileno() in events:
                trip, is_over = self._heard()
                if is_over:
                    return trip
            elif self._process is None or self._process in events:
                return Trip("died without leaving it safe", kill=False)
            if self._page[BEATS] != beats or self._page[WAITS_FOR_PERSON]:
                silent_s, beats = 0.0, self._page[BEATS]
            else:
                silent_s += min(now_s - looked_s, LONGEST_TICK_S)
            looked_s = now_s
            if silent_s >= self._silence_s:
                return Trip(f"gave no sign of life for {self._silence_s:g} s and was killed", kill=True)

    def kill(self) -> None:
        """Kill the holder, with the group of processes that it leads, and wait until it has gone."""
        if self._process is None:
            return
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._process, signal.SIGKILL)
        if self._group == self._holder:  # the dead stay in their group until they are collected: it is still its own
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._group, signal.SIGKILL)
        gone = select.poll()
        gone.register(self._process, select.POLLIN)
        gone.poll(1000 * DIES_WITHIN_S)

    def _heard(self) -> tuple[Trip | None, bool]:
        """Take one message; whether it ends the watch, and why there is something to do."""
        try:
            message, descriptors, _, _ = socket.recv_fds(self._line, 4096, 4)
        except ConnectionError:  # it died with something unread
            message, descriptors = b"", []
        self._leases += descriptors
        if message == LEASE:
            return None, False
        if message == FAREWELL:
            return None, True
        if message.startswith(UNSAFE):
            return Trip(f"could not leave it safe ({message.removeprefix(UNSAFE).decode()})", kill=False), True
        return Trip("died without leaving it safe", kill=False), True


def _living(process: int) -> int | None:
    """Open the descriptor of the process that started this one; None when it is dead already."""
    try:
        found = os.pidfd_open(process)
    except ProcessLookupError:
        return None
    return found if os.getppid() == process else None


@dataclass(frozen=True)
class Held:
    """What the guardian was given with the bench: the bench file, where to write, and what the bench was held for."""

    spec: BenchFile
    folder: Path
    purpose: str


def act(held: Held, rescuer: Rescuer, clock: Clock, trip: Trip, *, moved: bool) -> None:
    """Make the bench safe, as often as it takes, and write down what was done.

    Args:
        held: the bench.
        rescuer: who does it.
        clock: real time.
        trip: why.
        moved: whether the pump had been opened; if not, nobody has let it run, and one attempt is enough.
    """
    last: dict[str, str | None] = {}
    begun_s = clock.now()
    while True:
        try:
            steps = rescuer.attempt()
        except RuntimeError:  # no thread can be had now
            clock.sleep(AGAIN_EVERY_S)
            continue
        safe = is_safe(held.spec, steps)
        problems = {role: step.problem for role, step in steps.items()}
        if problems != last or safe:
            _note(held.folder, _told(held, trip, steps, after_s=clock.now() - begun_s))
            last = problems
        if safe or not moved:
            return
        clock.sleep(AGAIN_EVERY_S)


def _told(held: Held, trip: Trip, steps: Mapping[str, MadeSafe], *, after_s: float) -> Mapping[str, object]:
    safe = is_safe(held.spec, steps)
    state = "the pump can deliver no more" if safe else "THE BENCH IS NOT SAFE, take the pump's power away by hand"
    return {
        "at_utc": utc_now(),
        "safe": safe,
        "after_s": round(after_s, 3),
        "what": f"{held.purpose} {trip.why}; its guardian acted, and {state}: {in_words(held.spec, steps)}",
        "steps": {role: {"after_s": round(s.after_s, 3), "problem": s.problem} for role, s in steps.items()},
    }


@contextmanager
def _named(leases: Sequence[int], purpose: str) -> Iterator[None]:
    """Let the leases name this process meanwhile; a run may hold them on, and is named again afterwards."""
    before = {each: os.pread(each, 4096, 0) for each in leases}
    with suppress(OSError):  # a full disk keeps no bench unsafe
        for each in leases:
            name_holder(each, purpose, utc_now())
    yield
    with suppress(OSError):
        for each, text in before.items():
            os.pwrite(each, text, 0)
            os.ftruncate(each, len(text))


def _note(folder: Path, entry: Mapping[str, object]) -> None:
    """Append a line, through to the disk; one that is full, or stands still, keeps no bench unsafe."""
    writing = threading.Thread(target=_append, args=(folder, entry), daemon=True)
    writing.start()
    writing.join(WRITES_WITHIN_S)


def _append(folder: Path, entry: Mapping[str, object]) -> None:
    with suppress(OSError):
        descriptor = os.open(folder / NOTES, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o666)
        os.write(descriptor, f"{json.dumps(entry, ensure_ascii=False)}\n".encode())
        os.fsync(descriptor)
        os.close(descriptor)


def main(arguments: Sequence[str]) -> None:
    """Watch, and act when it is due."""
    for number in _DEAF_TO:
        signal.signal(number, signal.SIG_IGN)
    holder, line_number, page_number, *leases = (int(each) for each in arguments)
    line = socket.socket(fileno=line_number)
    spec, folder, purpose = pickle.loads(line.recv(1 << 20))
    assert isinstance(spec, BenchFile)
    page = memoryview(mmap.mmap(page_number, 8 * PAGE_WORDS)).cast("Q")
    clock = WallClock()
    try:
        held = Held(spec, folder or lease_folder(), purpose)
        rescuer = Rescuer(spec, clock)
        watch = Watch(holder, line, page, spec.guardian.silence, leases, clock)
    except Exception as error:  # whatever it is, nothing may be opened without a guardian
        line.send(f"{type(error).__name__}: {error}".encode()[:4000])
        os._exit(1)
    line.send(READY)
    trip = watch.until_due()
    if trip is not None:
        if trip.kill:
            watch.kill()
        with _named(leases, f"guardian making the bench safe, as {purpose} {trip.why}"):
            act(held, rescuer, clock, trip, moved=bool(page[PUMP_OPENED]))
    os._exit(0)  # whatever thread still hangs at a device


if __name__ == "__main__":
    main(sys.argv[1:])
