"""A run of the virtual bench for tests of what is made from a run, and how a test changes a copy of it.

What no run of a good pump shows (a failure, a huge number, odd text) is written into the copy of a real record by the
record's own models. Not responsible for making that copy (`conftest`).
"""

from __future__ import annotations

import datetime
import json
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rig.errors import BenchFileError
from rig.record.analyses import Analysis, Trumpet
from rig.record.attempt import Began, Ended
from rig.record.closed import CLOSING, listed_files, sums, with_own_hash
from rig.record.files import read_json, write_json
from rig.record.folder import MeasuredFile, RunFolder, read_model
from rig.record.keys import SIGNATURE
from rig.record.manifest import BenchCheck, Manifest, RunOutcome
from rig.record.models import MeasuredRecord
from rig.record.results import Outcome, Results
from rig.record.trail import TRAIL
from rig.run.begin import end_run
from rig.run.inputs import BENCH as BENCH_FILE
from rig.run.inputs import FIRMWARE
from rig.run.inputs import REQUIREMENTS as REQUIREMENTS_FILE

FORMAT_1 = Path("suites/selftest/format_1")
"""A run that the rig wrote when it wrote format 1."""

BASAL = "suites/pump/test_basal.py::test_basal_delivery[1 U/h]"
BOLUS = "suites/pump/test_bolus.py::test_consecutive_boluses[1 U]"
OCCLUSION = "suites/pump/occlusion.robot::Occlusion At The Intermediate Rate"
STOPPED = "suites/pump/test_stopped.py::test_stopped_pump[30 min]"

PLAN = """
name = "short"
purpose = "Each kind of curve once, as short as it can be."
select = "test_basal or test_consecutive or test_stopped or occlusion_at_the_intermediate"

[[basal]]
rate = "1 U/h"
stabilisation = "1 h"
analysis = "3 h"
windows = ["15 min", "60 min", "150 min"]

[[bolus]]
size = "1 U"
count = 5
blank = "5 min"
"""

REQUIREMENTS = """
[[requirement]]
id = "PR-D1.1"
text = "Basal delivery at 1 U/h over 3 h is within ±5 % of the programme."
clause = "IEC 60601-2-24 (method); maker's accuracy claim (limit)"
hazard = "Over- or under-infusion of insulin"
hazards = ["H1", "H2"]
measurement = [{ quantity = "basal.mean_error", rate = "1 U/h", unit = "%", low = -5, high = 5 }]
[[requirement]]
id = "PR-D1.2"
text = "Basal delivery at 1 U/h in any window of 60 min is within ±15 % of the programme."
clause = "IEC 60601-2-24 (method: trumpet curve); maker's accuracy claim (limit)"
hazard = "Uneven infusion of insulin"
hazards = ["H1", "H2"]
measurement = [
    { quantity = "basal.largest_window_error", window = "60 min", rate = "1 U/h", unit = "%", high = 15 },
    { quantity = "basal.smallest_window_error", window = "60 min", rate = "1 U/h", unit = "%", low = -15 },
]
[[requirement]]
id = "PR-D3.2"
text = "5 consecutive boluses of 1 U are within ±5 % on average and ±10 % each."
clause = "IEC 60601-2-24 (method); maker's accuracy claim (limit)"
hazard = "Over- or under-infusion of insulin"
hazards = ["H1", "H2"]
measurement = [
    { quantity = "bolus.mean_error", size = "1 U", unit = "%", low = -5, high = 5 },
    { quantity = "bolus.largest_error", size = "1 U", unit = "%", high = 10 },
    { quantity = "bolus.smallest_error", size = "1 U", unit = "%", low = -10 },
]
[[requirement]]
id = "PR-D7.1"
text = "With therapy stopped nothing is delivered in 30 min."
clause = "Generic safety requirement"
hazard = "Over-infusion of insulin"
hazards = ["H1"]
measurement = [{ quantity = "stopped.delivered", unit = "U", low = -0.05, high = 0.05 }]
[[requirement]]
id = "PR-F1.1"
text = "At 1 U/h an occlusion is alarmed before 5 U are missed."
clause = "IEC 60601-2-24 (method: occlusion); maker's disclosure (limit)"
hazard = "Under-infusion of insulin, ketoacidosis"
hazards = ["H2"]
measurement = [{ quantity = "occlusion.largest_missed", rate = "1 U/h", unit = "U", high = 5 }]
[[requirement]]
id = "PR-F1.2"
text = "The line pressure stays below 240 kPa until an occlusion is alarmed."
clause = "IEC 60601-2-24 (method: occlusion); maker's disclosure (limit)"
hazard = "Burst line, over-infusion on release"
hazards = ["H4"]
measurement = [{ quantity = "occlusion.highest_pressure", rate = "1 U/h", unit = "kPa", high = 240 }]
[[requirement]]
id = "PR-F2.1"
text = "A low reservoir is annunciated while between 15 U and 25 U remain."
clause = "Generic safety requirement"
hazard = "Under-infusion of insulin"
measurement = [{ quantity = "reservoir.remaining_at_warning", unit = "U", low = 15, high = 25 }]
"""
"""The tests of the plan decide all but the last, which is out of the run's scope and names no hazard."""


