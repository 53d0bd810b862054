"""Helpers that suites share."""
