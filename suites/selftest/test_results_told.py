"""What a reader of a run's results is told: which values one by one, and why a run without a FAIL is no PASS."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.cli.printing import new_console
from rig.cli.verify import print_results
from rig.record.models import LimitRecord, MeasuredRecord
from rig.record.results import JUDGES_NOTHING, MOST_TOLD, JudgedRecord, RequirementRecord, Results, TestRecord, deciding
from rig.verdicts.limits import Limit, Measurement, Rule, Verdict, decide, worst
from rig.verdicts.quantities import Kind

LIMIT = Limit("%", high=1.0)
OWN = Kind("test.error", "error", ("%",))
WATCHED = Kind("pump.watched", "watched", ("%",))


def row(*values: float, of: Kind = OWN, name: str = "PR-1") -> RequirementRecord:
    """A requirement of at most 1 %, of which one quantity was measured so often, without uncertainty."""
    measured = [Measurement(of.of(), value, 0.0) for value in values]
    judged = tuple(
        JudgedRecord(
            **dict(MeasuredRecord.of(each)),
            limit=LimitRecord(low=None, high=1.0, unit="%"),
            verdict=decide(each, LIMIT, Rule.GUARD_BAND).verdict,
            test="t",
        )
        for each in measured
    )
    return RequirementRecord(
        id=name,
        text="",
        clause="",
        hazard="",
        verdict=worst([each.verdict for each in judged]),
        reason=None,
        tests=("t",),
        measurements=judged,
    )


def results(*rows: RequirementRecord) -> Results:
    """Results of one test that decides each row."""
    test = TestRecord(
        id="t", title="T", outcome="passed", message=None, duration_s=0.0, requirements=tuple(each.id for each in rows)
    )
    return Results(verdict=worst(deciding(rows)), outcome="complete", requirements=rows, tests=(test,))


@given(st.lists(st.integers(-300, 300).map(lambda hundredths: hundredths / 100.0), min_size=1, max_size=30))
def test_many_passes_of_one_quantity_have_one_speaker_and_whatever_is_no_pass_is_told(values: list[float]) -> None:
    told = row(*values).told()
    assert len(told) + sum(others for _, others in told) == len(values)
    assert [each.value for each, _ in told if each.verdict is Verdict.FAIL] == [each for each in values if each > 1.0]
    passes = [each for each in values if each <= 1.0]
    if len(passes) > MOST_TOLD:
        [(speaker, others)] = [each for each in told if each[0].verdict is Verdict.PASS]
        assert (speaker.value, others) == (max(passes), len(passes) - 1)


@pytest.mark.parametrize(
    ("rows", "verdict", "judges_nothing"),
    [
        ((row(0.0, of=WATCHED),), Verdict.UNSET, True),
        ((row(0.0, of=WATCHED), row(0.0, of=WATCHED, name="PR-2")), Verdict.UNSET, True),
        ((row(0.0, of=WATCHED), row(0.0, name="PR-2")), Verdict.PASS, False),
        ((row(2.0, of=WATCHED),), Verdict.FAIL, False),
        ((row(),), Verdict.UNSET, False),
        ((), Verdict.UNSET, True),
    ],
)
def test_what_every_measurement_has_besides_makes_no_run_a_pass_alone(
    capsys: pytest.CaptureFixture[str], rows: tuple[RequirementRecord, ...], verdict: Verdict, judges_nothing: bool
) -> None:
    found = results(*rows)
    assert (found.verdict, found.judges_nothing) == (verdict, judges_nothing)
    print_results(found, new_console())
    assert (JUDGES_NOTHING in capsys.readouterr().out) is judges_nothing
