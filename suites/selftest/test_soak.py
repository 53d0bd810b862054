"""Readings go to the disk and not into memory, however long a measurement lasts, and one leaves nothing behind."""

from __future__ import annotations

import gc
import sys
from itertools import pairwise
from pathlib import Path

from rig.bench.open import open_bench
from rig.procedures.bolus import Bolus
from suites.measuring import VIRTUAL, measured_on
from suites.studies.soak import Look, soak

BLOCKS_AN_HOUR = 120
"""A reading that is kept is four blocks, 960 in an hour; what comes and goes makes some tens: a bound between."""


def test_the_objects_of_a_measurement_do_not_grow_with_its_hours_and_its_files_do(tmp_path: Path) -> None:
    looks: list[Look] = []
    soak(tmp_path, 7.0, 2.0, looks.append)
    assert [round(look.at_h) for look in looks] == [2, 4, 6]
    for earlier, later in pairwise(looks):
        assert later.blocks - earlier.blocks < 2 * BLOCKS_AN_HOUR
        assert later.file_bytes - earlier.file_bytes > 2 * 240 * 100


def test_a_measurement_leaves_no_objects_behind_on_its_bench(tmp_path: Path) -> None:
    boluses, blocks = Bolus(size_u=1.0, count=3, blank_s=300.0), []
    with open_bench(VIRTUAL) as bench:
        for number in range(5):
            measured_on(bench, tmp_path / str(number), boluses)
            gc.collect()
            blocks.append(sys.getallocatedblocks())
    assert blocks[4] - blocks[2] < 2 * BLOCKS_AN_HOUR, blocks
