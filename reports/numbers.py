"""What the kinds of analyses in a record share.

Not responsible for the kinds themselves (`reports.analyses`, `reports.courses`).
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Numbers(BaseModel):
    """Computed numbers as a record holds them: unknown ones are left alone, infinite ones refused."""

    model_config = ConfigDict(extra="ignore", frozen=True, allow_inf_nan=False)


def same_length(owner: str, *arrays: tuple[float, ...]) -> None:
    """Refuse arrays of one owner that differ in length; ValueError."""
    if len({len(array) for array in arrays}) != 1:
        raise ValueError(f"the arrays of {owner} differ in length: {', '.join(str(len(array)) for array in arrays)}")


class Evaporation(Numbers):
    """What blank runs showed of the vessel's loss in mg/h, with its standard uncertainty."""

    rate_mg_per_h: float
    u_mg_per_h: float
