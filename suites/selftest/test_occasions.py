"""Noise belongs to an occasion, such as one test; devices are the same on all of them, and neither knows an order."""

from __future__ import annotations

import math
import os
import subprocess
import sys
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rig.bench.open import open_bench
from rig.clock import SimClock
from rig.virtual.air import RoomAir
from rig.virtual.fluid import FluidPath, mean_stick_ul
from rig.virtual.noise import normal, occasional, stream
from rig.virtual.parameters import AirParameters, GaugeParameters, VirtualParameters
from rig.virtual.weighing import PressureGauge, WeighingCell

VIRTUAL = Path("fixtures/benches/virtual.toml")
TESTS = [
    "suites/pump/test_basal.py::test_basal[0.1 U/h]",
    "suites/pump/test_basal.py::test_basal[1 U/h]",
    "suites/pump/occlusion.robot::An Occlusion Is Alarmed",
]
COUNT = 2000


class Bench:
    """The parts of the virtual bench that make noise, with no firmware and no instrument before them."""

    def __init__(self, occasion: str, parameters: VirtualParameters | None = None, *, seed: int = 1) -> None:
        p = parameters or VirtualParameters()
        self.clock = SimClock()
        self.room = RoomAir(self.clock, p.air, seed, occasion)
        self.fluid = FluidPath(self.clock, p.drive, p.fluid, seed, occasion)
        self.cell = WeighingCell(self.clock, self.fluid, self.room, p.weighing, seed, occasion)
        self.gauge = PressureGauge(self.clock, self.fluid, p.gauge, seed, occasion)

    def push(self, steps: int) -> None:
        for _ in range(steps):
            self.fluid.step(1)

    def doses_ul(self) -> list[float]:
        """Push twenty doses of 8 steps, and see what left the barrel with each."""
        doses = []
        for _ in range(20):
            before_ul = self.fluid.reservoir_ul()
            self.push(8)
            doses.append(before_ul - self.fluid.reservoir_ul())
        return doses

    def readings(self) -> tuple[float, ...]:
        """Push a bolus, wait an hour, and read everything."""
        self.push(80)
        self.clock.sleep(3600.0)
        return (self.cell.weigh()[0], self.gauge.read_kpa(), *self.room.now(), self.fluid.delivered_ul())


def test_no_occasion_is_the_world_of_the_seed_as_it_always_was() -> None:
    # What the parts read before there were occasions.
    before = (
        9.997391468708317,
        -0.18606790755857944,
        21.39258272754712,
        1007.2351861476996,
        0.4763364621353659,
        2.452101958880009,
    )
    assert Bench("").readings() == pytest.approx(before, rel=1e-13)
    assert occasional(1, "balance noise", "") == stream(1, "balance noise") == 0xE7FC9061E0161AC0


def test_the_key_of_an_occasion_is_written_down() -> None:
    assert occasional(1, "balance noise", "suites/pump/test_a.py::test_x[0.1 U]") == 0x120F44C3D86EAA24


@pytest.mark.parametrize("test", TESTS)
def test_one_seed_and_one_occasion_read_the_same_twice(test: str) -> None:
    assert Bench(test).readings() == Bench(test).readings()


def test_each_occasion_reads_its_own() -> None:
    for first, second in combinations(["", *TESTS], 2):
        readings = zip(Bench(first).readings()[:5], Bench(second).readings()[:5], strict=True)
        assert all(one != other for one, other in readings), (first, second)
        assert Bench(first).doses_ul() != Bench(second).doses_ul()


def test_the_pump_is_the_same_on_each_occasion() -> None:
    benches = [Bench(test) for test in TESTS]
    assert len({bench.fluid.drive.device for bench in benches}) == 1
    start_ul = benches[0].fluid.reservoir_ul()
    for bench in benches:
        bench.push(40_000)
    pushed_ul = [start_ul - bench.fluid.reservoir_ul() for bench in benches]
    # Bias, pitch and drift are one screw's: what differs is only what sticks at the ends, a hold or two.
    stick_ul = 1.5 * mean_stick_ul(benches[0].fluid.drive.device.pulse_noise_percent / 100.0 * 0.25)
    assert max(pushed_ul) - min(pushed_ul) <= stick_ul
    other = Bench(TESTS[0], seed=2)
    other.push(40_000)
    assert abs(start_ul - other.fluid.reservoir_ul() - pushed_ul[0]) > 2.0 * stick_ul


