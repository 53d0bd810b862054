"""What a controller and its pump are brought into: what a sensor shows, what happens when, and what is weighed then.

Each situation is written out to the minute and the same each time, so that requirements can name its stretches. The
sensor follows a course, with noise, and looks at nobody: what it shows is no answer to what was delivered. Not
responsible for doing any of it (`automating`), nor for limits.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np

from rig.analysis.checks import FloatArray
from rig.loop.controllers import PERIOD_MIN
from rig.patient.sensor import HIGHEST_MG_PER_DL, LOWEST_MG_PER_DL
from rig.patient.sensor_faults import CompressionLow, DropOut, Jump, SensorFault, Stale, shown_with_faults

SEED, NOISE_MG_PER_DL = 1, 1.0
"""Of the sensor's noise: enough that no value stands still, too little to predict a low by itself."""
LOW_MG_PER_DL, AHEAD_MIN = 70.0, 30.0
"""A low is predicted where the line through the last two values is below this within so many min. The house's."""
BACK_MIN = 30
"""Within so long after a sensor failed, or the link was lost, the pump is back at its profile. The house's."""
BOLUS_U = 2.0
"""What a person gives beside the automation."""

Happens = Literal[
    "bolus", "clock is set back by 3 h", "link is lost", "link is back", "controller restarts", "supply off",
    "supply on", "a person starts therapy",
]  # fmt: skip


@dataclass(frozen=True)
class SituationStretch:
    """What is weighed from one minute to another."""

    name: str
    from_min: int
    to_min: int


@dataclass(frozen=True)
class Situation:
    """A situation of so many minutes.

    Attributes:
        course: what the sensor would show without noise and faults: points of min and mg/dL.
        stretches: what is weighed.
        faults: what is wrong with the sensor.
        happens: what else happens, at which minute.
        bolus: the hour from a person's bolus on is weighed less the bolus.
        extremes: the longest time without a dose, and the most in an hour and a period, are looked for.
        pump_maximum: what the pump's highest basal rate is set to meanwhile, as a multiple of the profile's.
    """

    minutes: int
    course: tuple[tuple[float, float], ...]
    stretches: tuple[SituationStretch, ...] = ()
    faults: tuple[SensorFault, ...] = ()
    happens: tuple[tuple[int, Happens], ...] = ()
    longest_without: bool = False
    most: bool = False
    pump_maximum: float | None = None

    @cached_property
    def shown_mg_per_dl(self) -> FloatArray:
        """What the sensor shows every period from minute 0 on; NaN: nothing."""
        minutes = np.arange(0.0, self.minutes, PERIOD_MIN)
        return shown_with_faults(minutes, _felt(self.course, minutes), self.faults)

    @property
    def bolus_min(self) -> int | None:
        """When a person gives his bolus."""
        return next((at_min for at_min, what in self.happens if what == "bolus"), None)

    @property
    def needs_supply(self) -> bool:
        """Whether the pump is left without its supply."""
        return any(what == "supply off" for _, what in self.happens)

    @property
    def loses_link(self) -> bool:
        """Whether the pump's line is muted."""
        return any(what == "link is lost" for _, what in self.happens)


def _felt(course: tuple[tuple[float, float], ...], minutes: FloatArray) -> FloatArray:
    noise = np.random.default_rng(SEED).normal(0.0, NOISE_MG_PER_DL, minutes.size)
    points = np.array(course)
    shown = np.interp(minutes, points[:, 0], points[:, 1]) + noise
    within: FloatArray = np.clip(shown, LOWEST_MG_PER_DL, HIGHEST_MG_PER_DL)
    return within


def first_predicted_min(course: tuple[tuple[float, float], ...], minutes: int) -> int:
    """Find when what the sensor shows first predicts a low, or is one, by the line through its last two values.

    ValueError where it never does.
    """
    at_min = np.arange(0.0, minutes, PERIOD_MIN)
    shown = _felt(course, at_min)
    ahead = shown + AHEAD_MIN / PERIOD_MIN * np.diff(shown, prepend=shown[0])
    low = (shown < LOW_MG_PER_DL) | (ahead < LOW_MG_PER_DL)
    if not low.any():
        raise ValueError("what the sensor shows predicts no low")
    return int(at_min[low.argmax()])