def manifest(*, virtual: bool = True) -> Manifest:
    """A manifest of a run that is to be made in a test, of nothing in particular."""
    return Manifest(
        run_id="r", started_utc=datetime.datetime(2026, 11, 23, 8, 15, 2, tzinfo=datetime.UTC), virtual=virtual,
        seed=1 if virtual else None, bench_file="bench.toml", bench_sha256="", bench={}, requirements_file="",
        requirements_sha256="", overrides={}, versions={}, firmware_sha256=None, operator=None,
    )  # fmt: skip


def rig(*arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Call the command line as people do."""
    return subprocess.run(
        [sys.executable, "-m", "rig", *arguments], capture_output=True, text=True, cwd=cwd, check=False
    )


def verified(folder: Path) -> Path:
    """Make the short run in a folder, which gets its plan and requirements, too; returns the run's own folder."""
    (folder / "short.toml").write_text(PLAN, encoding="utf-8")
    (folder / "requirements.toml").write_text(REQUIREMENTS, encoding="utf-8")
    done = rig(
        "verify", "--plan", str(folder / "short.toml"), "--requirements", str(folder / "requirements.toml"),
        "--out", str(folder / "run"),
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / "run"


def writable(run: Path) -> Path:
    """Give the right to write back to a copy of a closed run, as whoever owns the files may."""
    for path in run.rglob("*"):
        path.chmod(path.stat().st_mode | 0o200)
    return run


def reopened(run: Path) -> RunFolder:
    """Take away the end of a run, so that it can end again."""
    for path in (run / "record" / CLOSING, run / TRAIL, run / SIGNATURE):
        path.unlink(missing_ok=True)
    return RunFolder(writable(run))


def sealed(run: Path) -> None:
    """List the files of a changed run as they are now, as if it had been closed like this; nothing for an open one."""
    path = run / "record" / CLOSING
    if path.is_file():
        files = {name: file.model_dump(mode="json") for name, file in listed_files(run / "record").items()}
        write_json(path, with_own_hash(read_json(path) | {"files": files}))


def change(path: Path, **values: Any) -> None:  # noqa: ANN401 - any JSON value
    """Lay other values over a JSON file of a run, whatever the models say of them, as if it had been closed so."""
    path.write_text(json.dumps(read_json(path) | values), encoding="utf-8")
    for folder in path.parents:
        if folder.name == "record":
            sealed(folder.parent)


def framed(run: Path, **values: Any) -> None:  # noqa: ANN401 - any value of the manifest
    """Say something else in the manifest, and join the results again."""
    path = run / "record" / "manifest.json"
    outcome = RunFolder(run).manifest().outcome
    before = read_model(path, Manifest)
    if "bench" in values:
        bench = run / "record" / "inputs" / BENCH_FILE
        writable(run)
        write_json(bench, values["bench"])
        values["inputs"] = before.inputs | {BENCH_FILE: sums(bench).sha256}
    if "inputs" in values:
        names = {"requirements_sha256": REQUIREMENTS_FILE, "firmware_sha256": FIRMWARE}
        values |= {key: values["inputs"].get(name, getattr(before, key)) for key, name in names.items()}
    manifest = Manifest.model_validate(dict(before) | values)
    write_json(path, manifest.model_dump(mode="json"))
    end_run(reopened(run), outcome)


def required(run: Path, old: str, new: str) -> None:
    """Have a run been judged by other requirements: replace text of the frozen file, and join the results again."""
    path = run / "record" / "inputs" / REQUIREMENTS_FILE
    text = path.read_text(encoding="utf-8")
    if old not in text:
        raise BenchFileError(f"{path} does not hold {old!r}")
    path.write_text(text.replace(old, new), encoding="utf-8")
    inputs = RunFolder(run).manifest().inputs | {REQUIREMENTS_FILE: sums(path).sha256}
    framed(run, inputs=inputs)


def ended(run: Path, outcome: RunOutcome) -> None:
    """Say how the run ended."""
    end_run(reopened(run), outcome)


def attempt_folder(run: Path, test: str) -> Path:
    """The folder of the first attempt at a test."""
    return run / "record" / "tests" / RunFolder(run).declared(test).folder / "1"


def computed(run: Path, test: str, name: str) -> Path:
    """The file of an analysis of a test, or the place where it would stand."""
    (measurement,) = (path.parent for path in attempt_folder(run, test).glob("*/asked.json"))
    return measurement / "computed" / f"{name}.json"


def keep(run: Path, test: str, name: str, analysis: Analysis) -> None:
    """Keep an analysis as one of a test."""
    write_json(computed(run, test, name), analysis.model_dump(mode="json"))
    sealed(run)


def measured(run: Path, test: str, values: Mapping[str, tuple[float, float]]) -> None:
    """Have a test measure other values, with their U, of the kinds that are named, and join the results again."""
    path = computed(run, test, "measured")
    file = read_model(path, MeasuredFile)
    kinds = {each.quantity.kind for each in file.measured}
    if not kinds.issuperset(values):
        raise BenchFileError(f"{test} measured {', '.join(sorted(kinds))}")
    write_json(
        path, MeasuredFile(measured=tuple(_other(each, values) for each in file.measured)).model_dump(mode="json")
    )
    end_run(reopened(run), "complete")


def _other(each: MeasuredRecord, values: Mapping[str, tuple[float, float]]) -> MeasuredRecord:
    if each.quantity.kind not in values:
        return each
    value, u = values[each.quantity.kind]
    return MeasuredRecord(quantity=each.quantity, value=value, expanded_uncertainty=u)


def unmeasured(run: Path, test: str, outcome: Outcome, message: str | None) -> None:
    """Have a test end before it measured anything, and join the results again."""
    computed(run, test, "measured").unlink()
    ended_otherwise(run, test, outcome, message)


def ended_otherwise(run: Path, test: str, outcome: Outcome, message: str | None) -> None:
    """Have a test end otherwise, and join the results again."""
    end = Ended(outcome=outcome, message=message, duration_s=60.0)
    lines = [Began().model_dump_json(), end.model_dump_json(), ""]
    (attempt_folder(run, test) / "events.jsonl").write_text("\n".join(lines), encoding="utf-8")
    end_run(reopened(run), "complete")


def blocked(run: Path, problems: dict[str, str]) -> None:
    """Have the run blocked before its first test, with no pump seen, and join the results again."""
    for each in RunFolder(run).collected():
        shutil.rmtree(run / "record" / "tests" / each.folder)
    path = run / "record" / "bench_check.json"
    check = read_model(path, BenchCheck).model_copy(update={"dut": None, "problems": problems})
    write_json(path, check.model_dump(mode="json"))
    end_run(reopened(run), "blocked")


def without_further_curves(run: Path) -> None:
    """Leave out budgets, and what is drawn beside a trumpet curve, as records did that are older."""
    for path in run.glob("record/tests/*/*/*/computed/uncertainty.json"):
        path.unlink()
    further = ("cumulative_error_percent", "start_up", "doses_u", "dose_expanded_u", "dose_interval_found_s", "strokes",
               "stability")  # fmt: skip
    trumpet = read_model(computed(run, BASAL, "trumpet"), Trumpet)
    keep(run, BASAL, "trumpet", trumpet.model_copy(update=dict.fromkeys(further)))


def results(run: Path) -> Results:
    """Read the results of a run."""
    return read_model(run / "record" / "results.json", Results)
