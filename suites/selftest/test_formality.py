"""A formal run begins only with nothing in the way; everything that is, is said at once, and all other runs say so."""

from __future__ import annotations

import datetime
import importlib.metadata
import json
import os
import subprocess
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from reports.marks import marks_of
from reports.words import NOT_FORMAL, SIMULATED
from rig.errors import BenchFileError
from rig.record.files import utc_now
from rig.record.manifest import Software
from rig.record.qualification import QUALIFICATION, Item, Qualification
from rig.record.reading import read_run
from rig.run.begin import end_run, start_run
from rig.run.formality import FormalityAsked, formality_of, in_the_way, of_code, own_settings, what_is_here
from rig.run.inputs import Inputs, Sources, read_inputs
from rig.run.installed import altered_files, has_own_files
from rig.run.plan import read_plan
from rig.run.qualified import (
    QUALIFY,
    Present,
    latest_qualification,
    misfits,
    qualification_id,
    qualified_bench,
    read_qualification,
)
from rig.run.software import commit_of
from rig.shipped import DEFAULT_BENCH, shipped
from suites.selftest.recorded import rig

BENCH = Path("fixtures/benches/virtual_ne1000.toml")
CLEAN = Software(version="0.1.0", commit="c0ffee", dirty=False, sha256="5" * 64)


@pytest.fixture(scope="module")
def inputs() -> Inputs:
    return read_inputs(Sources(BENCH, {}))


@pytest.fixture(scope="module")
def here(inputs: Inputs) -> Present:
    return replace(what_is_here(inputs), software=CLEAN)


def made(here: Present, **other: Any) -> Qualification:  # noqa: ANN401 - any value of a qualification
    now = here.now
    given = {
        "id": "", "made_utc": now - datetime.timedelta(days=1), "valid_until_utc": now + datetime.timedelta(days=1),
        "operator": "A. Bee", "machine": here.machine, "software": here.software, "packages": dict(here.packages),
        "bench": here.bench, "clock_reference": None,
        "items": (Item(id="IQ-1", asks="Python", outcome="passed", seen="3.11"),),
    }  # fmt: skip
    unnamed = Qualification.model_validate(given | other)
    return unnamed.model_copy(update={"id": qualification_id(unnamed.model_dump(mode="json"))})


def written(qualification: Qualification, folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / QUALIFICATION
    path.write_text(json.dumps(qualification.model_dump(mode="json")), encoding="utf-8")
    return path


def test_everything_that_is_in_the_way_is_said_at_once(here: Present) -> None:
    bare = read_inputs(Sources(BENCH, {"balance.calibration_due": "2026-05-01", "balance.calibrated": "2026-03-02"}))
    asked = FormalityAsked(formal=True, settings=("virtual.seed=2",), select="basal", stop_at_fail=True)
    dirty = replace(here, software=CLEAN.model_copy(update={"dirty": True}))
    said = in_the_way(asked, bare, dirty)
    assert [sentence.split()[0] for sentence in said] == ["the", "--set", "--select", "--stop-at-fail", "nobody", "the"]
    assert said[0] == "the rig's code differs from its commit; commit it, or install a release"
    assert said[-1] == "the calibration of the balance B831204417 was due on 2026-05-01"


def test_nothing_is_in_the_way_of_a_clean_tree_and_a_named_operator(inputs: Inputs, here: Present) -> None:
    assert in_the_way(FormalityAsked(formal=True, operator="A. Bee"), inputs, here) == []


def test_code_that_is_neither_a_checkout_nor_a_wheel_is_refused(tmp_path: Path) -> None:
    unknown = CLEAN.model_copy(update={"commit": None, "dirty": None})
    assert of_code(unknown, tmp_path) == ["the commit of the rig's code is not known, and it is no installed wheel"]
    assert of_code(CLEAN, tmp_path) == []
    assert of_code(CLEAN.model_copy(update={"dirty": None}), tmp_path) == [
        "whether the rig's code differs from its commit is not known: git could not say"
    ]


def test_code_that_git_was_told_to_overlook_makes_the_tree_differ(tmp_path: Path) -> None:
    def git(*arguments: str) -> None:
        author = {
            "GIT_AUTHOR_NAME": "A",
            "GIT_AUTHOR_EMAIL": "a@b",
            "GIT_COMMITTER_NAME": "A",
            "GIT_COMMITTER_EMAIL": "a@b",
        }
        subprocess.run(
            ["git", "-C", str(tmp_path), *arguments], check=True, capture_output=True, env=os.environ | author
        )

    (tmp_path / "rig").mkdir()
    (tmp_path / "rig" / "__init__.py").write_bytes(b"")
    git("init")
    git("add", ".")
    git("commit", "-m", "all")
    commit, dirty = commit_of(tmp_path)
    assert (len(commit or ""), dirty) == (40, False)
    git("update-index", "--assume-unchanged", "rig/__init__.py")
    (tmp_path / "rig" / "__init__.py").write_bytes(b"1")
    assert commit_of(tmp_path) == (commit, True)
    git("update-index", "--no-assume-unchanged", "rig/__init__.py")
    git("commit", "-am", "more")
    assert commit_of(tmp_path)[1] is False
    (tmp_path / "suites" / "pump").mkdir(parents=True)
    (tmp_path / "suites" / "pump" / "test_own.py").write_bytes(b"")
    assert commit_of(tmp_path)[1] is True


def test_a_wheel_whose_file_was_changed_or_to_which_one_was_added_is_found(tmp_path: Path) -> None:
    (tmp_path / "rig").mkdir()
    (tmp_path / "rig" / "__init__.py").write_bytes(b"")
    listed = "rig/__init__.py,sha256=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU,0\n"  # SHA-256 of nothing
    info = tmp_path / "own-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: own\nVersion: 1\n", encoding="utf-8")
    (info / "RECORD").write_text(listed, encoding="utf-8")
    (own,) = importlib.metadata.distributions(path=[str(tmp_path)])
    assert has_own_files(own, tmp_path.resolve())
    assert altered_files(own) == []
    (tmp_path / "rig" / "more.py").write_bytes(b"")
    (tmp_path / "rig" / "__init__.py").write_bytes(b"1")
    (tmp_path / "suites" / "pump").mkdir(parents=True)
    (tmp_path / "suites" / "pump" / "own.robot").write_bytes(b"")
    assert altered_files(own) == [
        "rig/__init__.py was changed",
        "rig/more.py was added",
        "suites/pump/own.robot was added",
    ]


