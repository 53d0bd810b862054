"""oref0 as a controller: what it is asked of sensor, pump and person, and what of its answer goes to the pump.

It knows what a phone knows: the sensor's readings, the commands that the pump accepted, carbohydrate that was
announced. Meals get the person's own bolus, as with every controller here, and oref0 knows of both from its next
decision on; it does the rest by temporary rates and, where it is let, microboluses. Its autosens needs a day of
readings, which no loop has: the ratio is 1. Not responsible for what oref0 decides.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from rig.loop.accepted import Accepted, Known, Read
from rig.loop.controllers import NOTHING, ControllerSettings, Seen, Wanted, tellable
from rig.loop.oref0.package import oref0_command
from rig.loop.oref0.process import JsonLines, NoAnswerError

MIDNIGHT = datetime(2026, 3, 2, tzinfo=UTC)
"""Minute 0 of the loop, when the pump's clock is set to midnight; any day does."""
REMEMBERED_MIN = 24 * 60
"""So far back oref0 is told what the pump accepted and what was eaten."""
READ_MIN = 6 * 60 + 30
"""So far back it is told what the sensor showed: it follows a meal for 6 h."""
LONGEST_MIN = 120
"""The longest temporary rate that oref0 asks for (lib/determine-basal)."""
MODEL = "554"
"""oref0 rounds rates as one of a family of pumps would; the step of this one is 0.025 U/h up to 1 U/h, then 0.05."""


class Oref0:
    """oref0 0.7.1 in a Node process of its own.

    Args:
        settings: of person and pump.
        known: what sensor and pump tell of the time before.
        command: what answers in the place of the adapter, in self-tests.

    Raises:
        BenchFileError: Node.js or oref0 is not there.
    """

    def __init__(
        self, settings: ControllerSettings, known: Known = NOTHING, command: Sequence[str] | None = None
    ) -> None:
        self._settings = settings
        self._process = JsonLines(oref0_command() if command is None else command)
        self._read = list(known.read)
        self._accepted = list(known.accepted)
        self._eaten: list[tuple[int, float]] = []

    def decide(self, seen: Seen) -> Wanted:
        """Ask oref0, and give a meal's bolus; without any reading so far there is nothing to ask."""
        if seen.glucose_mg_per_dl is not None:
            self._read.append(Read(seen.at_min, seen.glucose_mg_per_dl))
        meal_u = self._within(self._settings.meal_u(seen.announced_g))
        try:
            return self._decided(seen.at_min, meal_u)
        except NoAnswerError as error:
            return Wanted(failed=f"oref0: {error}")
        finally:
            # Not before: its bolus is not in the pump's history yet, and oref0 would dose for it a second time.
            if seen.announced_g > 0.0:
                self._eaten.append((seen.at_min, seen.announced_g))

    def _decided(self, at_min: int, meal_u: float) -> Wanted:
        if not self._read:
            return Wanted(bolus_u=meal_u)
        answer = self._process.ask({"ask": "decide", "case": self.case(at_min)})
        if "error" in answer:
            raise NoAnswerError(f"it refused the question: {answer['error']}")
        return self._wanted(answer.get("result"), meal_u)

    def told(self, accepted: Accepted) -> None:
        """Keep what the pump accepted: its history, as a phone writes it."""
        self._accepted.append(accepted)

    def close(self) -> None:
        """End the process."""
        self._process.close()

    def case(self, at_min: int) -> dict[str, Any]:
        """What oref0 is asked at a minute, in its own words."""
        settings = self._settings
        basal = settings.basal_u_per_h
        return {
            "clock": _time(at_min),
            "glucose": [
                {
                    "glucose": each.glucose_mg_per_dl, "date": _ms(each.at_min), "dateString": _time(each.at_min),
                    "noise": 1, "device": "sensor",
                }
                for each in reversed(self._read) if each.at_min > at_min - READ_MIN
            ],
            "pumphistory": pump_history(self._accepted, at_min),
            "currenttemp": running(self._accepted, at_min),
            "carbs": [
                {"carbs": grams, "created_at": _time(eaten_min)}
                for eaten_min, grams in reversed(self._eaten) if eaten_min > at_min - REMEMBERED_MIN
            ],
            "autosens": {"ratio": 1},
            "microBolusAllowed": settings.micro_boluses,
            "reservoir": None,
            "preferences": {
                "max_iob": settings.max_iob_u, "max_basal": settings.max_rate_u_per_h, "current_basal": basal,
                "max_daily_basal": basal, "basalprofile": [{"i": 0, "start": "00:00:00", "minutes": 0, "rate": basal}],
                "sens": settings.sensitivity_mg_per_dl, "carb_ratio": settings.ratio_g, "dia": settings.action_h,
                "isfProfile": {"sensitivities": [
                    {"offset": 0, "i": 0, "start": "00:00:00", "sensitivity": settings.sensitivity_mg_per_dl}
                ]},
                "min_bg": settings.target_mg_per_dl, "max_bg": settings.target_mg_per_dl, "out_units": "mg/dL",
                "model": MODEL, "type": "current", "bolus_increment": settings.bolus_step_u,
                "enableSMB_always": settings.micro_boluses, "enableUAM": settings.micro_boluses,
            },
        }  # fmt: skip

    def _wanted(self, result: Any, meal_u: float) -> Wanted:  # noqa: ANN401 - whatever was answered
        """Turn a result into what goes to the pump, within its step and limits; NoAnswerError where it is none."""
        if not isinstance(result, Mapping):
            raise NoAnswerError(f"its result is {result!r}")
        if "error" in result:
            raise NoAnswerError(f"it cannot decide: {result['error']}")
        bolus_u = self._within(meal_u + self._amount(result, "units", 0.0))
        if "rate" not in result:
            return Wanted(bolus_u=bolus_u)
        rate, lasts_min = self._amount(result, "rate"), self._amount(result, "duration")
        if lasts_min == 0.0:
            return Wanted(bolus_u=bolus_u, ends=True)
        if not 0.0 < lasts_min <= LONGEST_MIN or lasts_min % 1.0:
            raise NoAnswerError(f"its temporary rate lasts {lasts_min:g} min, and at most {LONGEST_MIN} min are known")
        allowed = tellable(min(rate, self._settings.max_rate_u_per_h), self._settings.rate_step_u_per_h)
        return Wanted(allowed, bolus_u, int(lasts_min))

    def _within(self, bolus_u: float) -> float:
        return tellable(min(bolus_u, self._settings.max_bolus_u), self._settings.bolus_step_u)

    @staticmethod
    def _amount(result: Mapping[str, Any], name: str, default: float | None = None) -> float:
        value = result.get(name, default)
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0.0 <= value < math.inf:
            raise NoAnswerError(f"its {name} is {value!r}, which is no amount")
        return float(value)


