"""The catalogue of faults is whole and checked, and what a bench is made to do is undone whatever happens."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.bench.open import open_bench
from rig.errors import BenchFileError, BlockedError, EvidenceError
from rig.faults import Injection, parse_faults, shipped_faults
from rig.faults.fault import Provocation, RandomPulses
from rig.faults.page import faults_page
from rig.procedures.provoking import FaultBench, FaultCleared, FaultInjected, provoking
from rig.record.taking import Recorder, read_taken
from rig.roles import Bench
from rig.run.inputs import FAULTS, Sources, read_inputs, refuse_other_faults
from rig.shipped import DEFAULT_FAULTS, shipped
from suites.measuring import VIRTUAL, recorded
from suites.stands.own_requirements import own_requirements

RESERVOIR = shipped_faults().injection("F14 removed")
FILE = Path("faults.toml")
ENTRY = """
[[fault]]
id = "F1"
cause = "a"
hazard = "b"
fda_class = "operational"
provocation = [{ line = "occluder" }]
observers = ["balance"]
expected = "c"
limits = [{ what = "d", within = "0.1 U" }]
"""


@contextmanager
def opened(folder: Path) -> Iterator[tuple[Bench, Recorder]]:
    with open_bench(VIRTUAL) as bench, recorded(folder, bench) as record:
        yield bench, record


def test_every_fault_from_1_to_36_is_provoked_or_has_its_reason() -> None:
    catalogue = shipped_faults()
    ids = [*catalogue.faults, *(each.id for each in catalogue.not_provoked)]
    assert sorted(ids) == sorted(f"F{number}" for number in range(1, 37))


def test_every_requirement_that_a_fault_names_is_one() -> None:
    known = own_requirements()
    named = {name for fault in shipped_faults().faults.values() for name in fault.requirements}
    assert named <= set(known)


def test_every_line_of_the_catalogue_is_on_the_virtual_bench(tmp_path: Path) -> None:
    with opened(tmp_path) as (bench, _):
        lines = {line for injection in shipped_faults().injections.values() for line in injection.lines}
        assert lines <= set(bench.switch.lines)


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ('{ line = "occluder" }', '{ line = "occluder", supply = "off" }', "provoked by one of line, lines, supply"),
        ('{ line = "occluder" }', '{ command = "x", lasts = "1 s" }', "only a change of the supply lasts"),
        ('{ line = "occluder" }', '{ supply = "off", pulses = ["1 s"] }', "only a line has pulses"),
        ('{ line = "occluder" }', '{ line = "x", pulses = ["1 s", "1 s"] }', "their number is odd"),
        ('{ line = "occluder" }', '{ line = "x", pulses = [1] }', "needs its unit"),
        ('"operational"', '"anything"', "fda_class"),
        ('["balance"]', '["the pump"]', "observers"),
        ('id = "F1"', 'id = "G1"', "F1|pattern"),
        ('"0.1 U"', '"3 parsec"', "'3 parsec' is neither a quantity with its unit"),
        ('"0.1 U"', '"much"', "'much' is neither a quantity with its unit"),
        ('"0.1 U"', '"{occlusion.missed"', "'{occlusion.missed' is neither"),
        ('"0.1 U"', '"0..1 U"', "'0..1 U' is not a number"),
    ],
)
def test_a_wrong_entry_is_refused_in_a_sentence(old: str, new: str, sentence: str) -> None:
    assert old in ENTRY
    with pytest.raises(BenchFileError, match=sentence):
        parse_faults(FILE, ENTRY.replace(old, new).encode())


def test_an_id_stands_once_and_several_ways_have_names() -> None:
    with pytest.raises(BenchFileError, match="the id F1 stands twice"):
        parse_faults(FILE, (ENTRY + ENTRY).encode())
    two = ENTRY.replace('[{ line = "occluder" }]', '[{ line = "occluder" }, { name = "b", line = "x" }]')
    with pytest.raises(BenchFileError, match="a name of their own"):
        parse_faults(FILE, two.encode())


def test_a_way_is_found_by_its_name_and_the_nearest_is_told() -> None:
    assert shipped_faults().injection("F33 hot").provocation.line == "hot"
    with pytest.raises(BenchFileError, match="did you mean 'F33 hot'"):
        shipped_faults().injection("F33 hott")


@given(st.integers(1, 50), st.floats(0.0, 1.0), st.floats(0.0, 1.0), st.integers(0, 2**32))
def test_random_pulses_lie_between_their_ends_and_come_again(count: int, one: float, other: float, seed: int) -> None:
    pulses = RandomPulses(pulses=count, shortest=min(one, other), longest=max(one, other), seed=seed)
    lengths_s = pulses.lengths_s()
    assert len(lengths_s) == 2 * count - 1
    assert all(min(one, other) <= length_s <= max(one, other) for length_s in lengths_s)
    assert pulses.lengths_s() == lengths_s


def test_what_is_injected_is_felt_recorded_and_cleared(tmp_path: Path) -> None:
    with opened(tmp_path) as (bench, record):
        with provoking(bench, record) as faults:
            bench.clock.sleep(5.0)
            begun_s = faults.inject(RESERVOIR)
            bench.clock.sleep(1.0)
            assert faults.active == ("F14 removed",)
            assert not bench.pump.status().reservoir_attached
            with pytest.raises(ValueError, match="active already"):
                faults.inject(RESERVOIR)
            faults.clear(RESERVOIR)
            bench.clock.sleep(1.0)
            assert faults.active == ()
            assert bench.pump.status().reservoir_attached
        record.sync()
    taken = read_taken(tmp_path)
    assert taken.the(FaultInjected) == FaultInjected(at_s=begun_s, fault="F14 removed", how="line reservoir energised")
    assert taken.the(FaultCleared).at_s > begun_s + 1.0


def test_a_fault_is_cleared_though_what_was_done_under_it_broke_off(tmp_path: Path) -> None:
    def break_off(faults: FaultBench) -> None:
        faults.inject(RESERVOIR)
        faults.inject(shipped_faults().injection("F33 hot"))
        raise RuntimeError

    with opened(tmp_path) as (bench, record):
        with pytest.raises(RuntimeError), provoking(bench, record) as faults:
            break_off(faults)
        assert not any(bench.switch.is_energised(line) for line in bench.switch.lines)
        record.sync()
    assert [fact.fault for fact in read_taken(tmp_path).facts(FaultCleared)] == ["F33 hot", "F14 removed"]


def test_a_line_moves_in_pulses_of_the_length_that_is_asked_for(tmp_path: Path) -> None:
    press = shipped_faults().injection("F31 double strike")
    with opened(tmp_path) as (bench, record), provoking(bench, record) as faults:
        began_s = faults.inject(press)
        assert bench.clock.now() == pytest.approx(began_s + 3 * 0.150 + 0.022, abs=0.03)
        assert faults.active == ()
        assert not bench.switch.is_energised("bolus_key")


def test_a_supply_dips_and_comes_back_as_it_was(tmp_path: Path) -> None:
    with opened(tmp_path) as (bench, record), provoking(bench, record) as faults:
        began_s = faults.inject(shipped_faults().injection("F20 dip"))
        assert bench.supply.read_voltage_v() == pytest.approx(3.7, abs=0.01)
        assert bench.clock.now() - began_s == pytest.approx(1.0, abs=0.1)
        faults.inject(shipped_faults().injection("F22 low"))
        assert bench.supply.read_voltage_v() == pytest.approx(3.3, abs=0.01)


def test_a_command_is_given_where_that_is_how_and_nowhere_else(tmp_path: Path) -> None:
    given_u: list[float] = []
    second = shipped_faults().injection("F6")
    with opened(tmp_path) as (bench, record), provoking(bench, record) as faults:
        faults.inject(second, command=lambda: given_u.append(1.0))
        assert (given_u, faults.active) == ([1.0], ())
        with pytest.raises(ValueError, match="only that of a command is given one"):
            faults.inject(second)
        with pytest.raises(ValueError, match="only that of a command is given one"):
            faults.inject(RESERVOIR, command=lambda: None)


def test_a_bench_without_the_line_refuses_in_a_sentence(tmp_path: Path) -> None:
    unknown = Injection(RESERVOIR.fault, Provocation(line="drawbridge"))
    with opened(tmp_path) as (bench, record), provoking(bench, record) as faults:
        with pytest.raises(BlockedError, match="cannot be provoked: this bench has no line 'drawbridge' of the switch"):
            faults.inject(unknown)
        assert faults.active == ()


def test_the_catalogue_is_frozen_with_a_run() -> None:
    inputs = read_inputs(Sources(bench=VIRTUAL, overrides={}))
    assert inputs.files[FAULTS] == shipped(DEFAULT_FAULTS).read_bytes()
    refuse_other_faults(inputs.sha256)
    refuse_other_faults({})  # a run of an earlier version
    with pytest.raises(EvidenceError, match="the catalogue of faults was changed after the run began"):
        refuse_other_faults(inputs.sha256 | {FAULTS: inputs.sha256["plan.toml"]})


def test_the_page_of_faults_is_what_the_catalogue_says() -> None:
    assert Path("docs/faults.md").read_text(encoding="utf-8") == faults_page(shipped_faults())
