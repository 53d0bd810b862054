"""The pump driver against a pump that says what the test writes: refusals, silence, and answers that IDS forbids."""

from collections.abc import Iterator

import pytest
import serial

from instruments.ids import IdsPump, open_driver
from rig.clock import SimClock
from rig.errors import BadReplyError, DeviceError, NoReplyError, RefusedError
from rig.therapy import TherapyState
from rig.virtual import protocol_twin
from rig.virtual.port import Port
from rig.wire import NoLog

URL = "twin://scripted"

# Handles and UUIDs as a pump might have them; not those of the reference controller.
CHARACTERISTICS = {
    0x03: 0x2B20, 0x06: 0x2B21, 0x09: 0x2B22, 0x0C: 0x2B23, 0x0E: 0x2B24, 0x11: 0x2B25, 0x14: 0x2B27, 0x17: 0x2B28,
    0x1B: 0x2A29, 0x1D: 0x2A24, 0x1F: 0x2A25, 0x21: 0x2A26,
}  # fmt: skip
CONFIGURED = (0x03, 0x06, 0x09, 0x0E, 0x11, 0x14, 0x17)
COMMAND, READER, RACP = 0x11, 0x0E, 0x14


def checked(data: bytes, final: int) -> bytes:
    """CRC with polynomial 0x1021 reflected, bit by bit: the frame's (final FFFF) or the service's (final 0)."""
    value = 0xFFFF
    for octet in data:
        for bit in range(8):
            value = value >> 1 ^ (0x8408 if (value ^ octet >> bit) & 1 else 0)
    return (value ^ final).to_bytes(2, "little")


class ScriptedPump:
    """Answers discovery and CCCDs by itself; control points answer with `answers`, in turn."""

    def __init__(self) -> None:
        self.port = Port(SimClock(), baud=115200)
        self.port.on_receive(self._hear)
        self.service = 0x183A
        self.answers: list[bytes | None] = []
        self.att_error: int | None = None
        self.unasked: list[bytes] = []
        self.heard: list[bytes] = []
        self.values = {0x0C: self._features(), 0x06: self._protected(bytes.fromhex("33 3c 2c 01 01"))}
        self._buffer = b""

    @staticmethod
    def _features() -> bytes:
        rest = bytes.fromhex("01 64 00 23 00 00")
        return checked(rest, 0) + rest

    @staticmethod
    def _protected(value: bytes) -> bytes:
        return value + b"\x01" + checked(value + b"\x01", 0)

    def send(self, pdu: bytes) -> None:
        body = (pdu + checked(pdu, 0xFFFF)).replace(b"\x7d", b"\x7d\x5d").replace(b"\x7e", b"\x7d\x5e")
        self.port.send(b"\x7e" + body + b"\x7e")

    def answer(self, operand: str) -> None:
        self.answers.append(self._protected(bytes.fromhex(operand)))

    def writes_to(self, handle: int) -> list[bytes]:
        return [pdu[3:] for pdu in self.heard if pdu[0] == 0x12 and pdu[1] == handle]

    def _hear(self, data: bytes) -> None:
        self._buffer += data
        *frames, self._buffer = self._buffer.split(b"\x7e")
        for frame in frames:
            if frame:
                body = frame.replace(b"\x7d\x5e", b"\x7e").replace(b"\x7d\x5d", b"\x7d")
                self.heard.append(body[:-2])
                self._react(body[:-2])

    def _react(self, pdu: bytes) -> None:
        op, first = pdu[0], int.from_bytes(pdu[1:3], "little")
        if op in (0x04, 0x08, 0x10):
            self._list(op, first)
        elif op == 0x0A:
            self.send(b"\x0b" + self.values.get(first, b"text"))
        elif op == 0x12:
            self._written(first)

    def _list(self, op: int, first: int) -> None:
        if op == 0x10:
            entries = {0x01: bytes.fromhex("0100 ffff") + self.service.to_bytes(2, "little")}
        elif op == 0x08:
            entries = {
                handle - 1: bytes([handle - 1, 0, 0x2A, handle, 0]) + uuid.to_bytes(2, "little")
                for handle, uuid in CHARACTERISTICS.items()
            }
        else:
            entries = {handle + 1: bytes([handle + 1, 0, 0x02, 0x29]) for handle in CONFIGURED}
        found = [entry for handle, entry in sorted(entries.items()) if handle >= first][:1]
        if found:
            self.send(bytes([op + 1, 1 if op == 0x04 else len(found[0])]) + found[0])
        else:
            self.send(bytes([0x01, op]) + first.to_bytes(2, "little") + b"\x0a")

    def _written(self, handle: int) -> None:
        if handle not in (COMMAND, READER, RACP):
            self.send(b"\x13")
            return
        if self.att_error is not None:
            self.send(bytes([0x01, 0x12, handle, 0, self.att_error]))
            return
        for pdu in self.unasked:
            self.send(pdu)
        self.send(b"\x13")
        answer = self.answers.pop(0) if self.answers else None
        if answer is not None:
            self.send(bytes([0x1D, handle, 0]) + answer)


