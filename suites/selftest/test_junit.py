"""The JUnit file of a run says of each test what the record says: read back by another program's reader."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from junitparser import Error, Failure, JUnitXml, Properties, Skipped, TestCase

from reports.junit import cases_of, in_xml, refuse_unwritable, write_junit
from rig.errors import BenchFileError, EvidenceError
from rig.verdicts.limits import Verdict, worst
from suites.selftest.recorded import (
    BASAL,
    BOLUS,
    OCCLUSION,
    STOPPED,
    blocked,
    ended,
    ended_otherwise,
    measured,
    results,
    rig,
    unmeasured,
)

GOOD = (Verdict.PASS, Verdict.NOT_APPLICABLE)


def written(run: Path, to: Path) -> JUnitXml:
    write_junit(to / "results.xml", {"short": run})
    return JUnitXml.fromfile(str(to / "results.xml"))


def cases(file: JUnitXml) -> dict[str, TestCase]:
    return {f"{case.classname}::{case.name}": case for suite in file for case in suite}


def case_of(file: JUnitXml, test: str) -> TestCase:
    return next(case for case in cases(file).values() if case.name == test.partition("::")[2])


def properties(case: TestCase) -> dict[str, str]:
    return {each.name: each.value for each in case.child(Properties)}


def test_every_test_of_both_runners_is_one_case(recorded: Path, tmp_path: Path) -> None:
    file = written(recorded, tmp_path)
    assert sorted(cases(file)) == [
        "suites.pump.occlusion::Occlusion At The Intermediate Rate",
        "suites.pump.test_basal::test_basal_delivery[1 U/h]",
        "suites.pump.test_bolus::test_consecutive_boluses[1 U]",
        "suites.pump.test_stopped::test_stopped_pump[30 min]",
    ]
    assert (file.tests, file.failures, file.errors, file.skipped) == (4, 0, 0, 0)


def test_a_case_has_the_value_with_all_digits_of_the_record(recorded: Path, tmp_path: Path) -> None:
    row = next(row for row in results(recorded).requirements if row.id == "PR-D1.1")
    value = row.measurements[0]
    told = properties(case_of(written(recorded, tmp_path), BASAL))
    assert float(told[f"PR-D1.1 {value.name} value"]) == value.value
    assert float(told[f"PR-D1.1 {value.name} U"]) == value.expanded_uncertainty
    assert told[f"PR-D1.1 {value.name} unit"] == "%"
    assert told[f"PR-D1.1 {value.name} limit"] == str(value.limit.limit)
    assert (told["PR-D1.1 verdict"], told["attempts"], told["SIMULATED"]) == ("PASS", "1", "yes")
    assert told["NOT FORMAL"] == "yes"


def test_what_is_outside_its_limit_is_a_failure_of_its_test_alone(run: Path, tmp_path: Path) -> None:
    name = next(row for row in results(run).requirements if row.id == "PR-D1.1").measurements[0].name
    measured(run, BASAL, {"basal.mean_error": (12.0, 1.0)})
    file = written(run, tmp_path)
    (failure,) = case_of(file, BASAL).result
    assert isinstance(failure, Failure)
    assert failure.type == "FAIL"
    assert failure.message.startswith(f"PR-D1.1 FAIL: {name} 12 %, U 1 %, limit ")
    assert [case_of(file, each).result for each in (BOLUS, OCCLUSION, STOPPED)] == [[], [], []]
    assert (file.failures, file.errors) == (1, 0)


def test_what_cannot_be_decided_is_no_success(run: Path, tmp_path: Path) -> None:
    measured(run, BASAL, {"basal.mean_error": (4.9, 1.0)})
    (error,) = case_of(written(run, tmp_path), BASAL).result
    assert isinstance(error, Error)
    assert error.type == "INCONCLUSIVE"


def test_what_the_rig_could_not_finish_is_an_error_with_its_reason(run: Path, tmp_path: Path) -> None:
    unmeasured(run, BOLUS, "error", "the balance \x00 is <silent> & gone")
    (error,) = case_of(written(run, tmp_path), BOLUS).result
    assert isinstance(error, Error)
    assert error.type == "ERROR"
    assert "the balance [U+0000] is <silent> & gone" in error.text


def test_what_the_pump_cannot_do_is_skipped(run: Path, tmp_path: Path) -> None:
    unmeasured(run, OCCLUSION, "not applicable", "the pump has no such alarm")
    (skipped,) = case_of(written(run, tmp_path), OCCLUSION).result
    assert isinstance(skipped, Skipped)
    assert "no such alarm" in skipped.message


@pytest.mark.parametrize("outcome", ["interrupted", "broken"])
def test_a_run_that_broke_off_is_an_error_though_its_tests_passed(run: Path, tmp_path: Path, outcome: str) -> None:
    ended(run, outcome)  # type: ignore[arg-type]
    file = written(run, tmp_path)
    (error,) = cases(file)["rig.run::the run"].result
    assert error.type == "ERROR"
    assert case_of(file, BASAL).result == []


def test_a_blocked_run_has_no_success(run: Path, tmp_path: Path) -> None:
    blocked(run, {"balance": "the balance does not answer"})
    file = written(run, tmp_path)
    assert file.errors > 0
    assert not [each for each in cases(file).values() if not each.result]


def test_a_damaged_run_is_an_error_beside_the_good_one(recorded: Path, run: Path, tmp_path: Path) -> None:
    (run / "record" / "results.json").write_bytes(b"{}")
    write_junit(tmp_path / "both.xml", {"good": recorded, "damaged": run})
    good, damaged = JUnitXml.fromfile(str(tmp_path / "both.xml"))
    assert (good.tests, good.errors) == (4, 0)
    assert (damaged.tests, damaged.errors) == (1, 1)


def test_the_worst_case_is_never_better_than_the_run(run: Path) -> None:
    for test in (BASAL, BOLUS, OCCLUSION, STOPPED):
        ended_otherwise(run, test, "interrupted", "power cut")
        joined = results(run)
        told = worst([each.verdict for each in cases_of(joined)])
        assert worst([told, joined.verdict]) is told
        assert joined.verdict not in GOOD


def test_two_files_of_a_record_are_equal(recorded: Path, tmp_path: Path) -> None:
    for name in ("a.xml", "b.xml"):
        write_junit(tmp_path / name, {"short": recorded})
    assert (tmp_path / "a.xml").read_bytes() == (tmp_path / "b.xml").read_bytes()


def test_a_place_that_cannot_be_written_is_refused_before_anything_is_measured(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    for path, why in ((tmp_path / "file", "is there already"), (tmp_path / "file" / "results.xml", "is a file")):
        ended_with = rig("verify", "--junit", str(path), "--out", str(tmp_path / "run"))
        assert ended_with.returncode == 2, ended_with.stderr
        assert why in ended_with.stderr
        assert not (tmp_path / "run").exists()
    assert (tmp_path / "file").read_text() == "mine"


def test_a_place_in_a_folder_that_is_still_to_be_made_is_taken(recorded: Path, tmp_path: Path) -> None:
    path = tmp_path / "new" / "results.xml"
    refuse_unwritable(path)
    write_junit(path, {"short": recorded})
    with pytest.raises(BenchFileError, match="is there already"):
        refuse_unwritable(path)


def test_a_file_that_cannot_be_written_in_the_end_is_said(recorded: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(EvidenceError):
        write_junit(tmp_path / "file" / "results.xml", {"short": recorded})


@given(st.text(st.characters(exclude_categories=[])))
def test_any_text_becomes_text_that_xml_allows(text: str) -> None:
    from xml.etree import ElementTree

    element = ElementTree.Element("a", said=in_xml(text))
    ElementTree.fromstring(ElementTree.tostring(element, encoding="utf-8"))
    assert in_xml(in_xml(text)) == in_xml(text)


def test_rig_verify_writes_it(tmp_path: Path) -> None:
    path = tmp_path / "results.xml"
    done = rig("verify", "--select", "test_stopped", "--out", str(tmp_path / "run"), "--junit", str(path))
    file = JUnitXml.fromfile(str(path))
    assert f"JUnit: {path}" in done.stdout
    assert (done.returncode == 0) is (file.failures + file.errors == 0)
    assert "suites.pump.test_stopped::test_stopped_pump[30 min]" in cases(file)
