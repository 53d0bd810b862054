"""The steps of a course in words: what the pump is told, what is done to the bench, for how long it is weighed.

    bolus 2 U                      basal 1 U/h                    run, stop, pause
    bolus 4 U over 60 min          profile 00:00 0.5 U/h, 06:00 1 U/h
    bolus 1 U + 3 U over 60 min    temporary 200 % for 30 min     temporary 0.1 U/h for 30 min
    bolus 2 U after 15 min         end temporary                  cancel bolus
    prime 5 U                      fill 30 U                      confirm
    set largest bolus to 2 U       clock 2028-02-28 23:50
    energise reservoir             release reservoir
    blocks 720 min 1 U/h, 60 min 2 U/h                            shows 2028-02-29 00:10
    wait 10 min                    weigh 10 min: 2 U              annunciated: occlusion

What comes in a wait belongs to the next stretch that is weighed, with what comes in that.
A command may end in what it is answered where that is not "accepted": `bolus 26 U -> parameter out of range`. Not
responsible for doing any of it (`course`).
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from rig.procedures.preparation import MINUTES_A_DAY
from rig.therapy import BasalSegment, BolusRequest, Setting, TemporaryRate
from rig.units import parse, parse_time_of_day

ACCEPTED = "accepted"


@dataclass(frozen=True)
class Told:
    """A command to the pump: which, with what, and what it is to answer."""

    words: str
    answer: str
    command: Command


@dataclass(frozen=True)
class Line:
    """A line of the bench's switch that is energised or released."""

    name: str
    energised: bool


@dataclass(frozen=True)
class Weighed:
    """So many s of readings; `expected_u` is what is programmed to come meanwhile, None where nobody judges it."""

    duration_s: float
    expected_u: float | None


@dataclass(frozen=True)
class Annunciated:
    """What the pump is to annunciate by now, by its kind."""

    kind: str


@dataclass(frozen=True)
class Shows:
    """What the pump's clock is to show by now, to a minute."""

    date_time: datetime.datetime


@dataclass(frozen=True)
class Run:
    """Set the therapy to run, stop or pause."""

    therapy: str


@dataclass(frozen=True)
class GiveBolus:
    """Give a bolus."""

    bolus: BolusRequest


@dataclass(frozen=True)
class CancelBolus:
    """Cancel the bolus that was accepted last."""


@dataclass(frozen=True)
class SetProfile:
    """Write and activate a basal profile."""

    segments: tuple[BasalSegment, ...]


@dataclass(frozen=True)
class SetTemporary:
    """Begin a temporary rate; end it where there is none."""

    temporary: TemporaryRate | None


@dataclass(frozen=True)
class Prime:
    """Fill the line by so many U."""

    insulin_u: float


@dataclass(frozen=True)
class Fill:
    """Tell that a reservoir with so many U was inserted."""

    insulin_u: float


@dataclass(frozen=True)
class Confirm:
    """Confirm whatever is annunciated."""


@dataclass(frozen=True)
class Set:
    """Change a setting."""

    setting: Setting
    value: float


@dataclass(frozen=True)
class SetClock:
    """Set date and time of day."""

    date_time: datetime.datetime


Command = Run | GiveBolus | CancelBolus | SetProfile | SetTemporary | Prime | Fill | Confirm | Set | SetClock
CourseStep = Told | Line | Weighed | Annunciated | Shows

SETTINGS: Mapping[str, tuple[Setting, str]] = {
    "largest bolus": (Setting.MAX_BOLUS_U, "insulin_u"),
    "highest basal": (Setting.MAX_BASAL_U_PER_H, "rate_u_per_h"),
    "most in an hour": (Setting.MAX_HOUR_U, "insulin_u"),
    "most in a day": (Setting.MAX_DAY_U, "insulin_u"),
    "speed": (Setting.BOLUS_RATE_U_PER_MIN, "rate_u_per_h"),
    "reservoir low": (Setting.RESERVOIR_LOW_U, "insulin_u"),
    "quick bolus": (Setting.QUICK_BOLUS_U, "insulin_u"),
}
"""Settings by the words of a course, with the dimension of their value."""
PER_MIN = 60.0


def parse_step(text: str) -> CourseStep:
    """Parse one step; ValueError with what was found and what is allowed."""
    words, arrow, answer = (part.strip() for part in text.partition("->"))
    for pattern, made in _STEPS:
        match = re.fullmatch(pattern, words)
        if match is not None and not arrow:
            return made(match)
    for pattern, command in _COMMANDS:
        match = re.fullmatch(pattern, words)
        if match is not None:
            return Told(words, answer or ACCEPTED, command(match))
    raise ValueError(f"{text!r} is no step of a course; steps are such as 'bolus 2 U', 'wait 10 min', 'weigh 1 h: 2 U'")


