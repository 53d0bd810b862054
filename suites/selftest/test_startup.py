"""What a command imports before it is known what is asked of it: little, so that it answers at once."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

SIGNS, DRAWS, STORES, RADIO = ("pyhanko", "aiohttp"), ("matplotlib", "plotly", "typst"), "sqlalchemy", "bumble"
COMPUTES = ("GTC", "scipy.optimize", "scipy.signal", "scipy.stats")


def imported(statement: str) -> set[str]:
    """Perform a statement in a process of its own; returns the names of all modules that it has imported."""
    command = f"{statement}\nimport json, sys\nprint(json.dumps(list(sys.modules)))"
    done = subprocess.run([sys.executable, "-P", "-c", command], capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout))


@pytest.mark.parametrize(
    ("statement", "without"),
    [
        ("import rig.cli.app", {*SIGNS, *DRAWS, *COMPUTES, STORES, RADIO, "numpy", "pyvisa", "scipy"}),
        ("import rig.cli.series", {*SIGNS, *DRAWS, *COMPUTES, STORES, RADIO}),
        ("import instruments.cgm_service.driver", {*SIGNS, *DRAWS, STORES, RADIO}),
        ("import fixtures.bench_plugin, fixtures.robot_runner", {*SIGNS, *DRAWS, *COMPUTES, STORES, RADIO}),
    ],
    ids=["any command", "a run", "a played sensor", "the runners of a run"],
)
def test_what_takes_long_to_import_is_imported_where_it_is_used(statement: str, without: set[str]) -> None:
    assert imported(statement) & without == set()
