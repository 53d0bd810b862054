"""A campaign's folder that somebody has changed or damaged: one sentence, and never a summary of what it did not do."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from logging import CRITICAL
from pathlib import Path

import pytest
from distributed import LocalCluster
from typer.testing import CliRunner

from rig.campaigns import schedule
from rig.campaigns.batch import line_of, task_of
from rig.campaigns.campaign import CampaignQuestion, Workforce, begin_campaign, go_on, injections_of, replayed
from rig.campaigns.consequence import Class, Consequence, Observed
from rig.campaigns.folder import CampaignSession, append_lines, write_finding
from rig.campaigns.inputs import CampaignInputs, read_campaign_inputs
from rig.campaigns.summary import campaign_summary
from rig.cli.app import app
from rig.errors import EvidenceError, RigError
from rig.shipped import DEFAULT_BENCH, shipped

ASKED = CampaignQuestion(("ram", "dip"), ("idle", "bolus"), 3, 8, 2.0)
LATENT = Observed(window_s=2.0)


@pytest.fixture(scope="module")
def inputs() -> CampaignInputs:
    return read_campaign_inputs(shipped(DEFAULT_BENCH), {})


@pytest.fixture
def folder(tmp_path: Path, inputs: CampaignInputs) -> Path:
    """A campaign of three injections, of which nothing is missing and nothing is a finding."""
    begin_campaign(tmp_path / "c", ASKED, inputs)
    found = [Consequence(injection=each, observed=LATENT, sort=Class.LATENT) for each in injections_of(ASKED, inputs)]
    append_lines(tmp_path / "c" / "injections.jsonl", map(line_of, found))
    write_finding(tmp_path / "c", 1, found[0], None)
    return tmp_path / "c"


def in_file(name: str, before: str, after: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        text = (folder / name).read_text(encoding="utf-8")
        assert before in text
        (folder / name).write_text(text.replace(before, after, 1), encoding="utf-8")

    return change


def added(name: str, line: str) -> Callable[[Path], None]:
    return lambda folder: append_lines(folder / name, [line])


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (lambda folder: (folder / "campaign.json").write_text("{}"), "campaign.json: format is missing"),
        (in_file("campaign.json", '"n": 3', '"n": "3"'), "campaign.json: asked.n is '3': "),
        (in_file("campaign.json", '"ram"', '"rom"'), "campaign.json: asked.kinds: 'rom' cannot be injected"),
        (in_file("campaign.json", '"idle"', '"idel"'), "campaign.json: asked.states: 'idel' is no state of therapy"),
        (in_file("campaign.json", '"seed": 8', '"seed": 9'), "is none that this campaign draws; begin a new campaign"),
        (in_file("campaign.json", '"n": 3', '"n": 2'), "injection 3 is none that this campaign draws"),
        (in_file("campaign.json", '"firmware.elf"', '"firm.elf"'), "its hashes are not of bench.json, firmware.elf, "),
        (lambda folder: (folder / "inputs" / "faults.toml").unlink(), "it was frozen when the campaign began"),
        (added("injections.jsonl", "[1]"), "injections.jsonl: line 4 is damaged ("),
        (in_file("injections.jsonl", '"latent"', '"hang"'), "injection 1 is called 'hang', which does not follow from"),
        (in_file("injections.jsonl", '"kind": ', '"knid": '), "injections.jsonl: line 1 is damaged (kind: Field req"),
        (added("sessions.jsonl", "{}"), "sessions.jsonl: injections is missing (and 2 more mistakes)"),
    ],
)
def test_what_was_changed_in_a_folder_is_told_in_a_sentence(
    folder: Path, damage: Callable[[Path], None], told: str
) -> None:
    damage(folder)
    with pytest.raises(EvidenceError, match=re.escape(told)):
        go_on(folder, Workforce(), lambda _done, _of: None)
    assert not (folder / "summary.md").exists()


def test_a_line_that_came_twice_is_one_and_another_of_its_number_is_refused(folder: Path) -> None:
    first = (folder / "injections.jsonl").read_text(encoding="utf-8").splitlines()[0]
    append_lines(folder / "injections.jsonl", [first])
    assert len(go_on(folder, Workforce(), lambda _done, _of: None)) == 3
    append_lines(folder / "injections.jsonl", [first.replace('"window_s": 2.0', '"window_s": 3.0')])
    with pytest.raises(EvidenceError, match="line 4 tells otherwise of injection 1 than one before"):
        go_on(folder, Workforce(), lambda _done, _of: None)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ({}, "is no finding of a campaign ('injection' is missing)"),
        ({"injection": 3, "observed": {}, "class": "latent"}, "is no finding of a campaign (its content: "),
        ({"injection": {"number": 1, "kind": "rom", "state": "idle", "at_ns": 0}}, "a fault 'rom' in state 'idle'"),
        ({"injection": {"number": 1, "kind": "ram", "state": "moon", "at_ns": 0}}, "a fault 'ram' in state 'moon'"),
    ],
)
def test_a_finding_that_is_none_is_not_replayed(folder: Path, content: dict[str, object], told: str) -> None:
    path = folder / "findings" / "0001.json"
    kept = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({**kept, **content} if content else {}), encoding="utf-8")
    with pytest.raises(RigError, match=re.escape(told)):
        replayed(path)


def test_what_was_unsafe_has_a_bound_though_nothing_of_it_was_found(inputs: CampaignInputs) -> None:
    drawn = injections_of(ASKED, inputs)
    seen = [Observed(window_s=2.0, failed="no such register"), LATENT, LATENT]
    sorts = [Class.NOT_OBSERVED, Class.LATENT, Class.LATENT]
    found = {
        each.number: Consequence(injection=each, observed=of, sort=sort)
        for each, of, sort in zip(drawn, seen, sorts, strict=True)
    }
    text = campaign_summary(ASKED.plain(), found, inputs, [CampaignSession(injections=3, took_s=6.0, workers=1)])
    head, all_kinds = (
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in text.splitlines()
        if line.startswith(("| fault | n |", "| **all** |"))
    )
    cells = dict(zip(head, all_kinds, strict=True))
    assert cells["n"] == "3"
    assert cells["not observed"] == "1"
    assert {cells[each] for each in ("silent under-delivery", "silent over-delivery", "alarm lost", "hang")} == {
        "0 (0–84 %)"  # of the two that were observed: 1 - 0.025 ** (1 / 2)
    }
    assert cells["latent"] == "2 (16–100 %)"
    assert "of those that were observed: 1 were not, and say nothing about the pump" in text


@pytest.mark.parametrize(
    ("arguments", "left_out"),
    [(["--resume", "c", "--seed", "3"], "--seed"), (["--replay", "c/findings/0001.json", "--set", "a.b=1"], "--set")],
)
def test_an_option_that_would_be_passed_over_is_refused(arguments: list[str], left_out: str) -> None:
    done = CliRunner().invoke(app, ["campaign", *arguments])
    assert isinstance(done.exception, RigError)
    assert str(done.exception) == f"{arguments[0]} takes everything from the folder; leave {left_out} out"


def test_a_scheduler_without_a_worker_is_not_waited_for_for_ever(
    inputs: CampaignInputs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schedule, "WORKER_WITHIN_S", 0.1)
    task = task_of(inputs, "idle", injections_of(ASKED, inputs)[:1], 2.0)
    with LocalCluster(n_workers=0, dashboard_address=schedule.ANY_PORT, silence_logs=CRITICAL) as cluster:
        address = cluster.scheduler_address
        said = f"--scheduler: {address} has no worker; start one with: dask worker {address}"
        with pytest.raises(RigError, match=re.escape(said)), schedule.Crew(1, address) as crew:
            crew.perform([task], lambda _task, _lines: None)
