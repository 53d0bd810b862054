"""The pump's occlusion threshold, and whether it alarms an occlusion now.

Not responsible for provoking one (`occlusion`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from rig.procedures.parameters import Threshold
from rig.record.taking import Recorder
from rig.roles import Bench, Capability, require
from rig.therapy import Setting

LEVELS: Mapping[str, float] = {"low": 0.0, "normal": 1.0, "high": 2.0}
"""Occlusion thresholds as people call them, and as `Setting.OCCLUSION_LEVEL` counts them."""

ALARM = "occlusion"
"""What a pump annunciates when its line is closed."""


def at_threshold(rate_u_per_h: float, threshold: Threshold | None) -> str:
    """Name a rate in U/h, and the threshold where one is set."""
    return f"{rate_u_per_h:g} U/h" + (f", threshold {threshold}" if threshold is not None else "")


def occlusion_needs(threshold: Threshold | None) -> tuple[Capability, ...]:
    """List what a pump must be able to do to be tested at a threshold; None is as it is set."""
    settings = (Capability.SETTINGS,) if threshold is not None else ()
    return (Capability.BASAL_PROFILE, Capability.OCCLUSION_DETECTION, *settings)


@contextmanager
def threshold_set(bench: Bench, record: Recorder, threshold: Threshold | None) -> Iterator[None]:
    """Set the pump's occlusion threshold for a while, and give it back as it was; None leaves it alone."""
    if threshold is None:
        yield
        return
    pump = require(bench.pump, Capability.SETTINGS)
    before = pump.setting(Setting.OCCLUSION_LEVEL)
    pump.set_setting(Setting.OCCLUSION_LEVEL, LEVELS[threshold])
    record.step("occlusion threshold", threshold=threshold)
    try:
        yield
    finally:
        pump.set_setting(Setting.OCCLUSION_LEVEL, before)


def occlusion_is_alarmed(bench: Bench) -> bool:
    """Say whether the pump alarms an occlusion now."""
    return any(annunciation.kind == ALARM for annunciation in bench.pump.annunciations())
