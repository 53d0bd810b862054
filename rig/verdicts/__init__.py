"""Quantities, limits, requirements, and the rule by which a value becomes a verdict."""
