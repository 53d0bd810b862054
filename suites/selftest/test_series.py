"""Several runs as one: channels side by side, conditions one after the other, and what they say together."""

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from reports.parts.summary import verdict_meaning
from rig.lease import is_held
from rig.record.likeness import Member
from rig.record.reading import read_run

PLAN = """
name = "short"
purpose = "Two channels, one condition."
select = "test_consecutive_boluses"
[[bolus]]
size = "0.5 U"
count = 3
blank = "5 min"
[[condition]]
head = "0.5 m"
"""


@pytest.fixture(scope="module")
def series(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished series: three channels under two conditions."""
    folder = tmp_path_factory.mktemp("series")
    (folder / "plan.toml").write_text(PLAN, encoding="utf-8")
    out = folder / "out"
    done = rig(
        "verify", "--bench", "fixtures/benches/virtual_channels.toml", "--plan", str(folder / "plan.toml"),
        "--out", str(out),
    )  # fmt: skip
    assert done.returncode == 3, done.stdout + done.stderr  # nothing is decided by so short a plan
    assert "Verdict over 6 runs: UNSET" in done.stdout
    return out


def test_each_channel_under_each_condition_is_a_run_with_evidence_of_its_own(series: Path) -> None:
    runs = sorted(path.parent.name for path in series.glob("*/record"))
    names = ("left", "middle", "right")
    assert runs == sorted(f"{name}_{condition}" for name in names for condition in ("nominal", "head_0.5_m"))
    for name in runs:
        run = read_run(series / name)
        assert run.manifest.outcome == "complete"
        assert verdict_meaning(run.results) == "No requirement judges what this run set out to measure."
        assert run.manifest.conditions == ({"head": 0.5} if "head" in name else {})
        assert (series / name / "reports" / "rev-1" / "report.pdf").is_file()
        assert list((series / name / "record" / "tests").glob("*/1/1-bolus/balance.csv"))
    assert {Member(name, read_run(series / name)).pump for name in runs} == {
        f"RC1-000001 (seed {n})" for n in (1, 2, 3)
    }


def test_a_channel_in_a_series_measures_what_it_measures_alone(series: Path, tmp_path: Path) -> None:
    done = rig(
        "verify", "--bench", "fixtures/benches/virtual_channels.toml#middle", "--plan",
        str(series.parent / "plan.toml"), "--condition", "nominal", "--out", str(tmp_path / "alone"),
    )  # fmt: skip
    assert "Verdict: UNSET" in done.stdout, done.stdout + done.stderr
    alone, together = (read_run(path).results.reported for path in (tmp_path / "alone", series / "middle_nominal"))
    assert alone == together
    assert len(alone) == 4


def test_the_comparison_has_each_value_of_each_run(series: Path) -> None:
    content = json.loads((series / "comparison" / "comparison.json").read_text(encoding="utf-8"))
    (mean,) = [
        each
        for each in content["pumps"]
        if each["quantity"]["kind"] == "bolus.mean_error" and each["conditions"] == "nominal"
    ]
    expected = {
        name: next(e.value for e in read_run(series / name).results.reported if e.name == mean["name"])
        for name in ("left_nominal", "middle_nominal", "right_nominal")
    }
    assert {value["run"]: value["value"] for value in mean["values"]} == expected
    assert [value["attempt"] for value in mean["values"]] == [1, 1, 1]
    every = [value for part in ("pumps", "measured_once") for each in content[part] for value in each["values"]]
    assert len(every) == 6 * 9, "four of boluses, two of every measurement, three of every test; six runs"
    assert mean["mean"] == pytest.approx(sum(expected.values()) / 3)
    with (series / "comparison" / "conditions.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(line for line in file if not line.startswith("#")))
    assert [(row["subject"], row["condition"], row["n"]) for row in rows] == [
        ("boluses of 0.5 U", "nominal", "9"),
        ("boluses of 0.5 U", "head 0.5 m", "9"),
    ]
    assert (series / "comparison" / "comparison.pdf").read_bytes().startswith(b"%PDF")


def test_a_series_in_a_folder_with_files_is_refused_and_nothing_is_lost(series: Path) -> None:
    before = {path: path.read_bytes() for path in series.rglob("*.json")}
    done = rig("verify", "--plan", str(series.parent / "plan.toml"), "--out", str(series))
    assert (done.returncode, done.stderr.count("\n")) == (3, 1), done.stderr
    assert "holds files already; name another folder" in done.stderr
    assert {path: path.read_bytes() for path in series.rglob("*.json")} == before


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--condition", "head 1 m"], "the plan 'short' has no such condition; known are nominal; head 0.5 m"),
        (["--bench", "fixtures/benches/virtual_channels.toml#up"], "there is no channel 'up'; known are left, middle"),
    ],
)
def test_wrong_names_are_one_sentence(series: Path, tmp_path: Path, arguments: list[str], sentence: str) -> None:
    plan = str(series.parent / "plan.toml")
    done = rig("verify", "--plan", plan, "--out", str(tmp_path / "no"), *arguments)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1), done.stderr
    assert sentence in done.stderr
    assert not (tmp_path / "no").exists()


def test_a_laboratory_is_asked_to_set_a_condition_up_and_without_anybody_there_it_is_a_sentence(
    tmp_path: Path,
) -> None:
    shutil.copy("fixtures/benches/lab_example.toml", tmp_path / "lab.toml")
    (tmp_path / "plan.toml").write_text(PLAN, encoding="utf-8")
    done = rig(
        "verify", "--bench", str(tmp_path / "lab.toml"), "--plan", str(tmp_path / "plan.toml"),
        "--pump-sheet", "fixtures/pumps/reference.toml", "--out", str(tmp_path / "out"),
    )  # fmt: skip
    assert (done.returncode, done.stderr.count("\n")) == (2, 1), done.stdout + done.stderr
    assert "nobody is there to set it up" in done.stderr
    assert "--condition 'head 0.5 m'" in done.stderr


def test_an_interrupted_series_ends_each_of_its_runs_as_interrupted(tmp_path: Path) -> None:
    out = tmp_path / "out"
    command = [
        sys.executable, "-m", "rig", "verify", "--bench", "fixtures/benches/virtual_channels.toml", "--select", "basal",
        "--out", str(out),
    ]  # fmt: skip
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True) as process:
        while len(list(out.glob("*/record/tests/*/1/*/balance.csv"))) < 3:
            assert process.poll() is None
        os.killpg(process.pid, signal.SIGINT)
        output = process.communicate()[0].decode()
    assert process.returncode == 3, output
    assert "The series was interrupted" in output
    outcomes = [json.loads(path.read_text(encoding="utf-8"))["outcome"] for path in out.glob("*/record/closing.json")]
    assert outcomes == ["interrupted"] * 3


def test_a_series_that_is_killed_leaves_nobody_behind(tmp_path: Path) -> None:
    out = tmp_path / "out"
    command = [
        sys.executable, "-m", "rig", "verify", "--bench", "fixtures/benches/virtual_channels.toml", "--select", "basal",
        "--condition", "nominal", "--out", str(out),
    ]  # fmt: skip
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        while len(list(out.glob("*/record/tests/*/1/*/balance.csv"))) < 3:
            assert process.poll() is None
        process.kill()
    runs = [path.parents[1] for path in out.glob("*/record/manifest.json")]
    while any(is_held(run / "lease") for run in runs):  # they make their benches safe and close their runs
        pass
    closed = [read_run(run).manifest for run in runs]
    assert [each.outcome for each in closed] == ["interrupted"] * 3
    assert {each.reason for each in closed} == {"the run was interrupted by the end of the process that had started it"}


def rig(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "rig", *arguments], capture_output=True, text=True, check=False)
