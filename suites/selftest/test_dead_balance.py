"""A balance that is dead is told from a pump that is: the one is an error of the rig, the other a failure."""

from __future__ import annotations

import math
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.analysis.disturbed import broken_digit_g, came_back
from rig.analysis.unchanging import log10_chance_of_equal
from rig.bench.open import open_bench
from rig.errors import BlockedError
from rig.procedures.basal import MEAN, Basal
from rig.procedures.bolus import LARGEST, Bolus
from rig.procedures.procedure import Computed, Procedure
from rig.procedures.soundness import EqualReadings
from rig.procedures.stopped import Stopped
from rig.record.taking import read_taken
from suites.measuring import VIRTUAL, measured_on
from suites.stands.failing_balance import Fault, broken_digit, failing_bench, frozen, laid_on, rounded
from suites.studies.coverage.laboratory import declared, laboratory
from suites.studies.coverage.whole_bench import watched_bench

BASAL = Basal(rate_u_per_h=1.0, stabilisation_s=0.0, analysis_s=7200.0, windows_s=(3600.0,), blank_s=300.0)
BOLUSES = Bolus(size_u=0.5, count=6, blank_s=300.0)


def measured(folder: Path, procedure: Procedure, fault: Fault) -> Computed:
    with open_bench(VIRTUAL) as bench:
        return measured_on(failing_bench(bench, fault), folder, procedure)


def phases(folder: Path, procedure: Procedure) -> dict[str, tuple[float, float]]:
    """When each phase of a good measurement begins and ends, in s."""
    measured(folder, procedure, lambda _, mass_g: mass_g)
    taken = read_taken(folder)
    spans = {phase: taken.values("balance", phase)["at_s"] for phase in taken.phases}
    return {phase: (float(at_s[0]), float(at_s[-1])) for phase, at_s in spans.items()}


@given(st.integers(2, 40), st.floats(0.2, 3.0), st.floats(-0.5, 0.5))
def test_no_true_value_makes_equal_readings_likelier_than_is_said(n: int, sd: float, off: float) -> None:
    """Of readings rounded to 1: the sum over all values of their chance to the power n."""
    values = np.arange(-40, 41)
    normal = np.vectorize(math.erf)
    chances = (
        normal((values + 0.5 - off) / sd / math.sqrt(2)) - normal((values - 0.5 - off) / sd / math.sqrt(2))
    ) / 2.0
    assert float(np.sum(chances**n)) <= 10.0 ** log10_chance_of_equal(n, sd=sd, digit=1.0) * (1.0 + 1e-9)


def test_one_reading_is_equal_to_itself() -> None:
    assert log10_chance_of_equal(1, sd=1.0, digit=1.0) == 0.0


FROZEN = {
    "from the start": lambda at: (0.0, at["closing blank run"][1]),
    "from mid-blank": lambda at: (sum(at["opening blank run"]) / 2.0, math.inf),
    "from mid-analysis": lambda at: (sum(at["analysis period"]) / 2.0, math.inf),
    "for a quarter of an hour": lambda at: (sum(at["analysis period"]) / 2.0, sum(at["analysis period"]) / 2.0 + 900.0),
    "in the closing blank run": lambda at: (at["closing blank run"][0], math.inf),
}


@pytest.fixture(scope="module")
def at(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[float, float]]:
    return phases(tmp_path_factory.mktemp("good") / "taken", BASAL)


@pytest.mark.parametrize("when", FROZEN)
def test_a_frozen_balance_is_an_error_within_minutes(
    tmp_path: Path, at: dict[str, tuple[float, float]], when: str
) -> None:
    from_s, until_s = FROZEN[when](at)
    with open_bench(VIRTUAL) as bench:
        with pytest.raises(BlockedError, match=r"^balance: it has shown .* it is frozen; "):
            measured_on(failing_bench(bench, frozen(from_s, until_s)), tmp_path / "taken", BASAL)
        assert bench.clock.now() < from_s + 600.0


def test_a_balance_that_is_frozen_during_a_few_boluses_is_an_error(tmp_path: Path) -> None:
    spans = phases(tmp_path / "good", BOLUSES)
    with pytest.raises(BlockedError, match=r"^balance: it has shown .* it is frozen; "):
        measured(tmp_path / "taken", BOLUSES, frozen(spans["bolus 2"][0], spans["bolus 6"][0]))


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        (broken_digit(3, lambda _: 4), r"^balance: its digit of 0\.001 g takes no part"),
        (broken_digit(3, lambda digit: digit | 1), r"^balance: [\d.]+ mg went .* a reading was damaged; "),
    ],
)
def test_a_digit_that_is_always_wrong_is_an_error(tmp_path: Path, fault: Fault, sentence: str) -> None:
    procedure = BASAL.model_copy(update={"rate_u_per_h": 4.0, "sample_every_s": 4.5})
    with pytest.raises(BlockedError, match=sentence):
        measured(tmp_path / "taken", procedure, fault)


