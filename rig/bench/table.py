"""What every table of a bench file is: a strict model, and names that are to be read. Not responsible for any table."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Words = Annotated[str, Field(pattern=r"\S", max_length=200)]
"""A name or an address: something to read, and no book."""


class BenchTable(BaseModel):
    """A table of a bench file: keys that it does not know are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)
