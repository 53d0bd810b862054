"""Noise as a function of seed, stream and index: the same numbers however often and in whatever order one asks.

SplitMix64 (Steele, Lea and Flood, OOPSLA 2014, doi 10.1145/2660193.2660195) turns a counter into 64 random bits. The
inverse of the normal distribution (Wichura, Applied Statistics 37 (1988) 477, AS 241; in the standard library) turns
them into a normal deviate. Not responsible for what the numbers mean.
"""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
import scipy
from numpy.typing import NDArray

GOLDEN_GAMMA = 0x9E3779B97F4A7C15
"""What SplitMix64 adds to its state before each output: 2⁶⁴ divided by the golden ratio, made odd."""

_MASK = (1 << 64) - 1
_INVERSE = NormalDist().inv_cdf


def splitmix64(state: int) -> int:
    """The 64-bit output of SplitMix64 for the state that has been advanced once from `state`."""
    z = (state + GOLDEN_GAMMA) & _MASK
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _MASK
    return z ^ (z >> 31)


def stream(seed: int, name: str) -> int:
    """The key of a named stream of noise: streams of one seed, and one stream of two seeds, are independent."""
    key = splitmix64(seed)
    for octet in name.encode():
        key = splitmix64(key ^ octet)
    return key


def occasional(seed: int, name: str, occasion: str) -> int:
    """Key of what a named stream holds on one occasion, such as one test; no unit.

    What belongs to a device is keyed by its seed alone (`stream`) and stays; what happens to it anew each time is keyed
    by seed and occasion. No occasion ("") is the stream of the seed itself.
    """
    return stream(seed, f"{name}\0{occasion}" if occasion else name)  # no name of a stream holds a NUL


def open_unit(bits: int) -> float:
    """Convert 64 bits to a number in (0, 1), from their upper 52: with 53, all ones would round to 1."""
    return ((bits >> 12) + 0.5) * 2.0**-52


def uniform(key: int, index: int) -> float:
    """A uniform deviate in (0, 1); `key` comes from `stream`."""
    return open_unit(splitmix64(key ^ splitmix64(index)))


def between(key: int, index: int, limits: tuple[float, float]) -> float:
    """A uniform deviate between two limits."""
    lowest, highest = limits
    return lowest + (highest - lowest) * uniform(key, index)


def normal(key: int, index: int) -> float:
    """A standard normal deviate; `key` comes from `stream`."""
    return _INVERSE(open_unit(splitmix64(key ^ splitmix64(index))))


def normals(key: int, first: int, count: int) -> NDArray[np.float64]:
    """Standard normal deviates of the indices from `first` on: each what `normal` gives, to some 1e-12."""
    index = np.arange(first, first + count, dtype=np.uint64)
    bits = _splitmix64_of(np.uint64(key) ^ _splitmix64_of(index))
    found: NDArray[np.float64] = scipy.special.ndtri(((bits >> np.uint64(12)).astype(np.float64) + 0.5) * 2.0**-52)
    return found


def _splitmix64_of(state: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """`splitmix64` of each element; numpy's whole numbers of 64 bits wrap as its arithmetic does."""
    z = state + np.uint64(GOLDEN_GAMMA)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


class Wander:
    """A slow variation within ±1: the mean of three sinusoids whose periods in h have no common measure to speak of.

    `key`, from `stream`, sets the phases. Assumption: rooms and zero points vary with the day and over hours.
    """

    __slots__ = ("_a", "_b", "_c", "_phases")

    PERIODS_H = (3.7, 9.1, 24.0)

    def __init__(self, key: int) -> None:
        self._a, self._b, self._c = (2.0 * math.pi / (3600.0 * period) for period in self.PERIODS_H)
        self._phases = tuple(2.0 * math.pi * uniform(key, n) for n in range(3))

    def at(self, at_s: float) -> float:
        """The value at `at_s`."""
        first, second, third = self._phases
        sin = math.sin
        return (sin(self._a * at_s + first) + sin(self._b * at_s + second) + sin(self._c * at_s + third)) / 3.0
