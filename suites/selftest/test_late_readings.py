"""Readings that come late or not at all: noticed, counted, interpolated where that is allowed, and never a FAIL."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rig.analysis.pulses import dose_volumes, missed_doses
from rig.analysis.resample import on_grid
from rig.analysis.trumpet import trumpet_curve
from rig.bench.open import open_bench
from rig.clock import SimClock
from rig.errors import BlockedError
from rig.procedures.basal import LARGEST, MEAN, MISSED, SMALLEST, Basal
from rig.procedures.catalogue import TABLES
from rig.procedures.gaps import Gap
from rig.procedures.occlusion import TYPICAL, OcclusionProvoked
from rig.procedures.procedure import Computed, Procedure
from rig.procedures.sampling import ticks
from rig.procedures.threshold import ALARM
from rig.record.files import read_json_lines
from rig.record.taking import read_taken
from rig.roles import Annunciation, Bench, Pump
from rig.verdicts.quantities import Quantity
from suites.measuring import VIRTUAL, measured_on
from suites.stands.standing_still import StallsAt, late_bench

SLOW = Basal(rate_u_per_h=0.1, stabilisation_s=1800.0, analysis_s=21600.0, windows_s=(900.0, 3600.0), blank_s=300.0)
"""Four doses an hour, one of them at every quarter: where the moment of a reading counts most."""
FAST = Basal(rate_u_per_h=1.2, stabilisation_s=0.0, analysis_s=7200.0, windows_s=(900.0, 3600.0), blank_s=300.0)
"""Its readings are as far apart as its doses allow."""
BASALS = {"slow": SLOW, "fast": FAST}
HOUR = "60 min"


def taken(folder: Path, procedure: Procedure, **late: Any) -> Computed:  # noqa: ANN401 - as `late_bench` has them
    with open_bench(VIRTUAL) as bench:
        return measured_on(late_bench(bench, **late), folder, procedure)


@pytest.fixture(scope="module")
def on_time(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Computed]:
    folder = tmp_path_factory.mktemp("on time")
    return {name: taken(folder / name, basal) for name, basal in BASALS.items()}


def judged(basal: Basal) -> list[Quantity]:
    rate = basal.rate_u_per_h
    return [MEAN.of(rate=rate), *(kind.of(window=HOUR, rate=rate) for kind in (LARGEST, SMALLEST))]


# ---- the grid ---------------------------------------------------------------------------------------------------


def moments(every_s: float, duration_s: float, reading_s: Callable[[int], float]) -> list[float]:
    """When a bench asks whose n-th reading takes so long."""
    clock = SimClock()
    asked = []
    for number, _ in enumerate(ticks(cast("Bench", SimpleNamespace(clock=clock)), every_s, duration_s)):
        asked.append(clock.now())
        clock.sleep(reading_s(number))
    return asked


def test_a_grid_holds_its_moments_and_ends_with_its_duration() -> None:
    assert moments(15.0, 60.0, lambda _: 0.2) == [0.0, 15.0, 30.0, 45.0, 60.0]
    assert moments(15.0, 0.0, lambda _: 0.2) == [0.0]
    assert moments(15.0, -3.0, lambda _: 0.2) == [0.0]
    assert moments(10.0, 25.0, lambda _: 0.2) == [0.0, 10.0, 20.0, 30.0]


def test_after_standing_still_one_reading_comes_late_and_no_burst_follows() -> None:
    assert moments(15.0, 240.0, lambda n: 160.0 if n == 2 else 0.2) == [
        0.0,
        15.0,
        30.0,
        190.0,
        195.0,
        210.0,
        225.0,
        240.0,
    ]


def test_standing_still_past_the_end_leaves_one_last_reading() -> None:
    assert moments(15.0, 60.0, lambda n: 500.0 if n == 1 else 0.2) == [0.0, 15.0, 515.0]


def test_readings_that_take_longer_than_their_grid_do_not_pile_up() -> None:
    asked = moments(0.1, 3.0, lambda _: 0.15)
    assert asked[-1] <= 3.15
    assert max(np.diff(asked)) < 0.21


@given(st.floats(0.1, 20.0), st.floats(0.0, 300.0), st.lists(st.floats(0.0, 400.0), max_size=10))
@settings(max_examples=50, deadline=None)
def test_moments_rise_never_come_early_and_end_at_the_end(
    every_s: float, duration_s: float, taking: list[float]
) -> None:
    asked = moments(every_s, duration_s, lambda n: taking[n] if n < len(taking) else 0.0)
    assert all(later > earlier for earlier, later in pairwise(asked))
    assert asked[-1] >= duration_s - 1e-6


# ---- between readings --------------------------------------------------------------------------------------------


def test_a_moment_with_a_sample_has_its_value_and_no_doubt() -> None:
    at_s, values = np.array([0.0, 10.0, 20.0, 60.0]), np.array([0.0, 1.0, 3.0, 4.0])
    found = on_grid(at_s, values, grid_s=[10.0, 15.0, 50.0, 61.0])
    assert found.values.tolist() == [1.0, 2.0, 3.75, 4.0]
    assert found.doubt.tolist() == [0.0, 1.0, 0.75, np.inf]
    assert found.step_s.tolist() == [0.0, 10.0, 40.0, 40.0]
    assert found.apart_s.tolist() == [0.0, 5.0, 10.0, 1.0]
    assert found.beside.tolist() == [2.0, 2.0, 2.0, 2.0]


@given(st.lists(st.floats(0.0, 5.0), min_size=3, max_size=30), st.floats(0.0, 1.0), st.integers(0, 10_000))
def test_a_series_that_never_turns_back_is_off_its_line_by_no_more_than_the_doubt(
    rises: list[float], share: float, seed: int
) -> None:
    at_s, values = np.arange(float(len(rises))), np.cumsum(rises)
    kept = np.sort(np.random.default_rng(seed).choice(len(rises), size=max(2, len(rises) // 2), replace=False))
    moment_s = at_s[kept[0]] + share * (at_s[kept[-1]] - at_s[kept[0]])
    found = on_grid(at_s[kept], values[kept], grid_s=[moment_s])
    assert abs(float(np.interp(moment_s, at_s, values)) - found.values[0]) <= found.doubt[0] + 1e-9 + 5.0 * 1e-6


def test_windows_that_begin_or_end_in_a_gap_are_left_out() -> None:
    mass_g = np.array([0.0, 1.0, 2.0, 9.0, 4.0, 5.0, 6.0, 7.0, 8.0])
    known = np.arange(9) != 3
    asked: dict[str, Any] = {"interval_min": 60.0, "rate_ml_per_h": 1.0, "density_g_per_ml": 1.0, "windows_min": (60,)}
    assert trumpet_curve(mass_g, **asked).error_max_percent.tolist() == [600.0]
    curve = trumpet_curve(mass_g, known=known, **asked)
    assert (curve.error_max_percent.tolist(), curve.error_min_percent.tolist()) == ([0.0], [0.0])
    assert curve.windows_counted == (6,)
    assert curve.overall_error_percent == pytest.approx(0.0)
    with pytest.raises(ValueError, match="gaps between readings leave 2 of 8 windows of 60 min"):
        trumpet_curve(mass_g, known=np.isin(np.arange(9), [0, 1, 7, 8]), **asked)
    with pytest.raises(ValueError, match="the last mass of the period is not known"):
        trumpet_curve(mass_g, known=np.arange(9) < 8, **asked)


def test_doses_beside_a_gap_are_not_told_and_no_other_is_lost() -> None:
    at_s = np.arange(0.0, 6000.0, 15.0)
    doses = np.floor((at_s + 45.0) / 75.0)  # in the middle of 75 s
    lost = (at_s > 2000.0) & (at_s < 2300.0)
    late = at_s + np.random.default_rng(1).uniform(0.0, 1.0, at_s.size)
    for kept, untold in ((~lost, range(3, 8)), (np.full(at_s.size, True), range(1))):
        volumes = dose_volumes(late[kept], doses[kept], dose_interval_s=75.0)
        assert volumes.volume_ul[volumes.told] == pytest.approx(1.0)
        assert np.count_nonzero(~volumes.told) in untold
        assert missed_doses(late[kept], doses[kept], dose_interval_s=75.0, dose_ul=1.0).missed == 0


# ---- measurements -------------------------------------------------------------------------------------------------


@given(
    name=st.sampled_from(sorted(BASALS)),
    share=st.floats(0.0, 1.0 / 15.0),
    stall=st.tuples(st.floats(0.0, 1.0), st.floats(0.0, 200.0)),
    answered=st.booleans(),
    seed=st.integers(0, 1000),
)
@settings(max_examples=12, deadline=None, derandomize=True)
def test_a_good_pump_stays_good_however_late_it_is_read(
    on_time: Mapping[str, Computed], name: str, share: float, stall: tuple[float, float], answered: bool, seed: int
) -> None:
    """Every reading up to 1 s late, which is a fifteenth of the time between two, and one stall of up to 200 s."""
    basal, late = BASALS[name], random.Random(seed)
    at_s = stall[0] * (basal.stabilisation_s + basal.analysis_s + 1000.0)
    with TemporaryDirectory() as folder:
        try:
            found = taken(
                Path(folder) / "taken",
                basal,
                late_s=lambda: late.uniform(0.0, share * basal.sample_every_s),
                stalls=((at_s, stall[1]),),
                answered=answered,
            )
        except BlockedError:
            return
    for quantity in judged(basal):
        then, now = on_time[name].values[quantity], found.values[quantity]
        both = math.hypot(now.expanded_uncertainty, then.expanded_uncertainty)  # each is a measurement: |E_n| ≤ 1
        assert abs(now.value - then.value) <= both, quantity
    assert found.values[MISSED.of(rate=basal.rate_u_per_h)].value == 0.0


def test_a_stall_of_160_s_is_an_incident_a_fact_and_a_note(tmp_path: Path, on_time: Mapping[str, Computed]) -> None:
    found = taken(tmp_path / "taken", SLOW, stalls=((9000.0, 160.0),))
    (gap,) = read_taken(tmp_path / "taken").facts(Gap)
    assert (gap.phase, gap.every_s) == ("analysis period", 15.0)
    assert gap.lasted_s == pytest.approx(170.0, abs=10.0)
    incidents = read_json_lines(tmp_path / "taken" / "incidents.jsonl")
    assert [each["of_whom"] for each in incidents] == ["balance", "rig"]
    assert incidents[1]["what"].startswith("no reading for 1")
    for quantity in judged(SLOW):
        assert "Readings were missing 1 time, the longest for 1" in found.notes[quantity]
        assert found.values[quantity].value == pytest.approx(on_time["slow"].values[quantity].value, abs=2.25)


def test_a_gap_that_breaks_the_method_blocks_when_it_happens(tmp_path: Path) -> None:
    with (
        open_bench(VIRTUAL) as bench,
        pytest.raises(
            BlockedError, match=r"^rig: no reading from \d+ to \d+ s, 2\d\d\d s in the analysis period, .* 990 s"
        ),
    ):
        measured_on(late_bench(bench, stalls=((9000.0, 2000.0),)), tmp_path / "taken", SLOW)
    assert bench.clock.now() < 9000.0 + 2000.0 + 60.0


def test_a_reading_whose_answer_lay_on_the_line_is_read_again(tmp_path: Path) -> None:
    taken(tmp_path / "taken", FAST, stalls=((4000.0, 100.0),), answered=True)
    readings = read_taken(tmp_path / "taken").series("analysis period")
    behind = np.diff(readings.mass_g) / np.diff(readings.at_s)
    assert behind.max() < 2.0 * np.median(behind[behind > 1e-6])
    incidents = read_json_lines(tmp_path / "taken" / "incidents.jsonl")
    assert [each["of_whom"] for each in incidents] == ["balance", "rig"]


SHORT: Mapping[str, Mapping[str, Any]] = {
    "bolus": {"size": "1 U", "count": 3, "blank": "300 s"},
    "extended": {"size": "2 U", "extended": "50 %", "duration": "40 min", "slices": 2, "blank": "300 s"},
    "temporary": {"rate": "1 U/h", "temporary": "50 %", "duration": "2 h", "before": "1 h", "after": "1 h"},
    "switch": {"rate": "0.5 U/h", "then": "1.5 U/h", "before": "1 h", "after": "1 h"},
    "occlusion": {"rate": "5 U/h", "count": 1, "free": "10 min", "blank": "300 s"},
    "stopped": {"duration": "10 min", "blank": "300 s"},
    "cancelled": {"size": "2 U", "after": "30 s", "blank": "300 s"},
    "refused": {"sizes": ["25.5 U"], "watch": "10 min", "blank": "300 s"},
    "reservoir": {"filled": "22 U", "bolus": "1 U", "one_takes": "60 s", "blank": "300 s"},
    "unoccluded": {"rate": "1 U/h", "duration": "2 h", "blank": "300 s"},
    "priming": {"tubing": "2 U", "cannula": "0.5 U", "blank": "300 s"},
}


@pytest.mark.parametrize("table", SHORT)
def test_no_measurement_takes_a_stall_for_the_pump(tmp_path: Path, table: str) -> None:
    """At any moment of it: within U of what comes on time, or BLOCKED."""
    procedure = TABLES[table].model_validate(SHORT[table])
    on_time = taken(tmp_path / "on time", procedure)
    times = read_taken(tmp_path / "on time").values("balance", read_taken(tmp_path / "on time").phases[-1])["at_s"]
    blocked = 0
    for number, at_s in enumerate(np.random.default_rng(7).uniform(0.0, times[0], 5)):
        try:
            found = taken(tmp_path / f"{number}", procedure, stalls=((float(at_s), 160.0),))
        except BlockedError:
            blocked += 1
            continue
        for quantity, then in on_time.values.items():
            now = found.values[quantity]
            slack = now.expanded_uncertainty + then.expanded_uncertainty + PULSES.get(table, 0.0)
            assert abs(now.value - then.value) <= slack, f"{quantity} with a stall at {at_s:.0f} s"
    assert blocked <= 3


COMMANDS = {
    "extended": ("pump", "deliver", 1),
    "priming": ("pump", "prime", 1),
    "temporary": ("pump", "set_temporary_rate", 1),
    "switch": ("pump", "set_clock", 1),
    "stopped": ("pump", "stop", 2),
    "cancelled": ("pump", "cancel_bolus", 1),
    "occlusion": ("switch", "set_line", 3),
}
"""Of each measurement the command whose moment counts: of which role, and which call of it."""


@pytest.mark.parametrize("stall_s", [21.0, 160.0])
@pytest.mark.parametrize("heard", [False, True])
@pytest.mark.parametrize("table", COMMANDS)
def test_a_computer_that_stands_still_within_a_command_is_not_the_pump_s_delay(
    tmp_path: Path, table: str, heard: bool, stall_s: float
) -> None:
    role, command, number = COMMANDS[table]
    with open_bench(VIRTUAL) as bench:
        device = StallsAt(getattr(bench, role), bench.clock, command, number, stall_s, heard=heard)
        stalling: dict[str, Any] = {role: device}
        with pytest.raises(BlockedError, match=r"^rig: [\d.]+ s passed in .* held the computer up"):
            measured_on(replace(bench, **stalling), tmp_path / "taken", TABLES[table].model_validate(SHORT[table]))


def test_boluses_that_are_only_weighed_do_not_mind_when_they_began(tmp_path: Path) -> None:
    bolus = TABLES["bolus"].model_validate(SHORT["bolus"])
    on_time = taken(tmp_path / "on time", bolus)
    with open_bench(VIRTUAL) as bench:
        pump = StallsAt(bench.pump, bench.clock, "bolus", 2, 160.0, heard=False)
        found = measured_on(replace(bench, pump=cast("Pump", pump)), tmp_path / "taken", bolus)
    for quantity, then in on_time.values.items():
        now = found.values[quantity]
        assert abs(now.value - then.value) <= now.expanded_uncertainty + then.expanded_uncertainty, quantity


@pytest.mark.parametrize("stall_s", [50.0, 160.0])
def test_an_alarm_whose_answer_came_late_is_known_so_much_worse(tmp_path: Path, stall_s: float) -> None:
    """The pump was asked, and its answer lay on the line: the alarm may have come at any moment of the stall."""
    occlusion = TABLES["occlusion"].model_validate(SHORT["occlusion"])
    with open_bench(VIRTUAL) as bench:
        looks = CountsLooks(bench.pump)
        measured_on(replace(bench, pump=cast("Pump", looks)), tmp_path / "on time", occlusion)
    with open_bench(VIRTUAL) as bench:
        pump = StallsAt(bench.pump, bench.clock, "annunciations", looks.alarmed_at, stall_s, heard=True)
        found = measured_on(replace(bench, pump=cast("Pump", pump)), tmp_path / "taken", occlusion)
    on_time = read_taken(tmp_path / "on time").the(OcclusionProvoked)
    now = read_taken(tmp_path / "taken").the(OcclusionProvoked)
    assert now.alarm_at_s - on_time.alarm_at_s == pytest.approx(stall_s, abs=1.0)
    time = found.values[TYPICAL.of(rate=5.0, threshold=None)]
    assert time.value - time.expanded_uncertainty <= on_time.alarm_at_s - on_time.closed_at_s
    assert time.expanded_uncertainty >= stall_s


class CountsLooks:
    """The pump, and which look at its annunciations was the first that saw an occlusion."""

    def __init__(self, pump: Pump) -> None:
        self._pump, self._looks, self.alarmed_at = pump, 0, 0

    def __getattr__(self, name: str) -> object:
        return getattr(self._pump, name)

    def annunciations(self) -> Sequence[Annunciation]:
        """Read what it annunciates."""
        self._looks += 1
        shown = self._pump.annunciations()
        if not self.alarmed_at and any(each.kind == ALARM for each in shown):
            self.alarmed_at = self._looks
        return shown


PULSES: Mapping[str, float] = {"unoccluded": 1.3, "occlusion": 0.025}
"""By how much, in its unit, a quantity may differ beside U because a stall moves the end of a delivery in doses."""
