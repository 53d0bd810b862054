"""Op codes of the IDD Command Control Point for templates (IDS 1.0.2), as data.

The pump under test: basal profiles 1 to 4, ISF profile 5, I:CHO ratio profile 6, target glucose range profile 7, each
of up to 48 blocks; TBR templates 8 and 9, bolus templates 10 and 11. In the states, "templates" has configured all of
them but 3, 4, 9 and 11, and activated 1.
"""

from dataclasses import replace

from suites.selftest.conformance.table import (
    IMPLAUSIBLE,
    INVALID_OPERAND,
    NOT_APPLICABLE,
    OUT_OF_RANGE,
    Accepted,
    Amount,
    Procedure,
    Refused,
    done,
)

_PROFILES, _TEMPLATES = frozenset({1, 12, 13, 14}), frozenset({1, 4, 9, 12, 13, 14})
_ANY_ERROR = "71 | 73 | 75"
_TOO_LONG_A_DAY = "73 | 75"


def _profile_writer(
    name: str, section: str, op: str, answer: str, feature: int, number: str, values: tuple[str, str, str]
) -> Procedure:
    """Give the procedure that writes one kind of profile, of template `number`, with two values and one too high."""
    value, second, high = values
    other = "05" if number != "05" else "04"
    too_high = (Refused(f"01 {number} 01 a005 {high}", OUT_OF_RANGE, "a value out of range"),) if high else ()
    return Procedure(
        name=name,
        section=section,
        point="command",
        op=op,
        features=frozenset({feature}),
        accepted=(
            Accepted(f"01 {number} 01 a005 {value}", f"{answer} 01 {number} 01", "one block of a day"),
            Accepted(f"03 {number} 01 d002 {value} d002 {second}", f"{answer} 01 {number} 01", "two blocks"),
            Accepted(f"00 {number} 01 d002 {value}", f"{answer} 00 {number} 01", "the first record of several"),
            Accepted(f"f9 {number} 01 a005 {value}", f"{answer} 01 {number} 01", "reserved bits count as 0 (1.3.2)"),
        ),
        refused=(
            Refused(f"01 00 01 a005 {value}", OUT_OF_RANGE, "template 0"),
            Refused(f"01 {other} 01 a005 {value}", OUT_OF_RANGE, "a template of another kind"),
            Refused(f"01 0c 01 a005 {value}", OUT_OF_RANGE, "a template that is not there"),
            Refused(f"01 {number} 00 a005 {value}", OUT_OF_RANGE, "block 0"),
            Refused(f"01 {number} 31 a005 {value}", OUT_OF_RANGE, "block 49"),
            Refused(f"03 {number} 30 d002 {value} d002 {value}", OUT_OF_RANGE, "blocks 48 and 49"),
            *too_high,
            Refused(f"01 {number} 01 9f05 {value}", IMPLAUSIBLE, "1439 min"),
            Refused(f"01 {number} 01 a105 {value}", _TOO_LONG_A_DAY, "1441 min"),
            Refused(f"03 {number} 01 d002 {value} d102 {value}", IMPLAUSIBLE, "1441 min in two blocks"),
            Refused(f"01 {number} 02 a005 {value}", IMPLAUSIBLE, "no first block"),
            Refused(f"03 {number} 01 0000 {value} a005 {value}", _ANY_ERROR, "a block of 0 min"),
            Refused("", INVALID_OPERAND, "no operand"),
            Refused(f"01 {number} 01 a005 {value[:-2]}", INVALID_OPERAND, "too short"),
            Refused(f"01 {number} 01 a005 {value} 00", INVALID_OPERAND, "too long"),
            Refused(
                f"01 {number} 01 d002 {value} d002 {value}", INVALID_OPERAND, "a block that the flags do not announce"
            ),
            Refused(f"03 {number} 01 a005 {value}", INVALID_OPERAND, "a block announced and absent"),
        ),
    )


def _profile_reader(name: str, section: str, op: str, feature: int, number: str, data: tuple[str, ...]) -> Procedure:
    """Give the procedure that reads one kind of profile, with what it notifies of the states' template."""
    other = "05" if number != "05" else "04"
    empty = (Refused("03", NOT_APPLICABLE, "not configured"),) if number == "01" else ()
    return Procedure(
        name=name,
        section=section,
        point="command",
        op=op,
        features=frozenset({feature}),
        state="templates",
        reports=True,
        accepted=(Accepted(number, done(op), data=data),),
        refused=(
            *empty,
            Refused(number, NOT_APPLICABLE, "nothing configured yet", "new"),
            Refused("00", OUT_OF_RANGE, "template 0"),
            Refused(other, OUT_OF_RANGE, "a template of another kind"),
            Refused("0c", OUT_OF_RANGE, "a template that is not there"),
            Refused("", INVALID_OPERAND, "no operand"),
            Refused(f"{number} 00", INVALID_OPERAND, "too long"),
        ),
    )


def _amounts(procedure: Procedure, operands: tuple[Amount, ...]) -> Procedure:
    return replace(procedure, amounts=operands)


