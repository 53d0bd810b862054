"""A pump that restarts, hangs or falls silent while it is measured: noticed, named, told in the record, and judged."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from instruments.new_era_ne1000.driver import ALARMS
from rig.bench.open import open_bench
from rig.clock import ns_from_s
from rig.errors import BlockedError, DeviceError, NoReplyError, RigError
from rig.procedures.basal import MEAN, Basal
from rig.procedures.bolus import Bolus
from rig.procedures.stopped import Stopped
from rig.procedures.watch import POWER_LOST, RESET, RESTARTS, WATCH_EVERY_S, PumpRestarted, PumpWatched
from rig.record.files import read_json_lines
from rig.record.folder import MeasuredFile, read_model
from rig.record.taking import read_taken
from rig.roles import Annunciation, Bench, HistoryEvent, Pump
from rig.shipped import shipped
from rig.verdicts.limits import Measurement, Verdict, decide
from suites.measuring import measured_on
from suites.stands.failing_balance import failing_bench, laid_on
from suites.stands.own_requirements import own_requirements
from suites.studies.coverage.laboratory import declared, laboratory
from suites.studies.coverage.whole_bench import WatchedBench, watched_bench

BASAL = Basal(rate_u_per_h=1.0, stabilisation_s=0.0, analysis_s=7200.0, windows_s=(3600.0,), blank_s=300.0)
MID_BASAL_S = 4000.0


def measured_with(folder: Path, at_s: float, event: Callable[[WatchedBench], None]) -> list[Measurement]:
    """Measure basal delivery, and let something happen at a second of the bench's clock; what was measured."""
    with watched_bench(laboratory(5, declared())) as watched:
        watched.world.clock.call_at(ns_from_s(at_s), lambda: event(watched))
        return list(measured_on(watched.bench, folder, BASAL).measured)


def verdict(measurements: list[Measurement]) -> Verdict:
    """What the requirement on restarts says."""
    requirement = own_requirements()["PR-F6.1"]
    (restarts,) = (each for each in measurements if each.quantity == RESTARTS.of())
    return decide(restarts, requirement.measurement_rule(RESTARTS.of()).limit, requirement.rule).verdict


def interrupt_supply(watched: WatchedBench) -> None:
    watched.world.set_rail(0.0)
    watched.world.clock.call_at(watched.world.clock.now_ns + ns_from_s(2.0), lambda: watched.world.set_rail(3.7))


def let_the_watchdog_bite(watched: WatchedBench) -> None:
    watched.world.board.mcu.stop_clock()


@pytest.mark.parametrize(
    ("event", "cause"), [(interrupt_supply, "power"), (let_the_watchdog_bite, "watchdog")], ids=["supply", "watchdog"]
)
def test_a_restart_in_mid_basal_is_noticed_named_and_judged(
    tmp_path: Path, event: Callable[[WatchedBench], None], cause: str
) -> None:
    measurements = measured_with(tmp_path / "taken", MID_BASAL_S, event)
    taken = read_taken(tmp_path / "taken")
    restart = taken.the(PumpRestarted)
    assert (restart.cause, restart.therapy_before, restart.therapy) == (cause, "run", "stop")
    assert restart.since_s <= MID_BASAL_S + 40.0
    assert restart.at_s <= MID_BASAL_S + 40.0 + WATCH_EVERY_S + BASAL.sample_every_s
    told = [each["what"] for each in read_json_lines(tmp_path / "taken" / "incidents.jsonl")]
    assert any("annunciates system issue" in what for what in told)
    assert any(
        what.startswith("restarted between") and f"({'cause by its own word: ' + cause})" in what for what in told
    )
    assert verdict(measurements) is Verdict.FAIL
    (mean,) = (each for each in measurements if each.quantity == MEAN.of(rate=1.0))
    assert mean.value < -20.0, "what was delivered is judged too"


def test_a_pump_that_does_not_restart_passes_and_tells_nothing(tmp_path: Path) -> None:
    measurements = measured_with(tmp_path / "taken", MID_BASAL_S, lambda _: None)
    assert verdict(measurements) is Verdict.PASS
    watched = read_taken(tmp_path / "taken").the(PumpWatched)
    assert (watched.restarts, watched.looks) == (0, 6)  # at the beginning, four times every 30 min, at the end
    assert not (tmp_path / "taken" / "incidents.jsonl").exists()


