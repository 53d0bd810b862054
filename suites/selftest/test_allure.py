"""Allure's result files say of each test and requirement what the record says, and are such as Allure's own types."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from allure_commons import model2
from typer.testing import CliRunner

from reports.allure.files import CATEGORIES
from reports.allure.history import earlier, read_allure_history, with_added
from reports.allure.page import refuse_without_node, sealed_off
from reports.allure.procedures import FIRST_LINES, ROWS
from reports.tested import attempts_by_test, verdict_in
from rig.cli.app import app
from rig.errors import BenchFileError, EvidenceError, RigError
from rig.record.seal import SEAL, head
from rig.verdicts.limits import Verdict
from suites.selftest.recorded import (
    BASAL,
    BOLUS,
    OCCLUSION,
    STOPPED,
    attempt_folder,
    blocked,
    computed,
    ended,
    ended_otherwise,
    framed,
    measured,
    reopened,
    results,
    rig,
    unmeasured,
)
from suites.selftest.shown import (
    Json,
    attachments,
    label,
    parameters,
    read_all,
    result_files,
    result_for,
    results_of_run,
)

RUN = "The run as a whole"
THEIRS = {"steps": "TestStepResult", "attachments": "Attachment", "parameters": "Parameter", "labels": "Label",
          "befores": "TestBeforeResult", "statusDetails": "StatusDetails"}  # fmt: skip


def by_status(found: list[Json]) -> dict[str, set[str]]:
    """Sort the requirements by the statuses of their results; the run itself is left out."""
    sorted_: dict[str, set[str]] = {}
    for each in found:
        if each["fullName"] != RUN:
            sorted_.setdefault(each["status"], set()).add(label(each, "requirement"))
    return sorted_


def as_theirs(content: Any, name: str) -> object:  # noqa: ANN401 - any JSON value
    """Make Allure's own object of JSON; TypeError where a key is none of its."""
    if isinstance(content, list):
        return [as_theirs(each, name) for each in content]
    values = {key: as_theirs(each, THEIRS[key]) if key in THEIRS else each for key, each in content.items()}
    return getattr(model2, name)(**values)


def test_both_runners_are_one_tree_by_requirement(recorded: Path, tmp_path: Path) -> None:
    found = results_of_run(tmp_path, recorded)
    tree = [(label(each, "feature"), label(each, "framework")) for each in found]
    due = [row for row in results(recorded).requirements if row.in_scope]
    assert tree == [
        *((f"{row.id} {row.text}", "Robot Framework" if OCCLUSION in row.tests else "pytest") for row in due),
        (RUN, ""),
    ]
    assert {each["status"] for each in found} == {"passed"}


def test_allures_own_types_take_every_file(recorded: Path, tmp_path: Path) -> None:
    folder = result_files(tmp_path, recorded)
    for kind, name in (("result", "TestResult"), ("container", "TestResultContainer")):
        for content in read_all(folder, kind):
            as_theirs(content, name)
    with pytest.raises(TypeError, match="colour"):
        as_theirs({"steps": [{"colour": "red"}]}, "TestResult")


def test_a_decided_value_is_a_step_with_all_digits_of_the_record(recorded: Path, tmp_path: Path) -> None:
    (value,) = next(row for row in results(recorded).requirements if row.id == "PR-D1.1").measurements
    result = result_for(results_of_run(tmp_path, recorded), "PR-D1.1")
    (step,) = result["steps"]
    assert re.fullmatch(rf"{value.name}: −?[\d.]+ ± [\d.]+ %, limit ±5\s%: PASS", step["name"])
    told = parameters(step)
    assert (float(told["value"]), float(told["U"])) == (value.value, value.expanded_uncertainty)
    assert (told["unit"], told["limit"], told["rule"]) == ("%", "±5 %", "guard band")
    assert f"<td>{value.name}</td>" in result["descriptionHtml"]
    assert head(recorded) in result["descriptionHtml"]


def test_it_stands_at_each_result_that_it_is_simulated_and_with_what_it_was_made(
    recorded: Path, tmp_path: Path
) -> None:
    folder = result_files(tmp_path, recorded)
    for each in read_all(folder, "result"):
        assert each["descriptionHtml"].startswith("<p><strong>SIMULATED — no evidence about any device</strong></p>")
        assert {one["value"] for one in each["labels"] if one["name"] == "tag"} == {"SIMULATED", "NOT FORMAL"}
        assert label(each, "instrument balance") == "Mettler-Toledo XPR26, B831204417, firmware 2.00"
        assert (label(each, "firmware"), label(each, "bench")) == ("0.2.0", "Virtual bench")
    environment = (folder / "environment.properties").read_text(encoding="ascii")
    assert f"Head\\ of\\ the\\ record = {head(recorded)}\n" in environment
    assert environment.startswith("Evidence = SIMULATED\\ \\u2014\\ no\\ evidence\\ about\\ any\\ device")