@pytest.fixture
def scripted() -> Iterator[ScriptedPump]:
    pump = ScriptedPump()
    protocol_twin.register(URL, pump.port)
    serial.protocol_handler_packages.append("rig.virtual")
    yield pump
    serial.protocol_handler_packages.remove("rig.virtual")
    protocol_twin.withdraw(URL)


def connected(scripted: ScriptedPump) -> IdsPump:
    pump = open_driver(URL, clock=scripted.port.clock, log=NoLog())
    scripted.heard.clear()
    return pump


def test_a_bolus_goes_out_as_the_published_vector_says(scripted: ScriptedPump) -> None:
    pump = connected(scripted)
    scripted.answer("7711 0700")
    assert pump.bolus(1.25) == 7
    assert scripted.writes_to(COMMAND) == [bytes.fromhex("4b11 00 33 7de0 0000 0000 01 834a")]
    scripted.answer("8711 0100")
    pump.cancel_bolus(1)
    assert scripted.writes_to(COMMAND)[1] == bytes.fromhex("7811 0100 02 8fd9")
    scripted.answer("550f 5a0f 0f")
    pump.stop()
    assert scripted.writes_to(COMMAND)[2] == bytes.fromhex("5a0f 33 03 0fee")


@pytest.mark.parametrize(
    ("code", "meaning"),
    [("70", "op code not supported"), ("73", "parameter out of range"), ("76", "maximum number of boluses reached")],
)
def test_a_refusal_names_op_code_meaning_and_parameter(scripted: ScriptedPump, code: str, meaning: str) -> None:
    pump = connected(scripted)
    scripted.answer(f"550f 4b11 {code}")
    with pytest.raises(RefusedError) as raised:
        pump.bolus(30.0)
    assert f"at Set Bolus (0x114b) of 30 U: the pump answered '{meaning}' (0x{code})" in str(raised.value)


@pytest.mark.parametrize(
    ("code", "meaning"),
    [
        (0x81, "invalid CRC"),
        (0x82, "invalid counter"),
        (0xFD, "indications not enabled"),
        (0xFE, "already in progress"),
    ],
)
def test_an_att_error_is_named(scripted: ScriptedPump, code: int, meaning: str) -> None:
    pump = connected(scripted)
    scripted.att_error = code
    with pytest.raises(RefusedError, match=meaning):
        pump.stop()


def test_damaged_frames_are_counted_over_all_connections(scripted: ScriptedPump) -> None:
    """The read of a status is answered all the same; a new connection begins with what the old ones have counted."""
    pump = connected(scripted)
    for expected in (2, 4):
        scripted.port.send(b"\x7e\x1d\x11\x00\x55\x0f\x7e" * 2)
        assert pump.status().therapy is TherapyState.STOP
        assert pump.damaged_frames == expected
        pump.reconnect()
        assert pump.damaged_frames == expected


