"""Placeholder: see rig.record.analyses."""

from rig.record.analyses import *  # noqa: F403
from rig.record.analyses import KINDS as _KINDS  # noqa: F401