def test_what_fails_is_a_failure_of_its_requirement_alone(run: Path, tmp_path: Path) -> None:
    measured(run, BASAL, {"basal.mean_error": (12.0, 1.0)})
    found = results_of_run(tmp_path, run)
    assert by_status(found)["failed"] == {"PR-D1.1"}
    assert by_status(found).keys() == {"failed", "passed"}
    assert re.match(
        r"PR-D1\.1 FAIL: .* 12\.0 ± 1\.0 %, limit ±5\s%$", result_for(found, "PR-D1.1")["statusDetails"]["message"]
    )
    assert found[-1]["status"] == "failed"


def test_what_cannot_be_decided_and_trouble_of_the_rig_are_broken_and_kept_apart(run: Path, tmp_path: Path) -> None:
    measured(run, BASAL, {"basal.mean_error": (4.9, 1.0)})
    unmeasured(run, BOLUS, "error", "the balance \x00 is <silent> & gone")
    found = results_of_run(tmp_path, run)
    assert by_status(found)["broken"] == {"PR-D1.1", "PR-D3.2"}
    message = result_for(found, "PR-D3.2")["statusDetails"]["message"]
    assert message == "PR-D3.2 ERROR: the balance \x00 is <silent> & gone"
    assert "&lt;silent&gt; &amp;" in result_for(found, "PR-D3.2")["descriptionHtml"]
    categories = [category_of(result_for(found, each)) for each in ("PR-D1.1", "PR-D3.2")]
    assert categories == ["Inconclusive: too near to the limit", "Trouble of the rig, or not all was measured"]


def category_of(result: Json) -> str:
    """Choose the category as Allure does: the first that matches."""
    return next(
        str(each["name"])
        for each in CATEGORIES
        if result["status"] in each["matchedStatuses"]
        and re.fullmatch(each.get("messageRegex", r"[\s\S]*"), result["statusDetails"]["message"])
    )


def test_what_does_not_apply_is_skipped(run: Path, tmp_path: Path) -> None:
    unmeasured(run, OCCLUSION, "not applicable", "the pump has no such alarm")
    found = results_of_run(tmp_path, run)
    assert by_status(found)["skipped"] == {"PR-F1.1", "PR-F1.2"}
    assert "no such alarm" in result_for(found, "PR-F1.1")["statusDetails"]["message"]
    assert category_of(result_for(found, "PR-F1.1")) == "Does not apply"


def test_what_was_not_run_is_skipped_with_why_and_the_run_is_broken(run: Path, tmp_path: Path) -> None:
    shutil.rmtree(attempt_folder(run, STOPPED).parent)
    ended(run, "interrupted")
    found = results_of_run(tmp_path, run)
    assert by_status(found)["skipped"] == {"PR-D7.1"}
    assert result_for(found, "PR-D7.1")["statusDetails"]["message"].startswith("PR-D7.1 UNSET: ")
    assert category_of(result_for(found, "PR-D7.1")) == "Not run"
    assert (found[-1]["fullName"], found[-1]["status"]) == (RUN, "broken")
    assert {one["value"] for one in found[0]["labels"] if one["name"] == "tag"} >= {"INTERRUPTED"}


def test_a_blocked_run_has_passed_nothing(run: Path, tmp_path: Path) -> None:
    blocked(run, {"balance": "the balance does not answer"})
    found = results_of_run(tmp_path, run)
    assert {each["status"] for each in found[:-1]} == {"skipped"}
    assert found[-1]["status"] == "broken"
    assert "balance: the balance does not answer" in found[-1]["statusDetails"]["message"]


def test_a_test_that_passed_is_no_worse_for_another_that_was_not_run(recorded: Path) -> None:
    whole = results(recorded)
    row = next(each for each in whole.requirements if each.id == "PR-D1.1")
    shared = row.model_copy(update={"verdict": Verdict.UNSET, "tests": (BASAL, STOPPED)})
    unrun = tuple(
        each.model_copy(update={"outcome": "not run", "requirements": ("PR-D1.1",)}) if each.id == STOPPED else each
        for each in whole.tests
    )
    partial = whole.model_copy(update={"tests": unrun})
    attempts = attempts_by_test(partial)
    assert verdict_in(partial, shared, attempts[BASAL]) is Verdict.PASS
    assert verdict_in(partial, shared, attempts[STOPPED]) is Verdict.UNSET
    assert verdict_in(whole, shared, attempts[BASAL]) is Verdict.UNSET


