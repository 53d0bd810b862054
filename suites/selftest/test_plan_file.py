"""Test plans: what a file may say, which requirements an entry decides, and what a run by a plan leaves."""

import hashlib
import subprocess
import sys
from pathlib import Path

import pytest

from rig.errors import BenchFileError
from rig.procedures.basal import Basal
from rig.procedures.bolus import Bolus
from rig.procedures.extended import Extended
from rig.procedures.occlusion import Occlusion
from rig.procedures.procedure import Procedure
from rig.procedures.stopped import Stopped
from rig.procedures.switch import ProfileSwitch
from rig.procedures.temporary import Temporary
from rig.procedures.unoccluded import Unoccluded
from rig.record.folder import RunFolder
from rig.record.reading import read_run
from rig.record.results import run_verdict
from rig.run.plan import read_plan, selection
from rig.run.results import join
from rig.shipped import PLANS, shipped
from rig.toml_files import validated
from rig.verdicts.limits import Verdict
from suites.selftest.recorded import manifest
from suites.stands.own_requirements import own_plan, own_requirements

REQUIREMENTS = own_requirements()
EVERYWHERE = {"PR-D7.2", "PR-F6.1"}
"""What flows in the blank run after each measurement, unless the outlet is closed then, and restarts during it."""
OF_THE_RECORD = {"PR-V1.1", "PR-V1.2", "PR-V1.3"}
"""What is read out of everything that a test has recorded, and named by no test before it has."""
HEAD = 'name = "mine"\npurpose = "to try"\n'


def entry(table: type[Procedure], **words: object) -> Procedure:
    """An entry of a plan, as people write it."""
    return validated("plan.toml", words, table)


def decided_by(planned: Procedure) -> tuple[str, ...]:
    """The requirements that an entry decides, beside those that every measurement decides when it is long enough."""
    found = planned.decides(REQUIREMENTS)
    assert EVERYWHERE.intersection(found) == ({"PR-F6.1"} if isinstance(planned, Stopped) else EVERYWHERE)
    return tuple(name for name in found if name not in EVERYWHERE)


def names(planned: Procedure) -> set[str]:
    """What an entry measures, in words."""
    return {str(quantity) for quantity in planned.quantities}


def written(folder: Path, text: str) -> str:
    path = folder / "mine.toml"
    path.write_text(HEAD + text, encoding="utf-8")
    return str(path)


