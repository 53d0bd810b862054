"""Limits, verdicts and the joining of requirements with measurements."""

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import ClassVar, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.clock import SimClock
from rig.errors import BenchFileError, EvidenceError
from rig.procedures.procedure import Computed, Procedure
from rig.record.folder import RunFolder, keep_computed
from rig.record.manifest import RunOutcome
from rig.record.results import Outcome, Results
from rig.record.taking import Asked, Recorder, Taken
from rig.roles import Bench, Capability, Metrology, PumpStatus
from rig.run.results import EXIT_CODES, join
from rig.run.verification import NotApplicableError, RequirementNotMetError, Verification
from rig.therapy import TherapyState
from rig.verdicts.limits import Limit, Measurement, Rule, Verdict, decide, judge, worst
from rig.verdicts.quantities import Kind, Quantity
from rig.verdicts.requirements import MeasurementRule, Requirement, read_requirements
from suites.selftest.crafted import METROLOGY
from suites.selftest.recorded import manifest

ERROR = Kind("test.error", "error", ("%", "U"))
OTHER = Kind("test.other", "another number", ("%",))


def error(value: float, u: float = 0.0, unit: str = "%") -> Measurement:
    return Measurement(ERROR.of(unit=unit), value, u)


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
    assert judge(error(value, u), LIMIT) is verdict


@given(st.floats(-100, 100), st.floats(0, 50), st.floats(0, 50))
def test_a_larger_uncertainty_never_decides_more(value: float, u: float, more: float) -> None:
    first, second = (judge(error(value, spread), LIMIT) for spread in (u, u + more))
    assert second in (first, Verdict.INCONCLUSIVE)


def test_a_measurement_in_another_unit_than_its_limit_is_refused() -> None:
    with pytest.raises(ValueError, match="error is in 'U', its limit in '%'"):
        judge(error(0.0, unit="U"), LIMIT)


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
    assert judge(error(value, u), LIMIT, SIMPLE) is verdict


def test_simple_acceptance_with_too_large_a_u_says_why_it_cannot_decide() -> None:
    decision = decide(error(0.0, 2.0), LIMIT, SIMPLE)
    assert decision.reason == "error: simple acceptance needs U ≤ 1.67 %, a third of the limit, and U is 2 %"


@given(st.floats(-20, 20), st.floats(0, 5.0 / 3.0))
def test_both_rules_never_contradict_each_other(value: float, u: float) -> None:
    measurement = error(value, u)
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
        error(value)


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


RULE = MeasurementRule(quantity=ERROR.of(), unit="%", low=-5, high=5)
REQUIREMENTS = {
    name: Requirement(id=name, text="text", clause="clause", hazard="hazard", measurement=(RULE,))
    for name in ("PR-1", "PR-2")
}


@pytest.fixture
def run(tmp_path: Path) -> Iterator[RunFolder]:
    """A run that has declared nothing yet."""
    made = RunFolder.create(tmp_path / "run", manifest())
    yield made
    made.appender.close()


def attempted(
    run: RunFolder,
    *requirements: str,
    values: Sequence[float] = (),
    u: float = 0.5,
    outcome: Outcome | None = "passed",
    message: str | None = None,
    test: str = "t",
) -> None:
    """Attempt a test that measures one value in each of its measurements; `outcome` None leaves it without an end."""
    run.collect(test, test, requirements, [ERROR.of()])
    attempt = run.attempt(test)
    attempt.start(SimClock())
    for value in values:
        folder = attempt.take(Asked(table="test", parameters={})).folder
        keep_computed(folder, [error(value, u)], {})
    if outcome is not None:
        attempt.end(outcome, message)


def verdicts(results: Results) -> list[str]:
    return [row.verdict.value for row in results.requirements]


def test_everything_measured_and_inside_passes(run: RunFolder) -> None:
    attempted(run, "PR-1", "PR-2", values=[1])
    results = join(REQUIREMENTS, run)
    assert (results.verdict.value, verdicts(results)) == ("PASS", ["PASS", "PASS"])


def test_a_test_decides_only_the_requirements_that_it_declared(run: RunFolder) -> None:
    attempted(run, "PR-1", values=[1], test="a")
    attempted(run, "PR-2", values=[9], test="b")
    assert verdicts(join(REQUIREMENTS, run)) == ["PASS", "FAIL"]


