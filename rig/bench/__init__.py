"""A bench file in, an open and fit bench out."""

from rig.bench.open import open_bench

__all__ = ["open_bench"]
