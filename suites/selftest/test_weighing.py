"""The balance shows what is in the vessel, late and a little wrong in the ways that are written down."""

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.analysis.gravimetry import z_factor_ul_per_mg
from rig.clock import NS_PER_S, SimClock
from rig.virtual.air import RoomAir
from rig.virtual.fluid import FluidPath
from rig.virtual.parameters import (
    AirParameters,
    DriveParameters,
    FluidParameters,
    WeighingParameters,
)
from rig.virtual.weighing import (
    WeighingCell,
    air_density_kg_per_m3,
    fading_response,
    water_density_kg_per_m3,
)

DRIVE = DriveParameters(
    bias_sd_percent=0.0,
    pitch_error_um=(0.0, 0.0),
    drift_percent=(0.0, 0.0),
    pulse_noise_percent=(0.0, 0.0),
    friction_n=0.0,
)
CALM = AirParameters(temperature_wander_c=0.0, pressure_wander_hpa=0.0, relative_humidity_wander=0.0)
PERFECT = WeighingParameters(
    noise_g=0.0, zero_wander_g=0.0, sensitivity_error_ppm=0.0, sensitivity_drift_ppm_per_k=0.0, evaporation_mg_per_h=0.0
)
AIR = (21.5, 1008.0, 0.48)


class Bench:
    """A fluid path and the cell that weighs what comes out of it."""

    def __init__(
        self,
        weighing: WeighingParameters = PERFECT,
        *,
        air: AirParameters = CALM,
        fluid: FluidParameters | None = None,
        drive: DriveParameters = DRIVE,
        seed: int = 1,
    ) -> None:
        self.clock = SimClock()
        self.fluid = FluidPath(self.clock, drive, fluid or FluidParameters(), seed)
        self.room = RoomAir(self.clock, air, seed)
        self.cell = WeighingCell(self.clock, self.fluid, self.room, weighing, seed)

    def push(self, steps: int) -> None:
        for _ in range(steps):
            self.fluid.step(1)

    def shown_g(self) -> float:
        return self.cell.weigh()[0]

    def stable(self) -> bool:
        return self.cell.weigh()[1]


# ---- densities ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("celsius", "density"), [(4.0, 999.9749), (20.0, 998.2067), (25.0, 997.0470)])
def test_water_density_is_the_published_one(celsius: float, density: float) -> None:
    assert water_density_kg_per_m3(celsius) == pytest.approx(density, abs=1e-3)


def test_air_density_is_the_worked_value() -> None:
    # (0.34844 · 1013.25 − 0.5 · (0.252 · 20 − 2.0582))/293.15
    assert air_density_kg_per_m3(20.0, 1013.25, 0.5) == pytest.approx((353.056830 - 1.4909) / 293.15, rel=1e-9)


# ---- what is shown -----------------------------------------------------------------------------------------------


def test_a_volume_is_found_again_with_the_z_factor() -> None:
    bench = Bench()
    before_g = bench.shown_g()
    bench.push(3200)  # 100 µL
    bench.clock.sleep(600.0)
    volume_ul = 1e3 * (bench.shown_g() - before_g) * z_factor_ul_per_mg(*AIR)
    assert volume_ul == pytest.approx(100.0, rel=2e-7)


def test_rising_air_pressure_lightens_glass_more_than_weights() -> None:
    light, heavy = (Bench(air=replace(CALM, pressure_hpa=hpa)).shown_g() for hpa in (1018.0, 998.0))
    change_kg_per_m3 = 20.0 * 0.34844 / (273.15 + 21.5)
    glass_g = 8.0 * change_kg_per_m3 * (1 / 2230 - 1 / 8000)
    water_g = 2.0 * change_kg_per_m3 * (1 / 998 - 1 / 8000)
    assert heavy - light == pytest.approx(glass_g + water_g, rel=1e-3)


def test_a_dipping_tube_is_weighed_too() -> None:
    gains = []
    for diameter_mm in (0.0, 3.0):
        bench = Bench(replace(PERFECT, tube_diameter_mm=diameter_mm))
        before_g = bench.shown_g()
        bench.push(3200)
        bench.clock.sleep(600.0)
        gains.append(bench.shown_g() - before_g)
    assert gains[1] * (1.0 - 3.0**2 / 15.0**2) == pytest.approx(gains[0], rel=1e-9)


def test_a_tube_wider_than_the_vessel_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^tube_diameter_mm must be less than vessel_bore_mm, 15$"):
        WeighingParameters(tube_diameter_mm=15.0)


def test_a_blank_run_shows_evaporation_and_nothing_else() -> None:
    bench = Bench(replace(PERFECT, evaporation_mg_per_h=0.05))
    before_g, true_g = bench.shown_g(), bench.cell.true_mass_g()
    bench.clock.sleep(10 * 3600.0)
    assert bench.cell.evaporated_g() == pytest.approx(0.5e-3, rel=1e-12)
    assert true_g - bench.cell.true_mass_g() == pytest.approx(0.5e-3, rel=1e-9)
    assert (before_g - bench.shown_g()) * z_factor_ul_per_mg(*AIR) == pytest.approx(0.5e-3 / 0.9978830, rel=1e-5)


