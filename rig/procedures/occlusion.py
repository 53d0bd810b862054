"""Occlusions one after the other under basal delivery: close the outlet, wait for the alarm, open it again.

Not responsible for the numbers of one, which `rig.analysis.occlusion` computes from its trace, nor for limits.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from statistics import median
from typing import Annotated, ClassVar, Self

import numpy as np
from pydantic import Field, model_validator

from rig.analysis.budget import Budget
from rig.analysis.occlusion import OcclusionAlarm, alarm_times, occlusion_alarm, released_volume_ul
from rig.analysis.pressure_spike import pressure_spike
from rig.errors import BlockedError
from rig.procedures.answers import ask_for_bolus
from rig.procedures.at_once import at_once
from rig.procedures.between_blanks import between_blanks, scale_between_blanks
from rig.procedures.bolus import STANDARD_BOLUS_U_PER_H
from rig.procedures.bounds import Rate, Size, lasting
from rig.procedures.budgets import measured, with_one_source
from rig.procedures.contents import occlusion_content
from rig.procedures.gaps import step_at_s
from rig.procedures.parameters import RATE, THRESHOLD, Threshold
from rig.procedures.preparation import prepare, start_therapy
from rig.procedures.procedure import BetweenBlanks, Computed
from rig.procedures.rest import REST_SPAN_S, SAMPLE_EVERY_S, wait_for_rest
from rig.procedures.sampling import QUICK_S, Sample, sample_for, samples_for
from rig.procedures.threshold import ALARM, at_threshold, occlusion_is_alarmed, occlusion_needs, threshold_set
from rig.procedures.volume import VolumeScale
from rig.record.analyses import Analysis, OcclusionNumbers, OcclusionSeries, OneOcclusion
from rig.record.taking import Fact, Recorder, Series, Taken
from rig.roles import Bench, Capability, Metrology
from rig.toml_files import TimeS, WholeNumber
from rig.units import u_from_ul, ul_from_u
from rig.verdicts.limits import Measurement
from rig.verdicts.quantities import Kind, Parameter, Quantity

LOOK_EVERY_S = 10.0
BURST_KPA = 350.0
"""The bench gives up above this line pressure, to spare the tubing and a sensor with a range of 400 kPa."""
RELEASE_S = 600.0
"""So far apart at most are the weighings before and after a release."""
LOOKS = "time between looks at the pump"
GAP_SHARE, LONGEST_GAP_S = 0.1, 60.0
"""No look may be missing for more than this share of the time to giving up, or than 60 s: what the pump delivers into a
closed line meanwhile is then a tenth of what would be given up at."""

DELIVERS_SHARE, SURE_SD = 0.5, 10.0
"""A pump was seen to deliver when half of its programme came, and that is 10 SD of a reading of the balance."""
FEWEST_EQUAL, PUSHED_U = 10, 0.2
"""So many equal readings, and so much pushed into the line meanwhile, show a sensor dead: a line that takes 5 U up to
240 kPa, the most that requirements allow, rises by 10 kPa."""

PRESSED = Parameter("pressed", ("U",), needed=False)
_PARAMETERS = (RATE, THRESHOLD, PRESSED)
_AT = "{rate}[, threshold {threshold}][, {pressed} pressed first]"


def _kind(name: str, words: str, unit: str, meaning: str) -> Kind:
    return Kind(f"occlusion.{name}", f"{words} at {_AT}", (unit,), _PARAMETERS, meaning)


UNALARMED = _kind("unalarmed", "occlusions without an alarm", "occlusions", "Occlusions that were given up unalarmed.")
TYPICAL = _kind("typical_time", "typical time to the alarm", "s", "Median time from closing the outlet to the alarm.")
LONGEST = _kind("longest_time", "longest time to the alarm", "s", "Longest time from closing the outlet to the alarm.")
AT_ALARM = _kind("typical_pressure", "typical pressure at the alarm", "kPa", "Median line pressure at the alarm.")
HIGHEST = _kind("highest_pressure", "highest pressure", "kPa", "Highest line pressure up to the alarm.")
RISE = _kind(
    "pressure_rise", "largest pressure rise after the alarm", "kPa", "How far the pressure still rises after the alarm."
)
MISSED = _kind("largest_missed", "largest missed volume", "U", "Most that was programmed and not delivered by then.")
RELEASED = _kind("largest_release", "largest bolus on release", "U", "Most that came when the outlet was opened.")


class OcclusionProvoked(Fact):
    """One occlusion: its number from 1, when the outlet was closed, the alarm came or it was given up, and opened."""

    number: int
    closed_at_s: float
    alarm_at_s: float
    alarmed: bool
    opened_at_s: float


@dataclass(frozen=True)
class OcclusionResult:
    """What one occlusion showed: whether it was alarmed, missed and released insulin in U, and the rise afterwards.

    `looked_s` lie between the look that saw the alarm and the one before, `weighed_s` between the weighings before and
    after the release.
    """

    alarmed: bool
    alarm: OcclusionAlarm
    missed_u: float
    released_u: float
    rise_kpa: float
    looked_s: float = LOOK_EVERY_S
    weighed_s: float = RELEASE_S


class Occlusion(BetweenBlanks):
    """Provoke occlusions one after the other under basal delivery at one rate, at one threshold of the pump.

    Each has free delivery of `free_s` before, is given up after `giving_up_after_u` missed, is watched for `watch_s`
    with the outlet still closed, and is weighed when the outlet opens. The first that is not alarmed is the last.
    At a rate so low that the pressure would rise for days, a bolus of `pressed_u` is pressed into the closed line
    first, which leaves the last part of the rise to the rate.
    """

    TABLE: ClassVar = "occlusion"
    KEYWORD: ClassVar = "Provoke Occlusions"
    IN_WORDS: ClassVar = "occlusions at {title}"
    EXPECTED: ClassVar = frozenset({ALARM})
    KINDS: ClassVar = (UNALARMED, TYPICAL, LONGEST, AT_ALARM, HIGHEST, RISE, MISSED, RELEASED)

    rate_u_per_h: Annotated[Rate, Field(alias="rate")]
    threshold: Threshold | None = None
    count: WholeNumber = Field(default=1, ge=1, le=100)
    free_s: Annotated[TimeS, lasting("1 min"), Field(alias="free")] = 600.0
    watch_s: Annotated[TimeS, lasting("1 min"), Field(alias="watch")] = 600.0
    giving_up_after_u: Annotated[Size, Field(alias="giving_up_after")] = 7.0
    pressed_u: Annotated[Size | None, Field(alias="pressed")] = None
    look_every_s: Annotated[TimeS, lasting("1 s", "1 h"), Field(alias="look_every")] = LOOK_EVERY_S

    @model_validator(mode="after")
    def _something_is_left_to_the_rate(self) -> Self:
        if self.pressed_u is not None and self.pressed_u >= self.giving_up_after_u:
            raise ValueError("what is pressed first is less than what an occlusion is given up after")
        return self

    @property
    def title(self) -> str:
        """What it is called: its rate, its threshold, and what is pressed first."""
        pressed = f", {self.pressed_u:g} U pressed first" if self.pressed_u is not None else ""
        return at_threshold(self.rate_u_per_h, self.threshold) + pressed

    @property
    def needs(self) -> tuple[Capability, ...]:
        """What a pump must be able to do for it."""
        return (*occlusion_needs(self.threshold), *((Capability.FAST_BOLUS,) if self.pressed_u is not None else ()))

    @property
    def needed_u(self) -> float:
        """Insulin that it takes in U, at most, of one reservoir: each occlusion begins with a full one."""
        return self.rate_u_per_h * self.free_s / 3600.0 + self.giving_up_after_u

    @property
    def quantities(self) -> tuple[Quantity, ...]:
        """What it measures."""
        return tuple(self._quantity(kind) for kind in self.KINDS)

    @property
    def bench_time_s(self) -> float:
        """Each occlusion, alarmed when half of what ends it is missed, and what is around them, in s."""
        alarmed_s = 0.5 * self.giving_up_after_u / self.rate_u_per_h * 3600.0
        return self.count * (self.free_s + alarmed_s + self.watch_s + RELEASE_S) + self.around_s

    @property
    def extent(self) -> Mapping[str, float]:
        """How many there are, and for how long each is watched after its alarm, in s."""
        return {"count": float(self.count), "analysis": self.watch_s}

    def _quantity(self, kind: Kind) -> Quantity:
        return kind.of(rate=self.rate_u_per_h, threshold=self.threshold, pressed=self.pressed_u)

    def take(self, bench: Bench, record: Recorder) -> None:
        """Occlude again and again between two blank runs."""

        def deliver() -> None:
            for number in range(1, self.count + 1):
                if not self.occlude(bench, record, number):
                    return

        with threshold_set(bench, record, self.threshold):
            between_blanks(bench, record, rate_u_per_h=self.rate_u_per_h, blank_s=self.blank_s, deliver=deliver)

    def occlude(self, bench: Bench, record: Recorder, number: int) -> bool:
        """Provoke one occlusion and clear it; says whether the pump alarmed it."""
        phase = _phases(number)
        prepare(bench, record, rate_u_per_h=self.rate_u_per_h)
        start_therapy(bench, record)
        free = samples_for(bench, record, phase.free, duration_s=self.free_s, every_s=SAMPLE_EVERY_S)
        delivers = self._delivers(free, bench.metrology)
        close = partial(bench.switch.set_line, "occluder", energised=True)
        at_once(bench.clock, "closing the outlet", close)
        closed_at_s = bench.clock.now()
        record.step("outlet closed")
        longest_s = (self.giving_up_after_u - self._pressed_u) / self.rate_u_per_h * 3600.0
        longest_gap_s = max(GAP_SHARE * longest_s, LONGEST_GAP_S, 2.0 * self.look_every_s)
        if self.pressed_u is not None:
            self._press(bench, record, phase.waiting, self.pressed_u)
        alarmed, seen_at_s = False, closed_at_s
        equal = _EqualPressures(self.rate_u_per_h)

        def over(sample: Sample) -> bool:
            nonlocal alarmed, seen_at_s
            alarmed = at_once(
                bench.clock, "asking for the alarm", partial(occlusion_is_alarmed, bench), within_s=longest_gap_s
            )
            now_s = bench.clock.now()  # of an answer that came late nobody knows from when it is
            seen_at_s = now_s if now_s - sample.at_s > QUICK_S else sample.at_s
            equal.look(sample, delivers=alarmed or delivers)
            return alarmed or sample.pressure_kpa > BURST_KPA

        sample_for(
            bench,
            record,
            phase.waiting,
            duration_s=longest_s,
            every_s=self.look_every_s,
            longest_gap_s=longest_gap_s,
            until=over,
        )
        record.step("occlusion alarm" if alarmed else "no occlusion alarm, given up")
        if not alarmed:
            bench.pump.stop()
        sample_for(bench, record, phase.after, duration_s=self.watch_s, every_s=SAMPLE_EVERY_S)
        bench.pump.stop()
        sample_for(bench, record, phase.before_opening, duration_s=REST_SPAN_S, every_s=SAMPLE_EVERY_S)
        bench.switch.set_line("occluder", energised=False)
        opened_at_s = bench.clock.now()
        record.step("outlet opened")
        record.fact(
            OcclusionProvoked(
                at_s=opened_at_s,
                number=number,
                closed_at_s=closed_at_s,
                alarm_at_s=seen_at_s,
                alarmed=alarmed,
                opened_at_s=opened_at_s,
            )
        )
        wait_for_rest(bench, record, phase.release)
        return alarmed

    @property
    def _pressed_u(self) -> float:
        return self.pressed_u or 0.0

    def _press(self, bench: Bench, record: Recorder, phase: str, pressed_u: float) -> None:
        """Press a bolus into the closed line; a pump that alarms meanwhile is seen to at the first look."""
        ask_for_bolus(bench, record, pressed_u, "a bolus into the closed line")
        planned_s = 3600.0 * pressed_u / STANDARD_BOLUS_U_PER_H
        sample_for(bench, record, phase, duration_s=planned_s, every_s=LOOK_EVERY_S)

    def _delivers(self, free: Sequence[Sample], metrology: Metrology) -> bool:
        """Say whether at least half of what is programmed was seen to come with the outlet open."""
        came_g, lasted_s = free[-1].mass_g - free[0].mass_g, free[-1].at_s - free[0].at_s
        programmed_g = ul_from_u(self.rate_u_per_h) * lasted_s / 3600.0 * 1e-3
        return came_g >= DELIVERS_SHARE * programmed_g > SURE_SD * metrology.balance_repeatability_g

    def compute(self, taken: Taken, metrology: Metrology) -> Computed:
        """Compute what each occlusion showed, and of all what is typical and what is worst."""
        scale = scale_between_blanks(taken, metrology, blank_s=self.blank_s)
        provoked = self._provoked(taken)
        results, analyses = [], dict[str, Analysis]()
        for one in provoked:
            title = f"Occlusion {one.number} of {len(provoked)} at {self.title}"
            result, kept = self._result(one, taken.series(*_phases(one.number).all), scale, title)
            results.append(result)
            analyses[f"occlusion-{one.number}"] = kept
        analyses["occlusions"] = self._series(results)
        budgets = self.budgets(results, scale)
        unalarmed = float(sum(not result.alarmed for result in results))
        return Computed(
            measured=(
                Measurement(self._quantity(UNALARMED), unalarmed),
                *(measured(quantity, budget) for quantity, budget in budgets.items()),
            ),
            analyses=analyses,
            budgets=budgets,
        )

    def _provoked(self, taken: Taken) -> tuple[OcclusionProvoked, ...]:
        """Read back the occlusions: all of them, or up to the first that was not alarmed."""
        found = taken.facts(OcclusionProvoked)
        unalarmed = bool(found) and not found[-1].alarmed
        return taken.exactly(len(found) if unalarmed else self.count, OcclusionProvoked)

    def _result(
        self, one: OcclusionProvoked, readings: Series, scale: VolumeScale, title: str
    ) -> tuple[OcclusionResult, OcclusionNumbers]:
        """Compute what one occlusion showed, with its trace for the record."""
        self._refuse_spikes(one, readings, scale.metrology)
        delivered_u = scale.delivered_u(readings)
        alarm = occlusion_alarm(
            readings.at_s,
            readings.pressure_kpa,
            ul_from_u(1.0) * delivered_u,
            occluded_at_s=one.closed_at_s,
            alarm_at_s=one.alarm_at_s,
            rate_ul_per_h=ul_from_u(self.rate_u_per_h),
        )
        around = readings.at_s >= one.opened_at_s - REST_SPAN_S
        released_u = u_from_ul(
            released_volume_ul(
                readings.at_s[around],
                ul_from_u(1.0) * delivered_u[around],
                released_at_s=one.opened_at_s,
                plateau_s=readings.at_s[-1] - REST_SPAN_S,
            )
        )
        watched = (readings.at_s >= one.alarm_at_s) & (readings.at_s <= one.opened_at_s)
        rise_kpa = float(np.max(readings.pressure_kpa[watched]) - alarm.pressure_at_alarm_kpa)
        looked_s = step_at_s(readings.at_s, one.alarm_at_s, every_s=self.look_every_s)
        weighed_s = float(readings.at_s[-1]) - one.opened_at_s + REST_SPAN_S
        kept = occlusion_content(
            alarm,
            title=title,
            rate_u_per_h=self.rate_u_per_h,
            occluded_at_s=one.closed_at_s,
            alarm_at_s=one.alarm_at_s if one.alarmed else None,
            released_at_s=one.opened_at_s,
            released_u=released_u,
            at_s=readings.at_s,
            pressure_kpa=readings.pressure_kpa,
            delivered_u=delivered_u,
        )
        missed_u = u_from_ul(alarm.missed_ul) + self._pressed_u
        return OcclusionResult(one.alarmed, alarm, missed_u, released_u, rise_kpa, looked_s, weighed_s), kept

    def _refuse_spikes(self, one: OcclusionProvoked, readings: Series, metrology: Metrology) -> None:
        """Refuse a pressure that jumps off and back while the line is closed; BlockedError with what to do."""
        first, last = np.searchsorted(readings.at_s, (one.closed_at_s, one.opened_at_s))
        closed = slice(max(0, int(first) - 1), int(last) + 1)  # with a neighbour on either side
        spike = pressure_spike(
            readings.at_s[closed],
            readings.pressure_kpa[closed],
            rate_ul_per_h=ul_from_u(self.rate_u_per_h),
            sd_kpa=metrology.pressure_expanded_uncertainty_kpa / 2.0,
        )
        if spike is not None:
            raise BlockedError(
                f"pressure: the sensor jumped by {spike.jump_kpa:+.4g} kPa at {spike.from_s:.0f} s and was back by "
                f"{spike.to_s:.0f} s, which no fluid in a closed line does; look at its cable, shield and power, keep "
                "hands and radios away from it, and measure again"
            )

    def budgets(self, results: Sequence[OcclusionResult], scale: VolumeScale) -> dict[Quantity, Budget]:
        """Write a budget for each number that is reported of a series.

        The pump is asked every `LOOK_EVERY_S`: an alarm is seen up to that much late, or later after a gap. For an
        occlusion that was not alarmed the time is that until it was given up.
        """
        late_s = max(result.looked_s for result in results) / math.sqrt(3.0)
        weighed_s = max(RELEASE_S, *(result.weighed_s for result in results))
        times = alarm_times([result.alarm.time_to_alarm_s for result in results])
        typical_kpa = median(result.alarm.pressure_at_alarm_kpa for result in results)
        highest_kpa = max(result.alarm.pressure_max_kpa for result in results)
        rise_kpa = max(result.rise_kpa for result in results)
        u_kpa = scale.metrology.pressure_expanded_uncertainty_kpa / 2.0
        worst = max(results, key=lambda result: result.missed_u)
        missed = scale.budget(worst.missed_u, worst.alarm.time_to_alarm_s)
        return {
            self._quantity(TYPICAL): with_one_source(times.typical_s, "s", LOOKS, late_s),
            self._quantity(LONGEST): with_one_source(times.longest_s, "s", LOOKS, late_s),
            self._quantity(AT_ALARM): with_one_source(typical_kpa, "kPa", "pressure sensor", u_kpa),
            self._quantity(HIGHEST): with_one_source(highest_kpa, "kPa", "pressure sensor", u_kpa),
            self._quantity(RISE): with_one_source(rise_kpa, "kPa", "pressure sensor", u_kpa),
            self._quantity(MISSED): missed.plus(LOOKS, "B", self.rate_u_per_h * late_s / 3600.0),
            self._quantity(RELEASED): scale.budget(max(result.released_u for result in results), weighed_s),
        }

    def _series(self, results: Sequence[OcclusionResult]) -> OcclusionSeries:
        return OcclusionSeries(
            title=f"Occlusions at {self.title}",
            rate_u_per_h=self.rate_u_per_h,
            occlusions=tuple(
                OneOcclusion(
                    time_to_alarm_s=result.alarm.time_to_alarm_s if result.alarmed else None,
                    pressure_at_alarm_kpa=result.alarm.pressure_at_alarm_kpa,
                    missed_u=result.missed_u,
                    released_u=result.released_u,
                )
                for result in results
            ),
        )


class _EqualPressures:
    """Follows the pressure in a closed line, and refuses a sensor that shows one value while a pump pushes into it."""

    def __init__(self, rate_u_per_h: float) -> None:
        self._rate_u_per_h = rate_u_per_h
        self._pressure_kpa: float | None = None
        self._since_s = 0.0
        self._count = 0

    def look(self, sample: Sample, *, delivers: bool) -> None:
        """Take one more reading into account; BlockedError when the sensor is shown dead, with what to do."""
        if sample.pressure_kpa != self._pressure_kpa:
            self._pressure_kpa, self._since_s, self._count = sample.pressure_kpa, sample.at_s, 1
            return
        self._count += 1
        pushed_u = self._rate_u_per_h * (sample.at_s - self._since_s) / 3600.0
        if not delivers or self._count < FEWEST_EQUAL or pushed_u < PUSHED_U:
            return
        raise BlockedError(
            f"pressure: the sensor has shown {self._pressure_kpa:.6g} kPa and nothing else since "
            f"{self._since_s:.0f} s, while {pushed_u:.2g} U were pushed into the closed line: it is frozen, or cut off "
            "from the line; switch it off and on, look at its cable, connection and valve, and measure again"
        )


@dataclass(frozen=True)
class _Phases:
    """What the readings of one occlusion are kept under, in their order."""

    free: str
    waiting: str
    after: str
    before_opening: str
    release: str

    @property
    def all(self) -> tuple[str, ...]:
        return (self.free, self.waiting, self.after, self.before_opening, self.release)


def _phases(number: int) -> _Phases:
    return _Phases(
        f"free delivery {number}",
        f"waiting for occlusion alarm {number}",
        f"after occlusion alarm {number}",
        f"before opening {number}",
        f"release {number}",
    )
