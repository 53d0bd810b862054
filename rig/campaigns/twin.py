"""The fault-free twin: the same world without the fault, and how it stands at the moments at which others are compared.

One twin serves all injections of a batch. Not responsible for comparing (`observe`).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from rig.campaigns.course import TherapyCourse
from rig.campaigns.injection import SPAN_S, STRIKES_WITHIN_S, RandomInjection
from rig.campaigns.standing import Standing, standing
from rig.clock import NS_PER_S, ns_from_s

FINE_NS, MIDDLE_NS, COARSE_NS = NS_PER_S // 4, 2 * NS_PER_S, 10 * NS_PER_S
FINELY_S, MIDDLING_S = 2.0, 20.0
"""An injection is compared with its twin every 0.25 s for 2 s, every 2 s up to 20 s, and every 10 s from then on."""

Sound = tuple[int, str, bool]
"""(ns since the state began, "buzzer" or "vibrator", on)."""


@dataclass(frozen=True)
class Twin:
    """What the fault-free pump did.

    Attributes:
        standings: by ns since the state of therapy began.
        delivered_ul: likewise, every `FINE_NS`.
        steps: likewise, what the motor has made.
        sounds: every change of buzzer and vibrator.
        ends_ns: when each of what it was told was over.
    """

    standings: dict[int, Standing]
    delivered_ul: dict[int, float]
    steps: dict[int, int]
    sounds: tuple[Sound, ...]
    ends_ns: tuple[int, ...]


def latest_end(injections: Iterable[RandomInjection], window_s: float) -> int:
    """When the last observation of these ends at the latest, in ns since the state began."""
    return max(
        end_of(each.at_ns + (ns_from_s(STRIKES_WITHIN_S) if each.instruction else 0), window_s) for each in injections
    )


def end_of(at_ns: int, window_s: float) -> int:
    """The end of an injection's observation in ns since the state began: a moment at which the twin is looked at."""
    return math.ceil((at_ns + ns_from_s(window_s)) / FINE_NS) * FINE_NS


def moments(at_ns: int, end_ns: int) -> Iterator[int]:
    """List when an injection is compared with its twin, its end last."""
    moment = at_ns
    while True:
        after_s = (moment - at_ns) / NS_PER_S
        step = FINE_NS if after_s < FINELY_S else MIDDLE_NS if after_s < MIDDLING_S else COARSE_NS
        moment = (moment // step + 1) * step
        if moment >= end_ns:
            yield end_ns
            return
        yield moment


def sounds_of(course: TherapyCourse) -> tuple[Sound, ...]:
    """List what buzzer and vibrator have done since the state began."""
    return tuple(
        (ns_from_s(edge.at_s) - course.begin_ns, edge.signal, edge.high)
        for edge in course.board.heard
        if ns_from_s(edge.at_s) >= course.begin_ns
    )


def run_twin(course: TherapyCourse, end_ns: int) -> Twin:
    """Let a pump without a fault run to its end, and keep how it stands on the way."""
    standings, delivered_ul, steps = {}, {}, {}
    for moment in range(FINE_NS, end_ns + FINE_NS, FINE_NS):
        course.go_on_to(moment)
        if course.since_ns != moment:
            continue
        delivered_ul[moment] = course.world.fluid.delivered_ul()
        steps[moment] = course.world.fluid.drive.steps
        if _compared(moment):
            standings[moment] = standing(course)
    return Twin(standings, delivered_ul, steps, sounds_of(course), tuple(course.ends_ns))


def _compared(moment: int) -> bool:
    since_s = moment / NS_PER_S
    return (
        since_s <= SPAN_S + STRIKES_WITHIN_S + FINELY_S + 1.0
        or (moment % MIDDLE_NS == 0 and since_s <= SPAN_S + STRIKES_WITHIN_S + MIDDLING_S + 2.0)
        or moment % COARSE_NS == 0
    )