def test_no_more_evaporates_than_there_is() -> None:
    bench = Bench(replace(PERFECT, evaporation_mg_per_h=31.0, water_at_start_g=0.1))
    bench.clock.sleep(100 * 3600.0)
    assert bench.cell.true_mass_g() == pytest.approx(8.0, abs=1e-12)


def test_warming_the_room_does_not_change_the_mass() -> None:
    bench = Bench(air=replace(CALM, temperature_wander_c=3.0))
    bench.clock.sleep(100.0)
    bench.push(16_000)  # 500 µL, with the density of the minute that began at 60 s
    bench.clock.sleep(600.0)
    first_g = bench.cell.true_mass_g()
    assert first_g - 10.0 == pytest.approx(5e-4 * water_density_kg_per_m3(bench.room.temperature_c(60.0)), rel=1e-11)
    temperatures = []
    for _ in range(24):
        bench.clock.sleep(3600.0)
        temperatures.append(bench.room.now()[0])
        assert bench.cell.true_mass_g() == pytest.approx(first_g, abs=1e-12)
    assert max(temperatures) - min(temperatures) > 2.0  # else nothing has been shown: 500 µL would change by 0.2 mg


@given(st.lists(st.tuples(st.integers(-20, 40), st.integers(0, 7200)), max_size=20), st.integers(0, 99))
def test_what_left_the_needle_is_on_the_pan_or_evaporated(moves: list[tuple[int, int]], seed: int) -> None:
    bench = Bench(WeighingParameters(), drive=DriveParameters(), seed=seed)  # at one temperature: one density
    for steps, wait_s in moves:
        for _ in range(abs(steps)):
            bench.fluid.step(1 if steps > 0 else -1)
        bench.clock.sleep(wait_s)
    on_pan_g = bench.cell.true_mass_g() - 10.0 + bench.cell.evaporated_g()
    density_g_per_ul = 1e-6 * water_density_kg_per_m3(21.5)
    assert on_pan_g / density_g_per_ul == pytest.approx(bench.fluid.delivered_ul(), abs=1e-9)


# ---- low-pass ----------------------------------------------------------------------------------------------------


@given(st.floats(0.0, 300.0), st.floats(0.05, 2.0), st.floats(0.0, 5.0) | st.floats(-0.1, 0.1).map(lambda x: 1.0 + x))
def test_the_response_to_a_fading_flow_is_the_fold_of_its_definition(t_s: float, filter_s: float, ratio: float) -> None:
    decay_per_s = ratio / filter_s  # around 1 the time constants meet
    n = 2000  # Simpson's rule over the lags' impulse responses e^(-u/T)/T and u e^(-u/T)/T²
    step_s = min(t_s, 40.0 * filter_s) / n
    one = two = 0.0
    for i in range(n + 1):
        u = i * step_s
        weight = step_s / 3.0 * (1.0 if i in (0, n) else 4.0 if i % 2 else 2.0)
        weight *= math.exp(-u / filter_s - decay_per_s * (t_s - u)) / filter_s
        one += weight
        two += weight * u / filter_s
    assert fading_response(t_s, filter_s, decay_per_s) == pytest.approx((one, two), abs=1e-5, rel=1e-5)


def test_the_response_is_smooth_where_the_time_constants_meet() -> None:
    # a e^(-a) and a²/2 e^(-a) at a = 3; the slopes with decay are a² T/2 e^(-a) and a³ T/6 e^(-a).
    for offset in (0.0, 1e-12, -1e-9, 1e-6):
        first, second = fading_response(0.6, 0.2, 5.0 + offset)
        assert first == pytest.approx(3.0 * math.exp(-3.0) * (1.0 - 0.3 * offset), rel=1e-12)
        assert second == pytest.approx(4.5 * math.exp(-3.0) * (1.0 - 0.2 * offset), rel=1e-12)


def test_the_response_to_a_slow_flow_hours_later_is_the_flow_itself() -> None:
    first, second = fading_response(7200.0, 0.2, 1e-4)
    lagged = math.exp(-0.72) / (1.0 - 0.2e-4)
    assert first == pytest.approx(lagged, rel=1e-12)
    assert second == pytest.approx(lagged / (1.0 - 0.2e-4), rel=1e-12)


def test_a_sudden_load_settles_as_two_equal_lags() -> None:
    fluid = FluidParameters(resistance_kpa_s_per_ul=1e-9)  # the line passes everything on at once
    bench = Bench(fluid=fluid)
    bench.clock.sleep(10.0)
    before_g = bench.shown_g()
    bench.push(3200)
    shares = []
    for _ in range(20):
        bench.clock.sleep(0.1)
        shares.append((bench.shown_g() - before_g) / (bench.cell.delivered_g()))
    buoyed = (1.0 - 1.1897 / 997.883) / (1.0 - 1.1897 / 8000.0)
    expected = [buoyed * (1.0 - (1.0 + 0.5 * n) * math.exp(-0.5 * n)) for n in range(1, 21)]
    assert shares == pytest.approx(expected, abs=1e-5)


