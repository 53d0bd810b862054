"""Observing one injection: the fault happens, time passes, and the pump is compared with its fault-free twin.

It changes the world that it is given: whoever needs that again works on a fork of it. Not responsible for the class of
what comes out (`consequence`).
"""

from __future__ import annotations

from rig.campaigns.consequence import Observed
from rig.campaigns.course import TherapyCourse
from rig.campaigns.inject import inject
from rig.campaigns.injection import STRIKES_WITHIN_S, RandomInjection
from rig.campaigns.standing import standing
from rig.campaigns.twin import FINE_NS, Sound, Twin, end_of, moments, sounds_of
from rig.clock import NS_PER_S, ns_from_s
from rig.errors import RigError
from rig.units import u_from_ul

WATCHDOG_S = 40.0
"""A core that stands or spins at the end of a window is given so long: the controller's watchdog bites after 32 s."""
PERMANENT = ("flash",)
"""Kinds after which a pump never stands like its twin again: the bit stays flipped."""
RESTLESS_S = 1.0
"""A core that has not slept for so long spins."""
TONE_S = 0.01
"""Shorter than this, buzzer or vibrator only click, as at the self-test of a start."""


def observe(course: TherapyCourse, injection: RandomInjection, twin: Twin, window_s: float) -> Observed:
    """Inject a fault and observe what comes of it.

    Args:
        course: a state of therapy at or before the fault's instant.
        injection: the fault and its instant.
        twin: what the pump does without.
        window_s: for how long it is observed at the most; it ends when the pump stands like its twin.
    """
    before = len(course.board.mcu.resets)
    deviations: list[tuple[int, float]] = []
    alike_after_s, stands_still = None, None
    steps = 0
    try:
        at_ns = _strike(course, injection)
        if at_ns is None:
            return Observed(window_s=window_s, failed=f"the core rested for {STRIKES_WITHIN_S:g} s")
        end_ns = end_of(at_ns, window_s)
        compared = set() if injection.kind in PERMANENT else set(moments(at_ns, end_ns))
        for moment in range((course.since_ns // FINE_NS + 1) * FINE_NS, end_ns + 1, FINE_NS):
            course.go_on_to(moment)
            if course.board.mcu.restless_s > WATCHDOG_S:
                stands_still = f"it has not rested for {WATCHDOG_S:g} s"
                break
            if course.since_ns != moment or moment not in twin.delivered_ul:
                continue
            fluid = course.world.fluid
            deviations.append((moment, u_from_ul(fluid.delivered_ul() - twin.delivered_ul[moment])))
            steps = fluid.drive.steps - twin.steps[moment]
            there = twin.standings.get(moment) if moment in compared else None
            if there is not None and standing(course).is_like(there):
                alike_after_s = (moment - at_ns) / NS_PER_S
                break
        else:
            stands_still = _stands_still(course)
    except RigError as error:
        return Observed(window_s=window_s, failed=str(error), restarts=tuple(course.board.mcu.resets[before:]))
    last_ns = deviations[-1][0] if deviations else end_ns
    sounds = _tones(sounds_of(course), at_ns, last_ns)
    of_twin = _tones(twin.sounds, at_ns, last_ns)
    # Where the twin annunciates, a person is being told already: by the next tone at the latest.
    new = sounds if of_twin else [tone for tone in sounds if tone not in of_twin]
    unheard_ns = [ns for ns, _ in course.unanswered if ns > at_ns]
    told_ns = min([*(tone[0] for tone in new), *unheard_ns], default=None)
    return Observed(
        alike_after_s=alike_after_s,
        window_s=window_s,
        deviation_u=_rounded(deviations[-1][1]) if deviations else 0.0,
        steps=steps,
        annunciated_after_s=None if told_ns is None else (told_ns - at_ns) / NS_PER_S,
        deviation_then_u=None if told_ns is None else _rounded(_at(deviations, told_ns)),
        twin_annunciates=bool(of_twin),
        annunciates=bool(sounds),
        restarts=tuple(course.board.mcu.resets[before:]),
        stands_still=stands_still,
        unanswered=len(unheard_ns),
    )


def _strike(course: TherapyCourse, injection: RandomInjection) -> int | None:
    """Let time pass until the fault has happened; returns when, in ns since the state began, None where it has not."""
    struck: list[int] = []

    def begin() -> None:
        inject(course, injection, lambda: struck.append(course.since_ns))

    course.clock.call_at(course.begin_ns + injection.at_ns, begin)
    moment = injection.at_ns
    course.go_on_to(moment)
    while not struck and moment < injection.at_ns + ns_from_s(STRIKES_WITHIN_S):
        moment = (moment // FINE_NS + 1) * FINE_NS
        course.go_on_to(moment)
    return struck[0] if struck else None


def _stands_still(course: TherapyCourse) -> str | None:
    """Give a core that stands or spins the time of its watchdog; says what it does when it still does so afterwards."""
    mcu = course.board.mcu
    deadline_ns = course.since_ns + ns_from_s(WATCHDOG_S)
    while True:
        why = mcu.halted if mcu.halted is not None else "spins" if mcu.restless_s > RESTLESS_S else None
        if why is None or not mcu.powered:
            return None
        if course.since_ns >= deadline_ns:
            return why
        course.go_on_to(course.since_ns + NS_PER_S)


def _tones(sounds: tuple[Sound, ...], from_ns: int, to_ns: int) -> list[tuple[int, str]]:
    """List when buzzer and vibrator went on, for longer than a click."""
    found = []
    for place, (at_ns, signal, on) in enumerate(sounds):
        if not on or not from_ns <= at_ns <= to_ns:
            continue
        off_ns = next((ns for ns, same, high in sounds[place + 1 :] if same == signal and not high), None)
        if off_ns is None or off_ns - at_ns >= ns_from_s(TONE_S):
            found.append((at_ns, signal))
    return found


def _at(deviations: list[tuple[int, float]], at_ns: int) -> float:
    """The deviation when something was told: what it came to by then, before anything was done about it."""
    return next((deviation_u for moment, deviation_u in reversed(deviations) if moment <= at_ns), 0.0)


def _rounded(volume_u: float) -> float:
    """Without the last digits of floating point, and without a −0."""
    return round(volume_u, 9) + 0.0
