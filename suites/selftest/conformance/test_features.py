"""A pump can do what it announces, and nothing else: IDD Features, its characteristics, and every other op code.

IDS 1.0.2, 3 (table 3.1), 3.5, 3.6.1, 3.7.1 and 3.11.4.
"""

import pytest

from suites.selftest.conformance.code_words import CODE_WORDS, is_code_word
from suites.selftest.conformance.op_codes import FEATURES, PROCEDURES, RESPONSES
from suites.selftest.conformance.patterns import matches
from suites.selftest.conformance.pump import Pump
from suites.selftest.conformance.table import NOT_SUPPORTED, Procedure

READ_INDICATE, READ, WRITE_INDICATE, NOTIFY = 0x22, 0x02, 0x28, 0x10
OWN = {point: {p.op for p in PROCEDURES if p.point == point} for point in ("reader", "command", "racp")}
NEARLY_OP_CODES = [f"{int(op, 16) ^ 1 << bit:04x}" for op in OWN["reader"] | OWN["command"] for bit in range(16)]
"""Every op code with one bit turned over: distance 4 lets none of them be an op code (5)."""


def announced(pump: Pump) -> int:
    value = pump.client.read("features")
    return int.from_bytes(value[2:5], "little")


def test_the_code_words_are_those_of_table_5_1() -> None:
    first = "000F 0033 003C 0055 005A 0066 0069 0096 0099 00A5 00AA 00C3 00CC 00F0 00FF 0303 030C 0330 033F 0356"
    last = "FF96 FF99 FFA5 FFAA FFC3 FFCC FFF0 FFFF"
    assert len(CODE_WORDS) == 2047
    assert " ".join(f"{word:04X}" for word in CODE_WORDS[:20]) == first
    assert " ".join(f"{word:04X}" for word in CODE_WORDS[-8:]) == last


@pytest.mark.parametrize("procedure", PROCEDURES, ids=lambda procedure: procedure.name)
def test_the_table_has_op_codes_that_are_code_words(procedure: Procedure) -> None:
    assert is_code_word(int.from_bytes(bytes.fromhex(procedure.op), "little"))


def test_each_characteristic_may_be_used_as_table_3_1_has_it(pump: Pump) -> None:
    assert {name: bits for name, bits in pump.client.properties.items() if name != "current time"} == {
        "status changed": READ_INDICATE,
        "status": READ_INDICATE,
        "annunciation": READ_INDICATE,
        "features": READ,
        "reader": WRITE_INDICATE,
        "command": WRITE_INDICATE,
        "command data": NOTIFY,
        "racp": WRITE_INDICATE,
        "history": NOTIFY,
    }


def test_the_features_are_those_of_the_sheet_for_u100_insulin(pump: Pump) -> None:
    value = pump.client.read("features")
    assert matches("<100> ......", value, {})
    assert announced(pump) == FEATURES
    assert announced(pump) & 0xFF0000 == 0, "a reserved bit or the extension bit is set"


@pytest.mark.parametrize("procedure", PROCEDURES, ids=lambda procedure: procedure.name)
def test_a_procedure_works_when_its_feature_is_announced_and_only_then(pump: Pump, procedure: Procedure) -> None:
    has_feature = not procedure.features or any(announced(pump) >> bit & 1 for bit in procedure.features)
    first = procedure.accepted[0]
    state = (first.state or procedure.state) if has_feature else "new"
    pump.bring(state)
    pump.names = {"id": "0100", "annunciation": "0100", **pump.names}
    answer = pump.ask(procedure.point, f"{procedure.op} {first.operand}").indication
    if has_feature:
        assert matches(first.answer, answer, pump.names), f"answered {answer.hex(' ')}"
    else:
        assert matches(pump.refusal(procedure, NOT_SUPPORTED), answer, {}), f"answered {answer.hex(' ')}"


@pytest.mark.parametrize("point", ["reader", "command"])
def test_every_other_op_code_is_not_supported_and_does_nothing(pump: Pump, point: str) -> None:
    head = {"reader": "0303", "command": "550f"}[point]
    words = {word.to_bytes(2, "little").hex() for word in CODE_WORDS if word < 0x1B7E}
    pump.bring("running")
    before, steps = pump.lasting(), pump.stand.motor_steps()
    others = sorted((words | set(RESPONSES[point]) | set(NEARLY_OP_CODES)) - OWN[point])
    answers = {op: pump.ask(point, op).indication.hex() for op in others}
    assert {op: answer for op, answer in answers.items() if answer != f"{head}{op}70"} == {}
    assert pump.lasting() == before
    pump.stand.wait(60.0)
    assert pump.stand.motor_steps() == steps


def test_every_other_op_code_of_the_log_is_not_supported(pump: Pump) -> None:
    others = [f"{op:02x}" for op in range(0x100) if f"{op:02x}" not in OWN["racp"]]
    answers = {op: pump.ask("racp", f"{op} 33").indication.hex() for op in others}
    assert {op: answer for op, answer in answers.items() if answer != f"0f0f{op}02"} == {}
    assert pump.ask("racp", "5a 33").indication.hex().startswith("660f"), "the log was deleted"
