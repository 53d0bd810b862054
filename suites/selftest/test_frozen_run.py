"""What a run reads is frozen before its first measurement, and what it cannot answer is refused by then."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import rig as rig_package
from rig.record.folder import RunFolder
from rig.record.reading import read_run
from rig.run.begin import start_run
from rig.run.inputs import Sources, frozen_inputs, read_inputs
from rig.run.software import ROOMS
from rig.shipped import DEFAULT_FAULTS

ROOT = Path(rig_package.__file__).parent.parent
LEFT_OUT = shutil.ignore_patterns("selftest", "studies")  # what Python has compiled is copied, which halves the starts
ROBOT_HEAD = """*** Settings ***
Library           fixtures.robot_library.PumpBench
Test Setup        Open Bench
Test Teardown     Leave Bench Safe
*** Test Cases ***
"""


@pytest.fixture
def laboratory(tmp_path: Path) -> Path:
    """A checkout of its own, without the self-tests: everything in it may be changed."""
    return _copied_rig(tmp_path / "laboratory")


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", *arguments]


def environment(root: Path) -> dict[str, str]:
    return os.environ | {"PYTHONPATH": str(root), "PYTHONDONTWRITEBYTECODE": "1"}


def call(folder: Path, *arguments: str, root: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Call a module of the rig that lies below `root`, by default the laboratory, from a laboratory's folder."""
    if root is None:
        root = folder if (folder / "rig").is_dir() else ROOT
    return subprocess.run(
        command(*arguments), cwd=folder, env=environment(root), capture_output=True, text=True, check=False
    )


