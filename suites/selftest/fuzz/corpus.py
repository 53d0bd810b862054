"""What the fuzzer starts from: valid requests, and those that the specification's table calls wrong.

Not responsible for damaging them (mutate) nor for sending them (campaign).
"""

from __future__ import annotations

from dataclasses import dataclass

from suites.selftest.conformance.client import CONTROL_POINTS
from suites.selftest.conformance.op_codes import PROCEDURES

RUN, STOP, PRIME, FILL, RESTART = "5a0f55", "5a0f33", "7b12", "8b12", "69f0"
DELIVERS = ("4b11",)
MAKERS_POINT = "2c00"
"""Handle of the pump control point (instruments/ids/protocol.md, section 2)."""


@dataclass(frozen=True)
class Request:
    """A write to a control point less counter and checksum, or, when `point` is "", a whole PDU."""

    point: str
    octets: bytes


def control_point_requests() -> tuple[Request, ...]:
    """Every operand of the specification's table, right and wrong, with ids filled in."""
    operands = [
        (procedure.point, procedure.op, operand)
        for procedure in PROCEDURES
        for operand in (
            *(case.operand for case in procedure.accepted),
            *(case.operand for case in procedure.refused),
        )
    ]
    filled = [
        (point, (op + operand).replace("{id}", "0100").replace("{annunciation}", "0100").replace(" ", ""))
        for point, op, operand in operands
    ]
    return tuple(
        Request(point, bytes.fromhex(octets))
        for point, octets in filled
        if point in CONTROL_POINTS and "{" not in octets
    )


def delivering_requests() -> tuple[Request, ...]:
    """What a pump must not do by mistake: the right requests that start therapy, or ask for a bolus."""
    operands = (
        (procedure, case.operand) for procedure in PROCEDURES if procedure.op in DELIVERS for case in procedure.accepted
    )
    octets = {RUN, *((procedure.op + operand).replace(" ", "") for procedure, operand in operands)}
    return tuple(Request("command", bytes.fromhex(one)) for one in sorted(octets) if "{" not in one)


def attribute_requests() -> tuple[Request, ...]:
    """Requests of the attribute protocol: exchange, discovery, reads, configurations, commands."""
    discovery = [
        f"{op} {first} ffff {kind}" for op, kind in (("10", "0028"), ("08", "0328")) for first in ("0100", "2500")
    ]
    reads = [f"0a {handle:02x}00" for handle in range(1, 0x2E)]
    others = ["02 1700", "04 0100 ffff", "06 0100 ffff 0028 3a18", "0c 0600 0100", "0e 0300 0600", "16 1100 0000 5a0f"]
    others += [
        "18 00",
        "18 01",
        "1e",
        "52 1100 5a0f",
        "d2 1100 5a0f 33",
        "12 1200 0200",
        "12 1b00 0100",
        "12 0f00 0000",
    ]
    makers = [f"12 {MAKERS_POINT} {value}" for value in ("33f0 ff07 1400 01 0000", "55f0 01 01 3c6b", "96f0 01 0000")]
    return tuple(Request("", bytes.fromhex(octets)) for octets in (*discovery, *reads, *others, *makers))
