"""Balance logs with known contents, for tests of `rig analyse`: written as laboratories write them.

Not responsible for physics: a perfect pump, in whole doses, on a balance without noise unless one is asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rig.offline.question import Question

FloatArray = NDArray[np.float64]
DENSITY_G_PER_ML = 0.998
MG_PER_U = 10.0 * DENSITY_G_PER_ML
"""Mass of 1 U of U-100 at the density that IEC 60601-2-24 gives."""


def basal_log(
    *, rate_u_per_h: float = 1.0, hours: float = 20.0, dose_u: float = 0.05, every_s: float = 30.0
) -> tuple[FloatArray, FloatArray]:
    """Times in s and masses in mg of a pump that gives whole doses, each in the middle of its interval."""
    at_s = np.arange(0.0, hours * 3600.0 + every_s / 2.0, every_s)
    interval_s = 3600.0 * dose_u / rate_u_per_h
    return at_s, 5000.0 + dose_u * MG_PER_U * np.floor(at_s / interval_s + 0.5)


def bolus_log(
    sizes_u: Sequence[float], *, every_s: float = 2.0, apart_s: float = 200.0, lasts_s: float = 40.0
) -> tuple[FloatArray, FloatArray]:
    """Times in s and masses in mg of boluses that begin every `apart_s`, the first after as long."""
    at_s = np.arange(0.0, apart_s * (len(sizes_u) + 1), every_s)
    mass_mg = np.full(at_s.size, 3000.0)
    for number, size_u in enumerate(sizes_u, start=1):
        mass_mg += size_u * MG_PER_U * np.clip((at_s - number * apart_s) / lasts_s, 0.0, 1.0)
    return at_s, mass_mg


def write_log(path: Path, at_s: FloatArray, mass_mg: FloatArray, *, header: str = "time [s],mass [mg]") -> Path:
    """Write a log with a comma between its columns."""
    rows = (f"{time!r},{mass!r}" for time, mass in zip(at_s.tolist(), mass_mg.tolist(), strict=True))
    path.write_text("\n".join((header, *rows)) + "\n", encoding="utf-8")
    return path


BASAL = Question(kind="basal", rate="1 U/h", stabilisation="0 h", analysis="rest")
BOLUS = Question(kind="bolus", bolus="1 U")
