"""The shape of the table of op codes: what a procedure is, what it accepts and what it refuses, in octets.

Octets are written in hexadecimal as they travel, low octet first, blanks where fields end. An answer is a pattern:

    0f ..        this octet; any octet
    <1.25>       two octets that are the SFLOAT of 1.25, whichever way it is written; <any> of any number
    <<0>>        four octets that are the FLOAT of 0; <<any>> of any number
    {id}         the bolus that the state began; {annunciation} the one that is pending
    x | y        one or the other

Not responsible for the procedures themselves (op_codes) nor for asking a pump (client).
"""

from __future__ import annotations

from dataclasses import dataclass

SUCCESS, NOT_SUPPORTED, INVALID_OPERAND, NOT_COMPLETED = "0f", "70", "71", "72"
OUT_OF_RANGE, NOT_APPLICABLE, IMPLAUSIBLE, MAXIMUM_REACHED = "73", "74", "75", "76"
"""Response codes of the Status Reader and Command Control Points (IDS 1.0.2, tables 4.16 and 4.38)."""

RFU_WORD, PROHIBITED_WORD = "a5", "34"
"""A code word that no enumeration of one octet in this service defines, and an octet that is none (table 5.1)."""

NO_NUMBERS = {
    "NaN": "ff07",
    "NRes": "0008",
    "+INF": "fe07",
    "-INF": "0208",
    "reserved": "0108",
    "-1": "ff0f",
    "290,000": "1d40",
    "2040e7": "f877",
}
"""SFLOATs that are no amount: the special values of IEEE 11073-20601, annex F, a negative number, and two great ones.

In thousandths, 290,000 looks like 3.2 to whoever keeps 16 bits of it; 2040e7 does not fit into 32.
"""


@dataclass(frozen=True)
class Accepted:
    """An operand that is carried out, the answer to it, and the Command Data that come before the answer."""

    operand: str
    answer: str
    why: str = "valid"
    state: str = ""
    data: tuple[str, ...] = ()


@dataclass(frozen=True)
class Refused:
    """An operand that is refused, with the response code (several with "|" where the specification leaves it open)."""

    operand: str
    code: str
    why: str
    state: str = ""


@dataclass(frozen=True)
class Amount:
    """An operand with the hole {x} for an SFLOAT, and a number there that is finer than the pump can deliver or ""."""

    operand: str
    over_resolution: str = ""
    what: str = "amount"


@dataclass(frozen=True)
class Procedure:
    """One op code that a client may write.

    Attributes:
        name: as in the specification.
        section: where its behaviour is described.
        point: the control point: reader, command or racp.
        op: its octets.
        features: the bits of IDD Features of which one at least brings it (table 4.12); empty when it needs none.
        optional: whether a pump with those features may still leave it out.
        state: what the pump is brought into before, unless a case says otherwise (states.py).
        accepted: the valid operand first, then boundaries.
        refused: just outside, wrong code words, wrong contexts.
        amounts: the operand's numbers.
        reports: whether it answers by notifications too, of Command Data or History Data.
    """

    name: str
    section: str
    point: str
    op: str
    accepted: tuple[Accepted, ...]
    refused: tuple[Refused, ...] = ()
    amounts: tuple[Amount, ...] = ()
    features: frozenset[int] = frozenset()
    optional: bool = False
    state: str = "running"
    reports: bool = False


def done(op: str) -> str:
    """The answer of a Command procedure that has nothing but success to say (table 4.37)."""
    return f"550f {op} {SUCCESS}"
