"""Every op code of the table: valid, at its boundaries, refused, prohibited, cut off, too long.

IDS 1.0.2, 3.6, 3.7 and 3.9. Not responsible for protection and order of procedures (test_protection).
"""

from collections import Counter

import pytest

from suites.conformance.op_codes import PROCEDURES
from suites.conformance.patterns import matches
from suites.conformance.pump import Pump
from suites.conformance.table import NO_NUMBERS, OUT_OF_RANGE, Accepted, Procedure, Refused

ACCEPTED = [pytest.param(p, case, id=f"{p.name}: {case.why}") for p in PROCEDURES for case in p.accepted]
REFUSED = [pytest.param(p, case, id=f"{p.name}: {case.why}, {case.code}") for p in PROCEDURES for case in p.refused]
NUMBERS = [
    pytest.param(p, amount.operand.replace("{x}", octets), id=f"{p.name}: {amount.what} {why}")
    for p in PROCEDURES
    for amount in p.amounts
    for why, octets in {**NO_NUMBERS, "too fine": amount.over_resolution}.items()
    if octets
]
STILL = {"new", "set up", "running", "paused", "templates", "maximum 10 U", "no reservoir", "cancelled bolus"}
"""States in which a pump at 0 U/h moves nothing."""


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


@pytest.mark.parametrize(("procedure", "case"), REFUSED)
def test_what_it_does_not_allow_is_refused_and_changes_nothing(pump: Pump, procedure: Procedure, case: Refused) -> None:
    state = case.state or procedure.state
    pump.bring(state)
    _refuse(pump, procedure, case.operand, case.code, still=state in STILL)


@pytest.mark.parametrize(("procedure", "operand"), NUMBERS)
def test_what_is_no_amount_is_refused_and_changes_nothing(pump: Pump, procedure: Procedure, operand: str) -> None:
    pump.bring(procedure.state)
    _refuse(pump, procedure, operand, OUT_OF_RANGE, still=procedure.state in STILL)


def _refuse(pump: Pump, procedure: Procedure, operand: str, code: str, *, still: bool) -> None:
    before, steps = pump.lasting(), pump.stand.motor_steps()
    answer = pump.ask(procedure.point, f"{procedure.op} {operand}")
    refusal = pump.refusal(procedure, code)
    assert matches(refusal, answer.indication, pump.names), f"answered {answer.indication.hex(' ')}"
    assert answer.data == ()
    assert pump.lasting() == before
    if still:
        pump.stand.wait(60.0)
        assert pump.stand.motor_steps() == steps
