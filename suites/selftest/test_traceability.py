"""The traceability matrix: every link once, every gap of its kind, and the same in CSV, HTML and ReqIF."""

from __future__ import annotations

import csv
import html
import io
import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reqif.parser import ReqIFParser

from reports.traceability import matrix, planned_matrix
from reports.traceability_files import NAMES, write_matrix
from reports.traceability_page import matrix_page
from reports.traceability_reqif import foreign_id, identifier, reqif_of
from reports.traceability_table import COLUMNS, csv_of, guarded
from reports.traced import GapKind, Matrix, TracedHazard, TracedTest, TraceRow, joined_rows
from rig.errors import EvidenceError
from rig.record.reading import read_run
from rig.run.collection import Declaration
from rig.run.inputs import Sources, read_inputs
from rig.shipped import DEFAULT_BENCH, DEFAULT_HAZARDS, shipped
from rig.toml_files import read_toml
from rig.verdicts.limits import Verdict
from suites.selftest.matrices import FRAME, HOSTILE, each_gap, requirement, result
from suites.selftest.recorded import rig

SELECTED = "test_basal or test_consecutive or test_stopped or occlusion_at_the_intermediate"
"""What the plan of the recorded run selects."""
ALL_GAPS = {
    GapKind.HAZARD_WITHOUT_REQUIREMENT: ("H2", "no requirement stands against it: no chemistry here"),
    GapKind.REQUIREMENT_WITHOUT_HAZARD: ("PR-2", "it names no hazard of a catalogue"),
    GapKind.UNTESTED: ("PR-3", "no test decides it"),
    GapKind.TEST_WITHOUT_REQUIREMENT: ("idle", "it decides no requirement; it ended as 'passed'"),
    GapKind.NOT_RUN: ("PR-4", "not selected by 'basal'"),
    GapKind.ERROR: ("PR-5", "the balance did not answer"),
    GapKind.INCONCLUSIVE: ("PR-6", "bolus error is too near to its limit, ≤ 1 U"),
    GapKind.NOT_APPLICABLE: ("PR-7", "this pump has no priming"),
}


def links(found: Matrix) -> list[tuple[str | None, str | None, str | None]]:
    return [(row.hazard, row.requirement, row.test) for row in found.rows]


def table(found: Matrix) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(csv_of(found), newline="")))


def test_each_kind_of_gap_is_found_once_and_told_in_the_order_of_the_way() -> None:
    gaps = each_gap().gaps
    assert {gap.kind: (gap.of, gap.why) for gap in gaps} == ALL_GAPS
    assert [gap.kind for gap in gaps] == list(GapKind)


def test_a_fail_is_no_gap() -> None:
    assert "PR-1" not in {gap.of for gap in each_gap().gaps}


def test_every_link_stands_in_a_row_of_its_own() -> None:
    assert links(each_gap()) == [
        ("H1", "PR-1", "t1"), ("H1", "PR-1", "t[2]"), ("H1", "PR-3", None), ("H1", "PR-4", None), ("H1", "PR-5", "t1"),
        ("H1", "PR-6", "t1"), ("H1", "PR-7", None), ("H1", "PR-8", "t1"), ("H2", None, None), (None, "PR-2", "t1"),
        (None, None, "idle"),
    ]  # fmt: skip


NAMES_OF = st.integers(0, 5)
VERDICTS = st.sampled_from(list(Verdict))


