"""What changes a person from minute to minute: dawn, exercise, slow meals, variability. Factors of the models' rates.

All of it is arithmetic of minutes and a seed: the same call gives the same bits. Each function names its source, or
says that it is an assumption. Not responsible for the models' equations (`uva_padova`, `cambridge`), nor for what is
eaten.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
import scipy

from rig.analysis.checks import FloatArray

MINUTES_A_DAY = 1440
KCAL_PER_G_PROTEIN, KCAL_PER_G_FAT = 4.0, 9.0
KCAL_PER_UNIT, GLUCOSE_G_PER_UNIT = 100.0, 10.0
HOURS_BY_UNITS = ((1.0, 3.0), (2.0, 4.0), (3.0, 5.0), (math.inf, 8.0))
"""A fat-protein unit is 100 kcal and stands for 10 g of carbohydrate; up to so many units work over so many hours."""


@dataclass(frozen=True)
class BodyConditions:
    """One number a minute, held for it: factors of a person's rates, 1 where nothing changes, and glucose that appears.

    Attributes:
        release: of what the liver releases without insulin.
        uptake: of what is used without insulin.
        muscle: of insulin's action on uptake.
        liver: of insulin's action on release.
        appearing_g_per_min: carbohydrate of which glucose appears in plasma past the stomach, g/min; of it as much is
            lost as of what is eaten.
    """

    release: FloatArray
    uptake: FloatArray
    muscle: FloatArray
    liver: FloatArray
    appearing_g_per_min: FloatArray

    def __post_init__(self) -> None:
        """Refuse rows of different lengths, and what is no finite number of 0 or more."""
        sizes = {getattr(self, each.name).size for each in fields(self)}
        if len(sizes) > 1:
            raise ValueError(f"conditions are rows of one length, got {sorted(sizes)}")
        for each in fields(self):
            row = getattr(self, each.name)
            if not (np.isfinite(row).all() and (row >= 0.0).all()):
                raise ValueError(f"{each.name} of conditions must hold finite numbers of 0 or more")

    @property
    def minutes(self) -> int:
        """For how many minutes they hold."""
        return int(self.release.size)

    @property
    def columns(self) -> tuple[FloatArray, ...]:
        """The five rows in their order, each of shape (minutes, 1), so that they go with rows of persons."""
        return tuple(getattr(self, each.name)[:, None] for each in fields(self))

    def part(self, first: int, minutes: int) -> BodyConditions:
        """Take the conditions of so many minutes from one on, so that a day can be lived in portions."""
        return BodyConditions(*(getattr(self, each.name)[first : first + minutes] for each in fields(self)))

    def and_also(self, other: BodyConditions) -> BodyConditions:
        """Join with others of the same minutes: factors multiply, what appears adds up."""
        return BodyConditions(
            self.release * other.release, self.uptake * other.uptake, self.muscle * other.muscle,
            self.liver * other.liver, self.appearing_g_per_min + other.appearing_g_per_min,
        )  # fmt: skip


def usual(minutes: int) -> BodyConditions:
    """Nothing changes."""
    one = np.ones(minutes)
    return BodyConditions(one, one, one, one, np.zeros(minutes))


UNCHANGED = usual(1)
"""A minute on which nothing changes."""


def dawn(minutes: int, *, rise: float = 0.2, from_h: float = 3.0, to_h: float = 8.0) -> BodyConditions:
    """Release more glucose towards the morning, every day; minute 0 is midnight.

    **An assumption**: the release without insulin is multiplied by 1 + rise sin²(π (t - from)/(to - from)) between the
    two hours. That needs for insulin rise before waking is known (Bolli, Gerich 1984); size and shape are not taken
    from data.
    """
    if not (rise >= 0.0 and 0.0 <= from_h < to_h <= 24.0):
        raise ValueError(f"dawn rises by 0 or more between two hours of a day, got {rise:g}, {from_h:g} and {to_h:g} h")
    hour = np.arange(minutes) % MINUTES_A_DAY / 60.0
    risen = np.where((hour > from_h) & (hour < to_h), np.sin(np.pi * (hour - from_h) / (to_h - from_h)) ** 2, 0.0)
    one = np.ones(minutes)
    return BodyConditions(1.0 + rise * risen, one, one, one, np.zeros(minutes))


@dataclass(frozen=True)
class Exertion:
    """Exercise from one minute until before another, with the heart beating so much faster than at rest, 1/min."""

    from_min: float
    to_min: float
    beats_above_rest: float


def exercise(minutes: int, bouts: Sequence[Exertion], *, resting_per_min: float = 60.0) -> BodyConditions:
    """Use more glucose during exercise, and let insulin act more for hours after it.

    Dalla Man, Breton, Cobelli 2009 (doi 10.1177/193229680900300107), eq. 7 to 12: Y follows the heart rate above rest
    in 5 min; Z rises with f(Y) in 1 min and fades in 600 min; W is the integral of the heart rate above rest. Uptake
    without insulin is multiplied by 1 + 0.01 Y, insulin's action on uptake by 1 + 3e-4 Z W. Left out: their change of
    Km by 1e-7 Z W I, below 1 %. W starts anew once Z is below 0.05, as LoopInsighT1 reads the paper. For Hovorka's
    model, which the paper does not treat, the same factors are **an assumption**.
    """
    above = np.zeros(minutes)
    for bout in bouts:
        if not (0.0 <= bout.from_min < bout.to_min and bout.beats_above_rest >= 0.0):
            raise ValueError(f"exercise begins before it ends, with 0 or more beats above rest, got {bout}")
        above[math.ceil(bout.from_min) : math.ceil(bout.to_min)] += bout.beats_above_rest
    follows = math.exp(-1.0 / 5.0)
    y = scipy.signal.lfilter([0.0, 1.0 - follows], [1.0, -follows], np.append(above, 0.0))[1:] if minutes else above
    scaled = (y / (0.1 * resting_per_min)) ** 4
    f = scaled / (1.0 + scaled)
    z, w, muscle = 0.0, 0.0, np.ones(minutes)
    for minute in range(minutes):
        rate = f[minute] + 1.0 / 600.0
        z = f[minute] / rate + (z - f[minute] / rate) * math.exp(-rate)
        w = 0.0 if z < 0.05 else w + above[minute]
        muscle[minute] = 1.0 + 3e-4 * z * w
    one = np.ones(minutes)
    return BodyConditions(one, 1.0 + 0.01 * y, muscle, one, np.zeros(minutes))


def slow_meal(minutes: int, *, at_min: int, protein_g: float, fat_g: float) -> BodyConditions:
    """Let glucose appear for hours after protein and fat; the carbohydrate of the same meal is eaten as any.

    **An assumption**: the dosing rule of Pańkowska 2012 (doi 10.1089/dia.2011.0083), 100 kcal of fat and protein need
    the insulin of 10 g of carbohydrate, spread over 3, 4, 5 or 8 h, is read backwards: as much glucose appears, evenly
    over those hours, from an hour after the meal on. That is an upper bound: the rule is known to overdose some. A
    high-protein meal is one without carbohydrate.
    """
    if not (at_min >= 0 and protein_g >= 0.0 and fat_g >= 0.0):
        raise ValueError(f"a meal has a minute and grams of 0 or more, got {at_min}, {protein_g:g} and {fat_g:g}")
    units = (KCAL_PER_G_PROTEIN * protein_g + KCAL_PER_G_FAT * fat_g) / KCAL_PER_UNIT
    hours = next(hours for most, hours in HOURS_BY_UNITS if units <= most)
    appearing = np.zeros(minutes)
    appearing[at_min + 60 : at_min + 60 + round(60.0 * hours)] = GLUCOSE_G_PER_UNIT * units / (60.0 * hours)
    one = np.ones(minutes)
    return BodyConditions(one, one, one, one, appearing)


def variability(minutes: int, *, seed: int, within: float = 0.05, between: float = 0.2) -> BodyConditions:
    """Let insulin's actions and release vary within days and between them, from a seed.

    **An assumption.** Within days each of the four factors swings by sin with a period of 3 h, a relative amplitude of
    `within` and a phase of its own, as Wilinska 2010 (doi 10.1177/193229681000400117) is cited for; the paper itself
    was not read. Between days insulin's two actions share a factor exp(between n - between²/2), n normal, anew at each
    midnight: its mean is 1; 0.2 is no figure of a study.
    """
    if isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
        raise ValueError(f"a seed is a whole number of 0 or more, got {seed!r}")
    if not (0.0 <= within < 1.0 and between >= 0.0):
        raise ValueError(f"within is 0 or more and below 1, between 0 or more, got {within:g} and {between:g}")
    phases = np.random.default_rng((seed, 0)).uniform(0.0, 2.0 * np.pi, 4)
    at = np.arange(minutes)
    release, uptake, muscle, liver = (1.0 + within * np.sin(2.0 * np.pi * at / 180.0 + phase) for phase in phases)
    days = -(-minutes // MINUTES_A_DAY)
    drawn = np.random.default_rng((seed, 1)).standard_normal(days)
    of_day = np.exp(between * drawn - 0.5 * between**2)[at // MINUTES_A_DAY]
    return BodyConditions(release, uptake, muscle * of_day, liver * of_day, np.zeros(minutes))
