"""The role Pump over the Bluetooth Insulin Delivery Service 1.0.2.

Nothing that delivers insulin is ever repeated: after a lost reply the error says what is known. Not responsible for
the link (`serial_link`) nor for waiting: procedures wait.
"""

from __future__ import annotations

from collections.abc import Sequence

from rig.clock import Clock
from rig.errors import BadReplyError, RefusedError
from rig.pump.ids import codes
from rig.pump.ids.codec import decode_sfloat, e2e_crc, encode_sfloat, next_counter
from rig.pump.ids.codes import Feature, Op, Therapy, Uuid
from rig.pump.ids.gatt import GattClient
from rig.pump.ids.history import decode_records
from rig.pump.ids.serial_link import Link, SerialLink
from rig.roles import (
    Annunciation,
    BasalSegment,
    BolusState,
    Capability,
    HistoryEvent,
    Identity,
    PumpStatus,
    TherapyState,
)
from rig.wire import ByteLog

INDICATED = (Uuid.STATUS_CHANGED, Uuid.STATUS, Uuid.ANNUNCIATION_STATUS, Uuid.STATUS_READER, Uuid.COMMAND, Uuid.RACP)
UNASKED = (Uuid.STATUS_CHANGED, Uuid.STATUS, Uuid.ANNUNCIATION_STATUS)
BLOCKS_A_WRITE = 3
FIRST_COUNTER = 255
"""Both sides begin a connection as if 255 had been the last counter (IDS 1.0.2, 3.11)."""

THERAPY = {
    Therapy.STOP: TherapyState.STOP,
    Therapy.PAUSE: TherapyState.PAUSE,
    Therapy.RUN: TherapyState.RUN,
    Therapy.UNDETERMINED: TherapyState.UNDETERMINED,
}


