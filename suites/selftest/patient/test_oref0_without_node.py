"""oref0 as a controller without Node.js: what it is asked; programs in its place that die, hang or talk nonsense."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.errors import BenchFileError
from rig.loop.accepted import Accepted, Known, Read
from rig.loop.controllers import ControllerSettings, Seen, Wanted, tellable
from rig.loop.oref0.controller import Oref0, pump_history, running
from rig.loop.oref0.package import OREF0, oref0_command
from rig.loop.oref0.process import JsonLines, NoAnswerError
from rig.procedures.loop import Loop
from suites.measuring import measured_virtually

SETTINGS = ControllerSettings(
    basal_u_per_h=0.4, ratio_g=25.0, rate_step_u_per_h=0.025, bolus_step_u=0.025, max_rate_u_per_h=1.6, max_bolus_u=2.0,
    max_iob_u=1.2, sensitivity_mg_per_dl=77.0,
)  # fmt: skip
ECHO = "import sys, json\nfor line in sys.stdin:\n    asked = json.loads(line)\n"


def program(body: str) -> tuple[str, ...]:
    """A program in the place of the adapter."""
    return sys.executable, "-c", body


def answers(result: object) -> tuple[str, ...]:
    """A program that gives one result to every question."""
    return program(
        f"{ECHO}    print(json.dumps({{'id': asked['id'], 'result': json.loads({json.dumps(result)!r})}}), flush=True)"
    )


def decided(result: object, *, announced_g: float = 0.0) -> Wanted:
    """What is wanted on a result."""
    controller = Oref0(SETTINGS, command=answers(result))
    try:
        return controller.decide(Seen(0, 120.0, announced_g))
    finally:
        controller.close()


LATE = "it did not answer within 0.5 s"
WRONG_PROGRAMS = {
    "dies at once": ("raise SystemExit(3)", "it ended by itself with exit code 3"),
    "dies when asked": ("import sys; sys.stdin.readline(); raise SystemExit(4)", "it ended by itself with exit code 4"),
    "hangs": ("import time; time.sleep(600)", LATE),
    "answers late": (f"import time\n{ECHO}    time.sleep(1.5); print('{{}}', flush=True)", LATE),
    "no end of line": ("import time; print('{', end='', flush=True); time.sleep(600)", LATE),
    "garbage": (f"{ECHO}    print('zero temp', flush=True)", "it answered 'zero temp', which is no JSON"),
    "binary": (f"{ECHO}    sys.stdout.buffer.write(b'\\xff\\x00\\n'); sys.stdout.flush()", "which is no JSON"),
    "deep": (f"{ECHO}    print('[' * 100000, flush=True)", "which is no JSON"),
    "no number": (f"{ECHO}    print('{{\"id\": 1, \"result\": NaN}}', flush=True)", "which is no JSON"),
    "a list": (f"{ECHO}    print('[]', flush=True)", "it answered '[]', and the question was number 1"),
    "another answer": (f"{ECHO}    print('{{\"id\": 7}}', flush=True)", "and the question was number 1"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG_PROGRAMS)
def test_a_program_that_gives_no_answer_is_never_asked_again(name: str) -> None:
    body, said = WRONG_PROGRAMS[name]
    lines = JsonLines(program(body), start_s=0.5 if said == LATE else 60.0)
    first = second = ""
    with pytest.raises(NoAnswerError) as told:
        lines.ask({"ask": "hello"})
    first = str(told.value)
    with pytest.raises(NoAnswerError) as told:
        lines.ask({"ask": "hello"})
    second = str(told.value)
    lines.close()
    assert said in first
    assert second == first


def test_a_program_that_does_not_read_a_long_question_is_not_waited_on_forever() -> None:
    lines = JsonLines(program("import time; time.sleep(600)"), start_s=0.5)
    with pytest.raises(NoAnswerError, match=r"did not answer within 0\.5 s"):
        lines.ask({"case": "x" * 1_000_000})


def test_a_program_that_is_not_there_is_said_when_it_is_asked() -> None:
    with pytest.raises(NoAnswerError, match=r"^/no/such/node cannot be started \(No such file or directory\)$"):
        JsonLines(("/no/such/node",)).ask({})


def test_a_controller_without_an_answer_wants_nothing_not_even_a_meal_s_bolus() -> None:
    controller = Oref0(SETTINGS, command=program("raise SystemExit(3)"))
    for at_min in (0, 5):
        wanted = controller.decide(Seen(at_min, 120.0, 50.0))
        assert wanted == Wanted(failed="oref0: it ended by itself with exit code 3")
    controller.close()


def test_a_controller_that_has_seen_nothing_gives_the_meal_s_bolus_alone() -> None:
    controller = Oref0(SETTINGS, command=program("raise SystemExit(3)"))
    assert controller.decide(Seen(0, None, 50.0)) == Wanted(bolus_u=2.0)
    controller.close()


@pytest.mark.parametrize(
    ("result", "wanted"),
    [
        ({}, Wanted()),
        ({"rate": 0.83, "duration": 30}, Wanted(0.825)),
        ({"rate": 0, "duration": 90}, Wanted(0.0, lasts_min=90)),
        ({"rate": 5.0, "duration": 30}, Wanted(1.6)),  # never beyond what the pump allows
        ({"rate": 0, "duration": 0}, Wanted(ends=True)),
        ({"units": 0.33, "rate": 0, "duration": 30}, Wanted(0.0, 0.325)),
        ({"units": 9.0}, Wanted(bolus_u=2.0)),
    ],
)
def test_a_result_goes_to_the_pump_within_its_step_and_limits(result: object, wanted: Wanted) -> None:
    assert decided(result) == wanted


@pytest.mark.parametrize(
    "result",
    [
        None, "rate", [], {"error": "no basal rate"}, {"rate": -0.1, "duration": 30}, {"rate": "0.5", "duration": 30},
        {"rate": True, "duration": 30}, {"rate": 0.5}, {"rate": 0.5, "duration": 30.5}, {"rate": 0.5, "duration": 121},
        {"rate": None, "duration": 30}, {"units": -1}, {"units": "1"}, {"rate": 1e400, "duration": 30},
    ],
)  # fmt: skip
def test_a_result_that_is_none_is_a_failure_and_nothing_is_wanted(result: object) -> None:
    wanted = decided(result, announced_g=50.0)
    assert wanted.failed is not None
    assert wanted == Wanted(failed=wanted.failed)


@given(
    rate=st.floats(0.0, 50.0), units=st.floats(0.0, 50.0), duration=st.integers(1, 120),
    step=st.sampled_from([0.01, 0.025, 0.05]),
)  # fmt: skip
def test_whatever_is_answered_the_pump_s_limits_hold(rate: float, units: float, duration: int, step: float) -> None:
    settings = ControllerSettings(0.4, 25.0, step, step, max_rate_u_per_h=1.6, max_bolus_u=2.0)
    controller = Oref0(settings, command=("/no/such/node",))
    wanted = controller._wanted({"rate": rate, "units": units, "duration": duration}, 0.0)
    assert wanted.rate_u_per_h is not None
    assert 0.0 <= wanted.rate_u_per_h <= min(rate + 1e-9, 1.6)
    assert 0.0 <= wanted.bolus_u <= min(units + 1e-9, 2.0)
    assert (wanted.rate_u_per_h, wanted.bolus_u) == (
        tellable(wanted.rate_u_per_h, step),
        tellable(wanted.bolus_u, step),
    )


def asked(*seen: Seen, accepted: tuple[Accepted, ...] = (), known: Known | None = None) -> dict[str, Any]:
    """What oref0 is asked at the last of several moments, the pump having accepted some commands before."""
    controller = Oref0(SETTINGS, known or Known(), command=answers({}))
    for each in seen:
        controller.decide(each)
    for command in accepted:
        controller.told(command)
    controller.close()
    return controller.case(seen[-1].at_min)


def test_oref0_is_told_what_the_sensor_showed_newest_first_and_nothing_where_it_showed_nothing() -> None:
    case = asked(Seen(0, 118.5, 0.0), Seen(5, None, 0.0), Seen(10, 131.0, 0.0))
    assert [(each["glucose"], each["dateString"]) for each in case["glucose"]] == [
        (131.0, "2026-03-02T00:10:00.000Z"), (118.5, "2026-03-02T00:00:00.000Z"),
    ]  # fmt: skip
    assert case["glucose"][0]["date"] - case["glucose"][1]["date"] == 600_000
    assert case["clock"] == "2026-03-02T00:10:00.000Z"


def test_oref0_is_told_the_settings_of_person_and_pump() -> None:
    found = asked(Seen(0, 120.0, 0.0))["preferences"]
    assert (found["current_basal"], found["max_basal"], found["max_iob"]) == (0.4, 1.6, 1.2)
    assert (found["sens"], found["carb_ratio"], found["dia"]) == (77.0, 25.0, 6.0)
    assert (found["min_bg"], found["max_bg"], found["bolus_increment"]) == (110.0, 110.0, 0.025)
    assert not found["enableSMB_always"]


def test_a_meal_is_told_from_the_next_decision_on_when_its_bolus_is_in_the_history() -> None:
    controller = Oref0(SETTINGS, command=answers({}))
    assert controller.decide(Seen(0, 120.0, 50.0)).bolus_u == 2.0
    assert controller.case(0)["carbs"] == [{"carbs": 50.0, "created_at": "2026-03-02T00:00:00.000Z"}]
    controller.told(Accepted(0, bolus_u=2.0))
    seen: list[dict[str, Any]] = []
    controller._process.ask = lambda question: seen.append(question["case"]) or {"result": {}}  # type: ignore[method-assign, func-returns-value]
    controller.decide(Seen(5, 120.0, 30.0))
    controller.close()
    assert [each["carbs"] for each in seen[0]["carbs"]] == [50.0]  # and not yet the one announced now
    assert [each["amount"] for each in seen[0]["pumphistory"]] == [2.0]


def test_the_history_is_what_the_pump_accepted_newest_first_with_what_a_rate_lasted() -> None:
    accepted = (
        Accepted(0, rate_u_per_h=0.8, lasts_min=30), Accepted(5, bolus_u=1.5), Accepted(10), Accepted(30, bolus_u=9.0),
    )  # fmt: skip
    found = pump_history(accepted, 20)
    assert [each["_type"] for each in found] == [
        "TempBasalDuration", "TempBasal", "Bolus", "TempBasalDuration", "TempBasal",
    ]  # fmt: skip
    assert [each.get("rate") for each in found if each["_type"] == "TempBasal"] == [0.0, 0.8]
    assert [each["duration (min)"] for each in found if "duration (min)" in each] == [0.0, 30]
    assert found[2] == {"_type": "Bolus", "amount": 1.5, "timestamp": "2026-03-02T00:05:00.000Z", "duration": 0}


def test_what_runs_is_the_last_rate_that_the_pump_accepted_for_what_is_left_of_it() -> None:
    rate = Accepted(0, rate_u_per_h=0.8, lasts_min=30)
    assert running((), 5) == {"duration": 0, "rate": 0.0, "temp": "absolute"}
    assert running((rate, Accepted(5, bolus_u=1.0)), 10) == {"duration": 20, "rate": 0.8, "temp": "absolute"}
    assert running((rate,), 30) == {"duration": 0, "rate": 0.0, "temp": "absolute"}
    assert running((rate, Accepted(10)), 10)["duration"] == 0
    assert running((rate, Accepted(10), Accepted(10, rate_u_per_h=0.2, lasts_min=30)), 15)["rate"] == 0.2


def test_begun_anew_it_knows_readings_and_history_and_no_meal() -> None:
    known = Known(60, (Read(50, 140.0), Read(55, 145.0)), (Accepted(40.1, bolus_u=1.0),))
    case = asked(Seen(60, 150.0, 0.0), known=known)
    assert [each["glucose"] for each in case["glucose"]] == [150.0, 145.0, 140.0]
    assert [each["amount"] for each in case["pumphistory"]] == [1.0]
    assert case["carbs"] == []


def test_without_node_or_oref0_one_sentence_says_so_before_the_bench_moves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(
        BenchFileError, match=r"^the controller oref0 needs Node\.js 18 or later, and node is not to be"
    ):
        oref0_command()
    (tmp_path / "node").write_text("#!/bin/sh\necho v20.1.0\n")
    (tmp_path / "node").chmod(0o755)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    with pytest.raises(
        BenchFileError, match=r"^the controller oref0 0\.7\.1 is not in .*; fetch it once by `rig oref0`"
    ):
        oref0_command()
    with pytest.raises(BenchFileError, match="fetch it once"):
        measured_virtually(tmp_path / "night", Loop.model_validate({"called": "a night", "controller": "oref0"}))
    assert not {"balance.csv", "steps.jsonl"} & {path.name for path in (tmp_path / "night").iterdir()}


def test_the_lock_file_names_one_version_with_its_sum() -> None:
    packages = json.loads((OREF0.own / "package-lock.json").read_text())["packages"]
    assert packages.pop("")["dependencies"] == {"oref0": "0.7.1"}
    assert all(each["integrity"].startswith("sha512-") for each in packages.values())
