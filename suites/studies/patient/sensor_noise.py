"""The noise of the sensors beside the statistics of other people's code. Not responsible for what is tolerated."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from rig.analysis.checks import FloatArray
from rig.patient import cgm

LEVEL_MG_PER_DL = 150.0
STEP_MIN = 5.0
"""The step of the autoregressive models; py_replay_bg takes it, too."""
PUBLISHED: Mapping[str, tuple[str, float, float, float]] = {
    "facchinetti": ("LoopInsighT1", 10.44, 0.859, 0.659),
    "vettoretti-g6": ("LoopInsighT1", 7.96, 0.906, 0.742),
    "vettoretti-mean": ("py_replay_bg", 8.104, 0.8989, 0.7307),
}
"""Of each model whose code it is, SD in mg/dL, and the correlation of neighbours and of those two steps apart."""


def errors_of(model: str, sample_min: float, samples: int) -> list[FloatArray]:
    """Read the noise in mg/dL of lives of 10 days, without drift, one a seed, of `samples` readings or more in all."""
    minutes = np.arange(0.0, 14400.0, sample_min)
    level = np.full(minutes.size, LEVEL_MG_PER_DL)
    sensors = [cgm(model, seed) for seed in range(samples // minutes.size + 1)]
    return [sensor.read(minutes, level) - sensor.calibrated(minutes, level) for sensor in sensors]


def correlation(errors: list[FloatArray], steps: int) -> float:
    """Correlate what lies so many steps apart, over all lives."""
    everything = np.concatenate(errors)
    mean, variance = everything.mean(), everything.var()
    products = np.concatenate([(each[:-steps] - mean) * (each[steps:] - mean) for each in errors])
    return float(products.mean() / variance)