@given(
    hazards=st.integers(0, 6),
    asked=st.lists(st.tuples(st.sets(NAMES_OF), st.dictionaries(NAMES_OF, VERDICTS), VERDICTS), max_size=8),
)
def test_whatever_is_joined_each_edge_is_there_once_and_each_gap_is_one(
    hazards: int, asked: list[tuple[set[int], dict[int, Verdict], Verdict]]
) -> None:
    rows = [
        requirement(
            f"PR-{number}", *(f"H{each}" for each in sorted(named)),
            results={f"t{each}": result(verdict) for each, verdict in tests.items()}, verdict=decided,
        )
        for number, (named, tests, decided) in enumerate(asked)
    ]  # fmt: skip
    known = [TracedHazard(f"H{number}", "text", "source") for number in range(hazards)]
    found = joined_rows(
        FRAME, known, rows, [TracedTest(f"t{number}", "title", "passed") for number in range(6)], of_run=True
    )
    wanted = {
        (hazard, row.id, test) for row in rows for hazard in row.hazards or (None,) for test in row.results or (None,)
    }
    named = {hazard for row in rows for hazard in row.hazards}
    deciding = {test for row in rows for test in row.results}
    lonely = {each.id for each in known if each.id not in named}
    idle = {f"t{number}" for number in range(6)} - deciding
    assert len(links(found)) == len(set(links(found)))
    assert set(links(found)) == (
        wanted | {(name, None, None) for name in lonely} | {(None, None, name) for name in idle}
    )
    assert {gap.of for gap in found.gaps_of(GapKind.HAZARD_WITHOUT_REQUIREMENT)} == lonely
    assert {gap.of for gap in found.gaps_of(GapKind.TEST_WITHOUT_REQUIREMENT)} == idle
    assert {gap.of for gap in found.gaps_of(GapKind.UNTESTED)} == {row.id for row in rows if not row.results}
    assert {gap.of for gap in found.gaps_of(GapKind.REQUIREMENT_WITHOUT_HAZARD)} == {
        row.id for row in rows if not row.hazards
    }
    for kind, verdict in ((GapKind.INCONCLUSIVE, Verdict.INCONCLUSIVE), (GapKind.ERROR, Verdict.ERROR)):
        assert {gap.of for gap in found.gaps_of(kind)} == {
            row.id for row in rows if row.results and row.verdict is verdict
        }


def test_in_a_run_the_matrix_agrees_with_its_results_file(recorded: Path) -> None:
    found = matrix(read_run(recorded))
    results = json.loads((recorded / "record/results.json").read_bytes())
    rows = {row["id"]: row for row in results["requirements"]}
    assert list(found.requirements) == list(rows)
    assert {name: each.verdict.value for name, each in found.requirements.items() if each.verdict} == {
        name: row["verdict"] for name, row in rows.items()
    }
    lonely = set(found.hazards) - {name for row in rows.values() for name in row["hazards"]}
    idle = {test["id"] for test in results["tests"] if not test["requirements"]}
    linked = sum(max(1, len(row["hazards"])) * max(1, len(row["tests"])) for row in rows.values())
    assert len(found.rows) == len(lonely) + linked + len(idle)
    decided = {(row["id"], one["test"]) for row in rows.values() for one in row["measurements"]}
    assert decided == {(row.requirement, row.test) for row in found.rows if (one := found.result(row)) and one.values}
    values = [one.values for each in found.requirements.values() for one in each.results.values() if one is not None]
    assert sum(values) == sum(len(row["measurements"]) for row in rows.values())


def test_in_a_run_each_result_names_files_of_its_record_with_their_hash(recorded: Path) -> None:
    found = matrix(read_run(recorded))
    closing = json.loads((recorded / "record/closing.json").read_bytes())
    results = [one for each in found.requirements.values() for one in each.results.values() if one is not None]
    assert results
    for each in results:
        assert each.evidence
        assert each.nearest is not None
        for file in each.evidence:
            assert file.sha256 == closing["files"][file.path.removeprefix("record/")]["sha256"]
        text = "".join((recorded / file.path).read_text(encoding="utf-8") for file in each.evidence)
        assert json.dumps(each.nearest.name) in text
        assert repr(each.nearest.value) in text
    assert found.frame.head == closing["sha256"]


def test_a_requirement_out_of_the_runs_scope_was_not_run(recorded: Path) -> None:
    found = matrix(read_run(recorded))
    assert [(gap.of, gap.why) for gap in found.gaps_of(GapKind.NOT_RUN)] == [
        ("PR-F2.1", f"not selected by {SELECTED!r}")
    ]
    assert [gap.of for gap in found.gaps_of(GapKind.REQUIREMENT_WITHOUT_HAZARD)] == ["PR-F2.1"]


