"""Noise depends on seed, stream and index alone, is as random as it claims, and is found again in what it disturbs."""

import math
from dataclasses import replace
from itertools import pairwise

import pytest
from pydantic import TypeAdapter, ValidationError

from rig.clock import SimClock
from rig.virtual.air import RoomAir
from rig.virtual.fluid import FluidPath, mean_stick_ul
from rig.virtual.noise import GOLDEN_GAMMA, Wander, between, normal, open_unit, splitmix64, stream, uniform
from rig.virtual.parameters import (
    AirParameters,
    DriveParameters,
    FluidParameters,
    GaugeParameters,
    VirtualParameters,
    WeighingParameters,
)
from rig.virtual.weighing import PressureGauge, WeighingCell

MASK = (1 << 64) - 1
# First outputs of the reference implementation (S. Vigna, splitmix64.c) for two seeds, as published.
OUTPUTS = {
    0: [0xE220A8397B1DCDAF, 0x6E789E6AA1B965F4, 0x06C45D188009454F, 0xF88BB8A8724C81EC, 0x1B39896A51A8749B],
    1234567: [
        6457827717110365317,
        3203168211198807973,
        9817491932198370423,
        4593380528125082431,
        16408922859458223821,
    ],
}
COUNT = 20_000
PLAIN = DriveParameters(
    bias_sd_percent=0.0,
    pitch_error_um=(0.0, 0.0),
    drift_percent=(0.0, 0.0),
    pulse_noise_percent=(0.0, 0.0),
    friction_n=0.0,
)
CALM = AirParameters(temperature_wander_c=0.0, pressure_wander_hpa=0.0, relative_humidity_wander=0.0)


@pytest.mark.parametrize("seed", OUTPUTS)
def test_the_published_outputs_come_out(seed: int) -> None:
    assert [splitmix64((seed + n * GOLDEN_GAMMA) & MASK) for n in range(5)] == OUTPUTS[seed]


def test_a_deviate_is_the_published_output_scaled() -> None:
    # Index 0 becomes the first output for seed 0; this key turns it into the state 1234567.
    key = OUTPUTS[0][0] ^ 1234567
    expected = 6457827717110365317 / 2.0**64
    assert uniform(key, 0) == pytest.approx(expected, abs=2.0**-52)
    share_below = 0.5 * (1.0 + math.erf(normal(key, 0) / math.sqrt(2.0)))
    assert share_below == pytest.approx(expected, abs=1e-14)


def test_no_bits_make_0_or_1() -> None:
    assert open_unit(0) == 2.0**-53
    assert open_unit(MASK) == 1.0 - 2.0**-53


def test_order_and_repetition_change_nothing() -> None:
    key = stream(7, "order")
    forwards = [normal(key, n) for n in range(50)]
    assert [normal(key, n) for n in reversed(range(50))] == forwards[::-1]


def test_normal_deviates_have_the_moments_of_the_normal_distribution() -> None:
    key = stream(1, "moments")
    sample = [normal(key, n) for n in range(COUNT)]
    mean, square, cube, fourth = (sum(x**power for x in sample) / COUNT for power in (1, 2, 3, 4))
    # Four standard errors of each: the variance of x^p is 1, 2, 15, 96.
    assert abs(mean) < 4.0 * math.sqrt(1 / COUNT)
    assert abs(square - 1.0) < 4.0 * math.sqrt(2 / COUNT)
    assert abs(cube) < 4.0 * math.sqrt(15 / COUNT)
    assert abs(fourth - 3.0) < 4.0 * math.sqrt(96 / COUNT)