def replaced(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def frozen(folder: Path) -> RunFolder:
    """A run of a laboratory that has begun, and not yet measured anything; whoever wants to may go on with it."""
    inputs = read_inputs(
        Sources(
            folder / "fixtures/benches/virtual.toml",
            {},
            folder / "suites/requirements.toml",
            str(folder / "fixtures/plans/default.toml"),
            folder / "suites/pump",
        )
    )
    run = start_run(inputs, out=folder / "run")
    assert run.lease is not None
    run.lease.free()
    return run


def test_what_is_edited_while_a_run_goes_on_changes_nothing_of_it(laboratory: Path) -> None:
    run = laboratory / "run"
    replaced(laboratory / "suites/requirements.toml", "low = -0.05, high = 0.05 }]", "low = 0.4, high = 0.5 }]")
    before = {
        name: (laboratory / source).read_bytes()
        for name, source in {
            "requirements.toml": "suites/requirements.toml",
            "bench.toml": "fixtures/benches/virtual.toml",
            "plan.toml": "fixtures/plans/default.toml",
            "pump_sheet.toml": "fixtures/pumps/reference.toml",
            "firmware.elf": "fixtures/controller/controller.elf",
            "suites/pump/test_stopped.py": "suites/pump/test_stopped.py",
        }.items()
    }
    with subprocess.Popen(
        command("rig", "verify", "--out", "run", "--select", "stopped"),
        cwd=laboratory,
        env=environment(laboratory),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    ) as process:
        while not (run / "record" / "bench_check.json").is_file():
            assert process.poll() is None, process.communicate()[0].decode()
        replaced(laboratory / "suites/requirements.toml", "low = 0.4, high = 0.5 }]", "low = -9, high = 9 }]")
        replaced(laboratory / "fixtures/benches/virtual.toml", "seed = 1", "seed = 2")
        (laboratory / "fixtures/plans/default.toml").write_text("", encoding="utf-8")
        (laboratory / "fixtures/pumps/reference.toml").write_text("", encoding="utf-8")
        (laboratory / "suites/pump/test_stopped.py").write_text("def (", encoding="utf-8")
        (laboratory / "fixtures/controller/controller.elf").write_bytes(b"")
        output = process.communicate()[0].decode()
    assert process.returncode == 1, output
    read = read_run(run, strict=True)
    (row,) = [each for each in read.results.requirements if each.id == "PR-D7.1"]
    assert (row.verdict.value, row.measurements[0].limit.low) == ("FAIL", 0.4)
    assert read.manifest.seed == 1
    for name, data in before.items():
        assert (run / "record" / "inputs" / name).read_bytes() == data
    listed = {file.path.removeprefix("record/inputs/"): file.sha256 for file in read.files if "/inputs/" in file.path}
    assert listed == read.manifest.inputs


@pytest.mark.parametrize(
    "name", ["requirements.toml", "bench.json", "plan.toml", "pump_sheet.toml", "suites/pump/test_basal.py"]
)
@pytest.mark.parametrize("runner", ["pytest", "fixtures.robot_runner"])
def test_a_frozen_input_that_was_changed_is_refused_by_both_runners(laboratory: Path, name: str, runner: str) -> None:
    run = frozen(laboratory)
    path = run.inputs / name
    path.write_bytes(path.read_bytes() + b"\n")
    suites = ["-p", "fixtures.bench_plugin", str(run.inputs)] if runner == "pytest" else []
    done = call(laboratory, runner, *suites, "--run", str(run.path))
    assert done.returncode not in (0, 1), done.stdout
    said = [line for line in (done.stdout + done.stderr).splitlines() if line.startswith("ERROR")]
    assert said == [f"ERROR: {path}: the frozen input was changed after the run began; begin a new run"]
    assert "Traceback" not in done.stdout + done.stderr


def test_a_file_that_was_put_among_the_frozen_inputs_is_refused(laboratory: Path) -> None:
    run = frozen(laboratory)
    (run.inputs / "suites/pump/conftest.py").write_text("", encoding="utf-8")
    with pytest.raises(Exception, match=r"conftest\.py: was put among the frozen inputs after the run began"):
        frozen_inputs(run, run.manifest())


@pytest.mark.parametrize("runner", ["pytest", "fixtures.robot_runner"])
def test_a_runner_whose_code_is_not_that_of_the_runs_start_refuses(
    laboratory: Path, tmp_path: Path, runner: str
) -> None:
    run, other = frozen(laboratory), tmp_path / "other"
    for room in ROOMS:
        shutil.copytree(ROOT / room, other / room, ignore=shutil.ignore_patterns("__pycache__", "controller"))
    shutil.copytree(ROOT / "fixtures/controller", other / "fixtures/controller")
    (other / DEFAULT_FAULTS).parent.mkdir()
    shutil.copy(ROOT / DEFAULT_FAULTS, other / DEFAULT_FAULTS)
    suites = ["-p", "fixtures.bench_plugin", str(run.inputs / "suites"), "--collect-only"]
    declare = ["--declare", str(tmp_path / "declared")]
    arguments = [runner, *(suites if runner == "pytest" else []), "--run", str(run.path), *declare]
    same = call(tmp_path, *arguments, root=other)
    assert same.returncode == 0, same.stdout + same.stderr
    with (other / "rig" / "units.py").open("a", encoding="utf-8") as file:
        file.write("\n")
    done = call(tmp_path, *arguments, root=other)
    assert done.returncode not in (0, 1)
    assert f"run {run.manifest().run_id}: the rig's code is not that which began the run" in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ('"basal.mean_error", rate', '"basal.mean_eror", rate', "'basal.mean_eror'; did you mean 'basal.mean_error'?"),
        ('"basal.mean_error", rate', '"basal.mean_error", rat', "rat is not a known key; did you mean 'rate'?"),
        (
            'rate = "{basal.intermediate}", unit = "%", low = ',
            'rate = "{basal.intermediate}", unit = "U", low = ',
            "basal.mean_error is measured in %, not in 'U'",
        ),
        (
            '"basal.mean_error", rate = "{basal.intermediate}"',
            '"basal.mean_error", rate = "1 U"',
            "rate is '1 U': it is a number with a unit such as '1 U/h'",
        ),
        (
            '"basal.mean_error", rate = "{basal.intermediate}"',
            '"basal.mean_error", rate = "{1.1 basal.intermediate}"',
            "PR-D1.1 asks for 'mean basal error at 1.1 U/h', which no test of this run measures; the nearest that is "
            "measured is 'mean basal error at 0.1 U/h'",
        ),
    ],
)
def test_a_requirement_that_nothing_can_answer_is_refused_before_the_first_reading(
    laboratory: Path, old: str, new: str, sentence: str
) -> None:
    replaced(laboratory / "suites/requirements.toml", old, new)
    done = call(laboratory, "rig", "verify", "--out", "run")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1), done.stderr
    assert sentence in done.stderr
    assert not (laboratory / "run").exists()
    assert not (laboratory / "runs").exists()


