"""Tab in a shell: commands, options, the rig's plans, runs; a file of one's own where none of these is begun."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from rig.cli.completion import plan_names, runs_to_offer


def offered(words: str, at: Path) -> list[str]:
    """Press Tab behind `words`, as bash asks for it; what is offered."""
    environment = {
        **os.environ,
        "COMP_WORDS": words,
        "COMP_CWORD": str(words.count(" ")),
        "_RIG_COMPLETE": "complete_bash",
    }
    code = "import sys; sys.argv[0] = 'rig'; from rig.cli.entry import main; main()"
    done = subprocess.run(
        [sys.executable, "-P", "-c", code], cwd=at, env=environment, capture_output=True, text=True, check=True
    )
    return done.stdout.split()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("runs/2026-11-27-virtual", "runs/2026-11-28-virtual", "night"):
        (tmp_path / name / "record").mkdir(parents=True)
        (tmp_path / name / "record" / "manifest.json").write_text("{}")
    (tmp_path / "runs" / "notes").mkdir()
    return tmp_path


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("rig disc", ["discover"]),
        ("rig serve --wr", ["--write"]),
        ("rig verify --plan n", ["nightly"]),
        ("rig verify --plan my_", []),
        ("rig audit runs/", ["runs/2026-11-28-virtual", "runs/2026-11-27-virtual"]),
        ("rig note n", ["night"]),
        ("rig check --bench my", []),
    ],
)
def test_what_is_offered(words: str, expected: list[str], folder: Path) -> None:
    assert offered(words, folder) == expected


def test_plans_and_runs_that_are_there(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert {"default", "smoke", "nightly"} <= set(plan_names(""))
    monkeypatch.chdir(folder)
    assert runs_to_offer("") == ["runs/2026-11-28-virtual", "runs/2026-11-27-virtual", "night"]
    assert runs_to_offer("runs/2026-11-28") == ["runs/2026-11-28-virtual"]
    assert runs_to_offer("elsewhere/") == []


@pytest.mark.parametrize("option", ["--install-completion", "--show-completion"])
def test_a_shell_that_is_not_known_is_no_failed_requirement(option: str, tmp_path: Path) -> None:
    """Exit code 1 says that a requirement failed, and nothing else."""
    code = f"""
import sys, shellingham
def detect_shell(*_):
    raise shellingham.ShellDetectionFailure
shellingham.detect_shell = detect_shell
sys.argv = ['rig', {option!r}]
from rig.cli.entry import main
main()
"""
    done = subprocess.run(
        [sys.executable, "-P", "-c", code],
        env={**os.environ, "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "call it from a prompt of bash, zsh, fish or PowerShell" in done.stderr
    assert list(tmp_path.iterdir()) == []
