"""The recipes for CI servers keep the rules that keep a bench whole; their files are what the servers take.

Not responsible for running them: `tox run -e nights` does.
"""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from rig.lab.night import NOT_RUN
from rig.units import parse
from suites.stands.ci_server import GITHUB, GITLAB, GITLAB_JOB, JENKINS, LABGRID, RECIPES, content, shell_steps

EVERY = pytest.mark.parametrize("path", [GITHUB, GITLAB, JENKINS], ids=str)
MARGIN_S = 1800.0
"""So much longer than `--at-most` a server's own limit is at least: what was measured is closed and reported in it."""


def night_words(path: Path) -> list[str]:
    (line,) = [each for each in shell_steps(path).night.splitlines() if each.strip()]
    return shlex.split(line)


def at_most_s(path: Path) -> float:
    words = night_words(path)
    return parse(words[words.index("--at-most") + 1], "time_s")


@pytest.mark.parametrize(("path", "schema"), [(GITHUB, "github-workflows"), (GITLAB, "gitlab-ci")], ids=str)
def test_a_recipe_is_what_the_schema_of_its_server_allows(path: Path, schema: str, tmp_path: Path) -> None:
    def checked(file: Path) -> int:
        words = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", f"vendor.{schema}", str(file)]
        return subprocess.run(words, capture_output=True, check=False).returncode

    assert checked(path) == 0
    wrong = tmp_path / path.name
    wrong.write_text(re.sub("timeout(-minutes)?: ", "timeuot: ", path.read_text(encoding="utf-8")), encoding="utf-8")
    assert checked(wrong) == 1


def test_every_recipe_is_looked_at() -> None:
    assert sorted(RECIPES.iterdir()) == sorted([GITHUB, GITLAB, JENKINS, LABGRID])


@EVERY
def test_the_rig_takes_the_place_of_the_shell_so_that_a_signal_reaches_it(path: Path) -> None:
    assert night_words(path)[:3] == ["exec", "rig", "nightly"]


@EVERY
def test_bench_plan_store_and_folder_are_named_once_and_outlast_the_workspace(path: Path) -> None:
    steps = shell_steps(path)
    words = night_words(path)
    for option, name in (("--bench", "RIG_BENCH"), ("--plan", "RIG_PLAN"), ("--out", "NIGHT")):
        assert words[words.index(option) + 1] == f"${name}"
    for name in ("RIG_BENCH", "RIG_STORE", "NIGHT"):
        assert steps.environment[name].startswith("/srv/rig/")


@EVERY
def test_each_place_to_correct_is_marked(path: Path) -> None:
    for line in path.read_text(encoding="utf-8").splitlines():
        own = re.search(r"bench-2|bench 2|/srv/rig|smoke", line) and not line.lstrip().startswith(("//", "#"))
        assert not own or line.endswith("HERE"), line


def test_labgrids_keeper_outlives_what_ends_a_job() -> None:
    text = LABGRID.read_text(encoding="utf-8")
    assert "exec rig nightly" in text
    assert "env -u RUNNER_TRACKING_ID -u JENKINS_NODE_COOKIE -u BUILD_ID" in text
    assert text.index("exec 9> >(") < text.index("exec rig nightly")
    assert subprocess.run(["bash", "-n", str(LABGRID)], check=False).returncode == 0


def test_github_runs_nothing_of_a_pull_request() -> None:
    recipe = content(GITHUB)
    assert set(recipe["on"]) == {"schedule", "workflow_dispatch"}
    assert recipe["permissions"] == {"contents": "read"}
    first = recipe["jobs"]["preflight"]["if"]
    assert "github.ref == 'refs/heads/main'" in first
    assert "pull_request" not in GITHUB.read_text(encoding="utf-8")
    used = [step["uses"] for job in recipe["jobs"].values() for step in job["steps"] if "uses" in step]
    assert used == ["actions/upload-artifact@v4"]  # nothing is checked out


def test_github_runs_one_at_a_time_and_cancels_none() -> None:
    recipe = content(GITHUB)
    assert recipe["concurrency"]["cancel-in-progress"] is False
    assert recipe["concurrency"]["queue"] == "max"  # by default a second one that waits is cancelled
    for cron in (each["cron"] for each in recipe["on"]["schedule"]):
        assert cron.split()[0] != "0"  # late at full hours


def test_github_leaves_the_night_out_where_the_bench_is_not_fit() -> None:
    jobs = content(GITHUB)["jobs"]
    assert jobs["night"]["needs"] == "preflight"
    assert jobs["night"]["if"] == "needs.preflight.outputs.fit == 'yes'"
    assert f'{NOT_RUN}) echo "fit=no"' in shell_steps(GITHUB).before


def test_github_keeps_the_evidence_whatever_became_of_the_night_and_ends_after_the_rig() -> None:
    night = content(GITHUB)["jobs"]["night"]
    assert night["timeout-minutes"] * 60.0 >= at_most_s(GITHUB) + MARGIN_S
    assert [step.get("if") for step in night["steps"]] == [None, "always()", "always()"]
    upload = night["steps"][-1]["with"]
    assert (upload["path"], upload["if-no-files-found"]) == ("${{ env.NIGHT }}", "error")


def test_gitlab_runs_scheduled_pipelines_of_protected_branches_alone() -> None:
    job = content(GITLAB)[GITLAB_JOB]
    wanted, otherwise = job["rules"]
    assert set(wanted) == {"if"}
    assert wanted["if"] == '$CI_PIPELINE_SOURCE == "schedule" && $CI_COMMIT_REF_PROTECTED == "true"'
    assert otherwise == {"when": "never"}
    assert job["variables"]["GIT_STRATEGY"] == "none"
    assert (job["resource_group"], job["interruptible"], job["retry"]) == ("bench-2", False, 0)


def test_gitlab_has_time_left_for_what_is_done_always() -> None:
    job = content(GITLAB)[GITLAB_JOB]

    def s(text: str) -> float:
        return sum(int(n) * {"h": 3600.0, "m": 60.0}[unit] for n, unit in re.findall(r"(\d+) ?(h|m)", text))

    script, after = (s(job["variables"][f"RUNNER_{each}SCRIPT_TIMEOUT"]) for each in ("", "AFTER_"))
    assert at_most_s(GITLAB) + MARGIN_S <= script
    assert script + after <= s(job["timeout"])
    assert (job["artifacts"]["when"], job["artifacts"]["paths"]) == ("always", ["night/"])
    assert job["artifacts"]["reports"]["junit"] == "night/junit.xml"
    assert job["allow_failure"] == {"exit_codes": [NOT_RUN]}


def test_jenkins_locks_one_bench_within_its_own_time_and_builds_no_change_request() -> None:
    text = JENKINS.read_text(encoding="utf-8")
    assert re.search(r"when \{\s+allOf \{\s+branch 'main'\s+not \{ changeRequest\(\) \}", text)
    assert re.search(r"lock\(label: '[^']+', quantity: 1\)", text)  # without a quantity: all of the label
    assert text.index("lock(") < text.index("timeout(")  # what waits for a bench loses no time of its own
    (hours,) = re.findall(r"timeout\(time: (\d+), unit: 'HOURS'\)", text)
    assert float(hours) * 3600.0 >= at_most_s(JENKINS) + MARGIN_S
    assert re.search(rf"code == {NOT_RUN}\) \{{\s+currentBuild.result = 'NOT_BUILT'", text)
    always = text[text.index("always {") :]
    assert "junit testResults: 'night/junit.xml', allowEmptyResults: true" in always
    assert "archiveArtifacts artifacts: 'night/**'" in always
    assert text.count("{") == text.count("}")
