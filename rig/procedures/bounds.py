"""What the fields of a measurement may hold: types with their lowest and highest value, in one place.

The bounds are this house's own, far outside of what pumps and laboratories do and inside of what computes: a slip of
the pen, such as h for min or 1e12, is refused before bench time is spent. Not responsible for what fields may hold
together, which each procedure says.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

from rig.toml_files import GlucoseMgPerDl, InsulinU, MassG, Percent, RateUPerH, TimeS, within

LONGEST = "30 d"
"""No measurement takes longer: ten reservoirs of three days each."""
LARGEST_RATE = "300 U/h"
"""A whole reservoir in an hour; pumps' basal rates end at 35–50 U/h."""
LARGEST_SHARE = 1000.0
"""Of a temporary rate, in % of the profile's; pumps end at 200–500 %."""


def lasting(lowest: str, highest: str = LONGEST) -> AfterValidator:
    """Refuse a time shorter than `lowest` or longer than `highest`."""
    return within("time_s", lowest, highest)


def _whole_minutes(duration_s: float) -> float:
    if duration_s % 60.0:
        raise ValueError("pumps are told whole minutes")
    return duration_s


def _no_blank_around(word: str) -> str:
    if word != word.strip() or not word:
        raise ValueError("it is a word, with no blank before or after it")
    return word


Size = Annotated[InsulinU, within("insulin_u", "0.001 U", "300 U")]
"""An amount in U, such as a bolus: from a fifth of the smallest step of any pump to a whole reservoir."""
Dose = Annotated[InsulinU, within("insulin_u", "0.0001 U", "10 U")]
"""A pump's single dose, in U; usual are 0.0005 to 0.1 U."""
Rate = Annotated[RateUPerH, within("rate_u_per_h", "0.001 U/h", LARGEST_RATE)]
"""A rate of delivery in U/h."""
RateOrNone = Annotated[RateUPerH, within("rate_u_per_h", "0 U/h", LARGEST_RATE)]
"""A rate of delivery in U/h, or none."""
Speed = Annotated[RateUPerH, within("rate_u_per_h", "0.1 U/min", "100 U/min")]
"""A speed in U/h at which something comes at once; usual are 1 to 15 U/min."""
Share = Annotated[Percent, within("percent", "1 %", "100 %")]
"""A share of a whole, in %."""
ShareOrNone = Annotated[Percent, within("percent", "0 %", "100 %")]
"""A share of a whole in %, or nothing."""
SampleEvery = Annotated[TimeS, lasting("0.1 s", "1 d")]
"""Time in s from reading to reading; balances give up to ten readings a second."""
Minutes = Annotated[TimeS, lasting("0 min"), AfterValidator(_whole_minutes)]
"""A duration in s that is a whole number of minutes."""
Glucose = Annotated[GlucoseMgPerDl, within("glucose_mg_per_dl", "1 mg/dL", "2000 mg/dL")]
"""Glucose in blood in mg/dL, or a difference of two; meters end at 600."""
Carbohydrates = Annotated[MassG, within("mass_g", "0 g", "1000 g")]
"""Of a meal, in g."""
Word = Annotated[str, AfterValidator(_no_blank_around), Field(min_length=1)]
"""A word or several, by which something is found again."""
