"""What is on a line that no bench file names? The questions of all drivers, the harmless ones first, in bounded time.

Only questions that a driver declares as its `RECOGNITION` are asked; a device is recognised when all of them are
answered, and the first a second time with the same words. Not responsible for which lines there are
(`rig.bench.ports`), nor for what a bench file says of a device (`rig.cli.discover`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from rig.bench.addresses import resolved
from rig.bench.drivers import any_driver_module, package_names
from rig.bench.lease import BenchLease, port_keys
from rig.bench.lines import UnknownLine, open_line, other_users
from rig.clock import Clock, Deadline
from rig.errors import BenchFileError, DeviceError, NotConnectedError
from rig.lease import LeaseHeldError
from rig.roles import Identity
from rig.roles.recognition import LineSettings, Recognition
from rig.step import Probe

LISTEN_S = 0.3
"""Before anything is asked: whatever speaks unasked shows."""
QUIET_S = 0.05
MOST_HEARD = 8192
"""Bytes after one question; what has more to say answers something else."""
LATE_S = 1.0
"""So long an answer is waited for that comes after its time."""
SLOW = 4.0
"""A question whose answer came after its time is asked again, with so many times its time."""
LONGEST_S = 40.0
"""On one line; then it is given up, and that is said."""
SHOWN = 40
NAMED = 3


@dataclass(frozen=True)
class KnownDevice:
    """A driver that can recognise its device."""

    driver: str
    role: str
    recognition: Recognition


@dataclass(frozen=True)
class Recognised:
    """A device that a driver has recognised, and the settings of the line at which it answered; None on a network."""

    driver: str
    role: str
    identity: Identity
    settings: LineSettings | None


@dataclass(frozen=True)
class LineFinding:
    """What was found on one line.

    Attributes:
        address: as it was given.
        recognised: by which drivers; more than one where the device does not tell them apart.
        said: a sentence on it, whatever was found.
    """

    address: str
    recognised: tuple[Recognised, ...]
    said: str


def known_devices() -> tuple[list[KnownDevice], list[str]]:
    """Gather what every driver declares; and a sentence on each driver that does not, or cannot be asked."""
    known, silent, problems = [], [], []
    for name in package_names():
        try:
            module = any_driver_module(name)
        except BenchFileError as error:
            problems.append(f"Not looked for: {error}")
            continue
        recognition = getattr(module, "RECOGNITION", None)
        if recognition is None:
            silent.append(name)
        elif isinstance(recognition, Recognition):
            known.append(KnownDevice(name, module.ROLE, recognition))
        else:
            problems.append(f"Not looked for: {name}, whose RECOGNITION is no Recognition of rig.roles.recognition")
    if silent:
        problems.append(f"Not looked for, since their drivers declare no harmless question: {', '.join(silent)}.")
    return known, problems


def look_at_line(address: str, known: Sequence[KnownDevice], *, clock: Clock, visa_library: str = "@py") -> LineFinding:
    """Find out what is on a line, and leave it as it was; every trouble of the line is a sentence of the finding."""
    place = resolved(address)
    if place.startswith("port ") and (users := other_users(place.removeprefix("port "))):
        more = f" and {len(users) - NAMED} more" if len(users) > NAMED else ""
        return LineFinding(address, (), f"in use by {', '.join(users[:NAMED])}{more}: nothing was asked")
    try:
        with BenchLease("rig discover") as held:
            for key in port_keys(address):
                held.take(key, address)
            line = open_line(address, visa_library)
            try:
                return ask_line(address, line, known, clock=clock)
            finally:
                line.close()
    except LeaseHeldError as error:
        return LineFinding(address, (), f"{str(error).removeprefix(f'{address} is ')}: nothing was asked")
    except NotConnectedError as error:
        return LineFinding(address, (), f"cannot be had, at {error.asked}: {error.came_back}")
    except DeviceError as error:
        return LineFinding(address, (), str(error))


def ask_line(address: str, line: UnknownLine, known: Sequence[KnownDevice], *, clock: Clock) -> LineFinding:
    """Ask on a line that is open; DeviceError when it is lost meanwhile."""
    return _Asking(address, line, clock).of(known)


@dataclass
class _Asking:
    """Asks on one line."""

    address: str
    line: UnknownLine
    clock: Clock
    heard: bytearray = field(default_factory=bytearray)
    unasked: bytes = b""
    echoes: bool = False
    strangers: list[str] = field(default_factory=list)
    halves: list[str] = field(default_factory=list)

    def of(self, known: Sequence[KnownDevice]) -> LineFinding:
        deadline = Deadline(self.clock, LONGEST_S)
        self.unasked = self._come_within(LISTEN_S)
        tried: list[str] = []
        for settings, some in self._rounds(known):
            if settings is not None and not self.line.set(settings):
                continue
            if settings is not None and str(settings) not in tried:
                tried.append(str(settings))
            found = self._round(some, settings, deadline)
            if found or self.strangers or self.halves:
                return LineFinding(self.address, tuple(found), self._said(found))
            if deadline.expired:
                return LineFinding(self.address, (), f"given up after {LONGEST_S:g} s; {self._nothing(tried)}")
        return LineFinding(self.address, (), self._nothing(tried))

    def _rounds(self, known: Sequence[KnownDevice]) -> list[tuple[LineSettings | None, list[KnownDevice]]]:
        """Text before octets, instruments before pumps, and the settings in the order in which drivers name them."""
        rounds: list[tuple[LineSettings | None, list[KnownDevice]]] = []
        for is_text in (True, False):
            some = sorted(
                (each for each in known if each.recognition.is_text is is_text),
                key=lambda each: (each.role == "pump", each.driver),
            )
            if not self.line.serial:
                rounds.append((None, [each for each in some if each.recognition.network]))
                continue
            likeliest = max((len(each.recognition.lines) for each in some), default=0)
            order = [line for n in range(likeliest) for each in some for line in each.recognition.lines[n : n + 1]]
            for settings in dict.fromkeys(order):
                rounds.append((settings, [each for each in some if settings in each.recognition.lines]))
        return rounds

    def _round(
        self, some: Sequence[KnownDevice], settings: LineSettings | None, deadline: Deadline
    ) -> list[Recognised]:
        """Put each first question once, and go on with those drivers whose first question is answered."""
        before = len(self.heard)
        asked: dict[bytes, re.Match[bytes] | None] = {}
        for each in some:
            probe = each.recognition.asks[0]
            if probe.sent in asked or deadline.expired:
                continue
            asked[probe.sent] = self._ask(probe, each.recognition.within_s)
            if asked[probe.sent] is not None:
                return self._followed(probe, some, settings, asked[probe.sent])
        self.heard += self._come_within(LATE_S)
        late = bytes(self.heard[before:])
        for each in some:
            if (probe := each.recognition.asks[0]).find(late) and not deadline.expired:
                return self._followed(probe, some, settings, None)
        return []

    def _followed(
        self, first: Probe, some: Sequence[KnownDevice], settings: LineSettings | None, before: re.Match[bytes] | None
    ) -> list[Recognised]:
        """Ask the first question again, and then the others of every driver that begins so.

        `before` is its first answer; None when that came too late to be told from another's.
        """
        patience = SLOW if before is None else 1.0
        found = []
        answer = b""
        answers: dict[bytes, re.Match[bytes] | None] = {}
        for each in (each for each in some if each.recognition.asks[0].sent == first.sent):
            matches: list[re.Match[bytes]] = []
            for probe in each.recognition.asks:
                if probe.sent not in answers:
                    answers[probe.sent] = self._ask(probe, patience * each.recognition.within_s)
                match = answers[probe.sent]
                if match is None:
                    self.halves.append(f"answered as a {each.driver} does, and then not to {probe.name}")
                    break
                if probe.sent == first.sent and before is not None and match.groups() != before.groups():
                    self.halves.append(f"answered {first.name} with {_shown(before[0])}, then with {_shown(match[0])}")
                    break
                answer = answer or match[0]
                matches.append(match)
            else:
                identity = _identity(each, matches)
                if identity is not None:
                    found.append(Recognised(each.driver, each.role, identity, settings))
        if not found and answer and not self.halves:
            self.strangers.append(f"answers {first.name} with {_shown(answer)}, and no driver here knows it")
        return found

    def _ask(self, probe: Probe, within_s: float) -> re.Match[bytes] | None:
        """Put a question on a line that is quiet, and wait for what its answer looks like."""
        self._end_half_line(probe)
        self.heard += self._drain()
        self.line.send(probe.sent)
        came = bytearray()
        deadline = Deadline(self.clock, within_s)
        while not deadline.expired and len(came) < MOST_HEARD:
            piece = self.line.receive(deadline.remaining_s)
            came += piece
            if piece and (match := probe.find(bytes(came))):
                self.heard += came
                return match
        self.heard += came
        self.echoes = self.echoes or bytes(came).startswith(probe.sent)
        return None

    def _end_half_line(self, probe: Probe) -> None:
        """Let no question be the rest of another, of another end, or of what came at another speed."""
        if end := probe.sent[len(probe.sent.rstrip(b"\r\n")) :]:
            self.line.send(end)
            self.heard += self.line.receive(QUIET_S)

    def _drain(self) -> bytes:
        """Hear out what is on its way; a line that never is quiet is not waited for."""
        came = bytearray()
        deadline = Deadline(self.clock, LISTEN_S)
        while not deadline.expired and (piece := self.line.receive(QUIET_S)):
            came += piece
        return bytes(came)

    def _come_within(self, seconds: float) -> bytes:
        came = bytearray()
        deadline = Deadline(self.clock, seconds)
        while not deadline.expired and len(came) < MOST_HEARD:
            came += self.line.receive(deadline.remaining_s)
        return bytes(came)

    def _said(self, found: Sequence[Recognised]) -> str:
        if not found:
            return "; ".join(dict.fromkeys([*self.strangers, *self.halves]))
        who = found[0].identity
        name = f"{who.maker} {who.model}, serial number {who.serial_number}"
        at = f" at {found[0].settings}" if found[0].settings is not None else ""
        drivers = " and ".join(f"{each.driver} ({each.role})" for each in found)
        return f"{name}{at}: recognised by {drivers}"

    def _nothing(self, tried: Sequence[str]) -> str:
        at = f" at {', '.join(tried)}" if tried else ""
        if self.echoes:
            return f"echoes what it is told{at}, and nothing else answers: a loop, or a device without power behind it"
        if self.unasked:
            return f"speaks unasked, {_shown(self.unasked)}, and answers no known question{at}"
        if self.heard:
            return f"speaks, {_shown(bytes(self.heard))}, and answers no known question{at}: another speed or device?"
        return f"mute{at}: check power, cable{' and whether it is set to one of these' if tried else ' and port'}"


def _identity(known: KnownDevice, matches: Sequence[re.Match[bytes]]) -> Identity | None:
    """Let the driver read the answers; one that it cannot read is another device's."""
    try:
        return known.recognition.identity(matches)
    except (ValueError, IndexError, TypeError):
        return None


def _shown(data: bytes) -> str:
    return f"{data[:SHOWN]!r}" + ("…" if len(data) > SHOWN else "")
