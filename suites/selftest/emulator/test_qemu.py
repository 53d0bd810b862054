"""The firmware boots on QEMU's STM32F405 and says there what the pump's protocol page says it says.

Octet for octet, save where an answer depends on a part of the board that QEMU lacks: there, that the pump answers the
same request of the same connection, soundly. Which parts are missing, the last test states.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from suites.selftest.emulator.exchanges import Exchange, exchanges
from suites.selftest.emulator.image import CONTROLLER, write_stand_in
from suites.selftest.emulator.qemu import (
    LOG_ADDRESS,
    LOG_SIZE,
    UNASKED,
    Pump,
    framed,
    protected,
    running_pump,
    unframed,
)
from suites.stands.firmware_host import Host
from suites.stands.transcripts import Transcript, read_page

CONNECTION, *TALKS = read_page(Path(__file__).parents[3] / "instruments/ids/protocol.md")
STATUS, ANNUNCIATION, READER, COMMAND, RACP = "0600", "0900", "0e00", "1100", "1700"
SYSTEM_ISSUE, FORCE_SENSOR = "0f00", "0500"
"""Annunciation type of IDS 1.0.2, and the auxiliary information that the firmware gives with it (`alarm.h`)."""
LEVEL_20_U = "8b12 1400"
"""Set Initial Reservoir Fill Level, 20 U: a command that needs no therapy."""


@pytest.fixture(scope="session")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("image") / "controller.elf"
    write_stand_in(path)
    return path


@pytest.fixture
def erased(tmp_path: Path) -> Path:
    path = tmp_path / "log.bin"
    path.write_bytes(b"\xff" * LOG_SIZE)
    return path


@pytest.fixture
def pump(image: Path, erased: Path) -> Iterator[Pump]:
    with running_pump(image, log=erased) as pump:
        yield pump
        assert not pump.hear(0.05), "the pump says more than it was asked"


class SilentError(Exception):
    """QEMU brought no answer, or not all of it."""


def play(pump: Pump, exchange: Exchange) -> None:
    """Make a request of the page; its answer is the page's, or as good as that."""
    pump.send(exchange.request)
    heard = [pump.hear()]
    last = unframed(exchange.answers[-1])
    while last[:2] == "1d" and heard[-1] and not unframed(heard[-1]).startswith(last[:6]):
        heard.append(pump.hear())
    if not heard[-1]:
        raise SilentError(f"no answer to {exchange.where}, or not to its end: {heard}")
    if last[:2] == "1d":
        pump.send(framed("1e"))
    if exchange.exact:
        assert heard == list(exchange.answers), exchange.where
    kinds = [unframed(frame)[:2] for frame in (heard[0], heard[-1])]
    assert kinds == [unframed(exchange.answers[0])[:2], last[:2]], exchange.where
    answer = unframed(heard[-1])
    if last[:2] == "01":
        assert answer == last, exchange.where
        return
    handle, value = (unframed(exchange.request)[2:6], answer[2:]) if last[:2] == "0b" else (answer[2:6], answer[6:])
    if handle in UNASKED:
        pump.check_protection(handle, bytes.fromhex(value))
    elif not exchange.exact:
        assert protected(value[:-6], bytes.fromhex(last)[-3]) == value, exchange.where


@pytest.mark.parametrize("talk", [pytest.param(talk, id=talk.where) for talk in TALKS if not talk.driver_only])
def test_the_firmware_says_on_qemu_what_the_page_says(image: Path, erased: Path, talk: Transcript) -> None:
    assert all(exchange.exact for exchange in exchanges(CONNECTION))
    for last_try in (False, True):  # a busy machine lets QEMU lose octets: silence, and no wrong answer, is tried again
        with running_pump(image, log=erased) as pump:
            try:
                for exchange in exchanges(CONNECTION) + exchanges(talk):
                    play(pump, exchange)
                assert not pump.hear(0.05), "the pump says more than it was asked"
                return
            except SilentError:
                if last_try:
                    raise


def test_the_image_played_is_the_repositorys_but_for_one_address(image: Path) -> None:
    original, played = CONTROLLER.read_bytes(), image.read_bytes()
    assert len(played) == len(original)
    changed = [place for place in range(0, len(played), 2) if played[place : place + 2] != original[place : place + 2]]
    *loads, crc_place = changed
    assert crc_place > max(loads)
    for place in loads:  # MOVT: 0x4002 becomes 0x2002
        assert (original[place], played[place]) == (0xC4, 0xC2)
        assert original[place + 2] == played[place + 2] == 0x02


def test_most_of_the_page_is_compared_octet_for_octet() -> None:
    played = [exchange for talk in (CONNECTION, *TALKS) if not talk.driver_only for exchange in exchanges(talk)]
    exact = sum(exchange.exact for exchange in played)
    assert exact / len(played) > 0.5, f"{exact} of {len(played)}"


