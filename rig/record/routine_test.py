"""The routine test of a balance, as its file holds it: what `rig balance-test` writes and a bench file asks for.

Not responsible for weighing, nor for what a balance is allowed (`rig.procedures.reference_mass`).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Literal

from rig.record.models import Device, Record


class RoutineTest(Record):
    """Weighings of a reference mass on one balance, in g, and whether they are what its bench file allows.

    Attributes:
        empty_g, loaded_g: what was shown without and with the mass, in order.
        answers: of the person, by question; none on a virtual bench.
        problems: why it was not passed.
    """

    format: Literal[1] = 1
    date: date
    tested_utc: str
    simulated: bool
    operator: str | None
    balance: Device
    mass_g: float
    u_mass_g: float
    empty_g: tuple[float, ...]
    loaded_g: tuple[float, ...]
    error_g: float
    u_error_g: float
    repeatability_g: float
    degrees_of_freedom: int
    allowed_error_g: float
    allowed_repeatability_g: float
    answers: Mapping[str, bool]
    problems: tuple[str, ...]
    passed: bool