@given(
    st.lists(st.tuples(st.sampled_from([1, 8, 80]), st.integers(1, 20 * NS_PER_S)), min_size=1, max_size=10),
    st.lists(st.floats(0.0, 1.0), max_size=5),
    st.sampled_from([0.2, 4.5, 4.5 * (1 + 1e-9)]),  # the line's time constant is 4.5 s
)
def test_the_low_pass_may_be_cut_anywhere(moves: list[tuple[int, int]], cuts: list[float], filter_s: float) -> None:
    def run(shares: list[float]) -> float:
        bench = Bench(replace(PERFECT, filter_s=filter_s))
        bench.fluid.set_leak(0.01)
        bench.fluid.set_back_pressure_kpa(5.0)  # a steady flow too, back through the needle to the leak
        for steps, wait_ns in moves:
            bench.push(steps)
            start_ns = bench.clock.now_ns
            for share in sorted(shares):
                bench.fluid.advance_to(start_ns + int(share * wait_ns))
            bench.clock.advance_to(start_ns + wait_ns)
        return bench.shown_g()

    assert run(cuts) == pytest.approx(run([]), abs=1e-12)


# ---- looking, noise, stability -----------------------------------------------------------------------------------


def test_looking_changes_nothing_at_all() -> None:
    def run(every_s: float) -> list[tuple[float, bool]]:
        bench = Bench(WeighingParameters(), air=AirParameters(), drive=DriveParameters(), seed=4)
        seen = []
        for _ in range(40):
            bench.push(8)
            waited_s = 0.0
            while waited_s < 60.0:
                bench.clock.sleep(every_s)
                waited_s += every_s
                reading = bench.cell.weigh()
            seen.append(reading)
        return seen

    assert run(0.25) == run(60.0)


def test_a_reading_is_stable_again_when_little_moves_in_the_window() -> None:
    bench = Bench()
    bench.clock.sleep(60.0)
    assert bench.stable()
    bench.push(8)  # 0.25 mg, of which 55 µg/s arrive at first
    bench.clock.sleep(0.5)
    assert not bench.stable()
    # From then on 0.2495 mg (1 − 0.2/4.5)⁻² (e^(1.5/4.5) − 1) e^(−t/4.5) = 5 µg decides: t = 13.4 s.
    changes_ug = 249.47 / (1 - 0.2 / 4.5) ** 2 * math.expm1(1.5 / 4.5)
    stable_after_s = 4.5 * math.log(changes_ug / 5.0)
    bench.clock.sleep(stable_after_s - 0.5 - 0.05)
    assert not bench.stable()
    bench.clock.sleep(0.1)
    assert bench.stable()


def test_a_steady_fast_flow_is_never_stable() -> None:
    bench = Bench()
    flags = []
    for _ in range(300):
        bench.push(8)
        bench.clock.sleep(1.0)
        flags.append(bench.stable())
    assert not any(flags)


def test_zero_sensitivity_and_temperature_make_the_errors_they_are_named_for() -> None:
    seeds = range(300)
    plain_g = Bench().shown_g()
    errors = [Bench(replace(PERFECT, sensitivity_error_ppm=20.0), seed=s).shown_g() / plain_g - 1 for s in seeds]
    assert math.sqrt(sum(x * x for x in errors) / 300) == pytest.approx(20e-6, rel=4 / math.sqrt(600))
    wandering = Bench(replace(PERFECT, zero_wander_g=2e-6))
    offsets = []
    for _ in range(500):
        wandering.clock.sleep(1000.0)
        offsets.append(wandering.shown_g() - plain_g)
    assert 1e-6 < max(offsets) <= 2e-6
    assert -2e-6 <= min(offsets) < -1e-6


def test_sensitivity_follows_the_temperature_since_adjustment() -> None:
    swinging = replace(CALM, temperature_wander_c=2.0)
    drifting, ideal = Bench(replace(PERFECT, sensitivity_drift_ppm_per_k=1.0), air=swinging), Bench(air=swinging)
    start_c = ideal.room.now()[0]
    warmed_k = []
    for _ in range(24):
        for bench in (drifting, ideal):
            bench.clock.sleep(3600.0)
        warmed_k.append(ideal.room.now()[0] - start_c)
        expected_g = 1e-6 * warmed_k[-1] * ideal.shown_g()
        assert drifting.shown_g() - ideal.shown_g() == pytest.approx(expected_g, rel=1e-3, abs=1e-12)
    assert max(abs(kelvin) for kelvin in warmed_k) > 1.0
