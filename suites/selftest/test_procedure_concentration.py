"""The stated insulin concentration: the right pump's agrees with what is weighed; another one, or none, does not."""

from pathlib import Path

import pytest

from rig.bench.open import open_bench
from rig.procedures.concentration import ERROR, STATED, Concentration
from rig.procedures.procedure import computed_from
from rig.record.taking import read_taken
from rig.roles import Capability, require
from suites.measuring import measured_on

VIRTUAL = Path("fixtures/benches/virtual.toml")


def test_a_stated_concentration_is_held_against_what_is_weighed(tmp_path: Path) -> None:
    """Of a pump that is made for U-100 and states U-200, a unit is two, by what it states."""
    procedure = Concentration.model_validate({"size": "2 U", "blank": "5 min"})
    with open_bench(VIRTUAL) as bench:
        assert require(bench.pump, Capability.CONCENTRATION).concentration_u_per_ml() == 100.0
        computed = measured_on(bench, tmp_path / "taken", procedure)
        metrology = bench.metrology
    assert computed.values[STATED.of()].value == 100.0
    right = computed.values[ERROR.of()]
    assert abs(right.value) < 5.0
    facts = tmp_path / "taken" / "facts.jsonl"
    as_stated = facts.read_text(encoding="utf-8")
    for stated, expected in ((200.0, 100.0 + 2.0 * right.value), (0.0, -100.0)):
        facts.write_text(as_stated.replace('"concentration_u_per_ml": 100.0', f'"concentration_u_per_ml": {stated}'))
        again = computed_from(procedure, read_taken(tmp_path / "taken"), metrology)
        assert again.values[STATED.of()].value == stated
        assert again.values[ERROR.of()].value == pytest.approx(expected)
