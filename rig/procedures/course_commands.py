"""Commands of a course as a protocol writes them: "5 min: bolus 2 U", with what the pump should answer.

Not responsible for when they are given nor for what is weighed (`course`).
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from rig.errors import RefusedError, WhyRefused
from rig.procedures.consecutive import logged_bolus_u
from rig.procedures.power import put_battery_in, take_battery_out
from rig.procedures.preparation import MIDNIGHT, MINUTES_A_DAY
from rig.record.taking import Recorder
from rig.roles import Annunciation, Bench, Capability, require
from rig.therapy import BasalSegment, BolusRequest, Setting, TemporaryRate
from rig.units import parse, parse_time_of_day

OBEYED, SEEN = "obeyed", "seen"
RESERVOIR_LINE = "reservoir"
EACH_AN_ID = "an id for each bolus"
NOTHING, NO_RESERVOIR = "nothing annunciated", "no reservoir"
LONGEST_WITHOUT_SUPPLY_S = 60.0
WHOLE_U, WHOLE_SHARE = 0.01, 0.01
"""A bolus is logged whole when it is within so many U, or such a share of it: less than a dose of most pumps, and as
much as a log's rounding to three digits."""
_WITHOUT_SUPPLY = "without supply for "
SETTINGS: Mapping[str, tuple[Setting, str, float]] = {
    "maximum bolus": (Setting.MAX_BOLUS_U, "insulin_u", 1.0),
    "maximum basal rate": (Setting.MAX_BASAL_U_PER_H, "rate_u_per_h", 1.0),
    "maximum of an hour": (Setting.MAX_HOUR_U, "insulin_u", 1.0),
    "maximum of a day": (Setting.MAX_DAY_U, "insulin_u", 1.0),
    "bolus speed": (Setting.BOLUS_RATE_U_PER_MIN, "rate_u_per_h", 1.0 / 60.0),
    "snooze time": (Setting.SNOOZE_MIN, "time_s", 1.0 / 60.0),
}
"""By the words for them: the setting, what it is a quantity of, and how many of its unit one of the base unit is."""
_OF_BOLUSES = (
    ("fast", re.compile(r"bolus (?P<fast>[^ ]+ U)")),
    ("extended", re.compile(r"extended bolus (?P<slow>[^ ]+ U) over (?P<over>[^ ]+ (?:min|h))")),
    ("both", re.compile(r"multiwave bolus (?P<fast>[^ ]+ U) and (?P<slow>[^ ]+ U) over (?P<over>[^ ]+ (?:min|h))")),
)
_DELAYED = re.compile(r"(?P<bolus>.*) in (?P<delay>[^ ]+ (?:min|h))")
_TEMPORARY = re.compile(r"(?P<change>change )?temporary rate (?P<rate>[^ ]+ (?:U/h|%)) for (?P<over>[^ ]+ (?:min|h))")
_AMOUNT = re.compile(r"(?P<least>[^ ]+ U) to (?P<most>[^ ]+ U) (?P<of>left|on board|more of boluses today)")
_TIME_LEFT = re.compile(r"(?P<least>[^ ]+ min) to (?P<most>[^ ]+ min) of insulin on board")
_UNDER_WAY = re.compile(r"(?P<count>[0-9]+) boluses under way")
_WHOLE = re.compile(r"bolus (?P<number>[0-9]+) whole")
_SETTING = re.compile(rf"(?P<name>{'|'.join(SETTINGS)}) (?P<value>.+)")
ALLOWED = (
    'such as "10 min: bolus 2 U", "extended bolus 2 U over 1 h", "multiwave bolus 2 U and 1 U over 1 h", "… in 15 min",'
    ' "cancel bolus 1", "run", "pause", "stop", "prime 5 U", "prime no more", "basal 1 U/h", '
    '"temporary rate 50 % for 1 h", "change temporary rate 80 % for 1 h", "reservoir 50 U", "reservoir out", '
    '"reservoir in", "without supply for 10 s", "clock 23:50", "maximum bolus 2 U", "snooze time 30 min", "snooze", '
    '"confirm", "confirm occlusion", "snooze occlusion", "see occlusion", "see occlusion pending", '
    '"see nothing annunciated", "see therapy stop", "see no reservoir", "see 49 U to 50 U left", '
    '"see 1 U to 2 U on board", "see 200 min to 220 min of insulin on board", "see 1 U to 2 U more of boluses today", '
    '"see an id for each bolus", "see 2 boluses under way", "see bolus 1 whole" (in the log), or '
    '", refused as out of range" behind one'
)


