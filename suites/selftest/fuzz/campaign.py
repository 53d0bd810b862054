"""Frames by the thousand: damaged on four layers, sent in floods, and an account of what the pump said to them.

A campaign is repeatable: the seed gives the frames, and simulated time the answers. `sent` keeps the last frames, so
that a failure can be replayed. Not responsible for whether what the pump delivered was asked for (ledger).
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable
from random import Random

from suites.selftest.conformance.client import crc
from suites.selftest.fuzz.corpus import Request, attribute_requests, control_point_requests, delivering_requests
from suites.selftest.fuzz.mutate import damaged, damaged_line
from suites.selftest.fuzz.stand import QUIET_S, Stand, flipped, frame

LINE, CONTENT, VALUE, STALE = "line", "frame content", "protected value", "replayed or out of order"
GUARD = "one guard wrong"
"""A request to deliver, right but for its frame check sequence, its E2E-CRC or its E2E-Counter."""
LAYERS = (LINE, CONTENT, VALUE, STALE, GUARD)
WHOLE = "undamaged"
"""A right request now and then, so that the damaged ones find the pump in all its states; it counts as no frame."""
WHOLE_SHARE = 0.1
BATCH = 100
"""Frames of one connection; a new one begins with right counters again."""
MANY = 100
"""So many values in one answer are a report of the log: a new connection ends it."""
KEPT = 400

OUT_OF_STEP = ("ATT error 82", "ATT error fd")
"""Answers to a right counter when something before it was taken, or switched indications off: time to connect anew."""

Allowed = Callable[[bytes], bool]


class Campaign:
    """One phase against one pump.

    Args:
        stand: the pump.
        seed: of everything that is drawn.
        allowed: whether octets may be sent at all: a command that is right and would be obeyed has to be kept out.

    Attributes:
        frames: how many frames were sent, by layer.
        answers: how many answers came, by kind.
        sent: the last octets sent, newest last.
    """

    def __init__(self, stand: Stand, seed: int, allowed: Allowed) -> None:
        self._stand = stand
        self._rng = Random(seed)
        self._allowed = allowed
        self._points = control_point_requests()
        self._others = attribute_requests()
        self._delivering = delivering_requests()
        self._point = ""  # that the last request was for
        self._due = ""  # the one whose counter goes on when the pump takes the write
        self._history: deque[bytes] = deque([b"\x00"], maxlen=64)
        self._client = stand.connect()
        self.frames: Counter[str] = Counter()
        self.answers: Counter[str] = Counter()
        self.sent: deque[bytes] = deque(maxlen=KEPT)

    @property
    def damaged(self) -> int:
        """How many damaged frames were sent."""
        return sum(self.frames[layer] for layer in LAYERS)

    def run(self, count: int) -> None:
        """Send `count` damaged frames, and after each batch see that the pump still answers as it should."""
        while self.damaged < count:
            for _ in range(BATCH):
                self._due = ""
                layer = WHOLE if self._rng.random() < WHOLE_SHARE else self._rng.choice(LAYERS)
                counted = layer in (VALUE, WHOLE)
                if counted or layer == GUARD:
                    self._drain()  # its counter is right only when all before it has been answered
                self._send_one(layer)
                self._due = self._point if counted else ""
                if (counted or self._rng.random() < 0.5) and self._drain():  # others are sent into the answer
                    break
            self._drain()
            self.look()

    def look(self) -> None:
        """Connect anew and read the status: no hang, no crash, no restart."""
        self._stand.check_alive()
        self._client = self._stand.connect()
        self._client.read("status")

    def _send_one(self, layer: str) -> None:
        while True:
            octets = self._made(layer)
            if self._allowed(octets):
                break
        self.frames[layer] += 1
        self.sent.append(octets)
        self._stand.write(octets)

    def _made(self, layer: str) -> bytes:
        """Make one damaged frame: its octets on the line."""
        rng = self._rng
        if layer == STALE:
            return self._stale()
        if layer == GUARD:
            return self._unguarded()
        pdu = self._right(
            rng.choice(self._points if layer in (VALUE, WHOLE) or rng.random() < 0.5 else self._others), layer
        )
        self._history.append(pdu)
        if layer == CONTENT:
            pdu = damaged(rng, pdu)
        octets = frame(pdu)
        return damaged_line(rng, octets, frame(self._history[0])) if layer == LINE else octets

    def _right(self, request: Request, layer: str) -> bytes:
        """A whole PDU with the right counter and checksum; on the value's layer, of a damaged value."""
        if not request.point:
            return request.octets
        value = damaged(self._rng, request.octets) if layer == VALUE else request.octets
        self._point = request.point
        return self._write(request.point, self._client.protected(request.point, value.hex()))

    def _write(self, point: str, value: bytes) -> bytes:
        return bytes.fromhex(f"12 {self._client.handles[point]:02x}00") + value

    def _unguarded(self) -> bytes:
        """Ask to deliver, with one bit of a checksum flipped, or a counter that is not due."""
        rng = self._rng
        request = rng.choice(self._delivering)
        guard, bit = rng.randrange(3), 1 << rng.randrange(16)
        skip = rng.randint(1, 254) if guard == 0 else 0
        value = self._client.protected(request.point, request.octets.hex(), skip=skip)
        if guard == 1:
            value = flipped(value, bit)
        pdu = self._write(request.point, value)
        return frame(pdu, flip=bit if guard == 2 else 0)

    def _stale(self) -> bytes:
        """Repeat something, or use a counter that is not due, or a checksum of other octets."""
        rng = self._rng
        match rng.randrange(3):
            case 0:
                pdu = rng.choice(self._history)
            case 1:
                request = rng.choice(self._points)
                value = self._client.protected(request.point, request.octets.hex(), skip=rng.randint(1, 254))
                pdu = self._write(request.point, value)
            case _:
                request = rng.choice(self._points)
                value = request.octets + bytes([0]) + crc(request.octets + bytes([0]))
                pdu = self._write(request.point, value)
        return frame(pdu)

    def _drain(self) -> bool:
        """Hear the pump out and confirm what it indicates; whether a new connection is better than to go on."""
        for _ in range(MANY):
            pdu = self._stand.receive(QUIET_S)
            if pdu is None:
                return False
            if pdu[:1] == b"\x1d":
                self._stand.send(b"\x1e")
            elif pdu == b"\x13" and self._due:
                self._client.count(self._due)
                self._due = ""
            kind = _kind(pdu)
            self.answers[kind] += 1
            if self._due and kind in OUT_OF_STEP:
                return True
        return True


def _kind(pdu: bytes) -> str:
    match pdu[:1].hex():
        case "01":
            return f"ATT error {pdu[4:5].hex()}"
        case "13":
            return "write taken"
        case "1b":
            return "notification"
        case "1d":
            return "indication: success" if pdu[-4:-3] in (b"\x0f", b"\xf0") else "indication: refusal or value"
        case _:
            return "another response"
