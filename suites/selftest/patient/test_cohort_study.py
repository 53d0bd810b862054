"""The study of a cohort: serial and side by side the same bytes, and a process that dies ends it in a sentence."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer import Typer
from typer.testing import CliRunner, Result

from rig.errors import RigError
from suites.studies.patient import cohort_loop
from suites.studies.patient.cohort import cohort_loops, main
from suites.studies.patient.cohort_loop import CohortLoop, lived_side_by_side

app = Typer()
app.command()(main)


def study(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(each) for each in arguments])


@pytest.fixture(scope="module")
def serial(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cohort") / "serial"
    done = study(folder, "--persons", 2, "--duration", 1)
    assert done.exit_code == 0, done.output
    return folder


def test_loops_that_are_lived_side_by_side_are_the_same_to_the_byte(serial: Path, tmp_path: Path) -> None:
    loops = cohort_loops(tmp_path, 1, diabetes="type 1", closed="pid", days=1, duration_h=1)
    lines = lived_side_by_side(loops, 2, lambda _: None)
    assert lines == (serial / "loops.jsonl").read_text().splitlines()[:2]


def test_its_folder_holds_results_documents_and_raw_weighings(serial: Path) -> None:
    found = json.loads((serial / "paired.json").read_text())
    assert list(found["persons"]) == ["type 1 no. 1", "type 1 no. 2"]
    assert found["asked"]["controllers"] == ["basal-bolus", "pid"]
    lives = [json.loads(line) for line in (serial / "loops.jsonl").read_text().splitlines()]
    insulin = next(each for each in found["metrics"] if each["name"] == "weighed insulin")
    assert insulin["before"] == [pytest.approx(sum(each["weighed_u"])) for each in lives[::2]]
    assert insulin["after"] == [pytest.approx(sum(each["weighed_u"])) for each in lives[1::2]]
    assert {each.name for each in serial.iterdir()} == {
        "raw", "loops.jsonl", "paired.json", "cohort.html", "cohort.pdf",
    }  # fmt: skip
    assert len(list((serial / "raw").glob("*/balance.csv"))) == 4


def test_each_person_has_the_same_day_sensor_and_pump_twice(tmp_path: Path) -> None:
    loops = cohort_loops(tmp_path, 3, diabetes="type 1", closed="pid", days=2, duration_h=23)
    assert len(loops) == 12
    for one, two in zip(loops[::2], loops[1::2], strict=True):
        assert (one.asked["controller"], two.asked["controller"]) == ("basal-bolus", "pid")
        assert {**one.asked, "controller": "pid"} == two.asked
        assert one.seed == two.seed
    assert len({each.asked["seed"] for each in loops}) == 6


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (("--closed", "basal-bolus"), "--closed basal-bolus: is the open loop itself; name another controller"),
        (("--closed", "best"), "controller"),
        (("--diabetes", "type 3"), "'type 3 no. 1' is no person; allowed are"),
    ],
)
def test_what_cannot_be_lived_is_refused_before_anything_is(tmp_path: Path, asked: tuple[str, str], said: str) -> None:
    done = study(tmp_path / "new", *asked)
    assert done.exit_code == 2
    assert said in done.output
    assert not (tmp_path / "new").exists()


def test_a_folder_that_is_there_is_left_alone(tmp_path: Path) -> None:
    done = study(tmp_path)
    assert done.exit_code == 2
    assert "is there already; name a new folder" in " ".join(done.output.split())


def test_a_loop_that_breaks_off_says_whose_and_why(tmp_path: Path) -> None:
    task = CohortLoop(
        asked={"called": "a", "person": "type 1 no. 1", "duration": "31 min"}, seed=1, folder=str(tmp_path)
    )
    with pytest.raises(RigError, match=r"^a person's loop broke off: type 1 no\. 1: .*whole number of 5 min"):
        lived_side_by_side([task], 1, lambda _: None)


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_process_that_is_killed_each_time_ends_the_study_without_results(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, jobs: int
) -> None:
    """A module that kills its own process stands in for a machine that runs out of memory."""
    (tmp_path / "killed_at_once.py").write_text("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr(cohort_loop, "MODULE", "killed_at_once")
    done = study(tmp_path / "new", "--persons", 1, "--duration", 1, "--jobs", jobs)
    assert done.exit_code == 3
    assert "the process of a person's loop was ended by signal 9" in " ".join(done.output.split())
    assert not (tmp_path / "new" / "paired.json").exists()
