"""Whoever has a real bench open is watched by a guardian: how it is started, told that all is well, and sent home.

A heartbeat is a number in a shared page that grows with every exchange on a wire and with every slice of a sleep; the
guardian reads it. Death is a socket that closes. Not responsible for what the guardian does then
(`rig.bench.guardian`).
"""

from __future__ import annotations

import mmap
import os
import pickle
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from rig.bench.file import BenchFile
from rig.bench.lease import BenchLease, is_open, is_open_for, take_opening
from rig.clock import Clock, Deadline, WallClock
from rig.errors import BlockedError, RigError
from rig.lease import Lease
from rig.record.files import read_json_lines
from rig.wire import ByteLog, block_of

NOTES = "guardian.jsonl"
"""Where a guardian that had to act says so: in the run's folder, or in that of the leases."""

BEATS, WAITS_FOR_PERSON, PUMP_OPENED, TICKS = 0, 1, 2, 3
PAGE_WORDS = 4
"""The shared page: how often the heart has beaten; whether silence is a person's; whether the pump was opened; how
often the guardian has looked."""

FAREWELL, READY, UNSAFE, LEASE = b"farewell", b"ready", b"unsafe", b"lease"

LOOK_EVERY_S = 0.5
"""So often the guardian is looked at in its turn."""
LOOKS = 20
"""A guardian that has not looked once in the time of so many is halted. They are counted, so that a computer that stood
still is no reason."""

LOOK_AGAIN_S = 0.05
START_WITHIN_S = 60.0
END_WITHIN_S = 5.0
ACT_WITHIN_S = 10.0

CI_MARKS = ("RUNNER_TRACKING_ID", "JENKINS_NODE_COOKIE", "BUILD_ID", "JENKINS_SERVER_COOKIE")
"""By these a CI server finds and kills what a job has left; the guardian must outlive the job that was killed."""


class UnguardedError(RigError):
    """The guardian of an open bench has ended or is halted: nobody would stop the pump if the program did."""


class UnsafeBenchError(RigError):
    """The bench was left and could not be made safe; its guardian goes on trying and keeps it."""