def pump_history(accepted: Sequence[Accepted], at_min: float) -> list[dict[str, Any]]:
    """The pump's history in oref0's words, newest first: boluses, and temporary rates with what they lasted.

    The end of a temporary rate is one that lasts 0 min, as oref0's own pumps log it.
    """
    found: list[dict[str, Any]] = []
    for each in sorted(accepted, key=lambda one: one.at_min, reverse=True):
        if not at_min - REMEMBERED_MIN < each.at_min <= at_min:
            continue
        when = _time(each.at_min)
        if each.bolus_u is not None:
            found.append({"_type": "Bolus", "amount": each.bolus_u, "timestamp": when, "duration": 0})
        else:
            found += [
                {"_type": "TempBasalDuration", "duration (min)": each.lasts_min, "timestamp": when},
                {"_type": "TempBasal", "temp": "absolute", "rate": each.rate_u_per_h or 0.0, "timestamp": when},
            ]
    return found


def running(accepted: Sequence[Accepted], at_min: float) -> dict[str, Any]:
    """The temporary rate that runs at a minute by what the pump accepted, and for how long still, in oref0's words."""
    rates = [each for each in accepted if each.bolus_u is None and each.at_min <= at_min]
    last = max(reversed(rates), key=lambda one: one.at_min, default=Accepted(at_min))
    left_min = max(last.at_min + last.lasts_min - at_min, 0.0)
    rate = last.rate_u_per_h if last.rate_u_per_h is not None and left_min > 0.0 else 0.0
    return {"duration": round(left_min), "rate": rate, "temp": "absolute"}


def _time(at_min: float) -> str:
    return (MIDNIGHT + timedelta(minutes=at_min)).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _ms(at_min: float) -> int:
    return round((MIDNIGHT + timedelta(minutes=at_min)).timestamp() * 1000.0)
