"""Volumes that no pump delivers: a wrong unit shows as a power of a thousand, of sixty, of twenty-four.

Not responsible for deciding what a pump should deliver; only for not believing what a unit explains better.
"""

from __future__ import annotations

from rig.offline.findings import Finding

IMPLAUSIBLE = 50.0
"""A log that holds so many times the programmed volume has a wrong unit, not a bad pump. Assumption."""

SMALL = 0.05
ODD = 2.0
"""Between half and twice the programme nothing is said; outside a sentence. Assumption."""

NEAR = 0.35
"""A ratio within this share of a ratio of units counts as that."""

_RATIOS = (
    (
        1e-3,
        "the numbers are in a unit a thousand times larger than was read (mg and g, µL and mL, ms and s), or a comma "
        "between thousands was taken for a decimal one (--decimal point)",
    ),
    (1e-6, "the numbers are in a unit a million times larger than was read (µg and g, nL and mL)"),
    (1 / 60.0, "the times are in a unit sixty times smaller than was read (s and min, min and h)"),
    (1 / 3600.0, "the times are in a unit 3600 times smaller than was read (s and h)"),
    (1 / 86400.0, "the times are in a unit 86400 times smaller than was read (s and d)"),
)


def judged(ratio: float, *, what: str, accept: bool) -> list[Finding]:
    """Report, or refuse, a ratio of the volume that a log holds and the volume that was programmed.

    Args:
        ratio: of the two.
        what: mass or volume, for the sentence.
        accept: a ratio that looks like a wrong unit is reported, not refused.

    Raises:
        ValueError: a sentence that says which unit would explain it.
    """
    times = f"{ratio:.3g} times what was programmed"
    if ratio > IMPLAUSIBLE and not accept:
        raise ValueError(
            f"the record grows by {ratio:.3g} times what the rate programmes: look at the unit of the {what} column, "
            "at --rate or --bolus, and at the unit of the times (--header-units ignore believes options, --implausible "
            "accept the file)"
        )
    if 0 < ratio < SMALL:
        near = [why for factor, why in _RATIOS if abs(ratio / factor - 1.0) < NEAR]
        if near and not accept:
            raise ValueError(
                f"the record grows by {times}, as when {near[0]}: look at the units of the {what} and of the times "
                "(--header-units ignore believes options); if the pump did deliver so little, --implausible accept"
            )
    if 1.0 / ODD <= ratio <= ODD:
        return []
    return [
        Finding(
            "implausible",
            f"The record grows by {times}: if the pump did not, look at the units of the {what} and of the times, and "
            "at --rate or --bolus.",
        )
    ]
