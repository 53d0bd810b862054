"""A setting of the pump, changed for a while.

Not responsible for what settings there are (`rig.therapy.Setting`).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rig.record.taking import Recorder
from rig.roles import Bench, Capability, require
from rig.therapy import Setting


@contextmanager
def setting_set(bench: Bench, record: Recorder, setting: Setting, value: float | None) -> Iterator[None]:
    """Change a setting for a while, in its unit, and give it back as it was; None leaves it alone.

    Raises:
        UnableError: the pump has no settings.
        RefusedError: the value is out of its range.
    """
    if value is None:
        yield
        return
    pump = require(bench.pump, Capability.SETTINGS)
    before = pump.setting(setting)
    pump.set_setting(setting, value)
    record.step(f"set {setting.value}", value=value)
    try:
        yield
    finally:
        pump.set_setting(setting, before)
