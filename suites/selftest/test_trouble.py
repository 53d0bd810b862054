"""A slice of the trouble campaign, and the campaign's own honesty: it tells a wrong rig from a right one."""

from __future__ import annotations

import pytest

from suites.selftest.trouble.__main__ import left_supplied, report
from suites.selftest.trouble.cells import ONSETS, Cell, every_cell, faults, slice_of
from suites.selftest.trouble.controls import CONTROLS, Control, fails
from suites.selftest.trouble.doing import Came, Ending, do, measured, sound_bench
from suites.selftest.trouble.measurements import MEASUREMENTS

HONEST = (Ending.UNCHANGED, Ending.RIG_ERROR, Ending.INCONCLUSIVE)


@pytest.mark.parametrize("cell", slice_of(every_cell()), ids=lambda cell: cell.name)
def test_whatever_fails_the_rig_says_the_truth_and_leaves_no_pump_running(cell: Cell) -> None:
    came = do(cell)
    assert came.ending in HONEST, came.sentence
    assert not came.left_running
    assert not left_supplied(cell, came)


@pytest.mark.parametrize("control", CONTROLS[::3], ids=lambda control: f"{control.name}, {control.measurement}")
def test_a_wrong_pump_on_a_sound_bench_fails(control: Control) -> None:
    came = control.do()
    assert fails(came), came


def test_a_false_fail_is_called_wrong() -> None:
    over = {"virtual.firmware": CONTROLS[4].overrides["virtual.firmware"]}
    came = measured("bolus", over, sound_bench("bolus").verdicts)
    assert came.ending is Ending.WRONG
    assert "FAIL" in came.sentence


def test_a_value_that_is_not_the_truth_is_called_wrong_though_it_passes() -> None:
    """A balance whose sensitivity is off by 2 % passes ±5 %, and shows nothing of the 2 %."""
    off = {"virtual.parameters.weighing.sensitivity_error_ppm": 40_000.0}
    came = measured("bolus", off, sound_bench("bolus").verdicts)
    assert came.ending is Ending.WRONG
    assert "in truth" in came.sentence


def test_every_fault_begins_at_every_onset_and_every_measurement_takes_its_turn() -> None:
    cells = every_cell()
    assert len(cells) == len(faults()) * len(ONSETS)
    assert {cell.measurement for cell in cells} == set(MEASUREMENTS)
    assert set(every_cell()) <= set(every_cell(each_measurement=True))
    assert len(every_cell(each_measurement=True)) == len(cells) * len(MEASUREMENTS)


def test_the_slice_has_every_kind_of_fault_and_every_onset() -> None:
    chosen = slice_of(every_cell())
    assert {(cell.kind, cell.brief) for cell in chosen} == {(kind, brief) for _, kind, brief in faults()}
    assert {cell.onset for cell in chosen} == set(ONSETS)


@pytest.mark.parametrize("cell", every_cell()[::37], ids=lambda cell: cell.name)
def test_a_cell_is_found_again_by_its_name(cell: Cell) -> None:
    assert Cell.named(cell.name) == cell


def test_a_name_that_is_no_cell_is_refused() -> None:
    with pytest.raises(ValueError, match="is no cell of this campaign; --list prints them"):
        Cell.named("supply-stuck-blank-bolus")


def test_what_must_not_be_is_listed_with_the_command_that_repeats_it() -> None:
    cells = every_cell()[:4]
    came = [
        Came(Ending.UNCHANGED, ""),
        Came(Ending.WRONG, "a sentence"),
        Came(Ending.RIG_ERROR, "", left_running=True),
        Came(Ending.RIG_ERROR, "", left_powered=True),
    ]
    lines, good = report(cells, came)
    assert not good
    assert lines[:7] == [
        "    1  unchanged",
        "    2  rig error",
        "    0  inconclusive",
        "    1  wrong",
        "    0  traceback",
        "    1  pump running at the end",
        "    1  pump supplied at the end",
    ]
    replayed = [line.split()[-1] for line in lines if line.startswith("    python -m suites.selftest.trouble ")]
    assert replayed == [cell.name for cell in cells[1:]]
    assert report(cells[:1], came[:1])[1]