def test_what_sets_up_a_condition_of_the_plan_is_no_setting_of_the_callers(inputs: Inputs) -> None:
    plan = read_plan("conditions", inputs.sheet).plan
    settings = [f"{key}={value}" for each in plan.condition for key, value in each.overrides().items()]
    assert settings
    assert own_settings([*settings, "virtual.seed=2"], plan) == ("virtual.seed=2",)


@pytest.mark.parametrize(
    ("other", "reason"),
    [
        ({"items": (Item(id="OQ-3", asks="", outcome="failed", seen=""),)}, "it failed in OQ-3"),
        ({"valid_until_utc": datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)}, "it was valid until 2026-01-01"),
        ({"operator": None}, "nobody is named who made it"),
        ({"made_utc": datetime.datetime(2999, 1, 1, tzinfo=datetime.UTC)}, "which is later than now"),
        ({"software": CLEAN.model_copy(update={"sha256": "6" * 64})}, "it is of other code of the rig"),
    ],
)
def test_a_qualification_that_failed_expired_or_is_of_other_code_does_not_hold(
    here: Present, other: Mapping[str, Any], reason: str
) -> None:
    (found,) = misfits(made(here, **other), here)
    assert reason in found


def test_a_qualification_of_another_pc_package_or_instrument_does_not_hold(here: Present) -> None:
    assert misfits(made(here), here) == []
    machine = here.machine.model_copy(update={"id": "0" * 64, "host": "bench-pc-2"})
    assert "it is of another PC, bench-pc-2" in misfits(made(here, machine=machine), here)[0]
    packages = dict(here.packages)
    packages["numpy"] = packages["numpy"].model_copy(update={"version": "1.0"})
    del packages["scipy"]
    (found,) = misfits(made(here, packages=packages), here)
    assert found == (
        f"packages are not those that were qualified: numpy {here.packages['numpy'].version} instead of 1.0, "
        "scipy was added"
    )
    other = read_inputs(Sources(BENCH, {"balance.serial_number": "B2"}))
    (found,) = misfits(made(here), replace(here, bench=qualified_bench(other.spec)))
    assert "another bench or of other instruments" in found


def test_new_dates_lots_and_another_pump_of_the_kind_need_no_new_qualification(here: Present) -> None:
    settings = {"pump.serial_number": "X2", "balance.calibration_due": "2027-05-01", "disposables.reservoir": "lot 9"}
    other = read_inputs(Sources(BENCH, settings))
    assert misfits(made(here), replace(here, bench=qualified_bench(other.spec))) == []


