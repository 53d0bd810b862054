"""A run's record is append-only, complete up to its last line, and says when the disk does not take it."""

import json
import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.clock import SimClock
from rig.errors import EvidenceError
from rig.procedures.bolus import MEAN
from rig.record.appending import DirectAppender
from rig.record.attempt import WireLog
from rig.record.files import keep_room, read_json_lines, slug
from rig.record.folder import RunFolder, keep_computed
from rig.record.models import Incident
from rig.record.taking import Asked, Fact, Recorder, read_taken
from rig.verdicts.limits import Measurement
from suites.selftest.recorded import manifest

TEST = "suites/pump/test_a.py::test_x[0.1 U]"
QUANTITY = MEAN.of(size="1 U")


@pytest.fixture
def run(tmp_path: Path) -> Iterator[RunFolder]:
    """A run that has declared nothing yet."""
    made = RunFolder.create(tmp_path / "run", manifest())
    yield made
    made.appender.close()


class Given(Fact):
    """A fact for these tests."""

    insulin_u: float


def test_a_test_leaves_its_samples_steps_facts_and_measurements(run: RunFolder) -> None:
    clock = SimClock()
    run.collect(TEST, "A title", ["PR-1"], [QUANTITY])
    attempt = run.attempt(TEST)
    attempt.start(clock)
    record = attempt.take(Asked(table="bolus", parameters={"size_u": 1.0}))
    record.sample("balance", "rest", mass_g=0.25, stable=True)
    clock.sleep(1.5)
    record.sample("balance", "rest", mass_g=0.5, stable=False)
    record.step("bolus", insulin_u=1.0)
    record.fact(Given(at_s=1.5, insulin_u=1.0))
    keep_computed(record.folder, [Measurement(QUANTITY, 1.25, 0.5)], {})
    attempt.end("passed")
    folder = run.path / "record" / "tests" / "test_a-test_x-0.1_U" / "1"
    taken = folder / "1-bolus"
    assert (taken / "balance.csv").read_text() == "at_s,phase,mass_g,stable\n0.0,rest,0.25,1\n1.5,rest,0.5,0\n"
    assert read_json_lines(taken / "steps.jsonl") == [{"at_s": 1.5, "step": "bolus", "insulin_u": 1.0}]
    assert read_json_lines(taken / "facts.jsonl") == [{"fact": "Given", "at_s": 1.5, "insulin_u": 1.0}]
    assert [event["event"] for event in read_json_lines(folder / "events.jsonl")] == ["start", "end"]
    (read,) = run.attempts()
    assert (read.outcome, read.duration_s, read.collected.title) == ("passed", 1.5, "A title")
    assert [each.measurement for each in read.measured()] == [Measurement(QUANTITY, 1.25, 0.5)]


def test_a_channel_keeps_its_columns(run: RunFolder) -> None:
    record = Recorder(run.path / "m", SimClock(), run.appender)
    record.sample("balance", "rest", mass_g=0.25)
    with pytest.raises(ValueError, match="channel balance has the columns"):
        record.sample("balance", "rest", mass_kg=0.25)
    record.close()


@given(readings=st.lists(st.tuples(st.floats(0, 1e6), st.floats(allow_nan=False, allow_infinity=False)), min_size=1))
def test_a_reading_is_read_back_as_the_number_that_it_was(
    tmp_path_factory: pytest.TempPathFactory, readings: list[tuple[float, float]]
) -> None:
    appender, clock = DirectAppender(), SimClock()
    record = Recorder(tmp_path_factory.mktemp("m"), clock, appender)
    at_s = []
    for wait_s, mass_g in readings:
        clock.sleep(wait_s)
        at_s.append(clock.now())
        record.sample("balance", "rest", mass_g=mass_g)
        record.sample("pressure", "rest", pressure_kpa=0.0)
    appender.close()
    series = read_taken(record.folder).series("rest")
    assert np.array_equal(series.mass_g, [mass_g for _, mass_g in readings])
    assert np.array_equal(series.at_s, at_s)


def test_a_run_is_never_overwritten(run: RunFolder) -> None:
    with pytest.raises(EvidenceError, match="holds a run already"):
        RunFolder.create(run.path, manifest())


def test_a_folder_without_a_manifest_is_no_run(tmp_path: Path) -> None:
    with pytest.raises(EvidenceError, match=r"there is no record/manifest\.json"):
        RunFolder(tmp_path)


def test_each_attempt_has_a_folder_of_its_own(run: RunFolder) -> None:
    run.collect(TEST, "A title", [], [])
    for outcome in ("failed", "passed"):
        attempt = run.attempt(TEST)
        attempt.start(SimClock())
        attempt.end(outcome)
    (run.path / "record" / "tests" / "test_a-test_x-0.1_U" / "2 (copy)").mkdir()
    assert [(each.number, each.outcome) for each in run.attempts()] == [(1, "failed"), (2, "passed")]
    assert run.attempt(TEST).folder.name == "3"


def test_tests_whose_ids_make_the_same_name_have_folders_of_their_own(run: RunFolder) -> None:
    ids = ["suites/pump/a.robot::At 1 U/h", "suites/pump/a.robot::At 1 U h", "suites/pump/a.robot::At 1_U_h"]
    for each in ids:
        run.collect(each, each, [], [])
    assert [each.folder for each in run.collected()] == ["a-At_1_U_h", "a-At_1_U_h~2", "a-At_1_U_h~3"]
    for number, each in enumerate(ids):
        attempt = run.attempt(each)
        attempt.start(SimClock())
        attempt.end("passed", str(number))
    assert [(each.collected.test, each.message) for each in run.attempts()] == [
        (each, str(number)) for number, each in enumerate(ids)
    ]


