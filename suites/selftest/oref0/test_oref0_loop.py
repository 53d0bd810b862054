"""oref0 in the loop over the virtual bench: the pump obeys it, and it is begun anew, or killed, in the middle."""

from __future__ import annotations

from pathlib import Path

import pytest

from rig.bench.open import open_bench
from rig.errors import BlockedError
from rig.loop.accepted import Accepted, Known, Read
from rig.loop.controllers import ControllerSettings, Seen
from rig.loop.oref0.controller import Oref0
from rig.procedures.alive import ControllerFailed, SensorRead
from rig.procedures.commanding import Commanded
from rig.procedures.loop import LOWEST, Loop
from rig.record.taking import read_taken
from suites.measuring import VIRTUAL, measured_on, measured_virtually

MEAL = {"called": "a meal", "controller": "oref0", "duration": "2 h", "eat": ["00:10 40 g"], "blank": "300 s"}
SETTINGS = ControllerSettings(
    basal_u_per_h=0.4, ratio_g=25.0, rate_step_u_per_h=0.025, bolus_step_u=0.025, max_rate_u_per_h=35.0,
    max_bolus_u=25.0, max_iob_u=1.2, sensitivity_mg_per_dl=77.0,
)  # fmt: skip


def test_the_pump_obeys_it_over_its_line(tmp_path: Path) -> None:
    computed = measured_virtually(tmp_path / "meal", Loop.model_validate(MEAL))
    taken = read_taken(tmp_path / "meal")
    commands = taken.facts(Commanded)
    assert len(taken.facts(SensorRead)) == 24
    assert not taken.facts(ControllerFailed)
    assert [each.bolus_u for each in commands if each.bolus_u is not None] == [1.6]
    rates = {each.rate_u_per_h for each in commands if each.rate_u_per_h is not None}
    assert len(rates) > 2
    assert all(each.refused is None for each in commands)
    assert max(rates) <= 3.0 * 0.4 + 1e-9  # its own: three times the highest basal rate
    lowest = next(each for each in computed.measured if each.quantity.kind == LOWEST.name)
    assert lowest.value > 70.0


def lived(controller: Oref0, minutes: range, accepted: list[Accepted], read: list[Read]) -> list[float | None]:
    """Let it decide on a course of glucose, a pump accepting all that it wants; returns the rates."""
    rates = []
    for at_min in minutes:
        if at_min % 5:
            continue
        glucose = 150.0 + 0.4 * at_min + at_min % 3
        wanted = controller.decide(Seen(at_min, glucose, 0.0))
        assert wanted.failed is None
        read.append(Read(at_min, glucose))
        if wanted.rate_u_per_h is not None:
            accepted.append(Accepted(at_min, wanted.rate_u_per_h, wanted.lasts_min))
            controller.told(accepted[-1])
        rates.append(wanted.rate_u_per_h)
    return rates


def test_begun_anew_from_sensor_and_log_it_decides_as_if_it_had_never_ended() -> None:
    accepted, read = [Accepted(-20, bolus_u=0.3)], [Read(-5, 149.0)]
    throughout = Oref0(SETTINGS, Known(0, tuple(read), tuple(accepted)))
    first = lived(throughout, range(0, 60), accepted, read)
    anew = Oref0(SETTINGS, Known(60, tuple(read), tuple(accepted)))
    ignorant = Oref0(SETTINGS, Known(60, tuple(read)))
    later = [lived(each, range(60, 90), [], []) for each in (throughout, anew, ignorant)]
    for each in (throughout, anew, ignorant):
        each.close()
    assert any(first)
    assert later[0] == later[1] != later[2]


def test_a_node_process_that_is_killed_in_the_middle_ends_in_no_verdict(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    decided = Oref0.decide

    def killed(self: Oref0, seen: Seen) -> object:
        if seen.at_min == 15:
            process = self._process._process
            assert process is not None
            process.kill()
        return decided(self, seen)

    monkeypatch.setattr(Oref0, "decide", killed)
    with open_bench(VIRTUAL, {}) as bench, pytest.raises(BlockedError) as told:
        measured_on(bench, tmp_path / "killed", Loop.model_validate({**MEAL, "duration": "30 min"}))
    said = "gave no decision 3 of 6 times, first at minute 15: oref0: it ended by itself with exit code -9; it wanted"
    assert said in str(told.value)
    taken = read_taken(tmp_path / "killed")
    assert [each.at_min for each in taken.facts(ControllerFailed)] == [15, 20, 25]
    assert max(each.at_min for each in taken.facts(Commanded)) <= 10
    assert "controller oref0" in (tmp_path / "killed" / "incidents.jsonl").read_text()