@dataclass
class Commander:
    """What a person with the pump in hand knows of it: ids of boluses in order, settings changed, alarms shown."""

    bench: Bench
    record: Recorder
    bolus_ids: list[int] = field(default_factory=list)
    boluses_u: list[float] = field(default_factory=list)
    shown_ids: dict[str, int] = field(default_factory=dict)
    today_before_u: float = 0.0
    settings_before: dict[Setting, float] = field(default_factory=dict)
    reservoir_out: bool = False

    def begin(self, *commands: PumpCommand) -> None:
        """Read what commands compare with later: the day's boluses."""
        if any(Capability.DAILY_TOTAL in command.needs for command in commands):
            self.today_before_u = require(self.bench.pump, Capability.DAILY_TOTAL).daily_total().bolus_u

    def shown(self) -> list[Annunciation]:
        """Look at what is annunciated, and remember the number of each kind."""
        shown = self.bench.pump.annunciations()
        self.shown_ids.update({each.kind: each.annunciation_id for each in shown})
        return shown

    def restore(self) -> None:
        """Set everything back that was set, and put back what was taken out."""
        if self.reservoir_out:
            _reservoir(self, out=False)
        for setting, value in self.settings_before.items():
            require(self.bench.pump, Capability.SETTINGS).set_setting(setting, value)


Doing = Callable[[Commander], str]


@dataclass(frozen=True)
class PumpCommand:
    """One command: when in s from the beginning, its words, and how the pump should answer them.

    Attributes:
        do: gives the command and says what came of it; RefusedError when the pump says no.
        needs: what a pump must be able to do for it.
        most_u: the insulin in U that it may have delivered at once.
        rate_u_per_h: the rate from then on; None where it sets none.
        lines: lines of the bench's switch that it moves.
        roles: instruments that it uses and not every bench has.
    """

    at_s: float
    words: str
    do: Doing
    needs: tuple[Capability, ...] = ()
    most_u: float = 0.0
    rate_u_per_h: float | None = None
    expected: str = OBEYED
    lines: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()

    def given(self, hands: Commander) -> str:
        """Give it, and say what came of it: a refusal is an answer too."""
        try:
            return self.do(hands)
        except RefusedError as error:
            return error.refusal.value


def parse_command(written: str) -> PumpCommand:
    """Read a command with its time; ValueError with what is allowed."""
    time, colon, words = written.strip().partition(": ")
    if not colon:
        raise ValueError(f"{written!r} is no command: write {ALLOWED}")
    words, comma, refusal = words.strip().partition(", refused as ")
    command = _command(parse(time, "time_s"), words.strip())
    return replace(command, expected=WhyRefused(refusal).value, most_u=0.0, rate_u_per_h=None) if comma else command


def _command(at_s: float, words: str) -> PumpCommand:
    for read in (_bolus, _temporary, _setting, _by_hand, _simple):
        command = read(at_s, words)
        if command is not None:
            return command
    raise ValueError(f"{words!r} is no command: write {ALLOWED}")


def _obeying(do: Callable[[Commander], None]) -> Doing:
    def doing(hands: Commander) -> str:
        do(hands)
        return OBEYED

    return doing


def _minutes(text: str) -> int:
    return round(parse(text, "time_s") / 60.0)