class Guard:
    """What a program that has a bench open knows of its guardian. Fulfils `rig.clock.Heart`; idle for a virtual bench.

    Args:
        spec: the bench.
        folder: where the guardian leaves its notes if it had to act; None: in the folder of the leases.
    """

    def __init__(self, spec: BenchFile, folder: Path | None = None) -> None:
        self._spec = spec
        self._folder = folder
        self._clock = WallClock()
        self._look_at_s = 0.0
        self._ticks, self._looks = 0, 0
        self._page = memoryview(bytearray(8 * PAGE_WORDS)).cast("Q")
        self._line: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._leaving = False
        self._unsafe: str | None = None

    def beat(self) -> None:
        """Tell the guardian that the program goes on; takes a microsecond.

        Raises:
            UnguardedError: the guardian has ended or is halted, and the bench is not being left.
        """
        self._page[BEATS] += 1
        now_s = self._clock.now()
        if now_s >= self._look_at_s:
            self._look_at_s = now_s + LOOK_EVERY_S
            self._look()

    def wait_for_person(self, waits: bool) -> None:
        """Tell the guardian that a person is being waited for, or no longer: death counts, silence does not."""
        self._page[WAITS_FOR_PERSON] = int(waits)
        self.beat()

    def opens_pump(self) -> None:
        """Tell the guardian that from now on the pump may move."""
        self._page[PUMP_OPENED] = 1

    def log(self, kept: ByteLog) -> ByteLog:
        """Let every exchange that a log keeps be a heartbeat."""
        return kept if self._spec.virtual is not None else _BeatingLog(kept, self)

    def leaves(self) -> None:
        """Let nothing be raised from now on: the bench is being left."""
        self._leaving = True

    def could_not_leave_safe(self, why: str) -> None:
        """Let the guardian go on where this program could do no more; a sentence on what failed."""
        self._unsafe = why

    def keeps(self, lease: Lease | None) -> None:
        """Let the guardian keep a lease that was taken since it was started."""
        if lease is not None and self._line is not None:
            with suppress(OSError):  # it has ended: the next beat says so
                socket.send_fds(self._line, [LEASE], [lease.descriptor])

    @contextmanager
    def on_duty(self, held: BenchLease) -> Iterator[None]:
        """Have a guardian while the bench is open, and send it home when the bench was left safe.

        Raises:
            LeaseHeldError: the bench is open elsewhere, or another guardian is still making it safe.
            BlockedError: the guardian cannot be started; nothing was opened.
            UnguardedError: it has ended meanwhile, and no beat has told so.
            UnsafeBenchError: the bench could not be left safe.
        """
        if self._spec.virtual is not None:
            yield
            return
        with take_opening(self._spec, held.purpose) as opening:
            process, line = self._started([*held.leases, *opening.leases], held.purpose)
            self._process, self._line = process, line
            try:
                yield
            except BaseException:
                self._part(process, line)
                raise
            if not self._part(process, line):
                raise self._unguarded("has ended")

    def _started(self, leases: Sequence[Lease], purpose: str) -> tuple[subprocess.Popen[bytes], socket.socket]:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        page = os.memfd_create("rig-heartbeats")
        os.ftruncate(page, 8 * PAGE_WORDS)
        self._page = memoryview(mmap.mmap(page, 8 * PAGE_WORDS)).cast("Q")
        passed = [theirs.fileno(), page, *(lease.descriptor for lease in leases)]
        environment = {name: value for name, value in os.environ.items() if name not in CI_MARKS}
        process = subprocess.Popen(
            [sys.executable, "-B", "-P", "-m", "rig.bench.guardian", str(os.getpid()), *map(str, passed)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=environment | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
            pass_fds=passed,
            start_new_session=True,
        )
        try:
            theirs.close()
            os.close(page)
            ours.settimeout(START_WITHIN_S)
            ours.send(pickle.dumps((self._spec, self._folder, purpose)))
            answer = ours.recv(4096)
        except OSError as error:
            answer = str(error).encode()
        except BaseException:  # Ctrl-C: nothing is open, and nobody is to be guarded
            _dismiss(process, ours)
            raise
        if answer != READY:
            _dismiss(process, ours)
            why = answer.decode(errors="replace") or f"it ended with {process.returncode}"
            raise BlockedError(
                f"the guardian of the bench {self._spec.name!r} cannot be started: {why}; without one nothing is opened"
            )
        ours.setblocking(False)
        return process, ours

    def _look(self) -> None:
        if self._line is None or self._leaving:
            return
        if _is_closed(self._line):
            raise self._unguarded("has ended")
        ticks = self._page[TICKS]
        self._looks = 0 if ticks != self._ticks else self._looks + 1
        self._ticks = ticks
        if self._looks >= LOOKS:
            raise self._unguarded("is halted")

    def _unguarded(self, what: str) -> UnguardedError:
        number = self._process.pid if self._process is not None else 0
        return UnguardedError(
            f"the guardian of the bench {self._spec.name!r} (process {number}) {what}, and nobody would stop the "
            "pump if this program did; the bench is left safe: see what did that, then begin again"
        )

    def _part(self, process: subprocess.Popen[bytes], line: socket.socket) -> bool:
        """Send the guardian home, or let it go on where this program could not; False where it had ended before.

        Raises:
            UnsafeBenchError: it has not made the bench safe within 10 s either.
        """
        self._line = None
        word = FAREWELL if self._unsafe is None else UNSAFE + self._unsafe.encode()[:2000]
        try:
            line.send(word)
        except OSError:
            process.wait()
            return False
        finally:
            line.close()
        try:
            process.wait(END_WITHIN_S if self._unsafe is None else ACT_WITHIN_S)
        except subprocess.TimeoutExpired:
            if self._unsafe is not None:
                raise UnsafeBenchError(
                    f"the bench {self._spec.name!r} could not be left safe: {self._unsafe}; its guardian (process "
                    f"{process.pid}) goes on trying and keeps the bench: take the pump's power away by hand"
                ) from None
            process.kill()  # it was halted; the bench is safe without it
            process.wait()
        return True


def told_by_guardians(folder: Path) -> list[str]:
    """Read what guardians did that had to act, one sentence each; a folder where none had to has none."""
    path = folder / NOTES
    if not path.is_file():
        return []
    return [str(entry["what"]) for entry in read_json_lines(path) if "what" in entry]


def wait_until_left(spec: BenchFile, clock: Clock, within_s: float = ACT_WITHIN_S, *, of: str = "") -> bool:
    """Wait until nobody has a bench open and no guardian is at it; False when that takes longer than `within_s`.

    With `of`, nobody whose purpose has these words in it: others may have the bench by then.
    """
    deadline = Deadline(clock, within_s)
    while spec.virtual is None and (is_open_for(spec, of) if of else is_open(spec)):
        if deadline.expired:
            return False
        clock.sleep(LOOK_AGAIN_S)
    return True


class _BeatingLog:
    """A log whose every line is a heartbeat. Fulfils `rig.wire.ByteLog`."""

    def __init__(self, kept: ByteLog, guard: Guard) -> None:
        self._kept = kept
        self._guard = guard

    def wire(self, at_s: float, device: str, direction: str, data: bytes) -> None:
        """Keep bytes of a wire, and beat."""
        self._kept.wire(at_s, device, direction, data)
        self._guard.beat()

    def block(self, at_s: float, device: str, data: bytes) -> None:
        """Keep a block as the log does, and beat."""
        block_of(self._kept)(at_s, device, data)
        self._guard.beat()

    def incident(self, at_s: float, of_whom: str, what: str) -> None:
        """Keep what went wrong and was mended."""
        self._kept.incident(at_s, of_whom, what)


def _dismiss(process: subprocess.Popen[bytes], line: socket.socket) -> None:
    """End a guardian that never went on duty."""
    process.kill()
    process.wait()
    line.close()


def _is_closed(line: socket.socket) -> bool:
    try:
        return line.recv(1, socket.MSG_PEEK) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True