def _falling(minutes: int, *course: tuple[float, float], **further: object) -> Situation:
    """A low that is predicted: weighed from a period after it first is, for half an hour."""
    low_min = first_predicted_min(course, minutes) + PERIOD_MIN
    first = further.pop("first", SituationStretch("before", 30, 60))
    assert isinstance(first, SituationStretch)
    return Situation(minutes, course, (first, SituationStretch("predicted low", low_min, low_min + 30)), **further)  # type: ignore[arg-type]


def _high(
    minutes: int,
    *stretches: SituationStretch,
    faults: tuple[SensorFault, ...] = (),
    happens: tuple[tuple[int, Happens], ...] = (),
    course: tuple[tuple[float, float], ...] = ((0.0, 250.0),),
) -> Situation:
    """The sensor shows 250 mg/dL, so that automation has raised delivery when something happens."""
    return Situation(minutes, course, (RAISED, *stretches), faults, happens)


RAISED = SituationStretch("raised", 15, 30)
BACK = SituationStretch("back at the profile", 30 + BACK_MIN + PERIOD_MIN, 120)
SITUATIONS: Mapping[str, Callable[[], Situation]] = {
    "predicted low": lambda: _falling(125, (0.0, 160.0), (60.0, 160.0), (95.0, 48.0)),
    "lasting low": lambda: Situation(
        270, ((0.0, 160.0), (15.0, 160.0), (60.0, 65.0)), (SituationStretch("low", 60, 270),), longest_without=True
    ),
    "sensor lost": lambda: _high(120, BACK, faults=(DropOut(30.0, 240.0),)),
    "sensor stale": lambda: _high(120, BACK, faults=(Stale(30.0, 240.0),)),
    "sensor jumps": lambda: _high(90, SituationStretch("back at the profile", 60, 90), faults=(Jump(30.0, 100.0),)),
    "sensor out of range": lambda: _high(120, BACK, course=((0.0, 330.0), (30.0, 398.0), (35.0, 420.0))),
    "compression low": lambda: Situation(
        195,
        ((0.0, 115.0),),
        (SituationStretch("lain on", 50, 90), SituationStretch("back at the profile", 105 + BACK_MIN, 195)),
        (CompressionLow(30.0, 90.0, 60.0),),
    ),
    "sensor restarts": lambda: _high(
        135,
        SituationStretch("back at the profile", 65, 95),
        SituationStretch("raised again", 105, 135),
        faults=(DropOut(30.0, 95.0),),
    ),
    "lasting high": lambda: Situation(150, ((0.0, 350.0),), most=True),
    "bolus beside": lambda: Situation(125, ((0.0, 200.0),), happens=((62, "bolus"),)),
    "controller restarts": lambda: Situation(
        125, ((0.0, 200.0),), happens=((62, "bolus"), (71, "controller restarts"))
    ),
    "clock set": lambda: _high(
        120, BACK, happens=((31, "clock is set back by 3 h"), (32, "link is lost"), (120, "link is back"))
    ),
    "link lost": lambda: _high(
        150, BACK, SituationStretch("raised again", 130, 150), happens=((31, "link is lost"), (121, "link is back"))
    ),
    "pump's maximum": lambda: _falling(
        145, (0.0, 250.0), (60.0, 250.0), (134.0, 65.0), first=SituationStretch("refused", 10, 60), pump_maximum=1.5
    ),
    "pump restarts": lambda: _high(
        100,
        SituationStretch("stopped", 32, 60),
        SituationStretch("raised again", 70, 100),
        happens=((31, "supply off"), (36, "supply on"), (61, "a person starts therapy")),
    ),
}
"""By their names in a requirement."""
