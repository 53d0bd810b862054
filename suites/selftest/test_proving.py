"""Proof that the suite bites: what is tried first, what counts as caught, what is kept; and two wrong pumps."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.bench.far_side import EXECUTED, FUNCTIONS
from rig.bench.open import open_bench
from rig.cli.prove import WRONG_HARDWARE
from rig.errors import BenchFileError
from rig.proving.changed import SourceFunction, changed_functions, functions_in, still_there
from rig.proving.order import in_order
from rig.proving.proof import PROOF, TRIED, append_tried, page_of, proof_of, read_tried
from rig.proving.pumps import TriedPump, found_in, named_patches, pumps_named, seeds, with_families, wrong_hardware
from rig.proving.trial import digest_of, outcome_of, right_fail
from rig.record.folder import RunFolder
from rig.record.proof import Proof, Tried
from rig.record.results import Outcome, TestRecord
from rig.run.collection import Declaration
from rig.run.first_fail import Fail, fails_in
from rig.run.provoked import held_faults, provoked_in
from rig.shipped import shipped
from rig.virtual.mcu.image import read_elf
from suites.measuring import VIRTUAL
from suites.selftest.recorded import rig
from suites.stands.own_requirements import own_requirements

SOURCE = """\
static int helper(int x)
{
    return x + 1;
}

