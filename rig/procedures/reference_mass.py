"""A reference mass on the balance, off and on again, and whether that is the balance of its bench file.

Not responsible for who puts the mass on, nor for what only a person can see: level, needle, cover.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from rig.analysis.blank_run import largest_credible_sd
from rig.analysis.reference_mass import ReferenceWeighing
from rig.clock import Clock
from rig.procedures.gates import CREDIBLE_SHARE, U_PER_GATE
from rig.roles import Balance, Metrology

SETTLE_S = 10.0
"""From letting go of the mass to the reading, beside what the balance itself waits for."""


def weigh_reference(
    balance: Balance, clock: Clock, place: Callable[[float], None], *, mass_g: float, count: int
) -> tuple[list[float], list[float]]:
    """Weigh `count` times without and with the mass, in g; `place` puts that much beside the vessel, 0 takes it off."""
    empty_g: list[float] = []
    loaded_g: list[float] = []
    for _ in range(count):
        for load_g, readings in ((0.0, empty_g), (mass_g, loaded_g)):
            place(load_g)
            clock.sleep(SETTLE_S)
            readings.append(balance.read_stable().mass_g)
    place(0.0)
    return empty_g, loaded_g


def allowed_repeatability_g(metrology: Metrology, degrees_of_freedom: int) -> float:
    """The SD in g that 1 good balance in 1,000 exceeds."""
    claimed_g = math.hypot(metrology.balance_repeatability_g, metrology.balance_readability_g / math.sqrt(12.0))
    return largest_credible_sd(claimed_g, degrees_of_freedom, share=CREDIBLE_SHARE)


def allowed_error_g(metrology: Metrology, found: ReferenceWeighing, mass_g: float) -> float:
    """The error in g, either way, that the bench file's calibration allows: 3 u, as gates do."""
    return U_PER_GATE * math.hypot(found.u_error_g, metrology.balance_calibration_percent / 100.0 * mass_g)


def problems(metrology: Metrology, found: ReferenceWeighing, mass_g: float) -> list[str]:
    """Say what is wrong with the balance and what to do; nothing when it is fit."""
    found_problems = []
    most_g = allowed_repeatability_g(metrology, found.degrees_of_freedom)
    if found.repeatability_g > most_g:
        found_problems.append(
            f"its repeatability is {found.repeatability_g * 1e6:.3g} µg, and the bench file's "
            f"{metrology.balance_repeatability_g * 1e6:.3g} µg allow {most_g * 1e6:.3g} µg; keep off draught and "
            "vibration, or enter the repeatability that it really has"
        )
    most_g = allowed_error_g(metrology, found, mass_g)
    if abs(found.error_g) > most_g:
        found_problems.append(
            f"it shows {found.error_g * 1e6:+.3g} µg for {mass_g:g} g, and the bench file's calibration allows "
            f"{most_g * 1e6:.3g} µg; adjust it, or have it calibrated"
        )
    return found_problems