@pytest.mark.parametrize("name", ["default", "smoke", "nightly", "iec_full", "tir101", "label_880_5730"])
def test_every_plan_of_the_repository_can_be_read_by_its_name(name: str) -> None:
    found = own_plan(name)
    assert (found.plan.name, found.path) == (name, shipped(PLANS) / f"{name}.toml")
    assert found.sha256 == hashlib.sha256(found.path.read_bytes()).hexdigest()
    assert found.plan.entries["basal"]
    assert found.plan.entries["bolus"]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('[[basal]]\nrat = "1 U/h"', "basal.0.rat is not a known key; did you mean 'rate'?"),
        ("[[basal]]\nrate = 1.0", "basal.0.rate is 1.0: a quantity needs its unit and quotation marks"),
        ('[[basal]]\nrate = "1 U"', "'1 U' is not a rate: allowed units are U/h, U/min"),
        ('[[basal]]\nrate = "0 U/h"', "basal.0.rate is '0 U/h': allowed are 0.001 U/h to 300 U/h"),
        ('[[basal]]\nanalysis = "25 h"', "basal.0.rate is missing"),
        ('[[basal]]\nrate = "10 U/h"\nsample_every = "1 s"', "basal 10 U/h takes 490 U, and a reservoir holds 300 U"),
        ('[[basal]]\nrate = "1 U/h"\n' * 2, "basal 1 U/h stands twice"),
        ('[[basal]]\nrate = "1 U/h"\nanalysis = "5 h"', "the longest window, 55800 s, is longer than analysis"),
        ('[[basal]]\nrate = "1 U/h"\ninterval = "7 min"', "interval is 420 s, and a window is not a multiple of it"),
        ('[[basal]]\nrate = "1 U/h"\nsample_every = "7 s"', "interval is 900 s, which is no multiple of sample_every"),
        (
            '[[basal]]\nrate = "2 U/h"',
            "doses of 0.025 U at 2 U/h come every 45 s, so that sample_every must be 9 s or shorter, and it is 15 s",
        ),
        (
            '[[basal]]\nrate = "0.01 U/h"\nanalysis = "7 h"\nwindows = ["1 h"]',
            "doses of 0.025 U at 0.01 U/h come every 9000 s, and analysis, 25200 s, is shorter than 3 of them",
        ),
        ('[[bolus]]\nsize = "1 U"\ncount = 1', "bolus.0.count is 1: input should be greater than or equal to 2"),
        ('[[bolus]]\nsize = "1 U"\ncount = 301', "bolus 1 U takes 301 U, and a reservoir holds 300 U"),
        ('[[extended]]\nsize = "4 U"', "extended.0.duration is missing"),
        ('[[extended]]\nsize = "4 U"\nduration = "90 s"', "duration is '90 s': pumps are told whole minutes"),
        (
            '[[extended]]\nsize = "4 U"\nduration = "2 h"\nextended = 0.5',
            "a quantity needs its unit and quotation marks",
        ),
        (
            '[[extended]]\nsize = "4 U"\nduration = "2 h"\nextended = "0 %"',
            "extended is '0 %': allowed are 1 % to 100 %",
        ),
        (
            '[[extended]]\nsize = "0.1 U"\nduration = "1 h"\nslices = 5',
            "slices of 720 s after the immediate part hold no",
        ),
        ('[[extended]]\nsize = "9 U"\nextended = "10 %"\nduration = "6 min"', "slices of 0 s after the immediate part"),
        ('[[temporary]]\nrate = "1 U/h"\nduration = "2 h"', "temporary.0.temporary is missing"),
        ('[[temporary]]\nrate = "1 U/h"\nduration = "2 h"\ntemporary = 0.5', "a rate such as '0.5 U/h', or a share of"),
        (
            '[[temporary]]\nrate = "1 U/h"\nduration = "2 h"\ntemporary = "5 U"',
            "'5 U' is not a rate: allowed units are",
        ),
        (
            '[[temporary]]\nrate = "1 U/h"\nduration = "2 h"\ntemporary = "95 %"',
            "a change from 1 to 0.95 U/h is too small to say when it came: 10 % of the higher rate are needed",
        ),
        ('[[switch]]\nrate = "0 U/h"\nthen = "0 U/h"', "a change from 0 to 0 U/h is too small"),
        (
            '[[switch]]\nrate = "1 U/h"\nthen = "2 U/h"\nafter = "23 h"',
            "before and after together are longer than a profile's 24 h",
        ),
        ('[[switch]]\nrate = "1 U/h"\nthen = "2 U/h"\nbefore = "61 s"', "pumps are told whole minutes"),
        ('[[switch]]\nrate = "1 U/h"\nthen = "30 U/h"\nafter = "12 h"', "switch 1 to 30 U/h takes 362 U"),
        ('[[occlusion]]\nrate = "1 U/h"\nthreshold = "medium"', "should be 'low', 'normal' or 'high'"),
        ('[[occlusion]]\nrate = "1 U/h"\ncount = 0', "occlusion.0.count is 0: input should be greater than or equal"),
        ('[[occlusion]]\nrate = "1 U/h"\n' * 2, "occlusion 1 U/h stands twice"),
        ('[[unoccluded]]\nrate = "0.025 U/h"\nduration = "5 min"', "duration is '5 min': allowed are 10 min to 30 d"),
        ('[[bolos]]\nsize = "1 U"', "bolos is not a known key; did you mean 'bolus'?"),
        ("[[bolus", "is no valid TOML"),
    ],
)
def test_a_wrong_plan_is_refused_in_one_sentence(tmp_path: Path, text: str, sentence: str) -> None:
    with pytest.raises(BenchFileError) as refused:
        read_plan(written(tmp_path, text))
    assert str(tmp_path) in str(refused.value)
    assert sentence in str(refused.value)
    assert "\n" not in str(refused.value).strip() or "TOML" in sentence


def test_a_plan_that_is_not_there_is_answered_with_those_that_are() -> None:
    with pytest.raises(
        BenchFileError, match=r"no such plan in fixtures/plans; known are conditions, default, iec_full"
    ):
        read_plan("smok")
    with pytest.raises(BenchFileError, match=r"nowhere\.toml: cannot be read"):
        read_plan("nowhere.toml")


def test_an_entry_decides_what_asks_for_its_rate_or_size_and_for_no_more_than_it_does() -> None:
    whole = entry(Basal, rate="1 U/h")
    assert decided_by(whole) == ("PR-D1.1", "PR-D1.2", "PR-D1.3")
    assert decided_by(entry(Basal, rate="0.5 U/h")) == ()
    for shorter in ({"stabilisation": "23 h"}, {"analysis": "24 h"}):
        assert decided_by(entry(Basal, rate="1 U/h", **shorter)) == ()
    assert decided_by(entry(Bolus, size="1 U", count=25)) == ("PR-D3.2", "PR-H3.1")
    assert decided_by(entry(Bolus, size="1 U", count=24)) == ("PR-H3.1",)
    assert decided_by(entry(Bolus, size="0.3 U", count=25)) == ()


