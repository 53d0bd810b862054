"""What a pump sheet may claim: one line a claim, with its dimension, its bounds and its meaning.

The bounds are this house's own, far outside of what pumps do and inside of what makes sense, so that a slip of the pen
is refused. A claim that only one laboratory needs stands in the table [own] of its sheet and needs no line here. Not
responsible for any pump's values.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rig.roles import Capability

COUNT, WORD = "count", "word"
"""The dimension of a claim that is a whole number, and of one that is a word."""


@dataclass(frozen=True)
class ClaimKind:
    """One thing that a maker may claim.

    Attributes:
        name: table and key in a sheet, and what a placeholder says in braces.
        dimension: as `rig.units` has it, or `COUNT`, or `WORD`.
        lowest, highest: the bounds, as text with a unit; whole numbers for a count; nothing for a word.
        meaning: one sentence for whoever fills in a sheet.
        both_ways: a tolerance, written with ± before it.
        several: several values with commas between them.
        words: those that a word may be.
    """

    name: str
    dimension: str
    lowest: str
    highest: str
    meaning: str
    both_ways: bool = False
    several: bool = False
    words: tuple[str, ...] = ()

    @property
    def table(self) -> str:
        """The sheet's table in which it stands."""
        return self.name.split(".")[0]

    @property
    def key(self) -> str:
        """Its key there."""
        return self.name.split(".")[1]


def _insulin(name: str, meaning: str, lowest: str = "0.001 U", highest: str = "500 U") -> ClaimKind:
    return ClaimKind(name, "insulin_u", lowest, highest, meaning)


def _rate(name: str, meaning: str, lowest: str = "0.001 U/h", highest: str = "300 U/h") -> ClaimKind:
    return ClaimKind(name, "rate_u_per_h", lowest, highest, meaning)


def _time(name: str, meaning: str, lowest: str = "0.01 s", highest: str = "30 d") -> ClaimKind:
    return ClaimKind(name, "time_s", lowest, highest, meaning)


def _percent(name: str, meaning: str, lowest: str = "0 %", highest: str = "1000 %") -> ClaimKind:
    return ClaimKind(name, "percent", lowest, highest, meaning)


def _pressure(name: str, meaning: str) -> ClaimKind:
    return ClaimKind(name, "pressure_kpa", "0.1 kPa", "1000 kPa", meaning)


def _voltage(name: str, meaning: str) -> ClaimKind:
    return ClaimKind(name, "voltage_v", "0.1 V", "25 V", meaning)


def _glucose(name: str, meaning: str) -> ClaimKind:
    return ClaimKind(name, "glucose_mg_per_dl", "1 mg/dL", "2000 mg/dL", meaning)


def _count(name: str, meaning: str, lowest: int, highest: int) -> ClaimKind:
    return ClaimKind(name, COUNT, str(lowest), str(highest), meaning)


def _word(name: str, meaning: str, *words: str) -> ClaimKind:
    return ClaimKind(name, WORD, "", "", meaning, words=words)


def _within_percent(name: str, meaning: str) -> ClaimKind:
    return ClaimKind(name, "percent", "0.1 %", "100 %", meaning, both_ways=True)


def _within_insulin(name: str, meaning: str) -> ClaimKind:
    return ClaimKind(name, "insulin_u", "0.0001 U", "100 U", meaning, both_ways=True)


