"""The role Pump over the Bluetooth Insulin Delivery Service 1.0.2.

Nothing that delivers insulin is ever repeated: after a lost reply the error says what is known. Not responsible for
the link (`serial_link`) nor for waiting: procedures wait.
"""

from __future__ import annotations

from collections.abc import Sequence

from rig.clock import Clock
from rig.errors import BadReplyError
from rig.pump.ids import codes
from rig.pump.ids.client import IdsClient, u16
from rig.pump.ids.codec import decode_sfloat, encode_sfloat
from rig.pump.ids.codes import Feature, Op, Therapy, Uuid
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

BLOCKS_A_WRITE = 3
THERAPY: dict[int, TherapyState] = {
    Therapy.STOP: TherapyState.STOP,
    Therapy.PAUSE: TherapyState.PAUSE,
    Therapy.RUN: TherapyState.RUN,
    Therapy.UNDETERMINED: TherapyState.UNDETERMINED,
}


class IdsPump:
    """A pump that is a server of the Insulin Delivery Service."""

    def __init__(self, link: Link, clock: Clock) -> None:
        self._client = IdsClient(link, clock)

    # ---- instrument -------------------------------------------------------------------------------------------

    def identify(self) -> Identity:
        """Get maker, model, serial number and firmware from the Device Information Service."""
        maker, model, serial_number, firmware = (
            self._client.text(uuid)
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
        self._client.close()

    # ---- state ------------------------------------------------------------------------------------------------

    @property
    def capabilities(self) -> frozenset[Capability]:
        """What the pump's Features bits announce; detection and the log are mandatory in the service."""
        found = {Capability.OCCLUSION_DETECTION, Capability.RESERVOIR_DETECTION, Capability.HISTORY}
        found.add(Capability.RESERVOIR_LEVEL)
        if Feature.BASAL_RATE in self._client.features:
            found.add(Capability.BASAL_PROFILE)
        if Feature.FAST_BOLUS in self._client.features:
            found |= {Capability.FAST_BOLUS, Capability.CANCEL_BOLUS}
        return frozenset(found)

    def status(self) -> PumpStatus:
        """Get therapy state, operational state and reservoir."""
        value = self._client.read(Uuid.STATUS, size=5)
        if value[0] not in THERAPY:
            raise self._client.odd("reading its status", value)
        amount = decode_sfloat(value[2:4])
        return PumpStatus(
            therapy=THERAPY[value[0]],
            operational=codes.OPERATIONAL.get(value[1], "undetermined"),
            reservoir_u=None if amount != amount else amount,
            reservoir_attached=bool(value[4] & 1),
        )

    def annunciations(self) -> list[Annunciation]:
        """Get the annunciation that is pending or snoozed; the service shows one at a time."""
        value = self._client.read(Uuid.ANNUNCIATION_STATUS, size=1)
        if not value[0] & 1:
            return []
        if len(value) < 6:
            raise self._client.odd("reading its annunciation status", value)
        status = codes.ANNUNCIATION_STATUS.get(value[5], "undetermined")
        if status == "confirmed":
            return []
        kind = codes.ANNUNCIATIONS.get(u16(value[3:5]), f"type {u16(value[3:5]):04X}")
        return [Annunciation(u16(value[1:3]), kind, status)]

    def confirm(self, annunciation_id: int) -> None:
        """Confirm an annunciation; RefusedError while its cause holds."""
        self._client.command(
            Op.CONFIRM_ANNUNCIATION,
            annunciation_id.to_bytes(2, "little"),
            Op.CONFIRM_ANNUNCIATION_RESPONSE,
            of=f"{annunciation_id}",
        )

    # ---- therapy ----------------------------------------------------------------------------------------------

    def run(self) -> None:
        """Set the therapy control state to run."""
        self._client.command(Op.SET_THERAPY_CONTROL_STATE, bytes([Therapy.RUN]), None, of="run")

    def pause(self) -> None:
        """Set the therapy control state to pause; RefusedError unless therapy runs."""
        self._client.command(Op.SET_THERAPY_CONTROL_STATE, bytes([Therapy.PAUSE]), None, of="pause")

    def stop(self) -> None:
        """Set the therapy control state to stop."""
        self._client.command(Op.SET_THERAPY_CONTROL_STATE, bytes([Therapy.STOP]), None, of="stop")

    def set_reservoir_level(self, insulin_u: float) -> None:
        """Set the initial reservoir fill level in U."""
        self._client.command(Op.SET_INITIAL_RESERVOIR_FILL_LEVEL, encode_sfloat(insulin_u), None, of=f"{insulin_u:g} U")

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
            self._client.command(Op.WRITE_BASAL_RATE_PROFILE, operand, Op.WRITE_BASAL_RATE_PROFILE_RESPONSE, of=of)
        self._client.command(
            Op.ACTIVATE_PROFILE_TEMPLATES, bytes([1, 1]), Op.ACTIVATE_PROFILE_TEMPLATES_RESPONSE, of="template 1"
        )

    def bolus(self, insulin_u: float) -> int:
        """Start a fast bolus in U and return its id. After a lost reply nothing is repeated: look at active boluses."""
        operand = bytes([0, codes.BOLUS_FAST]) + encode_sfloat(insulin_u) + bytes(4)
        return u16(self._client.command(Op.SET_BOLUS, operand, Op.SET_BOLUS_RESPONSE, of=f"{insulin_u:g} U"))

    def active_boluses(self) -> list[BolusState]:
        """Get the boluses still being delivered, with what was programmed and delivered in U."""
        reply = self._client.ask(Op.GET_ACTIVE_BOLUS_IDS, b"", Op.GET_ACTIVE_BOLUS_IDS_RESPONSE)
        if len(reply) < 1 + 2 * reply[0]:
            raise self._client.odd(Op.GET_ACTIVE_BOLUS_IDS.words, reply)
        ids = [u16(reply[at : at + 2]) for at in range(1, 1 + 2 * reply[0], 2)]
        states = []
        for bolus_id in ids:
            programmed_u, delivered_u = (
                self._bolus_amount(bolus_id, which) for which in (codes.PROGRAMMED, codes.DELIVERED)
            )
            states.append(BolusState(bolus_id, programmed_u, delivered_u))
        return states

    def cancel_bolus(self, bolus_id: int) -> None:
        """Stop a bolus."""
        self._client.command(
            Op.CANCEL_BOLUS, bolus_id.to_bytes(2, "little"), Op.CANCEL_BOLUS_RESPONSE, of=f"{bolus_id}"
        )

    def _bolus_amount(self, bolus_id: int, which: int) -> float:
        operand = bolus_id.to_bytes(2, "little") + bytes([which])
        reply = self._client.ask(Op.GET_ACTIVE_BOLUS_DELIVERY, operand, Op.GET_ACTIVE_BOLUS_DELIVERY_RESPONSE)
        return decode_sfloat(reply[4:6]) + decode_sfloat(reply[6:8])

    # ---- log --------------------------------------------------------------------------------------------------

    def history(self, *, since: int = 0) -> list[HistoryEvent]:
        """Get the log entries numbered `since` and later.

        All stored records are asked for, since the time of an entry counts from the reference time before it.
        """
        try:
            events = decode_records(self._client.report_records())
        except ValueError as error:
            raise BadReplyError(
                asked="its history", of_whom=self._client.name, came_back=f"{error}, in answer", look_at="protocol.md"
            ) from error
        return [event for event in events if event.sequence >= since]


def open_driver(port: str, *, clock: Clock, log: ByteLog) -> IdsPump:
    """Open the pump on a pyserial port or URL."""
    link = SerialLink(port, clock, log)
    try:
        return IdsPump(link, clock)
    except BaseException:
        link.close()
        raise
