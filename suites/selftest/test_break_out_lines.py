"""What hangs on the bench's relays does to the liquid what its name says, and keeps every volume."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rig.clock import SimClock
from rig.virtual.break_out import CHAMBER_SHARES, NARROW_KPA_S_PER_UL, VENT_UL, effects
from rig.virtual.fluid import BUBBLE_UL, RESERVOIR_AIR_UL, TO_NEEDLE_UL, FluidPath
from rig.virtual.parameters import DriveParameters, FluidParameters

EXACT_DRIVE = DriveParameters(
    bias_sd_percent=0.0, pitch_error_um=(0.0, 0.0), drift_percent=(0.0, 0.0), pulse_noise_percent=(0.0, 0.0)
)
COMPLIANCE, RESISTANCE = 0.25, 18.0
LINES = sorted(effects(FluidPath(SimClock(), EXACT_DRIVE, FluidParameters(), 1), None))


class Line:
    """A fluid path with its lines, and a plunger that is pushed."""

    def __init__(self) -> None:
        self.clock = SimClock()
        self.fluid = FluidPath(self.clock, EXACT_DRIVE, FluidParameters(), 1)
        self.lines = effects(self.fluid, None)
        self.at_start_ul = self.fluid.reservoir_ul()
        self.held_ul = self.fluid.line_stored_ul()

    def push(self, rate_ul_per_s: float, seconds: int) -> None:
        for _ in range(4 * seconds):
            self.fluid.push(rate_ul_per_s / 4.0)
            self.clock.sleep(0.25)

    @property
    def unaccounted_ul(self) -> float:
        """What was pushed and is neither in the line, nor weighed, nor lost."""
        pushed_ul = self.at_start_ul - self.fluid.reservoir_ul()
        stored_ul = self.fluid.line_stored_ul() - self.held_ul
        return pushed_ul - stored_ul - self.fluid.delivered_ul() - self.fluid.leaked_ul()


def test_capillaries_add_up_and_are_taken_out_one_by_one() -> None:
    line = Line()
    line.lines["narrow_1"](True)
    line.lines["narrow_2"](True)
    line.push(0.01, 6000)
    assert line.fluid.line_pressure_kpa() == pytest.approx(0.01 * (RESISTANCE + 2200.0), rel=0.01)
    line.lines["narrow_2"](False)
    line.push(0.01, 600)
    assert line.fluid.line_pressure_kpa() == pytest.approx(0.01 * (RESISTANCE + 200.0), rel=0.01)
    assert list(NARROW_KPA_S_PER_UL) == ["narrow_1", "narrow_2", "narrow_3"]


def test_a_bleed_loses_half_of_what_is_pushed() -> None:
    line = Line()
    line.lines["bleed"](True)
    line.push(0.1, 1000)
    assert line.fluid.delivered_ul() == pytest.approx(line.fluid.leaked_ul())
    line.lines["bleed"](False)
    lost_ul = line.fluid.leaked_ul()
    line.push(0.1, 100)
    assert line.fluid.leaked_ul() == lost_ul


def test_a_bubble_is_missed_when_it_has_come_to_the_needle_and_only_then() -> None:
    line = Line()
    line.push(0.1, 100)
    before_ul = line.fluid.delivered_ul()
    line.lines["bubble"](True)
    line.lines["bubble"](False)
    line.push(0.1, int(TO_NEEDLE_UL / 0.1) - 10)
    assert line.fluid.leaked_ul() == 0.0
    line.push(0.1, int(BUBBLE_UL / 0.1) + 500)
    line.clock.sleep(600.0)
    assert line.fluid.leaked_ul() == pytest.approx(BUBBLE_UL, abs=0.6)  # what lags behind the plunger: τ × 0.1 µL/s
    assert line.fluid.delivered_ul() + line.fluid.leaked_ul() - before_ul == pytest.approx(
        10.0 + TO_NEEDLE_UL - 1.0 + BUBBLE_UL + 50.0 - 10.0, abs=1.0
    )


@pytest.mark.parametrize(("line_name", "sign"), [("raised", 1.0), ("lowered", -1.0)])
def test_a_pump_that_is_lifted_gives_what_its_line_yields_and_no_more(line_name: str, sign: float) -> None:
    line = Line()
    line.lines[line_name](True)
    line.clock.sleep(3600.0)
    assert line.fluid.delivered_ul() == pytest.approx(sign * COMPLIANCE * 9.789)
    line.lines[line_name](False)
    line.clock.sleep(3600.0)
    assert line.fluid.delivered_ul() == pytest.approx(0.0, abs=1e-9)


def test_a_plunger_that_is_pressed_ahead_delivers_at_once_and_its_drive_nothing_until_it_has_come_so_far() -> None:
    pressed, free = Line(), Line()
    pressed.lines["vent"](True)
    pressed.lines["vent"](False)
    pressed.clock.sleep(3600.0)
    assert pressed.fluid.delivered_ul() == pytest.approx(VENT_UL)
    for _ in range(1000):
        pressed.fluid.step(1)
    pressed.clock.sleep(3600.0)
    assert pressed.fluid.delivered_ul() == pytest.approx(VENT_UL)  # 1,000 steps are 31 µL
    for line, steps in ((pressed, 3000), (free, 4000)):
        for _ in range(steps):
            line.fluid.step(1)
        line.clock.sleep(3600.0)
    assert pressed.fluid.delivered_ul() == pytest.approx(free.fluid.delivered_ul())


def test_the_air_in_the_reservoir_follows_boyle() -> None:
    line = Line()
    line.lines["thin_chamber"](True)
    line.clock.sleep(3600.0)
    assert line.fluid.delivered_ul() == pytest.approx(0.00623 * 3000.0, rel=0.01)  # 0.623 % of the cartridge
    line.lines["thin_chamber"](False)
    line.lines["chamber"](True)
    line.clock.sleep(3600.0)
    assert line.fluid.delivered_ul() == pytest.approx(-RESERVOIR_AIR_UL * (1.0 - 1.0 / CHAMBER_SHARES["chamber"]))
    line.lines["chamber"](False)
    line.clock.sleep(3600.0)
    assert line.fluid.delivered_ul() == pytest.approx(0.0, abs=1e-9)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(LINES), st.booleans(), st.floats(0.0, 0.3), st.integers(0, 200)),
        min_size=1,
        max_size=12,
    )
)
def test_nothing_is_lost_and_nothing_comes_from_nowhere(course: list[tuple[str, bool, float, int]]) -> None:
    line = Line()
    for name, on, rate_ul_per_s, seconds in course:
        line.lines[name](on)
        line.push(rate_ul_per_s, seconds)
    for name in LINES:
        line.lines[name](False)
    assert line.unaccounted_ul == pytest.approx(0.0, abs=1e-6)