int outer(void)
{
    return helper(2);
}
"""
MUTANTS = shipped("fixtures/controller/mutants")


def declared(test: str, bench_time_s: float | None, *requirements: str) -> Declaration:
    return Declaration(test=test, title=test, requirements=requirements, quantities=(), bench_time_s=bench_time_s)


def ended(*outcomes: Outcome) -> list[TestRecord]:
    return [
        TestRecord(id=str(n), title="", outcome=each, message=None, duration_s=0.0, requirements=(), quantities=())
        for n, each in enumerate(outcomes)
    ]


def test_functions_of_a_source_and_those_that_a_patch_changes() -> None:
    assert functions_in(SOURCE) == [SourceFunction("helper", 1, 4), SourceFunction("outer", 6, 9)]
    patch = "--- a/x.c\n+++ b/x.c\n@@ -2,3 +2,3 @@\n {\n-    return x + 1;\n+    return x;\n }\n"
    assert changed_functions(patch, {"x.c": SOURCE}) == {"helper"}
    added = "--- a/x.c\n+++ b/x.c\n@@ -6,3 +6,4 @@ helper\n int outer(void)\n {\n+    x();\n     return helper(2);\n"
    assert changed_functions(added, {"x.c": SOURCE}) == {"outer"}
    assert changed_functions(patch, {}) == set()


def test_a_function_that_stands_in_its_callers_is_looked_for_there() -> None:
    assert still_there({"helper"}, {"outer"}, {"x.c": SOURCE}) == {"outer"}
    assert still_there({"helper"}, {"helper", "outer"}, {"x.c": SOURCE}) == {"helper"}
    assert still_there({"nowhere"}, {"outer"}, {"x.c": SOURCE}) == set()


def test_every_named_patch_of_a_function_is_placed_in_one() -> None:
    texts = {path.name: path.read_text(encoding="utf-8") for path in (MUTANTS.parent / "firmware").glob("*.c")}
    placed = [
        changed_functions(pump.path.read_text(encoding="utf-8"), texts) for pump in named_patches(MUTANTS) if pump.path
    ]
    assert sum(not each for each in placed) / len(placed) < 0.15  # what is left changes a constant or a table


def test_tests_of_what_must_fail_come_first_then_those_that_execute_the_change_then_the_short() -> None:
    tests = [
        declared("long", 900.0),
        declared("unknown", None),
        declared("covers", 300.0),
        declared("must", 600.0, "PR-1"),
        declared("must covers", 700.0, "PR-1"),
    ]
    executed = {"covers": {"dose"}, "must covers": {"dose", "stop"}, "long": {"stop"}}
    stages = in_order(tests, ["PR-1"], ["dose"], executed)
    assert [[each.test for each in stage] for stage in stages] == [
        ["must covers", "must"],
        ["covers"],
        ["long", "unknown"],
    ]
    assert [[each.test for each in stage] for stage in in_order(tests[:3], [], [], {})] == [
        ["covers", "long", "unknown"]
    ]


@given(st.lists(st.tuples(st.floats(1.0, 1e5), st.sets(st.sampled_from("ab")), st.sets(st.sampled_from("fg")))))
def test_every_test_is_tried_once(drawn: list[tuple[float, set[str], set[str]]]) -> None:
    tests = [declared(str(n), time_s, *sorted(ids)) for n, (time_s, ids, _) in enumerate(drawn)]
    executed = {str(n): names for n, (_, _, names) in enumerate(drawn)}
    stages = in_order(tests, ["a"], ["f"], executed)
    assert sorted(each.test for stage in stages for each in stage) == sorted(each.test for each in tests)
    assert all(stages)


FAILS = [Fail("PR-2", "t", "1 U"), Fail("PR-1", "t", "2 U")]


@pytest.mark.parametrize(
    ("expected", "fails", "outcomes", "trouble", "outcome"),
    [
        (("PR-1",), FAILS, ("failed",), None, "caught"),
        ((), FAILS, ("failed",), None, "caught"),
        (("PR-3",), FAILS, ("failed",), None, "caught elsewhere"),
        (("PR-1",), FAILS, ("failed", "error"), "a runner died", "caught"),
        (("PR-1",), [], ("passed", "not applicable"), None, "escaped"),
        (("PR-1",), [], ("passed", "error"), None, "error"),
        (("PR-1",), [], ("passed", "not run"), None, "error"),
        (("PR-1",), [], ("passed",), "a runner died", "error"),
    ],
)
def test_a_fail_in_the_record_catches_and_trouble_is_no_escape(
    expected: tuple[str, ...], fails: list[Fail], outcomes: tuple[Outcome, ...], trouble: str | None, outcome: str
) -> None:
    pump = TriedPump("p", "image", None, (), expected)
    assert outcome_of(pump, fails, ended(*outcomes), trouble=trouble) == outcome
    assert outcome_of(pump, [], [], trouble=None) == "error"


def test_what_does_not_hold_over_a_tests_whole_record_is_a_fail_of_it(run: Path) -> None:
    """It is in no list of what the test was to decide, and found when the run has ended."""
    assert fails_in(RunFolder(run), own_requirements()) == []
    path = next(iter(sorted(run.glob("record/tests/*/1/invariants.json"))))
    found = json.loads(path.read_text(encoding="utf-8"))
    for each in found["measured"]:
        if each["quantity"]["kind"] == "recorded.wrong_numbers":
            each["value"] = 2.0
    path.write_text(json.dumps(found), encoding="utf-8")
    (fail,) = fails_in(RunFolder(run), own_requirements())
    assert fail.requirement == "PR-V1.2"
    assert "is 2 entries, limit ≤ 0 entries" in fail.measured


def test_a_right_pump_is_clean_or_failed_falsely() -> None:
    (pump,) = seeds(1, first=4)
    assert pump.settings == (("virtual.seed", 4),)
    assert outcome_of(pump, [], ended("passed"), trouble=None) == "clean"
    assert outcome_of(pump, FAILS, ended("failed"), trouble=None) == "false fail"
    assert right_fail(FAILS, ()) == FAILS[0]


def test_holes_are_told_first_and_trouble_does_not_count_in_the_share() -> None:
    tried = [
        Tried(name="b", source="patch", outcome="caught", requirement="PR-1", test="t", wall_s=4.0),
        Tried(name="a", source="patch", outcome="error", reason="a runner died", wall_s=2.0),
        Tried(name="z", source="image", outcome="escaped", wall_s=60.0),
    ]
    proof = proof_of(tried, "default", "rig 1", {}, simulated=True)
    assert [each.name for each in proof.tried] == ["z", "a", "b"]
    assert proof.counts == {"escaped": 1, "error": 1, "caught": 1}
    assert proof.share is not None
    assert (proof.share.hits, proof.share.of) == (1, 2)
    assert proof.median_wall_s == 4.0
    assert "| z | escaped | – | any | 60 s |" in page_of(proof)


def test_the_ledger_keeps_every_line_but_one_that_was_cut_off(tmp_path: Path) -> None:
    for name, outcome in (("a", "error"), ("b", "caught"), ("a", "caught")):
        append_tried(tmp_path, Tried.model_validate({"name": name, "source": "patch", "outcome": outcome}))
    with (tmp_path / TRIED).open("a", encoding="utf-8") as file:
        file.write('{"name": "c", "sou')
    assert {name: each.outcome for name, each in read_tried(tmp_path).items()} == {"a": "caught", "b": "caught"}
    assert read_tried(tmp_path / "nowhere") == {}


def test_a_trial_is_another_with_other_inputs_settings_or_requirements() -> None:
    pump = TriedPump("p", "image")
    others = [
        digest_of(pump, "image", {"plan": "1"}),
        digest_of(pump, "image", {"plan": "2"}),
        digest_of(pump, "other image", {"plan": "1"}),
        digest_of(TriedPump("p", "image", expected=("PR-1",)), "image", {"plan": "1"}),
        digest_of(TriedPump("p", "image", settings=(("virtual.seed", 2),)), "image", {"plan": "1"}),
    ]
    assert len(set(others)) == len(others)


def test_wrong_hardware_has_at_least_ten_sets(tmp_path: Path) -> None:
    pumps = wrong_hardware(shipped(WRONG_HARDWARE))
    assert len(pumps) >= 10
    assert all(pump.expected and pump.settings for pump in pumps)
    assert all(key.startswith("virtual.") for pump in pumps for key, _ in pump.settings)
    path = tmp_path / "h.toml"
    path.write_text("[a]\nset = {}\n", encoding="utf-8")
    with pytest.raises(BenchFileError, match=re.escape(f"{path}: a: allowed are set, a table of bench settings, and")):
        wrong_hardware(path)


def test_what_cannot_be_tried_is_refused_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(BenchFileError, match=re.escape(f"{tmp_path}: there is no file *.elf in it")):
        found_in(tmp_path, "image")
    with pytest.raises(BenchFileError, match=r"there is no wrong pump 'c'; known are a, b"):
        pumps_named([TriedPump("a", "image"), TriedPump("b", "image")], ["c"])
    (tmp_path / "a.patch").write_text("", encoding="utf-8")
    (tmp_path / "expected.toml").write_text('b = ["PR-1"]', encoding="utf-8")
    with pytest.raises(BenchFileError, match="patches and entries differ: a, b"):
        named_patches(tmp_path)


def test_a_family_of_requirements_may_be_expected() -> None:
    known = ["PR-D2.1", "PR-D2.2", "PR-D20.1", "PR-F1.1"]
    (pump,) = with_families([TriedPump("p", "image", expected=("PR-F1.1", "PR-D2"))], known)
    assert pump.expected == ("PR-D2.1", "PR-D2.2", "PR-F1.1")
    with pytest.raises(BenchFileError, match=re.escape("p: no requirement has the id 'PR-X1', which it is said to")):
        with_families([TriedPump("p", "image", expected=("PR-D2", "PR-X1"))], known)


def test_a_provoked_fault_stays_whatever_a_test_asks_of_its_line() -> None:
    with open_bench(VIRTUAL) as bench:
        assert {"F1", "F9", "F33 hot"} <= set(held_faults(bench.switch.lines))
        assert held_faults(["waste"]) == ["F9"]
        for name in held_faults(bench.switch.lines):
            with provoked_in(bench, name):
                pass
        with provoked_in(bench, "F1") as wrong:
            wrong.switch.set_line("occluder", energised=False)
            wrong.switch.make_safe()
            assert wrong.switch.is_energised("occluder")
            wrong.switch.set_line("waste", energised=True)
            wrong.switch.set_line("waste", energised=False)
            assert not wrong.switch.is_energised("waste")
        assert not bench.switch.is_energised("occluder")
        with pytest.raises(BenchFileError, match="provoke is 'F5': no line of this bench"), provoked_in(bench, "F5"):
            pass


def test_wrong_pumps_are_caught_kept_and_not_tried_again(tmp_path: Path) -> None:
    """Of the images that need no compiler; the command stops at the first right FAIL of each."""
    out = str(tmp_path / "proof")
    names = ["never_alarm", "over_deliver_10_percent"]
    done = rig("prove", *names, "--out", out, "--jobs", "2")
    assert done.returncode == 0, done.stdout + done.stderr
    refused = rig("prove", *names, "--out", out)
    assert refused.returncode == 2
    assert "holds a proof already; go on with it with --resume" in refused.stderr
    again = rig("prove", *names, "--out", out, "--resume")
    assert again.returncode == 0, again.stdout + again.stderr
    assert "2 pumps were tried before and are not tried again." in again.stdout
    proof = Proof.model_validate(json.loads((tmp_path / "proof" / PROOF).read_text(encoding="utf-8")))
    assert [(each.name, each.outcome) for each in proof.tried] == [(name, "caught") for name in names]
    assert {each.requirement for each in proof.tried} <= {"PR-F1.1", "PR-D1.1", "PR-D3.2"}
    assert [str(each.test).count("::") for each in proof.tried] == [1, 1], "file and name, strokes of units and all"
    assert len((tmp_path / "proof" / TRIED).read_text(encoding="utf-8").splitlines()) == 2


def test_a_run_stops_at_its_first_fail_and_can_be_resumed(tmp_path: Path) -> None:
    """The pump that delivers 10 % too much fails a test of pytest; nothing of Robot Framework is begun then."""
    image = (MUTANTS / "over_deliver_10_percent.elf").resolve()
    out = str(tmp_path / "run")
    chosen = ["--select", "PR-D5.1 or PR-L1.1", "--set", f"virtual.firmware={image}"]
    done = rig("verify", *chosen, "--stop-at-fail", "--jobs", "1", "--out", out)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "the run was stopped at its first FAIL: PR-D5.1 in " in done.stdout
    assert f"Go on with it: rig resume {out}" in done.stdout
    results = json.loads((tmp_path / "run/record/results.json").read_text(encoding="utf-8"))
    outcomes = {test["id"].rpartition("::")[2]: test["outcome"] for test in results["tests"]}
    assert outcomes["Boluses Above The Maximum Are Refused"] == "not run"


def test_a_test_leaves_which_functions_of_the_firmware_it_executed(tmp_path: Path) -> None:
    """The first instruction after a reset is executed, the one behind the code never."""
    image = read_elf((MUTANTS.parent / "controller.elf").read_bytes())
    (at, code), *_ = image.segments
    entry = int.from_bytes(code[4:8], "little")
    (tmp_path / FUNCTIONS).write_text(json.dumps({"reset": entry, "never": at + len(code) + 64}), encoding="utf-8")
    with open_bench(VIRTUAL, {"virtual.functions": str(tmp_path)}, occasion="a test") as bench:
        bench.clock.sleep(1.0)
    (path,) = tmp_path.glob(f"*{EXECUTED}")
    assert json.loads(path.read_text(encoding="utf-8")) == {"test": "a test", "executed": ["reset"]}