def _bolus(at_s: float, words: str) -> PumpCommand | None:
    delayed = _DELAYED.fullmatch(words)
    for kind, form in _OF_BOLUSES:
        found = form.fullmatch(delayed["bolus"] if delayed else words)
        if found is None:
            continue
        amounts = found.groupdict()
        request = BolusRequest(
            fast_u=parse(amounts["fast"], "insulin_u") if amounts.get("fast") else 0.0,
            extended_u=parse(amounts["slow"], "insulin_u") if amounts.get("slow") else 0.0,
            duration_min=_minutes(amounts["over"]) if amounts.get("over") else 0,
            delay_min=_minutes(delayed["delay"]) if delayed else 0,
        )
        needs: tuple[Capability, ...] = {
            "fast": (Capability.FAST_BOLUS,),
            "extended": (Capability.EXTENDED_BOLUS,),
            "both": (Capability.MULTIWAVE_BOLUS,),
        }[kind]
        needs = (*needs, Capability.DELAYED_BOLUS) if delayed else needs

        def deliver(hands: Commander, request: BolusRequest = request, delayed: bool = delayed is not None) -> None:
            pump = hands.bench.pump
            if delayed:
                bolus_id = require(pump, Capability.DELAYED_BOLUS).deliver(request)
            elif not request.extended_u:
                bolus_id = require(pump, Capability.FAST_BOLUS).bolus(request.fast_u)
            elif request.fast_u:
                bolus_id = require(pump, Capability.MULTIWAVE_BOLUS).deliver(request)
            else:
                bolus_id = require(pump, Capability.EXTENDED_BOLUS).deliver(request)
            hands.bolus_ids.append(bolus_id)
            hands.boluses_u.append(request.fast_u + request.extended_u)

        return PumpCommand(at_s, words, _obeying(deliver), needs, request.fast_u + request.extended_u)
    return None


def _temporary(at_s: float, words: str) -> PumpCommand | None:
    found = _TEMPORARY.fullmatch(words)
    if found is None:
        return None
    minutes, share = _minutes(found["over"]), found["rate"].endswith("%")
    amount = parse(found["rate"], "percent" if share else "rate_u_per_h")
    rate = TemporaryRate(minutes, factor=amount / 100.0) if share else TemporaryRate(minutes, rate_u_per_h=amount)

    def set_rate(hands: Commander) -> None:
        pump = require(hands.bench.pump, Capability.TEMPORARY_BASAL)
        pump.set_temporary_rate(rate, change=found["change"] is not None)

    return PumpCommand(at_s, words, _obeying(set_rate), (Capability.TEMPORARY_BASAL,))


def _setting(at_s: float, words: str) -> PumpCommand | None:
    found = _SETTING.fullmatch(words)
    if found is None:
        return None
    setting, dimension, scale = SETTINGS[found["name"]]
    value = parse(found["value"], dimension) * scale

    def set_it(hands: Commander) -> None:
        pump = require(hands.bench.pump, Capability.SETTINGS)
        before = pump.setting(setting)
        pump.set_setting(setting, value)
        hands.settings_before.setdefault(setting, before)

    return PumpCommand(at_s, words, _obeying(set_it), (Capability.SETTINGS,))


def _by_hand(at_s: float, words: str) -> PumpCommand | None:
    """Read what is done to the pump and not told to it: its supply and its reservoir."""
    if words in ("reservoir out", "reservoir in"):
        out = words.endswith("out")
        return PumpCommand(
            at_s,
            words,
            _obeying(lambda hands: _reservoir(hands, out=out)),
            (Capability.RESERVOIR_DETECTION,),
            lines=(RESERVOIR_LINE,),
        )
    if words.startswith(_WITHOUT_SUPPLY):
        lasts_s = parse(words.removeprefix(_WITHOUT_SUPPLY), "time_s")
        if not 0.0 < lasts_s <= LONGEST_WITHOUT_SUPPLY_S:
            raise ValueError(f"{words!r}: allowed are up to {LONGEST_WITHOUT_SUPPLY_S:g} s, while nothing is weighed")
        do = _obeying(lambda hands: _without_supply(hands, lasts_s))
        return PumpCommand(at_s, words, do, roles=("supply",))
    return None