def test_an_extended_bolus_decides_what_asks_for_its_size_share_and_duration() -> None:
    whole = entry(Extended, size="4 U", duration="2 h")
    assert decided_by(whole) == ("PR-D4.1",)
    assert not any(name.startswith("immediate") for name in names(whole))
    assert decided_by(entry(Extended, size="6 U", extended="50 %", duration="120 min")) == ("PR-D4.2",)
    assert decided_by(entry(Extended, size="6 U", extended="40 %", duration="2 h")) == ()
    assert decided_by(entry(Extended, size="4 U", duration="3 h")) == ()


def test_a_change_of_rate_decides_what_asks_for_its_rates_and_is_long_enough() -> None:
    half = {"rate": "1 U/h", "temporary": "50 %", "duration": "4 h"}
    assert decided_by(entry(Temporary, **half)) == ("PR-D6.1",)
    assert decided_by(entry(Temporary, **half, after="1 h")) == ()
    assert decided_by(entry(Temporary, **half | {"temporary": "0.5 U/h"})) == ()
    assert decided_by(entry(ProfileSwitch, rate="0.5 U/h", then="1.5 U/h")) == ("PR-D2.1",)
    assert decided_by(entry(ProfileSwitch, rate="1.5 U/h", then="0.5 U/h")) == ("PR-D2.3",)
    assert decided_by(entry(ProfileSwitch, rate="1.5 U/h", then="0.7 U/h")) == ()


def test_occlusions_decide_what_asks_for_their_rate_and_threshold_and_for_no_more_of_them() -> None:
    low = {"rate": "2 U/h", "threshold": "low"}
    assert decided_by(entry(Occlusion, **low, count=3)) == ("PR-F1.5",)
    assert decided_by(entry(Occlusion, **low, count=2)) == ()
    assert decided_by(entry(Occlusion, rate="2 U/h", count=3)) == ()
    assert decided_by(entry(Unoccluded, rate="0.025 U/h", threshold="low")) == ("PR-F1.7",)
    assert decided_by(entry(Unoccluded, rate="0.025 U/h", threshold="low", duration="23 h")) == ()


def test_only_without_warm_up_the_first_hours_are_measured() -> None:
    cold = entry(Basal, rate="1 U/h", stabilisation="0 h", analysis="6 h", windows=["60 min"])
    first_hours = {name for name in names(cold) if "of the first" in name}
    assert first_hours == {f"{what} of the first {h} h at 1 U/h" for what in ("volume", "error") for h in (1, 6)}
    assert not any("of the first" in name for name in names(entry(Basal, rate="1 U/h")))


def test_the_plan_of_the_label_measures_the_first_1_6_and_12_h() -> None:
    for basal in own_plan("label_880_5730").plan.entries["basal"]:
        assert {f"volume of the first {h} h at {basal.title}" for h in (1, 6, 12)} <= names(basal)


def test_the_default_plan_decides_every_requirement_that_a_plan_can_decide() -> None:
    plan = own_plan("default").plan
    decided = {name for entries in plan.entries.values() for each in entries for name in each.decides(REQUIREMENTS)}
    of_basal = {f"PR-D1.{number}" for number in (1, 2, 3, 7, 8)} | {"PR-D2.3"}
    of_boluses = {f"PR-D3.{number}" for number in (1, 2, 3, 4, 5)} | {"PR-H3.1"}
    assert decided == of_basal | of_boluses | {"PR-E1.1"} | set(EVERYWHERE)
    assert plan.every_requirement_due


def test_a_bolus_is_planned_to_last_as_long_as_its_speed_says() -> None:
    assert validated("plan.toml", {"size": "10 U", "count": 12}, Bolus).planned_s == 400.0
    assert validated("plan.toml", {"size": "1 U", "count": 2, "speed": "3 U/min"}, Bolus).planned_s == 20.0


def test_a_plans_selection_and_a_calls_are_joined() -> None:
    plan = own_plan("smoke").plan
    assert selection(plan, None) == plan.select
    assert selection(plan, "basal or bolus") == f"({plan.select}) and (basal or bolus)"
    assert selection(own_plan("default").plan, None) is None


