"""The fluid path conserves volume, and its state does not depend on how often anyone looks."""

import math
from collections.abc import Callable, Iterable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.clock import NS_PER_S, SimClock
from rig.virtual.fluid import STEP_UL, STEPS_PER_TURN, FluidPath, mean_stick_ul
from rig.virtual.parameters import DriveParameters, FluidParameters

IDEAL = DriveParameters(
    bias_sd_percent=0.0,
    pitch_error_um=(0.0, 0.0),
    drift_percent=(0.0, 0.0),
    pulse_noise_percent=(0.0, 0.0),
    friction_n=0.0,
)
FLUID = FluidParameters()
TAU_S = FLUID.compliance_ul_per_kpa * FLUID.resistance_kpa_s_per_ul
KPA_PER_M = 9.789

Event = tuple[str, float]
events = st.lists(
    st.tuples(
        st.one_of(
            st.tuples(st.just("steps"), st.sampled_from([1.0, 8.0, 40.0, -1.0, -30.0])),
            st.tuples(st.just("occluder"), st.sampled_from([0.0, 1.0])),
            st.tuples(st.just("leak"), st.just(0.0) | st.floats(1e-9, 0.1)),
            st.tuples(st.just("leak past"), st.just(0.0) | st.floats(1e-9, 0.1)),
            st.tuples(st.just("back"), st.floats(-15.0, 15.0)),
            st.tuples(st.just("head"), st.floats(-0.5, 0.5)),
        ),
        st.integers(0, 3600 * NS_PER_S),
    ),
    max_size=25,
)


def act(path: FluidPath, event: Event) -> None:
    kind, value = event
    if kind == "steps":
        for _ in range(abs(int(value))):
            path.step(1 if value > 0 else -1)
    elif kind == "occluder":
        path.set_occluder(closed=bool(value))
    elif kind == "leak":
        path.set_leak(value)
    elif kind == "leak past":
        path.set_leak_past_occluder(value)
    elif kind == "back":
        path.set_back_pressure_kpa(value)
    else:
        path.set_head_m(value)


def account_ul(path: FluidPath) -> float:
    return path.reservoir_ul() + path.line_stored_ul() + path.delivered_ul() + path.leaked_ul()


def state(path: FluidPath) -> tuple[float, ...]:
    return (
        path.reservoir_ul(),
        path.line_pressure_kpa(),
        path.delivered_ul(),
        path.leaked_ul(),
        path.plunger_force_n(),
    )


def ideal(fluid: FluidParameters = FLUID, drive: DriveParameters = IDEAL) -> tuple[SimClock, FluidPath]:
    clock = SimClock()
    return clock, FluidPath(clock, drive, fluid, seed=1)


def push(path: FluidPath, steps: int) -> None:
    for _ in range(abs(steps)):
        path.step(1 if steps > 0 else -1)


# ---- the line ----------------------------------------------------------------------------------------------------


def test_one_step_arrives_as_an_exponential() -> None:
    clock, path = ideal()
    path.step(1)
    assert path.line_pressure_kpa() == pytest.approx(STEP_UL / 0.25, rel=1e-12)
    clock.sleep(TAU_S)
    assert path.delivered_ul() == pytest.approx(STEP_UL * (1.0 - math.exp(-1.0)), rel=1e-12)
    clock.sleep(60 * TAU_S)
    assert path.delivered_ul() == pytest.approx(STEP_UL, rel=1e-12)


def test_the_tail_of_a_bolus_is_of_the_published_size() -> None:
    clock, path = ideal()
    for _ in range(320):  # 1 U in 40 s
        path.step(1)
        clock.sleep(0.125)
    tail = 1.0 - path.delivered_ul() / 10.0
    assert tail == pytest.approx(TAU_S / 40.0 * (1.0 - math.exp(-40.0 / TAU_S)), rel=0.02)  # 8 steps/s are not a flow
    assert 0.09 <= tail <= 0.14


def test_a_closed_outlet_holds_pressure_and_releases_what_it_held() -> None:
    clock, path = ideal()
    path.set_occluder(closed=True)
    for _ in range(800):
        path.step(1)
        clock.sleep(1.0)
    assert path.delivered_ul() == 0.0
    assert path.line_pressure_kpa() == pytest.approx(25.0 / 0.25)  # 2.5 U missed at 100 kPa
    path.set_occluder(closed=False)
    clock.sleep(100.0 * TAU_S)
    assert path.delivered_ul() == pytest.approx(25.0)