def _minutes(text: str) -> int:
    seconds = parse(text, "time_s")
    if seconds % 60.0:
        raise ValueError(f"{text!r}: pumps are told whole minutes")
    return int(seconds // 60.0)


def _bolus(match: re.Match[str]) -> GiveBolus:
    first, second, over, after = match.groups()
    first_u = parse(first, "insulin_u")
    slow_u = parse(second, "insulin_u") if second else first_u if over else 0.0
    return GiveBolus(
        BolusRequest(
            fast_u=0.0 if over and not second else first_u,
            extended_u=slow_u,
            duration_min=_minutes(over) if over else 0,
            delay_min=_minutes(after) if after else 0,
        )
    )


def _profile(match: re.Match[str]) -> SetProfile:
    begins = []
    for part in match[1].split(","):
        at, _, rate = part.strip().partition(" ")
        begins.append((parse_time_of_day(at), parse(rate, "rate_u_per_h")))
    if begins[0][0] != 0:
        raise ValueError(f"{match[0]!r}: a profile begins at 00:00")
    ends = [at for at, _ in begins[1:]] + [MINUTES_A_DAY]
    return SetProfile(tuple(BasalSegment(end - at, rate) for (at, rate), end in zip(begins, ends, strict=True)))


def _blocks(match: re.Match[str]) -> SetProfile:
    """Take blocks as they are written: what does not fill a day is for the pump to refuse."""
    found = [part.strip().split(" ", 2) for part in match[1].split(",")]
    return SetProfile(
        tuple(BasalSegment(_minutes(f"{much} {unit}"), parse(rate, "rate_u_per_h")) for much, unit, rate in found)
    )


def _temporary(match: re.Match[str]) -> SetTemporary:
    value, minutes = match[1], _minutes(match[2])
    if value.endswith("%"):
        return SetTemporary(TemporaryRate(minutes, factor=parse(value, "percent") / 100.0))
    return SetTemporary(TemporaryRate(minutes, rate_u_per_h=parse(value, "rate_u_per_h")))


def _set(match: re.Match[str]) -> Set:
    if match[1] not in SETTINGS:
        raise ValueError(f"{match[0]!r}: there is no setting {match[1]!r}; known are {', '.join(SETTINGS)}")
    setting, dimension = SETTINGS[match[1]]
    value = parse(match[2], dimension)
    return Set(setting, value / PER_MIN if setting is Setting.BOLUS_RATE_U_PER_MIN else value)


def _clock(match: re.Match[str]) -> SetClock:
    return SetClock(datetime.datetime.fromisoformat(match[1]))


def _weighed(match: re.Match[str]) -> Weighed:
    return Weighed(parse(match[1], "time_s"), parse(match[2], "insulin_u"))


_AMOUNT, _TIME = r"([\d.]+ U)", r"([\d.]+ (?:s|min|h))"
_STEPS: Sequence[tuple[str, Callable[[re.Match[str]], CourseStep]]] = (
    (rf"wait {_TIME}", lambda match: Weighed(parse(match[1], "time_s"), None)),
    (rf"weigh {_TIME}: {_AMOUNT}", _weighed),
    (r"shows (.+)", lambda match: Shows(datetime.datetime.fromisoformat(match[1]))),
    (r"annunciated: (.+)", lambda match: Annunciated(match[1])),
    (r"energise (\w+)", lambda match: Line(match[1], energised=True)),
    (r"release (\w+)", lambda match: Line(match[1], energised=False)),
)
_COMMANDS: Sequence[tuple[str, Callable[[re.Match[str]], Command]]] = (
    (r"(run|stop|pause)", lambda match: Run(match[1])),
    (rf"bolus {_AMOUNT}(?: \+ {_AMOUNT})?(?: over {_TIME})?(?: after {_TIME})?", _bolus),
    (r"cancel bolus", lambda _: CancelBolus()),
    (r"basal (.+)", lambda match: SetProfile((BasalSegment(MINUTES_A_DAY, parse(match[1], "rate_u_per_h")),))),
    (r"profile (.+)", _profile),
    (r"blocks (.+)", _blocks),
    (rf"temporary (.+) for {_TIME}", _temporary),
    (r"end temporary", lambda _: SetTemporary(None)),
    (rf"prime {_AMOUNT}", lambda match: Prime(parse(match[1], "insulin_u"))),
    (rf"fill {_AMOUNT}", lambda match: Fill(parse(match[1], "insulin_u"))),
    (r"confirm", lambda _: Confirm()),
    (r"set (.+) to (.+)", _set),
    (r"clock (.+)", _clock),
)