@pytest.mark.parametrize(
    ("point", "operand", "answer"),
    [
        (COMMAND, "0f5a 70", "550f 0f5a 70"),  # op code not supported
        (COMMAND, "5a0f 0f", "550f 5a0f 71"),  # undetermined
        (COMMAND, "5a0f 11", "550f 5a0f 71"),  # no code word
        (COMMAND, "4b11 00 11 7de0 0000 0000", "550f 4b11 71"),  # a bolus type that is no code word
        (COMMAND, "4b11 00 33 7de0", "550f 4b11 71"),  # cut off
        (COMMAND, "4b11 00 33 ff07 0000 0000", "550f 4b11 73"),  # NaN
        (COMMAND, "8b12 fe07", "550f 8b12 73"),  # infinite
        (READER, "5603 0100 11", "0303 5603 71"),  # a value selection that is no code word
        (READER, "0f0f", "0303 0f0f 70"),
        (RACP, "3c 33", "0f 0f 3c 02"),  # deleting is not offered
        (RACP, "33 34", "0f 0f 33 03"),  # an operator that is no code word
        (RACP, "5a 5a 0f 05000000 01000000", "0f 0f 5a 05"),  # upside down
    ],
)
def test_what_is_not_allowed_is_refused_with_its_code(pump: Pump, point: str, operand: str, answer: str) -> None:
    pump.connect()
    assert pump.procedure(point, protected(operand, 1)) == [protected(answer, 1)]


def test_a_wrong_crc_and_a_counter_that_is_not_the_next_one_execute_nothing(pump: Pump) -> None:
    pump.connect()
    before = pump.ask(f"0a {STATUS}")[2:-6]
    level = protected(LEVEL_20_U, 1)
    assert pump.ask(f"12 {COMMAND} {level[:-4]}0000") == f"0112{COMMAND}81"
    assert pump.ask(f"12 {COMMAND} {protected(LEVEL_20_U, 2)}") == f"0112{COMMAND}82"
    assert pump.ask(f"12 {COMMAND} {protected(LEVEL_20_U, 0)}") == f"0112{COMMAND}82"
    assert pump.ask(f"0a {STATUS}")[2:-6] == before


def test_a_replayed_command_is_refused(pump: Pump) -> None:
    pump.connect()
    assert pump.procedure(COMMAND, protected(LEVEL_20_U, 1)) == [protected("550f 8b12 0f", 1)]
    assert pump.procedure(COMMAND, protected("8b12 1900", 2)) == [protected("550f 8b12 0f", 2)]
    assert pump.ask(f"12 {COMMAND} {protected(LEVEL_20_U, 1)}") == f"0112{COMMAND}82"
    assert pump.ask(f"0a {STATUS}")[6:10] == "1900"  # 25 U, not 20 U


@pytest.mark.parametrize(
    "broken",
    ["7e 0a 06 00 66 e2 7e", "7e 0a 06 00 66 e1 7d 7e", "7e" + " 55" * 40 + " 7e", "7e 0a 7e", "7e 7e 7e"],
    ids=["wrong FCS", "aborted", "too long", "too short", "empty"],
)
def test_a_frame_that_is_none_is_not_answered(pump: Pump, broken: str) -> None:
    pump.connect()
    pump.send(bytes.fromhex(broken))
    assert pump.ask("0a 1e00") == "0b" + b"Open Rig".hex()


def test_the_log_of_the_virtual_bench_reads_the_same_on_qemu(image: Path, tmp_path: Path) -> None:
    host = Host()
    host.connect()
    assert host.ask("12 1b00 0100") == "13"
    for counter, state in enumerate(("55", "33", "55", "33"), 1):
        assert host.procedure(COMMAND, protected(f"5a0f {state}", counter)).startswith("550f5a0f0f")
        host.clock.sleep(100.0)
    log = tmp_path / "log.bin"
    log.write_bytes(host.board.mcu.read_memory(LOG_ADDRESS, LOG_SIZE))
    here: dict[str, list[str]] = {}
    requests = ("33 5a 0f 00000000 04000000", "33 3c 33 04000000", "33 3c 3c 04000000", "33 66", "5a 3c 0f 04000000")
    for counter, request in enumerate(requests, 1):
        assert host.ask(f"12 {RACP} {protected(request, counter)}") == "13"
        here[request] = [pdu[6:] for pdu in iter(host.hear, "")]
        host.send("1e")
    assert [len(values) for values in here.values()] == [6, 2, 5, 2, 1]
    with running_pump(image, log=log) as pump:
        pump.connect()
        for counter, request in enumerate(requests, 1):
            assert pump.procedure(RACP, protected(request, counter)) == here[request], request


def test_a_pump_that_cannot_believe_its_force_sensor_says_so_and_does_not_run(pump: Pump) -> None:
    # Its first annunciation; had RAM, flash or backup SRAM failed the self-test, that would have been the first.
    assert pump.ask(f"0a {ANNUNCIATION}")[2:-6] == "03" + "0100" + SYSTEM_ISSUE + "33" + FORCE_SENSOR
    pump.connect()
    assert pump.procedure(COMMAND, protected("5a0f 55", 1)) == [protected("550f 5a0f 74", 1)]
    assert pump.ask(f"0a {STATUS}")[2:4] == "33"  # stopped


def test_qemu_lacks_these_parts_and_no_other(image: Path, erased: Path, tmp_path: Path) -> None:
    complaints = tmp_path / "qemu.log"
    with running_pump(image, log=erased, complaints=complaints) as pump:
        pump.connect()
        pump.procedure(COMMAND, protected(LEVEL_20_U, 1))
    text = complaints.read_text()
    lacking = set(re.findall(r"^(.+): unimplemented device", text, re.MULTILINE))
    # "I2S2ext" lies at the address of the independent watchdog, whose name it hides
    assert lacking == {"RCC", "PWR", "RTC and BKP", "I2S2ext", "GPIOA", "GPIOB", "GPIOC", "Flash Int"}
    assert [line for line in text.splitlines() if "unimplemented device" not in line] == []