def test_a_run_of_format_1_has_its_results_for_evidence(old_run: Path) -> None:
    found = matrix(read_run(old_run))
    assert {gap.of for gap in found.gaps_of(GapKind.REQUIREMENT_WITHOUT_HAZARD)} == set(found.requirements)
    files = {file.path for row in found.rows if (one := found.result(row)) for file in one.evidence}
    assert files == {"results.json"}


def test_each_requirement_that_comes_with_the_rig_stands_against_hazards_of_its_catalogue_once_a_test() -> None:
    inputs = read_inputs(Sources(shipped(DEFAULT_BENCH), {}))
    declared = [
        Declaration(test=f"t{number}", title="t", requirements=tuple(inputs.requirements), quantities=())
        for number in range(2)
    ]
    found = planned_matrix(inputs, declared)
    asked = read_toml(inputs.sources.requirements)["requirement"]
    by_requirement = {
        each["id"]: sorted((name, test) for name in each["hazards"] for test in ("t0", "t1")) for each in asked
    }
    assert {
        name: sorted(
            (row.hazard, row.test) for row in found.rows if row.requirement == name and row.hazard and row.test
        )
        for name in found.requirements
    } == by_requirement
    beyond = [each["id"] for each in read_toml(shipped(DEFAULT_HAZARDS))["hazard"] if "not_covered" in each]
    assert [(gap.kind, gap.of) for gap in found.gaps] == [(GapKind.HAZARD_WITHOUT_REQUIREMENT, name) for name in beyond]
    assert {table(found)[0][column] for column in ("verdict", "requirement verdict", "test outcome")} == {"not run"}


def test_a_claim_of_the_matrix_names_document_revision_and_page() -> None:
    found = planned_matrix(read_inputs(Sources(shipped(DEFAULT_BENCH), {})), ())
    claims = {each.name: each for each in found.requirements["PR-D1.1"].claims}
    assert list(claims) == ["basal.intermediate", "basal.tolerance"]
    document = "Reference values for a durable U-100 pump, chosen from published accuracy claims"
    assert claims["basal.tolerance"] == ("basal.tolerance", "±5 %", f"{document}, rev. 1, basal delivery")


def test_csv_has_a_row_a_link_and_reads_back_as_it_was_written() -> None:
    found = each_gap()
    rows = table(found)
    assert csv_of(found).split("\r\n")[0] == ",".join(COLUMNS)
    assert [(row["hazard"], row["requirement"], row["test"]) for row in rows] == [
        tuple(each or "" for each in link) for link in links(found)
    ]
    first = rows[1]
    assert (first["maker's hazard"], first["maker's source"]) == ("HAZ-0042 (critical)", "Risk file, rev. 2, p. 14")
    assert (first["verdict"], first["value"], first["U (k=2)"], first["unit"]) == ("FAIL", "2.000", "0.012", "U")
    assert (first["evidence"], first["SHA-256"]) == ("record/tests/t/1/measured.json", "c" * 64)
    assert first["claims"] == "bolus.tolerance ±5 % [Guide, rev. 3, p. 12]"
    assert first["hazard text"] == f"'{HOSTILE}"


@pytest.mark.parametrize("cell", ["=1+1", "+1+1", "-1+1", "@SUM(A1)", "\tx", "\rx", "=", "-"])
def test_what_a_spreadsheet_would_take_for_a_formula_is_guarded(cell: str) -> None:
    assert guarded(cell) == f"'{cell}"


@pytest.mark.parametrize("cell", ["-0.5", "+3", "−0.5", "PR-1", "", "1-2", "-1e-3"])
def test_a_number_and_plain_words_are_not_guarded(cell: str) -> None:
    assert guarded(cell) == cell


@given(st.text())
def test_no_cell_begins_like_a_formula_unless_it_is_a_number(cell: str) -> None:
    written = guarded(cell)
    if written[:1] in "=+-@\t\r" and written:
        assert float(written) == float(cell)