class IdsPump:
    """A pump that is a server of the Insulin Delivery Service."""

    def __init__(self, link: Link, clock: Clock) -> None:
        self._gatt = GattClient(link, clock)
        self._sent_counter: dict[Uuid, int] = {}
        self._gatt.connect()
        for uuid in INDICATED:
            self._gatt.subscribe(uuid, indications=True)
        self._gatt.subscribe(Uuid.HISTORY_DATA, indications=False)
        features = self._gatt.read(Uuid.FEATURES)
        if len(features) < 8:
            raise self._odd("reading its features", features)
        self._features = Feature(int.from_bytes(features[5:8], "little"))
        if Feature.E2E_PROTECTION not in self._features:
            raise BadReplyError(
                asked="reading its features",
                of_whom=self._gatt.name,
                came_back="the pump offers no E2E protection in answer",
                look_at="this driver needs it (IDS 1.0.2, 3.11)",
            )
        if e2e_crc(features[2:]) != features[:2]:
            raise self._odd("reading its features", features)

    # ---- instrument -------------------------------------------------------------------------------------------

    def identify(self) -> Identity:
        """Get maker, model, serial number and firmware from the Device Information Service."""
        maker, model, serial_number, firmware = (
            self._gatt.read(uuid).decode("utf-8", errors="replace")
            for uuid in (
                Uuid.MANUFACTURER_NAME,
                Uuid.MODEL_NUMBER,
                Uuid.SERIAL_NUMBER,
                Uuid.FIRMWARE_REVISION,
            )
        )
        return Identity(maker, model, serial_number, firmware)

    def self_test(self) -> str:
        """Get a sentence on the pump's state; RefusedError when an annunciation is pending."""
        status = self.status()
        pending = [annunciation.kind for annunciation in self.annunciations()]
        amount = "an unknown amount" if status.reservoir_u is None else f"{status.reservoir_u:g} U"
        words = f"therapy {status.therapy.value}, {status.operational}, reservoir {amount}"
        return words + (f", annunciates {', '.join(pending)}" if pending else "")

    def make_safe(self) -> None:
        """Stop every delivery."""
        self.stop()

    def close(self) -> None:
        """Release the port."""
        self._gatt.close()

    # ---- state ------------------------------------------------------------------------------------------------

    @property
    def capabilities(self) -> frozenset[Capability]:
        """What the pump's Features bits announce; detection and the log are mandatory in the service."""
        found = {Capability.OCCLUSION_DETECTION, Capability.RESERVOIR_DETECTION, Capability.HISTORY}
        found.add(Capability.RESERVOIR_LEVEL)
        if Feature.BASAL_RATE in self._features:
            found.add(Capability.BASAL_PROFILE)
        if Feature.FAST_BOLUS in self._features:
            found |= {Capability.FAST_BOLUS, Capability.CANCEL_BOLUS}
        return frozenset(found)

    def status(self) -> PumpStatus:
        """Get therapy state, operational state and reservoir."""
        value = self._read(Uuid.STATUS, size=5)
        amount = decode_sfloat(value[2:4])
        return PumpStatus(
            therapy=THERAPY[Therapy(value[0])],
            operational=codes.OPERATIONAL.get(value[1], "undetermined"),
            reservoir_u=None if amount != amount else amount,
            reservoir_attached=bool(value[4] & 1),
        )

    def annunciations(self) -> list[Annunciation]:
        """Get the annunciation that is pending or snoozed; the service shows one at a time."""
        for uuid in UNASKED:
            self._gatt.forget(uuid)
        value = self._read(Uuid.ANNUNCIATION_STATUS, size=1)
        if not value[0] & 1:
            return []
        if len(value) < 6:
            raise self._odd("reading its annunciation status", value)
        status = codes.ANNUNCIATION_STATUS.get(value[5], "undetermined")
        if status == "confirmed":
            return []
        kind = codes.ANNUNCIATIONS.get(_u16(value[3:5]), f"type {_u16(value[3:5]):04X}")
        return [Annunciation(_u16(value[1:3]), kind, status)]

    def confirm(self, annunciation_id: int) -> None:
        """Confirm an annunciation; RefusedError while its cause holds."""
        self._command(
            Op.CONFIRM_ANNUNCIATION,
            annunciation_id.to_bytes(2, "little"),
            Op.CONFIRM_ANNUNCIATION_RESPONSE,
            of=f"{annunciation_id}",
        )

    # ---- therapy ----------------------------------------------------------------------------------------------

    def run(self) -> None:
        """Set the therapy control state to run."""
        self._command(Op.SET_THERAPY_CONTROL_STATE, bytes([Therapy.RUN]), None, of="run")

    def pause(self) -> None:
        """Set the therapy control state to pause; RefusedError unless therapy runs."""
        self._command(Op.SET_THERAPY_CONTROL_STATE, bytes([Therapy.PAUSE]), None, of="pause")

    def stop(self) -> None:
        """Set the therapy control state to stop."""
        self._command(Op.SET_THERAPY_CONTROL_STATE, bytes([Therapy.STOP]), None, of="stop")

    def set_reservoir_level(self, insulin_u: float) -> None:
        """Set the initial reservoir fill level in U."""
        self._command(Op.SET_INITIAL_RESERVOIR_FILL_LEVEL, encode_sfloat(insulin_u), None, of=f"{insulin_u:g} U")

    def set_basal_profile(self, segments: Sequence[BasalSegment]) -> None:
        """Write profile template 1, three time blocks a write, and activate it."""
        for first in range(0, len(segments), BLOCKS_A_WRITE):
            blocks = segments[first : first + BLOCKS_A_WRITE]
            end = first + BLOCKS_A_WRITE >= len(segments)
            flags = int(end) | (len(blocks) > 1) << 1 | (len(blocks) > 2) << 2
            operand = bytes([flags, 1, first + 1])
            for block in blocks:
                operand += block.duration_min.to_bytes(2, "little") + encode_sfloat(block.rate_u_per_h)
            of = ", ".join(f"{block.rate_u_per_h:g} U/h for {block.duration_min} min" for block in blocks)
            self._command(Op.WRITE_BASAL_RATE_PROFILE, operand, Op.WRITE_BASAL_RATE_PROFILE_RESPONSE, of=of)
        self._command(
            Op.ACTIVATE_PROFILE_TEMPLATES, bytes([1, 1]), Op.ACTIVATE_PROFILE_TEMPLATES_RESPONSE, of="template 1"
        )

    def bolus(self, insulin_u: float) -> int:
        """Start a fast bolus in U and return its id. After a lost reply nothing is repeated: look at active boluses."""
        operand = bytes([0, codes.BOLUS_FAST]) + encode_sfloat(insulin_u) + bytes(4)
        return _u16(self._command(Op.SET_BOLUS, operand, Op.SET_BOLUS_RESPONSE, of=f"{insulin_u:g} U"))

    def active_boluses(self) -> list[BolusState]:
        """Get the boluses still being delivered, with what was programmed and delivered in U."""
        reply = self._ask(Op.GET_ACTIVE_BOLUS_IDS, b"", Op.GET_ACTIVE_BOLUS_IDS_RESPONSE)
        ids = [_u16(reply[at : at + 2]) for at in range(1, 1 + 2 * reply[0], 2)]
        states = []
        for bolus_id in ids:
            programmed_u, delivered_u = (
                self._bolus_amount(bolus_id, which) for which in (codes.PROGRAMMED, codes.DELIVERED)
            )
            states.append(BolusState(bolus_id, programmed_u, delivered_u))
        return states

    def cancel_bolus(self, bolus_id: int) -> None:
        """Stop a bolus."""
        self._command(Op.CANCEL_BOLUS, bolus_id.to_bytes(2, "little"), Op.CANCEL_BOLUS_RESPONSE, of=f"{bolus_id}")

    def _bolus_amount(self, bolus_id: int, which: int) -> float:
        operand = bolus_id.to_bytes(2, "little") + bytes([which])
        reply = self._ask(Op.GET_ACTIVE_BOLUS_DELIVERY, operand, Op.GET_ACTIVE_BOLUS_DELIVERY_RESPONSE)
        return decode_sfloat(reply[4:6]) + decode_sfloat(reply[6:8])

    # ---- log --------------------------------------------------------------------------------------------------

    def history(self, *, since: int = 0) -> list[HistoryEvent]:
        """Get the log entries numbered `since` and later.

        All stored records are asked for, since the time of an entry counts from the reference time before it.
        """
        asked = "Report Stored Records (0x33)"
        self._gatt.forget(Uuid.HISTORY_DATA)
        self._write_protected(Uuid.RACP, bytes([0x33, 0x33]), asked)
        answer = self._protected(Uuid.RACP, asked)
        if answer[:3] != bytes([0x0F, 0x0F, 0x33]) or len(answer) != 4:
            raise self._odd(asked, answer)
        if answer[3] == codes.RACP_NO_RECORDS:
            return []
        if answer[3] != codes.RACP_SUCCESS:
            raise self._refused(asked, codes.RACP_ERRORS.get(answer[3], "unknown code"), answer[3])
        records = []
        for value in self._gatt.take(Uuid.HISTORY_DATA):
            if e2e_crc(value[:-2]) != value[-2:]:
                raise self._odd(asked, value)
            records.append(value[:-2])
        try:
            events = decode_records(records)
        except ValueError as error:
            raise BadReplyError(
                asked=asked, of_whom=self._gatt.name, came_back=f"{error}, in answer", look_at="protocol.md"
            ) from error
        return [event for event in events if event.sequence >= since]

    # ---- control points and E2E protection --------------------------------------------------------------------

    def _command(self, op: Op, operand: bytes, response: Op | None, *, of: str) -> bytes:
        return self._procedure(Uuid.COMMAND, op, operand, response, Op.COMMAND_RESPONSE, f"{op.words} of {of}")

    def _ask(self, op: Op, operand: bytes, response: Op) -> bytes:
        return self._procedure(Uuid.STATUS_READER, op, operand, response, Op.READER_RESPONSE, op.words)

    def _procedure(self, uuid: Uuid, op: Op, operand: bytes, response: Op | None, code_op: Op, asked: str) -> bytes:
        """Write a procedure to a control point and get the operand of its response."""
        self._gatt.forget(uuid)
        self._write_protected(uuid, op.to_bytes(2, "little") + operand, asked)
        answer = self._protected(uuid, asked)
        answered, body = _u16(answer), answer[2:]
        if response is not None and answered == response:
            return body
        if answered != code_op or len(body) != 3 or _u16(body) != op:
            raise self._odd(asked, answer)
        if body[2] != codes.SUCCESS or response is not None:
            raise self._refused(asked, codes.RESPONSES.get(body[2], "unknown code"), body[2])
        return b""

    def _write_protected(self, uuid: Uuid, value: bytes, asked: str) -> None:
        counter = next_counter(self._sent_counter.get(uuid, FIRST_COUNTER))
        self._sent_counter[uuid] = counter
        protected = value + bytes([counter])
        self._gatt.write(uuid, protected + e2e_crc(protected), asked=asked)

    def _protected(self, uuid: Uuid, asked: str) -> bytes:
        return self._checked(self._gatt.wait_for(uuid, asked=asked), asked)

    def _read(self, uuid: Uuid, *, size: int) -> bytes:
        asked = f"reading {uuid.name.replace('_', ' ').title()}"
        value = self._checked(self._gatt.read(uuid), asked)
        if len(value) < size:
            raise self._odd(asked, value)
        return value

    def _checked(self, value: bytes, asked: str) -> bytes:
        """Take counter and CRC off a value; BadReplyError when the CRC is wrong."""
        if len(value) < 4 or e2e_crc(value[:-2]) != value[-2:]:
            raise self._odd(asked, value)
        return value[:-3]

    def _refused(self, asked: str, meaning: str, code: int) -> RefusedError:
        return RefusedError(
            asked=asked,
            of_whom=self._gatt.name,
            came_back=f"the pump answered '{meaning}' ({code:#04x})",
            look_at="see protocol.md for what the pump allows",
        )

    def _odd(self, asked: str, value: bytes) -> BadReplyError:
        return BadReplyError(
            asked=asked,
            of_whom=self._gatt.name,
            came_back=f"{value.hex(' ') or 'nothing'} in answer, which IDS does not allow,",
            look_at="is the line disturbed, or is this another kind of pump?",
        )


def open_driver(port: str, *, clock: Clock, log: ByteLog) -> IdsPump:
    """Open the pump on a pyserial port or URL."""
    link = SerialLink(port, clock, log)
    try:
        return IdsPump(link, clock)
    except BaseException:
        link.close()
        raise


def _u16(data: bytes) -> int:
    return int.from_bytes(data[:2], "little")
