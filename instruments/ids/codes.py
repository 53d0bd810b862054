"""Code words of the Insulin Delivery Service 1.0.2: op codes, response codes, enumerations.

Numbers are those of the specification's tables; enumerations are Hamming codes of distance 4. Not responsible for
operands.
"""

from __future__ import annotations

from enum import IntEnum, IntFlag

from rig.errors import WhyRefused


class Uuid(IntEnum):
    """Assigned numbers of the services and characteristics."""

    INSULIN_DELIVERY = 0x183A
    DEVICE_INFORMATION = 0x180A
    STATUS_CHANGED = 0x2B20
    STATUS = 0x2B21
    ANNUNCIATION_STATUS = 0x2B22
    FEATURES = 0x2B23
    STATUS_READER = 0x2B24
    COMMAND = 0x2B25
    COMMAND_DATA = 0x2B26
    RACP = 0x2B27
    HISTORY_DATA = 0x2B28
    MANUFACTURER_NAME = 0x2A29
    MODEL_NUMBER = 0x2A24
    SERIAL_NUMBER = 0x2A25
    FIRMWARE_REVISION = 0x2A26
    CURRENT_TIME = 0x2A2B
    LOCAL_TIME_INFORMATION = 0x2A0F
    PUMP_CONTROL_POINT = 0x1E5A00026D2D49528F70656E2D726967
    """Of the reference controller's maker: what IDS leaves to makers (protocol.md, section 10)."""


class Op(IntEnum):
    """Op codes of the Status Reader (table 4.14), Command (table 4.36) and the maker's control points."""

    READER_RESPONSE = 0x0303
    RESET_STATUS = 0x030C
    GET_ACTIVE_BOLUS_IDS = 0x0330
    GET_ACTIVE_BOLUS_IDS_RESPONSE = 0x033F
    GET_ACTIVE_BOLUS_DELIVERY = 0x0356
    GET_ACTIVE_BOLUS_DELIVERY_RESPONSE = 0x0359
    GET_ACTIVE_BASAL_RATE_DELIVERY = 0x0365
    GET_ACTIVE_BASAL_RATE_DELIVERY_RESPONSE = 0x036A
    GET_TOTAL_DAILY_INSULIN_STATUS = 0x0395
    GET_TOTAL_DAILY_INSULIN_STATUS_RESPONSE = 0x039A
    GET_INSULIN_ON_BOARD = 0x03F3
    GET_INSULIN_ON_BOARD_RESPONSE = 0x03FC

    COMMAND_RESPONSE = 0x0F55
    SET_THERAPY_CONTROL_STATE = 0x0F5A
    SNOOZE_ANNUNCIATION = 0x0F69
    SNOOZE_ANNUNCIATION_RESPONSE = 0x0F96
    CONFIRM_ANNUNCIATION = 0x0F99
    CONFIRM_ANNUNCIATION_RESPONSE = 0x0FA5
    READ_BASAL_RATE_PROFILE = 0x0FAA
    READ_BASAL_RATE_PROFILE_RESPONSE = 0x0FC3
    WRITE_BASAL_RATE_PROFILE = 0x0FCC
    WRITE_BASAL_RATE_PROFILE_RESPONSE = 0x0FF0
    SET_TBR_ADJUSTMENT = 0x0FFF
    CANCEL_TBR_ADJUSTMENT = 0x1111
    SET_BOLUS = 0x114B
    SET_BOLUS_RESPONSE = 0x1177
    CANCEL_BOLUS = 0x1178
    CANCEL_BOLUS_RESPONSE = 0x1187
    GET_TEMPLATE_STATUS_AND_DETAILS = 0x11EE
    GET_TEMPLATE_STATUS_AND_DETAILS_RESPONSE = 0x1212
    ACTIVATE_PROFILE_TEMPLATES = 0x122E
    ACTIVATE_PROFILE_TEMPLATES_RESPONSE = 0x1247
    START_PRIMING = 0x127B
    STOP_PRIMING = 0x1284
    SET_INITIAL_RESERVOIR_FILL_LEVEL = 0x128B
    READ_ISF_PROFILE = 0x12B8
    READ_ISF_PROFILE_RESPONSE = 0x12D1
    WRITE_ISF_PROFILE = 0x12DE
    WRITE_ISF_PROFILE_RESPONSE = 0x12E2
    READ_I2CHO_RATIO_PROFILE = 0x12ED
    READ_I2CHO_RATIO_PROFILE_RESPONSE = 0x1414
    WRITE_I2CHO_RATIO_PROFILE = 0x141B
    WRITE_I2CHO_RATIO_PROFILE_RESPONSE = 0x1427
    READ_TARGET_GLUCOSE_RANGE_PROFILE = 0x1428
    READ_TARGET_GLUCOSE_RANGE_PROFILE_RESPONSE = 0x1441
    WRITE_TARGET_GLUCOSE_RANGE_PROFILE = 0x144E
    WRITE_TARGET_GLUCOSE_RANGE_PROFILE_RESPONSE = 0x1472

    MAKER_RESPONSE = 0xF00F
    CALCULATE_BOLUS = 0xF033
    CALCULATE_BOLUS_RESPONSE = 0xF03C
    GET_SETTING = 0xF055
    GET_SETTING_RESPONSE = 0xF05A
    SET_SETTING = 0xF066
    RESTART = 0xF069

    @property
    def words(self) -> str:
        """The op code as people read it."""
        return f"{self.name.replace('_', ' ').title()} ({self.value:#06x})"


