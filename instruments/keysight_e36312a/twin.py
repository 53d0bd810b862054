"""The far side of the wire of a Keysight E36312A: three outputs behind SCPI over TCP; output 1 is the pump's rail.

Idealised: readings have no error. Protection (OVP, OCP), list mode, sensing, tracking and data logging are not here:
their commands answer -113. Not responsible for the load: the simulated world is.
Source: Keysight E36300 Series Programming Guide, E36311-90008 (2019); see protocol.md for what is not in it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from instruments.keysight_e36312a import scpi_syntax as syntax
from instruments.keysight_e36312a.outputs import NoLoad, Output, SettingRange
from instruments.keysight_e36312a.scpi import Action, Parameters, ScpiExchange
from instruments.keysight_e36312a.scpi_syntax import ScpiError
from rig.virtual.port import Port
from rig.virtual.signals import Signals

BAUD: int | None = None
BITS_PER_CHARACTER = 10
DATA_BITS = 8
ANSWER_AFTER_S = 0.010
"""Command processing time of the E36300 series, below 10 ms (data sheet 5992-2124EN)."""

QUEUE_LENGTH = 20
FIRMWARE = "2.1.0-1.0.4-1.12"  # as a real unit states it

_CHANNEL_NAMES = {"P6V": 1, "P25V": 2, "N25V": 3, "CH1": 1, "CH2": 2, "CH3": 3, "1": 1, "2": 2, "3": 3}


# Programming ranges and output identifiers, programming guide page 16.
_VOLTAGE = {1: SettingRange(6.18, 0.0, 0.0), 2: SettingRange(25.75, 0.0, 0.0), 3: SettingRange(25.75, 0.0, 0.0)}
_CURRENT = {1: SettingRange(5.15, 0.001, 5.0), 2: SettingRange(1.03, 0.001, 1.0), 3: SettingRange(1.03, 0.001, 1.0)}


class E36312A:
    """The instrument: its outputs, the selected channel, and the command table."""

    def __init__(self, port: Port, signals: Signals, *, serial_number: str) -> None:
        self._serial_number = serial_number
        self.outputs = {
            channel: Output(signals if channel == 1 else NoLoad(), _VOLTAGE[channel], _CURRENT[channel])
            for channel in _VOLTAGE
        }
        self._selected = 1
        signals.set_rail(0.0)
        self.exchange = ScpiExchange(port, self._commands(), queue_length=QUEUE_LENGTH, answer_after_s=ANSWER_AFTER_S)

    def _commands(self) -> Mapping[str, Action]:
        voltage = "[SOURce:]VOLTage[:LEVel][:IMMediate][:AMPLitude]"
        current = "[SOURce:]CURRent[:LEVel][:IMMediate][:AMPLitude]"
        return {
            "*IDN?": self._identity,
            "*RST": self._reset,
            "*TRG": self._trigger,
            "*TST?": self._self_test,
            "APPLy": self._apply,
            "APPLy?": self._applied,
            voltage: lambda given: self._set(given, "voltage", syntax.VOLTS),
            voltage + "?": lambda given: self._setting(given, "voltage"),
            current: lambda given: self._set(given, "current", syntax.AMPERES),
            current + "?": lambda given: self._setting(given, "current"),
            "OUTPut[:STATe]": self._switch,
            "OUTPut[:STATe]?": lambda given: self._each(given, lambda output: f"{output.on:d}"),
            "MEASure[:SCALar][:VOLTage][:DC]?": lambda given: self._each(given, lambda out: _nr3(out.measured_v())),
            "MEASure[:SCALar]:CURRent[:DC]?": lambda given: self._each(given, lambda out: _nr3(out.measured_a())),
            "INSTrument[:SELect]": self._select,
            "INSTrument[:SELect]?": self._selection("CH"),
            "INSTrument:NSELect": self._select,
            "INSTrument:NSELect?": self._selection(""),
            "STATus:QUEStionable:INSTrument:ISUMmary#:CONDition?": self._condition,
        }

    def _identity(self, given: Parameters) -> str:
        given.end()
        return f"Keysight Technologies,E36312A,{self._serial_number},{FIRMWARE}"

    def _reset(self, given: Parameters) -> None:
        given.end()
        self._selected = 1
        for output in self.outputs.values():
            output.reset()

    def _trigger(self, given: Parameters) -> None:
        given.end()
        raise ScpiError(-211)  # no list or step is ever armed here

    def _self_test(self, given: Parameters) -> str:
        given.end()
        return "+0"

    def _apply(self, given: Parameters) -> None:
        output = self.outputs[_channel(given)]
        voltage_v = _level(given, output.voltage, syntax.VOLTS) if given.left else output.voltage_v
        current_a = _level(given, output.current, syntax.AMPERES) if given.left else output.current_a
        given.end()
        output.voltage_v, output.current_a = voltage_v, current_a
        output.regulate()

    def _applied(self, given: Parameters) -> str:
        output = self.outputs[_channel(given) if given.left else self._selected]
        given.end()
        return f'"{_nr3(output.voltage_v)},{_nr3(output.current_a)}"'

    def _set(self, given: Parameters, quantity: str, factors: Mapping[str, float]) -> None:
        outputs = self._chosen(given)
        text = given.take()
        given.end()
        levels = [_level(Parameters((text,), ()), getattr(output, quantity), factors) for output in outputs]
        for output, level in zip(outputs, levels, strict=True):
            setattr(output, "voltage_v" if quantity == "voltage" else "current_a", level)
            output.regulate()

    def _setting(self, given: Parameters, quantity: str) -> str:
        outputs = self._chosen(given)
        bound = given.take_choice("MINimum", "MAXimum", "DEFault") if given.left else None
        given.end()
        if bound is None:
            return _joined(output.voltage_v if quantity == "voltage" else output.current_a for output in outputs)
        return _joined(_bound(getattr(output, quantity), bound) for output in outputs)

    def _switch(self, given: Parameters) -> None:
        outputs = self._chosen(given)
        on = syntax.boolean(given.take())
        given.end()
        for output in outputs:
            output.on = on
            output.regulate()

    def _each(self, given: Parameters, answer: Callable[[Output], str]) -> str:
        outputs = self._chosen(given)
        given.end()
        return ",".join(answer(output) for output in outputs)

    def _select(self, given: Parameters) -> None:
        channel = _channel(given)
        given.end()
        self._selected = channel

    def _selection(self, prefix: str) -> Action:
        def query(given: Parameters) -> str:
            given.end()
            return f"{prefix}{self._selected}"

        return query

    def _condition(self, given: Parameters) -> str:
        given.end()
        if given.suffixes[0] not in self.outputs:
            raise ScpiError(-114)
        return f"{self.outputs[given.suffixes[0]].condition:+d}"

    def _chosen(self, given: Parameters) -> list[Output]:
        channels = given.take_channels() or (self._selected,)
        if not set(channels) <= set(self.outputs):
            raise ScpiError(-222)
        return [self.outputs[channel] for channel in channels]


def _channel(given: Parameters) -> int:
    channel = _CHANNEL_NAMES.get(given.take().upper())
    if channel is None:
        raise ScpiError(-224)
    return channel


def _level(given: Parameters, span: SettingRange, factors: Mapping[str, float]) -> float:
    bound = given.take_choice("MINimum", "MAXimum", "DEFault")
    level = syntax.numeric_value(given.take(), factors) if bound is None else _bound(span, bound)
    if not span.minimum <= level <= span.maximum:
        raise ScpiError(-222)
    return level


def _bound(span: SettingRange, bound: str) -> float:
    return {"MINimum": span.minimum, "MAXimum": span.maximum, "DEFault": span.default}[bound]


def _joined(values: Iterable[float]) -> str:
    return ",".join(_nr3(value) for value in values)


def _nr3(value: float) -> str:
    return f"{value:+.8E}"


def open_twin(port: Port, signals: Signals, *, serial_number: str) -> E36312A:
    """Put an E36312A on `port`, with output 1 on the rail of `signals`."""
    return E36312A(port, signals, serial_number=serial_number)
