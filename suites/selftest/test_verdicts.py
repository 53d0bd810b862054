"""Limits, verdicts and the joining of requirements with measurements."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rig.evidence import RunFolder

from rig.clock import SimClock
from rig.errors import BenchFileError
from rig.roles import Capability, Pump
from rig.run.results import EXIT_CODES, join
from rig.run.verification import NotApplicableError, RequirementNotMetError, Verification
from rig.verdicts.limits import Limit, Measurement, Rule, Verdict, decide, judge, worst
from rig.verdicts.requirements import MeasurementRule, Requirement, read_requirements

LIMIT = Limit("%", low=-5.0, high=5.0)


@pytest.mark.parametrize(
    ("value", "u", "verdict"),
    [
        (0.0, 0.0, Verdict.PASS),
        (4.0, 1.0, Verdict.PASS),
        (4.0, 1.1, Verdict.INCONCLUSIVE),
        (5.5, 1.0, Verdict.INCONCLUSIVE),
        (6.1, 1.0, Verdict.FAIL),
        (-6.1, 1.0, Verdict.FAIL),
        (-4.5, 1.0, Verdict.INCONCLUSIVE),
        (0.0, 6.0, Verdict.INCONCLUSIVE),
    ],
)
def test_a_verdict_needs_the_whole_uncertainty_on_one_side(value: float, u: float, verdict: Verdict) -> None:
    assert judge(Measurement("error", value, "%", u), LIMIT) is verdict


@given(st.floats(-100, 100), st.floats(0, 50), st.floats(0, 50))
def test_a_larger_uncertainty_never_decides_more(value: float, u: float, more: float) -> None:
    first, second = (judge(Measurement("error", value, "%", spread), LIMIT) for spread in (u, u + more))
    assert second in (first, Verdict.INCONCLUSIVE)


def test_a_measurement_in_another_unit_than_its_limit_is_refused() -> None:
    with pytest.raises(ValueError, match="error is in 'U', its limit in '%'"):
        judge(Measurement("error", 0.0, "U"), LIMIT)


SIMPLE = Rule.SIMPLE_ACCEPTANCE


@pytest.mark.parametrize(
    ("value", "u", "verdict"),
    [
        (5.0, 5.0 / 3.0, Verdict.PASS),
        (4.9, 1.6, Verdict.PASS),
        (5.1, 1.6, Verdict.FAIL),
        (-5.1, 0.0, Verdict.FAIL),
        (0.0, 1.7, Verdict.INCONCLUSIVE),
        (50.0, 1.7, Verdict.INCONCLUSIVE),
    ],
)
def test_simple_acceptance_looks_at_the_value_alone_where_u_is_a_third_of_the_limit(
    value: float, u: float, verdict: Verdict
) -> None:
    assert judge(Measurement("error", value, "%", u), LIMIT, SIMPLE) is verdict


def test_simple_acceptance_with_too_large_a_u_says_why_it_cannot_decide() -> None:
    decision = decide(Measurement("error", 0.0, "%", 2.0), LIMIT, SIMPLE)
    assert decision.reason == "error: simple acceptance needs U ≤ 1.67 %, a third of the limit, and U is 2 %"


@given(st.floats(-20, 20), st.floats(0, 5.0 / 3.0))
def test_both_rules_never_contradict_each_other(value: float, u: float) -> None:
    measurement = Measurement("error", value, "%", u)
    assert judge(measurement, LIMIT) in (judge(measurement, LIMIT, SIMPLE), Verdict.INCONCLUSIVE)


@pytest.mark.parametrize(
    ("limit", "tolerance"),
    [(LIMIT, 5.0), (Limit("U", 15, 25), 5.0), (Limit("U", low=-3), 3.0), (Limit("U", high=2), 2)],
)
def test_the_tolerance_is_half_the_width_or_the_one_end(limit: Limit, tolerance: float) -> None:
    assert limit.tolerance == tolerance


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_measurement_is_a_finite_number(value: float) -> None:
    with pytest.raises(ValueError, match="error is not a finite number"):
        Measurement("error", value, "%")


@pytest.mark.parametrize("ends", [(None, None), (5.0, -5.0), (math.nan, 1.0)])
def test_a_limit_has_ends_in_order(ends: tuple[float | None, float | None]) -> None:
    with pytest.raises(ValueError, match="limit"):
        Limit("%", *ends)


@pytest.mark.parametrize(
    ("limit", "text"),
    [(LIMIT, "±5 %"), (Limit("U", high=5), "≤ 5 U"), (Limit("U", low=1), "≥ 1 U"), (Limit("U", 15, 25), "15 … 25 U")],
)
def test_a_limit_reads_as_people_write_it(limit: Limit, text: str) -> None:
    assert str(limit) == text


def test_the_worst_verdict_speaks_and_nothing_measured_is_no_pass() -> None:
    assert worst([]) is Verdict.UNSET
    assert worst([Verdict.PASS, Verdict.NOT_APPLICABLE]) is Verdict.PASS
    assert worst([Verdict.PASS, Verdict.UNSET]) is Verdict.UNSET
    assert worst([Verdict.ERROR, Verdict.INCONCLUSIVE]) is Verdict.ERROR
    assert worst([Verdict.ERROR, Verdict.FAIL]) is Verdict.FAIL


def test_exit_codes_are_those_of_the_manual() -> None:
    assert {verdict.value: code for verdict, code in EXIT_CODES.items()} == {
        "PASS": 0,
        "NOT APPLICABLE": 0,
        "FAIL": 1,
        "ERROR": 3,
        "UNSET": 3,
        "INCONCLUSIVE": 4,
    }


REQUIREMENTS = {
    name: Requirement(
        id=name,
        text="text",
        clause="clause",
        hazard="hazard",
        measurement=(MeasurementRule(name="error", unit="%", low=-5, high=5),),
    )
    for name in ("PR-1", "PR-2")
}


def collected(test: str, *requirements: str) -> dict[str, Any]:
    return {"event": "collected", "test": test, "title": test, "requirements": list(requirements)}


def ended(test: str, outcome: str = "passed", message: str | None = None) -> dict[str, Any]:
    return {"event": "end", "test": test, "outcome": outcome, "message": message, "duration_s": 1.0}


def measured(test: str, requirement: str, value: float) -> dict[str, Any]:
    return {
        "event": "measurement",
        "test": test,
        "requirement": requirement,
        "name": "error",
        "value": value,
        "unit": "%",
        "expanded_uncertainty": 0.5,
    }


def verdicts(results: Mapping[str, Any]) -> list[str]:
    return [row["verdict"] for row in results["requirements"]]


def test_everything_measured_and_inside_passes() -> None:
    events = [collected("t", "PR-1", "PR-2"), measured("t", "PR-1", 1), measured("t", "PR-2", -1), ended("t")]
    results = join(REQUIREMENTS, events)
    assert (results["verdict"], verdicts(results)) == ("PASS", ["PASS", "PASS"])


def test_a_requirement_is_decided_by_the_rule_it_states() -> None:
    simple = REQUIREMENTS["PR-1"].model_copy(update={"rule": SIMPLE})
    events = [collected("t", "PR-1"), measured("t", "PR-1", 4.8), ended("t")]
    assert verdicts(join({"PR-1": REQUIREMENTS["PR-1"]}, events)) == ["INCONCLUSIVE"]
    row = join({"PR-1": simple}, events)["requirements"][0]
    assert (row["verdict"], row["measurements"][0]["rule"]) == ("PASS", "simple acceptance")


def test_a_rule_that_may_not_be_used_gives_its_reason_to_the_requirement() -> None:
    simple = REQUIREMENTS["PR-1"].model_copy(update={"rule": SIMPLE})
    events = [collected("t", "PR-1"), measured("t", "PR-1", 0) | {"expanded_uncertainty": 2.0}, ended("t")]
    row = join({"PR-1": simple}, events)["requirements"][0]
    assert (row["verdict"], row["reason"]) == (
        "INCONCLUSIVE",
        "error: simple acceptance needs U ≤ 1.67 %, a third of the limit, and U is 2 %",
    )


def test_an_unknown_rule_is_refused_with_the_known_ones(tmp_path: Path) -> None:
    path = tmp_path / "requirements.toml"
    path.write_text(
        '[[requirement]]\nid = "PR-1"\ntext = "t"\nclause = "c"\nhazard = "h"\nrule = "by eye"\n'
        'measurement = [{ name = "error", unit = "%", high = 5 }]\n',
        encoding="utf-8",
    )
    with pytest.raises(BenchFileError, match=r"rule.*'by eye'.*'guard band' or 'simple acceptance'"):
        read_requirements(path)


def test_a_failed_measurement_fails_even_when_the_rig_breaks_later() -> None:
    events = [collected("t", "PR-1", "PR-2"), measured("t", "PR-1", 9), ended("t", "error", "balance is mute")]
    results = join(REQUIREMENTS, events)
    assert verdicts(results) == ["FAIL", "ERROR"]
    assert results["requirements"][1]["reason"] == "balance is mute"


def test_a_rig_error_is_never_a_pass_even_after_a_good_measurement() -> None:
    events = [collected("t", "PR-1"), measured("t", "PR-1", 1), ended("t", "error", "balance is mute")]
    assert verdicts(join(REQUIREMENTS, events))[0] == "ERROR"


def test_what_nobody_measured_is_unset() -> None:
    results = join(REQUIREMENTS, [collected("t", "PR-1"), ended("t")])
    assert verdicts(results) == ["UNSET", "UNSET"]
    assert results["requirements"][0]["reason"] == "never measured: error"


def test_an_interrupted_test_is_an_error_and_one_that_never_began_too() -> None:
    events = [collected("a", "PR-1"), collected("b", "PR-2"), {"event": "start", "test": "a"}]
    results = join(REQUIREMENTS, events)
    assert verdicts(results) == ["ERROR", "ERROR"]
    assert [test["message"] for test in results["tests"]] == [
        "the test was interrupted",
        "the run ended before this test",
    ]


def test_what_a_pump_cannot_do_is_not_applicable() -> None:
    events = [collected("t", "PR-1"), ended("t", "not applicable", "this pump has no history")]
    row = join(REQUIREMENTS, events)["requirements"][0]
    assert (row["verdict"], row["reason"]) == ("NOT APPLICABLE", "this pump has no history")


def test_a_selection_is_judged_by_what_it_selects() -> None:
    events = [collected("t", "PR-1"), measured("t", "PR-1", 1), ended("t")]
    results = join(REQUIREMENTS, events, selected="t")
    assert (results["verdict"], verdicts(results)) == ("PASS", ["PASS", "UNSET"])
    assert results["requirements"][1]["reason"] == "not selected by 't'"


class SyringePump:
    """A pump that knows boluses and nothing else."""

    capabilities = frozenset({Capability.FAST_BOLUS})


def test_a_test_that_needs_more_than_the_pump_can_is_not_applicable(tmp_path: Path) -> None:
    run = RunFolder.create(tmp_path / "run", {})
    record = run.test("t", SimClock())
    verification = Verification(record, REQUIREMENTS, ["PR-1"])
    pump = cast(Pump, SyringePump())
    verification.need(pump, Capability.FAST_BOLUS)
    with pytest.raises(NotApplicableError, match=r"^this pump has no basal profile and no history$"):
        verification.need(pump, Capability.BASAL_PROFILE, Capability.FAST_BOLUS, Capability.HISTORY)
    record.close()


def test_a_test_concludes_with_every_measurement_that_did_not_pass(tmp_path: Path) -> None:
    record = RunFolder.create(tmp_path / "run", {}).test("t", SimClock())
    verification = Verification(record, REQUIREMENTS, ["PR-1", "PR-2"])
    verification.verify([Measurement("error", 6.0, "%", 0.5), Measurement("not asked for", 1.0, "%")])
    with pytest.raises(RequirementNotMetError, match=r"PR-1 FAIL: error is 6 ± 0\.5 %, limit ±5 %; PR-2 FAIL"):
        verification.conclude()
    record.close()


def test_a_test_that_names_no_known_requirement_is_refused(tmp_path: Path) -> None:
    record = RunFolder.create(tmp_path / "run", {}).test("t", SimClock())
    with pytest.raises(BenchFileError, match=r"there is no requirement 'PR-9' in the requirements file"):
        Verification(record, REQUIREMENTS, ["PR-9"])
    record.close()
