"""A record that contradicts itself is refused by every reader, whatever was changed, however well it was closed."""

from __future__ import annotations

import copy
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from reports.comparison import write_comparison
from reports.documents import write_documents
from rig.errors import EvidenceError
from rig.offline.recomputed import recompute
from rig.record.files import read_json, write_json
from rig.run.begin import end_run
from rig.run.reading import read_whole_run
from suites.selftest.recorded import STOPPED, attempt_folder, ended, reopened, rig, sealed, writable

FREE_TEXT = {"reason"}
"""Explanations that follow from nothing; another version of the rig may say them in other words."""


def places(content: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:  # noqa: ANN401 - any JSON value
    """Every place of a JSON value that holds no further ones, and every list, which may lose an entry."""
    if isinstance(content, dict):
        for key, value in content.items():
            yield from places(value, (*at, key))
    elif isinstance(content, list):
        if content:
            yield at
        for number, value in enumerate(content):
            yield from places(value, (*at, number))
    else:
        yield at


def otherwise(value: Any) -> list[Any]:  # noqa: ANN401 - any JSON value
    """Other values that could stand there."""
    if isinstance(value, list):
        return [value[1:], [*value, value[0]]]
    if isinstance(value, bool):
        return [not value]
    if isinstance(value, int | float):
        return [value + 1, 500.0, -value - 0.5]
    if value is None:
        return ["a word", 1.0]
    known = {"PASS": "FAIL", "UNSET": "PASS", "passed": "failed", "guard band": "simple acceptance"}
    return [known.get(value, f"{value}x"), ""]


def altered(content: Any, at: tuple[Any, ...], value: Any) -> Any:  # noqa: ANN401 - any JSON value
    found = copy.deepcopy(content)
    here = found
    for key in at[:-1]:
        here = here[key]
    here[at[-1]] = value
    return found


def test_every_field_of_the_results_is_held_against_the_rest_of_the_record(run: Path) -> None:
    path = run / "record" / "results.json"
    kept = read_json(path)
    refused = 0
    patterns = {tuple("" if isinstance(key, int) else key for key in at): at for at in places(kept)}
    assert len(patterns) > 40
    for at in patterns.values():  # of each kind of place the last one
        here = kept
        for key in at:
            here = here[key]
        for value in otherwise(here):
            if value == here:
                continue
            write_json(path, altered(kept, at, value))
            sealed(run)
            if at[-1] in FREE_TEXT and (value is None or isinstance(value, str)):
                assert read_whole_run(run).results
                continue
            with pytest.raises(EvidenceError, match=r"results\.json"):
                read_whole_run(run)
            refused += 1
    assert refused > 70


READERS: tuple[Callable[[Path], object], ...] = (
    write_documents,
    recompute,
    lambda run: write_comparison(run.parent / "comparison", [run], None),
)


@pytest.mark.parametrize("read", READERS, ids=["report", "analyse", "compare"])
def test_a_value_that_fails_in_a_row_that_passes_is_refused_by_every_reader(
    run: Path, read: Callable[[Path], object]
) -> None:
    path = run / "record" / "results.json"
    content = read_json(path)
    row = content["requirements"][0]
    row["measurements"][0] |= {"value": 500.0, "verdict": "FAIL"}
    write_json(path, content)
    sealed(run)
    sentence = f"{row['id']} is called PASS, its values and tests say FAIL"
    with pytest.raises(EvidenceError, match=sentence):
        read(run)


@pytest.mark.parametrize("read", [write_documents, READERS[2]], ids=["report", "compare"])
def test_a_row_of_format_1_is_held_against_its_values(old_run: Path, read: Callable[[Path], object]) -> None:
    path = old_run / "results.json"
    content = read_json(path)
    row = next(each for each in content["requirements"] if each["measurements"])
    row["measurements"][0] |= {"value": 500.0, "verdict": "FAIL"}
    write_json(path, content)
    with pytest.raises(EvidenceError, match=f"{row['id']} is called PASS, its values and tests say FAIL"):
        read(old_run)


def test_every_value_of_format_1_is_held_against_what_its_test_wrote(old_run: Path) -> None:
    path = old_run / "results.json"
    kept = read_json(path)
    judged = [("requirements", n, "measurements", m) for n, row in enumerate(kept["requirements"])
              for m in range(len(row["measurements"]))]  # fmt: skip
    for at in [*judged, *(("reported", n) for n in range(len(kept["reported"])))]:
        for key, value in {"value": 0.0123, "expanded_uncertainty": 0.0456, "name": "another", "unit": "kg"}.items():
            write_json(path, altered(kept, (*at, key), value))
            with pytest.raises(EvidenceError):
                read_whole_run(old_run)
    for number in range(len(kept["tests"])):
        for key, value in {"outcome": "error", "duration_s": 1.0, "id": "another", "title": "Another."}.items():
            write_json(path, altered(kept, ("tests", number, key), value))
            with pytest.raises(EvidenceError):
                read_whole_run(old_run)
    write_json(path, kept)
    assert read_whole_run(old_run).results.verdict.value == kept["verdict"]


@pytest.mark.parametrize(
    "name", ["record", "record/manifest.json", "record/tests", "record/inputs/bench.toml", "progress.jsonl", "reports"]
)
def test_a_symbolic_link_in_a_run_folder_is_refused_by_name(run: Path, tmp_path: Path, name: str) -> None:
    path = run / name
    elsewhere = tmp_path / "elsewhere"
    shutil.move(path, elsewhere)
    path.symlink_to(elsewhere, target_is_directory=elsewhere.is_dir())
    sentence = f"{path}: is a symbolic link, and a run consists of files that lie in its folder"
    for read in READERS:
        with pytest.raises(EvidenceError) as error:
            read(run)
        assert str(error.value) == sentence
    done = rig("report", str(run))
    assert (done.returncode, done.stderr) == (3, f"rig: {sentence}\n")


def test_a_link_that_leads_nowhere_is_refused_too(run: Path) -> None:
    (run / "record" / "tests" / "note").symlink_to("nowhere")
    with pytest.raises(EvidenceError, match="tests/note: is a symbolic link"):
        read_whole_run(run)


def test_a_pipe_among_the_files_is_refused(run: Path) -> None:
    os.mkfifo(run / "record" / "pipe")
    with pytest.raises(EvidenceError, match="record/pipe: is a pipe, a socket or a device"):
        read_whole_run(run)


def test_a_run_of_format_1_holds_no_links_either(old_run: Path, tmp_path: Path) -> None:
    shutil.move(old_run / "results.json", tmp_path / "elsewhere.json")
    (old_run / "results.json").symlink_to(tmp_path / "elsewhere.json")
    with pytest.raises(EvidenceError, match=r"results\.json: is a symbolic link"):
        read_whole_run(old_run)


def test_a_run_may_be_reached_through_a_link(recorded: Path, tmp_path: Path) -> None:
    writable(Path(shutil.copytree(recorded, tmp_path / "far" / "run")))
    (tmp_path / "runs").symlink_to(tmp_path / "far", target_is_directory=True)
    (tmp_path / "latest").symlink_to(tmp_path / "far" / "run", target_is_directory=True)
    for reached in (tmp_path / "runs" / "run", tmp_path / "latest"):
        assert read_whole_run(reached).results.verdict.value == "PASS"
        assert recompute(reached)


def test_results_without_an_outcome_are_no_better_than_the_end_of_the_run(run: Path) -> None:
    ended(run, "broken")
    path = run / "record" / "results.json"
    kept = read_json(path)
    assert (kept["outcome"], kept["verdict"]) == ("broken", "ERROR")
    del kept["outcome"]
    write_json(path, kept | {"verdict": "PASS"})
    sealed(run)
    with pytest.raises(EvidenceError, match=r"results\.json: the run was broken, and is called PASS in place of ERROR"):
        read_whole_run(run)


MANIFEST: dict[str, tuple[tuple[str, ...], Any]] = {
    "another plan": (("plan", "name"), "shorter"),
    "requirements that are due": (("plan", "every_requirement_due"), True),
    "an entry of the plan": (("plan", "content", "bolus"), []),
    "the hash of the plan": (("plan", "sha256"), "00"),
    "the hash of the bench file": (("bench_sha256",), "00"),
    "the hash of the requirements": (("requirements_sha256",), "00"),
    "another claim": (("pump_sheet", "content", "bolus", "tolerance"), "±50 %"),
    "the hash of the pump sheet": (("pump_sheet", "sha256"), "00"),
    "no pump sheet": (("pump_sheet",), None),
    "firmware": (("firmware_sha256",), "00"),
    "another bench": (("bench", "name"), "another"),
    "no simulation": (("bench", "virtual"), {}),
}


@pytest.mark.parametrize("what", MANIFEST)
def test_a_manifest_is_held_against_the_frozen_inputs(run: Path, what: str) -> None:
    at, value = MANIFEST[what]
    path = run / "record" / "manifest.json"
    write_json(path, altered(read_json(path), at, value))
    end_run(reopened(run), "complete")
    with pytest.raises(EvidenceError, match=r"manifest\.json: contradicts the frozen inputs: "):
        read_whole_run(run)


@pytest.mark.parametrize("first", ["failed", "error", "interrupted", "passed"])
def test_a_test_that_ended_does_not_end_better_once_more(run: Path, first: str) -> None:
    path = attempt_folder(run, STOPPED) / "events.jsonl"
    began, last = path.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join([began, last.replace("passed", first), last, ""]), encoding="utf-8")
    sealed(run)
    sentence = rf"events\.jsonl: the test ended as {first}, and once more as passed, which no test does"
    with pytest.raises(EvidenceError, match=sentence):
        read_whole_run(run)