def _reservoir(hands: Commander, *, out: bool) -> None:
    hands.bench.switch.set_line(RESERVOIR_LINE, energised=out)
    hands.reservoir_out = out


def _without_supply(hands: Commander, lasts_s: float) -> None:
    take_battery_out(hands.bench, hands.record)
    hands.bench.clock.sleep(lasts_s)
    put_battery_in(hands.bench, hands.record)


def _simple(at_s: float, words: str) -> PumpCommand | None:
    states: Mapping[str, Callable[[Commander], None]] = {
        "run": lambda hands: hands.bench.pump.run(),
        "pause": lambda hands: hands.bench.pump.pause(),
        "stop": lambda hands: hands.bench.pump.stop(),
        "confirm": _confirm,
    }
    if words == "snooze":
        return PumpCommand(at_s, words, _obeying(_snooze), (Capability.SNOOZE,))
    if words in states:
        return PumpCommand(at_s, words, _obeying(states[words]))
    verb, _, rest = words.partition(" ")
    if verb == "see" and rest:
        needs: tuple[Capability, ...] = (Capability.INSULIN_ON_BOARD,) if rest.endswith(" on board") else ()
        needs = (Capability.HISTORY,) if _WHOLE.fullmatch(rest) else needs
        needs = (Capability.DAILY_TOTAL,) if rest.endswith(" today") else needs
        return PumpCommand(at_s, words, lambda hands: _seen(hands, rest), needs, expected=SEEN)
    if verb == "prime":
        if rest == "no more":
            stop = _obeying(lambda hands: require(hands.bench.pump, Capability.PRIMING).stop_priming())
            return PumpCommand(at_s, words, stop, (Capability.PRIMING,))
        prime_u = parse(rest, "insulin_u")
        do = _obeying(lambda hands: require(hands.bench.pump, Capability.PRIMING).prime(prime_u))
        return PumpCommand(at_s, words, do, (Capability.PRIMING,), prime_u)
    if verb == "reservoir":
        holds_u = parse(rest, "insulin_u")

        def fill(hands: Commander) -> None:
            require(hands.bench.pump, Capability.RESERVOIR_LEVEL).set_reservoir_level(holds_u)

        return PumpCommand(at_s, words, _obeying(fill), (Capability.RESERVOIR_LEVEL,))
    if verb == "basal":
        rate = parse(rest, "rate_u_per_h")
        flat = [BasalSegment(MINUTES_A_DAY, rate)]

        def follow(hands: Commander) -> None:
            require(hands.bench.pump, Capability.BASAL_PROFILE).set_basal_profile(flat)

        return PumpCommand(at_s, words, _obeying(follow), (Capability.BASAL_PROFILE,), rate_u_per_h=rate)
    if verb == "clock":
        shows = MIDNIGHT + datetime.timedelta(minutes=parse_time_of_day(rest))
        do = _obeying(lambda hands: require(hands.bench.pump, Capability.CLOCK).set_clock(shows))
        return PumpCommand(at_s, words, do, (Capability.CLOCK,))
    if verb == "confirm" and rest:
        return PumpCommand(at_s, words, lambda hands: _answer_kind(hands.bench.pump.confirm, hands, rest))
    if verb == "snooze" and rest:
        return PumpCommand(
            at_s,
            words,
            lambda hands: _answer_kind(require(hands.bench.pump, Capability.SNOOZE).snooze, hands, rest),
            (Capability.SNOOZE,),
        )
    if verb == "cancel" and rest.startswith("bolus "):
        number = int(rest.removeprefix("bolus "))
        return PumpCommand(at_s, words, lambda hands: _cancel(hands, number), (Capability.CANCEL_BOLUS,))
    return None