def attempted_again(run: Path) -> None:
    """Have the basal test fail, and pass when it was done again; both attempts count."""
    first = attempt_folder(run, BASAL)
    again = Path(shutil.copytree(first, first.with_name("2")))
    (again / SEAL).unlink()
    path = computed(run, BASAL, "measured")
    content = json.loads(path.read_text(encoding="utf-8"))
    for each in content["measured"]:
        if each["quantity"]["kind"] == "basal.mean_error":
            each["value"] = 12.0
    path.write_text(json.dumps(content), encoding="utf-8")
    ended(run, "complete")


def test_attempts_are_retries_and_the_last_one_has_the_verdict_of_all(run: Path, tmp_path: Path) -> None:
    reopened(run)
    attempted_again(run)
    found = [each for each in results_of_run(tmp_path, run) if label(each, "requirement") == "PR-D1.1"]
    assert len({each["historyId"] for each in found}) == 1
    assert [parameters(each)["attempt"] for each in found] == ["1 of 2", "2 of 2"]
    assert [each["status"] for each in found] == ["failed", "failed"]
    assert "attempt 1: " in found[1]["statusDetails"]["message"]
    assert [each["status"] for each in found[1]["steps"]] == ["failed", "passed"]


def test_an_attempt_that_gave_way_is_no_pass(run: Path, tmp_path: Path) -> None:
    first = attempt_folder(run, STOPPED)
    reopened(run)
    again = Path(shutil.copytree(first, first.with_name("2")))
    (again / SEAL).unlink()
    computed(run, STOPPED, "measured").unlink()
    ended_otherwise(run, STOPPED, "interrupted", "power cut")
    found = [each for each in results_of_run(tmp_path, run) if label(each, "requirement") == "PR-D7.1"]
    assert [each["status"] for each in found] == ["broken", "passed"]
    assert "it gives way to a later attempt" in found[0]["statusDetails"]["message"]


def test_the_history_of_a_case_goes_on_in_another_run_and_is_its_own(recorded: Path, run: Path, tmp_path: Path) -> None:
    measured(run, BASAL, {"basal.mean_error": (12.0, 1.0)})
    framed(run, run_id="another")
    first, then = results_of_run(tmp_path / "1", recorded), results_of_run(tmp_path / "2", run)
    assert [each["historyId"] for each in first] == [each["historyId"] for each in then]
    assert len({each["historyId"] for each in first}) == len(first)
    assert not {each["uuid"] for each in first} & {each["uuid"] for each in then}


def test_like_runs_are_told_apart_by_their_order(recorded: Path, run: Path, tmp_path: Path) -> None:
    measured(run, BASAL, {"basal.mean_error": (12.0, 1.0)})
    found = results_of_run(tmp_path, recorded, run)
    assert len({each["historyId"] for each in found}) == len(found)
    assert {parameters(each)["run"] for each in found} == {"1 of 2", "2 of 2"}
    assert {each["name"].rpartition(" (")[2] for each in found} == {"run 1 of 2)", "run 2 of 2)"}


def test_each_attachment_is_there_and_used_once_and_large_ones_are_shortened(recorded: Path, tmp_path: Path) -> None:
    folder = result_files(tmp_path, recorded)
    procedures = [each for one in read_all(folder, "container") for each in one["befores"]]
    used = attachments([*read_all(folder, "result"), *procedures])
    assert sorted(each["source"] for each in used) == sorted(path.name for path in folder.glob("*-attachment.*"))
    lines = {
        each["name"]: len((folder / each["source"]).read_text(encoding="utf-8").splitlines())
        for each in used
        if each["type"] == "text/csv" or "wire.log" in each["name"]
    }
    assert any(name.startswith("balance.csv, 1 of each ") for name in lines)
    assert max(lines.values()) <= ROWS + 1
    assert {count for name, count in lines.items() if name.startswith("wire.log")} == {2 * FIRST_LINES + 1}


def test_each_file_of_the_record_is_named_with_its_sum(recorded: Path, tmp_path: Path) -> None:
    folder = result_files(tmp_path, recorded)
    (listed,) = [
        each for each in attachments(read_all(folder, "result")) if each["name"].startswith("Files of the record")
    ]
    for line in (folder / listed["source"]).read_text(encoding="utf-8").splitlines():
        summed, path, _ = line.split("  ")
        assert hashlib.sha256((recorded / path).read_bytes()).hexdigest() == summed


def test_procedures_have_their_steps_on_the_benchs_clock(recorded: Path, tmp_path: Path) -> None:
    found = read_all(result_files(tmp_path, recorded), "container")
    (stopped,) = [each for each in found if each["name"] == STOPPED]
    procedure = stopped["befores"][0]
    assert (procedure["name"], parameters(procedure)["duration_s"]) == ("Procedure: stopped", "1800.0")
    names = [each["name"].partition(" (at ")[0] for each in procedure["steps"]]
    assert names == ["prepare", "opening blank run", "therapy runs", "pump told to stop", "closing blank run"]
    told = parameters(procedure["steps"][1])
    assert float(told["evaporation_mg_per_h"]) > 0.0