def test_a_restart_that_makes_the_measurement_impossible_is_judged_all_the_same(tmp_path: Path) -> None:
    """Boluses cannot go on: the test is an error, and the restart a failure."""
    with watched_bench(laboratory(5, declared())) as watched:
        watched.world.clock.call_at(ns_from_s(1000.0), lambda: interrupt_supply(watched))
        with pytest.raises(RigError):
            measured_on(watched.bench, tmp_path / "taken", Bolus(size_u=1.0, count=10, blank_s=300.0))
    kept = read_model(tmp_path / "taken" / "computed" / "measured.json", MeasuredFile).measured
    assert verdict([each.measurement for each in kept]) is Verdict.FAIL


class Hangs:
    """The pump, silent from a bench second on, until its supply was switched; or for good."""

    def __init__(self, pump: Pump, watched: WatchedBench, from_s: float, *, for_good: bool) -> None:
        self._pump, self._watched, self._from_s, self._for_good = pump, watched, from_s, for_good
        self._restarts = len(watched.world.board.mcu.resets)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the pump has
        own = getattr(self._pump, name)
        if not callable(own):
            return own

        def asked(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - as the pump's
            switched = len(self._watched.world.board.mcu.resets) > self._restarts
            if self._watched.bench.clock.now() >= self._from_s and (self._for_good or not switched):
                self._watched.bench.clock.sleep(2.0)
                raise NoReplyError(asked=name, of_whom="pump ids", came_back="no reply within 2 s", look_at="the cable")
            return own(*args, **kwargs)

        return asked


@pytest.mark.parametrize("for_good", [False, True])
def test_a_silent_pump_is_switched_once_and_only_one_that_answers_then_has_failed(
    tmp_path: Path, for_good: bool
) -> None:
    with watched_bench(laboratory(5, declared())) as watched:
        pump = Hangs(watched.bench.pump, watched, MID_BASAL_S, for_good=for_good)
        bench = replace(watched.bench, pump=cast("Pump", pump))
        with pytest.raises(DeviceError, match="the pump or its line is dead" if for_good else "no reply within 2 s"):
            measured_on(bench, tmp_path / "taken", BASAL)
        assert watched.world.board.mcu.resets[-1] == "power"
    told = [each["what"] for each in read_json_lines(tmp_path / "taken" / "incidents.jsonl")]
    assert any("its supply is switched off and on" in what for what in told)
    computed = tmp_path / "taken" / "computed" / "measured.json"
    assert computed.exists() is not for_good
    if not for_good:
        assert verdict([each.measurement for each in read_model(computed, MeasuredFile).measured]) is Verdict.FAIL
        assert read_taken(tmp_path / "taken").the(PumpRestarted).cause.startswith("hung")


class HangsOnADisturbedLine(Hangs):
    """The same, while two frames from it come damaged: more than a hang breaks off."""

    @property
    def damaged_frames(self) -> int:
        return 2 if self._watched.bench.clock.now() >= self._from_s else 0


def test_nobody_is_switched_on_a_disturbed_line_and_no_pump_fails_for_it(tmp_path: Path) -> None:
    with watched_bench(laboratory(5, declared())) as watched:
        restarts = len(watched.world.board.mcu.resets)
        pump = HangsOnADisturbedLine(watched.bench.pump, watched, MID_BASAL_S, for_good=True)
        with pytest.raises(DeviceError, match="no reply within 2 s"):
            measured_on(replace(watched.bench, pump=cast("Pump", pump)), tmp_path / "taken", BASAL)
        assert len(watched.world.board.mcu.resets) == restarts
    told = [each["what"] for each in read_json_lines(tmp_path / "taken" / "incidents.jsonl")]
    assert "its line is disturbed, and nobody can say whether the pump hung" in told
    assert not read_taken(tmp_path / "taken").facts(PumpRestarted)


def kept(folder: Path) -> list[Measurement]:
    """What was kept of a measurement that came to no value."""
    return [each.measurement for each in read_model(folder / "computed" / "measured.json", MeasuredFile).measured]


def test_a_restart_is_judged_although_somebody_leaned_on_the_balance_too(tmp_path: Path) -> None:
    with watched_bench(laboratory(5, declared())) as watched:
        watched.world.clock.call_at(ns_from_s(MID_BASAL_S), lambda: interrupt_supply(watched))
        bench = failing_bench(watched.bench, laid_on(0.5, 5000.0, 5030.0))
        with pytest.raises(BlockedError, match="went again"):
            measured_on(bench, tmp_path / "taken", BASAL)
    (restarts,) = kept(tmp_path / "taken")
    assert verdict([restarts]) is Verdict.FAIL


@pytest.mark.parametrize("from_s", [200.0, 240.0])
def test_a_flow_is_not_read_off_a_balance_that_somebody_leaned_on(tmp_path: Path, from_s: float) -> None:
    """2 mg for a while in the later part of the closing blank run, which alone would read as some 2 U/h."""
    with watched_bench(laboratory(5, declared())) as watched:
        measured_on(watched.bench, tmp_path / "good", BASAL)
    closing_s = float(read_taken(tmp_path / "good").values("balance", "closing blank run")["at_s"][0])
    with watched_bench(laboratory(5, declared())) as watched:
        bench = failing_bench(watched.bench, laid_on(0.002, closing_s + from_s, closing_s + 285.0))
        with pytest.raises(BlockedError, match=r"scatter|somebody leaned on the table"):
            measured_on(bench, tmp_path / "taken", BASAL)
    assert not (tmp_path / "taken" / "computed" / "measured.json").exists()


class ForgetsItsLog:
    """The pump, whose log begins anew with the last restart in it, or without any, from a bench second on."""

    def __init__(self, pump: Pump, watched: WatchedBench, from_s: float, *, logs_it: bool) -> None:
        self._pump, self._watched, self._from_s, self._logs_it = pump, watched, from_s, logs_it

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the pump has
        return getattr(self._pump, name)

    def history(self) -> list[HistoryEvent]:
        """Read the log."""
        log: list[HistoryEvent] = list(cast("Any", self._pump).history())
        if self._watched.bench.clock.now() < self._from_s:
            return log
        last = max(number for number, event in enumerate(log) if event.kind == RESET)
        return [replace(event, sequence=number) for number, event in enumerate(log[last + (not self._logs_it) :])]


@pytest.mark.parametrize("logs_it", [False, True])
def test_a_pump_that_forgets_its_log_when_it_restarts_has_restarted(tmp_path: Path, logs_it: bool) -> None:
    with watched_bench(laboratory(5, declared())) as watched:
        watched.world.clock.call_at(ns_from_s(MID_BASAL_S), lambda: interrupt_supply(watched))
        pump = ForgetsItsLog(watched.bench.pump, watched, MID_BASAL_S + 2.0, logs_it=logs_it)
        found = measured_on(replace(watched.bench, pump=cast("Pump", pump)), tmp_path / "taken", BASAL)
    assert verdict(list(found.measured)) is Verdict.FAIL
    assert read_taken(tmp_path / "taken").the(PumpWatched).restarts == 1
    told = [each["what"] for each in read_json_lines(tmp_path / "taken" / "incidents.jsonl")]
    assert any(what.startswith("its log began anew") for what in told)


class LosesPower:
    """A pump without a log that annunciates, from a bench second on, that its power was lost."""

    def __init__(self, bench: Bench, from_s: float) -> None:
        self._pump, self._clock, self._from_s = bench.pump, bench.clock, from_s

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the pump has
        return getattr(self._pump, name)

    def annunciations(self) -> list[Annunciation]:
        """Read what it annunciates."""
        lost = [Annunciation(99, POWER_LOST, "pending")] if self._clock.now() >= self._from_s else []
        return [*self._pump.annunciations(), *lost]


@pytest.mark.parametrize(("from_s", "expected"), [(1000.0, Verdict.FAIL), (1e9, Verdict.PASS)])
def test_a_pump_without_a_log_tells_of_a_restart_by_what_it_annunciates(
    tmp_path: Path, from_s: float, expected: Verdict
) -> None:
    """That its power was lost before the measurement, as this one says whenever it is switched on, is no restart."""
    with open_bench(shipped("fixtures/benches/virtual_ne1000.toml")) as bench:
        assert ALARMS["R"] == POWER_LOST
        pump = cast("Pump", LosesPower(bench, from_s))
        stopped = Stopped(duration_s=600.0, blank_s=300.0)
        found = measured_on(replace(bench, pump=pump), tmp_path / "taken", stopped)
    assert verdict(list(found.measured)) is expected
