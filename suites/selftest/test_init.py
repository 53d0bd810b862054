"""`rig init`: the project verifies at once, by the commands that its own README gives."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from rig.bench.file import read_bench_file
from rig.cli.printing import new_console
from rig.cli.project import VERIFY, make_project
from rig.errors import BenchFileError
from rig.pump_sheet.sheet import read_pump_sheet
from rig.shipped import ROOT


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("lab") / "our-pump"
    make_project(folder, console=new_console())
    return folder


def commands(text: str) -> list[list[str]]:
    """Find the commands of a page or recipe that call rig, without their comments."""
    lines = (line.strip().removeprefix("- run: ").removeprefix("exec ") for line in text.splitlines())
    return [shlex.split(line, comments=True) for line in lines if line.startswith("rig ")]


def test_it_verifies_by_the_commands_of_its_readme(project: Path) -> None:
    check, verify = commands((project / "README.md").read_text())
    assert check == ["rig", "check", "--bench", "bench.toml"]
    assert verify == shlex.split(VERIFY)
    for command in (check, [*verify, "--out", "run"]):
        done = subprocess.run(
            [sys.executable, "-P", "-m", *command], cwd=project, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
    results = json.loads((project / "run/record/results.json").read_text())
    assert {each["id"]: each["verdict"] for each in results["requirements"]} == {"LAB-D1.1": "PASS", "LAB-D2.1": "PASS"}
    declared = (project / "run/record/collected.jsonl").read_text()
    assert "test_stopped.py" in declared
    assert "priming.robot" in declared
    names = {path.name for path in project.iterdir()}
    assert {".gitignore", ".github", "lab_bench.toml", "virtual"} <= names


def test_nothing_in_it_leads_back_to_where_it_was_made(project: Path) -> None:
    for bench in ("bench.toml", "lab_bench.toml"):
        spec, _ = read_bench_file(project / bench)
        assert spec.pump.sheet == project / "pump.toml"
    assert read_pump_sheet(project / "pump.toml").name == "Reference controller RC-1"
    texts = [path.read_text() for path in project.glob("*.*") if path.suffix in (".toml", ".md")]
    assert not any(str(ROOT) in text or "../" in text for text in texts)
    assert texts[0] != ""
    assert (project / "README.md").read_text().startswith("# Verification of our-pump\n")


def test_its_recipe_keeps_strangers_from_the_bench(project: Path) -> None:
    recipe = (project / ".github/workflows/verify.yml").read_text()
    virtual, bench = commands(recipe)
    assert virtual[: len(shlex.split(VERIFY))] == shlex.split(VERIFY)
    assert bench[2:4] == ["--bench", "lab_bench.toml"]
    job = recipe.partition("\n  bench:\n")[2]
    condition = re.search(r"^    if: (.*)$", job, re.MULTILINE)
    assert condition is not None
    assert set(re.findall(r"'(\w+)'", condition[1])) == {"schedule", "workflow_dispatch"}
    assert "||" in condition[1]
    assert "self-hosted" in job
    assert "self-hosted" not in recipe.partition("\n  bench:\n")[0].partition("jobs:")[2]
    assert "- run: exec rig verify" in job
    assert "if: always()" in job


def test_a_folder_that_holds_something_is_refused_and_an_empty_one_is_filled(tmp_path: Path) -> None:
    full = tmp_path / "full"
    full.mkdir()
    (full / "notes.txt").write_text("mine")
    with pytest.raises(BenchFileError, match="is not empty; name a new folder"):
        make_project(full, console=new_console())
    assert [each.name for each in full.iterdir()] == ["notes.txt"]
    with pytest.raises(BenchFileError, match="is no folder"):
        make_project(full / "notes.txt", console=new_console())
    empty = tmp_path / "empty"
    empty.mkdir()
    before = empty.stat().st_ino
    make_project(empty, console=new_console())
    assert (empty.stat().st_ino, (empty / "bench.toml").is_file()) == (before, True)


def test_it_is_no_part_of_the_rig() -> None:
    with pytest.raises(BenchFileError, match="a laboratory's project is a repository of its own"):
        make_project(ROOT / "suites" / "our-pump", console=new_console())
