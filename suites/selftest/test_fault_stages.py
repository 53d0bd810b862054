"""A fault that comes by lines one after the other: energised at their times, all released whatever happens."""

from __future__ import annotations

from pathlib import Path

import pytest

from rig.bench.open import open_bench
from rig.errors import BenchFileError
from rig.faults import Injection, parse_faults
from rig.procedures.provoking import provoking
from suites.measuring import VIRTUAL, recorded

ENTRY = """
[[fault]]
id = "F2"
cause = "a"
hazard = "b"
fda_class = "operational"
provocation = [{ lines = [{ line = "waste" }, { line = "occluder", after = "90 s" }] }]
observers = ["balance"]
expected = "c"
"""


def slow() -> Injection:
    return parse_faults(Path("faults.toml"), ENTRY.encode()).injection("F2")


def test_lines_are_told_with_their_times() -> None:
    assert slow().provocation.in_words == "lines waste, occluder after 1.5 min"
    assert slow().lines == ("waste", "occluder")
    assert not slow().provocation.momentary


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('after = "90 s"', 'after = "-1 s"'),
        ('{ line = "waste" }', '{ line = "waste", after = "2 s" }'),
        ('{ line = "waste" }', '{ line = "occluder" }'),
        ('[{ line = "waste" }, { line = "occluder", after = "90 s" }]', "[]"),
        ("lines = [", 'line = "waste", lines = ['),
    ],
)
def test_an_order_that_cannot_be_is_refused(old: str, new: str) -> None:
    assert old in ENTRY
    with pytest.raises(BenchFileError):
        parse_faults(Path("faults.toml"), ENTRY.replace(old, new).encode())


def test_each_line_is_energised_when_its_time_has_come_and_all_are_released(tmp_path: Path) -> None:
    with open_bench(VIRTUAL) as bench, recorded(tmp_path, bench) as record:
        switch = bench.switch

        def states() -> tuple[bool, bool]:
            return switch.is_energised("waste"), switch.is_energised("occluder")

        with provoking(bench, record) as faults:
            faults.inject(slow())
            bench.clock.sleep(80.0)
            faults.advance()
            assert states() == (True, False)
            bench.clock.sleep(10.0)
            faults.advance()
            assert states() == (True, True)
        assert states() == (False, False)
