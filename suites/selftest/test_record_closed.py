"""A run that was closed is what it was: report, comparison and analysis refuse what was changed since, and name it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from reports.comparison import write_comparison
from reports.documents import write_documents
from reports.marks import marks_of
from rig.errors import EvidenceError
from rig.offline.recomputed import all_differences, recompute
from rig.record.analyses import BolusNumbers
from rig.record.files import read_json, write_json
from rig.record.folder import RunFolder, read_model
from rig.record.manifest import BenchCheck
from rig.record.reading import read_run
from rig.run.abandoned import REASON, close_abandoned
from rig.run.begin import end_run, open_run, refuse_unusable
from rig.run.reading import read_whole_run
from rig.verdicts.limits import Verdict
from suites.selftest.recorded import (
    BASAL,
    BOLUS,
    STOPPED,
    attempt_folder,
    change,
    computed,
    framed,
    keep,
    measured,
    reopened,
    results,
    rig,
    sealed,
)


def compared(run: Path) -> object:
    return write_comparison(run.parent / "comparison", [run], None)


READERS: tuple[Callable[[Path], object], ...] = (write_documents, compared, recompute)


def refused(run: Path) -> set[str]:
    """What the three readers say of a run, which is the same sentence."""
    said = set()
    for read in READERS:
        with pytest.raises(EvidenceError) as error:
            read(run)
        said.add(str(error.value))
    assert not (run.parent / "comparison").exists()
    return said


def files(run: Path) -> list[Path]:
    return sorted(path for path in (run / "record").rglob("*") if path.is_file())


def flipped(path: Path) -> None:
    """Change one bit of the octet in the middle of a file; its size stays."""
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def test_a_closing_lists_every_other_file(recorded: Path) -> None:
    closing = RunFolder(recorded).closing()
    assert closing is not None
    record = recorded / "record"
    assert set(closing.files) == {str(path.relative_to(record)) for path in files(recorded)} - {"closing.json"}
    assert all(file.size == (record / name).stat().st_size for name, file in closing.files.items())


def test_one_octet_of_any_file_that_was_changed_is_refused_and_named_by_every_reader(run: Path) -> None:
    for path in files(run):
        if path.stat().st_size == 0:
            continue
        kept = path.read_bytes()
        flipped(path)
        said = refused(run)
        assert len(said) == 1, said
        (sentence,) = said
        if path.name == "closing.json":
            assert sentence.startswith(str(path))
        else:
            assert sentence == f"{path}: was changed after the run was closed"
        path.write_bytes(kept)
    assert not all_differences(recompute(run))


def test_any_file_that_was_removed_is_refused_and_named_by_every_reader(run: Path) -> None:
    for path in files(run):
        if path.name in ("closing.json", "manifest.json"):  # without them it is an open run, and no run
            continue
        kept = path.read_bytes()
        path.unlink()
        assert refused(run) == {f"{path}: was removed after the run was closed"}
        path.write_bytes(kept)


def test_a_file_that_was_put_into_the_record_is_refused(run: Path) -> None:
    path = attempt_folder(run, BOLUS) / "wire.log.old"
    path.touch()
    assert refused(run) == {f"{path}: was added after the run was closed"}


def test_a_closed_record_can_only_be_read(recorded: Path) -> None:
    assert {path.stat().st_mode & 0o222 for path in files(recorded)} == {0}
    assert all(path.stat().st_mode & 0o400 for path in files(recorded))


def test_no_run_is_made_in_the_folder_of_another(recorded: Path) -> None:
    for out in (recorded / "in", recorded / "record" / "tests" / "in"):
        with pytest.raises(EvidenceError, match=f"lies in the folder of the run {recorded}; name a folder elsewhere"):
            refuse_unusable(out)


def test_nothing_is_added_to_a_closed_run(run: Path) -> None:
    before = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    closed = RunFolder(run)
    check = BenchCheck(equipment=(), dut=None, problems={})
    adding: list[Callable[[], object]] = [
        lambda: closed.checked(check),
        lambda: closed.collect("a::b", "another", [], []),
        lambda: closed.collect(STOPPED, "the same again", [], []),
        lambda: closed.attempt(STOPPED),
        lambda: closed.end(None, "complete"),
        lambda: end_run(closed, "complete"),
        lambda: open_run(run),
    ]
    for add in adding:
        with pytest.raises(EvidenceError) as error:
            add()
        sentence = f"{run}: the run was closed, and nothing is ever added to a closed record; begin a new run"
        assert str(error.value) == sentence
    assert {path: path.read_bytes() for path in run.rglob("*") if path.is_file()} == before


PYTEST = ["pytest", "{run}/record/inputs/suites", "-p", "fixtures.bench_plugin", "-p", "no:cacheprovider"]


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ([*PYTEST, "--run", "{run}"], 4),
        ([*PYTEST, "--run", "{run}", "--collect-only"], 4),
        (["robot.run", "-v", "RUN:{run}", "--output", "NONE", "{run}/record/inputs/suites/pump/occlusion.robot"], 1),
        (["fixtures.robot_runner", "--run", "{run}"], 252),
        (["rig", "verify", "--out", "{run}"], 3),
    ],
)
def test_a_runner_that_is_given_a_closed_run_is_refused_before_anything_is_opened(
    run: Path, words: list[str], code: int
) -> None:
    before = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    command = [sys.executable, "-B", "-m", *(word.format(run=run) for word in words)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    said = " ".join((done.stdout + done.stderr).split())
    assert done.returncode == code, said
    sentence = "holds a run already" if words[0] == "rig" else f"{run}: the run was closed, and nothing is ever added"
    assert sentence in said
    assert "Traceback" not in said
    assert {path: path.read_bytes() for path in run.rglob("*") if path.is_file()} == before


def test_a_folder_that_was_removed_is_refused(run: Path) -> None:
    shutil.rmtree(run / "record" / "tests")
    for sentence in refused(run):
        assert sentence.startswith(f"{run / 'record' / 'tests'}/")
        assert sentence.endswith(": was removed after the run was closed")


def test_the_commands_say_so_in_one_line_and_exit_with_3(run: Path) -> None:
    path = next(attempt_folder(run, BASAL).glob("*/balance.csv"))
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    path.write_text("".join([lines[0], lines[2], lines[1], *lines[3:]]), encoding="utf-8")
    for command in ("report", "analyse"):
        done = rig(command, str(run))
        assert (done.returncode, done.stderr) == (3, f"rig: {path}: was changed after the run was closed\n")


def test_a_run_that_was_never_closed_is_closed_as_interrupted_and_is_no_pass_any_more(run: Path) -> None:
    (run / "record" / "closing.json").unlink()
    with pytest.raises(EvidenceError, match=r"results\.json: contradicts .* verdict is 'PASS', they say 'ERROR'"):
        read_whole_run(run)
    assert close_abandoned(run)
    closed = read_whole_run(run)
    assert (closed.manifest.outcome, closed.manifest.reason) == ("interrupted", REASON)
    assert closed.results.verdict is Verdict.ERROR
    assert marks_of(closed)[-1].startswith("INTERRUPTED")
    assert set(write_documents(run)) == {"Report", "Annex", "Page"}
    assert not close_abandoned(run)


def test_a_run_that_was_killed_before_its_manifest_is_one_sentence(run: Path) -> None:
    for name in ("manifest.json", "closing.json"):
        (run / "record" / name).unlink()
    with pytest.raises(EvidenceError, match="the run ended before its manifest was written, so that nothing was meas"):
        close_abandoned(run)


def test_lines_that_were_cut_off_and_files_half_written_do_not_keep_a_run_from_being_closed(run: Path) -> None:
    (run / "record" / "closing.json").unlink()
    (run / "record" / "results.json").rename(run / "record" / "results.json.partial")
    events = next(run.glob("record/tests/*/1/events.jsonl"))
    events.write_bytes(events.read_bytes()[:-20])
    with (run / "record" / "collected.jsonl").open("ab") as file:
        file.write(b'{"test": "half')
    assert close_abandoned(run)
    outcomes = [test.outcome for test in read_whole_run(run).results.tests]
    assert outcomes.count("interrupted") == 1


def test_results_of_a_rig_that_wrote_no_outcome_into_them_are_joined_as_that_rig_did(run: Path) -> None:
    attempt = next(run.glob("record/tests/*/1"))
    shutil.rmtree(attempt)
    end_run(reopened(run), "interrupted")
    path = run / "record" / "results.json"
    old = read_json(path)
    assert old["verdict"] == "ERROR"
    undone = {row["id"]: row["verdict"] for row in old["requirements"] if row["in_scope"] and row["verdict"] != "PASS"}
    assert set(undone.values()) == {"UNSET"}
    older = json.loads(json.dumps(old).replace('"UNSET"', '"ERROR"'))
    for row, was in zip(older["requirements"], old["requirements"], strict=True):
        row["verdict"] = was["verdict"] if not was["in_scope"] else row["verdict"]
    del older["outcome"]
    for test in older["tests"]:
        del test["superseded"]
        if test["outcome"] == "not run":
            test["message"] = "the run ended before this test"
    path.write_text(json.dumps(older), encoding="utf-8")
    change(run / "record" / "closing.json", undone={})
    assert read_whole_run(run).results.outcome is None


@pytest.mark.parametrize("name", ["requirements.toml", "firmware.elf", "suites/pump/test_bolus.py"])
def test_the_inputs_of_an_open_run_are_held_against_its_manifest(run: Path, name: str) -> None:
    (run / "record" / "closing.json").unlink()
    flipped(run / "record" / "inputs" / name)
    with pytest.raises(EvidenceError, match=rf"{name}: the frozen input was changed"):
        read_run(run)


def test_an_open_run_without_its_declarations_is_refused(run: Path) -> None:
    for name in ("closing.json", "collected.jsonl"):
        (run / "record" / name).unlink()
    with pytest.raises(EvidenceError, match=r"collected\.jsonl: the file is missing"):
        read_run(run)


def test_results_that_are_not_those_of_the_tests_are_refused_although_the_list_was_written_anew(run: Path) -> None:
    path = run / "record" / "results.json"
    kept = read_json(path)
    row, judged = kept["requirements"][0], kept["requirements"][0]["measurements"][0]
    test = kept["tests"][0]

    def other(sentence: str) -> None:
        write_json(path, kept)
        sealed(run)
        assert refused(run) == {f"{path}: contradicts the parts of the record: {sentence}"}

    value, judged["value"] = judged["value"], 0.5
    other(f"requirements {row['id']} measurements {judged['quantity']['name']} value is 0.5, they say {value!r}")
    judged["value"] = value
    judged["limit"]["high"] = 7.0
    other(f"requirements {row['id']} measurements {judged['quantity']['name']} limit high is 7.0, they say 5.0")
    judged["limit"]["high"] = 5.0
    text, row["text"] = row["text"], "Anything."
    other(f"requirements {row['id']} text is 'Anything.', they say {text!r}")
    row["text"] = text
    duration_s, test["duration_s"] = test["duration_s"], 1.0
    other(f"tests {test['id']} duration_s is 1.0, they say {duration_s!r}")
    test["duration_s"] = duration_s
    reported, kept["reported"] = kept["reported"], []
    other(f"reported is a list of 0, they say a list of {len(reported)}")


def test_a_value_that_was_changed_in_both_of_its_places_is_found_by_computing_it_again(run: Path) -> None:
    (was,) = [
        each.value
        for row in results(run).requirements
        for each in row.measurements
        if each.quantity.kind == "stopped.delivered"
    ]
    measured(run, STOPPED, {"stopped.delivered": (0.01, 0.0012)})
    read_whole_run(run)
    (sentence,) = all_differences(recompute(run))
    assert f"delivered while stopped is {was!r} ± " in sentence
    assert "and the record says 0.01 ± 0.0012" in sentence
    assert rig("analyse", str(run)).returncode == 3


def test_every_computed_file_is_held_against_what_comes_out(run: Path) -> None:
    bolus = computed(run, BOLUS, "bolus")
    write_json(bolus, read_json(bolus) | {"sd_percent": 0.125, "tail_percent": 1.0})
    computed(run, BASAL, "uncertainty").unlink()
    keep(run, STOPPED, "another", read_model(bolus, BolusNumbers))
    titles = {test.id: test.title for test in results(run).tests}
    assert all_differences(recompute(run)) == [
        f"{titles[BASAL]}: computed/uncertainty.json is missing from the record",
        f"{titles[BOLUS]}: computed/bolus.json differs from the record in sd_percent, tail_percent",
        f"{titles[STOPPED]}: computed/another.json stands in the record alone",
    ]


def test_a_test_that_came_to_its_end_owes_its_measured_values(run: Path) -> None:
    computed(run, STOPPED, "measured").unlink()
    end_run(reopened(run), "complete")
    (title,) = [test.title for test in results(run).tests if test.id == STOPPED]
    assert all_differences(recompute(run)) == [f"{title}: the record holds no measured.json"]


def test_a_measurement_that_does_not_say_what_was_asked_for_is_a_sentence(run: Path) -> None:
    path = next(attempt_folder(run, BOLUS).glob("*/asked.json"))
    path.unlink()
    end_run(reopened(run), "complete")
    with pytest.raises(EvidenceError, match=r"asked\.json: the file is missing from the run folder"):
        recompute(run)


def test_a_run_without_a_measurement_cannot_be_computed_again(run: Path) -> None:
    shutil.rmtree(run / "record" / "tests")
    end_run(reopened(run), "interrupted")
    with pytest.raises(EvidenceError, match="holds no measurement, so that nothing can be computed again"):
        recompute(run)


def test_an_input_that_was_changed_during_the_run_ends_it_with_a_report_that_says_so(run: Path) -> None:
    path = run / "record" / "inputs" / "firmware.elf"
    flipped(path)
    found, outcome = end_run(reopened(run), "complete")
    read = read_whole_run(run)
    assert (outcome, read.manifest.outcome) == ("broken", "broken")
    assert read.manifest.reason == f"{path}: the frozen input was changed after the run began"
    assert found.requirements == read.results.requirements
    assert "Report" in write_documents(run)
    with pytest.raises(EvidenceError, match=r"firmware\.elf: the frozen input was changed after the run began"):
        recompute(run)


def test_requirements_that_were_changed_during_the_run_leave_nothing_to_judge_by(run: Path) -> None:
    path = run / "record" / "inputs" / "requirements.toml"
    (run / "record" / "results.json").unlink()
    flipped(path)
    sentence = f"{path}: the frozen input was changed after the run began"
    with pytest.raises(EvidenceError) as error:
        end_run(reopened(run), "complete")
    assert str(error.value) == f"{sentence}, so that nothing can be judged; begin a new run"
    with pytest.raises(EvidenceError) as error:
        write_documents(run)
    assert str(error.value) == f"{run}: the run has no results: {sentence}"


def test_a_run_with_changed_inputs_is_never_complete(run: Path) -> None:
    path = run / "record" / "inputs" / "firmware.elf"
    flipped(path)
    end_run(reopened(run), "complete")
    content = read_json(run / "record" / "closing.json")
    write_json(run / "record" / "closing.json", content | {"outcome": "complete"})
    sealed(run)
    with pytest.raises(EvidenceError, match="outcome is 'complete' although frozen inputs were changed"):
        read_run(run)


def test_the_manifest_of_a_closed_run_cannot_be_written_anew(run: Path) -> None:
    framed(run, operator="A")
    path = run / "record" / "manifest.json"
    write_json(path, read_json(path) | {"operator": "B"})
    assert refused(run) == {f"{path}: was changed after the run was closed"}
