"""A run's record is append-only, complete up to its last line, and says when the disk does not take it."""

import json
import resource
import subprocess
import sys
from pathlib import Path

import pytest
from rig.evidence import RunFolder, WireLog, read_json_lines, slug

from rig.clock import SimClock
from rig.errors import EvidenceError
from rig.verdicts.limits import Measurement


def new_run(path: Path) -> RunFolder:
    return RunFolder.create(path / "run", {"run_id": "r", "ended_utc": None, "outcome": "started"})


def test_a_test_leaves_its_samples_steps_and_measurements(tmp_path: Path) -> None:
    run, clock = new_run(tmp_path), SimClock()
    run.collected("suites/pump/test_a.py::test_x[0.1 U]", "A title", ["PR-1"])
    record = run.test("suites/pump/test_a.py::test_x[0.1 U]", clock)
    record.sample("balance", mass_g=0.25, stable=True)
    clock.sleep(1.5)
    record.sample("balance", mass_g=0.5, stable=False)
    record.step("bolus", insulin_u=1.0)
    record.measure("PR-1", Measurement("error", 1.25, "%", 0.5))
    record.end("passed")
    samples = run.path / "samples" / "test_a-test_x-0.1_U" / "balance.csv"
    assert samples.read_text() == "at_s,mass_g,stable\n0.0,0.25,1\n1.5,0.5,0\n"
    step = {"at_s": 1.5, "test": record.test_id, "step": "bolus", "insulin_u": 1.0}
    assert read_json_lines(run.path / "steps.jsonl") == [step]
    assert [event["event"] for event in run.events()] == ["collected", "start", "measurement", "end"]
    assert run.events()[-1]["duration_s"] == 1.5


def test_a_channel_keeps_its_columns(tmp_path: Path) -> None:
    record = new_run(tmp_path).test("t", SimClock())
    record.sample("balance", mass_g=0.25)
    with pytest.raises(ValueError, match="channel balance has the columns"):
        record.sample("balance", mass_kg=0.25)
    record.close()


def test_a_run_is_never_overwritten(tmp_path: Path) -> None:
    new_run(tmp_path)
    with pytest.raises(EvidenceError, match="holds a run already"):
        new_run(tmp_path)


def test_a_folder_without_a_manifest_is_no_run(tmp_path: Path) -> None:
    with pytest.raises(EvidenceError, match=r"there is no manifest\.json"):
        RunFolder(tmp_path)


def test_a_last_line_that_was_cut_off_is_left_out_and_other_damage_is_not(tmp_path: Path) -> None:
    path = tmp_path / "tests.jsonl"
    path.write_text('{"a": 1}\n{"b": 2}\n{"c": ')
    assert read_json_lines(path) == [{"a": 1}, {"b": 2}]
    path.write_text('{"a": 1}\n{"b": \n{"c": 3}\n')
    with pytest.raises(EvidenceError, match="line 2 cannot be read"):
        read_json_lines(path)


def test_wires_are_kept_byte_by_byte(tmp_path: Path) -> None:
    log = WireLog(tmp_path / "wire" / "t.log")
    log.wire(1.25, "balance", ">", b"SI\r\n")
    log.close()
    assert (tmp_path / "wire" / "t.log").read_text() == "1.250000\tbalance\t>\t53 49 0d 0a\n"


def test_test_ids_become_file_names() -> None:
    assert slug("suites/pump/occlusion.robot::An Occlusion Is Alarmed") == "occlusion-An_Occlusion_Is_Alarmed"


FILL_THE_DISK = """
from pathlib import Path
from rig.clock import SimClock
from rig.errors import EvidenceError
from rig.evidence import RunFolder
import sys
record = RunFolder(Path(sys.argv[1])).test("t", SimClock())
try:
    while True:
        record.sample("balance", mass_g=0.25)
except EvidenceError as error:
    print(error)
"""


def test_a_full_disk_is_a_sentence_and_what_was_written_is_kept(tmp_path: Path) -> None:
    run = new_run(tmp_path)
    done = subprocess.run(
        [sys.executable, "-c", FILL_THE_DISK, str(run.path)],
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000)),  # as a disk with no room left
        capture_output=True,
        text=True,
        check=True,
    )
    samples = run.path / "samples" / "t" / "balance.csv"
    assert done.stdout == f"{samples}: cannot be written (File too large); what was written before is kept\n"
    assert samples.read_text().startswith("at_s,mass_g\n0.0,0.25\n")
    assert len(samples.read_bytes()) >= 9_990
    assert json.loads((run.path / "tests.jsonl").read_text())["event"] == "start"