@pytest.mark.parametrize("mass_g", [0.0005, 0.0009, 0.002, 0.5, -0.01])
@pytest.mark.parametrize("lasting_s", [0.0, 40.0, 1800.0])
def test_mass_that_comes_back_was_no_liquid(
    tmp_path: Path, at: dict[str, tuple[float, float]], mass_g: float, lasting_s: float
) -> None:
    middle_s = sum(at["analysis period"]) / 2.0
    with pytest.raises(BlockedError, match=r"^balance: [\d.]+ mg (came|went) at \d+ s and (came|went) again by \d+ s"):
        measured(tmp_path / "taken", BASAL, laid_on(mass_g, middle_s - 7.0, middle_s + lasting_s + 1.0))


def test_mass_that_stays_is_liquid_and_is_judged(tmp_path: Path, at: dict[str, tuple[float, float]]) -> None:
    """1 mg on top of the 20 mg of two hours: 5 %."""
    good = measured(tmp_path / "good", BASAL, lambda _, mass_g: mass_g).values[MEAN.of(rate=1.0)].value
    more = measured(tmp_path / "taken", BASAL, laid_on(0.001, sum(at["analysis period"]) / 2.0))
    assert more.values[MEAN.of(rate=1.0)].value == pytest.approx(good + 5.0, abs=0.1)


QUIET = Stopped(duration_s=1800.0, blank_s=300.0)


@pytest.mark.parametrize("procedure", [BASAL, BOLUSES, QUIET], ids=lambda each: str(each.TABLE))
@pytest.mark.parametrize(
    ("readability_g", "repeatability_g"), [(1e-4, 2.5e-6), (1e-4, 1e-4), (1e-3, 2.5e-6), (1e-3, 1e-3)]
)
def test_a_coarse_balance_is_neither_dead_nor_disturbed(
    tmp_path: Path, procedure: Procedure, readability_g: float, repeatability_g: float
) -> None:
    """A data sheet's repeatability is often one digit; readings then stay the same for hours, and turn back by one."""
    with open_bench(VIRTUAL) as bench:
        told = replace(bench.metrology, balance_repeatability_g=repeatability_g, balance_readability_g=readability_g)
        measured_on(
            failing_bench(replace(bench, metrology=told), rounded(readability_g)), tmp_path / "taken", procedure
        )


@pytest.mark.parametrize(
    ("source", "hours", "dead"), [("blank runs", 22.0, True), ("blank runs", 20.0, False), (None, 500.0, False)]
)
def test_a_coarse_balance_is_dead_when_it_does_not_see_what_evaporates(
    source: str | None, hours: float, dead: bool
) -> None:
    """Of 0.02 ± 0.005 mg/h (u) 5 µg/h are sure; a digit of 0.1 mg and six times 1 µg of noise are passed in 21.2 h."""
    told = replace(
        declared(),
        balance_repeatability_g=1e-6,
        balance_readability_g=1e-4,
        evaporation_g_per_h=2e-5,
        evaporation_uncertainty_g_per_h=5e-6,
        evaporation_source=source,
    )
    equal = EqualReadings(told)
    with pytest.raises(BlockedError, match="evaporate at least") if dead else nullcontext():
        for number in range(round(hours * 60.0) + 1):
            equal.look(60.0 * number, 10.0)


def test_a_pump_that_delivers_nothing_fails_with_its_value(tmp_path: Path) -> None:
    """The balance lives: it scatters, and shows what evaporates."""
    with watched_bench(laboratory(3, declared())) as watched:
        watched.world.board.motor_stalled = True
        found = measured_on(watched.bench, tmp_path / "taken", BASAL)
    assert found.values[MEAN.of(rate=1.0)].value == pytest.approx(-100.0, abs=1.0)


@given(st.lists(st.floats(0.0, 3e-3), min_size=30, max_size=120), st.integers(0, 1000))
def test_a_series_that_only_rises_is_never_called_disturbed(rises: list[float], seed: int) -> None:
    noise_g = np.random.default_rng(seed).normal(0.0, 2.5e-6, len(rises))
    mass_g = np.round((10.0 + np.cumsum(rises) + noise_g) * 1e6) * 1e-6  # as an XPR shows it
    assert came_back(np.arange(float(len(rises))), mass_g, sd_g=2.5e-6) is None


@given(st.floats(1.7e-6, 3e-4), st.integers(0, 1000))
def test_a_steady_flow_breaks_no_digit(step_g: float, seed: int) -> None:
    noise_g = np.random.default_rng(seed).normal(0.0, 2.5e-6, 2000)
    assert broken_digit_g(10.0 + step_g * np.arange(2000) + noise_g, digit_g=1e-6) is None


@given(st.integers(600, 1900), st.integers(3, 8), st.integers(0, 1000))
def test_a_bolus_between_two_long_rests_breaks_no_digit(step_ug: int, readings: int, seed: int) -> None:
    """Readings that jump over the values of a digit do not say that it has none of them."""
    rises_g = np.concatenate([np.zeros(1000), np.full(readings, step_ug * 1e-6), np.zeros(1000)])
    noise_g = np.random.default_rng(seed).normal(0.0, 2.5e-6, rises_g.size)
    assert broken_digit_g(10.00023 + np.cumsum(rises_g) + noise_g, digit_g=1e-6) is None


def test_boluses_are_as_good_as_ever(tmp_path: Path) -> None:
    found = measured(tmp_path / "taken", BOLUSES, lambda _, mass_g: mass_g)
    assert abs(found.values[LARGEST.of(size=0.5, unit="U")].value) < 0.05
