"""oref0 decides through the adapter as it decided by itself: 28 decisions and 12 courses of insulin on board."""

from __future__ import annotations

import copy
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rig.loop.oref0.package import OREF0, oref0_command
from rig.loop.oref0.process import JsonLines
from suites.studies.patient.__main__ import of_oref0
from suites.studies.patient.oref0 import disagreements, read_cases, reference_files
from suites.studies.patient.reference_data import Reference

CASES = {name: case for path in reference_files() for name, case in read_cases(path).items()}


@pytest.fixture(scope="module")
def oref0() -> Iterator[JsonLines]:
    lines = JsonLines(oref0_command())
    yield lines
    lines.close()


def test_there_are_forty_cases() -> None:
    assert len(CASES) == 40


@pytest.mark.parametrize("name", CASES)
def test_it_decides_the_same(oref0: JsonLines, name: str) -> None:
    assert disagreements(oref0, CASES[name]) == []


def test_it_is_the_version_of_the_lock_file_in_utc(oref0: JsonLines) -> None:
    hello = oref0.ask({"ask": "hello"})
    assert (hello["version"], hello["time_zone"]) == (OREF0.version, "UTC") == ("0.7.1", "UTC")


def test_what_it_refuses_is_said_and_the_next_question_is_answered(oref0: JsonLines) -> None:
    assert oref0.ask({"ask": "decide", "case": {"clock": "2026-03-02T00:00:00Z"}})["error"]
    assert oref0.ask({"ask": "sing"})["error"]
    assert oref0.ask({"ask": "hello"})["version"] == "0.7.1"


def changed(case: Any, *path: Any, value: object) -> Any:  # noqa: ANN401 - a case of JSON
    """A case with another value somewhere."""
    found = copy.deepcopy(case)
    place = found
    for key in path[:-1]:
        place = place[key]
    assert place[path[-1]] != value
    place[path[-1]] = value
    return found


def test_every_difference_is_seen(oref0: JsonLines) -> None:
    """The smallest that counts, of the case's output as of its input."""
    rising, bolus = CASES["s19_smb_high_rising"], CASES["bolus2_at0_rapid_dia5"]
    assert rising["output"]["result"]["units"] > 0
    result = rising["output"]["result"]
    for path, value in [
        (("rate",), 0.025), (("duration",), 60), (("units",), result["units"] + 0.1), (("COB",), 1),
        (("eventualBG",), result["eventualBG"] + 1), (("insulinReq",), result["insulinReq"] + 0.01),
        (("predBGs", "IOB", 3), result["predBGs"]["IOB"][3] + 1), (("IOB",), 0.001),
        (("deliverAt",), "2026-03-02T12:05:00.000Z"),
    ]:  # fmt: skip
        assert disagreements(oref0, changed(rising, "output", "result", *path, value=value)) != [], path
    row = bolus["output"][7]
    assert disagreements(oref0, changed(bolus, "output", 7, "iob", value=row["iob"] + 0.0021)) != []
    assert disagreements(oref0, changed(bolus, "output", 7, "activity", value=row["activity"] + 0.0021)) != []
    for path, value in [
        (("profile", "sens"), 60),
        (("clock",), "2026-03-02T12:20:00.000Z"),
        (("microBolusAllowed",), False),
    ]:
        assert disagreements(oref0, changed(rising, "input", *path, value=value)) != [], path
    assert disagreements(oref0, {**rising, "output": {"result": {}}}) != []
    assert disagreements(oref0, {**rising, "output": {}}) != []


def test_the_table_of_the_virtual_person_has_it() -> None:
    rows = of_oref0(Reference())
    assert [(each.what, each.difference, each.agrees) for each in rows] == [
        ("oref0 determine_basal, 28 cases", 0, True), ("oref0 iob, 12 cases", 0, True),
    ]  # fmt: skip


def run(*files: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "suites.studies.patient.oref0", *map(str, files)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_command_compares_cases_of_other_people(tmp_path: Path) -> None:
    one, wrong, none = (tmp_path / f"{name}.json" for name in ("one", "wrong", "none"))
    case = CASES["s04_high_rising"]
    one.write_text(json.dumps(case))
    wrong.write_text(json.dumps({"a": case, "b": changed(case, "output", "result", "rate", value=0.3)}))
    none.write_text("[1]")
    right, other, refused, absent = run(one), run(wrong), run(none), run(tmp_path / "absent.json")
    assert (right.returncode, right.stdout.splitlines()) == (0, ["agreed: one.json, one", "1 of 1 agreed"])
    assert other.returncode == 1
    assert other.stdout.splitlines()[:2] == ["agreed: wrong.json, a", "disagreed: wrong.json, b"]
    assert (refused.returncode, absent.returncode) == (2, 2)
    assert "none.json: holds no cases by name" in refused.stderr
    assert "absent.json: cannot be read (No such file or directory)" in absent.stderr