_KINDS = (
    _insulin("dose.size", "The single dose that the drive moves at once.", "0.0001 U", "10 U"),
    _rate("basal.minimum", "Lowest basal rate above 0."),
    _rate("basal.intermediate", "Rate at which accuracy is stated; 1 U/h in most manuals."),
    _rate("basal.maximum", "Highest basal rate."),
    _rate("basal.step", "Step of the basal rate."),
    _word("basal.above_maximum", "What becomes of a basal or temporary rate above the maximum.", "refused", "capped"),
    _count("basal.segments", "Most segments of a basal profile.", 1, 288),
    _time("basal.segment_step", "Segments begin at whole multiples of this.", "1 min", "1 d"),
    _within_percent("basal.tolerance", "Error of basal delivery over a day."),
    _within_percent(
        "basal.hour_tolerance", "Error of basal delivery in any window of an hour at the intermediate rate."
    ),
    _insulin("bolus.minimum", "Smallest bolus."),
    _insulin("bolus.maximum", "Largest bolus, as it comes from the maker."),
    _insulin("bolus.step", "Step of a bolus."),
    _insulin("bolus.small", "Small bolus at which accuracy is stated."),
    _insulin("bolus.typical", "Typical bolus at which accuracy is stated."),
    _insulin("bolus.large", "Large bolus at which accuracy is stated."),
    ClaimKind(
        "bolus.above_maximum",
        "insulin_u",
        "0.001 U",
        "1000 U",
        "Sizes above the maximum that can be asked for over the pump's interface, the nearest first.",
        several=True,
    ),
    _rate("bolus.speed", "Speed of a bolus that comes at once.", "0.1 U/min", "100 U/min"),
    _within_percent("bolus.tolerance", "Mean error of boluses of the typical size and more."),
    _within_percent("bolus.single_tolerance", "Error of each single bolus of the typical size and more."),
    _within_insulin("bolus.small_tolerance", "Error of each bolus of the small size."),
    _within_percent("extended.tolerance", "Error of an extended or multiwave bolus in all."),
    _time("extended.shortest", "Shortest time of an extended bolus.", "1 min", "2 d"),
    _time("extended.longest", "Longest time of an extended bolus.", "1 min", "2 d"),
    _percent("temporary.minimum", "Lowest temporary rate."),
    _percent("temporary.maximum", "Highest temporary rate."),
    _percent("temporary.step", "Step of a temporary rate.", "0.1 %", "100 %"),
    _time("temporary.shortest", "Shortest time of a temporary rate.", "1 min", "7 d"),
    _time("temporary.longest", "Longest time of a temporary rate.", "1 min", "7 d"),
    _within_percent("day.tolerance", "Error of a whole day in everyday use."),
    _within_percent("day.hour_tolerance", "Error of each hour of an adult's day."),
    _within_percent("day.low_rate_hour_tolerance", "Error of each hour of a day at a child's rates."),
    _insulin("limits.hour", "Most insulin in any 60 min, as it comes from the maker.", "0.1 U", "1000 U"),
    _insulin("limits.day", "Most insulin in any 24 h, as it comes from the maker.", "1 U", "5000 U"),
    _insulin("occlusion.missed", "Insulin that is missed at most before an occlusion is alarmed.", "0.1 U", "20 U"),
    _insulin("occlusion.released", "Bolus that is released at most when an occlusion clears.", "0.01 U", "20 U"),
    _pressure("occlusion.highest_pressure", "Highest pressure in the line before the alarm."),
    _pressure("occlusion.low_least", "Lowest pressure at the alarm, at the low threshold."),
    _pressure("occlusion.low_most", "Highest pressure at the alarm, at the low threshold."),
    _pressure("occlusion.normal_least", "Lowest pressure at the alarm, at the threshold as it comes from the maker."),
    _pressure("occlusion.normal_most", "Highest pressure at the alarm, at that threshold."),
    _pressure("occlusion.high_least", "Lowest pressure at the alarm, at the high threshold."),
    _pressure("occlusion.high_most", "Highest pressure at the alarm, at the high threshold."),
    _time("occlusion.bolus_time", "An occlusion in a bolus is alarmed within this."),
    _insulin("reservoir.capacity", "What a full reservoir holds.", "10 U", "1000 U"),
    _insulin("reservoir.low", "A low reservoir is annunciated when so much is left.", "1 U", "200 U"),
    _insulin("reservoir.low_again", "It is annunciated again when so much is left.", "0.1 U", "200 U"),
    _insulin("reservoir.low_earliest", "What is left at most when it is annunciated.", "1 U", "200 U"),
    _insulin("reservoir.low_latest", "What is left at least when it is annunciated.", "0.1 U", "200 U"),
    _insulin("reservoir.reported_below", "The level is told only below this much.", "1 U", "500 U"),
    _insulin("priming.tubing", "What fills the tubing.", "0.1 U", "60 U"),
    _insulin("priming.cannula", "What fills the cannula.", "0.01 U", "5 U"),
    _rate("priming.speed", "Speed of priming.", "0.1 U/min", "100 U/min"),
    _within_percent("priming.tubing_tolerance", "Error of the filling of the tubing."),
    _within_insulin("priming.cannula_tolerance", "Error of the filling of the cannula."),
    _time("priming.tubing_time", "Longest time in which the tubing is filled."),
    _time("alarms.escalation", "An alarm that nobody answers is told with high priority after this."),
    _time("alarms.snooze", "A snoozed alarm comes back after this, as it comes from the maker."),
    _time("alarms.reservoir_out", "The alarm of a reservoir that is taken out comes within this."),
    _time(
        "alarms.reservoir_low", "The alarm of a low reservoir comes within this after the bolus that brings it there."
    ),
    _time("alarms.battery_low", "The alarm of a low battery sounds within this."),
    _time("alarms.temperature", "The alarm of a wrong temperature sounds within this."),
    _time("alarms.key_held", "The alarm of a key that is held sounds within this after the press."),
    _time("keys.stuck_earliest", "A key that is held down is annunciated after this at the earliest."),
    _time("keys.stuck_latest", "A key that is held down is annunciated after this at the latest."),
    _voltage("battery.low", "Voltage below which a low battery is annunciated."),
    _voltage("battery.empty", "Voltage below which the pump stops for an empty battery."),
    _time("battery.annunciated_within", "A low or an empty battery is annunciated within this."),
    _word("link.lost_in_bolus", "What becomes of a bolus whose link is lost.", "finished", "stopped"),
    _time("calculator.insulin_action", "Duration of insulin action, as it comes from the maker.", "30 min", "24 h"),
    _glucose("calculator.minimum_glucose", "Glucose below which nothing is calculated, as it comes from the maker."),
    _insulin("calculator.rounding", "A proposal is rounded down to whole multiples of this."),
    _time("calculator.proposal_holds", "A proposal may be given for so long."),
    ClaimKind("surroundings.coldest", "temperature_c", "-40 °C", "40 °C", "Lowest temperature of use."),
    ClaimKind("surroundings.hottest", "temperature_c", "0 °C", "70 °C", "Highest temperature of use."),
    _pressure("surroundings.thinnest_air", "Lowest ambient pressure of use."),
    _pressure("surroundings.densest_air", "Highest ambient pressure of use."),
    _time("surroundings.annunciated_within", "What lies beyond these is annunciated within this."),
)
CLAIMS: Mapping[str, ClaimKind] = {kind.name: kind for kind in _KINDS}
"""Every claim by its name."""