def test_two_folders_of_a_record_are_equal(recorded: Path, tmp_path: Path) -> None:
    first, then = (result_files(tmp_path / name, recorded) for name in "ab")
    read = [{path.name: path.read_bytes() for path in folder.iterdir()} for folder in (first, then)]
    assert read[0] == read[1]


def test_a_run_of_format_1_is_shown_too(old_run: Path, tmp_path: Path) -> None:
    found = results_of_run(tmp_path, old_run)
    assert found[-1]["fullName"] == RUN
    assert len(found) > 1


def test_the_command_writes_them(recorded: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    done = rig("allure", str(recorded), "--out", str(out))
    assert (done.returncode, done.stderr) == (0, "")
    assert (
        f"Results: {out / 'allure-results'} ({len(read_all(out / 'allure-results', 'result'))} of 1 run)" in done.stdout
    )
    assert "SIMULATED" in done.stdout


def refusal(*arguments: object) -> tuple[int, str]:
    """Call the command with what it refuses; returns its exit code and its words without spaces, as they are folded."""
    done = CliRunner().invoke(app, ["allure", *map(str, arguments)])
    codes = {BenchFileError: 2, EvidenceError: 3}
    code = next((code for kind, code in codes.items() if isinstance(done.exception, kind)), done.exit_code)
    return code, "".join(re.findall(r"[^\s│]", f"{done.output} {done.exception}"))


def test_what_it_cannot_use_is_refused_and_nothing_is_left(recorded: Path, run: Path, tmp_path: Path) -> None:
    strange = tmp_path / "history.jsonl"
    strange.write_text('{"uuid": "a"}\n')
    new, inside = tmp_path / "new", recorded / "allure"
    altered = run / "record" / "results.json"
    altered.write_bytes(altered.read_bytes().replace(b"PASS", b"FAIL", 1))
    for arguments, code, words in (
        ((recorded, "--out", tmp_path), 2, "is there already"),
        ((recorded, "--out", inside), 2, "lies in a run"),
        ((recorded, "--out", new, "--history", strange), 2, "give --page"),
        ((recorded, "--out", new, "--page", "--history", strange), 2, "line 1: has no 'name'"),
        ((recorded, "--out", new, "--page", "--history", inside), 2, "lies in a run"),
        ((recorded, recorded, "--out", new), 3, "is the same run as"),
        ((tmp_path, "--out", new), 3, "so this is no run folder"),
        ((run, "--out", new), 3, "results.json"),
    ):
        assert refusal(*arguments)[0] == code
        assert words.replace(" ", "") in refusal(*arguments)[1]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["history.jsonl", "run"]


def test_without_node_the_page_is_refused_in_a_sentence(
    recorded: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    done = rig("allure", str(recorded), "--out", str(tmp_path / "out"), "--page")
    assert done.returncode == 3
    assert "node and npm is not to be found" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_an_old_node_is_refused_in_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("node", "npm"):
        (tmp_path / name).write_text("#!/bin/sh\necho v16.20.2\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(RigError, match=r"needs Node\.js 18 or later, and .*node is v16\.20\.2"):
        refuse_without_node()


def test_counting_of_visitors_is_taken_out_or_the_page_is_refused() -> None:
    counting = (
        '<script async src="https://www.googletagmanager.com/gtag/js?id=G"></script>\n<script>\n'
        "  function gtag(){dataLayer.push(arguments);}\n  gtag('js', new Date());\n</script>"
    )
    page = sealed_off(f"<html><head></head><body><script>kept()</script>{counting}</body></html>")
    assert "<script>kept()</script>" in page
    assert "gtag" not in page
    assert "default-src 'none'" in page
    with pytest.raises(RigError, match="google-analytics"):
        sealed_off("<html><head></head><script src='//www.google-analytics.com/a.js'></script></html>")


def test_a_history_has_what_was_dated_before_and_each_page_once(tmp_path: Path) -> None:
    points = [{"uuid": n, "name": n, "timestamp": at, "testResults": {}} for n, at in (("a", 1), ("c", 3))]
    assert earlier(points, "b", 2) == points[:1]
    assert earlier(points, "c", 3) == points[:1]
    again = points[1] | {"uuid": "again"}
    assert with_added(points, again) == [points[0], again]
    assert read_allure_history(tmp_path / "none.jsonl") == []
    (tmp_path / "other").write_bytes(b"\xff\x00")
    with pytest.raises(BenchFileError, match="cannot be read as text"):
        read_allure_history(tmp_path / "other")
