"""End-to-end protection, configuration and one procedure at a time, for every op code.

IDS 1.0.2, 1.8, 3.1, 3.7.2.33, 3.9.4.6, 3.11 and 3.12.
"""

import pytest

from suites.selftest.conformance.client import CONTROL_POINTS, crc
from suites.selftest.conformance.history import read_log
from suites.selftest.conformance.op_codes import PROCEDURES
from suites.selftest.conformance.patterns import fill, matches
from suites.selftest.conformance.pump import Pump
from suites.selftest.conformance.table import Procedure

INVALID_CRC, INVALID_COUNTER, IMPROPERLY_CONFIGURED, IN_PROGRESS = "81", "82", "fd", "fe"
INVALID_LENGTH = "0d"
every_procedure = pytest.mark.parametrize("procedure", PROCEDURES, ids=lambda procedure: procedure.name)
NAMES = {"id": "0100", "annunciation": "0100"}


def octets(pump: Pump, procedure: Procedure) -> str:
    return fill(f"{procedure.op} {procedure.accepted[0].operand}", {**NAMES, **pump.names})


def bring(pump: Pump, procedure: Procedure) -> None:
    pump.bring(procedure.accepted[0].state or procedure.state)


def test_the_checksum_of_this_suite_is_the_published_one() -> None:
    assert crc(bytes.fromhex("3e 01 02 03 04 05 06 07 08 09")) == bytes.fromhex("01 2f")  # 3.16


@every_procedure
def test_a_wrong_checksum_or_counter_is_refused_and_uses_no_counter(pump: Pump, procedure: Procedure) -> None:
    bring(pump, procedure)
    client, point, what = pump.client, procedure.point, octets(pump, procedure)
    good = client.protected(point, what)
    for position in range(len(good)):
        flipped = good[:position] + bytes([good[position] ^ 0x01]) + good[position + 1 :]
        assert client.write(point, flipped) == INVALID_CRC, f"octet {position} may be changed"
    assert client.write(point, client.protected(point, what, skip=1)) == INVALID_COUNTER
    zero = good[:-3] + b"\x00"
    assert client.write(point, zero + crc(zero)) == INVALID_COUNTER
    answer = pump.ask(point, what)  # with the counter that was due all along
    assert matches(procedure.accepted[0].answer, answer.indication, pump.names)


@every_procedure
def test_a_replayed_procedure_is_refused_and_done_once(pump: Pump, procedure: Procedure) -> None:
    bring(pump, procedure)
    client, point, what = pump.client, procedure.point, octets(pump, procedure)
    written = client.protected(point, what)
    assert matches(procedure.accepted[0].answer, pump.ask(point, what).indication, pump.names)
    assert client.write(point, written) == INVALID_COUNTER
    pump.stand.wait(1.0)  # a dose in motion is logged when it is done
    before = pump.lasting()
    assert client.write(point, written) == INVALID_COUNTER
    assert pump.lasting() == before


def test_a_procedure_without_protection_is_refused(pump: Pump) -> None:
    pump.bring("running")
    before = pump.lasting()
    answers = {p.name: pump.client.write(p.point, bytes.fromhex(octets(pump, p))) for p in PROCEDURES}
    refusals = {INVALID_CRC, INVALID_COUNTER, INVALID_LENGTH}  # the last where not even both fit (Core, Vol 3, Part F)
    assert {name: answer for name, answer in answers.items() if answer not in refusals} == {}
    assert pump.lasting() == before


def test_a_procedure_without_indications_is_refused(pump: Pump) -> None:
    pump.client.connect(configured=())
    answers = {p.name: pump.client.write(p.point, pump.client.protected(p.point, octets(pump, p))) for p in PROCEDURES}
    assert answers == dict.fromkeys(answers, IMPROPERLY_CONFIGURED)


@pytest.mark.parametrize("procedure", [p for p in PROCEDURES if p.reports], ids=lambda procedure: procedure.name)
def test_a_report_without_notifications_is_refused(pump: Pump, procedure: Procedure) -> None:
    pump.client.connect(configured=CONTROL_POINTS)
    written = pump.client.protected(procedure.point, octets(pump, procedure))
    assert pump.client.write(procedure.point, written) == IMPROPERLY_CONFIGURED
    pump.client.configure({"command": "command data", "racp": "history"}[procedure.point])
    assert pump.client.write(procedure.point, written) == ""


def fill_the_log(pump: Pump) -> int:
    pump.bring("set up")
    for state in ["55", "33"] * 15:
        assert pump.ask("command", f"5a0f {state}").indication.hex() == "550f5a0f0f"
    return len(read_log(pump.client))


def test_a_second_procedure_is_refused_while_the_log_is_reported(pump: Pump) -> None:
    records, client = fill_the_log(pump), pump.client
    answers = {}
    for procedure in PROCEDURES:
        if procedure.name == "Abort Operation":
            continue
        assert client.write("racp", client.protected("racp", "33 33")) == ""
        client.count("racp")
        second = client.protected(procedure.point, octets(pump, procedure))
        answers[procedure.name] = client.write(procedure.point, second)
        report = client.outcome("racp")
        assert report.indication.hex() == "0f0f33f0"
        assert len(report.data) >= records
    assert answers == dict.fromkeys(answers, IN_PROGRESS)
    pump.lasting()  # it answers as before


def test_a_report_can_be_aborted(pump: Pump) -> None:
    records, client = fill_the_log(pump), pump.client
    assert client.write("racp", client.protected("racp", "33 33")) == ""
    client.count("racp")
    report = client.procedure("racp", "55 0f")
    assert report.indication.hex() == "0f0f55f0"
    assert len(report.data) < records
    assert len(read_log(client)) == records


@pytest.mark.parametrize(("point", "what"), [("reader", "9503"), ("command", "8811"), ("racp", "5a 33")])
def test_counters_run_to_255_and_skip_0(pump: Pump, point: str, what: str) -> None:
    for _ in range(520):
        pump.ask(point, what)  # the client checks each counter of the answers


@pytest.mark.parametrize("name", ["status", "status changed", "annunciation", "features"])
def test_each_characteristic_that_is_read_counts_for_itself(pump: Pump, name: str) -> None:
    for _ in range(260):
        pump.client.read(name)


def test_a_new_connection_begins_every_counter_anew(pump: Pump) -> None:
    for point, what in (("reader", "9503"), ("command", "8811"), ("racp", "5a 33")):
        pump.ask(point, what)
        late = pump.client.protected(point, what)
        pump.client.connect()
        assert pump.client.write(point, late) == INVALID_COUNTER
        pump.ask(point, what)
