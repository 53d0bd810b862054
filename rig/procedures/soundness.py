"""Whether the balance lived and was left alone while a measurement was taken.

What this finds is an error of the rig and no word on the pump: mass that appears and stays is liquid and is judged,
mass that comes back was a disturbance, and a reading that never changes is nobody's. Not responsible for what a blank
run shows (`gates`).
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from rig.analysis.disturbed import broken_digit_g, came_back
from rig.analysis.unchanging import log10_chance_of_equal
from rig.errors import BlockedError
from rig.procedures.provoking import FaultCleared, FaultInjected
from rig.record.taking import Taken
from rig.roles import Metrology

FEWEST_DIGITS = 1.5
"""A repeatability below so many of the last digit says hardly more than that digit: such a balance may show one value
for as long as it likes."""
INDEPENDENT_S = 10.0
"""Readings so far apart have noise of their own: the slowest filters of balances have forgotten by then."""
BETTER_BY = 3.0
"""A balance may scatter three times less than its bench file says, and is no dead one for it. Nor is one whose file
says far too much: no more than one digit of scatter is counted on, whatever the file says."""
UNSEEN_SD = 6.0
"""Of readings: what evaporates beside noise of so many and one digit must have changed what is shown."""
TO_AND_FRO = frozenset({"F10 raised", "F10 lowered", "F11 step", "F12"})
"""Faults that press liquid out of the line or draw it in, and the other way when they are over."""
SETTLES_S = 90.0
"""20 time constants of a line that fades in 4.5 s."""
LOG10_CREDIBLE = -6.0
"""1 living balance in 1,000,000 shows equal readings for so long, and is stopped."""


class EqualReadings:
    """Follows readings of a balance, and refuses a row of equal ones that no living balance shows."""

    def __init__(self, metrology: Metrology) -> None:
        self._claimed_g, self._digit_g = metrology.balance_repeatability_g, metrology.balance_readability_g
        self._sd_g = min(self._claimed_g / BETTER_BY, self._digit_g)
        self._sure_of_noise = self._claimed_g >= FEWEST_DIGITS * self._digit_g > 0.0
        self._vanishing_g_per_h = _vanishing_g_per_h(metrology)
        self._value_g: float | None = None
        self._since_s = self._counted_s = 0.0
        self._count = 0

    def look(self, at_s: float, mass_g: float) -> None:
        """Take one more reading into account; BlockedError when the balance is shown dead, with what to do."""
        if mass_g != self._value_g:
            self._value_g, self._since_s, self._counted_s, self._count = mass_g, at_s, at_s, 1
            return
        if at_s - self._counted_s < INDEPENDENT_S:
            return
        self._counted_s, self._count = at_s, self._count + 1
        self._refuse_no_evaporation(at_s - self._since_s, mass_g)
        if not self._sure_of_noise:
            return
        if log10_chance_of_equal(self._count, sd=self._sd_g, digit=self._digit_g) > LOG10_CREDIBLE:
            return
        raise BlockedError(
            f"balance: it has shown {mass_g:.6f} g and nothing else for {at_s - self._since_s:.0f} s; of living ones "
            f"whose readings scatter by {self._sd_g * 1e6:.2g} µg and more, fewer than 1 in 1,000,000 do so, whatever "
            "the pump does: it is frozen; switch it off and on, look at its display and cable, weigh the reference "
            "mass (rig balance-test), and measure again"
        )

    def _refuse_no_evaporation(self, lasted_s: float, mass_g: float) -> None:
        """Refuse one value for so long that a vessel must have lost more than a balance leaves unseen."""
        unseen_g = self._digit_g + UNSEEN_SD * self._claimed_g
        lost_g = self._vanishing_g_per_h * lasted_s / 3600.0
        if not self._claimed_g or lost_g <= unseen_g:
            return
        raise BlockedError(
            f"balance: it has shown {mass_g:.6f} g and nothing else for {lasted_s / 3600.0:.3g} h, in which "
            f"{lost_g * 1e6:.3g} µg evaporate at least, as the bench file says: it is frozen; switch it off and on, "
            "look at its display and cable, weigh the reference mass (rig balance-test), and measure again"
        )


def _vanishing_g_per_h(metrology: Metrology) -> float:
    """Compute what evaporates in g/h at least, 3 u less than earlier blank runs found; 0 where no source is named."""
    if metrology.evaporation_source is None:
        return 0.0
    return max(0.0, metrology.evaporation_g_per_h - 3.0 * metrology.evaporation_uncertainty_g_per_h)


def _single_g(metrology: Metrology) -> float:
    """Compute the SD of single readings in g with what rounding to the last digit adds."""
    return math.hypot(metrology.balance_repeatability_g, metrology.balance_readability_g / math.sqrt(12.0))


def refuse_disturbed(taken: Taken, metrology: Metrology) -> None:
    """Refuse a measurement during which something was put on the balance and taken off, or a digit took no part.

    Raises:
        BlockedError: with when, how much and what to do.
    """
    balance = taken.every("balance")
    if balance is None or balance["at_s"].size < 2 or not metrology.balance_repeatability_g:
        return
    if metrology.balance_readability_g:
        place_g = broken_digit_g(balance["mass_g"], digit_g=metrology.balance_readability_g)
        if place_g is not None:
            raise BlockedError(
                f"balance: its digit of {place_g:g} g takes no part in the readings, although the mass went through "
                "all of its values: the display, the line or the settings of the port are broken; check cable, parity "
                "and the balance's own display, weigh the reference mass (rig balance-test), and measure again"
            )
    most_g_per_h = metrology.evaporation_g_per_h + 3.0 * metrology.evaporation_uncertainty_g_per_h
    parts = _between_faults(taken, balance["at_s"])
    looked_at = (
        came_back(
            balance["at_s"][part],
            balance["mass_g"][part],
            sd_g=_single_g(metrology),
            evaporation_g_per_h=max(0.0, most_g_per_h),
        )
        for part in parts
        if np.count_nonzero(part) > 1
    )
    found = next((each for each in looked_at if each is not None), None)
    if found is not None:
        first, then = ("came", "went") if found.mass_g > 0.0 else ("went", "came")
        raise BlockedError(
            f"balance: {abs(found.mass_g) * 1e3:.4g} mg {first} at {found.from_s:.0f} s and {then} again by "
            f"{found.to_s:.0f} s, which no liquid does: somebody leaned on the table, something touched the vessel, or "
            "a reading was damaged; keep people, draught and cables away from the balance, and measure again"
        )


def _between_faults(taken: Taken, at_s: NDArray[np.float64]) -> list[NDArray[np.bool_]]:
    """Choose the readings before, during and after each fault that moves liquid to and fro; all, where there is none.

    What came when a pump was lifted goes again when it is lowered: that is no disturbance.
    """
    facts: list[FaultInjected | FaultCleared] = [*taken.facts(FaultInjected), *taken.facts(FaultCleared)]
    edges_s = [fact.at_s for fact in facts if fact.fault in TO_AND_FRO]
    passed = np.zeros(at_s.size, dtype=np.int64)
    moving = np.zeros(at_s.size, dtype=np.bool_)
    for edge_s in edges_s:
        passed += at_s > edge_s
        moving |= np.abs(at_s - edge_s) < SETTLES_S
    return [(passed == number) & ~moving for number in range(len(edges_s) + 1)]
