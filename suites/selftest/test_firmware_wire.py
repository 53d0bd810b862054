"""The firmware's side of the pump's wire, octet by octet: no driver here, only published vectors and the Core rules.

Vectors: CRC and SFLOAT as in the Insulin Delivery Service 1.0.2 and the GATT Specification Supplement; frames after
RFC 1662. The handles are those that discovery gives.
"""

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from suites.stands.firmware_host import Host, crc, fcs

STATUS, READER, COMMAND, RACP = "0600", "0e00", "1100", "1700"
SET_BOLUS_1_25_U = "4b11 00 33 7de0 0000 0000 01 834a"
BOLUS_ID_1 = "7711 0100 01 e881"
CANCEL_ID_1 = "7811 0100 02 8fd9"
STOP = "5a0f 33 03 0fee"


@pytest.fixture
def host() -> Iterator[Host]:
    host = Host()
    host.connect()
    yield host
    assert host.board.mcu.resets == ["power"], "the firmware was restarted"
    assert host.board.mcu.faults == []


def run_therapy(host: Host, counter: int) -> None:
    value = bytes.fromhex("5a0f 55") + bytes([counter])
    assert host.procedure(COMMAND, (value + crc(value)).hex()).startswith("550f5a0f0f")


def test_the_crc_of_this_file_is_the_published_one() -> None:
    assert crc(bytes.fromhex("3e 01 02 03 04 05 06 07 08 09")) == bytes.fromhex("01 2f")


def test_discovery_lists_services_characteristics_and_configurations() -> None:
    host = Host()
    assert host.ask("10 0100 ffff 0028") == "110601001b003a181c0024000a18250029000518"  # IDS, device information, time
    assert host.ask("10 2a00 ffff 0028")[:12] == "11142a002d00"  # the maker's own, with a UUID of 128 bits
    assert host.ask("10 2e00 ffff 0028") == "01102e000a"
    assert host.ask("08 0100 ffff 0328") == "09070200220300202b0500220600212b0800220900222b"
    assert host.ask("04 0300 0400") == "05010300202b04000229"
    assert host.ask("02 1700") == "0102000006"


@pytest.mark.parametrize(("stuffed", "handle"), [("5d", "5d"), ("7d 5d", "7d"), ("7d 7d", "5d"), ("7d 7c", "5c")])
def test_any_octet_after_an_escape_is_flipped(host: Host, stuffed: str, handle: str) -> None:
    check = fcs(bytes.fromhex(f"0a {handle} 00"))
    host.port.host_write(bytes.fromhex(f"7e 0a {stuffed} 00") + check + b"\x7e")
    assert host.hear() == f"010a{handle}0001"  # there is no such handle


@pytest.mark.parametrize("end", ["7d 7e", "7d 7d 7d 7e"])
def test_a_frame_that_ends_in_an_escape_is_aborted_and_the_next_is_heard(host: Host, end: str) -> None:
    whole, following = bytes.fromhex("0a 0c 00"), bytes.fromhex("0a 1e 00")
    host.port.host_write(b"\x7e" + whole + fcs(whole) + bytes.fromhex(end))
    assert host.hear() == ""
    host.port.host_write(following + fcs(following) + b"\x7e")
    assert host.hear() == "0b" + b"Open Rig".hex()


def test_the_published_bolus_conversation(host: Host) -> None:
    run = bytes.fromhex("5a0f 55 01")  # it takes counter 1, so the vectors need a new connection
    assert host.procedure(COMMAND, (run + crc(run)).hex())[:10] == "550f5a0f0f"
    host.connect()
    assert host.procedure(COMMAND, SET_BOLUS_1_25_U) == BOLUS_ID_1.replace(" ", "")
    assert host.procedure(COMMAND, CANCEL_ID_1).startswith("87110100")
    assert host.procedure(COMMAND, STOP).startswith("550f5a0f0f")
    host.clock.sleep(10.0)
    assert host.steps <= 16, "a cancelled bolus delivered more than two doses"


def test_a_replayed_command_is_refused_and_delivers_nothing_more(host: Host) -> None:
    run_therapy(host, 1)
    host.connect()
    host.procedure(COMMAND, SET_BOLUS_1_25_U)
    assert host.ask(f"12 {COMMAND} {SET_BOLUS_1_25_U}") == "0112110082"
    host.clock.sleep(120.0)
    assert host.steps == 50 * 8


def test_a_wrong_crc_a_skipped_counter_and_counter_0_are_refused(host: Host) -> None:
    def stop_with(counter: int) -> str:
        value = bytes.fromhex("5a0f 33") + bytes([counter])
        return (value + crc(value)).hex()

    assert host.ask(f"12 {COMMAND} 5a0f 33 01 0000") == "0112110081"
    assert host.ask(f"12 {COMMAND} {stop_with(2)}") == "0112110082"
    assert host.ask(f"12 {COMMAND} {stop_with(0)}") == "0112110082"
    assert host.procedure(COMMAND, stop_with(1)).startswith("550f5a0f0f")


def test_a_control_point_without_indications_is_refused() -> None:
    host = Host()
    host.ask("10 0100 ffff 0028")
    assert host.ask(f"12 {COMMAND} {STOP}") == "01121100fd"


def test_an_unconfirmed_answer_does_not_let_another_out(host: Host) -> None:
    run = bytes.fromhex("5a0f 55 01")
    assert host.ask(f"12 {COMMAND} {(run + crc(run)).hex()}") == "13"
    assert host.hear().startswith("1d1100550f")
    ids = bytes.fromhex("3003 01")
    assert host.ask(f"12 {READER} {(ids + crc(ids)).hex()}") == "13"
    assert host.hear() == ""
    host.send("1e")
    assert host.hear().startswith("1d0e003f03")


