"""Reading the bench at regular moments.

Not responsible for what the readings mean (`rig.analysis`).
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from rig.errors import BlockedError
from rig.procedures.gaps import notice_gap
from rig.procedures.watch import WATCH_EVERY_S, WatchedBench
from rig.record.taking import Recorder, Series, Taken
from rig.roles import Air, Bench, MassReading
from rig.units import u_from_ul

PROGRESS_EVERY_S = 600.0
QUICK_S = 1.0
"""A balance that is read at once answers in less; the moment of its reading is known so well."""
READ_AGAIN = "it was read again"
"""What the incident of a slow answer says last."""
SAME_MOMENT = 1e-9
"""Of a step: two moments that differ by less are one, but for the rounding of a double."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One reading of the bench: s on its clock, g on the balance, kPa in the line."""

    at_s: float
    mass_g: float
    pressure_kpa: float


def series_of(samples: list[Sample]) -> Series:
    """Turn readings into arrays."""
    columns = np.array([(sample.at_s, sample.mass_g, sample.pressure_kpa) for sample in samples]).reshape(-1, 3).T
    return Series(at_s=columns[0], mass_g=columns[1], pressure_kpa=columns[2])


def take_sample(bench: Bench, record: Recorder, phase: str) -> Sample:
    """Measure mass and pressure now, and keep both under a phase."""
    reading, at_s = _read_balance(bench, record, phase)
    record.sample("balance", phase, mass_g=reading.mass_g, stable=reading.stable)
    pressure_kpa = bench.pressure.read_kpa()
    record.sample("pressure", phase, pressure_kpa=pressure_kpa)
    return Sample(at_s, reading.mass_g, pressure_kpa)


def _read_balance(bench: Bench, record: Recorder, phase: str) -> tuple[MassReading, float]:
    """Read the balance, and when.

    Whoever waited long does not know when the balance looked: this computer may have stood still with the answer on the
    line. Then it is read once more, and the quicker reading counts.
    """
    asked_s = bench.clock.now()
    reading, at_s = bench.balance.read(), bench.clock.now()
    took_s = at_s - asked_s
    if took_s <= QUICK_S:
        return reading, at_s
    record.incident("balance", f"a reading took {took_s:.3g} s in the {phase}; {READ_AGAIN}")
    again, again_at_s = bench.balance.read(), bench.clock.now()
    return (again, again_at_s) if again_at_s - at_s < took_s else (reading, at_s)


def ticks(bench: Bench, every_s: float, duration_s: float) -> Iterator[float]:
    """Wait from moment to moment of a regular grid, and yield the s since its start, the first 0, the last the end.

    The grid does not drift with the time that the readings take. Where the clock has passed several moments, as after
    a computer stood still, the last of them is taken late and the others are left out: no burst makes up for them.
    """
    start_s = bench.clock.now()
    last = max(0, math.ceil(duration_s / every_s - SAME_MOMENT))
    number = 0
    while True:
        _wait_until(bench, start_s + number * every_s)
        yield number * every_s
        if number == last:
            return
        passed = math.floor((bench.clock.now() - start_s) / every_s + SAME_MOMENT)
        number = min(last, max(number + 1, passed))


def _wait_until(bench: Bench, at_s: float) -> None:
    """Wait until a moment on the bench's clock; a pump that is watched is looked at when that is due."""
    if isinstance(bench, WatchedBench):
        while at_s - bench.clock.now() > WATCH_EVERY_S:
            bench.clock.sleep(WATCH_EVERY_S)
            bench.watch.look()
    bench.clock.sleep(max(0.0, at_s - bench.clock.now()))