@pytest.mark.parametrize(
    ("file", "text", "sentence"),
    [
        ("test_bad.py", "def (", "cannot be read by pytest: suites/pump/test_bad.py: SyntaxError: invalid syntax"),
        ("test_bad.py", "import nonesuch", "suites/pump/test_bad.py: ModuleNotFoundError: No module named 'nonesuch'"),
        (
            "bad.robot",
            f"{ROBOT_HEAD}A\n    [Tags]    PR-D8.1\n    Weigh Boluses    1 U    count=2\n",
            "bad.robot::A is tagged with PR-D8.1, and measures nothing that decides it",
        ),
        (
            "bad.robot",
            f"{ROBOT_HEAD}A\n    Weigh Boluses    1 U    cont=2\n",
            "bad.robot::A: Weigh Boluses: cont is not a known key; did you mean 'count'?",
        ),
        ("bad.robot", f"{ROBOT_HEAD}A\n    Weigh Bolusses    1 U\n", "No keyword with name 'Weigh Bolusses' found."),
        (
            "bad.robot",
            f"{ROBOT_HEAD}A\n    ${{x}}=    Set Variable    1 U\n    Weigh Boluses    ${{x}}    count=2\n",
            "bad.robot::A: '${x}' is not known before the test runs",
        ),
        (
            "bad.robot",
            f"{ROBOT_HEAD}A\n    Weigh Boluses    1 U    count=2\n    Weigh Boluses    1 U    count=3\n",
            "bad.robot::A: mean bolus error at 1 U is measured twice; one test measures a quantity once",
        ),
        (
            "bad.robot",
            f"{ROBOT_HEAD}A\n    Weigh Boluses    1 U    count=2\nA\n    Weigh Boluses    2 U    count=2\n",
            "bad.robot::A: two tests have this name; each needs one of its own",
        ),
        ("bad.robot", f"{ROBOT_HEAD}A\n    No Operation\n*** Test Cass ***\n", "bad.robot' on line 8: Unrecognized"),
    ],
)
def test_a_suite_that_cannot_be_read_is_one_sentence_and_leaves_no_run(
    laboratory: Path, file: str, text: str, sentence: str
) -> None:
    (laboratory / "suites/pump" / file).write_text(text, encoding="utf-8")
    done = call(laboratory, "rig", "verify", "--out", "run")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1), done.stderr
    assert sentence in done.stderr
    assert not (laboratory / "run").exists()


def test_a_protocols_own_variables_are_known_before_it_runs(laboratory: Path) -> None:
    text = f"*** Variables ***\n${{SIZE}}    0.7 U\n{ROBOT_HEAD}A\n    Weigh Boluses    ${{SIZE}}    count=2\n"
    (laboratory / "suites/pump/own.robot").write_text(text, encoding="utf-8")
    done = call(laboratory, "rig", "verify", "--list", "--select", "own")
    assert done.returncode == 0, done.stderr
    assert "mean bolus error at 0.7 U" in done.stdout


@pytest.mark.parametrize("option", ["--bench", "--plan", "--requirements", "--set", "-k"])
def test_beside_a_run_nothing_else_may_be_said_to_pytest(laboratory: Path, option: str) -> None:
    run = frozen(laboratory)
    done = call(ROOT, "pytest", "suites/pump", "--run", str(run.path), option, "x=1")
    assert done.returncode == 4
    assert f"the run has frozen its inputs, so that {option} cannot stand beside it" in done.stderr
    assert "Traceback" not in done.stdout + done.stderr


def test_beside_a_run_nothing_else_may_be_said_to_robot(laboratory: Path) -> None:
    done = call(laboratory, "fixtures.robot_runner", "--run", "run", "--plan", "default")
    assert done.returncode == 2
    assert "unrecognized arguments: --plan" in done.stderr


def test_a_folder_that_holds_files_is_refused_and_nothing_in_it_is_touched(laboratory: Path) -> None:
    before = sorted(path for path in laboratory.rglob("*"))
    done = call(laboratory, "rig", "verify", "--out", ".", "--select", "nonesuch")
    assert (done.returncode, done.stderr.count("\n")) == (3, 1), done.stderr
    assert "holds files already; name a new folder for the run" in done.stderr
    assert sorted(path for path in laboratory.rglob("*")) == before