def test_a_leak_past_the_closed_valve_is_in_series_with_the_line() -> None:
    clock, path = ideal()
    path.set_leak_past_occluder(0.01)  # 100 kPa s/µL behind 18
    path.set_occluder(closed=True)
    push(path, 80)
    clock.sleep(118.0 * 0.25)
    assert path.delivered_ul() == pytest.approx(2.5 * (1.0 - math.exp(-1.0)), rel=1e-12)


def test_a_leak_takes_its_share_of_what_is_pushed() -> None:
    clock, path = ideal()
    path.set_leak(1.0 / 54.0)  # a third of the line's conductance
    push(path, 320)
    clock.sleep(100.0 * TAU_S)
    assert path.leaked_ul() == pytest.approx(2.5)
    assert path.delivered_ul() == pytest.approx(7.5)


def test_back_pressure_and_head_are_what_the_line_settles_at() -> None:
    clock, path = ideal(replace(FLUID, back_pressure_kpa=2.0))
    assert path.line_pressure_kpa() == 2.0
    path.set_back_pressure_kpa(13.33)
    path.set_head_m(-0.5)
    clock.sleep(100.0 * TAU_S)
    expected_kpa = 13.33 - 0.5 * KPA_PER_M
    assert path.line_pressure_kpa() == pytest.approx(expected_kpa)
    assert path.delivered_ul() == pytest.approx(-0.25 * (expected_kpa - 2.0))  # drawn back into the line


def test_an_air_bubble_makes_the_line_yield_more() -> None:
    _, path = ideal(replace(FLUID, air_bubble_ul=10.1325))
    path.set_occluder(closed=True)
    push(path, 112)
    assert path.line_pressure_kpa() == pytest.approx(3.5 / (0.25 + 0.1))


# ---- laws --------------------------------------------------------------------------------------------------------


@given(events, st.integers(0, 99), st.sampled_from([3000.0, 5.0, 0.0]))
def test_volume_is_conserved(happenings: list[tuple[Event, int]], seed: int, reservoir_ul: float) -> None:
    clock = SimClock()
    path = FluidPath(clock, DriveParameters(), replace(FLUID, reservoir_ul=reservoir_ul), seed)
    before = account_ul(path)
    for event, wait_ns in happenings:
        act(path, event)
        clock.advance_to(clock.now_ns + wait_ns)
        assert account_ul(path) == pytest.approx(before, abs=1e-9)
        assert 0.0 <= path.reservoir_ul() <= 3000.0


def run(
    happenings: list[tuple[Event, int]], shares: Iterable[float], look: Callable[[FluidPath, int], object]
) -> object:
    clock = SimClock()
    path = FluidPath(clock, DriveParameters(), FLUID, seed=3)
    for event, wait_ns in happenings:
        act(path, event)
        start_ns = clock.now_ns
        for share in sorted(shares):
            clock.advance_to(start_ns + int(share * wait_ns))
            look(path, clock.now_ns)
        clock.advance_to(start_ns + wait_ns)
    return state(path)


@given(events, st.lists(st.floats(0.0, 1.0), max_size=5))
def test_looking_changes_nothing_at_all(happenings: list[tuple[Event, int]], looks: list[float]) -> None:
    unseen = run(happenings, [], FluidPath.advance_to)
    assert run(happenings, looks, lambda path, _: state(path)) == unseen


@given(events, st.lists(st.floats(0.0, 1.0), max_size=5))
def test_an_interval_may_be_advanced_in_any_pieces(happenings: list[tuple[Event, int]], cuts: list[float]) -> None:
    whole = run(happenings, [], FluidPath.advance_to)
    assert run(happenings, cuts, FluidPath.advance_to) == pytest.approx(whole, rel=1e-12, abs=1e-12)


# ---- the drive ---------------------------------------------------------------------------------------------------


def test_pitch_error_repeats_with_each_turn() -> None:
    _, path = ideal(drive=replace(IDEAL, pitch_error_um=(3.0, 3.0)))
    lost = [3000.0 - path.reservoir_ul()]
    for _ in range(3 * STEPS_PER_TURN):
        path.step(1)
        lost.append(3000.0 - path.reservoir_ul())
    for start in (0, 17, 999, 2560, 5120):
        assert lost[start + 2560] - lost[start] == pytest.approx(80.0, abs=1e-9)
    errors = [volume - n * STEP_UL for n, volume in enumerate(lost)]
    assert max(errors) - min(errors) == pytest.approx(0.6, rel=1e-4)  # 6 µm of 100 mm²