def test_the_page_holds_every_id_and_gap_and_loads_nothing() -> None:
    found = each_gap()
    page = matrix_page(found)
    words = html.unescape(re.sub(r"<[^>]+>", "", page))
    for name in (*found.requirements, *found.tests, *found.hazards):
        assert name in words
    for gap in found.gaps:
        assert gap.why in words
    assert words.count("SIMULATED") >= 3
    assert not re.search(r"(?:src|href)\s*=\s*[\"'](?!#)", page)
    assert "http" not in page.replace("http-equiv", "")
    assert "<b>" not in page
    assert page.index('id="gaps"') < page.index('id="matrix"')
    anchors = re.findall(r'id="([^"]+)"', page)
    assert len(anchors) == len(set(anchors))
    assert set(re.findall(r'href="#([^"]+)"', page)) <= set(anchors)


def test_reqif_reads_back_with_each_object_relation_and_verdict() -> None:
    found = each_gap()
    bundle = ReqIFParser.parse_from_string(reqif_of(found))
    assert not bundle.exceptions
    content = bundle.core_content.req_if_content
    assert [each.identifier for each in content.spec_objects] == [
        *(identifier("hazard", name) for name in found.hazards),
        *(identifier("requirement", name) for name in found.requirements),
        *(identifier("test", name) for name in found.tests),
    ]
    edges = {(each.source, each.target): each for each in content.spec_relations}
    assert len(edges) == len(content.spec_relations) == 7 + 6
    verdict = edges[identifier("test", "t[2]"), "requirement-PR-1"].values[0]
    assert (verdict.definition_ref, verdict.value) == ("field-verifies-verdict", ["verdict-FAIL"])
    objects = {each.identifier: each.attribute_map for each in content.spec_objects}
    of_requirement = {
        name: objects[f"requirement-{name}"]["field-requirement-verdict"].value[0] for name in found.requirements
    }
    assert of_requirement == {
        name: f"verdict-{each.verdict.value.replace(' ', '-')}"
        for name, each in found.requirements.items()
        if each.verdict is not None
    }
    text = html.unescape(objects["hazard-H1"]["field-hazard-reqif.text"].value)
    assert text == " ".join(HOSTILE.replace("\x01", "\ufffd").split())
    assert {each.last_change for each in content.spec_objects} == {"2026-11-28T08:15:02Z"}


def test_the_id_of_a_test_is_told_apart_from_one_that_looks_alike() -> None:
    assert foreign_id("suites/pump/a.robot::B C") == "suites/pump/a.robot::B C"
    assert len({foreign_id("a[1]"), foreign_id("a(1)"), foreign_id("a{1}"), foreign_id("a_1_")}) == 4


def test_the_same_matrix_gives_the_same_bytes_and_none_are_overwritten(tmp_path: Path) -> None:
    written = [write_matrix(tmp_path / name, each_gap()) for name in ("a", "b")]
    assert [path.read_bytes() for path in written[0]] == [path.read_bytes() for path in written[1]]
    with pytest.raises(EvidenceError, match=r"matrix\.csv: is there already, and nothing is overwritten"):
        write_matrix(tmp_path / "a", each_gap())


def test_rig_trace_writes_beside_a_run_and_tells_gaps_first(run: Path) -> None:
    done = rig("trace", str(run))
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[0] == "SIMULATED — no evidence about any device"
    assert f"Requirement not run: 1\n  PR-F2.1: not selected by {SELECTED!r}\n" in done.stdout
    folder = run.with_name(f"{run.name}-traceability")
    assert sorted(path.name for path in folder.iterdir()) == sorted(NAMES)
    strict = rig("trace", str(run), "--fail-on-gaps", "--out", str(run.parent / "other"))
    assert strict.returncode == 4, strict.stderr
    again = rig("trace", str(run), "--out", str(folder))
    assert again.returncode == 3
    assert "is there already, and nothing is overwritten" in again.stderr
    both = rig("trace", str(run), "--plan", "smoke")
    assert (both.returncode, both.stderr.count("\n")) == (2, 1)
    assert "--plan" in both.stderr


def test_rig_trace_says_in_one_sentence_that_there_is_no_such_run(tmp_path: Path) -> None:
    done = rig("trace", str(tmp_path / "none"))
    assert (done.returncode, done.stderr.count("\n"), "Traceback" in done.stderr) == (3, 1, False)
    assert not (tmp_path / "none-traceability").exists()


def test_a_row_without_a_test_has_no_result() -> None:
    assert each_gap().result(TraceRow("H1", "PR-3", None)) is None