def test_balance_and_gauge_keep_their_sensitivity_and_their_zero_on_each_occasion() -> None:
    defaults = VirtualParameters()
    without_noise = replace(
        defaults,
        air=AirParameters(temperature_wander_c=0.0, pressure_wander_hpa=0.0, relative_humidity_wander=0.0),
        weighing=replace(defaults.weighing, noise_g=0.0, zero_wander_g=0.0, sensitivity_error_ppm=1000.0),
        gauge=GaugeParameters(noise_kpa=0.0),
    )
    benches = [Bench(test, without_noise) for test in TESTS]
    for bench in benches:
        bench.fluid.set_back_pressure_kpa(50.0)
        bench.clock.sleep(3600.0)
    assert len({(bench.cell.weigh()[0], bench.gauge.read_kpa()) for bench in benches}) == 1
    other = Bench(TESTS[0], without_noise, seed=2)
    other.fluid.set_back_pressure_kpa(50.0)
    other.clock.sleep(3600.0)
    assert abs(other.cell.weigh()[0] - benches[0].cell.weigh()[0]) > 1e-4
    assert abs(other.gauge.read_kpa() - benches[0].gauge.read_kpa()) > 1e-3


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    name=st.sampled_from(["balance noise", "gauge noise", "stick-slip"]),
    occasions=st.lists(st.text(max_size=40), min_size=2, max_size=2, unique=True),
)
def test_the_noise_of_two_occasions_is_uncorrelated(seed: int, name: str, occasions: list[str]) -> None:
    one, other = (occasional(seed, name, occasion) for occasion in occasions)
    products = sum(normal(one, n) * normal(other, n) for n in range(COUNT))
    assert abs(products) < 6.0 * math.sqrt(COUNT)  # of the sum of independent products; exceeded once in 5·10⁸


def test_noise_of_two_occasions_differs_by_root_two_of_it_at_each_moment() -> None:
    # If both shared their noise, as tests once did, the difference would be 0.
    defaults = VirtualParameters()
    still = replace(
        defaults,
        air=AirParameters(temperature_wander_c=0.0, pressure_wander_hpa=0.0, relative_humidity_wander=0.0),
        weighing=replace(defaults.weighing, zero_wander_g=0.0, noise_g=2e-6),
    )
    one, other = Bench(TESTS[0], still), Bench(TESTS[1], still)
    differences_g = []
    for _ in range(COUNT):
        one.clock.sleep(0.1)
        other.clock.sleep(0.1)
        differences_g.append(one.cell.weigh()[0] - other.cell.weigh()[0])
    scatter_g = math.sqrt(sum(each * each for each in differences_g) / COUNT)
    assert scatter_g == pytest.approx(math.sqrt(2.0) * 2e-6, rel=4.0 / math.sqrt(2 * COUNT))


def test_an_opened_bench_reads_by_its_occasion() -> None:
    def masses_g(occasion: str) -> list[float]:
        with open_bench(VIRTUAL, occasion=occasion) as bench:
            masses = []
            for _ in range(20):
                bench.clock.sleep(10.0)
                masses.append(bench.balance.read().mass_g)
            return masses

    first = masses_g(TESTS[0])
    assert masses_g(TESTS[1]) != first
    assert masses_g(TESTS[0]) == first


def test_an_occasion_does_not_depend_on_the_hash_seed_of_python() -> None:
    script = (
        "from suites.selftest.test_occasions import TESTS, Bench\n"
        "for test in reversed(TESTS):\n"
        "    print(hash(test), *Bench(test).readings())\n"
    )
    printed = []
    for hash_seed in ("0", "4711"):
        environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
        done = subprocess.run(
            [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True
        )
        printed.append([line.split(maxsplit=1) for line in done.stdout.splitlines()])
    assert [line[1] for line in printed[0]] == [line[1] for line in printed[1]]
    assert [line[0] for line in printed[0]] != [line[0] for line in printed[1]]  # the hash seeds did differ
    here = [" ".join(map(str, Bench(test).readings())) for test in reversed(TESTS)]
    assert [line[1] for line in printed[0]] == here
