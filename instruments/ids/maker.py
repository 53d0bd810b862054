"""The reference controller's own control point: bolus calculator, settings, restart (protocol.md, section 10).

Not responsible for anything that the Insulin Delivery Service has.
"""

from __future__ import annotations

from instruments.ids.client import IdsClient
from instruments.ids.codec import NAN, decode_sfloat, encode_sfloat
from instruments.ids.codes import Op
from rig.therapy import BolusAdvice, Meal, Setting

MILLI = 1000.0
NUMBERS: dict[Setting, tuple[int, float]] = {
    Setting.MAX_BOLUS_U: (1, MILLI),
    Setting.MAX_BASAL_U_PER_H: (2, MILLI),
    Setting.MAX_HOUR_U: (3, MILLI),
    Setting.MAX_DAY_U: (4, MILLI),
    Setting.BOLUS_RATE_U_PER_MIN: (5, 1.0),
    Setting.INSULIN_ACTION_MIN: (6, 1.0),
    Setting.CURVILINEAR_ON_BOARD: (7, 1.0),
    Setting.MIN_GLUCOSE_MG_PER_DL: (8, 1.0),
    Setting.REVERSE_CORRECTION: (9, 1.0),
    Setting.OCCLUSION_LEVEL: (10, 1.0),
    Setting.RESERVOIR_LOW_U: (11, MILLI),
    Setting.SNOOZE_MIN: (12, 1.0),
    Setting.QUICK_BOLUS_U: (13, MILLI),
}
"""Number on the wire, and how many of its units there make one here."""
DOSE_U_MS_PER_MIN = 0.025 * 60_000.0
"""The speed of a bolus is set as the time in ms from dose to dose of 0.025 U."""


def calculate(client: IdsClient, meal: Meal) -> BolusAdvice:
    """Let the pump propose a bolus."""
    glucose = NAN if meal.glucose_mg_per_dl is None else encode_sfloat(meal.glucose_mg_per_dl)
    known = "glucose not known" if meal.glucose_mg_per_dl is None else f"{meal.glucose_mg_per_dl:g} mg/dL"
    reply = client.maker(
        Op.CALCULATE_BOLUS,
        glucose + encode_sfloat(meal.carbohydrate_g),
        Op.CALCULATE_BOLUS_RESPONSE,
        of=f"{meal.carbohydrate_g:g} g and {known}",
    )
    return BolusAdvice(*(decode_sfloat(reply[at : at + 2]) for at in range(0, 8, 2)))


def get_setting(client: IdsClient, setting: Setting) -> float:
    """A setting in its unit."""
    number, scale = NUMBERS[setting]
    reply = client.maker(Op.GET_SETTING, bytes([number]), Op.GET_SETTING_RESPONSE, of=setting.value, only_reads=True)
    raw = int.from_bytes(reply[1:5], "little")
    return DOSE_U_MS_PER_MIN / raw if setting is Setting.BOLUS_RATE_U_PER_MIN else raw / scale


def set_setting(client: IdsClient, setting: Setting, value: float) -> None:
    """Set a setting in its unit; ValueError when the wire cannot hold it exactly."""
    number, scale = NUMBERS[setting]
    exact = DOSE_U_MS_PER_MIN / value if setting is Setting.BOLUS_RATE_U_PER_MIN and value > 0 else value * scale
    raw = round(exact)
    if abs(exact - raw) > 1e-6 or not 0 <= raw < 1 << 32:
        raise ValueError(f"{value:g} cannot be set as {setting.value}: it is finer than the pump's step, or negative")
    client.maker(Op.SET_SETTING, bytes([number]) + raw.to_bytes(4, "little"), None, of=f"{setting.value} to {value:g}")


def restart(client: IdsClient) -> None:
    """Reset the controller; the connection is over."""
    client.maker(Op.RESTART, b"", None, of="the controller")