def test_where_several_tests_measure_a_quantity_all_are_listed_and_the_worst_decides(run: RunFolder) -> None:
    attempted(run, "PR-1", values=[1], test="a")
    attempted(run, "PR-1", values=[9], test="b")
    attempted(run, "PR-1", values=[5.1], test="c")
    row = join(REQUIREMENTS, run).requirements[0]
    assert row.verdict is Verdict.FAIL
    listed = [(each.test, each.value, each.verdict.value) for each in row.measurements]
    assert listed == [("a", 1, "PASS"), ("b", 9, "FAIL"), ("c", 5.1, "INCONCLUSIVE")]


def test_attempts_are_kept_side_by_side_and_a_good_one_does_not_hide_a_bad_one(run: RunFolder) -> None:
    attempted(run, "PR-1", values=[9], outcome="failed")
    attempted(run, "PR-1", values=[1])
    results = join(REQUIREMENTS, run)
    assert [(each.attempt, each.value) for each in results.requirements[0].measurements] == [(1, 9), (2, 1)]
    assert [(test.id, test.attempt, test.outcome) for test in results.tests] == [("t", 1, "failed"), ("t", 2, "passed")]
    assert verdicts(results)[0] == "FAIL"
    assert results.requirements[0].tests == ("t",)


@pytest.mark.parametrize("outcome", [None, "interrupted"])
def test_an_interrupted_attempt_is_listed_and_decides_nothing_once_a_later_one_came_to_its_end(
    run: RunFolder, outcome: Outcome | None
) -> None:
    attempted(run, "PR-1", values=[5.1], outcome=outcome)
    assert verdicts(join(REQUIREMENTS, run))[0] == "ERROR"
    attempted(run, "PR-1", values=[1])
    results = join(REQUIREMENTS, run)
    assert verdicts(results)[0] == "PASS"
    assert [(test.attempt, test.outcome, test.superseded) for test in results.tests] == [
        (1, "interrupted", True),
        (2, "passed", False),
    ]
    assert [(each.attempt, each.value) for each in results.requirements[0].measurements] == [(2, 1)]
    assert [(each.attempt, each.value) for each in results.reported] == [(1, 5.1)]


@pytest.mark.parametrize("later", ["failed", "error", "not applicable"])
def test_an_interrupted_attempt_gives_way_to_any_end(run: RunFolder, later: Outcome) -> None:
    attempted(run, "PR-1", outcome="interrupted")
    attempted(run, "PR-1", values=[9] if later == "failed" else (), outcome=later, message="why")
    expected = {"failed": "FAIL", "error": "ERROR", "not applicable": "NOT APPLICABLE"}
    assert verdicts(join(REQUIREMENTS, run))[0] == expected[later]


def test_an_attempt_that_failed_or_broke_is_not_forgotten_for_a_good_one(run: RunFolder) -> None:
    attempted(run, "PR-1", outcome="error", message="balance is mute")
    attempted(run, "PR-1", values=[1])
    assert verdicts(join(REQUIREMENTS, run))[0] == "ERROR"


def test_what_an_interrupted_attempt_had_measured_as_a_failure_stays_one(run: RunFolder) -> None:
    attempted(run, "PR-1", values=[9], outcome="interrupted")
    attempted(run, "PR-1", values=[1])
    results = join(REQUIREMENTS, run)
    assert verdicts(results)[0] == "FAIL"
    assert [test.superseded for test in results.tests] == [False, False]


@pytest.mark.parametrize("outcome", ["interrupted", "broken", "blocked", "error", "started"])
def test_a_run_that_did_not_come_to_its_end_is_never_a_pass_and_a_failure_stays_one(
    run: RunFolder, outcome: RunOutcome
) -> None:
    attempted(run, "PR-1", "PR-2", values=[1])
    results = join(REQUIREMENTS, run, outcome=outcome)
    assert (results.verdict.value, verdicts(results)) == ("ERROR", ["PASS", "PASS"])
    with pytest.raises(ValueError, match="the run is called PASS, its requirements say ERROR"):
        Results.model_validate(dict(results) | {"verdict": Verdict.PASS})
    attempted(run, "PR-2", values=[9], test="b")
    assert join(REQUIREMENTS, run, outcome=outcome).verdict is Verdict.FAIL