def protected(octets: str) -> str:
    value = bytes.fromhex(octets)
    return (value + crc(value)).hex()


def test_one_procedure_at_a_time_on_whichever_control_point(host: Host) -> None:
    for counter in range(1, 21):  # a log long enough that reporting it takes a while
        assert host.procedure(COMMAND, protected(f"5a0f {'55' if counter % 2 else '33'} {counter:02x}"))
    counted = bytes.fromhex(host.procedure(RACP, protected("5a 33 01")))
    assert host.ask("12 1b00 0100") == "13"  # let it notify records
    assert host.ask(f"12 {RACP} {protected('33 33 02')}") == "13"
    host.send(f"12 {COMMAND} {protected('5a0f 33 15')}")
    answers = list(iter(host.hear, ""))
    assert "01121100fe" in answers
    records = sum(answer.startswith("1b1a00") for answer in answers)
    assert records == int.from_bytes(counted[2:6], "little") > 20


def test_reading_the_log_drops_an_unfinished_profile(host: Host) -> None:
    first, second = "cc0f 00 01 01 d002 0000", "cc0f 01 01 02 d002 0000"  # twice 12 h at 0 U/h
    assert host.procedure(COMMAND, protected(first + "01")).startswith("f00f00")
    assert host.procedure(RACP, protected("5a 33 01")).startswith("660f")
    assert host.procedure(COMMAND, protected(second + "02"))[:10] == "550fcc0f75"
    assert host.procedure(COMMAND, protected(first + "03")).startswith("f00f00")
    assert host.procedure(COMMAND, protected(second + "04")).startswith("f00f01")


@pytest.mark.parametrize(
    ("operand", "code"),
    [
        ("0f5a 70", None),  # no such op code: the octets are in the wrong order
        ("5a0f 0f", "71"),  # undetermined
        ("5a0f 11", "71"),  # no code word
        ("5a0f 3c", "74"),  # pause, with nothing running
        ("4b11 00 33 7de0 0000 0000", "74"),  # a bolus while stopped
        ("4b11 00 33 ff07 0000 0000", "73"),  # NaN
        ("4b11 00 33 fe07 0000 0000", "73"),  # infinite
        ("4b11 00 33 ffef 0000 0000", "73"),  # negative
        ("4b11 00 33 1300 0000 0000", "74"),  # 19 U: in range, but stopped
        ("4b11 00 33 1a00 0000 0000", "73"),  # 26 U
        ("4b11 00 33 15d0 0000 0000", "73"),  # 0.021 U, no whole dose
        ("4b11 00 33 7de0 0a00 0000", "71"),  # a fast bolus with an extended part
        ("4b11 00 33 7de0 0000 0100", "71"),  # a fast bolus with a duration
        ("4b11 00 3c 7de0 0000 0000", "71"),  # extended, by its fast part alone
        ("4b11 00 33 7de0", "71"),  # cut off
        ("7811 0900", "74"),  # no such bolus
        ("8b12 ff07", "73"),  # reservoir level NaN
        ("cc0f 01 01 01 a005 0000 00", "71"),  # a block cut off
        ("cc0f 01 01 01 9f05 0000", "75"),  # 1439 min
        ("cc0f 01 01 02 a005 0000", "75"),  # begins with the second block
        ("cc0f 01 05 01 a005 0000", "73"),  # template 5 is of another kind
        ("cc0f 01 01 01 a005 2400", "73"),  # 36 U/h
    ],
)
def test_what_is_not_allowed_is_refused_with_its_code(host: Host, operand: str, code: str | None) -> None:
    value = bytes.fromhex(operand) + b"\x01"
    answer = host.procedure(COMMAND, (value + crc(value)).hex())
    assert answer[:10] == "550f" + operand.replace(" ", "")[:4] + (code or "70")
    host.clock.sleep(60.0)
    assert host.steps == 0


def test_history_answers_all_operators(host: Host) -> None:
    counter = 0

    def racp(request: str) -> str:
        nonlocal counter
        counter += 1
        value = bytes.fromhex(request) + bytes([counter])
        return host.procedure(RACP, (value + crc(value)).hex())

    assert racp("5a 33")[:12] == "660f02000000"  # power-on leaves two records: its reference time and its cause
    assert racp("5a 3c 33 ffffffff")[:12] == "660f01000000"  # reference times
    assert racp("5a 3c 3c ffffffff")[:12] == "660f01000000"  # and others
    assert host.ask("12 1b00 0100") == "13"  # reporting wants to notify
    assert racp("33 55 0f 05000000")[:8] == "0f0f3306"  # no records
    assert racp("33 5a 0f 05000000 01000000")[:8] == "0f0f3305"  # upside down
    assert racp("33 0f")[:8] == "0f0f3303"
    assert racp("3c 33")[:8] == "0f0f3c02"  # deleting is not offered
    assert racp("55 0f")[:8] == "0f0f5507"  # nothing to abort


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.binary(max_size=40), max_size=6))
def test_noise_on_the_line_moves_nothing_and_stops_nothing(noise: list[bytes]) -> None:
    host = Host()
    host.connect()
    run_therapy(host, 1)
    for burst in noise:
        host.port.host_write(burst)
        host.clock.sleep(0.05)
    host.port.host_write(b"\x7e")
    host.clock.sleep(5.0)
    while host.hear():
        host.send("1e")
    assert host.steps == 0
    host.connect()
    assert host.ask(f"0a {STATUS}").startswith("0b")