def sample_for(
    bench: Bench,
    record: Recorder,
    phase: str,
    *,
    duration_s: float,
    every_s: float,
    longest_gap_s: float = math.inf,
    until: Callable[[Sample], bool] = lambda _: False,
) -> Sample:
    """Sample every `every_s` for `duration_s`, or until a sample satisfies `until`; tells progress, returns the last.

    `phase` is what the readings are kept under, and what a person watching is told. They are in the record, and not
    in memory: a phase may last for days. A gap between two readings is kept as an incident and as a fact.

    Raises:
        BlockedError: a gap is longer than `longest_gap_s`, which breaks the method; it is raised as soon as it is seen.
    """
    return deque(_sampling(bench, record, phase, duration_s, every_s, longest_gap_s, until), maxlen=1).pop()


def samples_for(
    bench: Bench,
    record: Recorder,
    phase: str,
    *,
    duration_s: float,
    every_s: float,
    longest_gap_s: float = math.inf,
    until: Callable[[Sample], bool] = lambda _: False,
) -> list[Sample]:
    """Do as `sample_for`, and return every sample: for a phase that is short, or is judged as soon as it is over."""
    return list(_sampling(bench, record, phase, duration_s, every_s, longest_gap_s, until))


def _sampling(
    bench: Bench,
    record: Recorder,
    phase: str,
    duration_s: float,
    every_s: float,
    longest_gap_s: float,
    until: Callable[[Sample], bool],
) -> Iterator[Sample]:
    """Yield each sample, once it is kept in the record."""
    told: Sample | None = None
    before: Sample | None = None
    for number, _ in enumerate(ticks(bench, every_s, duration_s)):
        sample = take_sample(bench, record, phase)
        if isinstance(bench, WatchedBench):
            bench.watch.reading(sample.at_s, sample.mass_g)
            if bench.watch.due():
                bench.watch.look()
        if before is not None:
            notice_gap(record, phase, before, sample, every_s=every_s, longest_gap_s=longest_gap_s)
        told = told or sample
        if number == 1 or sample.at_s - told.at_s >= PROGRESS_EVERY_S:
            _tell(record, phase, told, sample)
            told = sample
        before = sample
        yield sample
        if until(sample):
            break


def _tell(record: Recorder, phase: str, before: Sample, now: Sample) -> None:
    flow_u_per_h = u_from_ul((now.mass_g - before.mass_g) * 1e3) / (now.at_s - before.at_s) * 3600.0
    record.progress(phase, flow_u_per_h=round(flow_u_per_h, 3), pressure_kpa=round(now.pressure_kpa, 2))


def read_air(bench: Bench, record: Recorder, phase: str) -> Air:
    """Measure the air at the balance and keep it under a phase; BlockedError when it is outside the bench's band."""
    air = bench.environment.read_air()
    record.sample(
        "environment",
        phase,
        temperature_c=air.temperature_c,
        pressure_hpa=air.pressure_hpa,
        relative_humidity=air.relative_humidity,
    )
    coldest, warmest = bench.metrology.temperature_band_c
    driest, dampest = bench.metrology.humidity_band
    if not coldest <= air.temperature_c <= warmest:
        raise BlockedError(
            f"environment: {air.temperature_c:.1f} °C at the balance is outside {coldest:g} … {warmest:g} °C; "
            "bring the room into its band, or change the band in the bench file"
        )
    if not driest <= air.relative_humidity <= dampest:
        raise BlockedError(
            f"environment: {air.relative_humidity:.0%} relative humidity at the balance is outside "
            f"{driest:.0%} … {dampest:.0%}; bring the room into its band, or change the band in the bench file"
        )
    lowest_hpa, highest_hpa = bench.metrology.ambient_pressure_band_hpa
    if not lowest_hpa <= air.pressure_hpa <= highest_hpa:
        raise BlockedError(
            f"environment: {air.pressure_hpa:.1f} hPa at the balance is outside {lowest_hpa:g} … {highest_hpa:g} hPa; "
            "set up the ambient pressure that the bench file's conditions name, or correct them"
        )
    return air


def air_of(taken: Taken, phase: str) -> Air:
    """Read back the air that was first measured in a phase."""
    found = taken.values("environment", phase)
    return Air(float(found["temperature_c"][0]), float(found["pressure_hpa"][0]), float(found["relative_humidity"][0]))
