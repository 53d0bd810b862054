"""A reference mass on a balance, off and on again: its error, and the repeatability of single readings.

Not responsible for deciding whether a balance is fit.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from numpy.typing import ArrayLike

from rig.analysis.checks import not_negative, positive, series


@dataclass(frozen=True)
class ReferenceWeighing:
    """What n weighings of a mass showed, in g.

    Attributes:
        error_g: mean of what was shown, less the mass.
        u_error_g: its standard uncertainty, from the scatter of the n and from the mass's certificate.
        repeatability_g: SD of single readings; `degrees_of_freedom` n − 1.
    """

    error_g: float
    u_error_g: float
    repeatability_g: float
    degrees_of_freedom: int


def reference_weighing(
    empty_g: ArrayLike, loaded_g: ArrayLike, *, mass_g: float, u_mass_g: float = 0.0
) -> ReferenceWeighing:
    """Error and repeatability from pairs of readings, without and with a mass of conventional value `mass_g`.

    Each pair makes one difference, so a zero that drifts slowly cancels; its SD is √2 that of a reading. u² = SD²/n +
    u(mass)². The conventional mass is what a balance shows that was adjusted with weights of 8000 kg/m³ (OIML D 28), so
    air buoyancy is no correction here.

    Args:
        empty_g: (n,) readings without it, in g, n ≥ 3.
        loaded_g: (n,) readings with it, in g.
        mass_g: conventional mass by its certificate, in g.
        u_mass_g: its standard uncertainty, in g.

    Raises:
        ValueError: with a sentence, on input that is not the above.
    """
    without, with_mass = series("empty_g", empty_g, at_least=3), series("loaded_g", loaded_g, at_least=3)
    if without.size != with_mass.size:
        raise ValueError(f"empty_g and loaded_g must be equally long, got {without.size} and {with_mass.size}")
    shown = with_mass - without
    sd_g = float(shown.std(ddof=1))
    return ReferenceWeighing(
        error_g=float(shown.mean()) - positive("mass_g", mass_g),
        u_error_g=math.hypot(sd_g / math.sqrt(shown.size), not_negative("u_mass_g", u_mass_g)),
        repeatability_g=sd_g / math.sqrt(2.0),
        degrees_of_freedom=shown.size - 1,
    )