def test_a_test_is_declared_once(run: RunFolder) -> None:
    run.collect(TEST, "A title", ["PR-1"], [QUANTITY])
    run.collect(TEST, "Another", [], [])
    (declared,) = run.collected()
    assert (declared.title, declared.requirements) == ("A title", ("PR-1",))
    assert [each.quantity for each in declared.quantities] == [QUANTITY]


def test_a_last_line_that_was_cut_off_is_left_out_and_other_damage_is_not(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_text('{"a": 1}\n{"b": 2}\n{"c": ')
    assert read_json_lines(path) == [{"a": 1}, {"b": 2}]
    path.write_text('{"a": 1}\n{"b": \n{"c": 3}\n')
    with pytest.raises(EvidenceError, match="line 2 cannot be read"):
        read_json_lines(path)


def test_wires_are_kept_byte_by_byte(tmp_path: Path) -> None:
    appender = DirectAppender()
    log = WireLog(tmp_path / "1", appender)
    log.wire(1.25, "balance", ">", b"SI\r\n")
    log.incident(1.5, "balance", "asked again")
    log.close()
    appender.close()
    assert (tmp_path / "1" / "wire.log").read_text() == "1.250000\tbalance\t>\t53 49 0d 0a\n"
    assert read_json_lines(tmp_path / "1" / "incidents.jsonl") == [
        {"at_s": 1.5, "of_whom": "balance", "what": "asked again"}
    ]


def test_incidents_of_wires_and_measurements_are_told_together_in_the_order_of_time(run: RunFolder) -> None:
    run.collect(TEST, "A title", [], [])
    attempt = run.attempt(TEST)
    clock = SimClock()
    attempt.start(clock)
    recorder = attempt.take(Asked(table="stopped", parameters={}))
    clock.sleep(2.0)
    recorder.incident("balance", "no reading for 20 s")
    attempt.wires.incident(1.0, "supply", "asked again")
    attempt.end("passed")
    attempt.wires.close()
    run.appender.close()
    (read,) = run.attempts(strict=True)
    assert read.incidents(strict=True) == [
        Incident(at_s=1.0, of_whom="supply", what="asked again"),
        Incident(at_s=2.0, of_whom="balance", what="no reading for 20 s"),
    ]


def test_test_ids_become_file_names() -> None:
    assert slug("suites/pump/occlusion.robot::An Occlusion Is Alarmed") == "occlusion-An_Occlusion_Is_Alarmed"


FILL_THE_DISK = """
import sys
from pathlib import Path
from rig.clock import SimClock
from rig.errors import EvidenceError
from rig.record.folder import RunFolder
from rig.record.taking import Asked
attempt = RunFolder(Path(sys.argv[1])).attempt("t")
attempt.start(SimClock())
record = attempt.take(Asked(table="bolus", parameters={}))
try:
    while True:
        record.sample("balance", "rest", mass_g=0.25)
except EvidenceError as error:
    print(error)
"""


def test_a_full_disk_is_a_sentence_and_what_was_written_is_kept(run: RunFolder) -> None:
    run.collect("t", "t", [], [])
    done = subprocess.run(
        [sys.executable, "-c", FILL_THE_DISK, str(run.path)],
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000)),  # as a disk with no room left
        capture_output=True,
        text=True,
        check=True,
    )
    folder = run.path / "record" / "tests" / "t" / "1"
    samples = folder / "1-bolus" / "balance.csv"
    assert done.stdout == f"{samples}: cannot be written (File too large); what was written before is kept\n"
    assert samples.read_text().startswith("at_s,phase,mass_g\n0.0,rest,0.25\n")
    assert samples.read_text().endswith("\n0.0,rest,0.25\n"), "a part of a line was left"
    assert len(samples.read_bytes()) > 9_980
    assert json.loads((folder / "events.jsonl").read_text())["event"] == "start"


def test_a_disk_without_room_for_the_end_of_a_run_is_refused_before_it_begins(tmp_path: Path) -> None:
    (tmp_path / "room").symlink_to("/dev/full")
    with pytest.raises(EvidenceError, match=r"there is no room for the 2 MiB that .* may need \(No space"):
        keep_room(tmp_path / "room", 2 * 2**20)
    assert not (tmp_path / "room").is_symlink()
    keep_room(tmp_path / "room", 1000)
    assert (tmp_path / "room").stat().st_size == 1000


def test_a_copy_of_the_process_that_has_a_run_adds_nothing_to_it(tmp_path: Path) -> None:
    run = RunFolder.create(tmp_path / "run", manifest())
    run.collect("a::b", "a test", [], [])
    attempt = run.attempt("a::b")
    attempt.start(SimClock())
    copied = os.fork()
    if copied == 0:
        refused = 0
        for add in (lambda: attempt.end("passed"), lambda: run.attempt("a::b")):
            try:
                add()
            except EvidenceError:
                refused += 1
        os._exit(refused)
    assert os.waitstatus_to_exitcode(os.waitpid(copied, 0)[1]) == 2
    attempt.end("passed")
    attempt.wires.close()
    run.appender.close()
    [found] = run.attempts()
    assert (found.number, found.outcome) == (1, "passed")