OF_CAPABILITY: Mapping[str, Capability] = {
    "basal": Capability.BASAL_PROFILE,
    "bolus": Capability.FAST_BOLUS,
    "extended": Capability.EXTENDED_BOLUS,
    "temporary": Capability.TEMPORARY_BASAL,
    "occlusion": Capability.OCCLUSION_DETECTION,
    "priming": Capability.PRIMING,
    "calculator": Capability.CALCULATOR,
}
"""Tables that only a pump with a capability has."""

RISING: tuple[tuple[str, ...], ...] = (
    ("basal.minimum", "basal.intermediate", "basal.maximum"),
    ("bolus.minimum", "bolus.small", "bolus.typical", "bolus.large", "bolus.maximum", "bolus.above_maximum"),
    ("extended.shortest", "extended.longest"),
    ("temporary.minimum", "temporary.maximum"),
    ("temporary.shortest", "temporary.longest"),
    ("occlusion.low_least", "occlusion.low_most", "occlusion.high_least", "occlusion.high_most"),
    ("occlusion.normal_least", "occlusion.normal_most"),
    ("occlusion.low_least", "occlusion.normal_least", "occlusion.high_least"),
    ("occlusion.low_most", "occlusion.normal_most", "occlusion.high_most"),
    ("reservoir.low_latest", "reservoir.low", "reservoir.low_earliest", "reservoir.capacity"),
    ("reservoir.low_again", "reservoir.low"),
    ("battery.empty", "battery.low"),
    ("keys.stuck_earliest", "keys.stuck_latest"),
    ("surroundings.coldest", "surroundings.hottest"),
    ("surroundings.thinnest_air", "surroundings.densest_air"),
)
"""Claims of which none may be more than the next that the sheet states."""
