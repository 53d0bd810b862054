"""Keysight (Agilent) L4532A digitizer as the recorder of sound and vibration: channel 1 hears, channel 2 feels.

Both channels are sampled at the same moments by one clock, without a gap. Not responsible for what is heard in it
(`rig.analysis.alarm_sound`), nor for microphone, pickup and their amplifiers.
Sources: see protocol.md.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, TypeVar

import numpy as np
from numpy.typing import NDArray
from pydantic import AfterValidator

from rig.clock import Clock
from rig.errors import BadReplyError, NoReplyError, RefusedError
from rig.roles import Identity, SoundRecording
from rig.roles.recognition import scpi_recognition
from rig.step import Probe
from rig.wire import Wire

Made = TypeVar("Made")

ROLE = "sound"
"""What it does on a bench: the table of a bench file that it belongs into."""

SOUND, VIBRATION = 1, 2
"""Channels of microphone and pickup."""
RATE_HZ = 10_000
"""Of the rates that it has (1, 2, 5, 10 kHz …), the lowest that holds harmonics up to 4 kHz."""
RANGES_V = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 128.0, 256.0)
FULL_SCALE = 32767
"""Counts at the end of a range; −32768 stands for a sample that is none."""
LEAST_SAMPLES, MULTIPLE_OF = 8, 4
LONGEST_S = 1800.0
"""18 million samples of each channel, of the 32 million that the memory without an option holds."""

REPLY_TIMEOUT_S = 2.0
BLOCK_TIMEOUT_S = 60.0
"""36 MB of a channel come in it over a network of 10 Mbit/s."""
READY_WITHIN_S = 5.0
"""So much later than by its own clock the end of a recording may be told."""
LOOK_EVERY_S = 0.1
ERROR_QUEUE_LENGTH = 20

PROBE = Probe(b"*IDN?\n", re.compile(rb"(?<![^\n])[^,\n]*,[^,\n]*,[^,\n]*,[^,\n]*\n"))
"""Its answer has three commas, which no other answer to the driver has (protocol.md, In step)."""

RECOGNITION = scpi_recognition("L4532A")

_LOOK_AT_LINK = "check the network cable, the address and that the digitizer is switched on (protocol.md, Framing)"


def _known_range(range_v: float) -> float:
    if range_v not in RANGES_V:
        raise ValueError(f"allowed are {', '.join(f'{each:g}' for each in RANGES_V)}")
    return range_v


RangeV = Annotated[float, AfterValidator(_known_range)]
"""End of a channel's range in V, as the digitizer has it."""


@dataclass(frozen=True)
class _Begun:
    """A recording on its way: when it began, between these two moments, and how many samples it has."""

    from_s: float
    until_s: float
    count: int


