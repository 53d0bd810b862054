"""The parameters that tell quantities of one kind apart: one word for one thing over all procedures.

Not responsible for the kinds, which stand with their procedures.
"""

from __future__ import annotations

from typing import Literal

from rig.verdicts.quantities import Parameter

Threshold = Literal["low", "normal", "high"]
"""Occlusion thresholds as people call them."""

RATE = Parameter("rate", ("U/h",))
THEN = Parameter("then", ("U/h",))
TEMPORARY = Parameter("temporary", ("U/h", "%"))
SIZE = Parameter("size", ("U",))
EXTENDED = Parameter("extended", ("%",))
DURATION = Parameter("duration", ("min",))
WINDOW = Parameter("window", ("min",))
HOURS = Parameter("hours", ("h",))
THRESHOLD = Parameter("threshold", words=("low", "normal", "high"), needed=False)
PERSON = Parameter("person")
BY = Parameter("by", words=("supply", "command"))
OFF = Parameter("off", ("s",))
LOST = Parameter("lost", words=("reply", "link"))
FAULT = Parameter("fault")
KEYS = Parameter("keys")
PART = Parameter("part", words=("crystal", "backup cell"))