TEMPLATES = (
    _profile_reader("Read Basal Rate Profile Template", "3.7.2.6", "aa0f", 1, "01", ("c30f 00 01 01 a005 <0>",)),
    _amounts(
        _profile_writer(
            "Write Basal Rate Profile Template", "3.7.2.7", "cc0f", "f00f", 1, "01", ("0100", "19d0", "63f1")
        ),
        (Amount("01 02 01 a005 {x}", "65e0", "rate"), Amount("03 02 01 d002 0100 d002 {x}", "65e0", "second rate")),
    ),
    Procedure(
        name="Get Template Status and Details",
        section="3.7.2.17",
        point="command",
        op="ee11",
        features=_TEMPLATES,
        state="templates",
        reports=True,
        accepted=(
            Accepted(
                "",
                done("ee11"),
                data=(
                    "1212 33 01 04 30 5f",  # two of four are configured, all are configurable
                    "1212 3c 08 02 00 07",
                    "1212 55 0a 02 00 07",
                    "1212 5a 05 01 30 03",
                    "1212 66 06 01 30 03",
                    "1212 96 07 01 30 03",
                ),
            ),
        ),
        refused=(Refused("00", INVALID_OPERAND, "an operand where there is none"),),
    ),
    Procedure(
        name="Reset Template Status",
        section="3.7.2.18",
        point="command",
        op="1d12",
        features=_TEMPLATES,
        state="templates",
        accepted=(
            Accepted("01 02", "2112 01 02"),
            Accepted("06 02 05 06 07 08 0a", "2112 06 02 05 06 07 08 0a", "all that can be"),
        ),
        refused=(
            Refused("01 03", NOT_APPLICABLE, "one that is not configured"),
            Refused("01 00", NOT_APPLICABLE, "number 0"),
            Refused("01 0c", NOT_APPLICABLE, "one that is not there"),
            Refused("01 01", NOT_APPLICABLE, "the activated profile"),
            Refused("02 02 03", NOT_APPLICABLE, "one that is configured and one that is not: none is reset"),
            Refused("00", INVALID_OPERAND, "none"),
            Refused("02 02", INVALID_OPERAND, "fewer than announced"),
            Refused("01 02 08", INVALID_OPERAND, "more than announced"),
            Refused("", INVALID_OPERAND, "no operand"),
        ),
    ),
    Procedure(
        name="Activate Profile Templates",
        section="3.7.2.19",
        point="command",
        op="2e12",
        features=_PROFILES,
        state="templates",
        accepted=(
            Accepted("01 01", "4712 01 01", "the one that is active"),
            Accepted("01 02", "4712 01 02", "another"),
            Accepted("04 02 05 06 07", "4712 04 02 05 06 07", "one of each kind"),
        ),
        refused=(
            Refused("01 03", NOT_APPLICABLE, "one that is not configured"),
            Refused("01 00", NOT_APPLICABLE, "number 0"),
            Refused("01 0c", NOT_APPLICABLE, "one that is not there"),
            Refused("01 08", NOT_APPLICABLE, "a TBR template: no profile"),
            Refused("02 05 03", NOT_APPLICABLE, "one that is configured and one that is not: none is activated"),
            Refused("00", INVALID_OPERAND, "none"),
            Refused("02 02", INVALID_OPERAND, "fewer than announced"),
            Refused("01 02 05", INVALID_OPERAND, "more than announced"),
            Refused("", INVALID_OPERAND, "no operand"),
        ),
    ),
    Procedure(
        name="Get Activated Profile Templates",
        section="3.7.2.20",
        point="command",
        op="4812",
        features=_PROFILES,
        state="templates",
        accepted=(Accepted("", "7412 01 01"), Accepted("", "7412 00", "none", "new")),
        refused=(Refused("00", INVALID_OPERAND, "an operand where there is none"),),
    ),
    _profile_reader("Read ISF Profile Template", "3.7.2.25", "b812", 12, "05", ("d112 00 05 01 a005 <50>",)),
    _amounts(
        _profile_writer("Write ISF Profile Template", "3.7.2.26", "de12", "e212", 12, "05", ("3200", "2800", "")),
        (Amount("01 05 01 a005 {x}", what="ISF"),),
    ),
    _profile_reader("Read I2CHO Ratio Profile Template", "3.7.2.27", "ed12", 13, "06", ("1414 00 06 01 a005 <10>",)),
    _amounts(
        _profile_writer(
            "Write I2CHO Ratio Profile Template", "3.7.2.28", "1b14", "2714", 13, "06", ("0a00", "0c00", "")
        ),
        (Amount("01 06 01 a005 {x}", what="ratio"),),
    ),
    _profile_reader(
        "Read Target Glucose Range Profile Template", "3.7.2.29", "2814", 14, "07", ("4114 00 07 01 a005 <80> <120>",)
    ),
    _amounts(
        _profile_writer(
            "Write Target Glucose Range Profile Template",
            "3.7.2.30",
            "4e14",
            "7214",
            14,
            "07",
            ("5000 7800", "5a00 8200", "7800 5000"),
        ),
        (Amount("01 07 01 a005 {x} 7800", what="lower limit"), Amount("01 07 01 a005 5000 {x}", what="upper limit")),
    ),
)
