"""Op codes of the IDD Record Access Control Point (IDS 1.0.2, 3.9), as data.

Octets are op code, operator, operand. Success is F0 here, and the response codes are others than those of the other
control points (table 3.27). The pump's log holds at least its first reference time, and is not to be deleted.
"""

from suites.selftest.conformance.table import PROHIBITED_WORD, RFU_WORD, Accepted, Procedure, Refused

BAD_OPERATOR, OPERATOR_NOT_SUPPORTED, BAD_OPERAND, NO_RECORDS, OPERAND_NOT_SUPPORTED = "03", "04", "05", "06", "09"
_FIRST, _LAST = "00000000", "ffffffff"


def _selections(answer: str, none: str) -> tuple[Accepted, ...]:
    """Give every operator with every filter; `none` answers a selection without records."""
    return (
        Accepted("33", answer, "all records"),
        Accepted(f"3c 0f {_LAST}", answer, "up to a number"),
        Accepted(f"55 0f {_FIRST}", answer, "from a number on"),
        Accepted(f"5a 0f {_FIRST} {_LAST}", answer, "between two numbers"),
        Accepted(f"5a 0f {_FIRST} {_FIRST}", answer, "between a number and itself"),
        Accepted("66", answer, "first record"),
        Accepted("69", answer, "last record"),
        Accepted(f"3c 33 {_LAST}", answer, "reference times up to a number"),
        Accepted(f"55 33 {_FIRST}", answer, "reference times from a number on"),
        Accepted(f"5a 33 {_FIRST} {_LAST}", answer, "reference times between two numbers"),
        Accepted(f"3c 3c {_LAST}", answer, "others up to a number"),
        Accepted(f"55 3c {_FIRST}", answer, "others from a number on"),
        Accepted(f"5a 3c {_FIRST} {_LAST}", answer, "others between two numbers"),
        Accepted("55 0f feffffff", none, "from beyond the last on"),
    )


def _bad_selections() -> tuple[Refused, ...]:
    return (
        Refused("0f", BAD_OPERATOR, "null"),
        Refused(RFU_WORD, OPERATOR_NOT_SUPPORTED, "reserved operator"),
        Refused(PROHIBITED_WORD, BAD_OPERATOR, "prohibited operator"),
        Refused(f"55 {RFU_WORD} {_FIRST}", OPERAND_NOT_SUPPORTED, "reserved filter"),
        Refused(f"55 {PROHIBITED_WORD} {_FIRST}", BAD_OPERAND, "prohibited filter"),
        Refused("5a 0f 05000000 01000000", BAD_OPERAND, "upside down"),
        Refused("55", BAD_OPERAND, "no filter"),
        Refused("55 0f 000000", BAD_OPERAND, "a number cut off"),
        Refused("5a 0f 00000000", BAD_OPERAND, "half a range"),
        Refused("33 00", BAD_OPERAND, "an operand where there is none"),
        Refused("55 0f 00000000 00", BAD_OPERAND, "too long"),
    )


RACP = (
    Procedure(
        name="Report Stored Records",
        section="3.9.4.4",
        point="racp",
        op="33",
        accepted=_selections("0f0f 33 f0", f"0f0f 33 {NO_RECORDS}"),
        refused=_bad_selections(),
        reports=True,
    ),
    Procedure(
        name="Report Number of Stored Records",
        section="3.9.4.2",
        point="racp",
        op="5a",
        accepted=_selections("660f ........", "660f 00000000"),
        refused=_bad_selections(),
    ),
    Procedure(
        name="Abort Operation",
        section="3.9.4.5",
        point="racp",
        op="55",
        accepted=(Accepted("0f", "0f0f 55 f0 | 0f0f 55 07", "nothing to abort"),),
        refused=(
            Refused("33", BAD_OPERATOR, "an operator where there is none"),
            Refused(PROHIBITED_WORD, BAD_OPERATOR, "prohibited operator"),
            Refused("0f 00", BAD_OPERAND, "an operand where there is none"),
        ),
    ),
)
