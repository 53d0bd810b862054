"""Uncertainty budgets by the GUM (JCGM 100:2008) for volumes from two weighings.

Not responsible for estimating the inputs: they come from certificates, blank runs and repeated readings. Not
responsible for verdicts (`rig.verdicts.limits`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from rig.analysis.budget import Budget, Input, combined, gtc
from rig.analysis.checks import finite, not_negative, positive
from rig.analysis.gravimetry import MG_PER_G, z_factor_ul_per_mg

K = 2.0
"""Coverage factor of expanded uncertainties (JCGM 100:2008, 6.3.3)."""

COVERAGE_PERCENT = 95.45
"""Coverage of k = 2 for many degrees of freedom (JCGM 100:2008 table G.2)."""


OF_ONE_WEIGHING = (
    "repeatability, first weighing",
    "repeatability, second weighing",
    "readability, first weighing",
    "readability, second weighing",
    "wander of the blank",
)
"""Sources whose errors differ from window to window; the others shift all windows alike."""


@dataclass(frozen=True)
class WeighingUncertainty:
    """What is known of a balance and its vessel; u are standard uncertainties.

    Attributes:
        repeatability_g: standard deviation of one reading (type A).
        readability_g: the display's step d; each reading adds a rectangular distribution of half-width d/2 (JCGM 100
            F.2.2.1).
        u_calibration_percent: of the net mass, from the certificate; common to both readings.
        evaporation_mg_per_h: what the vessel loses.
        u_evaporation_mg_per_h: of that rate.
        evaporation_source: the earlier blank runs that it is known from besides, for the budget's row; "" for none.
        u_z_ul_per_mg: of the Z factor, see `u_z_factor_ul_per_mg`.
        blank_wander_g: SD of what the reading of the vessel, with nothing delivered and evaporation added back, changes
            between two moments far apart: air buoyancy of vessel and content, zero, sensitivity of the tare.
        blank_wander_g_per_h: SD of how fast it changes; 0 beside a wander: as fast as may be.
        immersion_factor: by what a volume is multiplied for a tube that dips into the vessel (`immersion`); 1 without.
        u_immersion: of that factor.
        repeatability_freedom: degrees of freedom behind `repeatability_g`.
        evaporation_freedom: degrees of freedom behind `u_evaporation_mg_per_h`.
    """

    repeatability_g: float
    readability_g: float
    u_calibration_percent: float
    evaporation_mg_per_h: float = 0.0
    u_evaporation_mg_per_h: float = 0.0
    u_z_ul_per_mg: float = 0.0
    blank_wander_g: float = 0.0
    blank_wander_g_per_h: float = 0.0
    immersion_factor: float = 1.0
    u_immersion: float = 0.0
    evaporation_source: str = ""
    repeatability_freedom: float = math.inf
    evaporation_freedom: float = math.inf

    def __post_init__(self) -> None:
        for name in (
            "repeatability_g",
            "readability_g",
            "u_calibration_percent",
            "u_evaporation_mg_per_h",
            "u_z_ul_per_mg",
            "blank_wander_g",
            "blank_wander_g_per_h",
            "u_immersion",
        ):
            not_negative(name, getattr(self, name))
        positive("immersion_factor", self.immersion_factor)
        finite("evaporation_mg_per_h", self.evaporation_mg_per_h)
        for name in ("repeatability_freedom", "evaporation_freedom"):
            if not getattr(self, name) >= 1:
                raise ValueError(f"{name} must be 1 or above, got {getattr(self, name)!r}")

    @property
    def evaporation_row(self) -> str:
        """Name of the source "evaporation" in a budget, with the earlier blank runs that it is known from besides."""
        if not self.evaporation_source:
            return "evaporation"
        return f"evaporation, with earlier blank runs ({self.evaporation_source})"

    def u_blank_g(self, hours: float) -> float:
        """The standard uncertainty in g of a difference of two readings from the wander of the blank between them.

        A slope for short times, the whole wander for long ones: min(rate · t, wander).
        """
        if self.blank_wander_g_per_h == 0.0:
            return self.blank_wander_g if hours > 0 else 0.0
        return min(self.blank_wander_g_per_h * hours, self.blank_wander_g)


def delivered_volume(
    before_g: float,
    after_g: float,
    *,
    hours: float,
    z_ul_per_mg: float,
    uncertainty: WeighingUncertainty,
    readings_averaged: int = 1,
    coverage_percent: float = COVERAGE_PERCENT,
) -> Budget:
    """The volume in µL delivered between two weighings, with its uncertainty budget.

    V = [(W2 + δr2 + δd2 − W1 − δr1 − δd1)(1 + δc) + δb + e t] Z f, δ the readings' repeatability r and readability d,
    the calibration c and the wander b of the blank, all zero with their u; f = 1 − d²/D² of an immersed tube. k from
    the effective degrees of freedom (Welch and Satterthwaite, JCGM 100:2008 G.4). The readability of a mean of readings
    is kept whole: a display may stand still.

    Args:
        before_g: W1 in g.
        after_g: W2 in g.
        hours: t from W1 to W2.
        z_ul_per_mg: `gravimetry.z_factor_ul_per_mg`, without the immersion of a tube.
        uncertainty: of balance, vessel, tube and Z.
        readings_averaged: each of W1, W2 is the mean of so many readings.
        coverage_percent: of U.

    Raises:
        ValueError: with a sentence, on input that is not the above.
    """
    before, after = finite("before_g", before_g) * MG_PER_G, finite("after_g", after_g) * MG_PER_G
    hours, z = not_negative("hours", hours), positive("z_ul_per_mg", z_ul_per_mg)
    if readings_averaged < 1:
        raise ValueError(f"readings_averaged must be 1 or above, got {readings_averaged!r}")
    if not 0 < finite("coverage_percent", coverage_percent) < 100:
        raise ValueError(f"coverage_percent must lie between 0 and 100, got {coverage_percent!r}")
    known = uncertainty
    scatter = known.repeatability_g * MG_PER_G / math.sqrt(readings_averaged)
    step = gtc().type_b.uniform(known.readability_g * MG_PER_G / 2.0)
    inputs = [
        Input("repeatability, first weighing", "A", before, "mg", scatter, known.repeatability_freedom),
        Input("repeatability, second weighing", "A", after, "mg", scatter, known.repeatability_freedom),
        Input("readability, first weighing", "B", 0.0, "mg", step),
        Input("readability, second weighing", "B", 0.0, "mg", step),
        Input("calibration of the balance", "B", 0.0, "%", known.u_calibration_percent),
        Input(
            known.evaporation_row,
            "A",
            known.evaporation_mg_per_h,
            "mg/h",
            known.u_evaporation_mg_per_h,
            known.evaporation_freedom,
        ),
        Input("Z factor", "B", z, "µL/mg", known.u_z_ul_per_mg),
        Input("wander of the blank", "A", 0.0, "mg", known.u_blank_g(hours) * MG_PER_G),
        Input("immersion of the tube", "B", known.immersion_factor, "1", known.u_immersion),
    ]
    first, second, first_step, second_step, calibration, evaporation, z_factor, blank, immersion = (
        each.number for each in inputs
    )
    net = (second + second_step - first - first_step) * (1.0 + calibration / 100.0)
    return combined((net + blank + evaporation * hours) * z_factor * immersion, "µL", inputs, coverage_percent)


def u_z_factor_ul_per_mg(
    temperature_c: float,
    pressure_hpa: float,
    relative_humidity: float = 0.5,
    *,
    u_temperature_c: float,
    u_pressure_hpa: float,
    u_relative_humidity: float,
) -> float:
    """The standard uncertainty of the Z factor in µL/mg from those of the air (and water) at the balance.

    First order (JCGM 100:2008 5.1.2) with sensitivities as central differences; the formulae of water and air add
    1e-5 relative or less and are left out.

    Raises:
        ValueError: as `z_factor_ul_per_mg`, or a negative uncertainty.
    """
    at = (temperature_c, pressure_hpa, relative_humidity)
    steps = (0.01, 0.1, 0.001)
    us = (u_temperature_c, u_pressure_hpa, u_relative_humidity)
    variance = 0.0
    for index, (step, u) in enumerate(zip(steps, us, strict=True)):
        up, down = list(at), list(at)
        up[index], down[index] = up[index] + step, down[index] - step
        slope = float(z_factor_ul_per_mg(*up) - z_factor_ul_per_mg(*down)) / (2 * step)
        variance += (slope * not_negative("the uncertainties of the air", u)) ** 2
    return math.sqrt(variance)


def bias_of_extremes(u: float, windows: int) -> float:
    """How far noise alone may push the extremes of m windows outwards: u √(2 ln m), in the unit of `u`.

    The expected maximum of m normal values is at most this (Boucheron, Lugosi and Massart, Concentration
    Inequalities, 2.5), independent or not.
    """
    if windows < 1:
        raise ValueError(f"windows must be 1 or above, got {windows!r}")
    return not_negative("u", u) * math.sqrt(2.0 * math.log(windows))
