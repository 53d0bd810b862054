"""The role Pump over the Bluetooth Insulin Delivery Service 1.0.2.

Nothing that delivers insulin is ever repeated: after a lost reply the error says what is known. Not responsible for
the link (`serial_link`) nor for waiting: procedures wait.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Sequence

from instruments.ids import codes, maker, profiles
from instruments.ids.ble_link import SCHEME, BleLink
from instruments.ids.client import IdsClient, u16
from instruments.ids.codec import decode_sfloat, encode_sfloat
from instruments.ids.codes import Feature, Op, Therapy, Uuid
from instruments.ids.damage import damaged_forms
from instruments.ids.history import decode_records
from instruments.ids.serial_link import Link, SerialLink
from rig.clock import Clock
from rig.errors import BadReplyError, NoReplyError, UnableError
from rig.line_tap import LineTap
from rig.roles import Annunciation, Capability, HistoryEvent, Identity, PumpStatus
from rig.roles.pump import DamagedFrame, WhichEntries
from rig.therapy import (
    ActiveBasal,
    BasalSegment,
    BolusAdvice,
    BolusReason,
    BolusRequest,
    BolusState,
    DailyTotal,
    InsulinOnBoard,
    Meal,
    ProfileBlock,
    ProfileKind,
    Setting,
    TemporaryRate,
    TherapyState,
)
from rig.wire import ByteLog, Radio

ROLE = "pump"
"""What it does on a bench: the table of a bench file that it belongs into."""

ALWAYS = frozenset(
    {
        Capability.OCCLUSION_DETECTION,
        Capability.RESERVOIR_DETECTION,
        Capability.HISTORY,
        Capability.RESERVOIR_LEVEL,
        Capability.PRIMING,
        Capability.SNOOZE,
        Capability.ALARM_SIGNALS,
        Capability.DAILY_TOTAL,
        Capability.CONCENTRATION,
    }
)
ANNOUNCED = (
    (Feature.BASAL_RATE, Capability.BASAL_PROFILE),
    (Feature.BASAL_RATE, Capability.NUMBERED_PROFILES),
    (Feature.TBR_ABSOLUTE | Feature.TBR_RELATIVE, Capability.TEMPORARY_BASAL),
    (Feature.FAST_BOLUS, Capability.FAST_BOLUS),
    (Feature.FAST_BOLUS, Capability.CANCEL_BOLUS),
    (Feature.EXTENDED_BOLUS, Capability.EXTENDED_BOLUS),
    (Feature.MULTIWAVE_BOLUS, Capability.MULTIWAVE_BOLUS),
    (Feature.BOLUS_DELAY_TIME, Capability.DELAYED_BOLUS),
    (Feature.INSULIN_ON_BOARD, Capability.INSULIN_ON_BOARD),
)
THERAPY: dict[int, TherapyState] = {
    Therapy.STOP: TherapyState.STOP,
    Therapy.PAUSE: TherapyState.PAUSE,
    Therapy.RUN: TherapyState.RUN,
    Therapy.UNDETERMINED: TherapyState.UNDETERMINED,
}

FLAGS_OF_REASON = {
    BolusReason.NOT_GIVEN: 0,
    BolusReason.MEAL: codes.FOR_MEAL,
    BolusReason.CORRECTION: codes.FOR_CORRECTION,
    BolusReason.MEAL_AND_CORRECTION: codes.FOR_MEAL | codes.FOR_CORRECTION,
}
OPERATORS: dict[WhichEntries, int] = {"first": 0x66, "last": 0x69, "range": 0x5A, "from": 0x55}
"""RACP operators (table 3.26)."""
RESTART_TAKES_S = 1.0
"""How long after its answer the pump is away. The reference controller restarts 0.1 s after it."""


class IdsPump:
    """A pump that is a server of the Insulin Delivery Service."""

    def __init__(
        self, link: Link, clock: Clock, reopen: Callable[[], Link] | None = None, tap: LineTap | None = None
    ) -> None:
        self._clock = clock
        self._tap = tap
        self._reopen = reopen
        self._client = IdsClient(link, clock)
        self._damaged_before = 0

    # ---- instrument -------------------------------------------------------------------------------------------

    def identify(self) -> Identity:
        """Maker, model, serial number and firmware from the Device Information Service."""
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
        """A sentence on the pump's state; RefusedError when an annunciation is pending."""
        status = self.status()
        pending = [annunciation.kind for annunciation in self.annunciations()]
        amount = "an unknown amount" if status.reservoir_u is None else f"{status.reservoir_u:g} U"
        words = f"therapy {status.therapy.value}, {status.operational}, reservoir {amount}"
        return words + (f", annunciates {', '.join(pending)}" if pending else "")

    def make_safe(self) -> None:
        """Stop every delivery; said unheard when the pump does not answer."""
        try:
            self.stop()
        except (NoReplyError, BadReplyError):
            self._client.say(Op.SET_THERAPY_CONTROL_STATE, bytes([Therapy.STOP]))
            raise

    def close(self) -> None:
        """Release the port."""
        self._client.close()

    def reconnect(self) -> None:
        """Open the port anew, where the driver knows how, and begin a new connection."""
        if self._reopen is None:
            self._client.connect()
            return
        damaged = self.damaged_frames
        self._client.close()
        self._client = IdsClient(self._reopen(), self._clock)
        self._damaged_before = damaged

    @property
    def damaged_frames(self) -> int:
        """How many frames from the pump came damaged, on all connections, and were dropped."""
        return self._damaged_before + self._client.damaged_frames

    # ---- state ------------------------------------------------------------------------------------------------

    @property
    def capabilities(self) -> frozenset[Capability]:
        """What the pump's Features bits and characteristics announce; detection and the log are mandatory."""
        found = {capability for feature, capability in ANNOUNCED if feature in self._client.features}
        if self._client.has(Uuid.CURRENT_TIME):
            found.add(Capability.CLOCK)
        if self._client.has(Uuid.LOCAL_TIME_INFORMATION):
            found.add(Capability.TIME_ZONE)
        if self._client.has(Uuid.PUMP_CONTROL_POINT):
            found |= {Capability.CALCULATOR, Capability.SETTINGS, Capability.RESTART}
        if self._tap is not None:
            found.add(Capability.TAPPED_LINE)
        return ALWAYS | found

    def line_tap(self) -> LineTap:
        """The tap on its serial line; UnableError over a link that has none."""
        if self._tap is None:
            raise UnableError(asked="tapping its line", of_whom=self._client.name)
        return self._tap

    def damaged_forms(self, frame: bytes) -> Sequence[DamagedFrame]:
        """List damaged forms of a frame that the driver sent to a control point."""
        return damaged_forms(frame)

    def status(self) -> PumpStatus:
        """Therapy state, operational state and reservoir."""
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
        """The annunciation that is pending or snoozed; the service shows one at a time."""
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

    def snooze(self, annunciation_id: int) -> None:
        """Silence an annunciation for a while."""
        operand = annunciation_id.to_bytes(2, "little")
        self._client.command(Op.SNOOZE_ANNUNCIATION, operand, Op.SNOOZE_ANNUNCIATION_RESPONSE, of=f"{annunciation_id}")

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

    def prime(self, insulin_u: float) -> None:
        """Fill the line with `insulin_u`; RefusedError unless therapy is stopped."""
        self._client.command(Op.START_PRIMING, encode_sfloat(insulin_u), None, of=f"{insulin_u:g} U")

    def stop_priming(self) -> None:
        """Stop filling the line."""
        self._client.command(Op.STOP_PRIMING, b"", None, of="the line")

    # ---- basal ------------------------------------------------------------------------------------------------

    def set_basal_profile(self, segments: Sequence[BasalSegment]) -> None:
        """Write profile template 1 and activate it."""
        self.write_basal_profile(1, segments)
        self.activate_basal_profile(1)

    def write_basal_profile(self, template: int, segments: Sequence[BasalSegment]) -> None:
        """Write a profile template, three time blocks a write."""
        blocks = [ProfileBlock(segment.duration_min, (segment.rate_u_per_h,)) for segment in segments]
        profiles.write_profile(self._client, profiles.BASAL, template, blocks)

    def read_basal_profile(self, template: int) -> list[BasalSegment]:
        """A profile template."""
        blocks = profiles.read_blocks(self._client, profiles.BASAL, template)
        return [BasalSegment(block.duration_min, block.values[0]) for block in blocks]

    def activate_basal_profile(self, template: int) -> None:
        """Deliver by a profile template from now on."""
        op, response = Op.ACTIVATE_PROFILE_TEMPLATES, Op.ACTIVATE_PROFILE_TEMPLATES_RESPONSE
        self._client.command(op, bytes([1, template]), response, of=f"template {template}")

    def active_basal(self) -> ActiveBasal:
        """The basal rate that holds now."""
        op = Op.GET_ACTIVE_BASAL_RATE_DELIVERY
        reply = self._client.ask(op, b"", Op.GET_ACTIVE_BASAL_RATE_DELIVERY_RESPONSE)
        template, rate_u_per_h = reply[1], decode_sfloat(reply[2:4])
        if not reply[0] & codes.TBR_PRESENT:
            return ActiveBasal(template, rate_u_per_h)
        if len(reply) < 11 or reply[4] not in (codes.TBR_ABSOLUTE, codes.TBR_RELATIVE):
            raise self._client.odd(op.words, reply)
        value, duration_min = decode_sfloat(reply[5:7]), u16(reply[7:9])
        absolute = reply[4] == codes.TBR_ABSOLUTE
        temporary = TemporaryRate(duration_min, value if absolute else None, None if absolute else value)
        return ActiveBasal(template, rate_u_per_h, temporary, u16(reply[9:11]))

    def set_temporary_rate(self, temporary: TemporaryRate, *, change: bool = False) -> None:
        """Start a temporary basal rate, or change the active one; which of the two has to be said (3.7.2.8)."""
        rate, factor = temporary.rate_u_per_h, temporary.factor
        kind, value = (codes.TBR_RELATIVE, factor) if rate is None else (codes.TBR_ABSOLUTE, rate)
        assert value is not None  # TemporaryRate has one of the two
        operand = bytes([codes.CHANGE_TBR if change else 0, kind]) + encode_sfloat(value)
        self._client.command(
            Op.SET_TBR_ADJUSTMENT,
            operand + temporary.duration_min.to_bytes(2, "little"),
            None,
            of=f"{value:g}{' U/h' if factor is None else ' times the profile'} for {temporary.duration_min} min",
        )

    def cancel_temporary_rate(self) -> None:
        """Go back to the profile's rate."""
        self._client.command(Op.CANCEL_TBR_ADJUSTMENT, b"", None, of="the active rate")

    # ---- bolus ------------------------------------------------------------------------------------------------

    def bolus(self, insulin_u: float) -> int:
        """Start a fast bolus in U and return its id. After a lost reply nothing is repeated: look at active boluses."""
        return self.deliver(BolusRequest(fast_u=insulin_u))

    def deliver(self, bolus: BolusRequest) -> int:
        """Start a bolus and return its id. After a lost reply nothing is repeated: look at active boluses."""
        flags = FLAGS_OF_REASON[bolus.reason] | (codes.WITH_DELAY if bolus.delay_min else 0)
        flags |= codes.WITH_ACTIVATION if bolus.recommended else 0
        kind = codes.BOLUS_FAST
        if bolus.extended_u:
            kind = codes.BOLUS_MULTIWAVE if bolus.fast_u else codes.BOLUS_EXTENDED
        operand = bytes([flags, kind]) + encode_sfloat(bolus.fast_u) + encode_sfloat(bolus.extended_u)
        operand += bolus.duration_min.to_bytes(2, "little")
        if bolus.delay_min:
            operand += bolus.delay_min.to_bytes(2, "little")
        if bolus.recommended:
            operand += bytes([codes.ACTIVATION_RECOMMENDED])
        return u16(self._client.command(Op.SET_BOLUS, operand, Op.SET_BOLUS_RESPONSE, of=_words(bolus)))

    def active_boluses(self) -> list[BolusState]:
        """The boluses still being delivered, with what was programmed and delivered in U."""
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

    def insulin_on_board(self) -> InsulinOnBoard:
        """The bolus insulin that still acts."""
        reply = self._client.ask(Op.GET_INSULIN_ON_BOARD, b"", Op.GET_INSULIN_ON_BOARD_RESPONSE)
        remaining_min = u16(reply[3:5]) if reply[0] & 1 and len(reply) >= 5 else 0
        return InsulinOnBoard(decode_sfloat(reply[1:3]), remaining_min)

    def concentration_u_per_ml(self) -> float:
        """The insulin concentration of its Features (IDS 1.0.2, 3.5.1), which it is asked for anew."""
        return decode_sfloat(self._client.read_features()[3:5])

    def daily_total(self) -> DailyTotal:
        """The insulin since midnight by the pump's clock."""
        op, response = Op.GET_TOTAL_DAILY_INSULIN_STATUS, Op.GET_TOTAL_DAILY_INSULIN_STATUS_RESPONSE
        reply = self._client.ask(op, b"", response)
        return DailyTotal(decode_sfloat(reply[0:2]), decode_sfloat(reply[2:4]))

    # ---- meals ------------------------------------------------------------------------------------------------

    def set_profile(self, kind: ProfileKind, blocks: Sequence[ProfileBlock]) -> None:
        """Write and activate a profile of the calculator."""
        form = profiles.FORMS[kind]
        template = profiles.first_template(self._client, form)
        profiles.write_profile(self._client, form, template, blocks)
        self.activate_basal_profile(template)  # one procedure activates templates of every kind

    def profile(self, kind: ProfileKind) -> list[ProfileBlock]:
        """A profile of the calculator."""
        form = profiles.FORMS[kind]
        return profiles.read_blocks(self._client, form, profiles.first_template(self._client, form))

    def calculate(self, meal: Meal) -> BolusAdvice:
        """Let the pump propose a bolus."""
        self._need(Uuid.PUMP_CONTROL_POINT, "calculating a bolus")
        return maker.calculate(self._client, meal)

    # ---- the pump itself --------------------------------------------------------------------------------------

    def setting(self, setting: Setting) -> float:
        """A setting in its unit."""
        self._need(Uuid.PUMP_CONTROL_POINT, "telling its settings")
        return maker.get_setting(self._client, setting)

    def set_setting(self, setting: Setting, value: float) -> None:
        """Set a setting in its unit."""
        self._need(Uuid.PUMP_CONTROL_POINT, "taking settings")
        maker.set_setting(self._client, setting, value)

    def restart(self) -> None:
        """Reset the pump's controller and connect again once it is up; RefusedError while it delivers."""
        self._need(Uuid.PUMP_CONTROL_POINT, "restarting")
        maker.restart(self._client)
        self._clock.sleep(RESTART_TAKES_S)
        self._client.connect()

    def clock(self) -> datetime.datetime:
        """The date and time that the pump shows (Current Time, 2A2B)."""
        self._need(Uuid.CURRENT_TIME, "telling the time")
        value = self._client.read_plain(Uuid.CURRENT_TIME, size=7)
        try:
            return datetime.datetime(u16(value), *value[2:7])
        except ValueError as error:
            raise self._client.odd("reading its clock", value) from error

    def set_clock(self, date_time: datetime.datetime) -> None:
        """Set the date and time that the pump shows, in whole seconds."""
        self._need(Uuid.CURRENT_TIME, "being set to a time")
        parts = date_time.timetuple()
        value = parts.tm_year.to_bytes(2, "little") + bytes(parts[1:6]) + bytes([parts.tm_wday + 1, 0, 1])
        self._client.write_plain(Uuid.CURRENT_TIME, value, asked=f"setting its clock to {date_time:%Y-%m-%d %H:%M:%S}")

    def set_time_zone(self, zone_min: int, summer_min: int) -> None:
        """Set time zone and summer time in min, told in quarters of an hour (CTS 1.1, Local Time Information)."""
        self._need(Uuid.LOCAL_TIME_INFORMATION, "being set to a time zone")
        if zone_min % 15 or summer_min % 15:
            raise ValueError(f"{zone_min} min and {summer_min} min: a time zone has whole quarters of an hour")
        value = (zone_min // 15).to_bytes(1, "little", signed=True) + (summer_min // 15).to_bytes(1, "little")
        self._client.write_plain(
            Uuid.LOCAL_TIME_INFORMATION, value, asked=f"setting its time zone to {zone_min} min and {summer_min} min"
        )

    def _need(self, uuid: Uuid, doing: str) -> None:
        if not self._client.has(uuid):
            raise UnableError(asked=doing, of_whom=self._client.name)

    def _bolus_amount(self, bolus_id: int, which: int) -> float:
        operand = bolus_id.to_bytes(2, "little") + bytes([which])
        reply = self._client.ask(Op.GET_ACTIVE_BOLUS_DELIVERY, operand, Op.GET_ACTIVE_BOLUS_DELIVERY_RESPONSE)
        return decode_sfloat(reply[4:6]) + decode_sfloat(reply[6:8])

    # ---- log --------------------------------------------------------------------------------------------------

    def history(self, *, since: int = 0) -> list[HistoryEvent]:
        """The log entries numbered `since` and later.

        All stored records are asked for, since the time of an entry counts from the reference time before it.
        """
        try:
            events = decode_records(self._client.report_records())
        except ValueError as error:
            raise BadReplyError(
                asked="reading its history", of_whom=self._client.name, came_back=str(error), look_at="protocol.md"
            ) from error
        return [event for event in events if event.sequence >= since]

    def history_numbers(self, which: WhichEntries, first: int = 0, last: int = 0) -> list[int]:
        """List the numbers of the entries that come when a part of the log is asked for."""
        bounds = {"first": (), "last": (), "range": (first, last), "from": (first,)}[which]
        records = self._client.report_part(OPERATORS[which], bounds)
        return [int.from_bytes(record[2:6], "little") for record in records]


def _words(bolus: BolusRequest) -> str:
    """Say a bolus as people do."""
    words = [f"{bolus.fast_u:g} U"] if bolus.fast_u or not bolus.extended_u else []
    if bolus.extended_u:
        words.append(f"{bolus.extended_u:g} U over {bolus.duration_min} min")
    return " and ".join(words) + (f" in {bolus.delay_min} min" if bolus.delay_min else "")


def open_driver(port: str, *, clock: Clock, log: ByteLog, radio: Radio | None = None) -> IdsPump:
    """Open the pump on a pyserial port or URL, or over Bluetooth LE on ble://transport/address, by `radio` if given."""
    tap = None if port.startswith(SCHEME) else LineTap(f"pump ids on {port}", clock, log)

    def opened() -> Link:
        return BleLink(port, clock, log, radio) if tap is None else SerialLink(port, clock, log, tap)

    link = opened()
    try:
        return IdsPump(link, clock, opened, tap)
    except BaseException:
        link.close()
        raise