@pytest.mark.parametrize(
    ("out", "sentence"),
    [
        ("x [y]", "--out 'x [y]': pytest reads [ and ] as parameters of a test; name a folder without"),
        ("a]/run", "--out 'a]/run': pytest reads [ and ] as parameters of a test; name a folder without"),
        ("file", "--out 'file': file is a file; name a new folder for the run"),
        ("file/run", "--out 'file/run': file is a file; name a new folder for the run"),
    ],
)
@pytest.mark.parametrize("plan", ["default", "conditions"])  # one run, and a series
def test_a_folder_that_can_be_none_of_a_run_is_refused_before_anything_is_made(
    laboratory: Path, out: str, sentence: str, plan: str
) -> None:
    (laboratory / "file").write_text("mine", encoding="utf-8")
    before = sorted(laboratory.rglob("*"))
    done = call(laboratory, "rig", "verify", "--out", out, "--plan", plan)
    assert done.returncode == 3
    assert done.stderr.strip().endswith(sentence)
    assert done.stderr.count("\n") == 1
    assert sorted(laboratory.rglob("*")) == before


def test_two_runs_of_one_second_have_folders_and_names_of_their_own(
    laboratory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(laboratory)
    monkeypatch.setattr("rig.run.begin.utc_now", lambda: "2026-11-23T08:15:02Z")
    inputs = read_inputs(Sources(Path("fixtures/benches/virtual.toml"), {}))
    runs = [start_run(inputs, out=None) for _ in range(3)]
    names = [f"2026-11-23T08-15-02Z-virtual{number}" for number in ("", "-2", "-3")]
    assert [run.path for run in runs] == [Path("runs") / name for name in names]
    assert [run.manifest().run_id for run in runs] == names


def test_the_revision_is_that_of_the_rig_wherever_the_bench_file_lies(laboratory: Path, tmp_path: Path) -> None:
    commits = {folder: _repository(folder) for folder in (laboratory, _copied_rig(tmp_path / "checkout"))}
    assert _revision(laboratory, tmp_path / "checkout") == commits[tmp_path / "checkout"]


def test_a_rig_that_is_installed_inside_somebody_elses_repository_has_no_revision(laboratory: Path) -> None:
    _copied_rig(laboratory / ".venv" / "site-packages")
    (laboratory / ".gitignore").write_text(".venv\n", encoding="utf-8")
    _repository(laboratory)
    assert _revision(laboratory, laboratory / ".venv" / "site-packages") is None
    tracked = _copied_rig(laboratory / "vendor")
    _git(laboratory, "add", "-A")
    _git(laboratory, "commit", "-qm", "Copy the rig")
    assert _revision(laboratory, tracked) is None


def _copied_rig(folder: Path) -> Path:
    for name in (*ROOMS, "suites"):
        shutil.copytree(ROOT / name, folder / name, ignore=LEFT_OUT)
    return folder


def _repository(folder: Path) -> str:
    """Make a repository of all files of a folder; returns its commit."""
    _git(folder, "init", "-q")
    _git(folder, "add", "-A")
    _git(folder, "commit", "-qm", "Begin")
    return _git(folder, "rev-parse", "HEAD")


def _git(folder: Path, *arguments: str) -> str:
    who = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
    done = subprocess.run(["git", "-C", str(folder), *who, *arguments], capture_output=True, text=True, check=True)
    return done.stdout.strip()


_BEGIN = """
import json, sys
from pathlib import Path
from rig.run.inputs import Sources, read_inputs
from rig.run.begin import start_run
run = start_run(read_inputs(Sources(Path("fixtures/benches/virtual.toml"), {})), out=None)
json.dump(run.manifest().model_dump(mode="json"), sys.stdout)
"""


def _revision(folder: Path, root: Path) -> str | None:
    """Begin a run in a folder with the rig that lies below `root`; returns the revision in its manifest."""
    done = subprocess.run(
        [sys.executable, "-P", "-c", _BEGIN],
        cwd=folder,
        env=environment(root),
        capture_output=True,
        text=True,
        check=True,
    )
    manifest = json.loads(done.stdout)
    assert manifest["commit"] == manifest["software"]["commit"]
    return manifest["commit"]  # type: ignore[no-any-return]