def test_drift_changes_the_flow_over_its_wavelength() -> None:
    drive = replace(IDEAL, drift_percent=(0.5, 0.5), drift_wavelength_ul=(500.0, 500.0))
    _, path = ideal(drive=drive)
    rates = []
    for _ in range(160):  # of 3.125 µL each: one wavelength
        before = path.reservoir_ul()
        push(path, 100)
        rates.append((before - path.reservoir_ul()) / 3.125)
    assert max(rates) == pytest.approx(1.005, abs=1e-5)
    assert min(rates) == pytest.approx(0.995, abs=1e-5)
    assert sum(rates) / 160 == pytest.approx(1.0, abs=1e-9)


def test_friction_strains_the_drive_both_ways() -> None:
    _, path = ideal(drive=replace(IDEAL, friction_n=2.0))  # 0.2 µL of strain at 10 N/µL
    push(path, 8)
    assert path.reservoir_ul() == pytest.approx(2999.75)
    assert path.plunger_force_n() == pytest.approx(2.0 + 0.1 * path.line_pressure_kpa())
    push(path, -12)  # backlash 0.4 µL = 12.8 steps
    assert path.reservoir_ul() == pytest.approx(2999.75)
    push(path, -1)
    assert path.reservoir_ul() == pytest.approx(2999.75 + 13 * STEP_UL - 0.4)
    assert path.plunger_force_n() == pytest.approx(-2.0 + 0.1 * path.line_pressure_kpa())


@given(st.integers(0, 10_000))
def test_friction_stays_between_sliding_and_the_strongest_hold(seed: int) -> None:
    clock = SimClock()
    path = FluidPath(clock, DriveParameters(), FLUID, seed)
    device = path.drive.device
    strongest_n = 2.0 + 10.0 * 1.5 * mean_stick_ul(device.pulse_noise_percent / 100.0 * 0.25)
    for _ in range(50):
        path.step(1)
        friction_n = path.plunger_force_n() - 0.1 * path.line_pressure_kpa()
        assert 2.0 - 1e-9 <= friction_n <= strongest_n + 1e-9


def test_an_empty_reservoir_delivers_nothing_more_and_the_force_rises() -> None:
    clock, path = ideal(FluidParameters(reservoir_ul=10 * STEP_UL))
    push(path, 20)
    clock.sleep(1000.0)
    assert path.delivered_ul() == pytest.approx(10 * STEP_UL)
    assert path.reservoir_ul() == 0.0
    assert path.plunger_force_n() == pytest.approx(10 * STEP_UL * 10.0)
    push(path, -10)  # the drive relaxes first
    assert path.reservoir_ul() == 0.0
    push(path, -1)
    assert path.reservoir_ul() == pytest.approx(STEP_UL)


def test_a_full_reservoir_takes_nothing_back() -> None:
    _, path = ideal()
    push(path, -8)
    assert path.reservoir_ul() == 3000.0
    assert path.plunger_force_n() == pytest.approx(-0.25 * 10.0)


def test_steps_are_counted_with_their_direction() -> None:
    _, path = ideal()
    push(path, 100)
    push(path, -30)
    assert path.drive.steps == 70


# ---- bad input ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", [-0.1, math.nan, math.inf])
def test_impossible_leaks_are_refused(value: float) -> None:
    _, path = ideal()
    for leak in (path.set_leak, path.set_leak_past_occluder):
        with pytest.raises(ValueError, match=r"finite value in µL/\(s kPa\), not below 0"):
            leak(value)


def test_other_impossible_requests_are_refused() -> None:
    clock, path = ideal()
    with pytest.raises(ValueError, match=r"^a motor step is \+1 or -1, not 0$"):
        path.step(0)
    with pytest.raises(ValueError, match="finite value in kPa"):
        path.set_back_pressure_kpa(math.nan)
    with pytest.raises(ValueError, match="finite value in m"):
        path.set_head_m(math.inf)
    clock.sleep(1.0)
    path.advance_to(clock.now_ns)
    with pytest.raises(ValueError, match=r"^time can't go backwards"):
        path.advance_to(0)