def test_a_lost_answer_to_a_bolus_is_silence_after_two_seconds_and_nothing_is_repeated(scripted: ScriptedPump) -> None:
    pump = connected(scripted)
    before_s = scripted.port.clock.now()
    with pytest.raises(NoReplyError, match=r"at Set Bolus \(0x114b\) of 1 U: no reply within 2 s"):
        pump.bolus(1.0)
    assert scripted.port.clock.now() - before_s == pytest.approx(2.0, abs=0.01)
    scripted.port.clock.sleep(60.0)
    assert len(scripted.writes_to(COMMAND)) == 1


@pytest.mark.parametrize(
    "answer",
    [
        bytes.fromhex("7711 0100 01 0000"),  # wrong CRC
        bytes.fromhex("77"),  # cut off
        ScriptedPump._protected(bytes.fromhex("8711 0100")),  # the answer to another procedure
        ScriptedPump._protected(bytes.fromhex("550f 7811 73")),  # a refusal of another procedure
        ScriptedPump._protected(bytes.fromhex("550f 4b11 0f")),  # success, where an id belongs
    ],
)
def test_an_answer_that_ids_forbids_is_no_success(scripted: ScriptedPump, answer: bytes) -> None:
    pump = connected(scripted)
    scripted.answers.append(answer)
    with pytest.raises(DeviceError):
        pump.bolus(1.0)


def test_what_comes_unasked_is_confirmed_and_disturbs_nothing(scripted: ScriptedPump) -> None:
    pump = connected(scripted)
    scripted.unasked = [bytes.fromhex("1d 0300") + ScriptedPump._protected(bytes.fromhex("8100"))]
    scripted.answer("550f 5a0f 0f")
    pump.run()
    scripted.port.clock.sleep(0.1)
    assert scripted.heard.count(b"\x1e") == 2  # the change and the answer


def test_a_device_without_the_service_is_another_device(scripted: ScriptedPump) -> None:
    scripted.service = 0x181F
    with pytest.raises(BadReplyError, match=r"no Insulin Delivery Service \(183A\)"):
        open_driver(URL, clock=scripted.port.clock, log=NoLog())


def test_status_is_decoded(scripted: ScriptedPump) -> None:
    status = connected(scripted).status()
    assert (status.therapy.value, status.operational, status.reservoir_u) == ("stop", "standby", 300.0)
    assert status.reservoir_attached is True


def test_a_status_that_is_garbled_is_an_error_of_the_rig(scripted: ScriptedPump) -> None:
    pump = connected(scripted)
    scripted.values[0x06] = bytes.fromhex("33 3c 2c 01 01 01 0000")
    with pytest.raises(BadReplyError, match="33 3c 2c 01 01 01 00 00 came back, which IDS does not allow"):
        pump.status()


def test_a_value_that_an_sfloat_cannot_hold_is_not_sent(scripted: ScriptedPump) -> None:
    pump = connected(scripted)
    with pytest.raises(ValueError, match=r"20\.475 has more digits than an SFLOAT holds"):
        pump.bolus(20.475)
    assert scripted.writes_to(COMMAND) == []


@pytest.mark.parametrize(("op", "last"), [(0x08, "0x0002"), (0x04, "0x0004")])
def test_a_pump_that_lists_the_same_attributes_again_and_again_is_refused(
    scripted: ScriptedPump, monkeypatch: pytest.MonkeyPatch, op: int, last: str
) -> None:
    listed = scripted._list
    monkeypatch.setattr(scripted, "_list", lambda each, first: listed(each, 1 if each == op else first))
    with pytest.raises(BadReplyError, match=f"at discovering its attributes: handles up to {last}, asked from "):
        connected(scripted)