def test_a_qualification_that_was_edited_is_refused(here: Present, tmp_path: Path) -> None:
    path = written(made(here), tmp_path)
    assert read_qualification(path).qualification == made(here)
    path.write_text(path.read_text(encoding="utf-8").replace("A. Bee", "B. Cee"), encoding="utf-8")
    with pytest.raises(BenchFileError, match="was changed after it was written"):
        read_qualification(path)


def test_the_latest_that_holds_is_cited_and_else_is_said_why(here: Present, tmp_path: Path) -> None:
    assert latest_qualification(here, tmp_path) == (None, f"there is no qualification in {tmp_path}/; {QUALIFY}")
    hour = datetime.timedelta(hours=1)
    old = made(here, made_utc=here.now - 3 * hour)
    written(old, tmp_path / "old")
    failed = (Item(id="IQ-2", asks="", outcome="failed", seen=""),)
    written(made(here, made_utc=here.now - hour, items=failed), tmp_path / "new")
    file, why = latest_qualification(here, tmp_path)
    assert file is not None
    assert (file.id, why) == (old.id, "")
    (tmp_path / "old" / QUALIFICATION).unlink()
    file, why = latest_qualification(here, tmp_path)
    assert file is None
    assert why.endswith(f"does not hold: it failed in IQ-2; {QUALIFY}")


def test_without_a_qualification_no_run_is_formal(
    inputs: Inputs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(BenchFileError, match=r"\(\d\) there is no qualification in qualification/; rig qualify"):
        formality_of(FormalityAsked(formal=True, operator="A. Bee"), inputs)
    assert formality_of(FormalityAsked(), inputs).qualification is None


def test_a_qualification_that_was_named_and_does_not_hold_is_refused_for_any_run(
    inputs: Inputs, here: Present, tmp_path: Path
) -> None:
    path = written(made(here, valid_until_utc=here.now - datetime.timedelta(hours=1)), tmp_path)
    with pytest.raises(BenchFileError, match="it was valid until"):
        formality_of(FormalityAsked(qualification=path), inputs)
    path.write_text("{}", encoding="utf-8")
    with pytest.raises(BenchFileError, match=r"nobody is named as operator.* \(\d\) .*is no qualification"):
        formality_of(FormalityAsked(formal=True, qualification=path), inputs)


def test_an_operator_without_a_name_is_refused(inputs: Inputs) -> None:
    with pytest.raises(BenchFileError, match="--operator: names nobody"):
        formality_of(FormalityAsked(operator=" "), inputs)


def test_a_run_keeps_the_qualification_that_it_cites(inputs: Inputs, tmp_path: Path) -> None:
    path = written(made(what_is_here(inputs)), tmp_path / "q")
    formality = formality_of(FormalityAsked(qualification=path, operator="A. Bee"), inputs)
    run = start_run(inputs, out=tmp_path / "run", formality=formality)
    manifest = run.manifest()
    assert (manifest.qualification, manifest.operator, manifest.formal) == (formality.qualification.id, "A. Bee", False)  # type: ignore[union-attr]
    assert (run.record / QUALIFICATION).read_bytes() == path.read_bytes()


@pytest.mark.parametrize("formal", [True, False])
def test_each_page_of_a_run_that_is_not_formal_says_so_behind_simulated(tmp_path: Path, formal: bool) -> None:
    inputs = read_inputs(Sources(shipped(DEFAULT_BENCH), {}))
    formality = replace(formality_of(FormalityAsked(), inputs), formal=formal)
    run = start_run(inputs, out=tmp_path / "run", formality=formality)
    end_run(run, "complete")
    marks = marks_of(read_run(run.path))
    assert marks == [SIMULATED, *([] if formal else [NOT_FORMAL])]


def test_rig_verify_refuses_with_exit_code_2_and_makes_nothing(tmp_path: Path) -> None:
    done = rig("verify", "--formal", "--set", "virtual.seed=2", "--select", "basal", "--out", str(tmp_path / "run"))
    assert done.returncode == 2
    assert "--formal: this cannot be a formal run: (1)" in done.stderr
    assert "--set virtual.seed=2 changes the bench for this call" in done.stderr
    assert "--select narrows the plan" in done.stderr
    assert not (tmp_path / "run").exists()


def test_the_stamp_of_now_is_one_that_a_qualification_can_have(here: Present) -> None:
    assert here.now <= datetime.datetime.fromisoformat(utc_now())
