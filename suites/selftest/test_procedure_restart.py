"""Restarts, dips, an empty battery: what is measured is what is weighed, and what the pump says wrongly is its own."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from rig.bench.open import open_bench
from rig.procedures.battery import EMPTY_DELAY, FALSE, LOW_DELAY, Battery
from rig.procedures.dips import EXCESS, LOG_ERROR, RODE_THROUGH, UNCLEAN, Dips
from rig.procedures.procedure import Computed, Procedure
from rig.procedures.restart import (
    CHANGED,
    DELIVERED_AFTER,
    HOUR,
    LOGGED,
    LOST,
    ON_BOARD,
    SILENT,
    WHILE_OFF,
    Restart,
    log_faults,
)
from rig.record.taking import read_taken
from rig.roles import HistoryEvent
from rig.verdicts.quantities import Quantity
from suites.measuring import VIRTUAL, measured_virtually

RESTART = Restart(by="supply", off_s=300.0, watch_s=300.0, blank_s=300.0)
OF: Mapping[str, Any] = {"by": "supply", "off": 300.0}


def retold(
    folder: Path, procedure: Procedure, fact: str, change: Callable[[dict[str, Any]], dict[str, Any]]
) -> Computed:
    """Compute again from a record in which the facts of one kind say something else."""
    path = folder / "facts.jsonl"
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    changed = [each | change(each) if each["fact"] == fact else each for each in lines]
    other = folder.with_name(f"{folder.name}_retold")
    other.mkdir()
    for file in folder.iterdir():
        if file.is_file():
            (other / file.name).write_bytes(file.read_bytes())
    (other / "facts.jsonl").write_text("".join(json.dumps(each) + "\n" for each in changed), encoding="utf-8")
    with open_bench(VIRTUAL) as bench:
        return procedure.compute(read_taken(other), bench.metrology)


@pytest.fixture(scope="module")
def restarted(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Computed]:
    folder = tmp_path_factory.mktemp("restart") / "taken"
    return folder, measured_virtually(folder, RESTART)


def test_the_reference_pump_loses_and_resumes_nothing(restarted: tuple[Path, Computed]) -> None:
    values = restarted[1].values
    for quantity in (DELIVERED_AFTER.of(**OF), WHILE_OFF.of(off=300.0)):
        assert abs(values[quantity].value) <= values[quantity].expanded_uncertainty * 1.5 < 0.005
    assert abs(values[LOGGED.of(**OF)].value) <= 0.025
    assert values[HOUR.of(**OF)].value == pytest.approx(0.0, abs=0.2)
    for kind in (CHANGED, LOST):
        assert values[kind.of(**OF)].value == 0.0
    assert values[SILENT.of(off=300.0)].value == 0.0


@pytest.mark.parametrize(
    ("change", "quantity", "by"),
    [
        ({"on_board_u": 0.0}, ON_BOARD.of(**OF), None),
        ({"logged_u": 4.0}, LOGGED.of(**OF), None),
        ({"changed": ["largest bolus in U"]}, CHANGED.of(**OF), 1.0),
        ({"log_faults": ["a", "b"]}, LOST.of(**OF), 2.0),
        ({"annunciated": []}, SILENT.of(off=300.0), 1.0),
    ],
    ids=["on board", "logged", "settings", "log", "annunciation"],
)
def test_what_a_pump_says_wrongly_after_a_restart_is_its_error(
    restarted: tuple[Path, Computed], tmp_path: Path, change: dict[str, Any], quantity: Quantity, by: float | None
) -> None:
    folder, found = restarted
    copy = tmp_path / "taken"
    copy.mkdir()
    for file in folder.iterdir():
        if file.is_file():
            (copy / file.name).write_bytes(file.read_bytes())
    said: dict[str, Any] = {}

    def lie(fact: dict[str, Any]) -> dict[str, Any]:
        said.update(fact)
        return change

    other = retold(copy, RESTART, "Interrupted", lie)
    name = next(iter(change))
    expected = by if by is not None else change[name] - said[name]
    assert other.values[quantity].value - found.values[quantity].value == pytest.approx(expected, abs=1e-9)


def event(sequence: int, kind: str = "therapy changed") -> HistoryEvent:
    return HistoryEvent(sequence, kind, 0.0, {})


BEFORE = [event(4), event(5), event(6)]
RIGHT = [*BEFORE, event(7, "reset"), event(8)]


@pytest.mark.parametrize(
    ("after", "faults"),
    [
        (RIGHT, 0),
        (RIGHT[1:], 0),  # the oldest has made room
        ([*BEFORE, event(7)], 1),  # no restart is logged
        ([*RIGHT, event(9, "reset")], 1),
        ([event(4), event(6), event(7, "reset")], 2),  # one is gone, and its number is a gap
        ([event(4), event(5, "bolus delivered"), event(6), event(7, "reset")], 1),
        ([event(0, "reset"), event(1)], 5),  # it began anew: three are gone, and so are the numbers and the restart
    ],
)
def test_what_a_restart_does_to_a_log_is_counted(after: list[HistoryEvent], faults: int) -> None:
    assert len(log_faults(BEFORE, after)) == faults


def test_a_dip_that_the_regulator_holds_is_ridden_through_and_one_to_nothing_stops_the_bolus(tmp_path: Path) -> None:
    dips = Dips(to_percent=(60.0, 0.0), lasting_s=(0.1,), blank_s=300.0)
    found = measured_virtually(tmp_path / "taken", dips)
    assert found.values[RODE_THROUGH.of()].value == 1.0
    assert found.values[UNCLEAN.of()].value == 0.0
    assert found.values[EXCESS.of()].value <= 0.0
    assert found.values[LOG_ERROR.of()].value <= 0.03
    silent = retold(tmp_path / "taken", dips, "DipDone", lambda _: {"annunciated": []})
    assert silent.values[UNCLEAN.of()].value == 1.0


def test_a_battery_is_told_low_and_empty_within_a_look_of_the_pump_around_once_a_minute(tmp_path: Path) -> None:
    battery = Battery(hold_s=80.0, watch_s=60.0, blank_s=300.0)
    found = measured_virtually(tmp_path / "taken", battery)
    assert found.values[FALSE.of()].value == 0.0
    for kind in (LOW_DELAY, EMPTY_DELAY):
        assert 0.0 < found.values[kind.of()].value <= 70.0
    never = retold(tmp_path / "taken", battery, "BatteryStep", lambda _: {"kinds": [], "seen_s": []})
    assert never.values[LOW_DELAY.of()].value >= battery.hold_s
