"""What a tube that dips into the vessel adds to the weight of what it delivers, and how well that is known.

Vertical walls: a vessel of bore D (area A), a tube of outer diameter d (area a) held from above. Water of mass m
spreads over A − a, so its level rises by h = m/(ρ (A − a)), and a further length h of the tube is under water. The
balance carries the pressure on the bottom, ρ g h A: as if what the tube displaces, a h, were water too. It shows

    m A/(A − a) = m/(1 − d²/D²)

(Archimedes: the vessel bears the reaction to the lift on the tube). So it shows too much, and m = shown · (1 − d²/D²).
Gravimetric standards for micro-flow correct for their dispensing needle so (Bissig et al., Biomed. Tech. 60 (2015) 301;
not checked against a copy). Air acts on water and on displaced water alike: buoyancy stays in the Z factor. Evaporation
lowers the level and is shown too large by the same factor, so what a blank run shows is corrected with the rest. An oil
film only rises with the water. A tube that leans by θ has d²/cos θ in place of d².

Not responsible for drops and menisci.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from rig.analysis.checks import not_negative
from rig.analysis.gravimetry import immersion_factor

LARGEST_UNSTATED = (1.5 / 10.0) ** 2
"""d²/D² of the thickest tube in the narrowest vessel that is plausible where nothing is stated: an infusion set's tube
of 1.5 mm in a bore of 10 mm, 2.25 %. The house's assumption; a needle of 1.2 mm (18 G) in 15 mm makes 0.64 %."""


@dataclass(frozen=True)
class Immersion:
    """By what a weighed volume is multiplied, 1 − d²/D², and the standard uncertainty of that."""

    factor: float
    u: float


FREE = Immersion(1.0, 0.0)
"""The outlet does not dip in: it hangs free, or touches the wall."""

UNSTATED = Immersion(1.0, LARGEST_UNSTATED / math.sqrt(3.0))
"""Nobody said whether a tube dips in. Nothing is corrected, and d²/D² may be anything from 0 to `LARGEST_UNSTATED`: a
rectangle, whose mean square about the uncorrected value is a third of its width squared (JCGM 100:2008 4.3.7; F.2.4.5,
which advises against leaving an effect uncorrected: state the outlet)."""


def immersed(*, tube_diameter_mm: float, vessel_bore_mm: float, u_tube_mm: float, u_bore_mm: float) -> Immersion:
    """1 − d²/D² with its standard uncertainty from two diameters in mm and theirs.

    u² = (2 d/D² u_d)² + (2 d²/D³ u_D)² (JCGM 100:2008 5.1.2, first order).

    Raises:
        ValueError: a negative number, or a tube that does not fit into the vessel.
    """
    factor = immersion_factor(tube_diameter_mm, vessel_bore_mm)
    by_tube = 2.0 * tube_diameter_mm / vessel_bore_mm**2 * not_negative("u_tube_mm", u_tube_mm)
    by_bore = 2.0 * tube_diameter_mm**2 / vessel_bore_mm**3 * not_negative("u_bore_mm", u_bore_mm)
    return Immersion(factor, math.hypot(by_tube, by_bore))
