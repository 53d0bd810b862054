"""When a series first reaches a level.

Not responsible for smoothing: a noisy series reaches a level when its first sample does.
"""

from __future__ import annotations

import numpy as np

from rig.analysis.checks import FloatArray


def first_crossing_s(times: FloatArray, values: FloatArray, level: float) -> float:
    """When `values` first is at `level` or above, in s, on the straight line from the sample before.

    The last of `times` when it never is.
    """
    reached = np.flatnonzero(values >= level)
    if not reached.size:
        return float(times[-1])
    after = int(reached[0])
    before = max(after - 1, 0)
    rise = float(values[after] - values[before])
    share = (level - float(values[before])) / rise if rise > 0 else 1.0
    return float(times[before] + share * (times[after] - times[before]))
