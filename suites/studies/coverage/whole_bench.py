"""The same question through the whole bench: firmware, drivers, wires, procedures. The truth is taken at each weighing.

Not responsible for counting (`outcomes`).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from rig.bench.declared import metrology
from rig.bench.far_side import FarSide, open_virtual
from rig.bench.file import BenchFile, read_bench_file
from rig.bench.open import compare_identity, open_device, power_pump
from rig.procedures.basal import ANALYSIS
from rig.procedures.bolus import Bolus
from rig.record.taking import read_taken
from rig.roles import Air, Bench, MassReading
from rig.units import u_from_ul
from rig.wire import ByteLog, NoLog
from suites.measuring import measured_on
from suites.studies.coverage.laboratory import BENCH, Laboratory
from suites.studies.coverage.outcomes import Outcome
from suites.studies.coverage.runs import INTERVAL_MIN, basal_truths, cold_start


class _Beside:
    """A device and a look at the truth beside some of what it does; all else is the device's own."""

    def __init__(self, device: Any, laboratory: Laboratory, world: Any) -> None:  # noqa: ANN401 - a role; a World
        self._device, self._laboratory, self._world = device, laboratory, world
        self.truth_u: list[float] = []
        self.at_s: list[float] = []

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the device has
        return getattr(self._device, name)

    def _look(self) -> None:
        self.truth_u.append(u_from_ul(self._world.fluid.delivered_ul()))
        self.at_s.append(self._world.clock.now())


class WatchedBalance(_Beside):
    """Keeps the truth at each reading."""

    def read(self) -> MassReading:
        """Measure the mass in g."""
        reading: MassReading = self._device.read()
        self._look()
        return reading


class WatchedPump(_Beside):
    """Keeps the truth at the command of each bolus."""

    def bolus(self, insulin_u: float) -> int:
        """Start a bolus."""
        self._look()
        return int(self._device.bolus(insulin_u))


class ErringAir(_Beside):
    """Measures the air with the error that the laboratory's sensors have."""

    def read_air(self) -> Air:
        """Measure the air."""
        air: Air = self._device.read_air()
        temperature_c, pressure_hpa, humidity = self._laboratory.air_error
        return replace(
            air,
            temperature_c=air.temperature_c + temperature_c,
            pressure_hpa=air.pressure_hpa + pressure_hpa,
            relative_humidity=air.relative_humidity + humidity,
        )


@dataclass(frozen=True)
class WatchedBench:
    """A bench, and the truth."""

    bench: Bench
    balance: WatchedBalance
    pump: WatchedPump
    world: Any


@contextmanager
def watched_bench(lab: Laboratory, log: ByteLog | None = None) -> Iterator[WatchedBench]:
    """Open the virtual bench in the laboratory's own world; `log` keeps every byte of every wire."""
    import pyvisa

    spec = _in_world(read_bench_file(BENCH)[0], lab)
    assert spec.virtual is not None
    with open_virtual(spec) as world:
        resources = pyvisa.ResourceManager(world.visa_library())
        far = FarSide(world.clock, resources, spec.pump.port, spec.virtual.date)
        devices: dict[str, Any] = {}
        for role in spec.roles:
            devices[role] = open_device(spec, role, far, log or NoLog())
            compare_identity(spec, role, devices[role])
            if role == "supply":
                power_pump(spec, devices[role])
        for role, watch in (("balance", WatchedBalance), ("pump", WatchedPump), ("environment", ErringAir)):
            devices[role] = watch(devices[role], lab, world)
        bench = Bench(clock=far.clock, metrology=metrology(spec), **devices)
        yield WatchedBench(bench, devices["balance"], devices["pump"], world)
        for device in devices.values():
            device.close()
        resources.close()


def _in_world(spec: BenchFile, lab: Laboratory) -> BenchFile:
    assert spec.virtual is not None
    virtual = spec.virtual.model_copy(update={"seed": lab.seed, "parameters": lab.parameters})
    return spec.model_copy(update={"virtual": virtual})


def whole_basal_run(folder: Path, lab: Laboratory, rate_u_per_h: float) -> list[Outcome]:
    """Measure basal delivery for 25 h without warm-up; the budgets that the test keeps, beside the truth."""
    basal = cold_start(rate_u_per_h)
    with watched_bench(lab) as watched:
        budgets = measured_on(watched.bench, folder, basal).budgets
    stride = round(INTERVAL_MIN * 60.0 / basal.sample_every_s)
    at_s = read_taken(folder).series(ANALYSIS).at_s
    first = int(np.searchsorted(watched.balance.at_s, at_s[0]))
    truths = basal_truths(np.array(watched.balance.truth_u[first : first + at_s.size])[::stride], rate_u_per_h)
    return [Outcome(str(quantity), truths[quantity], budget) for quantity, budget in budgets.items()]


def whole_bolus_run(folder: Path, lab: Laboratory, insulin_u: float, count: int) -> list[Outcome]:
    """Measure consecutive boluses; the budgets that decide, beside the truth."""
    boluses = Bolus(size_u=insulin_u, count=count)
    with watched_bench(lab) as watched:
        budgets = measured_on(watched.bench, folder, boluses).budgets
        end_u = u_from_ul(watched.world.fluid.delivered_ul())
    errors = np.diff([*watched.pump.truth_u, end_u]) - insulin_u
    if insulin_u >= 1.0:
        errors *= 100.0 / insulin_u
    truths = (float(errors.mean()), float(errors.max()), float(errors.min()))
    return [
        Outcome(f"{insulin_u:g} U: {quantity}", truth, budget)
        for truth, (quantity, budget) in zip(truths, budgets.items(), strict=True)
    ]
