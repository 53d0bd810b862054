"""The far side of the wire of a Keysight L4532A: two channels behind SCPI over TCP, a microphone and a pickup on them.

Idealised: a converter of 16 bits without noise and offset of its own, coupled to AC without a corner. Arming and
triggering at once is all it can: by a channel, from outside, by a timer or in several records are refused. Not
responsible for what is heard: the simulated world is.
Sources: see protocol.md, and there for what is not in it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from instruments.keysight_e36312a import scpi_syntax as syntax
from instruments.keysight_e36312a.scpi import Action, Parameters, ScpiExchange
from instruments.keysight_e36312a.scpi_syntax import ScpiError
from rig.clock import Event, ns_from_s
from rig.virtual.port import Port
from rig.virtual.signals import Signals

BAUD: int | None = None
BITS_PER_CHARACTER = 10
DATA_BITS = 8
ANSWER_AFTER_S = 0.010
"""Assumption: of the order of this maker's other instruments on a network."""

QUEUE_LENGTH = 20
FIRMWARE = "1.00-1.00-1.00"
RATES_HZ = tuple(digit * 10**decade for decade in range(3, 8) for digit in (1, 2, 5))[:-1]
"""1, 2, 5 kSa/s and so on up to 20 MSa/s."""
RANGES_V = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 128.0, 256.0)
MOST_SAMPLES = 32_000_000
FILTERS = ("LP_200_KHZ", "LP_2_MHZ", "LP_20_MHZ")
FULL_SCALE = 32767
CHANNELS = (1, 2)


@dataclass
class _Channel:
    range_v: float = 16.0
    coupling: str = "DC"
    filter: str = "LP_20_MHZ"


@dataclass(frozen=True)
class _Acquired:
    """A record in memory: counts of both channels."""

    counts: Mapping[int, bytes]


