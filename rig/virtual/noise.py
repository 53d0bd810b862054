"""Noise as a function of seed, stream and index: the same numbers however often and in whatever order one asks.

SplitMix64 (Steele, Lea and Flood, OOPSLA 2014, doi 10.1145/2660193.2660195) turns a counter into 64 random bits; Box
and Muller (1958) turn two of them into a normal deviate. Not responsible for what the numbers mean.
"""

from __future__ import annotations

import math

_MASK = (1 << 64) - 1
_GOLDEN = 0x9E3779B97F4A7C15


def splitmix64(state: int) -> int:
    """Get the 64-bit output of SplitMix64 for the state that has been advanced once from `state`."""
    z = (state + _GOLDEN) & _MASK
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _MASK
    return z ^ (z >> 31)


def stream(seed: int, name: str) -> int:
    """Get the key of a named stream of noise."""
    key = splitmix64(seed)
    for octet in name.encode():
        key = splitmix64(key ^ octet)
    return key


def uniform(key: int, index: int) -> float:
    """Get a uniform deviate in (0, 1)."""
    return ((splitmix64(key ^ splitmix64(index)) >> 11) + 0.5) * 2.0**-53


def normal(key: int, index: int) -> float:
    """Get a standard normal deviate."""
    radius = math.sqrt(-2.0 * math.log(uniform(key, 2 * index)))
    return radius * math.cos(2.0 * math.pi * uniform(key, 2 * index + 1))