class KeysightL4532A:
    """Sound recorder role over SCPI."""

    def __init__(self, wire: Wire, clock: Clock, ranges_v: tuple[float, float]) -> None:
        self._wire = wire
        self._clock = clock
        self._ranges_v = ranges_v
        self._begun: _Begun | None = None
        self._error_unread = False

    def identify(self) -> Identity:
        """Maker, model, serial number and firmware version (*IDN?)."""
        return self._ask("*IDN?", self._identity)

    def self_test(self) -> str:
        """Read the error queue empty; RefusedError naming what was in it, power-on self-test errors included.

        *TST? is not sent: it takes the inputs apart for its time (protocol.md, Write safety).
        """
        errors = self._wire.command(self._take_errors, asked="'SYST:ERR?'")
        if errors:
            raise self._refused("the self test", errors)
        most = self._ask("CONF:ACQ:SCO:MAX?", self._number)
        return f"no errors; memory for {most / RATE_HZ:.0f} s of two channels at {RATE_HZ / 1e3:g} kHz"

    def begin(self, *, lasting_s: float) -> None:
        """Begin a recording of `lasting_s` at 10 kHz; returns at once. ValueError when it cannot last so long."""
        if not 0.0 < lasting_s <= LONGEST_S:
            raise ValueError(f"Expected a recording that lasts up to {LONGEST_S:g} s, got {lasting_s:g} s")
        self.make_safe()
        count = max(LEAST_SAMPLES, MULTIPLE_OF * math.ceil(lasting_s * RATE_HZ / MULTIPLE_OF))
        for channel, range_v in zip((SOUND, VIBRATION), self._ranges_v, strict=True):
            self._command(f"CONF:CHAN:ATTR (@{channel}),{range_v:g},AC,LP_200_KHZ")
        self._command(f"CONF:ACQ:ATTR {RATE_HZ},{count},0,1,0,0")
        self._command("CONF:ARM:SOUR IMM;:CONF:TRIG:SOUR IMM;:FORM:INT INT;:FORM:BORD NORM;*CLS")
        from_s = self._clock.now()
        self._command("INIT")
        self._begun = _Begun(from_s, self._clock.now(), count)
        self._command("*OPC")

    def fetch(self) -> SoundRecording:
        """Wait for the end of the recording that was begun, and read both channels; RefusedError when none was."""
        begun = self._begun
        if begun is None:
            raise RefusedError(
                asked="fetching a recording",
                of_whom=self._wire.device,
                came_back="none was begun",
                look_at="begin one before",
            )
        self._await_end(begun)
        sound, vibration = (self._channel(channel, begun.count) for channel in (SOUND, VIBRATION))
        self._begun = None
        between_s = begun.until_s - begun.from_s
        return SoundRecording(
            began_at_s=begun.from_s + between_s / 2.0,
            began_u_s=between_s / math.sqrt(12.0),  # it began somewhere between, each moment as likely
            rate_hz=float(RATE_HZ),
            sound_v=sound * (self._ranges_v[0] / FULL_SCALE),
            vibration_v=vibration * (self._ranges_v[1] / FULL_SCALE),
            full_scale_v=self._ranges_v,
        )

    def make_safe(self) -> None:
        """Give up a recording that is on its way; nothing that the instrument does reaches the pump."""
        if self._begun is not None:
            self._begun = None
            self._command("ABOR")

    def close(self) -> None:
        """Release the connection."""
        self._wire.close()

    def _await_end(self, begun: _Begun) -> None:
        due_s = begun.until_s + begun.count / RATE_HZ
        self._clock.sleep(max(0.0, due_s - self._clock.now()))
        last_s = self._clock.now() + READY_WITHIN_S
        while not self._wire.command(self._operation_is_complete, asked="'*ESR?'"):
            if self._clock.now() >= last_s:
                raise NoReplyError(
                    asked="'*ESR?'",
                    of_whom=self._wire.device,
                    came_back=f"did not say within {READY_WITHIN_S:g} s of its end that the recording is complete",
                    look_at="is it armed and triggered at once, by its own clock? (protocol.md, SoundRecording)",
                )
            self._clock.sleep(LOOK_EVERY_S)

    def _operation_is_complete(self) -> bool:
        """Whether the end was told (*ESR?, which forgets what it tells, so that it is asked once at a time)."""
        return bool(int(self._number("*ESR?", self._wire.query("*ESR?", look_at=_LOOK_AT_LINK))) & 1)

    def _channel(self, channel: int, count: int) -> NDArray[np.float64]:
        query = f"FETC:WAV:ADC? (@{channel})"

        def exchange() -> NDArray[np.float64]:
            self._wire.write(query)
            block = self._wire.read_block(
                asked=repr(query), look_at=_LOOK_AT_LINK, timeout_s=BLOCK_TIMEOUT_S, longest=2 * count
            )
            if len(block) != 2 * count:
                raise self._bad(query, f"{len(block)} bytes", f"expected {2 * count}")
            counts = np.frombuffer(block, dtype=">i2")
            if np.any(counts == -FULL_SCALE - 1):
                raise self._bad(query, "samples that are none (-32768)", "expected a whole recording")
            return counts.astype(np.float64)

        return self._wire.ask(exchange, asked=repr(query))

    def _command(self, command: str) -> None:
        """Write and ask for errors, once; what the errors of a command before it were is asked first, if unknown."""
        if self._error_unread:
            self._wire.command(self._take_errors, asked="'SYST:ERR?'")

        def write() -> list[str]:
            self._wire.write(command)
            return self._take_errors()

        self._error_unread = True
        errors = self._wire.command(write, asked=repr(command))
        self._error_unread = False
        if errors:
            raise self._refused(repr(command), errors)

    def _take_errors(self) -> list[str]:
        errors: list[str] = []
        while len(errors) <= ERROR_QUEUE_LENGTH:
            reply = self._wire.query("SYST:ERR?", look_at=_LOOK_AT_LINK)
            number, comma, text = reply.partition(",")
            if not comma or not number.lstrip("+-").isdecimal():
                raise self._bad("SYST:ERR?", repr(reply), "expected a number and a text")
            if int(number) == 0:
                return errors
            errors.append(f"{int(number)} {text.strip()}")
        raise self._bad("SYST:ERR?", errors[-1], f"more errors than the {ERROR_QUEUE_LENGTH} that the queue holds")

    def _number(self, query: str, reply: str) -> float:
        try:
            value = float(reply)
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            raise self._bad(query, repr(reply), "expected a number")
        return value

    def _identity(self, query: str, reply: str) -> Identity:
        fields = [field.strip() for field in reply.split(",")]
        if len(fields) != 4:
            raise self._bad(query, repr(reply), "expected maker, model, serial number and firmware")
        return Identity(*fields)

    def _ask(self, query: str, understand: Callable[[str, str], Made]) -> Made:
        """Ask what changes nothing; `understand` makes something of the query and its reply."""

        def exchange() -> Made:
            return understand(query, self._wire.query(query, look_at=_LOOK_AT_LINK))

        return self._wire.ask(exchange, asked=repr(query))

    def _bad(self, asked: str, reply: str, expected: str) -> BadReplyError:
        return BadReplyError(
            asked=repr(asked),
            of_whom=self._wire.device,
            came_back=f"answered {reply}",
            look_at=f"{expected}: is another instrument on this address?",
        )

    def _refused(self, asked: str, errors: list[str]) -> RefusedError:
        return RefusedError(
            asked=asked,
            of_whom=self._wire.device,
            came_back=f"reported {', '.join(errors)}",
            look_at="see the error messages of its user's guide",
        )


def open_driver(
    wire: Wire, *, clock: Clock, sound_range_v: RangeV = 1.0, vibration_range_v: RangeV = 1.0
) -> KeysightL4532A:
    """Configure the wire for an L4532A and return its driver; nothing is sent yet."""
    wire.configure_text(read_end="\n", write_end="\n", timeout_s=REPLY_TIMEOUT_S)
    wire.configure_probe(PROBE)
    return KeysightL4532A(wire, clock, (sound_range_v, vibration_range_v))
