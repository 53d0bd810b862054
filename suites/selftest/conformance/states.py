"""The states that a pump is brought into before a procedure is asked of it, as data: what is written and answered.

Not responsible for the procedures under test (op_codes).
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Write:
    """A procedure on the way: its control point, its octets, and the pattern of its answer (table.py)."""

    point: str
    octets: str
    answer: str


@dataclass(frozen=True)
class Hand:
    """What only a hand at the pump can do: detach or attach "… reservoir", or "power off" and "power on"."""

    does: str


@dataclass(frozen=True)
class Wait:
    """Time that passes, in s."""

    duration_s: float


@dataclass(frozen=True)
class State:
    """What follows on another state; "" is a pump that was just switched on and connected."""

    after: str
    steps: tuple[Write | Hand | Wait, ...] = ()


def _command(octets: str, answer: str) -> Write:
    return Write("command", octets, answer)


def _set_tbr(operand: str) -> Write:
    return _command(f"ff0f {operand}", "550f ff0f 0f")


def _set_bolus(operand: str) -> Write:
    return _command(f"4b11 {operand}", "7711 {id}")


def _therapy(state: str) -> Write:
    return _command(f"5a0f {state}", "550f 5a0f 0f")


_FILL = _command("8b12 c800", "550f 8b12 0f")  # 200 U
_PROFILE_1_AT_0 = _command("cc0f 01 01 01 a005 0000", "f00f 01 01 01")  # at 0 U/h every step of the motor tells
_PROFILE_1_AT_1 = _command("cc0f 01 01 01 a005 0100", "f00f 01 01 01")
_ACTIVATE_1 = _command("2e12 01 01", "4712 01 01")
_DETACH, _ATTACH = Hand("detach reservoir"), Hand("attach reservoir")

STATES = {
    "new": State(""),
    "set up": State("", (_FILL, _PROFILE_1_AT_0, _ACTIVATE_1)),
    "running": State("set up", (_therapy("55"),)),
    "paused": State("running", (_therapy("3c"),)),
    "basal": State("", (_FILL, _PROFILE_1_AT_1, _ACTIVATE_1, _therapy("55"))),
    "another rate": State("running", (_command("cc0f 01 01 01 a005 0200", "f00f 01 01 01"),)),  # 2 U/h
    "basal stopped": State("", (_FILL, _PROFILE_1_AT_1, _ACTIVATE_1)),
    "relative TBR": State("basal", (_set_tbr("00 3c 0bf0 1e00"),)),  # 1.1 for 30 min
    "absolute TBR": State("basal", (_set_tbr("00 33 19f0 3c00"),)),  # 2.5 U/h for 60 min
    "template TBR": State(
        "basal",
        (_command("2d11 08 3c 05f0 3c00", "4411 08"), _set_tbr("01 3c 0000 0f00 08")),  # 0.5 for 60 min
    ),
    "fast bolus": State("running", (_set_bolus("00 33 0500 0000 0000"),)),  # 5 U
    "extended bolus": State("running", (_set_bolus("00 3c 0000 0200 7800"),)),  # 2 U over 120 min
    "multiwave bolus": State("running", (_set_bolus("00 55 0500 0200 7800"),)),
    "delayed bolus": State("running", (_set_bolus("01 33 0500 0000 0000 3c00"),)),  # by 60 min
    "fast over extended bolus": State("extended bolus", (_set_bolus("00 33 0500 0000 0000"),)),
    "extended over delayed bolus": State("delayed bolus", (_set_bolus("00 3c 0000 0200 7800"),)),
    "cancelled bolus": State("delayed bolus", (_command("7811 {id}", "8711 {id}"),)),
    "maximum 10 U": State("running", (_command("8d14 0a00", "550f 8d14 0f"),)),
    "templates": State(
        "running",
        (
            _command("cc0f 01 02 01 a005 0000", "f00f 01 02 01"),
            _command("de12 01 05 01 a005 3200", "e212 01 05 01"),  # 50 mg/dL
            _command("1b14 01 06 01 a005 0a00", "2714 01 06 01"),  # 10 g
            _command("4e14 01 07 01 a005 5000 7800", "7214 01 07 01"),  # 80 to 120 mg/dL
            _command("2d11 08 3c 05f0 3c00", "4411 08"),  # half for 60 min
            _command("dd11 0a 01 55 0100 0200 3c00 1e00", "e111 0a"),  # 1 and 2 U over 60 min after 30 min
        ),
    ),
    "meal template": State("running", (_command("dd11 0b 04 33 0500 0000 0000", "e111 0b"),)),  # 5 U
    "priming": State("set up", (_command("7b12 0a00", "550f 7b12 0f"),)),  # 10 U
    "primed": State("set up", (_command("7b12 05f0", "550f 7b12 0f"), Wait(120.0))),  # 0.5 U
    "no reservoir": State("set up", (_DETACH, Wait(5.0))),
    "annunciation": State("basal", (_DETACH, Wait(120.0), _ATTACH, Wait(5.0))),  # a dose falls due each 90 s
    "snoozed annunciation": State("annunciation", (_command("690f {annunciation}", "960f {annunciation}"),)),
    "confirmed annunciation": State("annunciation", (_command("990f {annunciation}", "a50f {annunciation}"),)),
}