def test_uniform_deviates_fill_the_interval_evenly() -> None:
    key = stream(1, "uniform")
    ordered = sorted(uniform(key, n) for n in range(COUNT))
    largest_gap = max(abs(x - (n + 0.5) / COUNT) for n, x in enumerate(ordered))
    assert largest_gap < 1.95 / math.sqrt(COUNT)  # Kolmogorov's distribution: exceeded once in a thousand


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ((1, "a", 0), (1, "a", 1)),  # neighbours in one stream
        ((1, "a", 0), (1, "b", 0)),  # two streams of a seed
        ((1, "a", 0), (2, "a", 0)),  # one stream of two seeds
        ((1, "ab", 0), (1, "ba", 0)),
    ],
)
def test_streams_are_uncorrelated(first: tuple[int, str, int], second: tuple[int, str, int]) -> None:
    keys = stream(*first[:2]), stream(*second[:2])
    products = (normal(keys[0], n + first[2]) * normal(keys[1], n + second[2]) for n in range(COUNT))
    assert abs(sum(products) / COUNT) < 4.0 / math.sqrt(COUNT)


def test_between_stays_within_its_limits_and_reaches_towards_both() -> None:
    key = stream(3, "range")
    values = [between(key, n, (7.0, 29.0)) for n in range(1000)]
    assert 7.0 <= min(values) < 7.2
    assert 28.8 < max(values) <= 29.0
    assert between(key, 0, (5.0, 5.0)) == 5.0


def test_wander_stays_within_1_and_is_slow() -> None:
    wander = Wander(stream(1, "room"))
    values = [wander.at(60.0 * minute) for minute in range(7 * 1440)]
    assert max(abs(value) for value in values) <= 1.0
    assert max(values) - min(values) > 1.0
    steepest_per_h = 2.0 * math.pi / 3.0 * (1 / 3.7 + 1 / 9.1 + 1 / 24.0)
    assert max(abs(b - a) for a, b in pairwise(values)) <= steepest_per_h / 60.0


# ---- what it disturbs ----


@pytest.mark.parametrize("percent", [7.0, 10.0, 18.0, 29.0])
def test_stick_slip_scatters_doses_as_asked_and_loses_nothing(percent: float) -> None:
    drive = replace(PLAIN, pulse_noise_percent=(percent, percent), friction_n=2.0)
    path = FluidPath(SimClock(), drive, FluidParameters(), seed=1)
    doses = []
    for _ in range(4000):
        before = path.reservoir_ul()
        for _ in range(8):
            path.step(1)
        doses.append(before - path.reservoir_ul())
    mean = sum(doses) / 4000
    scatter = 100.0 * math.sqrt(sum((dose - mean) ** 2 for dose in doses) / 4000) / 0.25
    assert scatter == pytest.approx(percent, rel=0.05)
    assert 0.0 <= 4000 * 0.25 - sum(doses) <= 1.5 * mean_stick_ul(percent / 100.0 * 0.25)
    # Conserved noise of ten doses is that of one, not √10 times it.
    tens = [sum(doses[n : n + 10]) for n in range(0, 4000, 10)]
    ten_scatter = 100.0 * math.sqrt(sum((ten - 10 * mean) ** 2 for ten in tens) / 400) / 0.25
    assert ten_scatter < 1.3 * percent


def test_each_seed_is_a_device_of_its_own_within_the_published_ranges() -> None:
    devices = [FluidPath(SimClock(), DriveParameters(), FluidParameters(), seed).drive.device for seed in range(400)]
    assert len(set(devices)) == 400
    assert FluidPath(SimClock(), DriveParameters(), FluidParameters(), 7).drive.device == devices[7]
    assert 7.0 <= min(device.pulse_noise_percent for device in devices) < 8.0
    assert 28.0 < max(device.pulse_noise_percent for device in devices) <= 29.0
    assert all(2.0 <= device.pitch_error_um <= 4.0 for device in devices)
    spread = math.sqrt(sum(device.bias_percent**2 for device in devices) / 400)
    assert spread == pytest.approx(1.0, abs=4.0 / math.sqrt(800))
    assert max(abs(device.bias_percent) for device in devices) < 5.0