def test_a_quantity_that_was_measured_twice_in_one_attempt_is_refused(run: RunFolder) -> None:
    attempted(run, "PR-1", values=[1, 2])
    with pytest.raises(EvidenceError, match=r"2-test/computed/measured\.json: error was measured before in the same"):
        join(REQUIREMENTS, run)


def test_a_requirement_is_decided_by_the_rule_it_states(run: RunFolder) -> None:
    simple = REQUIREMENTS["PR-1"].model_copy(update={"rule": SIMPLE})
    attempted(run, "PR-1", values=[4.8])
    assert verdicts(join({"PR-1": REQUIREMENTS["PR-1"]}, run)) == ["INCONCLUSIVE"]
    row = join({"PR-1": simple}, run).requirements[0]
    assert (row.verdict.value, row.measurements[0].rule.value) == ("PASS", "simple acceptance")


def test_a_rule_that_may_not_be_used_gives_its_reason_to_the_requirement(run: RunFolder) -> None:
    simple = REQUIREMENTS["PR-1"].model_copy(update={"rule": SIMPLE})
    attempted(run, "PR-1", values=[0], u=2.0)
    row = join({"PR-1": simple}, run).requirements[0]
    assert (row.verdict.value, row.reason) == (
        "INCONCLUSIVE",
        "error: simple acceptance needs U ≤ 1.67 %, a third of the limit, and U is 2 %",
    )


def test_an_unknown_rule_is_refused_with_the_known_ones(tmp_path: Path) -> None:
    path = tmp_path / "requirements.toml"
    path.write_text(
        '[[requirement]]\nid = "PR-1"\ntext = "t"\nclause = "c"\nhazard = "h"\nrule = "by eye"\n'
        'measurement = [{ quantity = "test.error", unit = "%", high = 5 }]\n',
        encoding="utf-8",
    )
    with pytest.raises(BenchFileError, match=r"rule.*'by eye'.*'guard band' or 'simple acceptance'"):
        read_requirements(path, {ERROR.name: ERROR})


def test_a_failed_measurement_fails_even_when_the_rig_breaks_later(run: RunFolder) -> None:
    both = {"PR-1": REQUIREMENTS["PR-1"], "PR-2": asking(OTHER.of())}
    attempted(run, "PR-1", "PR-2", values=[9], outcome="error", message="balance is mute")
    results = join(both, run)
    assert verdicts(results) == ["FAIL", "ERROR"]
    assert results.requirements[1].reason == "balance is mute"


def asking(quantity: Quantity) -> Requirement:
    """A requirement on another quantity."""
    rule = MeasurementRule(quantity=quantity, unit="%", low=-5, high=5)
    return REQUIREMENTS["PR-2"].model_copy(update={"measurement": (rule,)})


def test_a_rig_error_is_never_a_pass_even_after_a_good_measurement(run: RunFolder) -> None:
    attempted(run, "PR-1", values=[1], outcome="error", message="balance is mute")
    assert verdicts(join(REQUIREMENTS, run))[0] == "ERROR"


def test_what_nobody_measured_is_unset(run: RunFolder) -> None:
    attempted(run, "PR-1")
    results = join(REQUIREMENTS, run)
    assert verdicts(results) == ["UNSET", "UNSET"]
    assert results.requirements[0].reason == "never measured: error"


def test_an_interrupted_test_is_an_error_and_one_that_never_began_is_unset(run: RunFolder) -> None:
    attempted(run, "PR-1", outcome=None, test="a")
    run.collect("b", "b", ["PR-2"], [ERROR.of()])
    results = join(REQUIREMENTS, run)
    assert verdicts(results) == ["ERROR", "UNSET"]
    assert [test.message for test in results.tests] == ["the test was interrupted", "the run ended before this test"]
    assert results.requirements[1].reason == "the run ended before this test"


def test_what_a_pump_cannot_do_is_not_applicable(run: RunFolder) -> None:
    attempted(run, "PR-1", outcome="not applicable", message="this pump has no history")
    row = join(REQUIREMENTS, run).requirements[0]
    assert (row.verdict.value, row.reason) == ("NOT APPLICABLE", "this pump has no history")


def test_what_is_not_applicable_is_counted_apart_and_says_why(run: RunFolder) -> None:
    attempted(run, "PR-1", values=[1], test="a")
    attempted(run, "PR-2", outcome="not applicable", message="this bench has no line 'hot' of the switch", test="b")
    results = join(REQUIREMENTS, run)
    assert results.verdict.value == "PASS"
    assert results.in_short == (
        "1 of 2 requirements are verified; 1 is not applicable: PR-2 (this bench has no line 'hot' of the switch)."
    )