class L4532A:
    """The instrument: its channels, its acquisition, and the command table."""

    def __init__(self, port: Port, signals: Signals, *, serial_number: str) -> None:
        self._serial_number = serial_number
        self._signals = signals
        self._clock = port.clock
        self._ending: Event | None = None
        self._complete_wanted = False
        self._acquired: _Acquired | None = None
        self._defaults()
        self.exchange = ScpiExchange(port, self._commands(), queue_length=QUEUE_LENGTH, answer_after_s=ANSWER_AFTER_S)

    def _defaults(self) -> None:
        self._channels = {number: _Channel() for number in CHANNELS}
        self._rate_hz, self._count = 20_000_000, 1024
        self._swapped = False

    def _commands(self) -> Mapping[str, Action]:
        return {
            "*IDN?": self._identity,
            "*RST": self._reset,
            "*OPC": self._tell_completion,
            "*CLS": self._clear,
            "ABORt": self._abort,
            "INITiate[:IMMediate]": self._initiate,
            "CONFigure:CHANnel:ATTRibutes": self._set_channel,
            "CONFigure:CHANnel:ATTRibutes?": self._channel,
            "CONFigure:ACQuisition:ATTRibutes": self._set_acquisition,
            "CONFigure:ACQuisition:ATTRibutes?": self._acquisition,
            "CONFigure:ACQuisition:SRATe?": lambda given: self._told(given, f"{self._rate_hz:d}"),
            "CONFigure:ACQuisition:SCOunt?": lambda given: self._told(given, f"{self._count:d}"),
            "CONFigure:ACQuisition:SCOunt:MAXimum?": lambda given: self._told(given, f"{MOST_SAMPLES:d}"),
            "CONFigure:ARM:SOURce": self._only("IMMediate"),
            "CONFigure:TRIGger:SOURce": self._only("IMMediate"),
            "FORMat:INTeger": self._only("INTeger"),
            "FORMat:BORDer": self._set_byte_order,
            "FETCh:WAVeform:ADC?": self._fetch,
        }

    def _told(self, given: Parameters, answer: str) -> str:
        given.end()
        return answer

    def _only(self, choice: str) -> Action:
        """Take one choice, the only one that it has here."""

        def command(given: Parameters) -> None:
            if given.take_choice(choice) is None:
                given.take()
                raise ScpiError(-224)
            given.end()

        return command

    def _identity(self, given: Parameters) -> str:
        return self._told(given, f"Agilent Technologies,L4532A,{self._serial_number},{FIRMWARE}")

    def _reset(self, given: Parameters) -> None:
        given.end()
        self._give_up()
        self._defaults()

    def _clear(self, given: Parameters) -> None:
        given.end()
        self._complete_wanted = False
        self.exchange.status.clear()

    def _tell_completion(self, given: Parameters) -> None:
        given.end()
        if self._ending is None:
            self.exchange.status.complete()
        else:
            self._complete_wanted = True

    def _abort(self, given: Parameters) -> None:
        given.end()
        self._give_up()

    def _give_up(self) -> None:
        if self._ending is not None:
            self._ending.cancel()
        self._ending, self._acquired, self._complete_wanted = None, None, False

    def _initiate(self, given: Parameters) -> None:
        given.end()
        if self._ending is not None:
            raise ScpiError(-213)
        self._acquired = None
        begin_s, rate_hz, count = self._clock.now(), self._rate_hz, self._count
        end_ns = self._clock.now_ns + ns_from_s(count / rate_hz)
        self._ending = self._clock.call_at(end_ns, lambda: self._end(begin_s, rate_hz, count))

    def _end(self, begin_s: float, rate_hz: int, count: int) -> None:
        self._ending = None
        felt_v = self._signals.hear(begin_s, float(rate_hz), count)
        order = "<i2" if self._swapped else ">i2"
        counts = {
            number: np.clip(np.rint(volts * (FULL_SCALE / self._channels[number].range_v)), -FULL_SCALE, FULL_SCALE)
            .astype(order)
            .tobytes()
            for number, volts in zip(CHANNELS, felt_v, strict=True)
        }
        self._acquired = _Acquired(counts)
        if self._complete_wanted:
            self._complete_wanted = False
            self.exchange.status.complete()

    def _set_channel(self, given: Parameters) -> None:
        channels = self._chosen(given)
        range_v = syntax.numeric_value(given.take(), syntax.VOLTS)
        coupling = given.take_choice("AC", "DC")
        lowpass = given.take_choice(*FILTERS)
        if range_v not in RANGES_V or coupling is None or lowpass is None:
            raise ScpiError(-224)
        given.end()
        for number in channels:
            self._channels[number] = _Channel(range_v, coupling, lowpass)

    def _channel(self, given: Parameters) -> str:
        channels = [self._channels[number] for number in self._chosen(given)]
        given.end()
        return ",".join(f"{each.range_v:+.8E},{each.coupling},{each.filter}" for each in channels)

    def _set_acquisition(self, given: Parameters) -> None:
        rate_hz, count, before, records, holdoff_s, delay_s = (syntax.numeric_value(given.take()) for _ in range(6))
        given.end()
        if rate_hz not in RATES_HZ or not 8 <= count <= MOST_SAMPLES or count % 4:
            raise ScpiError(-222)
        if (before, records, holdoff_s, delay_s) != (0, 1, 0, 0):
            raise ScpiError(-222)
        self._rate_hz, self._count = round(rate_hz), round(count)

    def _acquisition(self, given: Parameters) -> str:
        return self._told(given, f"{self._rate_hz:d},{self._count:d},0,1,{0.0:+.8E},{0.0:+.8E}")

    def _set_byte_order(self, given: Parameters) -> None:
        order = given.take_choice("NORMal", "SWAPped")
        if order is None:
            raise ScpiError(-224)
        given.end()
        self._swapped = order == "SWAPped"

    def _fetch(self, given: Parameters) -> str:
        channels = self._chosen(given)
        given.end()
        if len(channels) != 1:
            raise ScpiError(-222)
        if self._acquired is None:
            raise ScpiError(-230)
        block = self._acquired.counts[channels[0]]
        length = f"{len(block):d}"
        return f"#{len(length)}{length}{block.decode('latin-1')}"

    def _chosen(self, given: Parameters) -> tuple[int, ...]:
        channels = syntax.channel_list(given.take())
        if not set(channels) <= set(CHANNELS):
            raise ScpiError(-222)
        return channels


def open_twin(port: Port, signals: Signals, *, serial_number: str) -> L4532A:
    """Put an L4532A on `port`, with the world's microphone on channel 1 and its pickup on channel 2."""
    return L4532A(port, signals, serial_number=serial_number)
