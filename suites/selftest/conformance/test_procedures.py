"""Every op code of the table: valid, at its boundaries, refused, prohibited, cut off, too long.

IDS 1.0.2, 3.6, 3.7 and 3.9. Not responsible for protection and order of procedures (test_protection).
"""

from collections import Counter
from itertools import groupby

import pytest

from suites.selftest.conformance.op_codes import PROCEDURES
from suites.selftest.conformance.patterns import matches
from suites.selftest.conformance.pump import Pump
from suites.selftest.conformance.table import NO_NUMBERS, OUT_OF_RANGE, Accepted, Procedure, Refused

STILL = {"new", "set up", "running", "paused", "templates", "maximum 10 U", "no reservoir", "cancelled bolus"}
"""States in which a pump at 0 U/h moves nothing."""


def refusals(procedure: Procedure) -> list[Refused]:
    """All that a procedure refuses, its numbers among it, each with its state."""
    numbers = [
        Refused(amount.operand.replace("{x}", octets), OUT_OF_RANGE, f"{amount.what} {why}")
        for amount in procedure.amounts
        for why, octets in {**NO_NUMBERS, "too fine": amount.over_resolution}.items()
        if octets
    ]
    return [
        Refused(case.operand, case.code, case.why, case.state or procedure.state)
        for case in (*procedure.refused, *numbers)
    ]


ACCEPTED = [pytest.param(p, case, id=f"{p.name}: {case.why}") for p in PROCEDURES for case in p.accepted]
REFUSED = [
    pytest.param(procedure, state, tuple(cases), id=f"{procedure.name}, {state}")
    for procedure in PROCEDURES
    for state, cases in groupby(sorted(refusals(procedure), key=lambda case: case.state), key=lambda case: case.state)
]


@pytest.mark.parametrize(("procedure", "case"), ACCEPTED)
def test_what_the_specification_allows_is_carried_out(pump: Pump, procedure: Procedure, case: Accepted) -> None:
    pump.bring(case.state or procedure.state)
    answer = pump.ask(procedure.point, f"{procedure.op} {case.operand}")
    assert matches(case.answer, answer.indication, pump.names), f"answered {answer.indication.hex(' ')}"
    if procedure.point == "command":
        missing = Counter(case.data)
        for notified in answer.data:
            found = [pattern for pattern in missing.elements() if matches(pattern, notified, pump.names)]
            assert found, f"notified {notified.hex(' ')}"
            missing -= Counter(found[:1])
        assert not missing, f"never notified {sorted(missing)}"


@pytest.mark.parametrize(("procedure", "state", "cases"), REFUSED)
def test_what_it_does_not_allow_is_refused_and_changes_nothing(
    pump: Pump, procedure: Procedure, state: str, cases: tuple[Refused, ...]
) -> None:
    pump.bring(state)
    before, steps = pump.lasting(), pump.stand.motor_steps()
    wrong = {}
    for case in cases:
        answer = pump.ask(procedure.point, f"{procedure.op} {case.operand}")
        if answer.data or not matches(pump.refusal(procedure, case.code), answer.indication, pump.names):
            wrong[f"{case.why} ({case.operand})"] = f"{answer.indication.hex(' ')}, not {case.code}"
    assert not wrong
    assert pump.lasting() == before
    if state in STILL:
        pump.stand.wait(60.0)
        assert pump.stand.motor_steps() == steps