def test_a_selection_is_judged_by_what_it_selects(run: RunFolder) -> None:
    attempted(run, "PR-1", values=[1])
    results = join(REQUIREMENTS, run, selected="t")
    assert (results.verdict.value, verdicts(results)) == ("PASS", ["PASS", "UNSET"])
    assert results.requirements[1].reason == "not selected by 't'"


class Guess(Procedure):
    """A measurement that needs no bench: its number is given."""

    TABLE: ClassVar = "guess"
    KEYWORD: ClassVar = ""
    KINDS: ClassVar = (ERROR, OTHER)

    value: float
    needed: tuple[Capability, ...] = ()

    @property
    def title(self) -> str:
        return f"{self.value:g}"

    @property
    def needs(self) -> tuple[Capability, ...]:
        return self.needed

    @property
    def quantities(self) -> tuple[Quantity, ...]:
        return ERROR.of(), OTHER.of()

    def take(self, bench: Bench, record: Recorder) -> None:
        del bench
        record.step("guess")

    def compute(self, taken: Taken, metrology: Metrology) -> Computed:
        del taken, metrology
        return Computed((error(self.value, 0.5), Measurement(OTHER.of(), 1.0)))


def verification(run: RunFolder, *requirements: str, quantities: Sequence[Quantity]) -> Verification:
    """A test on a bench with a pump that knows boluses and nothing else."""
    run.collect("t", "t", requirements, quantities)
    attempt = run.attempt("t")
    clock = SimClock()
    attempt.start(clock)
    pump = SimpleNamespace(
        capabilities=frozenset({Capability.FAST_BOLUS}),
        status=lambda: PumpStatus(TherapyState.STOP, "standby", None, reservoir_attached=True),
        annunciations=list,
    )
    others = dict.fromkeys(
        (
            "balance",
            "pressure",
            "supply",
            "switch",
            "environment",
            "sound",
            "hands",
            "probe",
            "sensor",
            "places",
            "feeds_pump",
            "reservoir_u",
            "restless_s",
        )
    )
    bench = cast(Bench, SimpleNamespace(pump=pump, clock=clock, metrology=METROLOGY, **others))
    return Verification(bench, attempt, REQUIREMENTS, run.declared("t"))


BOTH = (ERROR.of(), OTHER.of())


def test_a_test_that_needs_more_than_the_pump_can_is_not_applicable(run: RunFolder) -> None:
    test = verification(run, "PR-1", quantities=BOTH)
    test.measure(Guess(value=1.0, needed=(Capability.FAST_BOLUS,)))
    with pytest.raises(NotApplicableError, match=r"^this pump has no basal profile and no history$"):
        test.measure(Guess(value=1.0, needed=(Capability.BASAL_PROFILE, Capability.FAST_BOLUS, Capability.HISTORY)))


def test_a_test_concludes_with_every_measurement_that_did_not_pass(run: RunFolder) -> None:
    test = verification(run, "PR-1", "PR-2", quantities=BOTH)
    test.measure(Guess(value=6.0))
    with pytest.raises(RequirementNotMetError, match=r"PR-1 FAIL: error is 6\.00 ± 0\.50 %, limit ±5 %; PR-2 FAIL"):
        test.conclude()


def test_a_test_may_not_measure_what_it_did_not_declare(run: RunFolder) -> None:
    test = verification(run, "PR-1", quantities=[ERROR.of()])
    with pytest.raises(BenchFileError, match=r"^guess 1: another number was not declared before the run; "):
        test.measure(Guess(value=1.0))
    assert not list(run.path.rglob("asked.json")), "it began all the same"


def test_a_test_may_not_measure_a_quantity_twice(run: RunFolder) -> None:
    test = verification(run, "PR-1", quantities=BOTH)
    test.measure(Guess(value=1.0))
    with pytest.raises(BenchFileError, match=r"^guess 2: error was measured before in this test; one test measures"):
        test.measure(Guess(value=2.0))
    assert len(list(run.path.rglob("asked.json"))) == 1


def test_a_test_that_was_not_declared_cannot_begin(run: RunFolder) -> None:
    with pytest.raises(EvidenceError, match="the test t was not declared before it began"):
        run.attempt("t")
