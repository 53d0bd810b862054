"""Faults of a measured value: an instrument that answers in good form, and what it says is not what is there.

A reading is a tuple whose first number may be damaged: (g, stable), (kPa,), (°C, hPa, relative humidity). Not
responsible for lines (`line_faults`), nor for which instruments may have which fault (`faults`).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from rig.clock import NS_PER_S, SimClock
from rig.virtual.faults import Fault
from rig.virtual.noise import stream, uniform

Reading = tuple[Any, ...]
Misreading = Callable[[Reading], Reading]
SPIKE_S = 2.0
"""How long a spike lasts. Assumption: a door, a knock on the table."""
SHOWN_DIGIT = 7
"""What a damaged digit always shows."""


def misreading(fault: Fault, clock: SimClock, seed: int, now: Reading) -> Misreading:
    """Make the misreading of a fault that begins at this moment, when the instrument reads `now`."""
    return {"stuck": _stuck, "drift": _drift, "spikes": _spikes, "digit": _digit, "unstable": _unstable}[fault.kind](
        fault, clock, seed, now
    )


def _stuck(fault: Fault, clock: SimClock, seed: int, now: Reading) -> Misreading:
    """Repeat the reading that there was, to the last digit."""
    del fault, clock, seed
    return lambda _: now


def _drift(fault: Fault, clock: SimClock, seed: int, now: Reading) -> Misreading:
    """Add a size for each h that has passed since the beginning."""
    del seed, now
    begun_ns = clock.now_ns
    return lambda reading: (reading[0] + fault.size * (clock.now_ns - begun_ns) / (3600 * NS_PER_S), *reading[1:])


def _spikes(fault: Fault, clock: SimClock, seed: int, now: Reading) -> Misreading:
    """Add or take off a size for `SPIKE_S` at a drawn moment of each period."""
    del now
    moments, signs = (stream(seed, f"fault {fault.device} spikes {what}") for what in ("moments", "signs"))
    begun_ns = clock.now_ns

    def read(reading: Reading) -> Reading:
        number, within_s = divmod((clock.now_ns - begun_ns) / NS_PER_S, fault.period_s)
        begins_s = uniform(moments, int(number)) * max(0.0, fault.period_s - SPIKE_S)
        if not begins_s <= within_s < begins_s + SPIKE_S:
            return reading
        return (reading[0] + math.copysign(fault.size, uniform(signs, int(number)) - 0.5), *reading[1:])

    return read


def _digit(fault: Fault, clock: SimClock, seed: int, now: Reading) -> Misreading:
    """Show `SHOWN_DIGIT` at the place that a size stands for, whatever digit belongs there."""
    del clock, seed, now
    place = fault.size

    def read(reading: Reading) -> Reading:
        shown = abs(reading[0])
        digit = math.floor(shown / place) % 10
        return (math.copysign(shown + (SHOWN_DIGIT - digit) * place, reading[0]), *reading[1:])

    return read


def _unstable(fault: Fault, clock: SimClock, seed: int, now: Reading) -> Misreading:
    """Never call a reading stable."""
    del fault, clock, seed, now
    return lambda reading: (reading[0], False)
