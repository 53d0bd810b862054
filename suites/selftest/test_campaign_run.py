"""A whole campaign: broken off, gone on with by two workers of which one is killed, and still the same to the byte."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from typer.testing import CliRunner

from rig.campaigns.batch import line_of, performed, task_of
from rig.campaigns.campaign import CampaignQuestion, asked_of, begin_campaign, injections_of, replayed
from rig.campaigns.folder import append_lines, read_campaign, read_consequences
from rig.campaigns.inputs import CampaignInputs, read_campaign_inputs
from rig.campaigns.schedule import Crew
from rig.cli.app import app
from rig.errors import BenchFileError, EvidenceError, RigError
from rig.shipped import DEFAULT_BENCH, ROOT, shipped

RIG = [sys.executable, "-m", "rig", "campaign"]
N, WINDOW_S = 7, 8.0


@pytest.fixture(scope="module")
def inputs() -> CampaignInputs:
    return read_campaign_inputs(shipped(DEFAULT_BENCH), {})


@pytest.fixture(scope="module")
def asked(inputs: CampaignInputs) -> CampaignQuestion:
    return asked_of(inputs, "waste,dip", "bolus", N, 8, WINDOW_S)


@pytest.fixture(scope="module")
def expected(inputs: CampaignInputs, asked: CampaignQuestion) -> list[str]:
    """Every consequence by its number, from this process, without Dask and in batches of one state each."""
    consequences = [
        consequence
        for state in asked.states
        for consequence in performed(
            task_of(inputs, state, [each for each in injections_of(asked, inputs) if each.state == state], WINDOW_S)
        )
    ]
    return [
        line_of(consequence)
        for consequence in sorted(consequences, key=lambda consequence: consequence.injection.number)
    ]


def children(process: psutil.Process, what: str) -> list[psutil.Process]:
    """The processes below one in whose command line this stands."""
    found = []
    for child in process.children(recursive=True):
        try:
            if what in " ".join(child.cmdline()):
                found.append(child)
        except psutil.Error:  # it has ended meanwhile
            continue
    return found


@pytest.fixture(scope="module")
def finished(
    tmp_path_factory: pytest.TempPathFactory, inputs: CampaignInputs, asked: CampaignQuestion, expected: list[str]
) -> tuple[Path, int, str]:
    """A campaign that was broken off within a line, and resumed; a worker dies as soon as one has done a batch.

    Returns:
        Its folder, exit code and what it printed.
    """
    folder = tmp_path_factory.mktemp("campaign") / "folder"
    begin_campaign(folder, asked, inputs)
    append_lines(folder / "injections.jsonl", expected[:2])
    with (folder / "injections.jsonl").open("a", encoding="utf-8") as file:
        file.write(expected[2][:40])
    command = [*RIG, "--resume", str(folder), "--workers", "2", "--batch", "3", "--shrink", "1"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as running:
        assert running.stdout is not None
        first = running.stdout.readline()
        workers = children(psutil.Process(running.pid), "multiprocessing.spawn")
        assert len(workers) == 2
        max(workers, key=lambda worker: len(children(worker, "rig.campaigns.batch"))).kill()
        told = first + running.stdout.read()
    return folder, running.returncode, told


def test_a_killed_worker_loses_nothing_and_nothing_is_done_twice(
    finished: tuple[Path, int, str], expected: list[str]
) -> None:
    folder, code, told = finished
    assert (folder / "injections.jsonl").read_text(encoding="utf-8").splitlines() == expected
    assert code == (1 if "**unsafe**" in told else 0)
    assert f"{N} of {N} injections" in told
    assert json.loads((folder / "sessions.jsonl").read_text())["injections"] == N - 2


def test_every_finding_is_replayed_byte_for_byte(finished: tuple[Path, int, str]) -> None:
    findings = sorted((finished[0] / "findings").glob("*.json"))
    assert findings
    kept = replayed(findings[0])
    assert [before for _, before, _ in kept] == [now for _, _, now in kept]
    assert len(kept) == 2, "a finding and its smallest form"
    assert kept[1][0].sort is kept[0][0].sort
    assert kept[1][0].injection.at_ns <= kept[0][0].injection.at_ns


def test_a_pump_that_delivers_beside_the_person_is_found_and_not_held_against_it(
    finished: tuple[Path, int, str],
) -> None:
    consequences = read_consequences(finished[0]).values()
    waste = {consequence.sort.value for consequence in consequences if consequence.injection.kind == "waste"}
    assert "silent under-delivery" in waste
    assert "silent under-delivery **unsafe** | waste" not in finished[2]


def test_a_folder_goes_on_only_with_the_same_question_and_inputs(
    finished: tuple[Path, int, str], inputs: CampaignInputs, asked: CampaignQuestion, tmp_path: Path
) -> None:
    begin_campaign(finished[0], asked, inputs)
    with pytest.raises(BenchFileError, match="holds a campaign with other asked"):
        begin_campaign(finished[0], CampaignQuestion(asked.kinds, asked.states, N, 4, WINDOW_S), inputs)
    copy = tmp_path / "copy"
    shutil.copytree(finished[0], copy)
    (copy / "inputs" / "faults.toml").write_text("", encoding="utf-8")
    with pytest.raises(EvidenceError, match=r"faults\.toml: was changed after the campaign began"):
        replayed(copy / "findings" / "0001.json")


def test_the_inputs_are_frozen_with_their_hashes(finished: tuple[Path, int, str]) -> None:
    content = read_campaign(finished[0])
    assert sorted(content.inputs) == ["bench.json", "faults.toml", "firmware.elf", "pump_sheet.toml"]
    assert content.asked.seed == 8
    assert content.asked.window_s == WINDOW_S
    assert (finished[0] / "summary.md").read_text(encoding="utf-8").count("8 s") >= 2


def test_the_longest_alarm_limit_of_the_sheet_is_the_window_that_nobody_names(inputs: CampaignInputs) -> None:
    assert asked_of(inputs, "ram", "all", 1, 1, None).window_s == 200.0


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--faults", "F34"], "F34"),
        (["--states", "asleep"], "there is no state 'asleep'; allowed are all, idle, basal"),
        (["--window", "10 ms"], "--window: 10 ms is not between 0.25 s and 1 d"),
        (["--window", "5"], "--window: '5' has no unit: write one of s, ms, min, h, d; allowed are 0.25 s to 1 d"),
        (["--window", "inf s"], "--window: 'inf s' is not a number with a unit"),
        (["--resume", "nowhere"], "nowhere: is no folder of a campaign"),
    ],
)
def test_wrong_usage_is_one_sentence(arguments: list[str], told: str) -> None:
    result = CliRunner().invoke(app, ["campaign", *arguments])
    assert isinstance(result.exception, BenchFileError)
    assert told in str(result.exception)


def test_without_dask_it_is_said_what_to_install(
    inputs: CampaignInputs, asked: CampaignQuestion, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    task = task_of(inputs, "bolus", injections_of(asked, inputs), WINDOW_S)
    with Crew(1, None) as crew, pytest.raises(RigError, match=r"pip install 'insulin-pump-rig\[campaign\]'"):
        crew.perform([task], lambda *_: None)
