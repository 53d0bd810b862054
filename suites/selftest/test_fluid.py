"""The fluid path conserves volume, and its state does not depend on how often anyone looks."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.clock import NS_PER_S, SimClock
from rig.virtual.fluid import STEP_UL, FluidPath
from rig.virtual.parameters import DriveParameters, FluidParameters

IDEAL = DriveParameters(bias_sd_percent=0.0, pitch_error_percent=0.0, stick_slip_ul=0.0, friction_n=0.0)
FLUID = FluidParameters()
TAU_S = FLUID.compliance_ul_per_kpa * FLUID.resistance_kpa_s_per_ul

event = st.one_of(
    st.tuples(st.just("step"), st.sampled_from([1, 1, 1, -1])),
    st.tuples(st.just("occluder"), st.booleans()),
    st.tuples(st.just("leak"), st.just(0.0) | st.floats(1e-6, 0.1)),
    st.tuples(st.just("back"), st.floats(-15.0, 15.0)),
    st.tuples(st.just("head"), st.floats(-0.5, 0.5)),
)


def act(path: FluidPath, kind: str, value: float) -> None:
    if kind == "step":
        path.step(int(value))
    elif kind == "occluder":
        path.set_occluder(closed=bool(value))
    elif kind == "leak":
        path.set_leak(value)
    elif kind == "back":
        path.set_back_pressure_kpa(value)
    else:
        path.set_head_m(value)


def account_ul(path: FluidPath) -> float:
    return path.reservoir_ul + path.line_stored_ul + path.delivered_ul + path.leaked_ul


def test_one_step_arrives_as_an_exponential() -> None:
    clock = SimClock()
    path = FluidPath(clock, IDEAL, FLUID, seed=1)
    path.step(1)
    assert path.line_pressure_kpa() == pytest.approx(STEP_UL / FLUID.compliance_ul_per_kpa, rel=1e-12)
    clock.sleep(TAU_S)
    assert path.delivered_ul == pytest.approx(STEP_UL * (1.0 - math.exp(-1.0)), rel=1e-9)
    clock.sleep(60 * TAU_S)
    assert path.delivered_ul == pytest.approx(STEP_UL, rel=1e-9)


def test_a_closed_outlet_holds_pressure_and_releases_what_it_held() -> None:
    clock = SimClock()
    path = FluidPath(clock, IDEAL, FLUID, seed=1)
    path.set_occluder(closed=True)
    for _ in range(800):
        path.step(1)
        clock.sleep(1.0)
    assert path.delivered_ul == 0.0
    assert path.line_pressure_kpa() == pytest.approx(25.0 / 0.25)
    path.set_occluder(closed=False)
    clock.sleep(100.0 * TAU_S)
    assert path.delivered_ul == pytest.approx(25.0)


def test_an_empty_reservoir_delivers_nothing_more_and_the_drive_jams() -> None:
    clock = SimClock()
    path = FluidPath(clock, IDEAL, FluidParameters(reservoir_ul=10 * STEP_UL), seed=1)
    for _ in range(20):
        path.step(1)
    clock.sleep(1000.0)
    assert path.delivered_ul == pytest.approx(10 * STEP_UL)
    assert path.reservoir_ul == 0.0
    assert path.plunger_force_n() == pytest.approx(10 * STEP_UL * 10.0)


@given(st.lists(st.tuples(event, st.integers(0, 60 * NS_PER_S)), max_size=40), st.integers(0, 99))
def test_volume_is_conserved(events: list[tuple[tuple[str, float], int]], seed: int) -> None:
    clock = SimClock()
    path = FluidPath(clock, DriveParameters(), FLUID, seed)
    before = account_ul(path)
    for (kind, value), wait_ns in events:
        act(path, kind, value)
        clock.advance_to(clock.now_ns + wait_ns)
    assert account_ul(path) == pytest.approx(before, abs=1e-9)


@given(
    st.lists(st.tuples(event, st.integers(0, 60 * NS_PER_S)), max_size=20),
    st.lists(st.floats(0.0, 1.0), max_size=5),
)
def test_how_often_one_looks_changes_nothing(events: list[tuple[tuple[str, float], int]], looks: list[float]) -> None:
    def run(shares: list[float]) -> tuple[float, float, float]:
        clock = SimClock()
        path = FluidPath(clock, DriveParameters(), FLUID, seed=3)
        for (kind, value), wait_ns in events:
            act(path, kind, value)
            start_ns = clock.now_ns
            for share in sorted(shares):
                clock.advance_to(start_ns + int(share * wait_ns))
                path.line_pressure_kpa()
            clock.advance_to(start_ns + wait_ns)
        return path.line_pressure_kpa(), path.delivered_ul, path.leaked_ul

    assert run(looks) == pytest.approx(run([]), abs=1e-9, rel=1e-9)


def test_stick_slip_withholds_and_gives_back() -> None:
    clock = SimClock()
    path = FluidPath(clock, DriveParameters(bias_sd_percent=0.0, pitch_error_percent=0.0), FLUID, seed=5)
    doses = []
    for _ in range(2000):
        before = path.reservoir_ul
        for _ in range(8):
            path.step(1)
        doses.append(before - path.reservoir_ul)
    mean = sum(doses) / len(doses)
    scatter = math.sqrt(sum((dose - mean) ** 2 for dose in doses) / len(doses)) / mean
    assert mean == pytest.approx(0.25, rel=1e-3)
    assert 0.07 <= scatter <= 0.29  # published range of pulse noise


def test_each_seed_is_a_device_of_its_own() -> None:
    def after_a_turn(seed: int) -> float:
        path = FluidPath(SimClock(), DriveParameters(stick_slip_ul=0.0), FLUID, seed)
        for _ in range(2560):
            path.step(1)
        return 3000.0 - path.reservoir_ul

    volumes = [after_a_turn(seed) for seed in range(40)]
    assert len(set(volumes)) == 40
    assert after_a_turn(7) == volumes[7]
    spread = math.sqrt(sum((volume / 80.0 - 1.0) ** 2 for volume in volumes) / 40)
    assert 0.005 < spread < 0.02  # the SD of the bias is 1 %
