"""The shell steps of the recipes for CI servers, and a CI server that runs them as theirs do: shell, options, signal.

GitHub's runner writes a step to a file and calls `bash --noprofile --norc -eo pipefail FILE`; cancelled, it signals
that process alone, SIGINT first. GitLab's shell executor feeds bash a script that pipes nothing into `eval` and ends
its process group by SIGTERM. Jenkins calls `sh -xe FILE` and signals the process. Not responsible for what no shell
does: triggers, locks, upload.
"""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

RECIPES = Path("fixtures/recipes")
GITHUB, GITLAB, JENKINS = RECIPES / "github.yml", RECIPES / "gitlab.yml", RECIPES / "Jenkinsfile"
LABGRID = RECIPES / "labgrid-night.sh"
"""No server of its own: a job of any of them calls it (`suites/selftest/labgrid`)."""
GITLAB_JOB = "night on bench 2"


@dataclass(frozen=True)
class ShellSteps:
    """What a recipe has a shell do: before the night, the night, and whatever has become of it; and its environment."""

    night: str
    always: str
    before: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)


def content(path: Path) -> Any:  # noqa: ANN401 - whatever the file holds
    """Read a recipe that is YAML 1.2, where `on` is a word."""
    return YAML(typ="safe").load(path.read_text(encoding="utf-8"))


def shell_steps(path: Path) -> ShellSteps:
    """Take the shell's part out of a recipe."""
    return {GITHUB: _of_github, GITLAB: _of_gitlab, JENKINS: _of_jenkins}[path]()


def _of_github() -> ShellSteps:
    recipe = content(GITHUB)
    night = recipe["jobs"]["night"]["steps"]
    (step,) = [each["run"] for each in night if "run" in each and "if" not in each]
    always = [each["run"] for each in night if "run" in each and each.get("if") == "always()"]
    (before,) = [each["run"] for each in recipe["jobs"]["preflight"]["steps"]]
    return ShellSteps(step, "\n".join(always), before, recipe["env"])


def _of_gitlab() -> ShellSteps:
    job = content(GITLAB)[GITLAB_JOB]
    return ShellSteps("\n".join(job["script"]), "\n".join(job["after_script"]), "", job["variables"])


def _of_jenkins() -> ShellSteps:
    text = JENKINS.read_text(encoding="utf-8")
    night, always = re.findall(r"'''\n(.*?)'''", text, re.DOTALL)
    environment = dict(re.findall(r"^ +([A-Z_]+) = ['\"](.*?)['\"]", text, re.MULTILINE))
    return ShellSteps(night, always, "", environment)


def command(path: Path, script: str, folder: Path) -> list[str]:
    """Call the shell as the server of a recipe does."""
    file = folder / "step.sh"
    if path == GITLAB:
        file.write_text(
            f"set -eo pipefail\nset +o noclobber\n: | eval {shlex.quote(script)}\nexit 0\n", encoding="utf-8"
        )
        return ["bash", str(file)]
    file.write_text(script, encoding="utf-8")
    shell = ["bash", "--noprofile", "--norc", "-eo", "pipefail"] if path == GITHUB else ["sh", "-xe"]
    return [*shell, str(file)]


def cancel(path: Path, process: subprocess.Popen[bytes]) -> None:
    """Tell a night to stop as the server of a recipe does when somebody cancels the job."""
    if path == GITLAB:
        os.killpg(process.pid, signal.SIGTERM)
    else:
        process.send_signal(signal.SIGINT if path == GITHUB else signal.SIGTERM)
