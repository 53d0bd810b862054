"""A run from frozen inputs to joined results."""