def test_noise_is_new_with_each_display_update_and_of_the_size_asked() -> None:
    clock = SimClock()
    fluid = FluidPath(clock, PLAIN, FluidParameters(), 1)
    room = RoomAir(clock, CALM, 1)
    quiet = WeighingParameters(noise_g=0.0, zero_wander_g=0.0, evaporation_mg_per_h=0.0)
    cell = WeighingCell(clock, fluid, room, replace(quiet, noise_g=2e-6), 1)
    still_g = WeighingCell(clock, fluid, room, quiet, 1).weigh()[0]
    first_g = cell.weigh()[0]
    clock.sleep(0.099)
    assert cell.weigh()[0] == first_g
    readings = []
    for _ in range(5000):
        clock.sleep(0.1)
        readings.append(cell.weigh()[0] - still_g)
    assert len(set(readings)) == 5000
    assert sum(readings) / 5000 == pytest.approx(0.0, abs=4 * 2e-6 / math.sqrt(5000))
    assert math.sqrt(sum(x * x for x in readings) / 5000) == pytest.approx(2e-6, rel=4 / math.sqrt(10_000))


def test_the_room_stays_within_its_wander_and_repeats_from_its_seed() -> None:
    clock = SimClock()
    room = RoomAir(clock, AirParameters(), seed=1)
    again, other = RoomAir(clock, AirParameters(), seed=1), RoomAir(clock, AirParameters(), seed=2)
    for hour in range(200):
        temperature_c, pressure_hpa, humidity = room.at(3600.0 * hour)
        assert abs(temperature_c - 21.5) <= 0.3
        assert abs(pressure_hpa - 1008.0) <= 4.0
        assert abs(humidity - 0.48) <= 0.03
        assert again.at(3600.0 * hour) == (temperature_c, pressure_hpa, humidity)
        assert room.temperature_c(3600.0 * hour) == temperature_c
    assert other.at(0.0) != room.at(0.0)


def test_the_gauge_has_an_offset_a_span_error_and_noise() -> None:
    offsets, spans = [], []
    for seed in range(300):
        clock = SimClock()
        fluid = FluidPath(clock, PLAIN, FluidParameters(), seed)
        gauge = PressureGauge(clock, fluid, GaugeParameters(noise_kpa=0.0), seed)
        offsets.append(gauge.read_kpa())
        fluid.set_occluder(closed=True)
        for _ in range(800):
            fluid.step(1)
        spans.append((gauge.read_kpa() - offsets[-1]) / 100.0 - 1.0)
    assert math.sqrt(sum(x * x for x in offsets) / 300) == pytest.approx(0.1, rel=4 / math.sqrt(600))
    assert math.sqrt(sum(x * x for x in spans) / 300) == pytest.approx(0.00025, rel=4 / math.sqrt(600))


def test_the_gauge_reads_the_same_twice_at_one_moment() -> None:
    clock = SimClock()
    fluid = FluidPath(clock, PLAIN, FluidParameters(), 1)
    gauge = PressureGauge(clock, fluid, GaugeParameters(), 1)
    readings = []
    for _ in range(2000):
        clock.sleep(0.01)
        readings.append(gauge.read_kpa())
        assert gauge.read_kpa() == readings[-1]
    mean = sum(readings) / 2000
    scatter = math.sqrt(sum((x - mean) ** 2 for x in readings) / 2000)
    assert scatter == pytest.approx(0.008, rel=4 / math.sqrt(4000))


def test_all_defaults_can_be_written_in_a_bench_file() -> None:
    adapter = TypeAdapter(VirtualParameters)
    assert adapter.validate_json(adapter.dump_json(VirtualParameters())) == VirtualParameters()


@pytest.mark.parametrize(
    ("table", "key", "value"),
    [
        ("drive", "pulse_noise_percent", [29.0, 7.0]),
        ("drive", "friction_n", -1.0),
        ("fluid", "compliance_ul_per_kpa", 0.0),
        ("fluid", "reservoir_ul", 3001.0),
        ("weighing", "filter_s", 0.0),
        ("weighing", "tube_diameter_mm", 15.0),
        ("air", "relative_humidity", 48.0),
        ("gauge", "offset", 0.1),
    ],
)
def test_impossible_parameters_are_refused(table: str, key: str, value: object) -> None:
    with pytest.raises(ValidationError) as caught:
        TypeAdapter(VirtualParameters).validate_python({table: {key: value}})
    assert table in str(caught.value)