def test_a_requirement_that_a_partial_plan_leaves_out_is_out_of_scope_and_says_why(tmp_path: Path) -> None:
    run = RunFolder.create(tmp_path / "run", manifest())
    row = join(REQUIREMENTS, run, plan="mine").requirements[0]
    assert (row.verdict.value, row.in_scope, row.reason) == ("UNSET", False, "not part of the plan 'mine'")
    assert join(REQUIREMENTS, run).requirements[0].in_scope


def test_a_test_that_decides_nothing_but_could_not_be_finished_is_not_passed_over() -> None:
    assert run_verdict([Verdict.PASS], ["passed", "passed"]) is Verdict.PASS
    assert run_verdict([Verdict.PASS], ["passed", "error"]) is Verdict.ERROR
    assert run_verdict([Verdict.PASS], ["not run"]) is Verdict.ERROR
    assert run_verdict([Verdict.FAIL], ["error"]) is Verdict.FAIL


def test_a_run_by_a_plan_measures_what_the_plan_says_and_keeps_the_plan(tmp_path: Path) -> None:
    path = written(tmp_path, 'select = "test_bolus and not cancelled"\n[[bolus]]\nsize = "0.3 U"\ncount = 3\n')
    command = ["verify", "--plan", path, "--out", str(tmp_path / "run")]
    done = subprocess.run([sys.executable, "-m", "rig", *command], capture_output=True, text=True, check=False)
    run = read_run(tmp_path / "run", strict=True)
    (test,) = run.results.tests
    assert test.id == "suites/pump/test_bolus.py::test_consecutive_boluses[0.3 U]"
    assert "mean bolus error at 0.3 U" in [value.name for value in run.results.reported]
    decided = {row.id: row.verdict.value for row in run.results.requirements if row.in_scope}
    assert decided == dict.fromkeys(EVERYWHERE | OF_THE_RECORD, "PASS")  # of boluses of 0.3 U nothing else is required
    assert (run.results.verdict.value, done.returncode) == ("UNSET", 3), done.stdout
    assert run.manifest.plan is not None
    assert run.manifest.plan.content["bolus"] == [{"size": "0.3 U", "count": 3}]
    assert run.manifest.plan.sha256 == hashlib.sha256(Path(path).read_bytes()).hexdigest()
    assert "mean bolus error at 0.3 U: " in done.stdout
    assert (tmp_path / "run" / "reports" / "rev-1" / "report.pdf").exists()


@pytest.mark.parametrize("command", [["rig", "verify"], ["pytest", "suites/pump"]])
def test_a_wrong_plan_stops_both_ways_in_with_one_sentence(tmp_path: Path, command: list[str]) -> None:
    path = written(tmp_path, '[[basal]]\nrat = "1 U/h"')
    done = subprocess.run(
        [sys.executable, "-m", *command, "--plan", path], capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode in (2, 4)
    assert "basal.0.rat is not a known key; did you mean 'rate'?" in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("command", "table", "keys"),
    [
        (["rig", "verify"], "stopped", 'duration = "1 h"'),
        (["rig", "verify", "--list"], "cancelled", 'size = "5 U"\nafter = "60 s"'),
        (["pytest", str(Path("suites/pump").resolve())], "log", ""),
    ],
)
def test_a_plan_with_entries_that_no_test_takes_is_refused_and_nothing_is_made(
    tmp_path: Path, command: list[str], table: str, keys: str
) -> None:
    path = written(tmp_path, f'[[{table}]]\n{keys}\n[[bolus]]\nsize = "0.3 U"\ncount = 3\n')
    done = subprocess.run(
        [sys.executable, "-m", *command, "--plan", path], capture_output=True, text=True, check=False, cwd=tmp_path
    )
    sentence = (
        f"{path}: no test of the suites takes the entries of [[{table}]], so that they would not be measured; tables "
        "that the suites take: basal, bolus, extended, temporary, switch, occlusion, unoccluded, priming"
    )
    assert sentence in " ".join((done.stdout + done.stderr).split())
    assert done.returncode == (2 if command[0] == "rig" else 4)
    assert "Traceback" not in done.stdout + done.stderr
    assert [each.name for each in tmp_path.iterdir()] == ["mine.toml"]


def test_what_a_selection_leaves_out_is_taken_all_the_same(tmp_path: Path) -> None:
    path = written(tmp_path, '[[basal]]\nrate = "1 U/h"\n[[bolus]]\nsize = "0.3 U"\ncount = 3\n')
    command = ["rig", "verify", "--list", "--plan", path, "--select", "test_consecutive_boluses"]
    done = subprocess.run([sys.executable, "-m", *command], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
