"""The pump's protocol page is true: the firmware says what it says, and the driver understands it.

The page's first block is the connection, which every other block takes for granted.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import serial

from instruments.ids import open_driver
from rig.clock import SimClock
from rig.errors import BadReplyError
from rig.virtual import protocol_twin
from rig.virtual.port import Port
from rig.wire import NoLog
from suites.stands.firmware_host import Host
from suites.stands.transcript_players import PlayedDevice, StatedWorld, play_calls, play_to_port
from suites.stands.transcripts import Transcript, read_page

CONNECTION, *TALKS = read_page(Path(__file__).parents[2] / "instruments/ids/protocol.md")
URL = "twin://page"


@pytest.fixture
def port() -> Iterator[Port]:
    port = Port(SimClock(), baud=None)
    protocol_twin.register(URL, port)
    serial.protocol_handler_packages.append("rig.virtual")
    yield port
    serial.protocol_handler_packages.remove("rig.virtual")
    protocol_twin.withdraw(URL)


@pytest.mark.parametrize("talk", [pytest.param(talk, id=talk.where) for talk in TALKS if talk.has_calls])
def test_the_driver_understands_what_the_page_says(port: Port, talk: Transcript) -> None:
    device = PlayedDevice(port)
    device.play(CONNECTION.lines)
    driver = open_driver(URL, clock=port.clock, log=NoLog())
    device.expect_done(CONNECTION.where)
    play_calls(talk, device, driver)


@pytest.mark.parametrize("talk", [pytest.param(talk, id=talk.where) for talk in TALKS if not talk.driver_only])
def test_the_firmware_says_what_the_page_says(talk: Transcript) -> None:
    whole = replace(talk, lines=CONNECTION.lines + talk.lines)
    play_to_port(whole, Host().port, StatedWorld(talk.where))


@pytest.mark.parametrize(
    ("features", "sentence"),
    [
        ("7e 0b a7 6d 01 64 00 23 00 00 2b 17 7e", "a7 6d 01 64 00 23 00 00 came back, which IDS does not allow"),
        ("7e 0b a7 6c 00 64 00 23 00 00 d5 8c 7e", "a7 6c 00 64 00 23 00 00 came back, which IDS does not allow"),
        ("7e 0b ff ff 00 64 00 22 00 00 86 5e 7e", "the pump offers no E2E protection"),
    ],
)
def test_a_pump_whose_features_cannot_be_relied_on_is_not_opened(port: Port, features: str, sentence: str) -> None:
    device = PlayedDevice(port)
    device.play((*CONNECTION.lines[:-1], replace(CONNECTION.lines[-1], data=bytes.fromhex(features))))
    with pytest.raises(BadReplyError, match=sentence):
        open_driver(URL, clock=port.clock, log=NoLog())
