"""The far side of the wire of a New Era NE-1000 syringe pump: RS-232 in Basic and Safe mode, alarms, pumping program.

Of the functions of a pumping phase only RAT and STP; no keypad, no TTL inputs and outputs, no second pump. Not
responsible for the fluid: the simulated world is.
Source: New Era, NE-1000 user manual, publication 1200-01, sections 10 and 12.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from instruments.new_era_ne1000.twin_line import PacketLine
from instruments.new_era_ne1000.twin_motor import MAX_SPEED_MM_PER_H, MIN_SPEED_MM_PER_H, Plunger, area_mm2
from rig.clock import Event, ns_from_s
from rig.virtual.port import Port
from rig.virtual.signals import Signals

BAUD: int | None = 19200
BITS_PER_CHARACTER = 10
"""8N1: start, eight data, stop."""
DATA_BITS = 8

VERSION = "NE1000V3.928"
PHASES = 41
FACTORY_DIAMETER_MM = 8.585
"""Of a 3 mL syringe (1200-01, 12.7). What a unit leaves the factory with is not stated: this one was set up before."""
LARGEST_DIAMETER_MM, SMALLEST_DIAMETER_MM = 50.0, 0.1
LARGEST_UL_DIAMETER_MM = 14.0
"""Up to it volumes are in µL, above in mL."""
LONGEST_SILENCE_S = 255
UL_PER_H = {"UH": 1.0, "MH": 1e3, "UM": 60.0, "MM": 60e3}
UL = {"UL": 1.0, "ML": 1e3}
NOT_NOW, OUT_OF_RANGE = "?NA", "?OOR"

_FLOAT = r"(?=[\d.]{1,5}(?:[A-Z]|$))(\d{1,4}\.?|\d{0,3}\.\d|\d{0,2}\.\d{2}|\d?\.\d{3})"
"""At most four digits and a point, at most three digits behind it (1200-01, 10.2.1)."""


@dataclass(frozen=True)
class Phase:
    """What one phase of the pumping program holds."""

    function: str = "STP"
    rate: float = 0.0
    rate_units: str = "UH"
    volume: float = 0.0
    direction: str = "INF"


class NE1000:
    """The pump: settings, program, state, alarm, and the command set."""

    def __init__(self, port: Port, signals: Signals, *, address: int) -> None:
        self._clock = port.clock
        self._address = address
        self._line = PacketLine(port, self._hear, lambda: self._line.send(f"{self._prompt()}?COM"))
        self._plunger = Plunger(port.clock, signals.push, self._end_phase, lambda: self._raise("S"))
        self._phases = {number: Phase() for number in range(1, PHASES + 1)}
        self._phases[1] = Phase(function="RAT")
        self._phase = 1
        self._diameter_mm = FACTORY_DIAMETER_MM
        self._volume_units = "UL"
        self._moving: Phase | None = None
        self._state = "S"
        self._silence_s = 0
        self._silence: Event | None = None
        self._alarm: str | None = "R"
        self._commands: tuple[tuple[re.Pattern[str], Callable[..., str]], ...] = tuple(
            (re.compile(pattern), act)
            for pattern, act in (
                ("", lambda: ""),
                ("VER", lambda: VERSION),
                (f"DIA(?:{_FLOAT})?", self._diameter),
                (f"RAT(?:{_FLOAT}(UH|MH|UM|MM)?)?", self._rate),
                (f"VOL(?:{_FLOAT}|(UL|ML))?", self._volume),
                ("DIR(INF|WDR|REV|STK)?", self._direction),
                (r"PHN(\d{1,2})?", self._select),
                ("FUN(RAT|STP)?", self._function),
                (r"RUN(\d{1,2})?", self._run),
                ("PUR", self._purge),
                ("STP", self._stop),
                ("DIS", self._dispensed),
                ("CLD(INF|WDR)", self._clear),
                (r"SAF(\d{1,3})?", self._safe),
            )
        )

    def cycle_power(self) -> None:
        """Take the mains plug out and put it back: settings stay, the program stops, the reset alarm is raised."""
        self._cancel_silence()
        self._raise("R")

    # ---- packets ----------------------------------------------------------------------------------------------

    def _hear(self, text: str) -> None:
        """Obey a command, or the parts of a burst that are for this pump (1200-01, 10.2.4 and 10.2.5)."""
        parts = [text]
        if re.fullmatch(r"(\d{1,2}[^*]+\*)+", text):
            parts = text.split("*")[:-1]
        for part in parts:
            match = re.fullmatch(r"(\d{1,2}|\*)?(.*)", part, re.DOTALL)
            assert match is not None  # everything matches
            if match[1] == "*" or int(match[1] or 0) == self._address:
                self._answer(match[2])

    def _answer(self, command: str) -> None:
        found = ((act, it.groups()) for pattern, act in self._commands if (it := pattern.fullmatch(command)))
        act, arguments = next(found, (None, ()))
        if act is None:
            self._line.send(self._prompt() + "?")
            return
        if self._alarm is not None:
            prompt, self._alarm = self._prompt(), None  # telling it acknowledges it; nothing else is done
            self._line.send(prompt)
        else:
            data = act(*arguments)
            self._line.send(self._prompt() + data)
        self._restart_silence()

    def _prompt(self) -> str:
        return f"{self._address:02d}" + (f"A?{self._alarm}" if self._alarm else self._state)

    def _raise(self, alarm: str) -> None:
        """Stop, and raise an alarm; in Safe mode it is told unasked, which does not acknowledge it."""
        self._halt()
        self._alarm = alarm
        if self._line.safe:
            self._line.send(self._prompt())

    def _cancel_silence(self) -> None:
        if self._silence is not None:
            self._silence.cancel()
            self._silence = None

    def _restart_silence(self) -> None:
        self._cancel_silence()
        if self._silence_s:
            due_ns = self._clock.now_ns + ns_from_s(self._silence_s)
            self._silence = self._clock.call_at(due_ns, lambda: self._raise("T"))

    # ---- settings ---------------------------------------------------------------------------------------------

    @property
    def _here(self) -> Phase:
        return self._phases[self._phase]

    def _store(self, phase: Phase) -> str:
        self._phases[self._phase] = phase
        return ""

    def _diameter(self, number: str | None) -> str:
        if number is None:
            return _shown(self._diameter_mm)
        if self._state != "S":
            return NOT_NOW
        if not SMALLEST_DIAMETER_MM <= float(number) <= LARGEST_DIAMETER_MM:
            return OUT_OF_RANGE
        self._diameter_mm = float(number)
        self._volume_units = "UL" if self._diameter_mm <= LARGEST_UL_DIAMETER_MM else "ML"
        return ""

    def _rate(self, number: str | None, units: str | None) -> str:
        phase = self._moving or self._here
        if number is None:
            return _shown(phase.rate) + phase.rate_units
        if self._state == "X" or (self._state != "S" and units not in (None, phase.rate_units)):
            return NOT_NOW
        new = replace(phase, rate=float(number), rate_units=units or phase.rate_units)
        slowest, fastest = (speed * area_mm2(self._diameter_mm) for speed in (MIN_SPEED_MM_PER_H, MAX_SPEED_MM_PER_H))
        if not slowest <= _ul_per_h(new) <= fastest:
            return OUT_OF_RANGE
        if self._moving is None:
            return self._store(new)
        self._moving = new  # in motion it is not stored
        if self._state in "IW":
            self._move(self._plunger.remaining_ul)
        return ""

    def _volume(self, number: str | None, units: str | None) -> str:
        if number is None and units is None:
            return _shown(self._here.volume) + self._volume_units
        if self._state != "S":
            return NOT_NOW
        if number is not None:
            return self._store(replace(self._here, volume=float(number)))
        assert units is not None
        self._volume_units = units
        return ""

    def _direction(self, direction: str | None) -> str:
        phase = self._moving or self._here
        if direction is None:
            return phase.direction
        if self._moving is not None and (phase.volume or direction == "STK"):
            return NOT_NOW
        if direction == "REV":
            direction = "INF" if phase.direction == "WDR" else "WDR"
        self._store(replace(self._here, direction=direction))
        if self._moving is not None:
            self._moving = replace(self._moving, direction=direction)
            if self._state in "IW":
                self._move(None)
        return ""

    def _select(self, number: str | None) -> str:
        if number is None:
            return f"{self._phase:02d}"
        if self._state != "S":
            return NOT_NOW
        if not 1 <= int(number) <= PHASES:
            return OUT_OF_RANGE
        self._phase = int(number)
        return ""

    def _function(self, function: str | None) -> str:
        if function is None:
            return self._here.function
        return NOT_NOW if self._state != "S" else self._store(replace(self._here, function=function))

    def _safe(self, number: str | None) -> str:
        if number is None:
            return f"{self._silence_s:03d}"
        if int(number) > LONGEST_SILENCE_S:
            return OUT_OF_RANGE
        self._silence_s = int(number)
        self._line.safe = self._silence_s > 0
        return ""

    # ---- pumping ----------------------------------------------------------------------------------------------

    def _run(self, number: str | None) -> str:
        if self._state == "P":
            self._move(self._plunger.remaining_ul)
            return ""
        first = int(number or 1)
        if not 1 <= first <= PHASES:
            return OUT_OF_RANGE
        phase = self._phases[first]
        if self._state != "S" or phase.function != "RAT" or phase.rate == 0.0:
            return NOT_NOW
        self._begin_phase(first)
        return ""

    def _begin_phase(self, number: int) -> None:
        phase = self._phases[number]
        self._phase, self._moving = number, phase
        self._move(phase.volume * UL[self._volume_units] or None)

    def _end_phase(self) -> None:
        following = self._phases.get(self._phase + 1)
        if following is None:
            self._raise("O")
        elif following.function == "RAT" and following.rate > 0.0:
            self._begin_phase(self._phase + 1)
        else:
            self._halt()

    def _move(self, target_ul: float | None) -> None:
        assert self._moving is not None
        withdraws = self._moving.direction == "WDR"
        self._state = "W" if withdraws else "I"
        self._plunger.start(
            direction=-1 if withdraws else 1,
            rate_ul_per_h=_ul_per_h(self._moving),
            diameter_mm=self._diameter_mm,
            target_ul=target_ul,
        )

    def _purge(self) -> str:
        if self._state != "S":
            return NOT_NOW
        fastest_ul_per_h = MAX_SPEED_MM_PER_H * area_mm2(self._diameter_mm)
        self._moving = replace(self._here, rate=fastest_ul_per_h, rate_units="UH")
        self._move(None)
        self._state = "X"
        return ""

    def _stop(self) -> str:
        if self._state == "S":
            return NOT_NOW
        if self._state in "IW":
            self._plunger.stop()
            self._state = "P"
        else:
            self._halt()
        return ""

    def _halt(self) -> None:
        self._plunger.stop()
        self._moving = None
        self._phase = 1
        self._state = "S"

    def _dispensed(self) -> str:
        unit_ul = UL[self._volume_units]
        infused, withdrawn = _shown(self._plunger.infused_ul / unit_ul), _shown(self._plunger.withdrawn_ul / unit_ul)
        return f"I{infused}W{withdrawn}{self._volume_units}"

    def _clear(self, direction: str) -> str:
        if self._state not in "SP":
            return NOT_NOW
        if direction == "INF":
            self._plunger.infused_ul = 0.0
        else:
            self._plunger.withdrawn_ul = 0.0
        return ""


def _ul_per_h(phase: Phase) -> float:
    return phase.rate * UL_PER_H[phase.rate_units]


def _shown(value: float) -> str:
    """Write a number as the pump does: four digits and a point (1200-01, 10.2.1); it starts anew after 9999."""
    for decimals in (3, 2, 1):
        text = f"{value:.{decimals}f}"
        if len(text) <= 5:
            return text
    return f"{round(value) % 10000:04d}."


def open_twin(port: Port, signals: Signals, *, serial_number: str) -> NE1000:
    """Put a pump on `port` that has just been switched on; its name plate is its network address, "address 00"."""
    match = re.fullmatch(r"address (\d{1,2})", serial_number)
    if match is None:
        raise ValueError(f"this pump goes by its network address, 'address 00' to 'address 99', got {serial_number!r}")
    return NE1000(port, signals, address=int(match[1]))
