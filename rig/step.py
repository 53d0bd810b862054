"""Keeps the questions and answers of one line in step, and asks again what may be asked again.

A reply that comes late answers a question of before. So a line whose last exchange timed out, was damaged, or brought
more than one reply is out of step, and nothing is asked on it until it is back: the driver's probe is sent, a question
whose answer cannot be mistaken for another; what comes before that answer is dropped; then the line must be silent.
This rests on instruments that answer in the order in which they are asked. Not responsible for how bytes travel (`wire`
and the pumps' links are), nor for what they mean.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypeVar

from rig.clock import Clock, Deadline
from rig.errors import BadReplyError, DeviceError, NoReplyError

Made = TypeVar("Made")

ASKED_AGAIN = 2
ASK_WITHIN_S = 30.0
"""No question is asked again once so much time has passed since it was asked first."""
PROBES = 3
QUIET_S = 0.2
"""The silence behind the answers to all probes that puts a line in step."""
LATEST_TIMEOUTS = 2.0
"""A reply that is later than so many time-outs of the line is taken for lost."""
STEP_WITHIN_TIMEOUTS = 6.0
"""Getting into step ends, with or without success, within so many time-outs of the line."""
GUARD_S = 0.01
"""From the last byte of a reply to the next question: a second line behind the first shows by then."""
KEPT = 4096
"""Bytes in which the answer to a probe is looked for."""
LOOK_AT = "is something else on this line?"
SHOWN = 60
"""Dropped bytes that an incident shows."""


class ByteLine(Protocol):
    """What `InStep` needs of a line."""

    device: str

    def send(self, data: bytes) -> None:
        """Send bytes as they are."""
        ...

    def receive(self, within_s: float) -> bytes:
        """What comes next, as soon as it comes; nothing when nothing comes within `within_s`."""
        ...

    def waiting(self, within_s: float = 0.0) -> bool:
        """Whether anything has come, or comes within `within_s`, that nobody has read."""
        ...


Incident = Callable[[float, str, str], None]
"""Keeps what went wrong, and ended nothing: when in s, with whom, what."""


@dataclass(frozen=True)
class Probe:
    """A question that changes nothing, and whose answer is no answer to any other question.

    Attributes:
        sent: the bytes of the question, its line end included.
        answer: what the answer's bytes look like, its line end included.
        valid: whether bytes that look like it are it; for a checksum.
    """

    sent: bytes
    answer: re.Pattern[bytes]
    valid: Callable[[bytes], bool] = bool

    @property
    def name(self) -> str:
        """What sentences call it."""
        text = self.sent.decode("latin-1").strip()
        return repr(text.replace("\r", " ")) if text.isprintable() or "\r" in text else self.sent.hex(" ")

    def find(self, came: bytes) -> re.Match[bytes] | None:
        """The first answer in `came`."""
        begin = 0
        while match := self.answer.search(came, begin):
            if self.valid(match[0]):
                return match
            begin = match.start() + 1
        return None


class _Heard:
    """What came while a probe's answer was waited for."""

    def __init__(self, probe: Probe) -> None:
        self._probe = probe
        self._tail = b""
        self.answers = 0
        self.answer = b""
        self.count = 0
        self.begun = b""

    def take(self, data: bytes) -> None:
        self._tail += data
        while match := self._probe.find(self._tail):
            self.answers += 1
            self.answer = match[0]
            self._drop(self._tail[: match.start()])
            self._tail = self._tail[match.end() :]
        if len(self._tail) > KEPT:
            self._drop(self._tail[:-KEPT])
            self._tail = self._tail[-KEPT:]

    def end(self) -> None:
        self._drop(self._tail)
        self._tail = b""

    def _drop(self, data: bytes) -> None:
        self.count += len(data)
        self.begun = (self.begun + data)[:SHOWN]

    def __str__(self) -> str:
        if self.count > len(self.begun):
            return f"{self.count} bytes that began with {self.begun!r}"
        return repr(self.begun) if self.count else "nothing"


def asked_again(
    exchange: Callable[[], Made], *, asked: str, clock: Clock, note: Callable[[str], None], begin: Callable[[], object]
) -> Made:
    """Make an exchange that changes nothing; up to twice more when its reply fails.

    Args:
        exchange: raises NoReplyError or BadReplyError when its reply fails, and leaves the line out of step.
        asked: names the question in the record.
        clock: the bench's.
        note: keeps an incident.
        begin: brings the line into step before each attempt; when it can't, the error of the attempt before is raised.
    """
    deadline = Deadline(clock, ASK_WITHIN_S)
    failed: DeviceError | None = None
    for left in reversed(range(ASKED_AGAIN + 1)):
        try:
            begin()
        except DeviceError as error:
            raise failed or error from None
        try:
            made = exchange()
        except (NoReplyError, BadReplyError) as error:
            if not left or deadline.expired:
                raise
            failed = error
            continue
        if failed is not None:
            note(f"at {asked}: {failed.came_back}; asked again, answered")
        return made
    raise AssertionError("the last attempt returns or raises")


def perhaps_obeyed(error: DeviceError, asked: str) -> DeviceError:
    """The error of a command whose reply failed, which says so."""
    return type(error)(
        asked=error.asked,
        of_whom=error.of_whom,
        came_back=f"{error.came_back}, and {asked} may have been obeyed",
        look_at=error.look_at,
    )


