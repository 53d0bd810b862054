"""The calculator against the oracle: a right pump has no wrong proposal, and each kind of wrong answer is counted."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rig.bench.open import open_bench
from rig.procedures.advice_judged import DIFFERENCE, DISOBEYED, KINDS, ON_BOARD, REFUSALS, WRONG
from rig.procedures.calculator import Calculator
from rig.procedures.calculator_rules import GRID, MINUTES, PROFILES, RULES, factors_at
from rig.procedures.procedure import Computed
from rig.record.taking import read_taken
from rig.roles import Metrology
from rig.therapy import ProfileKind
from rig.therapy.calculator import AdviceRefusal, proposed
from rig.verdicts.quantities import Kind
from suites.measuring import VIRTUAL, measured_on

RATIOS = PROFILES[ProfileKind.CARBOHYDRATE_RATIO]
Change = Callable[[dict[str, Any]], None]


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Metrology, Computed]:
    """One walk over the grid on the virtual bench."""
    folder = tmp_path_factory.mktemp("calculator") / "taken"
    with open_bench(VIRTUAL) as bench:
        return folder, bench.metrology, measured_on(bench, folder, Calculator())


def test_the_right_pump_has_no_wrong_proposal(asked: tuple[Path, Metrology, Computed]) -> None:
    values = asked[2].values
    assert [values[kind.of()].value for kind in (DIFFERENCE, WRONG, REFUSALS, DISOBEYED, ON_BOARD)] == [0.0] * 5
    assert set(Calculator().quantities) <= set(values)
    assert all(abs(values[kind.of()].value) < 10.0 for kind in KINDS[5:])
    assert Calculator().extent["count"] >= 500


def _more(fact: dict[str, Any]) -> None:
    fact["meal_u"] += 0.025


def _much_more(fact: dict[str, Any]) -> None:
    fact["meal_u"] += 5.0


def _negative(fact: dict[str, Any]) -> None:
    fact["correction_u"] = -0.025
    fact["meal_u"] += 0.025


def _taken(fact: dict[str, Any]) -> None:
    fact.update(refused=None, meal_u=3.0, correction_u=0.0)


def _half(fact: dict[str, Any]) -> None:
    fact["insulin_u"] /= 2.0


@pytest.mark.parametrize(
    ("chosen", "change", "quantity", "value"),
    [
        (("Advised", "stage", "grid"), _more, WRONG, 1.0),
        (("Advised", "stage", "grid"), _more, DIFFERENCE, 0.025),
        (("Advised", "stage", "grid"), _negative, WRONG, 1.0),
        (("Advised", "stage", "limits"), _taken, REFUSALS, 1.0),
        (("Advised", "glucose_mg_per_dl", 600.0), _much_more, WRONG, 1.0),
    ],
)
def test_one_wrong_answer_is_counted(
    tmp_path: Path,
    asked: tuple[Path, Metrology, Computed],
    chosen: tuple[str, str, str],
    change: Change,
    quantity: Kind,
    value: float,
) -> None:
    kind, key, word = chosen
    found = _recomputed(tmp_path, asked, lambda fact: fact["fact"] == kind and fact[key] == word, change, most=1)
    assert found.values[quantity.of()].value == pytest.approx(value)


def test_the_grid_reaches_the_edges_at_which_a_calculator_errs() -> None:
    """The first minute after each change but one, the end of the target, and proposals beyond 16 bits of 1 mU."""
    changes = {sum(block.duration_min for block in RATIOS[:number]) for number in range(1, len(RATIOS))}
    assert [edge for edge in sorted(changes) if any(edge < minute < edge + 1.0 for minute in MINUTES)] == [360, 1050]
    assert [glucose for _, glucose in GRID if glucose == factors_at(780.0 * 60.0).upper_mg_per_dl]
    largest, *_ = sorted((proposal(food, minute) for food, _ in GRID for minute in MINUTES), reverse=True)
    assert largest > 65.535


def proposal(carbohydrate_g: float, minute: float) -> float:
    """What the oracle proposes for a meal at a minute of the day, in U; 0 for no meal."""
    factors = factors_at(60.0 * minute)
    found = proposed(RULES, factors, carbohydrate_g=carbohydrate_g, glucose_mg_per_dl=None)
    return 0.0 if isinstance(found, AdviceRefusal) else float(found.total_u)


def test_insulin_on_board_that_is_halved_is_found(tmp_path: Path, asked: tuple[Path, Metrology, Computed]) -> None:
    found = _recomputed(tmp_path, asked, lambda fact: fact["fact"] == "OnBoardTold", _half, most=1000)
    assert found.values[ON_BOARD.of()].value > 5.0


def _recomputed(
    folder: Path,
    asked: tuple[Path, Metrology, Computed],
    chosen: Callable[[dict[str, Any]], bool],
    change: Change,
    *,
    most: int,
) -> Computed:
    """Change some of what was written down, and compute again."""
    taken, metrology, _ = asked
    copy = folder / "changed"
    shutil.copytree(taken, copy)
    facts = [json.loads(line) for line in (copy / "facts.jsonl").read_text().splitlines()]
    for fact in [fact for fact in facts if chosen(fact)][:most]:
        change(fact)
    (copy / "facts.jsonl").write_text("".join(json.dumps(fact) + "\n" for fact in facts))
    return Calculator().compute(read_taken(copy), metrology)
