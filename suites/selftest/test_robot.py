"""Robot Framework by itself: it makes its own run, a dry run makes none, and what is wrong is one sentence."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from robot.libdoc import LibraryDocumentation

from fixtures.keywords_page import LIBRARY, keywords_page
from fixtures.robot_arguments import TYPES

ROOT = Path(__file__).parents[2]
PRIMING, REFUSED = "Tubing And Cannula Are Filled", "Boluses Above The Maximum Are Refused"
MUTANT = ROOT / "fixtures/controller/mutants/over_deliver_10_percent.elf"
HEAD = """*** Settings ***
Library           fixtures.robot_library.PumpBench
Test Setup        Open Bench
Test Teardown     Leave Bench Safe

*** Test Cases ***
A Test
"""


@pytest.fixture
def bench_folder(tmp_path: Path) -> Path:
    """A folder to work in that holds the files of the repository which a run reads, and no run."""
    for name in ("fixtures", "suites"):
        (tmp_path / name).symlink_to(ROOT / name)
    return tmp_path


def called(folder: Path, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "200"}
    command = [sys.executable, "-m", program, *arguments]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def robot(folder: Path, *arguments: str, out: str = "out") -> subprocess.CompletedProcess[str]:
    return called(folder, "robot", "--outputdir", out, *arguments)


def runs(folder: Path) -> list[Path]:
    return sorted((folder / "runs").glob("*"))


def read(path: Path) -> Any:  # noqa: ANN401 - JSON
    return json.loads(path.read_text(encoding="utf-8"))


def protocol(folder: Path, text: str) -> str:
    path = folder / "a.robot"
    path.write_text(HEAD + text, encoding="utf-8")
    return str(path)


def messages(output: Path) -> dict[str, str]:
    tests = ElementTree.parse(output).iter("test")
    return {test.attrib["name"]: (test.findtext("status") or "").strip() for test in tests}


def test_robot_makes_a_run_of_its_own_and_closes_it(bench_folder: Path) -> None:
    done = robot(bench_folder, "--test", PRIMING, "--test", REFUSED, "suites/pump")
    assert done.returncode == 0, done.stdout + done.stderr
    [run] = runs(bench_folder)
    assert f"Run:     runs/{run.name}\nVerdict: PASS\n" in done.stdout
    manifest, results = read(run / "record/manifest.json"), read(run / "record/results.json")
    assert manifest["selected"] == f"robot: {REFUSED}, {PRIMING}"
    assert {name for name in manifest["inputs"] if name.startswith("suites/pump/")} >= {"suites/pump/priming.robot"}
    assert read(run / "record/closing.json")["outcome"] == "complete"
    in_scope = {row["id"]: row["verdict"] for row in results["requirements"] if row["in_scope"]}
    of_every_record = ("PR-V1.1", "PR-V1.2", "PR-V1.3")
    assert in_scope == dict.fromkeys(("PR-D7.2", "PR-D9.1", "PR-F6.1", "PR-L1.1", *of_every_record), "PASS")
    metadata = {each.text for each in ElementTree.parse(bench_folder / "out/output.xml").iter("meta")}
    assert metadata == {f"runs/{run.name}"}


def test_what_failed_is_run_again_as_a_run_of_its_own(bench_folder: Path) -> None:
    tests = ["--test", PRIMING, "--test", REFUSED]
    first = robot(bench_folder, "-v", f"SET:virtual.firmware={MUTANT}", *tests, "suites/pump")
    assert first.returncode == 1
    failed = messages(bench_folder / "out/output.xml")[PRIMING]
    assert failed.startswith("PR-D9.1 FAIL: error of filling the tubing with 10 U is 8.6")
    again = robot(bench_folder, "--rerunfailed", "out/output.xml", "suites/pump", out="again")
    assert again.returncode == 0, again.stdout
    before, after = (read(run / "record/manifest.json") for run in runs(bench_folder))
    assert before["overrides"] == {"virtual.firmware": str(MUTANT)}
    assert after["overrides"] == {}
    assert after["selected"] == f"robot: {PRIMING}"
    verdicts = [read(run / "record/results.json")["verdict"] for run in runs(bench_folder)]
    assert verdicts == ["FAIL", "PASS"]


def test_several_processes_make_a_run_each(bench_folder: Path) -> None:
    selected = ["--test", f"*{PRIMING}", "--test", f"*{REFUSED}"]
    options = ["--command", sys.executable, "-m", "robot", "--end-command", "--no-pabotlib", "--processes", "2"]
    done = called(bench_folder, "pabot.pabot", *options, "--outputdir", "out", *selected, "suites/pump")
    assert done.returncode == 0, done.stdout + done.stderr
    made = [read(run / "record/manifest.json")["selected"] for run in runs(bench_folder)]
    assert sorted(made) == [f"robot: {REFUSED}", f"robot: {PRIMING}"]
    shown = {each.text for each in ElementTree.parse(bench_folder / "out/output.xml").iter("meta")}
    assert shown == {f"runs/{run.name}" for run in runs(bench_folder)}


def test_a_plan_chooses_among_the_tests(bench_folder: Path) -> None:
    (bench_folder / "plan.toml").write_text('name = "short"\npurpose = "shown"\nselect = "PR-D9.1"\n', encoding="utf-8")
    done = robot(bench_folder, "-v", "PLAN:plan.toml", "--test", PRIMING, "--test", REFUSED, "suites/pump")
    assert done.returncode == 0, done.stdout
    assert messages(bench_folder / "out/output.xml")[REFUSED] == "the plan 'short' selects only 'PR-D9.1'"
    [run] = runs(bench_folder)
    assert [test["outcome"] for test in read(run / "record/results.json")["tests"]] == ["passed"]


def test_a_dry_run_reads_every_protocol_and_makes_no_run(bench_folder: Path) -> None:
    done = robot(bench_folder, "--dryrun", "-v", "BENCH:there_is_none.toml", "suites/pump")
    assert done.returncode == 0, done.stdout
    assert runs(bench_folder) == []


def inside(keyword: str, structure: str) -> str:
    """The sentence on a keyword that measures more than once or not at all."""
    return (
        f"suites/pump/a.robot::A Test: {keyword} stands inside {structure}, and how often it measures must be known "
        "before the test runs: write it outside, once for each measurement"
    )


WRONG = [
    (
        "    Provoke Occlusions    1 U",
        "ValueError: Argument 'rate' got value '1 U' that cannot be converted to Rate: "
        "Provoke Occlusions takes a quantity such as 1 U/h (units: U/h, U/min) here",
    ),
    (
        "    Weigh Temporary Rate    50 %    rate=5    duration=4 h",
        "ValueError: Argument 'rate' got value '5' that cannot be converted to Rate: "
        "Weigh Temporary Rate takes a quantity such as 1 U/h (units: U/h, U/min) here",
    ),
    (
        "    Command Boluses Above The Maximum    30 U, 40 h",
        "ValueError: Argument 'sizes' got value '30 U, 40 h' that cannot be converted to Insulins: "
        "Command Boluses Above The Maximum takes quantities such as 0.1 U, with commas between them (units: U) here",
    ),
    (
        "    Provoke Occlusions    1 U/h    threshold=lowest",
        "ValueError: Argument 'threshold' got value 'lowest' that cannot be converted to Threshold: "
        "Provoke Occlusions takes low or normal or high here",
    ),
    (
        "    Eat    25:00    carbohydrates=60 g",
        "ValueError: Argument 'at' got value '25:00' that cannot be converted to TimeOfDay: "
        "Eat takes a time of day from 00:00 to 23:59 here",
    ),
    (
        "    Weigh Boluses    1 U    several",
        "ValueError: Argument 'count' got value 'several' that cannot be converted to WholeNumber: "
        "Weigh Boluses takes a whole number such as 3 here",
    ),
    (
        "    Weigh Boluses    1 U    1",
        "suites/pump/a.robot::A Test: Weigh Boluses: count is 1: input should be greater than or equal to 2",
    ),
    (
        "    FOR    ${round}    IN    1    2\n        Weigh Boluses    1 U    5\n    END",
        inside("Weigh Boluses", "FOR"),
    ),
    ("    IF    ${False}\n        Weigh Boluses    1 U    5\n    END", inside("Weigh Boluses", "IF")),
    ("    IF    ${True}    Weigh Stopped Pump    1 h", inside("Weigh Stopped Pump", "IF")),
    (
        "    WHILE    True    limit=2\n        Count Missing Log Entries\n    END",
        inside("Count Missing Log Entries", "WHILE"),
    ),
    (
        "    TRY\n        Weigh Boluses    1 U    5\n    EXCEPT\n        Log    no bolus\n    END",
        inside("Weigh Boluses", "TRY"),
    ),
    (
        "    FOR    ${round}    IN    1    2\n        Measure\n    END\n\n"
        "*** Keywords ***\nMeasure\n    Weigh Boluses    1 U    5",
        inside("Weigh Boluses", "FOR"),
    ),
    (
        "    FOR    ${at}    IN    07:00    12:00\n        Eat    ${at}    carbohydrates=60 g\n    END",
        inside("Eat", "FOR"),
    ),
    ("    Repeat Keyword    2    Weigh Boluses    1 U    5", inside("Weigh Boluses", "Repeat Keyword")),
    ("    Run Keyword If    ${False}    Weigh Boluses    1 U    5", inside("Weigh Boluses", "Run Keyword If")),
    (
        "    [Tags]    PR-F1.1\n    Weigh Boluses    1 U    5",
        "suites/pump/a.robot::A Test is tagged with PR-F1.1, and measures nothing that decides it",
    ),
]


@pytest.mark.parametrize(("text", "sentence"), WRONG)
def test_what_is_wrong_is_one_sentence_in_a_dry_run(bench_folder: Path, text: str, sentence: str) -> None:
    done = robot(bench_folder, "--dryrun", protocol(bench_folder, text))
    assert done.returncode == 1
    assert messages(bench_folder / "out/output.xml") == {"A Test": sentence}


def test_keywords_that_measure_nothing_may_stand_in_loops_and_branches(bench_folder: Path) -> None:
    text = "    FOR    ${word}    IN    a    b\n        Log    ${word}\n    END\n    IF    ${True}    Log    c\n"
    done = robot(bench_folder, "--dryrun", protocol(bench_folder, f"{text}    Weigh Boluses    1 U    5"))
    assert done.returncode == 0
    assert messages(bench_folder / "out/output.xml") == {"A Test": ""}


def test_a_false_tag_and_a_wrong_bench_stop_a_run_before_it_is_made(bench_folder: Path) -> None:
    false = protocol(bench_folder, "    [Tags]    PR-F1.1\n    Weigh Boluses    1 U    5")
    assert robot(bench_folder, false).returncode == 1
    tagged = "suites/pump/a.robot::A Test is tagged with PR-F1.1, and measures nothing that decides it"
    assert f"the protocols cannot be declared: {tagged}" in messages(bench_folder / "out/output.xml")["A Test"]
    assert robot(bench_folder, "-v", "BENCH:none.toml", "--test", PRIMING, "suites/pump").returncode == 1
    assert "none.toml: cannot be read" in messages(bench_folder / "out/output.xml")[PRIMING]
    assert runs(bench_folder) == []


def test_a_variable_of_the_command_line_is_declared_as_it_is_measured(bench_folder: Path) -> None:
    text = "    Weigh Priming    ${TUBING}    0.5 U\n\n*** Variables ***\n${TUBING}    10 U\n"
    assert robot(bench_folder, "-v", "TUBING:5 U", protocol(bench_folder, text)).returncode == 0
    [run] = runs(bench_folder)
    [test] = read(run / "record/results.json")["tests"]
    assert next(each["name"] for each in test["quantities"]) == "error of filling the tubing with 5 U"


def test_libdoc_needs_no_run_and_shows_quantities(bench_folder: Path) -> None:
    assert called(bench_folder, "robot.libdoc", LIBRARY, "keywords.html").returncode == 0
    assert "quantity such as 1 U/h" in (bench_folder / "keywords.html").read_text(encoding="utf-8")
    assert runs(bench_folder) == []


def test_the_page_of_keywords_is_written_from_the_library() -> None:
    assert (ROOT / "docs/keywords.md").read_text(encoding="utf-8") == keywords_page()
    assert "| `rate` | a quantity such as 1 U/h (units: U/h, U/min) | needed |" in keywords_page()
    assert "| `watch` | a quantity such as 3 h (units: s, ms, min, h, d) | 10 min |" in keywords_page()


def test_every_default_is_what_its_type_allows() -> None:
    documented = {each.name: each for each in LibraryDocumentation(LIBRARY).keywords}
    kinds = {kind.__name__: kind for kind in TYPES}
    checked = 0
    for each in documented.values():
        for argument in each.args:
            if argument.name and not argument.required and argument.default is not None and str(argument.default):
                if str(argument.type) == "str":  # a word, which the procedure itself knows
                    continue
                kinds[str(argument.type)].check(str(argument.default))
                checked += 1
    assert checked > 30
