"""A run is computed again from what was recorded: what was altered is found, whatever list and sums were made anew."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rig.audit.auditing import audit_run
from rig.audit.integrity import Intact
from rig.offline.numbers_apart import apart
from rig.offline.recheck import Recheck, recheck
from rig.record.closed import listed_files, with_own_hash
from rig.record.trail import read
from suites.selftest.recorded import rig


def close_anew(run: Path) -> None:
    """Make list and sums anew, as somebody does who hides a change."""
    record = run / "record"
    closing = json.loads((record / "closing.json").read_text(encoding="utf-8"))
    closing["files"] = {name: file.model_dump() for name, file in listed_files(record).items()}
    (record / "closing.json").write_text(json.dumps(with_own_hash(closing)), encoding="utf-8")


def edit_a_row(run: Path) -> Path:
    """Add 0.1 mg to a reading of a balance in its table."""
    table = sorted(run.rglob("balance.csv"))[0]
    lines = table.read_text(encoding="utf-8").splitlines()
    at_s, phase, mass_g, stable = lines[20].split(",")
    lines[20] = f"{at_s},{phase},{float(mass_g) + 1e-4!r},{stable}"
    table.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return table


def test_an_unaltered_run_comes_out_byte_for_byte(recorded: Path, tmp_path: Path) -> None:
    before = listed_files(recorded / "record")

    found = recheck(recorded, tmp_path / "again", processes=1)

    assert (found.exit_code, found.differences, found.contradictions, found.because) == (0, (), (), ())
    assert found.same == found.files > 0
    assert found.rows > 0
    assert listed_files(recorded / "record") == before
    again = (tmp_path / "again" / "record" / "results.json").read_bytes()
    assert again == (recorded / "record" / "results.json").read_bytes()


def test_an_edited_reading_contradicts_the_wire_though_every_sum_was_made_anew(run: Path, tmp_path: Path) -> None:
    table = edit_a_row(run)
    close_anew(run)

    found = recheck(run, tmp_path / "again", processes=1)

    assert found.exit_code == 5
    assert [each for each in found.contradictions if each.startswith(f"{table}: row 21, ")]


@pytest.mark.parametrize("number", [1, 20, -1])
def test_a_removed_row_leaves_a_reply_of_the_balance_without_one(run: Path, tmp_path: Path, number: int) -> None:
    table = sorted(run.rglob("balance.csv"))[0]
    lines = table.read_text(encoding="utf-8").splitlines(keepends=True)
    at_s = float(lines.pop(number).split(",")[0])
    table.write_text("".join(lines), encoding="utf-8")
    close_anew(run)

    found = recheck(run, tmp_path / "again", processes=1)

    assert found.exit_code == 5
    said = f"{table}: has no row for the reply of the balance at {at_s:.6f} s in wire.log"
    assert said in found.contradictions


def test_a_row_at_another_moment_than_its_reply_is_named(run: Path, tmp_path: Path) -> None:
    table = sorted(run.rglob("balance.csv"))[0]
    lines = table.read_text(encoding="utf-8").splitlines()
    at_s, rest = lines[20].split(",", 1)
    lines[20] = f"{float(at_s) + 0.001!r},{rest}"
    table.write_text("\n".join(lines) + "\n", encoding="utf-8")
    close_anew(run)

    found = recheck(run, tmp_path / "again", processes=1)

    assert found.exit_code == 5
    assert found.contradictions[0].startswith(
        f"{table}: row 21, at {float(at_s) + 0.001:.6f} s, is later than the reply"
    )


def of_another_version(run: Path) -> None:
    """Have the run been made by other code, so that a version may explain what differs."""
    path = run / "record" / "manifest.json"
    said = json.loads(path.read_text(encoding="utf-8"))
    said["software"]["sha256"] = "0" * 64
    path.write_text(json.dumps(said), encoding="utf-8")


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("verdict", "FAIL", "the requirement PR-D1.1 is called FAIL, its values and tests say PASS"),
        ("text", "Anything goes.", "results.json: contradicts the parts of the record: requirements PR-D1.1 text"),
    ],
)
def test_results_that_are_not_those_of_the_tests_are_explained_by_no_version(
    run: Path, tmp_path: Path, key: str, value: str, said: str
) -> None:
    path = run / "record" / "results.json"
    results = json.loads(path.read_text(encoding="utf-8"))
    results["requirements"][0][key] = value
    path.write_text(json.dumps(results), encoding="utf-8")
    of_another_version(run)
    close_anew(run)

    found = recheck(run, tmp_path / "again", processes=1)

    assert found.exit_code == 5
    assert said in found.contradictions[0]


def test_a_limit_that_was_edited_in_the_frozen_requirements_is_named(run: Path) -> None:
    path = run / "record" / "inputs" / "requirements.toml"
    path.write_text(path.read_text(encoding="utf-8").replace("high = 5 }", "high = 50 }", 1), encoding="utf-8")
    close_anew(run)

    done = rig("report", str(run), "--recompute")

    assert done.returncode == 5, done.stdout + done.stderr
    assert f"{path}: the frozen input was changed" in "".join(done.stdout.split("\n"))
    assert "Not computed again: every number, since an input is not the one that the run had" in done.stdout


def test_an_altered_value_is_named_with_its_test_and_by_how_much(run: Path) -> None:
    path = sorted(run.rglob("computed/measured.json"))[0]
    content = json.loads(path.read_text(encoding="utf-8"))
    content["measured"][0]["value"] += 1.0
    path.write_text(json.dumps(content), encoding="utf-8")
    close_anew(run)

    done = rig("report", str(run), "--recompute", "--out", str(run.parent / "again"))

    assert done.returncode == 5
    assert f"{content['measured'][0]['quantity']['name']} value is " in done.stdout
    assert "What may explain it: nothing" in done.stdout


def test_a_byte_changed_after_the_closing_is_found(run: Path, tmp_path: Path) -> None:
    path = sorted(run.rglob("steps.jsonl"))[0]
    path.write_bytes(path.read_bytes().replace(b"step", b"sTep", 1))

    found = recheck(run, tmp_path / "again", processes=1)

    assert found.exit_code == 5
    assert found.contradictions[0] == f"{path}: was changed after the run was closed"


@pytest.mark.parametrize(("shift", "code"), [(1e-12, 0), (1e-3, 4)])
def test_a_difference_under_another_version_is_explained_by_it(
    run: Path, tmp_path: Path, shift: float, code: int
) -> None:
    path = sorted(run.rglob("computed/uncertainty.json"))[0]
    content = json.loads(path.read_text(encoding="utf-8"))
    number = next(each for each in apart(content, None) if each.now is None)
    assert number.where == ""
    budget = content["budgets"][0]
    name = next(key for key, value in budget.items() if isinstance(value, float) and value)
    budget[name] *= 1.0 + shift
    path.write_text(json.dumps(content, indent=2), encoding="utf-8")
    of_another_version(run)
    close_anew(run)

    found = recheck(run, tmp_path / "again", processes=1)

    assert found.exit_code == code
    assert found.because[0].startswith("the rig's code: 000000000000 then")
    assert [each.what.small for each in found.differences] == [code == 0]


def test_numbers_are_held_against_each_other_by_their_size() -> None:
    (one,) = apart({"a": [1.0, {"id": "x", "b": 2.0}]}, {"a": [1.0, {"id": "x", "b": 2.5}]})
    assert (one.where, one.then, one.now, one.relative, one.small) == ("a x b", 2.0, 2.5, 0.2, False)
    assert not list(apart({"a": True}, {"a": True}))
    assert [each.relative for each in apart(True, 1)] == [None]
    assert Recheck(1, 1, 0, (), (), (), ()).exit_code == 0


def test_a_folder_inside_of_a_record_is_refused(recorded: Path) -> None:
    done = rig("report", str(recorded), "--recompute", "--out", str(recorded / "record" / "again"))
    assert done.returncode == 2
    assert not (recorded / "record" / "again").exists()


def test_a_run_is_intact_after_it_was_computed_again(run: Path) -> None:
    done = rig("report", str(run), "--recompute")

    assert done.returncode == 0, done.stdout + done.stderr
    assert read(run)[-1].what == "recomputed"
    assert isinstance(audit_run(run), Intact)
