"""Drivers of pump controllers, one module or package each."""
