"""What the console understands: one table of commands, each a few lines over the roles of the bench.

Not responsible for reading lines or for what the devices do.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rich.console import Console

from rig.cli.printing import print_table, say
from rig.procedures.day_in_words import read_profile
from rig.roles import Bench, Capability, require
from rig.therapy import BolusRequest, Meal, Setting, TemporaryRate
from rig.units import parse


class WordsError(ValueError):
    """What was typed is not what the command takes."""


@dataclass(frozen=True)
class Session:
    """The bench at hand and where answers are printed."""

    bench: Bench
    console: Console

    def say(self, text: str) -> None:
        """Print one line, as it is."""
        say(self.console, text)

    def table(self, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
        """Print a table."""
        print_table(self.console, columns, [[str(cell) for cell in row] for row in rows])


Run = Callable[[Session, str], None]


@dataclass(frozen=True)
class Command:
    """A word, what follows it, what it does; `choices` are the words that may follow."""

    takes: str
    help: str
    run: Run
    choices: tuple[str, ...] = ()


def _minutes(text: str) -> int:
    return round(parse(text, "time_s") / 60.0)


def _halves(text: str, word: str, takes: str) -> tuple[str, str]:
    """Split "2 U over 60 min" at its middle word."""
    before, found, after = text.partition(f" {word} ")
    if not found:
        raise WordsError(f"{text!r} lacks {word!r}: write {takes}")
    return before.strip(), after.strip()


def _on_off(text: str) -> bool:
    if text not in ("on", "off"):
        raise WordsError(f"{text!r} is neither 'on' nor 'off'")
    return text == "on"


def _whole(text: str) -> int:
    if not text.isdigit():
        raise WordsError(f"{text!r} is not a whole number")
    return int(text)


# ---- pump ------------------------------------------------------------------------------------------------------


def _status(session: Session, _: str) -> None:
    status = session.bench.pump.status()
    amount = "unknown" if status.reservoir_u is None else f"{status.reservoir_u:g} U"
    attached = "" if status.reservoir_attached else ", not attached"
    session.say(f"therapy {status.therapy.value}, {status.operational}, reservoir {amount}{attached}")


def _bolus(session: Session, text: str) -> None:
    session.say(f"bolus {require(session.bench.pump, Capability.FAST_BOLUS).bolus(parse(text, 'insulin_u'))} started")


def _extended(session: Session, text: str) -> None:
    amount, time = _halves(text, "over", "extended 2 U over 60 min")
    bolus = BolusRequest(extended_u=parse(amount, "insulin_u"), duration_min=_minutes(time))
    session.say(f"bolus {require(session.bench.pump, Capability.EXTENDED_BOLUS).deliver(bolus)} started")


def _multiwave(session: Session, text: str) -> None:
    takes = "multiwave 2 U + 3 U over 120 min"
    amounts, time = _halves(text, "over", takes)
    fast, extended = _halves(amounts, "+", takes)
    bolus = BolusRequest(parse(fast, "insulin_u"), parse(extended, "insulin_u"), _minutes(time))
    session.say(f"bolus {require(session.bench.pump, Capability.MULTIWAVE_BOLUS).deliver(bolus)} started")


def _boluses(session: Session, _: str) -> None:
    rows = [
        (b.bolus_id, f"{b.programmed_u:g}", f"{b.delivered_u:g}")
        for b in require(session.bench.pump, Capability.FAST_BOLUS).active_boluses()
    ]
    session.table(("bolus", "programmed U", "delivered U"), rows)


def _basal(session: Session, text: str) -> None:
    if text:
        segments = [part.strip() for part in text.split(",")]
        require(session.bench.pump, Capability.BASAL_PROFILE).set_basal_profile(
            read_profile(segments if ":" in text else [f"00:00 {text}"])
        )
        session.say(f"profile 1 is active: {text}")
        return
    basal = require(session.bench.pump, Capability.NUMBERED_PROFILES).active_basal()
    words = f"profile {basal.template}, {basal.profile_rate_u_per_h:g} U/h"
    if basal.temporary is not None:
        now = basal.temporary
        rate = f"{now.rate_u_per_h:g} U/h" if now.rate_u_per_h is not None else f"{100 * (now.factor or 0):g} %"
        words += f"; temporary {rate} for {basal.remaining_min} min more"
    session.say(words)


def _temporary(session: Session, text: str) -> None:
    if text == "off":
        require(session.bench.pump, Capability.TEMPORARY_BASAL).cancel_temporary_rate()
        session.say("temporary rate cancelled")
        return
    rate, time = _halves(text, "for", "temporary 50 % for 60 min, or temporary 1.2 U/h for 60 min, or temporary off")
    minutes = _minutes(time)
    if rate.endswith("%"):
        temporary = TemporaryRate(minutes, factor=parse(rate, "percent") / 100.0)
    else:
        temporary = TemporaryRate(minutes, rate_u_per_h=parse(rate, "rate_u_per_h"))
    require(session.bench.pump, Capability.TEMPORARY_BASAL).set_temporary_rate(temporary)
    session.say(f"temporary rate {rate} for {minutes} min")


def _calculate(session: Session, text: str) -> None:
    carbohydrates, _, glucose = text.partition(" at ")
    measured = round(parse(glucose, "glucose_mg_per_dl")) if glucose else None
    advice = require(session.bench.pump, Capability.CALCULATOR).calculate(
        Meal(parse(carbohydrates, "mass_g"), measured)
    )
    session.say(
        f"{advice.total_u:g} U: meal {advice.meal_u:g} U, correction {advice.correction_u:g} U; on board "
        f"{advice.meal_on_board_u:g} U of meals, {advice.correction_on_board_u:g} U of corrections"
    )


def _on_board(session: Session, _: str) -> None:
    on_board = require(session.bench.pump, Capability.INSULIN_ON_BOARD).insulin_on_board()
    session.say(f"{on_board.insulin_u:g} U on board, for {on_board.remaining_min} min")


def _total(session: Session, _: str) -> None:
    total = require(session.bench.pump, Capability.DAILY_TOTAL).daily_total()
    session.say(f"since midnight {total.bolus_u:g} U by boluses, {total.basal_u:g} U basal")


def _alarms(session: Session, _: str) -> None:
    rows = [(a.annunciation_id, a.kind, a.status) for a in session.bench.pump.annunciations()]
    session.table(("number", "annunciation", "status"), rows)


def _history(session: Session, text: str) -> None:
    count = _whole(text) if text else 20
    rows = [
        (e.sequence, f"{e.pump_time_s:.0f}", e.kind, ", ".join(f"{k} {v}" for k, v in e.fields.items()))
        for e in require(session.bench.pump, Capability.HISTORY).history()[-count:]
    ]
    session.table(("number", "pump time s", "event", "what it says"), rows)


def _setting(session: Session, text: str) -> None:
    name, _, value = text.partition(" ")
    if not name:
        rows = [
            (s.name.lower(), f"{require(session.bench.pump, Capability.SETTINGS).setting(s):g}", s.value)
            for s in Setting
        ]
        session.table(("setting", "value", "meaning"), rows)
        return
    if name.upper() not in Setting.__members__:
        raise WordsError(f"there is no setting {name!r}: settings are {', '.join(s.name.lower() for s in Setting)}")
    setting = Setting[name.upper()]
    if value:
        try:
            number = float(value)
        except ValueError:
            raise WordsError(f"{value!r} is not a number; this setting is the {setting.value}") from None
        require(session.bench.pump, Capability.SETTINGS).set_setting(setting, number)
    session.say(f"{setting.value}: {require(session.bench.pump, Capability.SETTINGS).setting(setting):g}")


def _identify(session: Session, _: str) -> None:
    identity = session.bench.pump.identify()
    session.say(
        f"{identity.maker} {identity.model}, serial number {identity.serial_number}, firmware {identity.firmware}"
    )


# ---- bench -----------------------------------------------------------------------------------------------------


def _devices(session: Session, _: str) -> None:
    rows = []
    for role, device in session.bench.devices.items():
        identity = device.identify()
        rows.append((role, identity.maker, identity.model, identity.serial_number, device.self_test()))
    session.table(("device", "maker", "model", "serial number", "state"), rows)


def _weigh(session: Session, _: str) -> None:
    reading = session.bench.balance.read()
    session.say(f"{reading.mass_g:.6f} g, {'stable' if reading.stable else 'not stable'}")


def _pressure(session: Session, _: str) -> None:
    session.say(f"{session.bench.pressure.read_kpa():.2f} kPa")


def _air(session: Session, _: str) -> None:
    air = session.bench.environment.read_air()
    session.say(f"{air.temperature_c:.2f} °C, {air.pressure_hpa:.1f} hPa, {100 * air.relative_humidity:.1f} %")


def _supply(session: Session, text: str) -> None:
    if text:
        session.bench.supply.switch(on=_on_off(text))
    supply = session.bench.supply
    session.say(f"{supply.read_voltage_v():.3f} V, {1e3 * supply.read_current_a():.1f} mA")


def _valve(session: Session, text: str) -> None:
    switch = session.bench.switch
    line, _, state = text.rpartition(" ")
    if not line:
        rows = [(name, "on" if switch.is_energised(name) else "off") for name in switch.lines]
        session.table(("line", "state"), rows)
        return
    switch.set_line(line, energised=_on_off(state))
    session.say(f"{line} {state}")


def _wait(session: Session, text: str) -> None:
    session.bench.clock.sleep(parse(text, "time_s"))
    session.say(f"{session.bench.clock.now():.0f} s on the bench's clock")


def _watch(session: Session, text: str) -> None:
    bench = session.bench
    rows = []
    end_s = bench.clock.now() + parse(text, "time_s")
    step_s = max((end_s - bench.clock.now()) / 10.0, 1.0)
    while bench.clock.now() <= end_s:
        status = bench.pump.status()
        mass_g, pressure_kpa = bench.balance.read().mass_g, bench.pressure.read_kpa()
        rows.append((f"{bench.clock.now():.0f}", f"{mass_g:.6f}", f"{pressure_kpa:.2f}", status.therapy.value))
        bench.clock.sleep(step_s)
    session.table(("bench time s", "mass g", "pressure kPa", "therapy"), rows)


def _simple(action: Callable[[Bench], None], done: str) -> Run:
    def run(session: Session, _: str) -> None:
        action(session.bench)
        session.say(done)

    return run


def _numbered(action: Callable[[Bench, int], None], done: str) -> Run:
    def run(session: Session, text: str) -> None:
        number = _whole(text)
        action(session.bench, number)
        session.say(f"{done} {number}")

    return run


def _amount(action: Callable[[Bench, float], None], done: str) -> Run:
    def run(session: Session, text: str) -> None:
        action(session.bench, parse(text, "insulin_u"))
        session.say(f"{done} {text}")

    return run


COMMANDS: dict[str, Command] = {
    "status": Command("", "therapy, operational state, reservoir", _status),
    "identify": Command("", "who the pump is", _identify),
    "run": Command("", "start therapy", _simple(lambda b: b.pump.run(), "therapy runs")),
    "pause": Command("", "withhold delivery", _simple(lambda b: b.pump.pause(), "therapy pauses")),
    "stop": Command("", "stop every delivery", _simple(lambda b: b.pump.stop(), "therapy is stopped")),
    "reservoir": Command(
        "300 U",
        "tell the pump its reservoir",
        _amount(lambda b, u: require(b.pump, Capability.RESERVOIR_LEVEL).set_reservoir_level(u), "reservoir"),
    ),
    "prime": Command(
        "5 U", "fill tubing and cannula", _amount(lambda b, u: require(b.pump, Capability.PRIMING).prime(u), "priming")
    ),
    "bolus": Command("2.5 U", "a bolus at once", _bolus),
    "extended": Command("2 U over 60 min", "a bolus over a time", _extended),
    "multiwave": Command("2 U + 3 U over 120 min", "a part at once, a part over a time", _multiwave),
    "boluses": Command("", "boluses under way", _boluses),
    "cancel": Command(
        "1",
        "stop a bolus by its number",
        _numbered(lambda b, n: require(b.pump, Capability.CANCEL_BOLUS).cancel_bolus(n), "cancelled bolus"),
    ),
    "basal": Command("[0.8 U/h | 00:00 0.6 U/h, 06:00 1 U/h]", "show or set the basal profile", _basal),
    "temporary": Command("50 % for 60 min | 1.2 U/h for 60 min | off", "a temporary basal rate", _temporary, ("off",)),
    "calculate": Command("60 g [at 180 mg/dL]", "let the pump propose a bolus", _calculate),
    "onboard": Command("", "bolus insulin that still acts", _on_board),
    "total": Command("", "insulin since midnight", _total),
    "alarms": Command("", "what the pump annunciates", _alarms),
    "snooze": Command(
        "1", "silence an annunciation", _numbered(lambda b, n: require(b.pump, Capability.SNOOZE).snooze(n), "snoozed")
    ),
    "confirm": Command("1", "confirm an annunciation", _numbered(lambda b, n: b.pump.confirm(n), "confirmed")),
    "history": Command("[20]", "the last entries of the pump's log", _history),
    "setting": Command("[name [value]]", "show or change settings", _setting, tuple(s.name.lower() for s in Setting)),
    "restart": Command(
        "",
        "reset the pump's controller",
        _simple(lambda b: require(b.pump, Capability.RESTART).restart(), "the pump has restarted"),
    ),
    "devices": Command("", "every device, who it is and how it is", _devices),
    "weigh": Command("", "the balance", _weigh),
    "tare": Command("", "set the balance to zero", _simple(lambda b: b.balance.tare(), "tared")),
    "pressure": Command("", "line pressure", _pressure),
    "air": Command("", "the air at the balance", _air),
    "supply": Command("[on | off]", "the pump's supply", _supply, ("on", "off")),
    "valve": Command("[line on | off]", "relays and valves", _valve, ("occluder",)),
    "occlude": Command(
        "", "close the outlet", _simple(lambda b: b.switch.set_line("occluder", energised=True), "outlet closed")
    ),
    "release": Command(
        "", "open the outlet", _simple(lambda b: b.switch.set_line("occluder", energised=False), "outlet open")
    ),
    "wait": Command("10 min", "let bench time pass", _wait),
    "watch": Command("60 s", "ten readings over a time", _watch),
}


def capabilities(session: Session, _: str) -> None:
    """Print what the pump can do."""
    for capability in sorted(session.bench.pump.capabilities, key=lambda one: one.value):
        session.say(capability.value)


COMMANDS["capabilities"] = Command("", "what the pump can do", capabilities)