FEWEST_OCTETS = {
    Op.GET_ACTIVE_BOLUS_IDS_RESPONSE: 1,
    Op.GET_ACTIVE_BOLUS_DELIVERY_RESPONSE: 10,
    Op.GET_ACTIVE_BASAL_RATE_DELIVERY_RESPONSE: 4,
    Op.GET_TOTAL_DAILY_INSULIN_STATUS_RESPONSE: 6,
    Op.GET_INSULIN_ON_BOARD_RESPONSE: 3,
    Op.SNOOZE_ANNUNCIATION_RESPONSE: 2,
    Op.CONFIRM_ANNUNCIATION_RESPONSE: 2,
    Op.WRITE_BASAL_RATE_PROFILE_RESPONSE: 3,
    Op.WRITE_ISF_PROFILE_RESPONSE: 3,
    Op.WRITE_I2CHO_RATIO_PROFILE_RESPONSE: 3,
    Op.WRITE_TARGET_GLUCOSE_RANGE_PROFILE_RESPONSE: 3,
    Op.SET_BOLUS_RESPONSE: 2,
    Op.CANCEL_BOLUS_RESPONSE: 2,
    Op.ACTIVATE_PROFILE_TEMPLATES_RESPONSE: 2,
    Op.CALCULATE_BOLUS_RESPONSE: 8,
    Op.GET_SETTING_RESPONSE: 5,
}
"""The shortest operand that each response may have (3.6.2 and 3.7.2)."""

SUCCESS = 0x0F
RESPONSES = {
    0x70: "op code not supported",
    0x71: "invalid operand",
    0x72: "procedure not completed",
    0x73: "parameter out of range",
    0x74: "procedure not applicable",
    0x75: "plausibility check failed",
    0x76: "maximum number of boluses reached",
}
"""Response code values (tables 4.16 and 4.39)."""
REFUSALS = {0x73: WhyRefused.OUT_OF_RANGE, 0x74: WhyRefused.NOT_NOW, 0x76: WhyRefused.TOO_MANY}
"""What those that say why are in the words of all drivers."""

INVALID_COUNTER = 0x82
ATT_ERRORS = {
    0x01: "invalid handle",
    0x02: "read not permitted",
    0x03: "write not permitted",
    0x04: "invalid PDU",
    0x06: "request not supported",
    0x0A: "attribute not found",
    0x0D: "invalid length",
    0x81: "invalid CRC",
    INVALID_COUNTER: "invalid counter",
    0xFD: "indications not enabled",
    0xFE: "procedure already in progress",
}
"""ATT error codes (Core specification, Vol 3 Part F, 3.4.1.1) and those of IDS (table 1.3)."""