def _confirm(hands: Commander) -> None:
    for annunciation in hands.shown():
        hands.bench.pump.confirm(annunciation.annunciation_id)


def _answer_kind(answer: Callable[[int], None], hands: Commander, kind: str) -> str:
    """Confirm or snooze an annunciation by the number under which its kind was last seen, whatever is shown now."""
    if kind not in hands.shown_ids:
        return "it was never seen"
    answer(hands.shown_ids[kind])
    return OBEYED


def _snooze(hands: Commander) -> None:
    for annunciation in hands.shown():
        require(hands.bench.pump, Capability.SNOOZE).snooze(annunciation.annunciation_id)


def _cancel(hands: Commander, number: int) -> str:
    """Cancel the bolus of this number, from 1; one that the pump never accepted cannot be."""
    if number > len(hands.bolus_ids):
        return "there is no such bolus"
    require(hands.bench.pump, Capability.CANCEL_BOLUS).cancel_bolus(hands.bolus_ids[number - 1])
    return OBEYED


def _whole(hands: Commander, number: int) -> str:
    """Say whether the log has the bolus of this number, from 1, with all that was asked for."""
    if not 0 < number <= len(hands.bolus_ids):
        return "there is no such bolus"
    asked_u = hands.boluses_u[number - 1]
    logged_u = logged_bolus_u(require(hands.bench.pump, Capability.HISTORY), hands.bolus_ids[number - 1])
    return SEEN if abs(logged_u - asked_u) <= max(WHOLE_U, WHOLE_SHARE * asked_u) else f"{logged_u:g} U logged"


def _seen(hands: Commander, what: str) -> str:
    """Look at annunciations, a therapy state, amounts, or ids of boluses; say what is to be seen when not."""
    pump = hands.bench.pump
    if what == EACH_AN_ID:
        return SEEN if len(set(hands.bolus_ids)) == len(hands.bolus_ids) else "one id for two boluses"
    if (asked := _AMOUNT.fullmatch(what)) is not None:
        least_u, most_u = parse(asked["least"], "insulin_u"), parse(asked["most"], "insulin_u")
        told_u: float | None
        if asked["of"] == "left":
            told_u = pump.status().reservoir_u
        elif asked["of"] == "on board":
            told_u = require(pump, Capability.INSULIN_ON_BOARD).insulin_on_board().insulin_u
        else:
            told_u = require(pump, Capability.DAILY_TOTAL).daily_total().bolus_u - hands.today_before_u
        return SEEN if told_u is not None and least_u <= told_u <= most_u else f"{told_u} U {asked['of']}"
    if (times := _TIME_LEFT.fullmatch(what)) is not None:
        left_min = require(pump, Capability.INSULIN_ON_BOARD).insulin_on_board().remaining_min
        return SEEN if _minutes(times["least"]) <= left_min <= _minutes(times["most"]) else f"{left_min} min"
    if (whole := _WHOLE.fullmatch(what)) is not None:
        return _whole(hands, int(whole["number"]))
    if (several := _UNDER_WAY.fullmatch(what)) is not None:
        count = len(require(pump, Capability.FAST_BOLUS).active_boluses())
        return SEEN if count == int(several["count"]) else f"{count} boluses under way"
    if what == NO_RESERVOIR:
        return "a reservoir" if pump.status().reservoir_attached else SEEN
    if what.startswith("therapy "):
        state = pump.status().therapy.value
        return SEEN if what == f"therapy {state}" else f"therapy {state}"
    shown = hands.shown()
    words = [each.kind for each in shown] + [f"{each.kind} {each.status}" for each in shown]
    return SEEN if what in (words or [NOTHING]) else ", ".join(words[len(shown) :]) or NOTHING
