"""Placeholder."""

from rig.record.analyses import *  # noqa: F403