RACP_SUCCESS, RACP_NO_RECORDS = 0xF0, 0x06
RACP_ERRORS = {
    0x02: "op code not supported",
    0x03: "invalid operator",
    0x04: "operator not supported",
    0x05: "invalid operand",
    0x06: "no records found",
    0x07: "abort unsuccessful",
    0x08: "procedure not completed",
    0x09: "operand not supported",
    0x0A: "procedure not applicable",
}
"""Response code values of the Record Access Control Point (table 3.27)."""


class Feature(IntFlag):
    """Bits of IDD Features (table 4.12)."""

    E2E_PROTECTION = 1 << 0
    BASAL_RATE = 1 << 1
    TBR_ABSOLUTE = 1 << 2
    TBR_RELATIVE = 1 << 3
    TBR_TEMPLATE = 1 << 4
    FAST_BOLUS = 1 << 5
    EXTENDED_BOLUS = 1 << 6
    MULTIWAVE_BOLUS = 1 << 7
    BOLUS_DELAY_TIME = 1 << 8
    BOLUS_TEMPLATE = 1 << 9
    BOLUS_ACTIVATION_TYPE = 1 << 10
    MULTIPLE_BOND = 1 << 11
    ISF_PROFILE_TEMPLATE = 1 << 12
    I2CHO_RATIO_PROFILE_TEMPLATE = 1 << 13
    TARGET_GLUCOSE_RANGE_PROFILE_TEMPLATE = 1 << 14
    INSULIN_ON_BOARD = 1 << 15


class Therapy(IntEnum):
    """Therapy Control State (table 4.4)."""

    UNDETERMINED = 0x0F
    STOP = 0x33
    PAUSE = 0x3C
    RUN = 0x55


OPERATIONAL = {
    0x0F: "undetermined",
    0x33: "off",
    0x3C: "standby",
    0x55: "preparing",
    0x5A: "priming",
    0x66: "waiting",
    0x96: "ready",
}
"""Operational State (table 4.5)."""

BOLUS_FAST, BOLUS_EXTENDED, BOLUS_MULTIWAVE = 0x33, 0x3C, 0x55
"""Bolus Type (table 4.22)."""

WITH_DELAY, WITH_ACTIVATION, FOR_CORRECTION, FOR_MEAL = 1 << 0, 1 << 2, 1 << 3, 1 << 4
"""Flags of Set Bolus (table 4.57)."""
ACTIVATION_RECOMMENDED = 0x3C
"""Bolus Activation Type: recommended by a calculator (table 4.58)."""

TBR_ABSOLUTE, TBR_RELATIVE = 0x33, 0x3C
"""TBR Type (table 4.25)."""
CHANGE_TBR = 1 << 2
"""Flag of Set TBR Adjustment (table 4.50)."""
TBR_PRESENT = 1 << 0
"""Flag of Get Active Basal Rate Delivery Response (table 4.24)."""

PROGRAMMED, DELIVERED = 0x0F, 0x3C
"""Bolus Value Selection (table 4.20)."""

ANNUNCIATIONS = {
    0x000F: "system issue",
    0x0033: "mechanical issue",
    0x003C: "occlusion",
    0x0055: "reservoir issue",
    0x005A: "reservoir empty",
    0x0066: "reservoir low",
    0x0069: "priming issue",
    0x0096: "infusion set incomplete",
    0x0099: "infusion set detached",
    0x00A5: "power insufficient",
    0x00AA: "battery empty",
    0x00C3: "battery low",
    0x00CC: "battery medium",
    0x00F0: "battery full",
    0x00FF: "temperature out of range",
    0x0303: "air pressure out of range",
    0x030C: "bolus cancelled",
    0x0330: "temporary basal rate over",
    0x033F: "temporary basal rate cancelled",
    0x0356: "maximum delivery",
    0x0359: "date and time issue",
    0x0365: "temperature",
}
"""Annunciation Type (table 4.9)."""

ANNUNCIATION_STATUS = {0x0F: "undetermined", 0x33: "pending", 0x3C: "snoozed", 0x55: "confirmed"}
"""Annunciation Status (table 4.10)."""

END_REASONS = {0x0F: "undetermined", 0x33: "programmed amount delivered", 0x3C: "cancelled", 0x55: "error"}
"""Bolus End Reason (table 4.107)."""