class InStep:
    """Whether a line is in step, the way back, and questions that are asked again.

    Args:
        line: the line.
        clock: the bench's.
        incident: keeps each recovery and each question that was asked again.
        timeout_s: how long the instrument may take for a probe's answer.

    Attributes:
        probe: the driver's; None when it has none, and then nothing brings the line back.
        guard_s: least time from the last byte of a reply to the next question.
    """

    def __init__(self, line: ByteLine, clock: Clock, incident: Incident, *, timeout_s: float) -> None:
        self.probe: Probe | None = None
        self.guard_s = GUARD_S
        self.timeout_s = timeout_s
        self._line = line
        self._clock = clock
        self._incident = incident
        self._lost: tuple[str, str] | None = None  # since when, what to look at
        self._owed = 0  # answers to probes that have not come yet
        self._talking = False
        self._heard_s = -GUARD_S

    @property
    def is_lost(self) -> bool:
        """Whether the line is out of step."""
        return self._lost is not None

    def heard(self, at_s: float) -> None:
        """Note that bytes came at `at_s`."""
        self._heard_s = at_s

    def lose(self, since: str, *, look_at: str) -> None:
        """From now on the line is out of step; the first reason stays."""
        self._lost = self._lost or (since, look_at)

    def ask(self, exchange: Callable[[], Made], *, asked: str) -> Made:
        """Make an exchange that may be repeated, because it changes nothing; up to twice more when its reply fails.

        Args:
            exchange: sends the question and understands the reply; raises NoReplyError or BadReplyError when it can't.
            asked: names the question in the record.
        """
        if self._talking:
            return exchange()
        return asked_again(
            lambda: self._exchange(exchange, asked), asked=asked, clock=self._clock, note=self._note, begin=self.begin
        )

    def command(self, exchange: Callable[[], Made], *, asked: str) -> Made:
        """Make an exchange once; when its reply fails, the error says that it may have been obeyed."""
        if self._talking:
            return exchange()
        self.begin()
        try:
            return self._exchange(exchange, asked)
        except (NoReplyError, BadReplyError) as error:
            raise perhaps_obeyed(error, asked) from error

    def begin(self) -> None:
        """Before a question: be in step, which a line on which something waits is not. Does nothing in an exchange."""
        if self._talking:
            return
        if self._lost is None:
            if not self._line.waiting(max(0.0, self._heard_s + self.guard_s - self._clock.now())):
                return
            self.lose("something came unasked", look_at=LOOK_AT)
        self.regain()

    def regain(self, probe: Probe | None = None) -> bytes:
        """Get into step, by the driver's probe or another, and return the probe's answer.

        Raises:
            NoReplyError: nothing came within the time; the line stays out of step.
            BadReplyError: something came, but no answer with silence behind it; likewise.
        """
        probe = probe or self.probe
        since, look_at = self._lost or ("it was opened", "check the cable and the port")
        if probe is None:
            raise self._stays(
                BadReplyError,
                "the next question",
                since,
                "its driver has no probe: close it and open it again",
                look_at,
            )
        deadline = Deadline(self._clock, STEP_WITHIN_TIMEOUTS * self.timeout_s)
        heard, sent = _Heard(probe), 0
        for _ in range(PROBES):
            self._line.send(probe.sent)
            sent, self._owed = sent + 1, self._owed + 1
            self._listen(heard, deadline)
            if heard.answers and not deadline.expired:
                break
            if deadline.expired:
                break
        heard.end()
        if not heard.answers or deadline.expired:
            self._owed = max(0, self._owed - heard.answers)
            kind = BadReplyError if heard.answers or heard.count else NoReplyError
            came = f"no reply within {self.timeout_s:g} s, {sent} times"
            if kind is BadReplyError:
                came = f"{heard} came, and no answer with silence behind it"
            raise self._stays(kind, probe.name, since, came, look_at)
        was_lost, self._lost, self._owed = self._lost is not None, None, 0
        if was_lost or heard.count:
            self._note(f"out of step since {since}; dropped {heard} until the answer to {probe.name}, in step again")
        return heard.answer

    def _listen(self, heard: _Heard, deadline: Deadline) -> None:
        """Hear until the line has been silent for long enough, or until the deadline."""
        before = heard.answers
        while not deadline.expired:
            if heard.answers == before:
                silence_s = self.timeout_s
            elif heard.answers < self._owed:
                silence_s = LATEST_TIMEOUTS * self.timeout_s
            else:
                silence_s = QUIET_S
            data = self._line.receive(min(silence_s, deadline.remaining_s))
            if not data:
                return
            heard.take(data)

    def _exchange(self, exchange: Callable[[], Made], asked: str) -> Made:
        self._talking = True
        try:
            made = exchange()
            if self._line.waiting():
                raise BadReplyError(
                    asked=asked,
                    of_whom=self._line.device,
                    came_back="answered more than one reply",
                    look_at=LOOK_AT,
                )
            return made
        except (NoReplyError, BadReplyError) as error:
            self.lose(f"{error.came_back}, at {error.asked}", look_at=error.look_at)
            raise
        except ValueError as error:
            came_back = f"answered what the driver cannot read ({error})"
            self.lose(f"it {came_back}, at {asked}", look_at=LOOK_AT)
            raise BadReplyError(asked=asked, of_whom=self._line.device, came_back=came_back, look_at=LOOK_AT) from error
        except DeviceError:
            raise  # an answer that was understood
        except BaseException:  # Ctrl-C too: its reply is still to come
            self.lose(f"{asked} was broken off", look_at=LOOK_AT)
            raise
        finally:
            self._talking = False

    def _stays(self, kind: type[DeviceError], asked: str, since: str, came_back: str, look_at: str) -> DeviceError:
        return kind(
            asked=asked,
            of_whom=self._line.device,
            came_back=f"{came_back}; it stays out of step since {since}",
            look_at=look_at,
        )

    def _note(self, what: str) -> None:
        self._incident(self._clock.now(), self._line.device, what)
