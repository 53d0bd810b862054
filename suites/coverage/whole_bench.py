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
from rig.evidence import RunFolder, read_json_lines

from rig.bench import ROLES, FarSide, compare_identity, open_device, open_virtual, power_pump
from rig.bench_file import BenchFile, read_bench_file
from rig.declared import metrology
from rig.procedures.basal import BasalPlan, measure_basal
from rig.procedures.bolus import BolusPlan, measure_boluses
from rig.roles import Air, Bench, MassReading
from rig.units import u_from_ul
from rig.wire import NoLog
from suites.coverage.laboratory import BENCH, Laboratory
from suites.coverage.light import DOSE_U
from suites.coverage.outcomes import Outcome
from suites.coverage.runs import ANALYSIS_H, INTERVAL_MIN, basal_truths


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
        air = self._device.read_air()
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
def watched_bench(lab: Laboratory) -> Iterator[WatchedBench]:
    """Open the virtual bench in the laboratory's own world."""
    import pyvisa

    spec = _in_world(read_bench_file(BENCH)[0], lab)
    assert spec.virtual is not None
    with open_virtual(spec) as world:
        resources = pyvisa.ResourceManager(world.visa_library())
        far = FarSide(world.clock, resources, spec.pump.port, spec.virtual.date)
        devices: dict[str, Any] = {}
        for role in ROLES:
            devices[role] = open_device(spec, role, far, NoLog())
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
    """Measure basal delivery for 25 h after one of stabilisation; the budgets that the test keeps, beside the truth."""
    sample_every_s = 15.0 if rate_u_per_h >= 1.0 else 60.0
    plan = BasalPlan(rate_u_per_h, DOSE_U, stabilisation_h=1.0, analysis_h=ANALYSIS_H, sample_every_s=sample_every_s)
    with watched_bench(lab) as watched:
        record = RunFolder.create(folder, {}).test("basal", watched.bench.clock)
        result = measure_basal(watched.bench, record, plan)
        record.end("passed")
    stride = round(INTERVAL_MIN * 60.0 / plan.sample_every_s)
    first = np.searchsorted(watched.balance.at_s, _step_s(folder, "analysis period"))
    count = round(plan.analysis_h * 3600.0 / plan.sample_every_s) + 1
    truths = basal_truths(np.array(watched.balance.truth_u[first : first + count])[::stride], rate_u_per_h)
    return [Outcome(f"{rate_u_per_h:g} U/h: {name}", truths[name], budget) for name, budget in result.budgets.items()]


def _step_s(folder: Path, step: str) -> float:
    """Get the second at which a procedure came to a step, by its record."""
    return float(next(entry["at_s"] for entry in read_json_lines(folder / "steps.jsonl") if entry["step"] == step))


def whole_bolus_run(folder: Path, lab: Laboratory, insulin_u: float, count: int) -> list[Outcome]:
    """Measure consecutive boluses; the budgets that decide, beside the truth."""
    with watched_bench(lab) as watched:
        record = RunFolder.create(folder, {}).test("bolus", watched.bench.clock)
        result = measure_boluses(watched.bench, record, BolusPlan(insulin_u, count, planned_s=insulin_u / DOSE_U))
        record.end("passed")
        end_u = u_from_ul(watched.world.fluid.delivered_ul())
    errors = np.diff([*watched.pump.truth_u, end_u]) - insulin_u
    if insulin_u >= 1.0:
        errors *= 100.0 / insulin_u
    truths = (float(errors.mean()), float(errors.max()), float(errors.min()))
    return [
        Outcome(f"{insulin_u:g} U: {name}", truth, budget)
        for truth, (name, budget) in zip(truths, result.budgets.items(), strict=False)
    ]
